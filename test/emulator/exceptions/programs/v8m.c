/* Armv8-M Mainline: acquire and release, TT, stack limits, frames and faults. QEMU's core runs it in its Secure state: what only the Security
 * extension has is masked out of EXC_RETURN (bits 6 and 0), of the stacked xPSR (SFPA) and of TT's answer. */
#include "note.h"

#define CCR REG(0xE000ED14)
#define CFSR REG(0xE000ED28)
#define HFSR REG(0xE000ED2C)
#define FPCCR REG(0xE000EF34)
#define SHOWN(exc_return) ((exc_return) & ~0x41u)
#define SFPA (1u << 20)
#define TT_BITS 0x000fffffu

static volatile uint32_t skip;
static uint32_t stack[256] __attribute__((aligned(8)));

HANDLER(svc) { note("svc", ((const uint8_t *)frame[6])[-2], SHOWN(exc_return)); note(" stacked", frame[0], frame[7] & ~SFPA); frame[0] += 3; }
HANDLER(pendsv) { (void)frame; note("pendsv", ipsr(), SHOWN(exc_return)); }
HANDLER(usage) {
  uint32_t msp, psp;
  CCR = 0; BARRIER(); /* GCC's own code has unaligned accesses */
  __asm volatile("mrs %0, msp\n mrs %1, psp" : "=r"(msp), "=r"(psp));
  note("usage", CFSR, SHOWN(exc_return));
  note(" psp, left of the limit", psp - (uint32_t)stack, 0);
  CFSR = CFSR;
  if (skip == 0) { /* a frame that was never stored: a new one, to the end of main */
    extern void resume(void);
    __asm volatile("msr psplim, %0\n msr psp, %1" : : "r"(0), "r"(stack + 248));
    stack[248 + 6] = (uint32_t)resume & ~1u; stack[248 + 7] = 0x01000000;
    return;
  }
  frame[6] += skip;
}
HANDLER(hard) { note("hard", HFSR, CFSR); HFSR = HFSR; CFSR = CFSR; frame[6] += skip; (void)exc_return; }
HANDLER(bus) { __asm volatile("movs r0, #0\n msr control, r0" : : : "r0"); note("bus", CFSR, REG(0xE000ED38)); CFSR = CFSR; frame[6] += skip; (void)exc_return; }
static void unexpected(void) { note("unexpected", ipsr(), CFSR); finish(); }
__attribute__((noreturn)) void reset(void);

__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
  __stack_top, reset, unexpected, hard, unexpected, bus, usage, unexpected, unexpected, unexpected, unexpected, svc, unexpected, unexpected, pendsv, unexpected,
};

static void acquire_release(void) {
  static volatile uint32_t words[4];
  uint32_t a, b;
  words[0] = 0x87654321; words[1] = 0;
  __asm volatile("lda %0, [%2]\n ldab %1, [%2]" : "=&r"(a), "=&r"(b) : "r"(words) : "memory"); note("lda ldab", a, b);
  __asm volatile("ldah %0, [%2]\n stl %0, [%3]\n ldr %1, [%3]" : "=&r"(a), "=&r"(b) : "r"(words), "r"(words + 1) : "memory"); note("ldah stl", a, b);
  words[2] = words[3] = 0;
  __asm volatile("stlb %2, [%0]\n stlh %2, [%1]" : : "r"(words + 2), "r"(words + 3), "r"(0x1234abcd) : "memory"); note("stlb stlh", words[2], words[3]);
  __asm volatile("ldaex %0, [%2]\n stlex %1, %3, [%2]" : "=&r"(a), "=&r"(b) : "r"(words), "r"(5) : "memory"); note("ldaex stlex", a, b);
  __asm volatile("stlex %1, %3, [%2]\n mov %0, #0" : "=&r"(a), "=&r"(b) : "r"(words), "r"(6) : "memory"); note("stlex alone", words[0], b);
  __asm volatile("ldaexb %0, [%2]\n stlexb %1, %3, [%2]" : "=&r"(a), "=&r"(b) : "r"(words), "r"(0x77) : "memory"); note("ldaexb stlexb", words[0], b);
  __asm volatile("ldaexh %0, [%2]\n clrex\n stlexh %1, %3, [%2]" : "=&r"(a), "=&r"(b) : "r"(words), "r"(9) : "memory"); note("ldaexh stlexh", words[0], b);
  skip = 4;
  __asm volatile("mov r2, %0\n lda r3, [r2]" : : "r"((uint32_t)words + 2) : "r2", "r3", "memory");
  __asm volatile("mov r2, %0\n stlh r3, [r2]" : : "r"((uint32_t)words + 1) : "r2", "r3", "memory");
  __asm volatile("mov r2, %0\n ldr r3, [r2, #0]" : "=r"(a) : "0"((uint32_t)words + 1) : "r2", "r3", "memory"); note("unaligned ldr", 0, 0);
  __asm volatile("tt %0, %2\n ttt %1, %2" : "=&r"(a), "=&r"(b) : "r"(stack)); note("tt", a & TT_BITS, b & TT_BITS);
}

