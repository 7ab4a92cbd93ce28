/* AES-128 (FIPS 197) with the S-box computed; encrypts the standard's example. */
#include <stdint.h>
#include <stdio.h>
static uint8_t sbox[256];
static uint8_t twice(uint8_t x) { return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0)); }
static void make_sbox(void) {
  uint8_t p = 1, q = 1;
  do {
    p = (uint8_t)(p ^ twice(p));
    q ^= (uint8_t)(q << 1);
    q ^= (uint8_t)(q << 2);
    q ^= (uint8_t)(q << 4);
    if (q & 0x80) q ^= 0x09;
    uint8_t x = (uint8_t)(q ^ (uint8_t)(q << 1 | q >> 7) ^ (uint8_t)(q << 2 | q >> 6) ^ (uint8_t)(q << 3 | q >> 5) ^ (uint8_t)(q << 4 | q >> 4));
    sbox[p] = x ^ 0x63;
  } while (p != 1);
  sbox[0] = 0x63;
}
static void expand(const uint8_t key[16], uint8_t round[176]) {
  uint8_t constant = 1;
  for (int i = 0; i < 16; i++) round[i] = key[i];
  for (int i = 16; i < 176; i += 4) {
    uint8_t t[4] = {round[i - 4], round[i - 3], round[i - 2], round[i - 1]};
    if (i % 16 == 0) {
      uint8_t first = t[0];
      t[0] = sbox[t[1]] ^ constant;
      t[1] = sbox[t[2]];
      t[2] = sbox[t[3]];
      t[3] = sbox[first];
      constant = twice(constant);
    }
    for (int j = 0; j < 4; j++) round[i + j] = round[i + j - 16] ^ t[j];
  }
}
static void encrypt(uint8_t s[16], const uint8_t round[176]) {
  for (int i = 0; i < 16; i++) s[i] ^= round[i];
  for (int n = 1; n <= 10; n++) {
    uint8_t t[16];
    for (int i = 0; i < 16; i++) t[i] = sbox[s[(i + 4 * (i % 4)) % 16]];
    for (int c = 0; c < 4; c++) {
      uint8_t *v = t + 4 * c, all = v[0] ^ v[1] ^ v[2] ^ v[3], first = v[0];
      if (n == 10) continue;
      for (int i = 0; i < 4; i++) v[i] ^= all ^ twice(v[i] ^ (i == 3 ? first : v[i + 1]));
    }
    for (int i = 0; i < 16; i++) s[i] = t[i] ^ round[16 * n + i];
  }
}
int main(void) {
  uint8_t key[16], text[16], round[176];
  for (int i = 0; i < 16; i++) key[i] = (uint8_t)i, text[i] = (uint8_t)(i * 17);
  make_sbox();
  expand(key, round);
  encrypt(text, round);
  for (int i = 0; i < 16; i++) printf("%02x", text[i]);
  for (int n = 0; n < 30; n++) encrypt(text, round);
  printf(" %02x%02x\n", text[0], text[15]);
  return 0;
}
