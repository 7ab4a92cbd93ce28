/* A byte-code machine: dense and sparse switches, jump tables, function pointers. */
#include <stdint.h>
#include <stdio.h>
static int32_t stack[32];
static int32_t run(const uint8_t *code) {
  int sp = 0;
  for (unsigned pc = 0, steps = 0; steps < 4000; steps++) {
    const uint8_t op = code[pc++];
    switch (op) {
      case 0: return stack[sp - 1];
      case 1: stack[sp++] = (int8_t)code[pc++]; break;
      case 2: sp--; stack[sp - 1] += stack[sp]; break;
      case 3: sp--; stack[sp - 1] -= stack[sp]; break;
      case 4: sp--; stack[sp - 1] *= stack[sp]; break;
      case 5: stack[sp] = stack[sp - 1]; sp++; break;
      case 6: sp--; if (stack[sp] != 0) pc = (unsigned)(pc + 1 + (unsigned)(int8_t)code[pc]); else pc++; break;
      case 7: { int32_t t = stack[sp - 1]; stack[sp - 1] = stack[sp - 2]; stack[sp - 2] = t; break; }
      case 8: stack[sp - 1] = ~stack[sp - 1]; break;
      case 9: sp--; stack[sp - 1] ^= stack[sp] << 3; break;
      case 10: stack[sp - 1] = (int32_t)((uint32_t)stack[sp - 1] >> 1); break;
      default: return -1;
    }
  }
  return stack[0];
}
static int classify(int x) {
  switch (x) {
    case -1000: return 1;
    case 3: return 2;
    case 77: return 3;
    case 4096: return 4;
    case 100000: return 5;
    default: return x & 7;
  }
}
static int add(int a, int b) { return a + b; }
static int mul(int a, int b) { return a * b; }
static int less(int a, int b) { return a < b; }
int main(void) {
  static const uint8_t loop[] = {1, 0, 1, 100, 5, 7, 1, 1, 3, 5, 6, 1, 0, 7, 2, 7, 5, 6, (uint8_t)-14, 0};
  static const uint8_t mixed[] = {1, 5, 1, 7, 4, 5, 8, 9, 10, 0};
  int (*const table[])(int, int) = {add, mul, less};
  int total = 0;
  for (int i = 0; i < 300; i++) total = table[i % 3](total, i) + classify(i == 9 ? 100000 : i * 77 % 4097);
  printf("%ld %ld %d\n", (long)run(loop), (long)run(mixed), total);
  return 0;
}
