/** Turns the numbers native run() ends with into a CpuStop. */
import { assert } from '../../../common/errors.ts';
import type { AccessKind, CpuStop } from '../cpu.ts';
import { machineStop } from '../machine-stop.ts';
import type { BlockTable } from './block-table.ts';

/** engine.h StopReason. */
const STOP_LIMIT = 0;
const STOP_SPECIAL = 1;
const STOP_ERROR = 2;
const STOP_INTERRUPT = 3;

/** unicorn.h uc_err. */
const EXCP_PREFETCH_ABORT = 3;
const UC_ERR_INSN_INVALID = 10;
const UC_ERR_EXCEPTION = 21;
/** unicorn.h uc_mem_type: READ_UNMAPPED 19, WRITE_UNMAPPED, FETCH_UNMAPPED, WRITE_PROT 22, READ_PROT, FETCH_PROT. */
const UC_MEM_READ_UNMAPPED = 19;
const accessKinds: readonly AccessKind[] = ['read', 'write', 'fetch', 'write', 'read', 'fetch'];

/** QEMU's exception numbers of this core, as the interrupt hook reports them. */
const exceptionNames: Readonly<Record<number, string>> = {
  1: 'undefined instruction',
  2: 'SVC',
  4: 'data abort',
  7: 'BKPT',
  8: 'exception return without an exception',
  17: 'FPU disabled',
  18: 'invalid state (branch to an even address: Arm state does not exist)',
  22: 'lazy FPU stacking',
};

/** @param raw what run() returned; @param pcOfAccess finds the instruction of the last block that accesses an address. */
export function explainStop(raw: Float64Array, blocks: BlockTable, pcOfAccess: (address: number) => number): CpuStop {
  const [reason = 0, code = 0, pc = 0, accessType = -1, address = 0] = raw;
  switch (reason) {
    case STOP_LIMIT:
      return { kind: 'limit', pc };
    case STOP_SPECIAL:
      return specialInstruction(pc, blocks);
    case STOP_INTERRUPT:
      // Memory that the architecture makes execute-never, such as the device spaces (DDI 0403E B3.1).
      if (code === EXCP_PREFETCH_ABORT)
        return { kind: 'access', pc, access: 'fetch', reason: 'protected', address: pc };
      return { kind: 'exception', pc, detail: exceptionNames[code] ?? `exception ${code}` };
    case STOP_ERROR:
      break;
    default:
      return { kind: 'requested', pc };
  }
  if (code === UC_ERR_INSN_INVALID) return undefinedAt(pc, blocks);
  if (accessType < 0) {
    return {
      kind: 'exception',
      pc,
      detail: code === UC_ERR_EXCEPTION ? 'unhandled exception' : `libunicorn error ${code}`,
    };
  }
  const access = accessKinds[accessType - UC_MEM_READ_UNMAPPED] ?? 'read';
  const isProtection = accessType >= UC_MEM_READ_UNMAPPED + 3;
  return {
    kind: 'access',
    // libunicorn leaves pc at the start of the block after a failed data access.
    pc: access === 'fetch' ? address : pcOfAccess(address),
    access,
    reason: isProtection ? 'protected' : 'unmapped',
    address,
  };
}

function specialInstruction(pc: number, blocks: BlockTable): CpuStop {
  const instruction = blocks.at(pc);
  assert(instruction !== null, `a stop at 0x${pc.toString(16)} needs an instruction there`);
  return machineStop(instruction, blocks.fpuEnabled()) ?? undefinedAt(pc, blocks);
}

function undefinedAt(pc: number, blocks: BlockTable): CpuStop {
  const instruction = blocks.at(pc);
  return { kind: 'undefined', pc, encoding: instruction?.encoding ?? 0, bytes: instruction?.size ?? 2 };
}
