/** LPUART of the STM32L4+ (RM0432 section 50.7), for polling firmware: characters leave at once and the status bits never wait. */
import { RegisterFile, type PeripheralHost } from './peripheral.ts';
import type { SerialLine } from './serial-line.ts';

const CR1 = 0x00;
const ISR = 0x1c;
const ICR = 0x20;
const RDR = 0x24;
const TDR = 0x28;

const CR1_UE = 1 << 0;
const CR1_RE = 1 << 2;
const CR1_TE = 1 << 3;
/** IDLEIE, RXNEIE, TCIE, TXEIE, PEIE. */
const CR1_INTERRUPTS = 0x1f0;
const ISR_RXNE = 1 << 5;
const ISR_TC = 1 << 6;
const ISR_TXE = 1 << 7;
const ISR_TEACK = 1 << 21;
const ISR_REACK = 1 << 22;

export class Stm32Lpuart extends RegisterFile {
  private readonly line: SerialLine;
  private readonly host: PeripheralHost;

  constructor(base: number, line: SerialLine, host: PeripheralHost) {
    super('LPUART', base, 0x400, []);
    this.line = line;
    this.host = host;
  }

  override read(offset: number): number | null {
    switch (offset) {
      case ISR:
        return this.status();
      case RDR:
        return this.line.receive() ?? 0;
      case TDR:
        return 0;
      default:
        return offset <= 0x2c ? this.get(offset) : null;
    }
  }

  override write(offset: number, value: number): boolean {
    if (offset === TDR) {
      if ((this.get(CR1) & (CR1_UE | CR1_TE)) === (CR1_UE | CR1_TE)) this.line.send(value & 0xff);
      else this.host.note('a byte written to the LPUART while its transmitter is off');
      return true;
    }
    if (offset === ISR || offset === RDR || offset === ICR) return true;
    if (offset > 0x2c) return false;
    if (offset === CR1 && (value & CR1_INTERRUPTS) !== 0) {
      this.host.note('LPUART interrupts enabled; none will come, interrupts are not modelled');
    }
    return super.write(offset, value);
  }

  private status(): number {
    const control = this.get(CR1);
    if ((control & CR1_UE) === 0) return ISR_TXE | ISR_TC;
    const transmit = (control & CR1_TE) !== 0 ? ISR_TEACK : 0;
    const receive = (control & CR1_RE) !== 0 ? ISR_REACK | (this.line.waiting() > 0 ? ISR_RXNE : 0) : 0;
    return ISR_TXE | ISR_TC | transmit | receive;
  }
}
