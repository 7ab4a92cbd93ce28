/* System calls come in by SVC, time by SysTick; both only decide and pend PendSV, which has the lowest priority and switches. */
#include "kernel.h"

#define REG(address) (*(volatile uint32_t *)(address))
#define SYST_CSR REG(0xE000E010)
#define SYST_RVR REG(0xE000E014)
#define SYST_CVR REG(0xE000E018)
#define ICSR REG(0xE000ED04)
#define VTOR REG(0xE000ED08)
#define SHPR2 REG(0xE000ED1C)
#define SHPR3 REG(0xE000ED20)
#define PENDSVSET (1u << 28)
#define XPSR_THUMB (1u << 24)
#define EXC_RETURN_THREAD_PSP 0xFFFFFFFDu
#define LOWEST 0xF0u
#define SYSCALL_PRIORITY 0xC0u

enum { CALL_YIELD = 1, CALL_SLEEP, CALL_LOCK, CALL_UNLOCK };

static struct task tasks[KERNEL_TASKS_MAX];
static unsigned task_count;
static struct task *volatile running;
static volatile uint32_t ticks, switches;
static unsigned last_index; /* round robin starts behind the task that ran */

static void task_returned(void) { for (;;) task_sleep(1000000); }

struct task *task_create(const char *name, void (*entry)(void), uint8_t priority, uint32_t *stack, unsigned words) {
  struct task *const task = &tasks[task_count++];
  uint32_t *sp = stack + words;
  *--sp = XPSR_THUMB;
  *--sp = (uint32_t)entry & ~1u;
  *--sp = (uint32_t)task_returned;
  for (unsigned i = 0; i < 5; i++) *--sp = 0; /* r12, r3..r0 */
  *--sp = EXC_RETURN_THREAD_PSP;
  for (unsigned i = 0; i < 8; i++) *--sp = 0; /* r11..r4 */
  *task = (struct task){.sp = sp, .name = name, .priority = priority, .own_priority = priority, .state = TASK_READY};
  return task;
}

/* The most urgent ready task; among equals the next one behind the one that ran. The idle task is always ready. */
__attribute__((used)) static struct task *choose(void) {
  struct task *best = 0;
  unsigned best_index = 0;
  for (unsigned i = 1; i <= task_count; i++) {
    const unsigned index = (last_index + i) % task_count;
    struct task *const task = &tasks[index];
    if (task->state != TASK_READY || (best != 0 && task->priority <= best->priority)) continue;
    best = task;
    best_index = index;
  }
  last_index = best_index;
  if (best != running) {
    switches++;
    best->switches_in++;
    kernel_on_switch(best);
  }
  running = best;
  return best;
}

/* EXC_RETURN tells whether the task has an FPU context; its other half, s16 to s31, is saved here, which makes the core save the first. */
__attribute__((naked)) static void pend_sv(void) {
  __asm volatile(
      "mrs r0, psp\n"
      "isb\n"
      "tst lr, #0x10\n"
      "it eq\n"
      "vstmdbeq r0!, {s16-s31}\n"
      "stmdb r0!, {r4-r11, lr}\n"
      "ldr r1, =running\n"
      "ldr r1, [r1]\n"
      "str r0, [r1]\n"
      "movs r4, #0xC0\n"
      "msr basepri, r4\n"
      "bl choose\n"
      "movs r4, #0\n"
      "msr basepri, r4\n"
      "ldr r0, [r0]\n"
      "ldmia r0!, {r4-r11, lr}\n"
      "tst lr, #0x10\n"
      "it eq\n"
      "vldmiaeq r0!, {s16-s31}\n"
      "msr psp, r0\n"
      "isb\n"
      "bx lr\n"
      ".ltorg\n");
}

static void sys_tick(void) {
  ticks++;
  for (unsigned i = 0; i < task_count; i++)
    if (tasks[i].state == TASK_SLEEPING && tasks[i].wake_tick == ticks) tasks[i].state = TASK_READY;
  ICSR = PENDSVSET;
}

static void lock(struct mutex *mutex) {
  if (mutex->owner == 0) {
    mutex->owner = running;
    return;
  }
  running->state = TASK_BLOCKED;
  running->waits_for = mutex;
  if (mutex->owner->priority < running->priority) mutex->owner->priority = running->priority;
}

/* The mutex goes to the most urgent of those that wait, and its owner falls back to its own priority. */
static void unlock(struct mutex *mutex) {
  struct task *next = 0;
  for (unsigned i = 0; i < task_count; i++) {
    struct task *const task = &tasks[i];
    if (task->state == TASK_BLOCKED && task->waits_for == mutex && (next == 0 || task->priority > next->priority)) next = task;
  }
  mutex->owner->priority = mutex->owner->own_priority;
  mutex->owner = next;
  if (next == 0) return;
  next->state = TASK_READY;
  next->waits_for = 0;
}

__attribute__((used)) static void system_call(const uint32_t *frame) {
  const uint8_t number = ((const uint8_t *)frame[6])[-2];
  switch (number) {
    case CALL_SLEEP:
      running->state = TASK_SLEEPING;
      running->wake_tick = ticks + frame[0];
      break;
    case CALL_LOCK: lock((struct mutex *)frame[0]); break;
    case CALL_UNLOCK: unlock((struct mutex *)frame[0]); break;
    default: break;
  }
  ICSR = PENDSVSET;
}

__attribute__((naked)) static void sv_call(void) { __asm volatile("mrs r0, psp\n b system_call"); }

__attribute__((naked)) void task_yield(void) { __asm volatile("svc #1\n bx lr"); }
__attribute__((naked)) void task_sleep(uint32_t wait_ticks) { (void)wait_ticks; __asm volatile("svc #2\n bx lr"); }
__attribute__((naked)) void mutex_lock(struct mutex *mutex) { (void)mutex; __asm volatile("svc #3\n bx lr"); }
__attribute__((naked)) void mutex_unlock(struct mutex *mutex) { (void)mutex; __asm volatile("svc #4\n bx lr"); }

uint32_t kernel_ticks(void) { return ticks; }
uint32_t kernel_switches(void) { return switches; }

static void idle(void) { for (;;) __asm volatile("wfi"); }

/* Vectors are aligned to a power of two that holds them; 11: SVCall, 14: PendSV, 15: SysTick. */
static void (*const vectors[16])(void) __attribute__((aligned(128))) = {[11] = sv_call, [14] = pend_sv, [15] = sys_tick};

void kernel_start(uint32_t tick_cycles) {
  static uint32_t idle_stack[64] __attribute__((aligned(8)));
  static uint32_t start_stack[32] __attribute__((aligned(8)));
  static struct task start;
  task_create("idle", idle, 0, idle_stack, 64);
  VTOR = (uint32_t)vectors;
  SHPR2 = SYSCALL_PRIORITY << 24;
  SHPR3 = SYSCALL_PRIORITY << 24 | LOWEST << 16;
  running = &start; /* never chosen again */
  last_index = task_count - 1;
  SYST_RVR = tick_cycles - 1;
  SYST_CVR = 0;
  SYST_CSR = 7;
  __asm volatile(
      "msr psp, %0\n movs r0, #2\n msr control, r0\n isb\n str %1, [%2]\n dsb\n isb\n b .\n"
      :
      : "r"(start_stack + 32), "r"(PENDSVSET), "r"(0xE000ED04u)
      : "r0", "memory");
  __builtin_unreachable();
}
