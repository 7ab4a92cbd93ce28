/* Every kind of exception once, each leaving a line of what it saw: order, EXC_RETURN, stacked words, fault registers. Runs on QEMU too. */
#include <stdint.h>
#include <stdio.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))
#define ISER REG(0xE000E100)
#define ISPR REG(0xE000E200)
#define ICPR REG(0xE000E280)
#define IABR REG(0xE000E300)
#define PRIORITY(line) BYTE(0xE000E400 + (line))
#define SYST_CSR REG(0xE000E010)
#define SYST_RVR REG(0xE000E014)
#define SYST_CVR REG(0xE000E018)
#define ICSR REG(0xE000ED04)
#define VTOR REG(0xE000ED08)
#define AIRCR REG(0xE000ED0C)
#define CCR REG(0xE000ED14)
#define SHPR(number) BYTE(0xE000ED14 + (number))
#define SHCSR REG(0xE000ED24)
#define CFSR REG(0xE000ED28)
#define HFSR REG(0xE000ED2C)
#define BFAR REG(0xE000ED38)
#define FPCCR REG(0xE000EF34)
#define PENDSVSET (1u << 28)
#define NMIPENDSET (1u << 31)

static volatile unsigned ticks, faults;

/* Straight to semihosting (SYS_WRITE0): it works in handlers too. */
static void note(const char *what, uint32_t a, uint32_t b) {
  char text[100];
  snprintf(text, sizeof text, "%s %08x %08x\n", what, (unsigned)a, (unsigned)b);
  register uint32_t operation __asm("r0") = 4;
  register const char *parameter __asm("r1") = text;
  __asm volatile("bkpt #0xab" : "+r"(operation) : "r"(parameter) : "memory");
}

static uint32_t ipsr(void) { uint32_t value; __asm volatile("mrs %0, ipsr" : "=r"(value)); return value; }

