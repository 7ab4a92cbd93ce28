/* Armv7-M: what the registers of the system control block, NVIC and SysTick keep, show and do, rule by rule (DDI 0403E B3.2 to B3.4). Runs on
 * QEMU too. */
#include "note.h"

#define ISER REG(0xE000E100)
#define ICER REG(0xE000E180)
#define ISPR REG(0xE000E200)
#define ICPR REG(0xE000E280)
#define ICSR REG(0xE000ED04)
#define VTOR REG(0xE000ED08)
#define AIRCR REG(0xE000ED0C)
#define CCR REG(0xE000ED14)
#define SHPR(word) REG(0xE000ED18 + 4 * (word))
#define SHCSR REG(0xE000ED24)
#define CFSR REG(0xE000ED28)
#define HFSR REG(0xE000ED2C)
#define CPACR REG(0xE000ED88)
#define STIR REG(0xE000EF00)
#define FPCCR REG(0xE000EF34)
#define FPCCR_BITS 0xc000017bu /* QEMU 7.2 shows UFRDY of Armv8-M as well */
#define SHOWN_ICSR 0x145ff9ffu /* not QEMU's RETTOBASE of Thread mode */

static volatile uint32_t skip, nested, in_svc;
static uint32_t stack[4] __attribute__((aligned(8)));

__attribute__((used)) static void fault(const char *what, uint32_t *frame, uint32_t exc_return)
{

    CCR = 0x200; BARRIER(); /* GCC's own code has unaligned accesses */
    note(what, CFSR, HFSR);
    note(" fault", REG(0xE000ED38) & ((CFSR & 0x8000) ? ~0u : 0), exc_return);
    note(" shcsr", SHCSR, ICSR & 0x9ff);
    CFSR = CFSR; HFSR = HFSR;
    frame[6] += skip;
}
HANDLER(hard) { fault("hard", frame, exc_return); }
HANDLER(mem) { fault("mem", frame, exc_return); }
HANDLER(bus) { fault("bus", frame, exc_return); }
HANDLER(usage) { fault("usage", frame, exc_return); }
HANDLER(irq0) { (void)frame; note("irq0", ICSR & 0x9ff, exc_return); }
HANDLER(irq1) {
  (void)frame;
  note("irq1", ICSR & 0x9ff, exc_return);
  if (nested) { nested = 0; ISPR = 1; BARRIER(); note("irq1 out", ICSR & 0xfff, REG(0xE000E300)); }
}
HANDLER(pendsv) { (void)frame; note("pendsv", ICSR & 0x9ff, exc_return); }
HANDLER(systick) { (void)frame; (void)exc_return; note("systick", ICSR & 0x9ff, REG(0xE000E010) & 7); }
HANDLER(svc) {
  note("svc", FPCCR & FPCCR_BITS, exc_return);
  if (in_svc == 1) __asm volatile("movs r0, #0\n msr control, r0" : : : "r0");
}
static void unexpected(void) { note("unexpected", ipsr(), CFSR); finish(); }
__attribute__((noreturn)) void reset(void);

__attribute__((section(".vectors"), used)) static void *const vectors[64] = {
  __stack_top, reset, unexpected, hard, mem, bus, usage, unexpected, unexpected, unexpected, unexpected, svc, unexpected, unexpected, pendsv,
  systick, irq0, irq1,
};

#define SHOW(what, register) note(what, register, 0)
#define KEEPS(what, register, value) do { uint32_t was = (register); (register) = (value); uint32_t is = (register); (register) = was; note(what, was, is); } while (0)

static void values(void)
{
    KEEPS("ccr", CCR, 0xffffffff); KEEPS("ccr 0", CCR, 0);
    /* The upper four bits: QEMU has eight. */
    KEEPS("shpr1", SHPR(0), 0xf0f0f0f0); KEEPS("shpr2", SHPR(1), 0xf0f0f0f0); KEEPS("shpr3", SHPR(2), 0xf0f0f0f0);
    KEEPS("ipr0", REG(0xE000E400), 0xf0f0f0f0);
    KEEPS("vtor", VTOR, 0x2000007f);
    KEEPS("fpccr", FPCCR, 0xc0000000); KEEPS("fpcar", REG(0xE000EF38), 0x20000007); KEEPS("fpdscr", REG(0xE000EF3C), 0xffffffff);
    KEEPS("cpacr", CPACR, 0x00f00000);
    KEEPS("mmfar", REG(0xE000ED34), 0x12345678);
    AIRCR = 0x05fa0700; SHOW("aircr", AIRCR); AIRCR = 0x12340300; SHOW("aircr without key", AIRCR); AIRCR = 0x05fa0000;
    BYTE(0xE000ED1F) = 0xe0; BYTE(0xE000ED22) = 0xa0; note("shpr bytes", SHPR(1), SHPR(2)); SHPR(1) = SHPR(2) = 0;
    BYTE(0xE000E401) = 0x60; SHOW("ipr byte", REG(0xE000E400)); REG(0xE000E400) = 0;
    ISER = 5; ICER = 1; note("iser icer", ISER, ICER); ICER = 4;
    ISPR = 6; ICPR = 2; note("ispr icpr", ISPR, ICPR); ICPR = 4;
    REG(0xE000E300) = 1; SHOW("iabr", REG(0xE000E300));
    REG(0xE000E014) = 0xff001234; SHOW("rvr", REG(0xE000E014));
    SHCSR = 7u << 16; SHOW("shcsr", SHCSR); SHCSR = 0xc00; SHOW("shcsr active", SHCSR); SHCSR = 0;
    CFSR = 0;
}

