/** Which instructions a machine decides about instead of its engine, and the stop each gives: one rule for all engines. */
import type { TimingClass } from '../timing/cost.ts';
import type { Instruction } from '../timing/instruction.ts';
import type { CpuStop } from './cpu.ts';

const stopping: ReadonlySet<TimingClass> = new Set([
  'supervisorCall',
  'breakpoint',
  'waitForInterrupt',
  'waitForEvent',
  'sendEvent',
  'yieldHint',
  'undefined',
  'security',
  'coprocessorAbsent',
  'fpUndefined',
]);

export function isFpuInstruction(instruction: Instruction): boolean {
  return instruction.timing.startsWith('fp');
}

const hex = (encoding: number, bytes: number): string => `0x${encoding.toString(16).padStart(bytes * 2, '0')}`;

/** An endless loop: nothing modelled can end it. */
function branchesToItself(instruction: Instruction): boolean {
  return instruction.branch === 'always' && instruction.target === instruction.address;
}

/** The engine stops in front of it, whatever the FPU's state. */
export function alwaysStops(instruction: Instruction): boolean {
  return stopping.has(instruction.timing) || branchesToItself(instruction);
}

/** The stop in front of an instruction, or null if it is an ordinary one. */
export function machineStop(instruction: Instruction, fpuEnabled: boolean): CpuStop | null {
  const { address: pc, encoding, size, timing } = instruction;
  if (branchesToItself(instruction)) return { kind: 'endlessLoop', pc };
  if (isFpuInstruction(instruction) && !fpuEnabled) return { kind: 'fpuDisabled', pc };
  switch (timing) {
    case 'breakpoint':
    case 'supervisorCall':
    case 'waitForInterrupt':
    case 'waitForEvent':
    case 'sendEvent':
    case 'yieldHint':
      return { kind: timing, pc };
    case 'security':
      return {
        kind: 'exception',
        pc,
        detail: `${hex(encoding, size)} needs the Security extension, which is not modelled`,
      };
    case 'coprocessorAbsent':
      return { kind: 'noCoprocessor', pc };
    case 'undefined':
    case 'fpUndefined':
      return { kind: 'undefined', pc, encoding, bytes: size };
    default:
      return null;
  }
}
