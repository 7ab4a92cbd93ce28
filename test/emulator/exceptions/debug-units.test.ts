/** Breakpoints of the FPB, watchpoints of the DWT and MON_STEP, as firmware sets them up for its own DebugMonitor (DDI 0403E C1.4, C1.8, C1.11). */
import { describe, expect, it, vi } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { createMachine } from '../../../emulator/create-machine.ts';
import { buildProgram, hasCompiler } from '../support/assemble.ts';
import { runMonitored } from './support/monitored.ts';

const declarations = `
static volatile uint32_t watched[4] __attribute__((aligned(16)));
__attribute__((naked, noinline)) static void target(void) { __asm volatile("movs r0, #1\\n movs r0, #2\\n movs r0, #3\\n bx lr"); }
#define TARGET ((uint32_t)target & ~1u)
#define FP_CTRL REG(0xE0002000)
#define FP_COMP(n) REG(0xE0002008 + 4 * (n))
#define FP_AT(address) (((address) & 0x1ffffffc) | ((address) & 2 ? 0x80000000 : 0x40000000) | 1)
#define DWT_COMP(n) REG(0xE0001020 + 16 * (n))
#define DWT_MASK(n) REG(0xE0001024 + 16 * (n))
#define DWT_FUNCTION(n) REG(0xE0001028 + 16 * (n))
#define MONITOR (1 << 16 | 1 << 24)
`;
/** Where it was taken, counted from target(), and what DFSR said. */
const tell = 'PUT(frame[6] - TARGET); PUT(DFSR); DFSR = 7; ';