static void pending(void)
{
    __asm volatile("cpsid i");
    ISPR = 2; note("icsr, disabled line", ICSR & SHOWN_ICSR, 0);
    ICSR = 1u << 26; note("icsr, systick first", ICSR & SHOWN_ICSR, 0);
    ISER = 2; SHPR(2) = 0xff000000; note("icsr, irq first", ICSR & SHOWN_ICSR, 0);
    ICSR = 1u << 28; note("icsr, pendsv", ICSR & SHOWN_ICSR, 0);
    ICSR = 1u << 27; ICSR = 1u << 25; note("icsr, cleared", ICSR & SHOWN_ICSR, 0);
    ICPR = 2; SHPR(2) = 0;
    STIR = 1; note("stir", ISPR, ICSR & SHOWN_ICSR);
    __asm volatile("cpsie i\n isb");
    /* Equal priority does not preempt; a lower number goes first. */
    ISER = 3; nested = 1; ISPR = 2; BARRIER();
    /* Neither does a subpriority; then a group does. */
    AIRCR = 0x05fa0500; BYTE(0xE000E400) = 0x20; BYTE(0xE000E401) = 0x40; nested = 1; ISPR = 2; BARRIER();
    AIRCR = 0x05fa0400; nested = 1; ISPR = 2; BARRIER();
    AIRCR = 0x05fa0000;
    { uint32_t value; __asm volatile("msr basepri, %1\n msr basepri_max, %2\n mrs %0, basepri" : "=r"(value) : "r"(0x50), "r"(0x80)); note("basepri", value, 0); }
    ISPR = 3; BARRIER(); note("basepri masks", ISPR, 0);
    { uint32_t value; __asm volatile("msr basepri_max, %1\n mrs %0, basepri\n isb" : "=r"(value) : "r"(0x30)); note("basepri max", value, ISPR); }
    __asm volatile("msr basepri, %0\n isb" : : "r"(0));
    __asm volatile("cpsid f\n isb"); ISPR = 1; BARRIER(); note("faultmask", ISPR, 0); __asm volatile("cpsie f\n isb");
    REG(0xE000E400) = 0; ICER = 3;
}

/* QEMU 7.2 loses what the same translation block has put into registers before a divide that traps: an ISB or branch stands in front. */
#define DIVIDE(what, bits, text) \
  do { \
    uint32_t value = 7; \
    CCR = 0x200 | (bits); BARRIER(); \
    __asm volatile("mov r1, #0\n mov r2, #2\n cmp r1, #1\n isb\n" text : "+r"(value) : : "r1", "r2", "cc"); \
    CCR = 0x200; BARRIER(); \
    note(what, value, 0); \
  } while (0)
#define UNALIGNED(offset, text) \
  do { \
    CCR = 0x208; BARRIER(); \
    __asm volatile("mov r1, %0\n mov r3, #9\n" text : : "r"((uint32_t)stack + (offset)) : "r1", "r2", "r3", "memory"); \
    CCR = 0x200; BARRIER(); \
    note(text, stack[0], stack[1]); \
  } while (0)

__attribute__((noinline)) static uint32_t divides(uint32_t count, uint32_t divisor)
{
    uint32_t sum = 0;
    for (uint32_t index = count; index != 0; index--) { uint32_t quotient; __asm volatile("b 1f\n1: udiv %0, %1, %2" : "=r"(quotient) : "r"(index), "r"(divisor)); sum += quotient; }
    return sum;
}

__attribute__((noinline)) static uint32_t words(uint32_t count, uint32_t address)
{
    uint32_t sum = 0;
    for (uint32_t index = count; index != 0; index--) { uint32_t value; __asm volatile("ldr.w %0, [%1]" : "=r"(value) : "r"(address)); sum += value; }
    return sum;
}

