/* Conway's life on packed bits, and the number of living cells. */
#include <stdint.h>
#include <stdio.h>
static uint32_t board[32], next_board[32];
static unsigned cell(unsigned y, unsigned x) { return board[y & 31] >> (x & 31) & 1; }
static unsigned population(uint32_t x) { unsigned n = 0; for (; x != 0; x &= x - 1) n++; return n; }
int main(void) {
  uint32_t s = 2463534242u;
  for (unsigned y = 0; y < 32; y++) board[y] = s = s * 1664525u + 1013904223u;
  for (int turn = 0; turn < 12; turn++) {
    unsigned living = 0;
    for (unsigned y = 0; y < 32; y++) {
      uint32_t row = 0;
      for (unsigned x = 0; x < 32; x++) {
        unsigned n = 0;
        for (unsigned k = 0; k < 9; k++) n += k == 4 ? 0 : cell(y + k / 3 - 1, x + k % 3 - 1);
        row |= (uint32_t)(n == 3 || (n == 2 && cell(y, x))) << x;
      }
      next_board[y] = row;
      living += population(row);
    }
    for (unsigned y = 0; y < 32; y++) board[y] = next_board[y];
    printf("%u ", living);
  }
  printf("\n");
  return 0;
}
