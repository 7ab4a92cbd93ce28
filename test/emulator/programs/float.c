/* Single precision: Gauss elimination, Newton's root, a biquad, conversions. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
static uint32_t bits(float x) { uint32_t u; memcpy(&u, &x, 4); return u; }
static float m[12][13];
static void solve(void) {
  for (int i = 0; i < 12; i++) {
    int best = i;
    for (int r = i + 1; r < 12; r++)
      if ((m[r][i] < 0 ? -m[r][i] : m[r][i]) > (m[best][i] < 0 ? -m[best][i] : m[best][i])) best = r;
    for (int c = 0; c < 13; c++) { float t = m[i][c]; m[i][c] = m[best][c]; m[best][c] = t; }
    for (int r = 0; r < 12; r++) {
      if (r == i) continue;
      float f = m[r][i] / m[i][i];
      for (int c = i; c < 13; c++) m[r][c] -= f * m[i][c];
    }
  }
}
static float root(float x) { float y = x; for (int i = 0; i < 12; i++) y = 0.5f * (y + x / y); return y; }
int main(void) {
  uint32_t state = 99;
  for (int r = 0; r < 12; r++)
    for (int c = 0; c < 13; c++) m[r][c] = (float)(int32_t)((state = state * 1103515245u + 12345u) >> 8) * 1e-5f - 70.0f;
  solve();
  for (int r = 0; r < 12; r++) printf("%08lx ", (unsigned long)bits(m[r][12] / m[r][r]));
  float y1 = 0, y2 = 0, sum = 0;
  for (int i = 0; i < 200; i++) {
    float y = (i % 17 == 0 ? 1.0f : 0.0f) + 1.6f * y1 - 0.81f * y2;
    y2 = y1;
    y1 = y;
    sum += y * y + (float)(uint8_t)(int)(y * 10.0f) + (float)(i - 100) / 3.0f;
  }
  printf("\n%08lx %08lx %d %u\n", (unsigned long)bits(sum), (unsigned long)bits(root(12345.678f)), (int)-3.99f, (unsigned)4e9f);
  return 0;
}
