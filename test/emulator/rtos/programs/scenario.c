/*
 * Tasks whose order of running follows from priorities, mutexes and counted ticks alone, never from how long an instruction takes: the same
 * on every core that runs them. Ends after SWITCHES context switches and prints what happened.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel.h"

#ifndef SWITCHES
#define SWITCHES 20000
#endif
#define TICK_CYCLES 200000
#define YIELDS_PER_TICK 40
#define HEAD 160

static char head[HEAD + 1];
static uint32_t order_digest = 2166136261u;
static uint32_t corrupted;
static uint32_t inherited, ran_between;
static struct mutex shared;
static struct task *low_task;

void kernel_on_switch(const struct task *to) {
  const uint32_t number = kernel_switches();
  if (number <= HEAD) head[number - 1] = to->name[0];
  order_digest = (order_digest ^ (uint32_t)to->name[0]) * 16777619u;
}

/* Fills the FPU's registers, yields, and looks at all of them. */
static void check_fpu(uint32_t seed) {
  uint32_t before[32], after[32];
  for (unsigned i = 0; i < 32; i++) before[i] = seed * 2654435761u + i * 40503u;
  __asm volatile(
      "vldmia %0, {s0-s31}\n svc #1\n vstmia %1, {s0-s31}\n"
      :
      : "r"(before), "r"(after)
      : "memory", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16",
        "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28", "s29", "s30", "s31");
  for (unsigned i = 0; i < 32; i++) corrupted += before[i] != after[i];
}

/* Integer registers across a yield. */
static void check_registers(uint32_t seed) {
  uint32_t differs;
  __asm volatile(
      "mov r4, %1\n add r5, r4, #1\n add r6, r4, #2\n add r8, r4, #3\n add r9, r4, #4\n add r10, r4, #5\n add r11, r4, #6\n"
      "svc #1\n"
      "sub r5, r4\n sub r6, r4\n sub r8, r4\n sub r9, r4\n sub r10, r4\n sub r11, r4\n"
      "add r5, r6\n add r5, r8\n add r5, r9\n add r5, r10\n add r5, r11\n sub r4, %1\n add r5, r4\n sub %0, r5, #21\n"
      : "=r"(differs)
      : "r"(seed)
      : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory");
  corrupted += differs != 0;
}

static void float_task(void) {
  for (uint32_t round = 0;; round++) {
    for (unsigned i = 0; i < YIELDS_PER_TICK; i++) check_fpu(round + i);
    task_sleep(1);
  }
}
static void integer_task(void) {
  for (uint32_t round = 0;; round++) {
    for (unsigned i = 0; i < YIELDS_PER_TICK; i++) check_registers(round * 7u + i);
    task_sleep(1);
  }
}

/* Takes the mutex and keeps it beyond the next tick: the urgent task, which wants it then, lends its priority. */
static void low_priority(void) {
  for (;;) {
    mutex_lock(&shared);
    const uint32_t tick = kernel_ticks();
    while (kernel_ticks() == tick) { }
    inherited += low_task->priority != low_task->own_priority;
    mutex_unlock(&shared);
    task_sleep(4);
  }
}
static volatile bool urgent_waits;
static void medium_priority(void) {
  for (;;) {
    ran_between += urgent_waits;
    task_sleep(1);
  }
}
static void urgent(void) {
  for (;;) {
    urgent_waits = true;
    mutex_lock(&shared);
    urgent_waits = false;
    mutex_unlock(&shared);
    task_sleep(1);
  }
}

/* Never gives the core away: shares it with its equal by time slices. */
static void hog(void) { for (;;) { } }

static void director(void) {
  while (kernel_switches() < SWITCHES) task_sleep(1);
  printf("%s\n", head);
  printf("order %08x after %u switches, %u ticks\n", (unsigned)order_digest, (unsigned)kernel_switches(), (unsigned)kernel_ticks());
  printf("corrupted %u, inherited %u, ran between %u\n", (unsigned)corrupted, (unsigned)inherited, (unsigned)ran_between);
  exit(corrupted != 0);
}

int main(void) {
  static uint32_t stacks[10][256] __attribute__((aligned(8)));
  static uint32_t director_stack[1024] __attribute__((aligned(8)));
  unsigned next = 0;
  setvbuf(stdout, 0, _IONBF, 0);
  task_create("Director", director, 9, director_stack, 1024);
  task_create("Urgent", urgent, 8, stacks[next++], 256);
  task_create("Medium", medium_priority, 6, stacks[next++], 256);
  task_create("float a", float_task, 5, stacks[next++], 256);
  task_create("integer a", integer_task, 5, stacks[next++], 256);
  task_create("Float b", float_task, 5, stacks[next++], 256);
  task_create("Integer b", integer_task, 5, stacks[next++], 256);
  low_task = task_create("low", low_priority, 4, stacks[next++], 256);
#ifdef HOGS
  task_create("x", hog, 2, stacks[next++], 256);
  task_create("y", hog, 2, stacks[next++], 256);
#else
  (void)hog;
#endif
  kernel_start(TICK_CYCLES);
}
