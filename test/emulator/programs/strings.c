/* The C library's string functions at every alignment. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  static char a[128], b[128];
  uint32_t h = 0;
  for (int from = 0; from < 8; from++)
    for (int to = 0; to < 8; to++)
      for (int n = 0; n < 40; n += 7) {
        memset(a, 'x', sizeof a);
        for (int i = 0; i < 100; i++) b[i] = (char)('a' + (i * 7 + n) % 26);
        b[from + n] = 0;
        strcpy(a + to, b + from);
        memmove(a + to + 3, a + to, strlen(a + to) + 1);
        h = h * 31 + (uint32_t)strlen(a + to) + (uint32_t)strcspn(a + to, "qz") + (uint32_t)(memchr(a, 'e', 60) != 0);
        h ^= (uint32_t)(memcmp(a, b, 20) > 0) + (uint32_t)(strcmp(a + to, b + from) < 0) * 3 + (uint32_t)strncmp(a, a, 9);
        for (char *p = a + to; *p != 0; p++) h = h * 33 + (uint32_t)toupper(*p);
      }
  char text[] = "alpha,beta;gamma delta";
  for (char *token = strtok(text, ",; "); token != 0; token = strtok(0, ",; ")) printf("%s ", token);
  printf("%08lx %ld %lu\n", (unsigned long)h, strtol(" -0x1fG", 0, 16), strtoul("777", 0, 8));
  return 0;
}
