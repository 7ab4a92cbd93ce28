/* qsort and bsearch with callbacks, Knuth-Morris-Pratt, shortest paths, primes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct item { uint16_t key; char name[6]; };
static struct item items[80];
static int by_key(const void *a, const void *b) { return (int)((const struct item *)a)->key - (int)((const struct item *)b)->key; }
static int find(const char *text, const char *pattern) {
  int fail[16] = {0}, n = (int)strlen(pattern);
  for (int i = 1, k = 0; i < n; i++) { while (k > 0 && pattern[i] != pattern[k]) k = fail[k - 1]; fail[i] = k += pattern[i] == pattern[k]; }
  for (int i = 0, k = 0; text[i] != 0; i++) { while (k > 0 && text[i] != pattern[k]) k = fail[k - 1]; if (text[i] == pattern[k] && ++k == n) return i - n + 1; }
  return -1;
}
int main(void) {
  static int distance[12][12];
  static uint8_t sieve[2000];
  uint32_t s = 1, h = 0;
  for (int i = 0; i < 80; i++) { s = s * 1664525u + 1013904223u; items[i].key = (uint16_t)(s >> 16); sprintf(items[i].name, "%d", i); }
  qsort(items, 80, sizeof items[0], by_key);
  for (int i = 0; i < 80; i++) { struct item wanted = {.key = items[i].key}; h = h * 31 + (uint32_t)((struct item *)bsearch(&wanted, items, 80, sizeof wanted, by_key) - items); }
  for (int i = 0; i < 12; i++) for (int k = 0; k < 12; k++) { s = s * 1664525u + 1013904223u; distance[i][k] = i == k ? 0 : (int)(s >> 20) + 1; }
  for (int k = 0; k < 12; k++) for (int i = 0; i < 12; i++) for (int j = 0; j < 12; j++) if (distance[i][k] + distance[k][j] < distance[i][j]) distance[i][j] = distance[i][k] + distance[k][j];
  unsigned primes = 0;
  for (unsigned i = 2; i < sizeof sieve; i++) { if (sieve[i]) continue; primes++; for (unsigned k = i * i; k < sizeof sieve; k += i) sieve[k] = 1; }
  printf("%08lx %d %d %u %d\n", (unsigned long)h, distance[3][9], distance[11][0], primes, find("abababcababababd", "ababababd"));
  return 0;
}
