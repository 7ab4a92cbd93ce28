/*
 * Executes short pieces of code one after the other, each with registers, flags, FPU and memory of its own, and records what they leave: two
 * engines that run this image with the same data must write the same results. A piece ends with SVC or with a fault. The data lie at DATA
 * (see qemu-batch.ts); the window of memory the pieces use at the start of RAM. DATA, RAM, PIECES_MAX and what the core has come with -D.
 */
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define WINDOW ((volatile uint32_t *)RAM)
#define WINDOW_WORDS 512
#define CPACR REG(0xE000ED88u)
#define SHCSR REG(0xE000ED24u)
#define CFSR REG(0xE000ED28u)
#define HFSR REG(0xE000ED2Cu)
#define CCR REG(0xE000ED14u)
#define XPSR_IGNORED 0x00100200u
/* Above and below the stack's top: what pieces can reach of it. */
#define STACK_REACH 512

/* As the host lays it out, in words. */
struct piece {
  uint32_t registers[13];
  uint32_t flags;
  uint32_t seed;
  uint32_t code;
#ifdef HAS_FPU
  uint32_t fpscr;
  uint32_t singles[32];
#endif
};

struct data {
  uint32_t count;
  uint32_t verbose; /* number of the piece whose state is written in full, or all ones */
  uint32_t pieces[];
};

/* What a piece leaves; the window as a hash. */
struct state {
  uint32_t registers[13];
  uint32_t lr, pc, xpsr, exception, fault_status, hard_fault_status, sp, fpscr, window;
#ifdef HAS_FPU
  uint32_t singles[32];
#endif
};

extern uint32_t stack_top[];
static const struct data *const data = (const struct data *)DATA;
static uint32_t current;
static uint32_t results[PIECES_MAX];
static struct state state, verbose_state;
/* For the handler in assembly. */
uint32_t kept_singles[33];
uint32_t kept_return;

static int semihosting(int operation, const void *parameter) {
  register int r0 __asm("r0") = operation;
  register const void *r1 __asm("r1") = parameter;
  __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

static void leave(void) {
  static const char name[] = ":tt";
  const uint32_t open[3] = {(uint32_t)name, 4, 3};
  const int file = semihosting(1, open);
  const uint32_t write_results[3] = {(uint32_t)file, (uint32_t)results, data->count * 4};
  semihosting(5, write_results);
  if (data->verbose < data->count) {
    const uint32_t write_state[3] = {(uint32_t)file, (uint32_t)&verbose_state, sizeof verbose_state};
    semihosting(5, write_state);
  }
  semihosting(0x18, (const void *)0x20026);
  for (;;) { }
}

static uint32_t mix(uint32_t hash, const uint32_t *words, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    hash = (hash ^ words[i]) * 16777619u;
    hash ^= hash >> 15;
  }
  return hash;
}

void start_piece(const struct piece *piece);

__attribute__((used, noreturn)) void next_piece(void) {
  if (current == data->count) leave();
  const struct piece *const piece = (const struct piece *)data->pieces[current];
  uint32_t word = piece->seed | 1u;
  for (uint32_t i = 0; i < WINDOW_WORDS; i++) {
    word ^= word << 13;
    word ^= word >> 17;
    word ^= word << 5;
    WINDOW[i] = word;
  }
  start_piece(piece);
  __builtin_unreachable();
}

