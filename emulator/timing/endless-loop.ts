/** What it costs to wait for an interrupt in a loop of one instruction. */
import { assert } from '../../common/errors.ts';
import type { Core } from '../cores/core.ts';
import { decodeInstruction } from './decode.ts';
import { REFILLED, TAKEN } from './pipeline.ts';

/** `b .` in 16 bits; of the 32-bit one the fetch is the same. */
const BRANCH_TO_ITSELF = 0xe7fe;

/** Cycles of one turn of `b .` at an address. */
export function endlessLoopCycles(core: Core, address: number): number {
  const branch = decodeInstruction(() => BRANCH_TO_ITSELF, address, 0, core);
  assert(branch !== null, 'the branch can be read');
  return core.pipeline.step(REFILLED, branch, TAKEN).cycles;
}
