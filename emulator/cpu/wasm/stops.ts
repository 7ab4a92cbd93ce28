/** Stops in words: instructions the machine decides about, and fetches from where no code can be. */
import { cell } from '../../isa/ir.ts';
import type { CpuStop, Protection } from '../cpu.ts';
import { machineStop } from '../machine-stop.ts';
import type { Step } from './block.ts';
import type { CoreState } from './core-state.ts';
import { ACCESS_STOP, AccessFault } from './guest-memory.ts';

/** From here up a branch is an exception return, which without an exception is one itself (DDI 0403E B1.5.8). */
const EXCEPTION_RETURN_MIN = 0xff00_0000;
/** Execute-never by the default memory map: peripherals, external devices, system space (DDI 0403E B3.1). */
function isExecuteNever(address: number): boolean {
  return (address >= 0x4000_0000 && address < 0x6000_0000) || address >= 0xa000_0000;
}

/** In Handler mode a branch up there returns from the exception (DDI 0403E B1.5.8); bit 0 of the value is that of the branch. */
export function exceptionReturn(core: CoreState): CpuStop | null {
  const { pc } = core;
  if (pc < EXCEPTION_RETURN_MIN || core.get(cell.ipsr) === 0) return null;
  return { kind: 'exceptionReturn', pc, value: core.armState ? pc : (pc | 1) >>> 0 };
}

/** For what an access threw. @param cellsBefore state in front of the instruction, where a hook looks on @throws whatever else it was */
export function accessStop(error: unknown, core: CoreState, cellsBefore: Int32Array): CpuStop {
  const { pc } = core;
  if (error === ACCESS_STOP) {
    core.cells.set(cellsBefore);
    return { kind: 'requested', pc };
  }
  if (!(error instanceof AccessFault)) throw error;
  const { access, reason, address } = error;
  return { kind: 'access', pc, access, reason, address };
}

/** There is no memory to fetch from. */
export function fetchFault(pc: number): CpuStop {
  if (pc >= EXCEPTION_RETURN_MIN) return { kind: 'exception', pc, detail: 'exception return without an exception' };
  const reason = isExecuteNever(pc) ? 'protected' : 'unmapped';
  return { kind: 'access', pc, access: 'fetch', reason, address: pc };
}

/** What the memory protection unit has against fetching the instruction, or null. */
function refusedFetch({ instruction }: Step, protection: Protection): CpuStop | null {
  const { address, size } = instruction;
  if (protection('fetch', address, size, false)) return null;
  return { kind: 'access', pc: address, access: 'fetch', reason: 'denied', address };
}

/** Why the engine does not execute this instruction. */
function explainStop(step: Step, fpuEnabled: boolean): CpuStop {
  const { address: pc, encoding, size } = step.instruction;
  const digits = encoding.toString(16).padStart(size * 2, '0');
  return (
    machineStop(step.instruction, fpuEnabled) ?? {
      kind: 'exception',
      pc,
      detail: `0x${digits} is not implemented by this engine`,
    }
  );
}

/** Why the engine stops in front of an instruction, or null to execute it. */
export function stopBefore(step: Step, fpuEnabled: boolean, protection: Protection | null): CpuStop | null {
  if (protection !== null) {
    const refused = refusedFetch(step, protection);
    if (refused !== null) return refused;
  }
  return step.stops || (step.isFpu && !fpuEnabled) ? explainStop(step, fpuEnabled) : null;
}
