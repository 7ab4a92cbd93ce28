/** The devices of a board: those of every Cortex-M4, and what belongs to the kind of UART the board description names. */
import type { Board } from '../../boards/schema.ts';
import { CmsdkUart } from './cmsdk-uart.ts';
import { Dwt } from './dwt.ts';
import type { Peripheral, PeripheralHost } from './peripheral.ts';
import type { SerialLine } from './serial-line.ts';
import { Stm32Lpuart } from './stm32-lpuart.ts';
import { stm32l4Clocks } from './stm32l4-clocks.ts';
import { SystemControl } from './system-control.ts';
import { SysTick } from './systick.ts';

/** Ordered: the bus takes the first that covers an address, and SysTick lies inside the SCS. */
export function boardPeripherals(board: Board, line: SerialLine, host: PeripheralHost): Peripheral[] {
  const control = new SystemControl(host, board.fpu !== 'none');
  const core: Peripheral[] = [new SysTick(host), control, new Dwt(host, () => control.traceEnabled())];
  switch (board.uart?.kind) {
    case 'cmsdk-uart':
      return [...core, new CmsdkUart(board.uart.base, line, host)];
    case 'stm32-lpuart':
      return [...core, new Stm32Lpuart(board.uart.base, line, host), ...stm32l4Clocks()];
    case undefined:
      return core;
  }
}
