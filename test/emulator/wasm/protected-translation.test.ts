/** Translated code under a memory protection unit that leaves all memory open, as CubeMX sets it up: as fast as without, and as strict. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { coreOf } from '../../../emulator/cores/core.ts';
import { HotCode } from '../../../emulator/cpu/wasm/hot-code.ts';
import { WasmCpu } from '../../../emulator/cpu/wasm/wasm-cpu.ts';
import { createMachine } from '../../../emulator/create-machine.ts';
import type { RunResult } from '../../../emulator/machine.ts';
import { cpuFlags } from '../../../firmware-gen/emit/build-flags.ts';
import { buildProgram, hasCompiler } from '../support/assemble.ts';

/** The lower half gigabyte is left to the background map; no access from 0x60000000 on (region 0, subregions 0 to 2 and 7 off). */
const V7 = `
static void protect(void) { REG(0xe000ed98) = 0; REG(0xe000ed9c) = 0; REG(0xe000eda0) = 0x873f; REG(0xe000ed94) = 5; __asm volatile("dsb; isb"); }
/* and the RAM at 0x20010000 is read only */
static void narrow(void) { REG(0xe000ed98) = 1; REG(0xe000ed9c) = 0x20010000; REG(0xe000eda0) = 0x05000000 | 15 << 1 | 1; __asm volatile("dsb; isb"); }
`;
const V8 = `
static void protect(void) { REG(0xe000ed98) = 0; REG(0xe000ed9c) = 0x60000004; REG(0xe000eda0) = 0x9fffffe1; REG(0xe000ed94) = 5; __asm volatile("dsb; isb"); }
static void narrow(void) { REG(0xe000ed98) = 1; REG(0xe000ed9c) = 0x20010004; REG(0xe000eda0) = 0x2001ffe1; __asm volatile("dsb; isb"); }
`;
const WORK = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
volatile uint32_t sum;
__attribute__((noinline)) static void work(void) {
  static uint32_t table[256];
  for (uint32_t i = 0; i < 100000; i++) { table[i & 255] += i; sum += table[(i * 7) & 255]; }
}
`;

function run(board: string, main: string, hotPasses?: number): { result: RunResult; translated: number } {
  const description = loadBoard(board);
  const passes = vi.spyOn(HotCode.prototype, 'run');
  const machine = createMachine({
    board: description,
    image: buildProgram({
      files: { 'main.c': WORK + (coreOf(description).architecture.startsWith('v8') ? V8 : V7) + main },
      flashStart: 0x0800_0000,
      ramBytes: 0x1_0000,
      cpu: cpuFlags(description),
    }),
    engine: new WasmCpu(coreOf(description), hotPasses),
  });
  const result = machine.run({ maxCycles: 1e7 });
  machine.close();
  return { result, translated: passes.mock.results.filter(({ value }) => value !== null).length };
}

describe.skipIf(!hasCompiler).each(['nucleo-l4r5zi', 'disco-f746ng', 'nucleo-u575zi-q'])(
  'protection on %s (needs arm-none-eabi-gcc)',
  (board) => {
    afterEach(() => vi.restoreAllMocks());

    it('is translated, with the counters of the interpreter', () => {
      const main = 'int main(void) { protect(); work(); for (;;) __asm volatile("wfi"); }';
      const fast = run(board, main);
      vi.restoreAllMocks();
      const slow = run(board, main, Infinity);
      expect(fast.translated).toBeGreaterThan(0);
      expect(slow.translated).toBe(0);
      expect(fast.result).toEqual(slow.result);
      expect(fast.result.stop).toBe('idle');
    });

    it('still refuses what lies elsewhere', () => {
      const { result } = run(board, 'int main(void) { protect(); work(); REG(0x60000000) = 1; for (;;) { } }');
      expect(result.fault?.cause).toMatch(/0x60000000/);
    });

    it('leaves code to the interpreter once a part of the RAM is read only, and for code without privilege', () => {
      const narrowed = run(
        board,
        'int main(void) { protect(); narrow(); work(); REG(0x20010000) = sum; for (;;) { } }',
      );
      expect(narrowed.translated).toBe(0);
      expect(narrowed.result.fault?.cause).toMatch(/0x20010000/);
      const dropped = run(
        board,
        'int main(void) { protect(); work(); __asm volatile("msr control, %0; isb" : : "r"(1)); work(); for (;;) { } }',
      );
      expect(dropped.result.fault).not.toBeNull();
    });

    it('asks for LDRT and STRT as for code without privilege, in hot code, too', () => {
      const { result } = run(
        board,
        `int main(void) {
          for (uint32_t i = 0, x; i < 5000; i++) {
            if (i == 4000) protect();
            __asm volatile("ldrt %0, [%1]" : "=r"(x) : "r"(&sum)); sum = x + 1;
          }
          for (;;) __asm volatile("wfi");
        }`,
      );
      expect(result.fault).not.toBeNull();
    });
  },
);
