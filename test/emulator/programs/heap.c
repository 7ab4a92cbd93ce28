/* malloc, realloc and free under a random load; a linked list and a tree. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *left, *right; uint32_t key; };
static struct node *insert(struct node *n, uint32_t key) {
  if (n == 0) {
    n = calloc(1, sizeof *n);
    n->key = key;
  } else if (key < n->key) n->left = insert(n->left, key);
  else n->right = insert(n->right, key);
  return n;
}
static uint32_t walk(const struct node *n, uint32_t h) { return n == 0 ? h : walk(n->right, (walk(n->left, h) ^ n->key) * 16777619u); }
static void drop(struct node *n) { if (n != 0) { drop(n->left); drop(n->right); free(n); } }
int main(void) {
  static uint8_t *slots[40];
  static unsigned sizes[40];
  uint32_t s = 5, h = 0;
  for (int i = 0; i < 500; i++) {
    s = s * 1664525u + 1013904223u;
    unsigned at = s >> 8 & 31, size = (s >> 16 & 127) + 1;
    if (slots[at] == 0 || (s & 0x80000000u)) {
      slots[at] = realloc(slots[at], size);
      memset(slots[at], (int)at, size);
      sizes[at] = size;
    } else {
      h = h * 31 + slots[at][sizes[at] - 1] + slots[at][0];
      free(slots[at]);
      slots[at] = 0;
    }
  }
  struct node *root = 0;
  for (int i = 0; i < 150; i++) root = insert(root, s = s * 1664525u + 1013904223u);
  printf("%08lx %08lx\n", (unsigned long)h, (unsigned long)walk(root, 1));
  drop(root);
  return 0;
}
