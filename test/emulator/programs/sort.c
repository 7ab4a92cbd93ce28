/* Heap sort, insertion sort, merge sort on the same data. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#define N 400
static uint32_t state = 7;
static uint32_t next(void) { return state = state * 1664525u + 1013904223u; }
static int32_t a[N], b[N], c[N], scratch[N];
static void sift(int32_t *v, int from, int to) {
  while (2 * from + 1 <= to) {
    int child = 2 * from + 1;
    if (child < to && v[child] < v[child + 1]) child++;
    if (v[from] >= v[child]) return;
    int32_t t = v[from];
    v[from] = v[child];
    v[child] = t;
    from = child;
  }
}
static void heap_sort(int32_t *v, int n) {
  for (int i = n / 2 - 1; i >= 0; i--) sift(v, i, n - 1);
  for (int i = n - 1; i > 0; i--) {
    int32_t t = v[0];
    v[0] = v[i];
    v[i] = t;
    sift(v, 0, i - 1);
  }
}
static void insertion_sort(int32_t *v, int n) {
  for (int i = 1; i < n; i++) {
    int32_t x = v[i];
    int j = i;
    for (; j > 0 && v[j - 1] > x; j--) v[j] = v[j - 1];
    v[j] = x;
  }
}
static void merge_sort(int32_t *v, int n) {
  if (n < 2) return;
  int half = n / 2, i = 0, j = half;
  merge_sort(v, half);
  merge_sort(v + half, n - half);
  for (int k = 0; k < n; k++) scratch[k] = j >= n || (i < half && v[i] <= v[j]) ? v[i++] : v[j++];
  memcpy(v, scratch, (unsigned)n * sizeof *v);
}
int main(void) {
  for (int i = 0; i < N; i++) a[i] = b[i] = c[i] = (int32_t)next() >> (i % 20);
  heap_sort(a, N);
  insertion_sort(b, N);
  merge_sort(c, N);
  printf("%d %d %ld %ld\n", memcmp(a, b, sizeof a), memcmp(b, c, sizeof b), (long)a[0], (long)a[N - 1]);
  return 0;
}
