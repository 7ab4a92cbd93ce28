/* Bit fields, packed and unaligned data, unions, endianness. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
struct fields { uint32_t a : 3, b : 11; int32_t c : 7, d : 11; uint16_t e : 5, f : 9; };
struct __attribute__((packed)) packet { uint8_t kind; uint16_t length; uint32_t address; int64_t time; float level; };
int main(void) {
  struct fields x = {0};
  uint32_t h = 1;
  uint8_t raw[64];
  for (unsigned i = 0; i < 300; i++) {
    x.a = (x.a + i) & 7;
    x.b = (x.b * 5u + i) & 0x7ff;
    x.c = (int)(i % 128) - 64;
    x.d = (int)(x.b) - 1024;
    x.e ^= i & 31;
    x.f = (uint16_t)((x.f + 3u) & 0x1ff);
    h = h * 31 + x.a + x.b + (uint32_t)x.c + (uint32_t)x.d + x.e + x.f;
    for (unsigned k = 0; k < sizeof raw; k++) raw[k] = (uint8_t)(k * 37 + i);
    struct packet *p = (struct packet *)(raw + i % 17);
    p->length = (uint16_t)(p->length + p->kind);
    p->address = __builtin_bswap32(p->address) + p->length;
    p->time -= (int64_t)p->address;
    p->level = (float)p->kind * 0.5f;
    uint32_t words[8];
    memcpy(words, raw + i % 5, sizeof words);
    for (unsigned k = 0; k < 8; k++) h ^= words[k] >> (k + 1) | words[k] << (31 - k);
  }
  printf("%08lx %u\n", (unsigned long)h, (unsigned)sizeof(struct packet));
  return 0;
}
