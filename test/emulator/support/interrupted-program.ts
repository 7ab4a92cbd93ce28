/** A program whose main loop is interrupted by SysTick: for whoever steps, goes back, records or profiles. */
import { buildProgram, hasCompiler } from './assemble.ts';

/** Prints a letter by semihosting every few turns; ends by SYS_EXIT after `turns`. */
export const interruptedSource = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
volatile uint32_t ticks, turns, sum, last_tick, trail[16];

static int semihosting(int operation, void *argument) {
  register int r0 __asm("r0") = operation;
  register void *r1 __asm("r1") = argument;
  __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}
__attribute__((noinline)) void note(uint32_t turn) {
  trail[turn & 15] = ticks * 1000 + turn;
  sum += turn;
}
void tick(void) {
  ticks++;
  last_tick = turns;
}
extern void reset(void);
__attribute__((aligned(128))) void *const vectors[16] = {[0] = (void *)0x20040000, [1] = (void *)reset, [15] = (void *)tick};

int main(void) {
  REG(0xe000ed08) = (uint32_t)vectors;
  REG(0xe000e014) = 96;
  REG(0xe000e018) = 0;
  REG(0xe000e010) = 7;
  for (turns = 0; turns < 400; turns++) {
    note(turns);
    if (turns % 50 == 0) {
      char letter = (char)('a' + turns / 50);
      semihosting(3, &letter);
    }
    if (turns % 100 == 99) __asm volatile("wfi");
  }
  semihosting(0x18, (void *)0x20026);
  return 0;
}
`;

export const interruptedElf = hasCompiler
  ? buildProgram({ files: { 'interrupted.c': interruptedSource }, flags: ['-g', '-O1'] })
  : new Uint8Array();
