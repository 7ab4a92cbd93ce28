/* Semihosting without a library: lines of a text and two words, and the end. Works in handlers too. */
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))

extern uint32_t __stack_top[];

static void semihost(uint32_t operation, const void *parameter)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = parameter;
    __asm volatile("bkpt #0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void note(const char *what, uint32_t a, uint32_t b)
{
    char text[80];
    char *at = text;
    while (*what != 0) *at++ = *what++;
    for (int word = 0; word < 2; word++) {
        *at++ = ' ';
        for (int shift = 28; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[((word == 0 ? a : b) >> shift) & 15];
    }
    *at++ = '\n';
    *at = 0;
    semihost(4, text);
}

__attribute__((noreturn)) static void finish(void)
{
    semihost(0x18, (const void *)0x20026); /* ADP_Stopped_ApplicationExit */
    for (;;) {
    }
}

static uint32_t ipsr(void) { uint32_t value; __asm volatile("mrs %0, ipsr" : "=r"(value)); return value; }

/* A handler that gets its frame and EXC_RETURN; every core has these instructions. */
#define HANDLER(name) \
  __attribute__((naked)) static void name(void) { \
    __asm volatile(".syntax unified\n movs r0, #4\n mov r1, lr\n tst r0, r1\n bne 1f\n mrs r0, msp\n b 2f\n1: mrs r0, psp\n2: push {r1, lr}\n bl " #name "_body\n pop {r1, pc}"); \
  } \
  __attribute__((used)) static void name##_body(uint32_t *frame, uint32_t exc_return)

#define BARRIER() __asm volatile("dsb\n isb" ::: "memory")
