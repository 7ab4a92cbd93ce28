/**
 * A function as its authors have measured it: `before = DWT_CYCCNT; f(...); cycles = DWT_CYCCNT - before`. The call and the reads of the counter, which
 * lie between its two samples, run in a caller of ours behind the image; the arguments are in their registers already.
 */
import { UserError } from '../../common/errors.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { parseCallArgument, placeArgument } from '../../emulator/sim.ts';
import type { Board } from '../../boards/schema.ts';

/** push {r4, r5, r6, lr}; movw r5, #0x1000; movt r5, #0xe000; nop; ldr r6, [r5, #4]; bl FUNCTION; ldr r0, [r5, #4]; subs r0, r0, r6; pop {r4, r5, r6, pc} */
const CALLER = [0xb570, 0xf241, 0x0500, 0xf2ce, 0x0500, 0xbf00, 0x686e, 0, 0, 0x6868, 0x1b80, 0xbd70];
const FIRST_READ = 12;
const BRANCH = 14;
const SECOND_READ = 18;

/** Cycles from one read to the other; null on a core without a timing model. @throws UserError when the function cannot be run or does not return */
export function cyclesBetweenReads(
  board: Board,
  image: Uint8Array,
  imageName: string,
  symbol: string,
  args: readonly string[],
): number | null {
  const machine = createMachine({ board, image, imageName, timing: 'exact' });
  try {
    const flash = board.memory.find(({ kind }) => kind === 'flash')!;
    const caller = flash.start + flash.bytes - CALLER.length * 2;
    const code = Uint16Array.from(CALLER);
    code.set(branchWithLink(machine.symbol(symbol).address - (caller + BRANCH + 4)), BRANCH / 2);
    machine.writeMemory(caller, new Uint8Array(code.buffer));
    const reads = [caller + FIRST_READ, caller + SECOND_READ];
    for (const read of reads) machine.onMark(read);
    const words = args.map((argument) => placeArgument(machine, parseCallArgument(argument)));
    const { stop } = machine.call(caller, words);
    if (stop !== 'return') throw new UserError(`${imageName}: ${symbol} did not return (${stop})`);
    const [before, after] = reads.map((read) => machine.markPasses(read)[0]!.cycles);
    return machine.core.timing === null ? null : after! - before!;
  } finally {
    machine.close();
  }
}

/** BL, encoding T1 (DDI 0403E A7.7.18). @param offset from the address of the instruction + 4, in bytes, even, within 16 MB */
function branchWithLink(offset: number): [number, number] {
  const sign = offset < 0 ? 1 : 0;
  const bit = (n: number): number => (offset >> n) & 1;
  const j = (n: number): number => (bit(n) ^ sign ^ 1) & 1;
  return [
    0xf000 | (sign << 10) | ((offset >> 12) & 0x3ff),
    0xd000 | (j(23) << 13) | (j(22) << 11) | ((offset >> 1) & 0x7ff),
  ];
}
