/* Deep and wide recursion, queens, towers. */
#include <stdio.h>
static unsigned calls;
static unsigned ackermann(unsigned m, unsigned n) {
  calls++;
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
static unsigned queens(unsigned all, unsigned columns, unsigned left, unsigned right) {
  if (columns == all) return 1;
  unsigned count = 0;
  for (unsigned free = all & ~(columns | left | right); free != 0; free &= free - 1) {
    const unsigned bit = free & -free;
    count += queens(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
}
static unsigned towers(int n, int from, int to) { return n == 0 ? 0 : towers(n - 1, from, 3 - from - to) * 3 + (unsigned)(from * 2 + to) + towers(n - 1, 3 - from - to, to); }
int main(void) {
  printf("%u %u %u %u\n", ackermann(2, 9), calls, queens(127, 0, 0, 0), towers(9, 0, 2));
  return 0;
}
