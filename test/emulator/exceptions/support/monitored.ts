/** Runs a C program with a handler for DebugMonitor; what both PUT comes back as numbers. */
import { loadBoard } from '../../../../boards/load.ts';
import { simulate, type SimReport } from '../../../../emulator/sim.ts';
import { buildProgram } from '../../support/assemble.ts';

export interface Monitored {
  /** Statements of main() and of the handler, where `frame` is the exception's. */
  readonly main: string;
  readonly handler: string;
  /** In front of both. */
  readonly declarations?: string;
  /** Default core-m4. */
  readonly board?: string;
}

export interface MonitoredRun {
  readonly report: SimReport;
  readonly seen: readonly number[];
  readonly notes: readonly string[];
}

const source = ({ main, handler, declarations = '' }: Monitored): string => `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define DEMCR REG(0xE000EDFC)
#define DFSR REG(0xE000ED30)
#define VTOR REG(0xE000ED08)
#define BYTE(address) (*(volatile uint8_t *)(address))
#define PUT(word) (*out++ = (word))
static volatile uint32_t seen[16], *volatile out = seen;
static volatile uint32_t table[16] __attribute__((aligned(128)));
${declarations}
static void semihost(uint32_t operation, const void *parameter) {
  register uint32_t r0 __asm("r0") = operation;
  register const void *r1 __asm("r1") = parameter;
  __asm volatile("bkpt #0xab" : "+r"(r0) : "r"(r1) : "memory");
}
__attribute__((naked)) static void monitor(void) { __asm volatile("mrs r0, msp\\n push {r1, lr}\\n bl body\\n pop {r1, pc}"); }
__attribute__((used)) void body(uint32_t *frame) { (void)frame; ${handler} }
int main(void) {
  table[12] = (uint32_t)monitor;
  VTOR = (uint32_t)table;
  ${main}
  for (volatile uint32_t *at = seen; at < out; at++) {
    char text[10];
    for (int digit = 0; digit < 8; digit++) text[digit] = "0123456789abcdef"[(*at >> (28 - 4 * digit)) & 15];
    text[8] = '\\n'; text[9] = 0;
    semihost(4, text);
  }
  semihost(0x18, (void *)0x20026);
  for (;;) { }
}`;

export function runMonitored(program: Monitored): MonitoredRun {
  let text = '';
  const notes: string[] = [];
  const report = simulate({
    board: loadBoard(program.board ?? 'core-m4'),
    firmware: buildProgram({ files: { 'main.c': source(program) } }),
    firmwareName: 'monitor.elf',
    engine: 'wasm',
    maxCycles: 1e6,
    onConsole: (bytes) => (text += new TextDecoder().decode(bytes)),
    onNote: (note) => notes.push(note),
  });
  const lines = text.split('\n').slice(0, -1);
  return { report, notes, seen: lines.map((line) => Number.parseInt(line, 16)) };
}
