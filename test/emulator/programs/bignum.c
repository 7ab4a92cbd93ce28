/* Factorials and powers in words of 32 bits: ADDS/ADCS chains, UMULL, UMLAL, division by small numbers. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#define WORDS 24
static uint32_t n[WORDS], m[WORDS], product[2 * WORDS];
static void multiply_small(uint32_t *v, uint32_t by) {
  uint64_t carry = 0;
  for (int i = 0; i < WORDS; i++) { carry += (uint64_t)v[i] * by; v[i] = (uint32_t)carry; carry >>= 32; }
}
static uint32_t divide_small(uint32_t *v, uint32_t by) {
  uint64_t rest = 0;
  for (int i = WORDS - 1; i >= 0; i--) { rest = rest << 32 | v[i]; v[i] = (uint32_t)(rest / by); rest %= by; }
  return (uint32_t)rest;
}
static void square(void) {
  memset(product, 0, sizeof product);
  for (int i = 0; i < WORDS; i++) {
    uint64_t carry = 0;
    for (int k = 0; k < WORDS; k++) { carry += (uint64_t)n[i] * n[k] + product[i + k]; product[i + k] = (uint32_t)carry; carry >>= 32; }
    product[i + WORDS] = (uint32_t)carry;
  }
}
int main(void) {
  n[0] = 1;
  for (uint32_t i = 2; i < 100; i++) multiply_small(n, i);
  memcpy(m, n, sizeof m);
  char digits[240];
  int count = 0;
  for (int i = 0; i < 160; i++) digits[count++] = (char)('0' + divide_small(m, 10));
  while (count > 1 && digits[count - 1] == '0') count--;
  while (count-- > 0) putchar(digits[count]);
  square();
  uint32_t h = 0;
  for (int i = 0; i < 2 * WORDS; i++) h = h * 31 + product[i];
  printf(" %08lx\n", (unsigned long)h);
  return 0;
}
