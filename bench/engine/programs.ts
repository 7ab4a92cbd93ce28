/** Programs that engines are timed on, as C: start-up, work, semihosting exit with a checksum. */

const head = `
#include <stdint.h>
int main_work(void);
static void leave(int code) {
  static uint32_t block[2];
  block[0] = 0x20026u;
  block[1] = (uint32_t)code;
  register uint32_t op __asm__("r0") = 0x20u;
  register uint32_t *arg __asm__("r1") = block;
  __asm__ volatile("bkpt 0xab" : : "r"(op), "r"(arg) : "memory");
  for (;;) {}
}
void reset(void) {
#ifdef __ARM_FP
  *(volatile uint32_t *)0xE000ED88u |= 0xF00000u;
  __asm__ volatile("dsb\\nisb");
#endif
#ifdef FLASH_ACR
  *(volatile uint32_t *)FLASH_ACR = FLASH_ACR_VALUE;
#endif
  leave(main_work() & 0x7f);
}
__attribute__((section(".vectors"), used)) const void *const vectors[2] = {(void *)0x20040000u, (void *)reset};
static uint32_t state = 12345;
static inline uint32_t next(void) { return state = state * 1103515245u + 12345u; }
`;

const gemm = `${head}
static int8_t a[64 * 64], b[64 * 64];
static int32_t c[64 * 64];
__attribute__((noinline)) static void gemm(void) {
  for (int i = 0; i < 64; i++)
    for (int j = 0; j < 64; j++) {
      int32_t sum = 0;
      const int8_t *x = a + i * 64, *y = b + j * 64;
#ifdef __ARM_FEATURE_DSP
      for (int k = 0; k < 64; k += 4) {
        uint32_t p = *(const uint32_t *)(x + k), q = *(const uint32_t *)(y + k), r, s;
        __asm__("sxtb16 %0, %1" : "=r"(r) : "r"(p));
        __asm__("sxtb16 %0, %1" : "=r"(s) : "r"(q));
        __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(r), "r"(s));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(r) : "r"(p));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(s) : "r"(q));
        __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(r), "r"(s));
      }
#else
      for (int k = 0; k < 64; k++) sum += x[k] * y[k];
#endif
      c[i * 64 + j] += sum;
    }
}
int main_work(void) {
  for (int i = 0; i < 64 * 64; i++) { a[i] = (int8_t)(next() >> 16); b[i] = (int8_t)(next() >> 16); }
  for (int n = 0; n < ROUNDS; n++) gemm();
  int32_t sum = 0;
  for (int i = 0; i < 64 * 64; i++) sum = sum * 31 + c[i];
  return sum;
}`;

const branchy = `${head}
static uint32_t data[1024];
__attribute__((noinline)) static uint32_t crc(const uint8_t *p, int n) {
  uint32_t r = ~0u;
  while (n--) {
    r ^= *p++;
    for (int k = 0; k < 8; k++) r = (r & 1) ? (r >> 1) ^ 0xEDB88320u : r >> 1;
  }
  return ~r;
}
__attribute__((noinline)) static void sort(uint32_t *p, int n) {
  for (int gap = n / 2; gap > 0; gap /= 2)
    for (int i = gap; i < n; i++) {
      uint32_t v = p[i];
      int j = i;
      for (; j >= gap && p[j - gap] > v; j -= gap) p[j] = p[j - gap];
      p[j] = v;
    }
}
int main_work(void) {
  uint32_t sum = 0;
  for (int n = 0; n < ROUNDS; n++) {
    for (int i = 0; i < 1024; i++) data[i] = next();
    sum ^= crc((const uint8_t *)data, 4096);
    sort(data, 1024);
    sum += data[n & 1023];
  }
  return (int)sum;
}`;

/** With or without an FPU, by the compiler's options. */
const float = `${head}
static float x[256], y[256];
__attribute__((noinline)) static float dot(void) {
  float s = 0.1f;
  for (int i = 0; i < 256; i++) s += x[i] * y[i];
  return s;
}
int main_work(void) {
  float sum = 0;
  for (int i = 0; i < 256; i++) { x[i] = (float)(int32_t)next() * 1e-9f; y[i] = (float)(int32_t)next() * 1e-9f; }
  for (int n = 0; n < ROUNDS; n++) { sum = sum * 0.5f + dot(); x[n & 255] += 0.25f; }
  return (int)sum;
}`;

/** Long and short copies by the C library, aligned and not, and one byte at a time. */
const copy = `${head}
void *memcpy(void *, const void *, unsigned);
static uint8_t from[8192], to[8192];
__attribute__((noinline)) static void bytes(uint8_t *t, const uint8_t *f, int n) {
  for (int i = 0; i < n; i++) { t[i] = f[i]; __asm__ volatile(""); }
}
int main_work(void) {
  uint32_t sum = 0;
  for (int i = 0; i < 8192; i++) from[i] = (uint8_t)(next() >> 16);
  for (int n = 0; n < ROUNDS; n++) {
    memcpy(to, from, 8192);
    memcpy(to + 1, from + 2, 4000);
    for (int i = 0; i < 64; i++) memcpy(to + i * 100, from + i * 50, 20 + (unsigned)i);
    bytes(to + 5, from + 3, 1000);
    sum = sum * 31 + to[n & 8191];
    from[n & 8191]++;
  }
  return (int)sum;
}`;

/** Flash of the RP2040: rp2040js is fastest with code there. */
export const RP2040_FLASH_START = 0x1000_0000;

const m4 = (name: string, source: string, rounds: number, ...flags: readonly string[]): BenchProgram => ({
  name,
  source,
  flags: ['-mcpu=cortex-m4', ...flags],
  codeStart: 0,
  rounds,
});

const m0plus = (name: string, source: string, rounds: number): BenchProgram => ({
  name,
  source,
  flags: ['-mcpu=cortex-m0plus', '-mfloat-abi=soft'],
  codeStart: RP2040_FLASH_START,
  rounds,
});

const fpu = ['-mfloat-abi=hard', '-mfpu=fpv4-sp-d16'];

export interface BenchProgram {
  readonly name: string;
  readonly source: string;
  readonly flags: readonly string[];
  /** Where code and vectors lie. */
  readonly codeStart: number;
  /** As often as a run of about a second needs. */
  readonly rounds: number;
}

export const m4Programs: readonly BenchProgram[] = [
  m4('int8 GEMM', gemm, 5000, ...fpu),
  m4('branchy CRC/sort', branchy, 2000, ...fpu),
  m4('float', float, 600_000, ...fpu),
  m4('soft float', float, 40_000, '-mfloat-abi=soft'),
  m4('memory copy', copy, 60_000, ...fpu),
];

/** Exact timing of STM32L4R5: 5 wait states, prefetch, both caches (RM0432 3.7.1). */
export const exactPrograms: readonly BenchProgram[] = [
  {
    ...m4('int8 GEMM, exact', gemm, 5000, ...fpu, '-DFLASH_ACR=0x40022000', '-DFLASH_ACR_VALUE=0x705'),
    codeStart: 0x0800_0000,
  },
];

/** An interpreter in JavaScript has to finish them, too. */
export const m0plusPrograms: readonly BenchProgram[] = [
  m0plus('M0+ int8 GEMM', gemm, 120),
  m0plus('M0+ branchy CRC/sort', branchy, 250),
];

/** Ends at once: what starting costs. */
export const emptyProgram = m4('empty', `${head}\nint main_work(void) { return (int)(next() & 1u); }`, 0, ...fpu);
