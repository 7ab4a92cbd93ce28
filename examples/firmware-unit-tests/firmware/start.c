/* Vector table and start-up for the MPS2 AN386 board. */
#include <stdint.h>

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];
int main(void);
void tick(void);

static void reset(void) {
  const uint32_t *from = data_load;
  for (uint32_t *to = data_start; to < data_end;) *to++ = *from++;
  for (uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
  main();
  for (;;) __asm volatile("wfi");
}

static void hang(void) {
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    [0] = stack_top, [1] = (const void *)reset, [2] = (const void *)hang, [3] = (const void *)hang, [15] = (const void *)tick,
};
