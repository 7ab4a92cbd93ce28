/* 64-bit integers: multiply, divide, shift by variables, compare, and 128-bit products by hand. */
#include <stdint.h>
#include <stdio.h>
static uint64_t s = 88172645463325252ull;
static uint64_t next(void) { s ^= s << 13; s ^= s >> 7; return s ^= s << 17; }
static uint64_t high_product(uint64_t a, uint64_t b) {
  uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
  uint64_t mid = ah * bl + (al * bl >> 32), low = al * bh + (uint32_t)mid;
  return ah * bh + (mid >> 32) + (low >> 32);
}
int main(void) {
  uint64_t sum = 0;
  int64_t signed_sum = 0;
  for (int i = 0; i < 200; i++) {
    uint64_t a = next(), b = next() >> (i % 60);
    sum += high_product(a, b) ^ a / (b | 1) ^ a % (b | 1) ^ a << (i & 63) ^ a >> (i % 63);
    signed_sum += (int64_t)a / ((int64_t)(b | 1)) + ((int64_t)a >> (i % 63)) + ((int64_t)a < (int64_t)b) - (a < b) + (int32_t)a * (int64_t)(int32_t)b;
  }
  printf("%08lx%08lx %lld\n", (unsigned long)(sum >> 32), (unsigned long)sum, (long long)signed_sum);
  return 0;
}
