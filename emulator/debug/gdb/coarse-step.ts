/**
 * A step on an engine that leaves IT blocks only at their end and may run on to the end of a straight run of code (Unicorn): marks on
 * whatever may follow, watchpoints from what the instruction is about to access or from what a block has changed.
 */
import type { Core } from '../../cores/core.ts';
import { reg } from '../../cpu/cpu.ts';
import { decodeInstruction, itStateAfter, type ReadHalfword } from '../../timing/decode.ts';
import type { Instruction } from '../../timing/instruction.ts';
import type { RunControl } from './run-control.ts';
import type { Stop } from './stop.ts';
import { watchHit, type Watch, type WatchHit } from './watch.ts';

/** IT covers four instructions at most; the one after them is unconditional. */
const FOLLOWING_MAX = 5;
/** From the last of four wide instructions back to their IT. */
const IT_REACH_BYTES = 14;

export function itStateOf(xpsr: number): number {
  return ((xpsr >>> 25) & 3) | ((xpsr >>> 8) & 0xfc);
}

/** One instruction, or an IT block as a whole. Null: done. */
export function coarseStep(control: RunControl): Stop | null {
  const { cpu } = control.machine;
  const { following, hit, first } = lookAhead(control);
  const before = control.counters().instructions;
  if (hit !== null && !control.isResumedAt(control.pc, before)) return { kind: 'watch', hit };
  control.resumeHere();
  const watched = first?.timing === 'ifThen' ? watchedBytes(control) : null;
  const added = following.filter((address) => control.breakpointAt(address) === null);
  for (const address of added) cpu.addMark(address, () => control.machine.pause());
  try {
    const stop = control.run({ cyclesMax: Infinity, instructionsMax: before + 1 });
    if (stop?.kind === 'result') return stop;
    return watched === null ? null : changedSince(control, watched);
  } finally {
    for (const address of added) cpu.removeMark(address);
  }
}

/** Whether one of the up to four instructions before the address is an IT that covers it. */
export function isInsideIt(read: ReadHalfword, address: number, core: Core): boolean {
  for (let start = address - 2; start >= address - IT_REACH_BYTES; start -= 2) {
    const opening = start < 0 ? null : decodeInstruction(read, start, 0, core);
    if (opening?.timing !== 'ifThen') continue;
    let itState = itStateAfter(opening, 0);
    for (let at = start + 2; at <= address && itState !== 0;) {
      if (at === address) return true;
      const instruction = decodeInstruction(read, at, itState, core);
      if (instruction === null) break;
      itState = itStateAfter(instruction, itState);
      at += instruction.size;
    }
  }
  return false;
}

export function readHalfword({ machine }: RunControl, address: number): number | null {
  const bytes = machine.memory.tryView(address, 2);
  return bytes === null ? null : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
}

/** The next instruction, the watch it is about to hit, and the addresses at one of which execution goes on in sequence. */
function lookAhead(control: RunControl): { first: Instruction | null; following: number[]; hit: WatchHit | null } {
  const { cpu, core } = control.machine;
  const xpsr = cpu.readRegister(reg.xpsr);
  const following: number[] = [];
  let first: Instruction | null = null;
  let address = control.pc;
  let itState = itStateOf(xpsr);
  for (let count = 0; count < FOLLOWING_MAX; count++) {
    const instruction = decodeInstruction((at) => readHalfword(control, at), address, itState, core);
    if (instruction === null) break;
    first ??= instruction;
    itState = itStateAfter(instruction, itState);
    address = (address + instruction.size) >>> 0;
    if (itState !== 0) continue;
    following.push(address);
    break;
  }
  if (first === null || control.watches.size === 0) return { first, following, hit: null };
  const hit = watchHit(first, control.watches.values(), (number) => cpu.readRegister(number), xpsr);
  return { first, following, hit };
}

function watchedBytes({ machine, watches }: RunControl): Map<Watch, Uint8Array | null> {
  return new Map(
    [...watches.values()].map((watch) => [watch, machine.memory.tryView(watch.address, watch.bytes)?.slice() ?? null]),
  );
}

function changedSince({ machine }: RunControl, before: ReadonlyMap<Watch, Uint8Array | null>): Stop | null {
  for (const [{ kind, address, bytes }, old] of before) {
    const now = machine.memory.tryView(address, bytes);
    const offset = now?.findIndex((byte, index) => byte !== old?.[index]) ?? -1;
    if (offset >= 0) return { kind: 'watch', hit: { kind, address: address + offset } };
  }
  return null;
}