/* Handlers get the frame and EXC_RETURN. */
#define HANDLER(name) \
  __attribute__((naked)) void name(void) { \
    __asm volatile("tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n mov r1, lr\n push {r1, lr}\n bl " #name "_body\n pop {r1, pc}"); \
  } \
  __attribute__((used)) void name##_body(uint32_t *frame, uint32_t exc_return)

HANDLER(svc) {
  const uint8_t number = ((const uint8_t *)frame[6])[-2];
  note("svc", number, exc_return);
  note(" stacked r0, xpsr", frame[0], frame[7]);
  note(" ipsr, icsr", ipsr(), ICSR & 0x1ff);
  if (number == 7) __asm volatile("mrs r2, control\n bic r2, #1\n msr control, r2" : : : "r2"); /* privileged again */
  frame[0] = number * 3u;
}
HANDLER(pendsv) { (void)frame; note("pendsv", ipsr(), exc_return); }
HANDLER(nmi) { (void)frame; note("nmi", ipsr(), exc_return); }
HANDLER(systick) { (void)frame; (void)exc_return; ticks++; if (ticks == 5) SYST_CSR = 0; }
HANDLER(irq0) { (void)frame; note("irq0", IABR, exc_return); }
HANDLER(irq1) {
  (void)frame;
  note("irq1 in", IABR, exc_return);
  ISPR = 1; /* higher: preempts */
  __asm volatile("dsb\n isb");
  ISPR = 4; /* lower: waits */
  __asm volatile("dsb\n isb");
  note("irq1 out", IABR, ICSR & 0x1ff800);
}
HANDLER(irq2) { (void)frame; note("irq2", IABR, exc_return); }
HANDLER(irq3) {
  (void)frame; (void)exc_return;
  float x = 3.0f;
  __asm volatile("vmov s0, %0\n vmul.f32 s1, s0, s0\n vmov %0, s1" : "+r"(x) : : "s0", "s1");
  note("irq3 uses the FPU", exc_return, FPCCR & 1);
}
HANDLER(usage) { note("usage", CFSR, exc_return); CFSR = CFSR; frame[6] += faults ? 2 : 4; faults++; if ((frame[7] & 0x01000000) == 0) { frame[7] |= 0x01000000; frame[6] = frame[5] & ~1u; } }
HANDLER(bus) { note("bus", CFSR, BFAR); CFSR = CFSR; frame[6] += 2; (void)exc_return; }
HANDLER(hard) { note("hard", HFSR, CFSR); note(" frame pc odd, exc", frame[6] & 1, exc_return); HFSR = HFSR; CFSR = CFSR; frame[6] += 2; }
static void unexpected(void) { note("unexpected", ipsr(), 0); for (;;) { } }

static __attribute__((aligned(512))) void (*vectors[64])(void);

static uint32_t call_svc(void) {
  register uint32_t r0 __asm("r0") = 7;
  __asm volatile("svc #9" : "+r"(r0) : : "memory");
  return r0;
}

int main(void) {
  for (unsigned i = 0; i < 64; i++) vectors[i] = unexpected;
  vectors[2] = nmi; vectors[3] = hard; vectors[5] = bus; vectors[6] = usage; vectors[11] = svc; vectors[14] = pendsv; vectors[15] = systick;
  vectors[16] = irq0; vectors[17] = irq1; vectors[18] = irq2; vectors[19] = irq3;
  VTOR = (uint32_t)vectors;

  note("svc result", call_svc(), 0);
  /* An odd stack: 4 modulo 8. */
  __asm volatile("sub sp, #4\n mov r0, #5\n svc #2\n add sp, #4" : : : "r0", "memory");

  ICSR = PENDSVSET; __asm volatile("dsb\n isb");
  note("after pendsv", ICSR & PENDSVSET, 0);
  __asm volatile("cpsid i"); ICSR = PENDSVSET; __asm volatile("dsb\n isb");
  note("masked by primask", ICSR & PENDSVSET, 0);
  __asm volatile("cpsie i\n isb");
  note("unmasked", ICSR & PENDSVSET, 0);
  ICSR = NMIPENDSET; __asm volatile("dsb\n isb");

  /* Interrupts by priority, nested and chained. */
  PRIORITY(0) = 0x20; PRIORITY(1) = 0x60; PRIORITY(2) = 0xa0; PRIORITY(3) = 0xc0;
  ISER = 0xf;
  ISPR = 2; __asm volatile("dsb\n isb");
  __asm volatile("cpsid i"); ISPR = 7; __asm volatile("dsb\n isb\n cpsie i\n isb");
  /* BASEPRI keeps 0xa0 away. */
  __asm volatile("msr basepri, %0\n isb" : : "r"(0x80));
  ISPR = 5; __asm volatile("dsb\n isb");
  note("basepri holds", REG(0xE000E200), 0);
  __asm volatile("msr basepri, %0\n isb" : : "r"(0));
  /* Sub-priorities only order: with PRIGROUP 6 bits 6:0 do not preempt. */
  AIRCR = 0x05fa0600; 
  ISPR = 2; __asm volatile("dsb\n isb");
  AIRCR = 0x05fa0000;

  /* Faults: taken, then escalated. */
  SHCSR |= 7u << 16;
  __asm volatile("udf.w #0");
  __asm volatile("udf #0");
  { uint32_t value; __asm volatile("mov r1, #0x30000000\n ldr %0, [r1]\n nop" : "=r"(value) : : "r1"); }
  __asm volatile("adr r0, 1f\n blx r0\n 1: nop" : : : "r0", "lr"); /* an even address */
  SHCSR &= ~(7u << 16);
  __asm volatile("udf #0");
  { uint32_t value; __asm volatile("mov r1, #0x30000000\n ldr %0, [r1]\n nop" : "=r"(value) : : "r1"); }
  __asm volatile("cpsid f\n isb\n cpsie f");

  /* The FPU across exceptions. */
  {
    uint32_t control, kept;
    __asm volatile("vmov.f32 s0, #2.0\n mrs %0, control" : "=r"(control) : : "s0");
    note("control with an FPU context", control, 0);
    __asm volatile("vmov.f32 s0, #2.0\n mov r0, #1\n svc #4\n vmov %0, s0" : "=r"(kept) : : "s0", "r0", "memory");
    note("s0 after svc", kept, 0);
    __asm volatile("vmov.f32 s0, #2.0\n str %1, [%2]\n dsb\n isb\n vmov %0, s0" : "=r"(kept) : "r"(8), "r"(0xE000E200) : "s0", "memory");
    note("s0 after irq3", kept, 0);
  }
  /* The process stack. */
  {
    static uint32_t stack[64] __attribute__((aligned(8)));
    uint32_t control;
    __asm volatile("msr psp, %1\n mov r0, #2\n msr control, r0\n isb\n mov r0, #1\n svc #6\n mrs %0, control\n"
                   "mov r0, #0\n msr control, r0\n isb" : "=&r"(control) : "r"(stack + 64) : "r0", "memory");
    note("control on the process stack", control, 0);
  }
  /* Without privilege masks cannot be set. */
  {
    uint32_t control, primask;
    __asm volatile("mov r0, #1\n msr control, r0\n isb\n cpsid i\n mrs %0, control\n mrs %1, primask\n mov r0, #0\n svc #7" : "=&r"(control), "=&r"(primask) : : "r0", "memory");
    note("control without privilege", control, primask);
  }
  return 0;
}
