/** CMSDK APB UART of the MPS2 images (Arm DDI 0479 4.3). Sends at once; interrupts are not modelled, polling is. */
import type { Peripheral, PeripheralHost } from './peripheral.ts';
import type { SerialLine } from './serial-line.ts';

const DATA = 0x00;
const STATE = 0x04;
const CTRL = 0x08;
const INTSTATUS = 0x0c;
const BAUDDIV = 0x10;

const STATE_RX_FULL = 1 << 1;
const CTRL_TX_ENABLE = 1 << 0;
const CTRL_RX_ENABLE = 1 << 1;
const CTRL_INTERRUPTS = 0x3c;

export class CmsdkUart implements Peripheral {
  readonly name = 'UART';
  readonly base: number;
  readonly bytes = 0x1000;
  private readonly line: SerialLine;
  private readonly host: PeripheralHost;
  private ctrl = 0;
  private bauddiv = 0;

  constructor(base: number, line: SerialLine, host: PeripheralHost) {
    this.base = base;
    this.line = line;
    this.host = host;
  }

  reset(): void {
    this.ctrl = 0;
    this.bauddiv = 0;
  }

  save(): unknown {
    return { ctrl: this.ctrl, bauddiv: this.bauddiv };
  }

  restore(state: unknown): void {
    ({ ctrl: this.ctrl, bauddiv: this.bauddiv } = state as { ctrl: number; bauddiv: number });
  }

  read(offset: number): number | null {
    switch (offset) {
      case DATA:
        return this.line.receive() ?? 0;
      case STATE:
        return (this.ctrl & CTRL_RX_ENABLE) !== 0 && this.line.waiting() > 0 ? STATE_RX_FULL : 0;
      case CTRL:
        return this.ctrl;
      case INTSTATUS:
        return 0;
      case BAUDDIV:
        return this.bauddiv;
      default:
        return null;
    }
  }

  write(offset: number, value: number): boolean {
    switch (offset) {
      case DATA:
        if ((this.ctrl & CTRL_TX_ENABLE) !== 0) this.line.send(value & 0xff);
        else this.host.note('a byte written to the UART while its transmitter is off');
        return true;
      case STATE:
      case INTSTATUS:
        return true;
      case CTRL:
        if ((value & CTRL_INTERRUPTS) !== 0)
          this.host.note('UART interrupts enabled; none will come, interrupts are not modelled');
        this.ctrl = value;
        return true;
      case BAUDDIV:
        this.bauddiv = value;
        return true;
      default:
        return false;
    }
  }
}
