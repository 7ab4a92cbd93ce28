/** Programming and erasing the flash of an STM32F4 with one bank: RM0090 3.6 and 3.9. */
import { eraseFlash, littleEndian, STRT, type FlashProgramming, type ProgrammingParts } from './flash-programming.ts';

const cr = { program: 1 << 0, sectorErase: 1 << 1, massErase: 1 << 2, endInterrupt: 1 << 24 } as const;
const sr = { end: 1 << 0, alignment: 1 << 5, parallelism: 1 << 6, sequence: 1 << 7 } as const;
/** RM0090 table 5: four sectors of 16 KiB, one of 64, the others of 128. */
const FIRST_SECTORS_KB = [16, 16, 16, 16, 64];
const SECTOR_KB = 128;

export class FlashF4 implements FlashProgramming {
  private readonly parts: ProgrammingParts;

  constructor(parts: ProgrammingParts) {
    this.parts = parts;
  }

  reset(): void {
    return;
  }

  save(): unknown {
    return null;
  }

  restore(): void {
    return;
  }

  control(value: number): void {
    if ((value & STRT) === 0) return;
    const { registers, array } = this.parts;
    registers.set('CR', value & ~STRT);
    if ((value & cr.massErase) !== 0) eraseFlash(this.parts, array.start, array.bytes);
    else if ((value & cr.sectorErase) === 0 || !this.eraseSector((value >>> 3) & 15)) {
      this.flag(sr.sequence);
      return;
    }
    this.finish();
  }

  /** Only with PG; as wide as PSIZE says; ones become zeros, never the other way. */
  readonly store = (address: number, bytes: number, value: number): boolean => {
    const { registers, host } = this.parts;
    if (!registers.bit('CR', 0) || registers.bit('CR', 31)) return false;
    if (bytes !== 1 << registers.field('CR', 8, 2)) this.flag(sr.parallelism);
    else if (address % bytes !== 0) this.flag(sr.alignment);
    else {
      const old = host.readMemory(address, bytes);
      if (old === null) return false;
      host.writeFlash(
        address,
        littleEndian(value, bytes).map((byte, index) => byte & old[index]!),
      );
      this.finish();
    }
    return true;
  };

  /** False where the chip has no such sector. */
  private eraseSector(number: number): boolean {
    const { array } = this.parts;
    const kilobytes = (sector: number): number => FIRST_SECTORS_KB[sector] ?? SECTOR_KB;
    let offset = 0;
    for (let sector = 0; sector < number; sector++) offset += kilobytes(sector) * 1024;
    if (offset >= array.bytes) return false;
    eraseFlash(this.parts, array.start + offset, kilobytes(number) * 1024);
    return true;
  }

  private finish(): void {
    if ((this.parts.registers.get('CR') & cr.endInterrupt) !== 0) this.flag(sr.end);
  }

  private flag(bit: number): void {
    const { registers } = this.parts;
    registers.set('SR', registers.get('SR') | bit);
  }
}