describe.skipIf(!hasCompiler)('debug units of the core (need arm-none-eabi-gcc)', () => {
  const seen = (main: string, handler: string, board = 'core-m4'): readonly number[] => {
    const { report, seen: words, notes } = runMonitored({ main, handler, declarations, board });
    expect(report.fault).toBeNull();
    expect(report).toMatchObject({ stop: 'exit', exitCode: 0 });
    expect(notes).toEqual([]);
    return words;
  };

  it('a breakpoint is taken in front of its instruction, again and again until it is removed', () => {
    const main = 'FP_COMP(5) = FP_AT(TARGET + 4); FP_CTRL = 3; DEMCR = MONITOR; target(); PUT(0x77);';
    const handler = `${tell} static int turns; if (++turns == 2) FP_COMP(5) = 0;`;
    expect(seen(main, handler)).toEqual([4, 2, 4, 2, 0x77]);
  });

  it.each([
    ['the unit is off', 'FP_COMP(0) = FP_AT(TARGET); DEMCR = MONITOR;'],
    ['FP_CTRL was written without its key', 'FP_COMP(0) = FP_AT(TARGET); FP_CTRL = 1; DEMCR = MONITOR;'],
    ['the monitor is off', 'FP_COMP(0) = FP_AT(TARGET); FP_CTRL = 3;'],
    ['PRIMASK holds it back', 'FP_COMP(0) = FP_AT(TARGET); FP_CTRL = 3; DEMCR = MONITOR; __asm volatile("cpsid i");'],
  ])('a breakpoint is lost where %s', (_, setUp) => {
    expect(seen(`${setUp} target(); PUT(0x77);`, tell)).toEqual([0x77]);
  });

  it('says what it has: six comparators for code, two for literals', () => {
    expect(seen('FP_CTRL = 3; PUT(FP_CTRL); FP_CTRL = 2; PUT(FP_CTRL); PUT(REG(0xE0001000) >> 28);', tell)).toEqual([
      0x261, 0x260, 4,
    ]);
  });

  it.each(['core-m7', 'core-m33'])('version 2 on %s takes any address as it is', (board) => {
    const main = 'FP_COMP(7) = (TARGET + 2) | 1; FP_CTRL = 3; DEMCR = MONITOR; target(); PUT(FP_CTRL); PUT(0x77);';
    expect(seen(main, `${tell} FP_COMP(7) = 0;`, board)).toEqual([2, 2, 0x1000_0081, 0x77]);
  });

  it.each([
    [4, 'both', [4, 0x10, 4, 0x10]],
    [5, 'writes', [4, 0x10]],
    [6, 'reads', [4, 0x10]],
  ])('Armv8-M: MATCH %i watches a word for %s', (match, _, expected) => {
    const main = `DWT_COMP(3) = (uint32_t)&watched[1]; DWT_FUNCTION(3) = 2 << 10 | 1 << 4 | ${match}; DEMCR = MONITOR;
      watched[0] = 5; watched[1] = 0x10; watched[2] = 5; (void)watched[1]; PUT(DWT_FUNCTION(3));`;
    const words = seen(main, 'PUT(DFSR); PUT(watched[1]); DFSR = 7;', 'core-m33');
    expect(words.slice(0, -1)).toEqual(expected);
    // ID and MATCHED besides what was written.
    expect(words.at(-1)).toBe(0x5100_0810 + match);
  });

  it('remapping is noted', () => {
    const main = 'FP_COMP(0) = TARGET | 1; FP_CTRL = 3; target();';
    const { notes } = runMonitored({ main, handler: tell, declarations });
    expect(notes).toEqual(['FPB comparator 0 remaps an address, which is not modelled']);
  });

  it.each([
    [5, 'reads', [4, 0x3000_0010]],
    [6, 'writes', [4, 0x10, 4, 0x3000_0010]],
    [7, 'both', [4, 0x10, 4, 0x3000_0010, 4, 0x3000_0010]],
  ])('function %i watches a word for %s, which have been made by then', (kind, _, expected) => {
    const main = `DWT_COMP(2) = (uint32_t)&watched[1]; DWT_MASK(2) = 2; DWT_FUNCTION(2) = ${kind}; DEMCR = MONITOR;
      watched[0] = 5; watched[1] = 0x10; watched[2] = 5; *(volatile uint8_t *)((uint32_t)watched + 7) = 0x30; (void)watched[1];
      PUT(DWT_FUNCTION(2) >> 24); PUT(DWT_FUNCTION(2) >> 24);`;
    expect(seen(main, 'PUT(DFSR); PUT(watched[1]); DFSR = 7;')).toEqual([...expected, 1, 0]);
  });

  it('MASK widens what is watched', () => {
    const main = `DWT_COMP(0) = (uint32_t)&watched[1]; DWT_MASK(0) = 3; DWT_FUNCTION(0) = 6; DEMCR = MONITOR;
      watched[2] = 1; watched[0] = 2; watched[1] = 3;`;
    expect(seen(main, 'PUT(watched[0] + watched[1]);')).toEqual([2, 5]);
  });

  it('a watched instruction is told of after it', () => {
    const main = 'DWT_COMP(0) = TARGET + 2; DWT_FUNCTION(0) = 4; DEMCR = MONITOR; target(); target(); PUT(0x77);';
    expect(seen(main, `${tell} PUT(DWT_FUNCTION(0) >> 24);`)).toEqual([4, 4, 1, 4, 4, 1, 0x77]);
  });

  it('nothing is watched while DEMCR.TRCENA is 0', () => {
    const main = 'DWT_COMP(0) = TARGET; DWT_FUNCTION(0) = 4; DEMCR = 1 << 16; target(); PUT(DWT_FUNCTION(0));';
    expect(seen(main, tell)).toEqual([4]);
  });

  it('what a comparator cannot do is noted', () => {
    const main = 'DWT_COMP(0) = 100; DWT_FUNCTION(0) = 0x84; DEMCR = MONITOR; DWT_FUNCTION(1) = 0x2;';
    expect(runMonitored({ main, handler: tell, declarations }).notes).toEqual([
      'DWT_FUNCTION0 is 0x84, which is not modelled: the comparator does nothing',
      'DWT_FUNCTION1 is 0x2, which is not modelled: the comparator does nothing',
    ]);
  });

  it('resets and restored states do not make the engine forget its code where no breakpoint changes', () => {
    const image = buildProgram({ files: { 'main.c': 'int main(void) { for (;;) { } }' } });
    const machine = createMachine({ board: loadBoard('core-m4'), image });
    const forget = vi.spyOn(machine.cpu, 'forgetCode');
    machine.reset();
    machine.restore(machine.save());
    machine.reset();
    expect(forget).not.toHaveBeenCalled();
    machine.close();
  });

  it('MON_STEP takes the monitor after every instruction, with DFSR.HALTED', () => {
    const main = 'FP_COMP(0) = FP_AT(TARGET); FP_CTRL = 3; DEMCR = MONITOR; target(); PUT(0x77);';
    const handler = `${tell} FP_COMP(0) = 0; if (frame[6] - TARGET < 6) DEMCR = MONITOR | 1 << 18; else DEMCR = MONITOR;`;
    expect(seen(main, handler)).toEqual([0, 2, 2, 1, 4, 1, 6, 1, 0x77]);
  });
});
