/* The same picture in fixed point and in float. */
#include <stdint.h>
#include <stdio.h>
static int fixed(int32_t cx, int32_t cy) {
  int32_t x = 0, y = 0;
  int n = 0;
  for (; n < 60; n++) {
    const int32_t xx = (int32_t)((int64_t)x * x >> 24), yy = (int32_t)((int64_t)y * y >> 24);
    if (xx + yy > 4 << 24) break;
    y = (int32_t)((int64_t)x * y >> 23) + cy;
    x = xx - yy + cx;
  }
  return n;
}
static int floating(float cx, float cy) {
  float x = 0, y = 0;
  int n = 0;
  for (; n < 60; n++) {
    const float xx = x * x, yy = y * y;
    if (xx + yy > 4.0f) break;
    y = 2 * x * y + cy;
    x = xx - yy + cx;
  }
  return n;
}
int main(void) {
  int same = 0;
  for (int row = 0; row < 14; row++) {
    for (int column = 0; column < 36; column++) {
      const float x = -2.0f + (float)column / 12.0f, y = -1.05f + (float)row / 6.5f;
      const int n = floating(x, y);
      same += n == fixed((int32_t)(x * 16777216.0f), (int32_t)(y * 16777216.0f));
      putchar(" .:-=+*#%@"[n * 9 / 60]);
    }
    putchar('\n');
  }
  printf("%d\n", same);
  return 0;
}