/* frame: as the core stacked it; high: r8..r11, then r4..r7. Goes on behind the exception with the next piece. */
__attribute__((used)) void end_piece(uint32_t *frame, const uint32_t *high) {
  const struct piece *const piece = (const struct piece *)data->pieces[current];
  uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  for (uint32_t i = 0; i < 4; i++) {
    state.registers[i] = frame[i];
    state.registers[4 + i] = high[4 + i];
    state.registers[8 + i] = high[i];
  }
  state.registers[12] = frame[4];
  state.lr = frame[5];
  state.pc = frame[6] - (piece->code & ~1u);
  state.xpsr = frame[7] & ~XPSR_IGNORED; /* not whether the stack had to be aligned, and see secureFloatingPoint in masks.ts */
  state.exception = exception;
  state.sp = (uint32_t)frame;
  __asm volatile("cpsie i" ::: "memory");
#ifdef HAS_FAULT_STATUS
  __asm volatile("msr basepri, %0" : : "r"(0) : "memory");
  state.fault_status = CFSR;
  state.hard_fault_status = HFSR;
  CFSR = 0xFFFFFFFFu;
  HFSR = 0xFFFFFFFFu;
#endif
#ifdef HAS_FPU
  for (uint32_t i = 0; i < 32; i++) state.singles[i] = kept_singles[i];
  state.fpscr = kept_singles[32];
#endif
  state.window = mix(1, (const uint32_t *)WINDOW, WINDOW_WORDS);
  results[current] = mix(2166136261u, (const uint32_t *)&state, sizeof state / 4);
  if (current == data->verbose)
    for (uint32_t i = 0; i < sizeof state / 4; i++) ((volatile uint32_t *)&verbose_state)[i] = ((const uint32_t *)&state)[i];
  current++;
  frame[6] = (uint32_t)next_piece & ~1u;
  frame[7] = 0x01000000u;
}

__attribute__((naked, used)) void trap(void) {
  __asm volatile(
#ifdef HAS_FPU
      "ldr r0, =kept_singles\n"
      "vstmia r0!, {s0-s31}\n"
      "vmrs r1, fpscr\n"
      "str r1, [r0]\n"
#endif
      "mov r0, sp\n"
      "push {r4-r7}\n"
      "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n"
      "push {r4-r7}\n"
      "mov r1, sp\n"
      "ldr r2, =kept_return\n" /* not on the stack, where the next piece may look */
      "mov r3, lr\n"
      "str r3, [r2]\n"
      "bl end_piece\n"
      "ldr r2, =kept_return\n"
      "ldr r2, [r2]\n"
      "add sp, #32\n"
      "bx r2\n"
      ".ltorg\n");
}

/* The stack is emptied; lr is all ones. The piece begins with all its registers in place. */
__attribute__((naked, used)) void start_piece(const struct piece *piece) {
  (void)piece;
  __asm volatile(
      "ldr r1, =stack_top\n"
      "mov sp, r1\n"
#ifdef HAS_FPU
      "mov r1, r0\n"
      "adds r1, #68\n"
      "vldmia r1, {s0-s31}\n"
      "ldr r1, [r0, #64]\n"
      "vmsr fpscr, r1\n"
#endif
#ifdef HAS_FAULT_STATUS
      "clrex\n"
#endif
      "sub sp, #40\n"
      "ldr r1, [r0, #60]\n"
      "str r1, [sp, #32]\n" /* pc */
      "mov r2, sp\n"
      "ldmia r0!, {r4-r7}\n stmia r2!, {r4-r7}\n"
      "ldmia r0!, {r4-r7}\n stmia r2!, {r4-r7}\n"
      "ldmia r0!, {r3-r7}\n mov r8, r3\n mov r9, r4\n mov r10, r5\n mov r11, r6\n mov r12, r7\n"
      "movs r2, #0\n mvns r2, r2\n mov lr, r2\n"
      "ldr r1, [r0]\n"
#ifdef HAS_DSP
      "msr APSR_nzcvqg, r1\n"
#else
      "msr APSR_nzcvq, r1\n"
#endif
      "pop {r0-r7, pc}\n"
      ".ltorg\n");
}

__attribute__((used, noreturn)) void reset(void) {
#ifdef HAS_FPU
  CPACR |= 0xF00000u;
  __asm volatile("dsb\n isb");
#endif
#ifdef HAS_FAULT_STATUS
  SHCSR |= 7u << 16;
#endif
#ifdef HAS_UNALIGNED_TRAP
  CCR |= 8u;
#endif
  for (int32_t i = -STACK_REACH; i < STACK_REACH; i++) ((volatile uint32_t *)stack_top)[i] = (uint32_t)i;
  current = 0;
  next_piece();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, reset, trap, trap, trap, trap, trap, 0, 0, 0, 0, trap, trap, 0, trap, trap};