/* CCR.DIV_0_TRP and CCR.UNALIGN_TRP, in code that has run often before as well. */
static void traps(void)
{
    DIVIDE("sdiv", 0x10, "sdiv %0, %0, r1");
    DIVIDE("udiv", 0x10, "udiv %0, %0, r1");
    DIVIDE("udiv by 2", 0x10, "udiv %0, %0, r2");
    DIVIDE("udiv, not executed", 0x10, "it eq\n udiveq %0, %0, r1");
    DIVIDE("udiv, no trap", 0, "udiv %0, %0, r1");
    stack[0] = 0x44332211; stack[1] = 0x88776655;
    UNALIGNED(1, "ldr.w r2, [r1]"); UNALIGNED(1, "ldrh.w r2, [r1]"); UNALIGNED(3, "ldrsh.w r2, [r1]"); UNALIGNED(2, "ldrh.w r2, [r1]");
    UNALIGNED(1, "ldrb.w r2, [r1]"); UNALIGNED(2, "str.w r1, [r1]"); UNALIGNED(1, "strh.w r1, [r1]"); UNALIGNED(2, "strh.w r3, [r1], #1");
    note("divides", divides(300, 3), divides(300, 0));
    note("words", words(300, (uint32_t)stack), words(300, (uint32_t)stack + 1));
    CCR = 0x218; BARRIER();
    { uint32_t sums[2] = {divides(200, 3), words(200, (uint32_t)stack)}; divides(1, 0);
      CCR = 0x208; BARRIER(); words(1, (uint32_t)stack + 1);
      CCR = 0x200; BARRIER(); note("trapping", sums[0], sums[1]); }
    note("again", divides(300, 0), words(300, (uint32_t)stack + 1));
}

static void faults(void)
{
    uint32_t value = 7;
    SHCSR = 7u << 16;
    skip = 4;
    __asm volatile("mov r1, #0\n udiv %0, %0, r1" : "+r"(value) : : "r1"); note("udiv", value, 0);
    traps();
    __asm volatile("mov r1, %1\n ldrd r2, r3, [r1]" : "=r"(value) : "r"((uint32_t)stack + 2) : "r1", "r2", "r3");
    /* One status byte is cleared, the others stay. */
    CCR = 0x200; __asm volatile("cpsid i"); CFSR = ~0u; HFSR = ~0u; SHCSR = 0; skip = 4;
    __asm volatile("udf.w #0"); SHCSR = 7u << 16; __asm volatile("cpsie i");
    /* The system's registers are privileged, and an LDRT asks as if without privilege; STIR may be opened. */
    __asm volatile("ldr r1, =0xE000ED00\n ldrt %0, [r1]" : "=r"(value) : : "r1");
    in_svc = 1;
    CCR = 0x202;
    __asm volatile("mov r0, #1\n msr control, r0\n isb\n ldr r1, =0xE000EF00\n mov r0, #1\n str.w r0, [r1]\n"
                   "ldr r1, =0xE000E100\n ldr.w r0, [r1]\n ldr r1, =0xE000EF04\n str.w r0, [r1]\n ldr r1, =0xE000ED94\n ldr.w r0, [r1]\n ldr r1, =0xE000E018\n ldrb.w r0, [r1]\n svc #0" : : : "r0", "r1", "memory");
    note("stir without privilege", ISPR, 0); ICPR = 2;
    CCR = 0x200;
    __asm volatile("mov r0, #1\n msr control, r0\n isb\n ldr r1, =0xE000EF00\n mov r0, #1\n str.w r0, [r1]\n svc #0" : : : "r0", "r1", "memory");
    note("stir closed", ISPR, 0);
    in_svc = 0;
    /* No FPU, then for privileged code only. */
    CPACR = 0; BARRIER(); __asm volatile("vmov.f32 s0, #1.0" : : : "s0");
    CPACR = 0x500000; BARRIER(); __asm volatile("vmov.f32 s0, #1.0\n vmov %0, s0" : "=r"(value) : : "s0"); note("privileged fpu", value, 0);
    in_svc = 1;
    __asm volatile("mov r0, #1\n msr control, r0\n isb\n vmov.f32 s0, #2.0\n svc #0\n vmov %0, s0" : "=r"(value) : : "r0", "s0", "memory");
    in_svc = 0; note("fpu without privilege", value, 0);
    CPACR = 0xf00000; BARRIER();
}

static void open_frames(void)
{
    /* What was ready when a frame was left open. */
    __asm volatile("vmov.f32 s0, #2.0\n svc #1" : : : "s0", "memory");
    SHCSR = 1u << 17; SHPR(0) = 0x4000; SHPR(1) = 0;
    __asm volatile("vmov.f32 s0, #2.0\n svc #1" : : : "s0", "memory");
    __asm volatile("msr basepri, %0\n vmov.f32 s0, #2.0" : : "r"(0x20) : "s0", "memory"); __asm volatile("svc #1" : : : "memory");
    __asm volatile("msr basepri, %0" : : "r"(0));
}

void reset(void)
{
    skip = nested = in_svc = 0;
    CPACR = 0; BARRIER();
    values();
    CPACR = 0xf00000; BARRIER();
    pending();
    faults();
    open_frames();
    note("done", 0, 0);
    finish();
}
