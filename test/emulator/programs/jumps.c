/* setjmp and longjmp through several frames; variable arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
static jmp_buf buffer;
static int depth(int n) {
  volatile int local = n * 3;
  if (n == 0) longjmp(buffer, 5);
  return depth(n - 1) + local;
}
static int sum(int count, ...) {
  va_list list;
  int total = 0;
  va_start(list, count);
  for (int i = 0; i < count; i++) total = total * 3 + (i % 2 == 0 ? va_arg(list, int) : (int)va_arg(list, double));
  va_end(list);
  return total;
}
int main(void) {
  for (volatile int i = 0; i < 20; i++) {
    const int how = setjmp(buffer);
    if (how == 0) depth(i);
    else printf("%d ", how + i);
  }
  printf("%d\n", sum(6, 1, 2.5, 3, 4.5, 5, 6.5));
  return 0;
}
