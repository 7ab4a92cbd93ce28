/** The devices of a board: those of its core, and what belongs to the kind of UART the board description names. */
import type { Board } from '../../boards/schema.ts';
import { coreOf, isMainline } from '../cores/core.ts';
import { exceptionFeatures } from '../exceptions/exception-features.ts';
import { BaselineControlBlock, baselineDwt } from './baseline-control-block.ts';
import { CmsdkUart } from './cmsdk-uart.ts';
import { Dwt } from './dwt.ts';
import { MpuRegisters } from './mpu-registers.ts';
import { Nvic } from './nvic.ts';
import type { ExceptionHost, Peripheral, PeripheralHost } from './peripheral.ts';
import type { SerialLine } from './serial-line.ts';
import { Stm32Lpuart } from './stm32-lpuart.ts';
import { stm32l4Clocks } from './stm32l4-clocks.ts';
import { SystemControlBlock } from './system-control-block.ts';
import { SystemControl } from './system-control.ts';
import { SysTick } from './systick.ts';

/** Ordered: the bus takes the first that covers an address, and SysTick lies inside the SCS. */
export function boardPeripherals(board: Board, line: SerialLine, host: PeripheralHost): Peripheral[] {
  const { exceptions } = host;
  const control = exceptions === null ? new SystemControl(host, board.fpu !== 'none') : controlBlock(board, exceptions);
  const nvic =
    exceptions === null
      ? []
      : [new Nvic(exceptions, coreOf(board).architecture !== 'v6-m'), new MpuRegisters(exceptions)];
  const core: Peripheral[] = [
    new SysTick(host),
    ...nvic,
    control,
    ...(isMainline(coreOf(board)) ? [new Dwt(host, () => control.traceEnabled())] : [baselineDwt()]),
  ];
  switch (board.uart?.kind) {
    case 'cmsdk-uart':
      return [...core, new CmsdkUart(board.uart.base, line, host)];
    case 'stm32-lpuart':
      return [...core, new Stm32Lpuart(board.uart.base, line, host), ...stm32l4Clocks()];
    case undefined:
      return core;
  }
}

function controlBlock(board: Board, exceptions: ExceptionHost): SystemControlBlock {
  const model = coreOf(board);
  const { cpuid, mvfr, interruptLines } = model;
  const { hasFpu, configurationOnes } = exceptionFeatures(model);
  const options = {
    hasFpu,
    configurationOnes,
    cpuid,
    mvfr,
    interruptWords: Math.ceil(interruptLines / 32) - 1,
    vectorTable: board.memory.find(({ kind }) => kind === 'flash')?.start ?? 0,
  };
  return isMainline(model)
    ? new SystemControlBlock(exceptions, options)
    : new BaselineControlBlock(exceptions, options, model);
}
