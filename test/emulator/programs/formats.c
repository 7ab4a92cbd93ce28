/* printf with every integer conversion, widths, and sscanf back. */
#include <stdio.h>
int main(void) {
  char line[120];
  int total = 0;
  for (int i = -3; i < 4; i++) {
    int n = snprintf(line, sizeof line, "%d|%5d|%-5d|%05d|%+d|%x|%#o|%c|%s|%.3s|%p|%%|%hhd|%ld|%lld", i, i, i, i, i, (unsigned)i, (unsigned)i,
                     'a' + i, "text", "truncated", (void *)0x1234, (signed char)(i * 100), (long)i * 1000000, (long long)i * 10000000000LL);
    total += n;
    printf("%s\n", line);
  }
  int a, b;
  char word[20];
  const int found = sscanf("12 0x1f hello", "%d %i %19s", &a, &b, word);
  printf("%d %d %d %d %s\n", total, found, a, b, word);
  return total & 63;
}
