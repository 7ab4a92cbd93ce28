/* A small preemptive kernel for Armv7-M with an FPU: priorities, time slices, sleep, mutexes with priority inheritance. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#define KERNEL_TASKS_MAX 12

struct mutex;

enum task_state { TASK_READY, TASK_SLEEPING, TASK_BLOCKED };

struct task {
  uint32_t *sp; /* where its registers lie while it does not run; offset 0: the switch in assembly knows it */
  const char *name;
  uint8_t priority; /* larger runs first; raised while it holds a mutex someone more urgent waits for */
  uint8_t own_priority;
  enum task_state state;
  uint32_t wake_tick;
  struct mutex *waits_for;
  uint32_t switches_in;
};

struct mutex {
  struct task *owner;
};

/* Before kernel_start. The stack is in words, its top 8-byte aligned. */
struct task *task_create(const char *name, void (*entry)(void), uint8_t priority, uint32_t *stack, unsigned words);

/* Never returns. tick_cycles: SysTick period. */
void kernel_start(uint32_t tick_cycles);

/* Of tasks only. */
void task_yield(void);
void task_sleep(uint32_t ticks);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

uint32_t kernel_ticks(void);
uint32_t kernel_switches(void);

/* Called with interrupts masked at every switch to another task; the application supplies it. */
void kernel_on_switch(const struct task *to);

#endif
