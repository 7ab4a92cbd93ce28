/* Reads of tables in flash in every order: word by word, multiple, backward, with gaps, not aligned to lines, again and again, with stores and conditions between. */
#include <stdint.h>
#include <stdio.h>
#define WORDS 512
#define SQUARE(i) ((i) * 2654435761u)
#define ROW(i) SQUARE(i), SQUARE((i) + 1), SQUARE((i) + 2), SQUARE((i) + 3), SQUARE((i) + 4), SQUARE((i) + 5), SQUARE((i) + 6), SQUARE((i) + 7)
#define ROWS(i) ROW(i), ROW((i) + 8), ROW((i) + 16), ROW((i) + 24), ROW((i) + 32), ROW((i) + 40), ROW((i) + 48), ROW((i) + 56)
static const uint32_t table[WORDS + 64] __attribute__((aligned(16))) = {
  ROWS(0), ROWS(64), ROWS(128), ROWS(192), ROWS(256), ROWS(320), ROWS(384), ROWS(448), ROWS(512),
};
static uint32_t out[64];
static uint32_t state = 1;
static uint32_t next(void) { return (state = state * 1664525u + 1013904223u) >> 8; }

/* Sixteen words in a row, then four multiple ones; stores to the same memory as always. */
static __attribute__((noinline)) uint32_t forward(const uint32_t *from, uint32_t *to) {
  uint32_t sum = 0;
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < 16; k++) sum = sum * 3 + from[k];
    __asm__ volatile("ldmia %0!, {r4-r7}\n eor %1, %1, r4\n add %1, %1, r5\n eor %1, %1, r6\n add %1, %1, r7"
                     : "+r"(from), "+r"(sum) : : "r4", "r5", "r6", "r7", "memory");
    to[i] = sum;
  }
  return sum;
}

/* Backward, with gaps of more and less than a line, halves and bytes that cross lines. */
static __attribute__((noinline)) uint32_t scattered(const uint8_t *from, uint32_t *to) {
  uint32_t sum;
  __asm__ volatile("ldr %0, [%1, #60]\n ldr r4, [%1, #56]\n ldr r5, [%1, #28]\n ldr r6, [%1, #24]\n str r4, [%2]\n"
                   "add %0, r4\n add %0, r5\n add %0, r6\n ldrh r4, [%1, #7]\n ldrb r5, [%1, #8]\n ldrsh r6, [%1, #15]\n ldr r7, [%1, #17]\n"
                   "add %0, r4\n add %0, r5\n add %0, r6\n add %0, r7\n ldr r4, [%1]\n ldr r5, [%1, #12]\n ldr r6, [%1, #20]\n ldr r7, [%1, #100]\n"
                   "add %0, r4\n add %0, r5\n add %0, r6\n add %0, r7\n str %0, [%2, #4]"
                   : "=&r"(sum) : "r"(from), "r"(to) : "r4", "r5", "r6", "r7", "memory");
  return sum;
}

/* Two tables in turn, and a read that is not always made. */
static __attribute__((noinline)) uint32_t mixed(const uint32_t *a, const uint32_t *b, uint32_t flag) {
  uint32_t sum;
  __asm__ volatile("ldr %0, [%1]\n ldr r4, [%2]\n ldr r5, [%1, #4]\n ldr r6, [%2, #4]\n add %0, r4\n add %0, r5\n add %0, r6\n"
                   "cmp %3, #0\n ittt ne\n ldrne r4, [%1, #8]\n ldrne r5, [%2, #40]\n addne %0, r4\n ldr r6, [%2, #8]\n ldr r7, [%2, #16]\n"
                   "add %0, r5\n add %0, r6\n add %0, r7"
                   : "=&r"(sum) : "r"(a), "r"(b), "r"(flag) : "r4", "r5", "r6", "r7", "cc", "memory");
  return sum;
}

int main(void) {
  uint32_t h = 0;
  for (int n = 0; n < 1500; n++) {
    h = h * 31 + forward(table + next() % WORDS, out + next() % 60);
    h = h * 31 + scattered((const uint8_t *)(table + next() % WORDS) + next() % 4, out + next() % 60);
    h = h * 31 + mixed(table + next() % WORDS, table + next() % (n % 64 + 1), next() & 1);
    /* What is at hand again. */
    if (n % 3 == 0) h += forward(table + n % 16, out);
    if (n % 5 == 0) h += mixed(out, table + 64, n & 1);
  }
  printf("%08lx %08lx\n", (unsigned long)h, (unsigned long)out[7]);
  return 0;
}
