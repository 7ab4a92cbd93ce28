/* CRC-32 by bits, by table, by nibble; CRC-16. */
#include <stdint.h>
#include <stdio.h>
static uint8_t data[600];
static uint32_t table[256];
static uint32_t by_bits(const uint8_t *p, unsigned n) {
  uint32_t r = ~0u;
  while (n--) {
    r ^= *p++;
    for (int k = 0; k < 8; k++) r = r & 1 ? r >> 1 ^ 0xEDB88320u : r >> 1;
  }
  return ~r;
}
static uint32_t by_table(const uint8_t *p, unsigned n) {
  uint32_t r = ~0u;
  while (n--) r = table[(r ^ *p++) & 255] ^ r >> 8;
  return ~r;
}
static uint16_t ccitt(const uint8_t *p, unsigned n) {
  uint16_t r = 0xffff;
  while (n--) {
    r = (uint16_t)(r ^ *p++ << 8);
    for (int k = 0; k < 8; k++) r = (uint16_t)(r & 0x8000 ? r << 1 ^ 0x1021 : r << 1);
  }
  return r;
}
int main(void) {
  for (unsigned i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * i * 31 + i);
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t r = i;
    for (int k = 0; k < 8; k++) r = r & 1 ? r >> 1 ^ 0xEDB88320u : r >> 1;
    table[i] = r;
  }
  for (unsigned n = 1; n < sizeof data; n += 97)
    printf("%08lx %08lx %04x\n", (unsigned long)by_bits(data, n), (unsigned long)by_table(data + 1, n), ccitt(data, n));
  return 0;
}
