/* Double precision in software: newlib's functions and the compiler's helpers. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void show(double x) { uint64_t u; memcpy(&u, &x, 8); printf("%08lx%08lx ", (unsigned long)(u >> 32), (unsigned long)u); }
int main(void) {
  double x = 0.1, sum = 0;
  for (int i = 0; i < 40; i++) {
    x = 3.7 * x * (1 - x);
    sum += sin(x) * exp(-x) + pow(x + 0.5, 1.3) / (1 + x) - sqrt(x) + floor(x * 10) + (double)(int64_t)(x * 1e12) + (float)x;
  }
  show(x);
  show(sum);
  show(strtod("-1.25e-310", 0));
  show(1e308 * 10);
  printf("\n%.10f %g %d\n", sum, x, x < sum);
  return 0;
}
