/**
 * System control space of the Cortex-M4 (DDI 0403E B3.2): SCB, NVIC and debug registers as far as they mean something without
 * exceptions. What would raise an exception ends the run, since this engine takes none.
 */
import { RegisterFile, type PeripheralHost } from './peripheral.ts';

const ICSR = 0xd04;
const VTOR = 0xd08;
const AIRCR = 0xd0c;
const CPACR = 0xd88;
const DEMCR = 0xdfc;

const AIRCR_KEY = 0x05fa;
const AIRCR_READ_KEY = 0xfa05;
const AIRCR_SYSRESETREQ = 1 << 2;
/** NMIPENDSET, PENDSVSET, PENDSTSET. */
const ICSR_PEND = 0x9400_0000;
const DEMCR_TRCENA = 1 << 24;
/** Full access to coprocessors 10 and 11. */
const CPACR_FPU = 0xf0_0000;

const resetValues: readonly (readonly [number, number])[] = [
  [0x004, 0x0000_0001], // ICTR
  [0xd00, 0x410f_c241], // CPUID: Cortex-M4 r0p1
  [0xd14, 0x0000_0200], // CCR: STKALIGN
  [0xf34, 0xc000_0000], // FPCCR
  [0xf40, 0x1011_0021], // MVFR0
  [0xf44, 0x1100_0011], // MVFR1
];

const readOnly: ReadonlySet<number> = new Set([0x004, 0xd00, 0xf40, 0xf44]);

export class SystemControl extends RegisterFile {
  private readonly host: PeripheralHost;
  private readonly hasFpu: boolean;

  constructor(host: PeripheralHost, hasFpu: boolean) {
    super('SCS', 0xe000_e000, 0x1000, resetValues);
    this.host = host;
    this.hasFpu = hasFpu;
  }

  traceEnabled(): boolean {
    return (this.get(DEMCR) & DEMCR_TRCENA) !== 0;
  }

  vectorTable(): number {
    return this.get(VTOR);
  }

  override read(offset: number): number {
    if (offset === AIRCR) return ((AIRCR_READ_KEY << 16) | (this.get(AIRCR) & 0x700)) >>> 0;
    return this.get(offset);
  }

  override write(offset: number, value: number): boolean {
    if (readOnly.has(offset)) return true;
    switch (offset) {
      case ICSR:
        if ((value & ICSR_PEND) !== 0)
          this.host.fail('an exception made pending in ICSR; exceptions are not modelled by this engine');
        return true;
      case AIRCR:
        if (value >>> 16 !== AIRCR_KEY) return true;
        if ((value & AIRCR_SYSRESETREQ) !== 0) this.host.fail('system reset requested through AIRCR.SYSRESETREQ');
        return super.write(offset, value & 0x700);
      case CPACR: {
        const kept = this.hasFpu ? value & CPACR_FPU : 0;
        this.host.setFpuEnabled(kept === CPACR_FPU);
        return super.write(offset, kept);
      }
      default:
        return super.write(offset, value);
    }
  }
}
