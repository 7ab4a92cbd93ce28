/* A fixed-point FFT with the DSP instructions: SMUAD, SMUSD, QADD16, SSAT, PKHBT. */
#include <stdint.h>
#include <stdio.h>
#define N 64
static int16_t re[N], im[N];
static const int16_t quarter[17] = {0, 3212, 6393, 9512, 12539, 15446, 18204, 20787, 23170, 25329, 27245, 28898, 30273, 31356, 32137, 32609, 32767};
static int16_t sine(unsigned i) { i &= 63; int16_t v = quarter[(i & 31) <= 16 ? i & 31 : 32 - (i & 31)]; return (int16_t)(i < 32 ? v : -v); }
static uint32_t pack(int16_t low, int16_t high) { uint32_t r; __asm("pkhbt %0, %1, %2, lsl #16" : "=r"(r) : "r"((uint32_t)(uint16_t)low), "r"((uint32_t)(uint16_t)high)); return r; }
static int32_t smuad(uint32_t a, uint32_t b) { int32_t r; __asm("smuad %0, %1, %2" : "=r"(r) : "r"(a), "r"(b)); return r; }
static int32_t smusd(uint32_t a, uint32_t b) { int32_t r; __asm("smusd %0, %1, %2" : "=r"(r) : "r"(a), "r"(b)); return r; }
static uint32_t shadd16(uint32_t a, uint32_t b) { uint32_t r; __asm("shadd16 %0, %1, %2" : "=r"(r) : "r"(a), "r"(b)); return r; }
static uint32_t shsub16(uint32_t a, uint32_t b) { uint32_t r; __asm("shsub16 %0, %1, %2" : "=r"(r) : "r"(a), "r"(b)); return r; }
static int32_t ssat(int32_t x) { int32_t r; __asm("ssat %0, #16, %1" : "=r"(r) : "r"(x)); return r; }
static void fft(void) {
  for (unsigned i = 0; i < N; i++) {
    unsigned j;
    __asm("rbit %0, %1" : "=r"(j) : "r"(i));
    j >>= 26;
    if (j > i) { int16_t t = re[i]; re[i] = re[j]; re[j] = t; t = im[i]; im[i] = im[j]; im[j] = t; }
  }
  for (unsigned half = 1; half < N; half *= 2)
    for (unsigned k = 0; k < half; k++) {
      const uint32_t w = pack(sine(16 + k * 32 / half), (int16_t)-sine(k * 32 / half));
      for (unsigned i = k; i < N; i += 2 * half) {
        const uint32_t b = pack(re[i + half], im[i + half]), a = pack(re[i], im[i]);
        uint32_t crossed;
        __asm("ror %0, %1, #16" : "=r"(crossed) : "r"(b));
        const uint32_t p = pack((int16_t)ssat(smusd(b, w) >> 15), (int16_t)ssat(smuad(crossed, w) >> 15));
        const uint32_t up = shadd16(a, p), down = shsub16(a, p);
        re[i] = (int16_t)up;
        im[i] = (int16_t)(up >> 16);
        re[i + half] = (int16_t)down;
        im[i + half] = (int16_t)(down >> 16);
      }
    }
}
int main(void) {
  uint32_t h = 0;
  for (int round = 0; round < 6; round++) {
    for (unsigned i = 0; i < N; i++) { re[i] = (int16_t)(sine(i * (unsigned)(round + 3)) - sine(i * 7) / 2); im[i] = (int16_t)(round * 1000); }
    fft();
    for (unsigned i = 0; i < N; i++) h = h * 31 + (uint16_t)re[i] + ((uint32_t)(uint16_t)im[i] << 5);
    printf("%d %d %08lx\n", re[round + 3], im[7], (unsigned long)h);
  }
  return 0;
}