/* CCR's traps, and the system control space without privilege; the handlers take all of that back. */
static void traps(void) {
  CCR = 0x10; BARRIER(); note("ccr", CCR, 0);
  __asm volatile("mov r1, #0\n isb\n sdiv r2, r1, r1" : : : "r1", "r2");
  CCR = 0x8; BARRIER();
  __asm volatile("mov r1, %0\n ldrh.w r2, [r1]" : : "r"((uint32_t)stack + 1) : "r1", "r2");
  CCR = 0x2; BARRIER();
  __asm volatile("mov r0, #1\n msr control, r0\n isb\n ldr r1, =0xE000EF00\n mov r2, #1\n str.w r2, [r1]\n ldr r1, =0xE000E200\n ldr.w r2, [r1]" : : : "r0", "r1", "r2", "memory");
  note("stir without privilege", REG(0xE000E200), 0); REG(0xE000E280) = 2;
  CCR = 0; BARRIER();
}

/* On the process stack with 512 bytes above its limit; `bytes` of them are left when the text runs. */
#define ON_PROCESS_STACK(what, bytes, size, text) \
  do { \
    uint32_t sp; \
    skip = (size); note(what, bytes, 0); \
    __asm volatile("msr psp, %1\n msr psplim, %2\n mov r0, #2\n msr control, r0\n isb\n mov r0, %3\n mov r1, %2\n" text "\n mov %0, sp\n" \
                   "mov r1, #0\n msr control, r1\n isb\n msr psplim, r1" \
                   : "=&r"(sp) : "r"((uint32_t)stack + 512 + (bytes)), "r"((uint32_t)stack + 512), "r"((uint32_t)stack) : "r0", "r1", "r4", "r5", "memory"); \
    note(" sp", sp - (uint32_t)stack, 0); \
  } while (0)

static void limits(void) {
  uint32_t a, b;
  __asm volatile("msr msplim, %2\n mrs %0, msplim\n msr psplim, %2\n mrs %1, psplim\n mov r2, #0\n msr msplim, r2\n msr psplim, r2" : "=&r"(a), "=&r"(b) : "r"(0x1234567) : "r2");
  note("msplim psplim", a, b);
  ON_PROCESS_STACK("sub", 52, 4, "subw sp, sp, #0x300");
  ON_PROCESS_STACK("sub 16", 52, 2, "sub sp, #64");
  ON_PROCESS_STACK("sub fits", 52, 2, "sub sp, #52");
  ON_PROCESS_STACK("add register", 52, 4, "mvn r4, #255\n add.w sp, sp, r4");
  ON_PROCESS_STACK("mov", 52, 2, "mov sp, r0");
  ON_PROCESS_STACK("push", 52, 4, "push {r0-r12, lr}");
  ON_PROCESS_STACK("push 16", 32, 2, "push {r0-r7, lr}");
  ON_PROCESS_STACK("push fits", 52, 4, "push {r0-r12}");
  ON_PROCESS_STACK("stmdb", 52, 4, "stmdb sp!, {r0-r12, lr}");
  ON_PROCESS_STACK("str", 52, 4, "str r0, [sp, #-200]!");
  ON_PROCESS_STACK("str after", 52, 4, "str r0, [sp], #-200");
  ON_PROCESS_STACK("strd", 52, 4, "strd r0, r1, [sp, #-400]!");
  ON_PROCESS_STACK("ldr", 52, 4, "ldr r4, [sp, #-200]!");
  ON_PROCESS_STACK("pop", 52, 4, "pop {r4, r5}");
  FPCCR = 0;
  ON_PROCESS_STACK("vpush", 52, 4, "vpush {d0-d7}");
  ON_PROCESS_STACK("vpush fits", 52, 4, "vpush {d0-d3}");
  FPCCR = 0xc0000000;
}

void reset(void)
{
  REG(0xE000ED88) |= 0xf00000;
  skip = 4;
  note("cpuid ccr", REG(0xE000ED00), REG(0xE000ED14));
  REG(0xE000ED14) = 0; note("ccr", REG(0xE000ED14), 0);
  REG(0xE000ED24) |= 7u << 16;
  { register uint32_t r0 __asm("r0") = 7; __asm volatile("svc #9" : "+r"(r0) : : "memory"); note("svc result", r0, 0); }
  __asm volatile("sub sp, #4\n movs r0, #5\n svc #2\n add sp, #4" : : : "r0", "memory");
  REG(0xE000ED04) = 1u << 28; BARRIER();
  __asm volatile("udf.w #0");
  { uint32_t value; __asm volatile("mov r1, #0x70000000\n ldr.w %0, [r1]" : "=r"(value) : : "r1"); }
  __asm volatile("vmov.f32 s0, #2.0\n mov r0, #1\n svc #4" : : : "s0", "r0", "memory");
  traps();
  acquire_release();
  limits();
  /* Frames that do not fit: SVC's, then that of the fault of a loop of pushes. */
  skip = 0; note("svc without room", 0, 0);
  __asm volatile("msr psp, %0\n msr psplim, %1\n mov r0, #2\n msr control, r0\n isb\n svc #5\n .global resume\n .thumb_func\n resume: nop\n mov r0, #0\n msr control, r0\n isb"
                 : : "r"((uint32_t)stack + 512 + 16), "r"((uint32_t)stack + 512) : "r0", "r1", "r2", "r3", "r12", "lr", "memory");
  finish();
}
