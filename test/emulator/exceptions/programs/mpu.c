/* Memory protection: random regions probed by privileged and unprivileged loads, stores and calls, then stacking faults. Runs on QEMU too. */
#include <stdint.h>
#include <stdio.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define VTOR REG(0xE000ED08)
#define SHCSR REG(0xE000ED24)
#define CFSR REG(0xE000ED28)
#define HFSR REG(0xE000ED2C)
#define MMFAR REG(0xE000ED34)
#define MPU_CTRL REG(0xE000ED94)
#define MPU_RNR REG(0xE000ED98)
#define MPU_RBAR REG(0xE000ED9C)
#define MPU_RASR REG(0xE000EDA0)
#define ENABLE 1u
#define HFNMIENA 2u
#define PRIVDEFENA 4u
#define REGIONS 8

static volatile uint32_t fault_status, fault_address, faults;
static uint32_t scratch[4096] __attribute__((aligned(16384)));
static uint32_t user_stack[64] __attribute__((aligned(256)));
static uint32_t state = 2463534242u;

static uint32_t random_word(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static void note(const char *what, uint32_t a, uint32_t b) {
  char text[100];
  snprintf(text, sizeof text, "%s %08x %08x\n", what, (unsigned)a, (unsigned)b);
  register uint32_t operation __asm("r0") = 4;
  register const char *parameter __asm("r1") = text;
  __asm volatile("bkpt #0xab" : "+r"(operation) : "r"(parameter) : "memory");
}

/* Goes on behind the access, or at the caller of code that could not be fetched. */
__attribute__((used)) static void fault_body(uint32_t *frame) {
  faults++;
  fault_status = CFSR;
  fault_address = (CFSR & 0x80u) ? MMFAR : 0;
  CFSR = 0xffffffff;
  HFSR = 0xffffffff;
  if (fault_status & 1u) frame[6] = frame[5] & ~1u;
  else frame[6] += 4;
}
__attribute__((naked)) static void fault_handler(void) {
  __asm volatile("tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n push {r4, lr}\n bl fault_body\n pop {r4, pc}");
}

/* Stacking failed: the frame cannot be trusted. Back to privileged code on the main stack. */
__attribute__((used)) static void stacking_body(void) {
  fault_status = CFSR;
  CFSR = 0xffffffff;
  MPU_CTRL = 0;
}
__attribute__((naked)) static void stacking_handler(void) { __asm volatile("push {r4, lr}\n bl stacking_body\n pop {r4, pc}"); }
__attribute__((naked)) static void svc_handler(void) {
  __asm volatile("mrs r0, control\n bic r0, #1\n msr control, r0\n bx lr");
}

__attribute__((aligned(128))) static void (*vectors[16])(void) = {[3] = fault_handler, [4] = fault_handler, [11] = svc_handler};

static uint32_t probe(uint32_t kind, uint32_t address) {
  uint32_t value = 0x5a5a0000u | kind;
  fault_status = 0;
  fault_address = 0;
  switch (kind) {
    case 0: __asm volatile("ldr.w %0, [%1]" : "=&r"(value) : "r"(address) : "memory"); break;
    case 1: __asm volatile("str.w %0, [%1]" : : "r"(value), "r"(address) : "memory"); break;
    case 2: __asm volatile("ldrt %0, [%1, #0]" : "=&r"(value) : "r"(address) : "memory"); break;
    case 3: __asm volatile("strt %0, [%1, #0]" : : "r"(value), "r"(address) : "memory"); break;
    case 4: __asm volatile("ldrbt %0, [%1, #0]" : "=&r"(value) : "r"(address) : "memory"); break;
    case 5: __asm volatile("strh.w %0, [%1]" : : "r"(value), "r"(address) : "memory"); break;
    default: ((void (*)(void))(address | 1u))(); break;
  }
  return (fault_status & 0xffu) << 24;
}

static void random_regions(unsigned round) {
  MPU_CTRL = 0;
  for (uint32_t region = 0; region < REGIONS; region++) {
    const uint32_t size = 4 + random_word() % 10; /* 32 bytes to 16 KiB */
    const uint32_t bytes = 2u << size;
    const uint32_t base = ((uint32_t)scratch + random_word() % sizeof scratch) & ~(bytes - 1);
    static const uint32_t access[] = {0, 1, 2, 3, 5, 6, 3, 3};
    /* QEMU 7.2 looks subregions below its page of 1 KiB up once per page and keeps the result for the others: only larger ones here. */
    const uint32_t disabled = size >= 12 && (random_word() & 1) ? random_word() & 0xff : 0;
    MPU_RBAR = base | 0x10u | region;
    MPU_RASR = (random_word() % 3 == 0 ? 1u << 28 : 0) | access[random_word() % 8] << 24 | disabled << 8 | size << 1 | (random_word() % 4 != 0);
    if (round < 3) note("region", MPU_RBAR, MPU_RASR);
  }
  MPU_CTRL = ENABLE | PRIVDEFENA;
  __asm volatile("dsb\nisb");
}

static void probe_random_regions(void) {
  for (unsigned round = 0; round < 60; round++) {
    random_regions(round);
    uint32_t digest = 0;
    for (unsigned i = 0; i < 200; i++) {
      const uint32_t kind = random_word() % 7;
      uint32_t address = (uint32_t)scratch + random_word() % (sizeof scratch - 4);
      if (kind == 6) address &= ~1u;
      else if (random_word() % 4 != 0) address &= ~3u;
      if (kind == 6) {
        /* bx lr, placed with protection off */
        MPU_CTRL = 0;
        *(uint16_t *)address = 0x4770;
        __asm volatile("dsb\nisb");
        MPU_CTRL = ENABLE | PRIVDEFENA;
        __asm volatile("dsb\nisb");
      }
      const uint32_t result = probe(kind, address);
      digest = (digest << 5 | digest >> 27) ^ result ^ (kind == 4 ? fault_address != 0 : fault_address - (uint32_t)scratch);
      if (round == 0) note("probe", address - (uint32_t)scratch, kind | fault_status << 8);
    }
    note("digest", round, digest);
  }
  note("faults", faults, 0);
  MPU_CTRL = 0;
}

/* Unprivileged code on a stack it may not write: SVC cannot stack. CONTROL.FPCA is cleared, so that the frame is the basic one. */
static void stack_overflow(void) {
  vectors[4] = stacking_handler;
  for (uint32_t region = 0; region < REGIONS; region++) {
    MPU_RNR = region;
    MPU_RASR = 0;
  }
  MPU_RBAR = 0x10u; /* everything in code space and RAM for all */
  MPU_RASR = 3u << 24 | 29u << 1 | ENABLE;
  MPU_RBAR = ((uint32_t)user_stack) | 0x11u;
  MPU_RASR = 6u << 24 | 7u << 1 | ENABLE; /* read-only */
  fault_status = 0;
  uint32_t *const frame = user_stack + 56; /* what the return will find there */
  uint32_t next;
  __asm volatile("adr %0, behind_svc" : "=r"(next));
  frame[6] = next;
  frame[7] = 1u << 24;
  MPU_CTRL = ENABLE | PRIVDEFENA;
  __asm volatile(
      "dsb\n isb\n msr psp, %0\n movs r1, #3\n msr control, r1\n isb\n"
      "svc #0\n"
      "b .\n"
      ".balign 4\nbehind_svc: mrs r1, control\n bic r1, #2\n msr control, r1\n isb\n"
      :
      : "r"(user_stack + 64)
      : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");
  note("stacking", fault_status, 0);
}

int main(void) {
  VTOR = (uint32_t)vectors;
  SHCSR |= 1u << 16;
  probe_random_regions();
  stack_overflow();
  return 0;
}
