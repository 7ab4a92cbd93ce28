/** The memory access port of a Cortex-M (IHI 0031C chapter 7, DDI 0439D 8.3: AHB-AP): TAR and DRW, with increment, and the banked data registers. */
import { ROM_TABLE } from './component-ids.ts';
import type { DebugMemory } from './debug-memory.ts';

/** AHB-AP of Cortex-M3 and M4. */
const IDR = 0x2477_0011;
/** Present, in the format of Debug interface version 5. */
const BASE = (ROM_TABLE | 3) >>> 0;
/** DeviceEn; what can be written: Prot, AddrInc, Size. */
const CSW_ENABLED = 1 << 6;
const CSW_WRITABLE = 0x7f00_0037;
const CSW_RESET = 0x2300_0042;
/** The address is incremented within such a block only (DDI 0439D 8.3.3). */
const BLOCK_BYTES = 0x1000;

const register = { csw: 0x00, tar: 0x04, drw: 0x0c, banked: 0x10, config: 0xf4, base: 0xf8, idr: 0xfc } as const;
const increment = { single: 1, packed: 2 } as const;

export class MemAp {
  private readonly memory: DebugMemory;
  private csw = CSW_RESET;
  private tar = 0;

  constructor(memory: DebugMemory) {
    this.memory = memory;
  }

  /** Null: the access failed. @param address of the register, bank included */
  read(address: number): number | null {
    switch (address) {
      case register.csw:
        return (this.csw | CSW_ENABLED) >>> 0;
      case register.tar:
        return this.tar;
      case register.drw:
        return this.transfer(null);
      case register.config:
        return 0;
      case register.base:
        return BASE;
      case register.idr:
        return IDR;
      default:
        return this.isBanked(address) ? this.memory.read(this.bankedAddress(address), 4) : 0;
    }
  }

  /** False: the access failed. */
  write(address: number, value: number): boolean {
    switch (address) {
      case register.csw:
        this.csw = value & CSW_WRITABLE;
        return true;
      case register.tar:
        this.tar = value >>> 0;
        return true;
      case register.drw:
        return this.transfer(value) !== null;
      default:
        return !this.isBanked(address) || this.memory.write(this.bankedAddress(address), 4, value);
    }
  }

  private isBanked(address: number): boolean {
    return address >= register.banked && address < register.banked + 16;
  }

  private bankedAddress(address: number): number {
    return ((this.tar & ~15) | (address & 15)) >>> 0;
  }

  /** One transfer, or with packed increment as many as make a word; data is in the lanes of its address. */
  private transfer(written: number | null): number | null {
    const bytes = Math.min(4, 1 << (this.csw & 7));
    const mode = (this.csw >>> 4) & 3;
    const count = mode === increment.packed ? 4 / bytes : 1;
    let word = 0;
    for (let index = 0; index < count; index++) {
      const address = (this.tar & ~(bytes - 1)) >>> 0;
      const shift = 8 * (address & 3);
      if (written === null) {
        const value = this.memory.read(address, bytes);
        if (value === null) return null;
        word |= value << shift;
      } else if (!this.memory.write(address, bytes, maskTo(written >>> shift, bytes))) return null;
      if (mode !== 0) this.advance(bytes);
    }
    return word >>> 0;
  }

  private advance(bytes: number): void {
    const block = this.tar - (this.tar % BLOCK_BYTES);
    this.tar = block + ((this.tar + bytes) % BLOCK_BYTES);
  }
}

const maskTo = (value: number, bytes: number): number => (bytes === 4 ? value : value & (2 ** (8 * bytes) - 1)) >>> 0;
