/* Armv6-M: system registers, exceptions by priority, and everything that ends in HardFault. Runs on QEMU's microbit too, whose Cortex-M0
 * knows IT and CBZ, against the architecture: those are left to the table of encodings. */
#include "note.h"

#define ISER REG(0xE000E100)
#define ISPR REG(0xE000E200)
#define ICPR REG(0xE000E280)
#define IPR(word) REG(0xE000E400 + 4 * (word))
#define ICSR REG(0xE000ED04)
#define SHPR2 REG(0xE000ED1C)
#define SHPR3 REG(0xE000ED20)
#define PENDSVSET (1u << 28)
#define NMIPENDSET (1u << 31)

static volatile uint32_t skip, ticks;

HANDLER(svc) { note("svc", ((const uint8_t *)frame[6])[-2], exc_return); note(" stacked", frame[0], frame[7]); frame[0] += 3; }
HANDLER(pendsv) { (void)frame; note("pendsv", ipsr(), exc_return); }
HANDLER(nmi) { (void)frame; note("nmi", ipsr(), exc_return); }
HANDLER(systick) { (void)frame; REG(0xE000E010) = 0; ticks++; note("systick", ipsr(), exc_return); }
HANDLER(irq0) { (void)frame; note("irq0", ICSR & 0x3f, exc_return); }
HANDLER(irq1) {
  (void)frame;
  note("irq1 in", ICSR & 0x3f, exc_return);
  ISPR = 1; BARRIER();
  ISPR = 4; BARRIER();
  note("irq1 out", ISPR, 0);
}
HANDLER(irq2) { (void)frame; note("irq2", ICSR & 0x3f, exc_return); }
HANDLER(hard) {
  note("hard", frame[6], exc_return);
  note(" stacked", frame[7], frame[5]);
  if ((frame[7] & 0x01000000) == 0) { frame[7] |= 0x01000000; frame[6] = frame[5] & ~1u; return; }
  frame[6] += skip;
}
static void unexpected(void) { note("unexpected", ipsr(), 0); finish(); }
__attribute__((noreturn)) void reset(void);

__attribute__((section(".vectors"), used)) static void *const vectors[48] = {
  __stack_top, reset, nmi, hard, unexpected, unexpected, unexpected, unexpected, unexpected, unexpected, unexpected, svc, unexpected,
  unexpected, pendsv, systick, irq0, irq1, irq2, unexpected, unexpected,
};

/* An instruction of so many bytes that faults. */
#define FAULTS(what, bytes, text, value) \
  do { skip = (bytes); note(what, 0, 0); __asm volatile(".syntax unified\n" text : : "l"(value) : "r2", "memory"); } while (0)

static void registers(void)
{
  note("cpuid ccr", REG(0xE000ED00), REG(0xE000ED14));
  REG(0xE000ED14) = 0xffffffff; REG(0xE000ED0C) = 0x05fa0700;
  note("ccr aircr", REG(0xE000ED14), REG(0xE000ED0C));
  SHPR2 = 0xffffffff; SHPR3 = 0xffffffff; IPR(0) = 0xffffffff; IPR(7) = 0x12345678;
  note("shpr2 shpr3", SHPR2, SHPR3 & 0xffff0000); /* QEMU 7.2 shows the priority of a DebugMonitor that v6-M has not */
  note("ipr0 ipr7", IPR(0), IPR(7));
  REG(0xE000ED18) = 0xffffffff;
  note("shpr1 shcsr", REG(0xE000ED18), REG(0xE000ED24)); /* not SCR: QEMU 7.2 has none on v6-M */
  SHPR2 = 0; SHPR3 = 0; IPR(0) = 0; IPR(7) = 0;
  ISER = 0xffffffff; note("iser", ISER, REG(0xE000E104)); REG(0xE000E180) = 0xffffffff;
}

void reset(void)
{
  uint32_t value, other;
  ticks = 0;
  registers();
  { register uint32_t r0 __asm("r0") = 7; __asm volatile("svc #9" : "+r"(r0) : : "memory"); note("svc result", r0, 0); }
  __asm volatile("sub sp, #4\n movs r0, #5\n svc #2\n add sp, #4" : : : "r0", "memory");
  ICSR = PENDSVSET; BARRIER();
  __asm volatile("cpsid i"); ICSR = PENDSVSET; BARRIER();
  note("masked", ICSR & PENDSVSET, 0);
  __asm volatile("cpsie i\n isb");
  ICSR = NMIPENDSET; BARRIER();
  REG(0xE000E014) = 100; REG(0xE000E018) = 0; REG(0xE000E010) = 7; while (ticks == 0) { }
  /* Two bits of priority: 0x00 0x40 0x80 0xc0; 0x7f is 0x40. */
  IPR(0) = 0x00c07f00; ISER = 7;
  note("ipr0", IPR(0), 0);
  ISPR = 2; BARRIER();
  __asm volatile("cpsid i"); ISPR = 7; BARRIER(); __asm volatile("cpsie i\n isb");
  SHPR2 = 0xc0000000; { register uint32_t r0 __asm("r0") = 1; __asm volatile("svc #1" : "+r"(r0) : : "memory"); note("svc at 0xc0", r0, SHPR2); }
  /* SVC that may not be taken is a HardFault, of the instruction behind it. */
  skip = 0; __asm volatile("cpsid i\n svc #3\n cpsie i" : : : "r0", "memory");

  FAULTS("udf", 2, "udf #0", 0);
  FAULTS("movw", 4, ".inst.n 0xf240, 0x0201", 0);
  FAULTS("sdiv", 4, ".inst.n 0xfb92, 0xf2f2", 0);
  FAULTS("ldrex", 4, ".inst.n 0xe852, 0x2f00", 0);
  FAULTS("vadd", 4, ".inst.n 0xee30, 0x0a00", 0);
  FAULTS("unaligned word", 2, "ldr r2, [%0]", (uint32_t)&skip + 2);
  FAULTS("unaligned word 1", 2, "str r2, [%0]", (uint32_t)&skip + 1);
  FAULTS("unaligned half", 2, "ldrh r2, [%0]", (uint32_t)&skip + 1);
  FAULTS("unaligned multiple", 2, "ldmia %0!, {r2}", (uint32_t)&skip + 2);
  FAULTS("no memory", 2, "ldr r2, [%0]", 0x30000000);
  skip = 2;
  __asm volatile("adr r0, 1f\n blx r0\n .balign 4\n 1: nop" : : : "r0", "lr");
  /* Masks that do not exist. */
  __asm volatile(".syntax unified\n movs r2, #1\n msr primask, r2\n mrs %0, primask\n movs r2, #0\n msr primask, r2" : "=l"(value) : : "r2");
  note("primask", value, 0);
  {
    static uint32_t stack[64] __attribute__((aligned(8)));
    __asm volatile(".syntax unified\n msr psp, %2\n movs r0, #2\n msr control, r0\n isb\n movs r0, #1\n svc #6\n mrs %0, control\n mov %1, sp\n"
                   "movs r0, #0\n msr control, r0\n isb" : "=&l"(value), "=&l"(other) : "l"(stack + 64) : "r0", "memory");
    note("control on the process stack", value, other - (uint32_t)stack);
  }
  finish();
}
