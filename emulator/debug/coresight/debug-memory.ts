/**
 * The system as the debug port's memory access port sees it: memory, devices, the debug registers of the core, the ROM table, and the
 * chip's identity. That last (DBGMCU) is shown to debuggers only: firmware must not take this for the chip itself.
 */
import type { Machine } from '../../machine.ts';
import { RegisterFile } from '../../peripherals/peripheral.ts';
import { chipIdRegister } from '../chip-id.ts';
import { identityWord, romTableWord } from './component-ids.ts';
import type { CoreDebug } from './core-debug.ts';

const DBGMCU_BYTES = 0x400;

export class DebugMemory {
  private readonly machine: Machine;
  private readonly core: CoreDebug;
  private readonly chip: RegisterFile | null;

  constructor(core: CoreDebug) {
    this.core = core;
    this.machine = core.machine;
    const id = chipIdRegister(this.machine.board);
    this.chip = id && new RegisterFile('DBGMCU', id.address, DBGMCU_BYTES, [[0, id.word]]);
  }

  /** A naturally aligned access; null: a bus fault. @param bytes 1, 2 or 4 */
  read(address: number, bytes: number): number | null {
    const memory = this.machine.memory.tryView(address, bytes);
    if (memory !== null) return littleEndian(memory);
    const word = this.register((address & ~3) >>> 0) ?? this.constant((address & ~3) >>> 0);
    if (word !== null) return narrow(word >>> (8 * (address & 3)), bytes);
    const device = this.machine.device(address);
    return device === null ? null : narrow(device.read(address, bytes), bytes);
  }

  /** False: a bus fault. Flash takes what its controller lets through, as from the core. */
  write(address: number, bytes: number, value: number): boolean {
    const { machine } = this;
    const kind = machine.memory.kindAt(address, bytes);
    if (kind === 'flash') return machine.hardware.flash.store(address, bytes, value);
    if (kind === 'ram') {
      machine.memory.write(
        address,
        Uint8Array.from({ length: bytes }, (_, index) => value >>> (8 * index)),
      );
      return true;
    }
    if (bytes === 4 && this.core.write(address, value)) return true;
    const chip = this.chipOffset(address);
    if (chip !== null) return chip === 0 || (this.chip?.write(chip, value) ?? false);
    const device = machine.device(address);
    if (device === null) return false;
    device.write(address, bytes, value);
    this.core.afterAccess();
    return true;
  }

  private register(address: number): number | null {
    const chip = this.chipOffset(address);
    return (
      this.core.read(address) ??
      (chip === null ? null : (this.chip?.read(chip) ?? null)) ??
      romTableWord(address) ??
      identityWord(address, this.machine.core)
    );
  }

  private chipOffset(address: number): number | null {
    const offset = address - (this.chip?.base ?? 0);
    return this.chip !== null && offset >= 0 && offset < DBGMCU_BYTES ? offset : null;
  }

  /** What the chip's maker wrote, which is no memory of the board. */
  private constant(address: number): number | null {
    return this.machine.cpu.exceptions?.readWord(address) ?? null;
  }
}

function littleEndian(bytes: Uint8Array): number {
  let value = 0;
  for (let index = bytes.length - 1; index >= 0; index--) value = value * 256 + bytes[index]!;
  return value;
}

const narrow = (value: number, bytes: number): number => (bytes === 4 ? value : value & (2 ** (8 * bytes) - 1)) >>> 0;
