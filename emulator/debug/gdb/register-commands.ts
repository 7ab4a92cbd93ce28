/** g, G, p and P (GDB manual E.2): all registers in ascending number, or one by number. */
import type { Machine } from '../../machine.ts';
import { reg } from '../../cpu/cpu.ts';
import type { Execution } from './execution.ts';
import { hexOf, parseHex, parseNumber } from './packets.ts';
import { ERROR_ARGUMENT, OK } from './replies.ts';
import { readTargetRegister, writeTargetRegister, type TargetRegister } from './target-description.ts';

export interface RegisterTarget {
  readonly machine: Machine;
  readonly execution: Execution;
  readonly registers: readonly TargetRegister[];
}

/** The reply, or null for another kind of packet. */
export function accessRegisters(text: string, target: RegisterTarget): string | null {
  switch (text[0]) {
    case 'g':
      return text === 'g' ? target.registers.map((register) => read(register, target)).join('') : ERROR_ARGUMENT;
    case 'G':
      return writeAll(parseHex(text.slice(1)), target);
    case 'p': {
      const register = find(text.slice(1), target);
      return register === null ? ERROR_ARGUMENT : read(register, target);
    }
    case 'P': {
      const [number, value] = text.slice(1).split('=');
      const register = find(number, target);
      const bytes = parseHex(value ?? '');
      if (register === null || bytes?.length !== register.bytes) return ERROR_ARGUMENT;
      write(register, bytes, target);
      return OK;
    }
    default:
      return null;
  }
}

function find(numberText: string | undefined, { registers }: RegisterTarget): TargetRegister | null {
  const number = parseNumber(numberText);
  return registers.find((register) => register.number === number) ?? null;
}

function read(register: TargetRegister, { machine, execution }: RegisterTarget): string {
  return hexOf(readTargetRegister(register, machine.cpu, execution.pc));
}

function write(register: TargetRegister, bytes: Uint8Array, { machine, execution }: RegisterTarget): void {
  if (register.parts[0] !== reg.pc) {
    writeTargetRegister(register, machine.cpu, bytes);
    execution.noteRegisterChange();
  } else execution.setPc(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true));
}

/** Writes only what differs: msp, psp and sp are views of the same registers, and would undo each other. */
function writeAll(bytes: Uint8Array | null, target: RegisterTarget): string {
  const total = target.registers.reduce((sum, register) => sum + register.bytes, 0);
  if (bytes?.length !== total) return ERROR_ARGUMENT;
  const before = target.registers.map((register) => read(register, target));
  let at = 0;
  for (const [index, register] of target.registers.entries()) {
    const part = bytes.slice(at, at + register.bytes);
    at += register.bytes;
    if (hexOf(part) !== before[index]) write(register, part, target);
  }
  return OK;
}
