/* LZ77 with a hash chain, and back again. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
static uint8_t text[900], packed[1200], back[900];
static int heads[64];
static unsigned pack(unsigned n) {
  unsigned out = 0;
  memset(heads, -1, sizeof heads);
  for (unsigned i = 0; i < n;) {
    unsigned length = 0;
    const unsigned hash = i + 2 < n ? (unsigned)(text[i] * 5 + text[i + 1] * 3 + text[i + 2]) & 63 : 0;
    const int at = heads[hash];
    heads[hash] = (int)i;
    if (at >= 0 && i - (unsigned)at < 255)
      while (length < 60 && i + length < n && text[(unsigned)at + length] == text[i + length]) length++;
    if (length > 3) {
      packed[out++] = (uint8_t)(128 + length);
      packed[out++] = (uint8_t)(i - (unsigned)at);
      i += length;
    } else {
      packed[out++] = text[i++] & 127;
    }
  }
  return out;
}
static unsigned unpack(unsigned n) {
  unsigned out = 0;
  for (unsigned i = 0; i < n;) {
    if (packed[i] < 128) back[out++] = packed[i++];
    else {
      const unsigned length = packed[i] - 128u, distance = packed[i + 1];
      for (unsigned k = 0; k < length; k++, out++) back[out] = back[out - distance];
      i += 2;
    }
  }
  return out;
}
int main(void) {
  static const char *const words[] = {"the ", "quick ", "brown ", "fox ", "jumps ", "over ", "lazy ", "dog "};
  unsigned n = 0;
  for (uint32_t s = 3; n < 880; s = s * 1664525u + 1013904223u)
    for (const char *w = words[s >> 29]; *w != 0; w++) text[n++] = (uint8_t)*w;
  const unsigned size = pack(n), again = unpack(size);
  printf("%u %u %u %d\n", n, size, again, memcmp(text, back, n));
  return 0;
}
