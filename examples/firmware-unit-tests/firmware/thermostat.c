/* A thermostat: keeps an average of readings, switches a heater with hysteresis, takes "t NN" (target) and "r NN" (reading) from its UART. */
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define UART_DATA REG(0x40004000)
#define UART_STATE REG(0x40004004)
#define UART_CTRL REG(0x40004008)
#define UART_BAUDDIV REG(0x40004010)
#define SYST_CSR REG(0xe000e010)
#define SYST_RVR REG(0xe000e014)
#define SYST_CVR REG(0xe000e018)

int16_t readings[4] = {20, 20, 20, 20};
volatile uint32_t seconds;
int16_t target = 20;
uint8_t heating;

int average(void) {
  int sum = 0;
  for (int i = 0; i < 4; i++) sum += readings[i];
  return sum / 4;
}

/* One degree of hysteresis to either side. */
void control(void) {
  int now = average();
  if (now < target - 1) heating = 1;
  else if (now > target + 1) heating = 0;
}

static void put(char c) {
  UART_DATA = (uint32_t)c;
}

static void print(const char *text) {
  while (*text) put(*text++);
}

static char get(void) {
  while ((UART_STATE & 2) == 0) {
  }
  return (char)UART_DATA;
}

/* Digits up to the end of the line. */
static int number(void) {
  int value = 0;
  for (char c = get(); c != '\n'; c = get())
    if (c >= '0' && c <= '9') value = value * 10 + (c - '0');
  return value;
}

void tick(void) {
  seconds++;
}

int main(void) {
  UART_BAUDDIV = 16;
  UART_CTRL = 3;
  SYST_RVR = 25000 - 1; /* a millisecond at 25 MHz stands for a second */
  SYST_CVR = 0;
  SYST_CSR = 7;
  print("ready\n");
  for (int next = 0;;) {
    char command = get();
    int value = number();
    if (command == 't') target = (int16_t)value;
    if (command == 'r') {
      readings[next] = (int16_t)value;
      next = (next + 1) & 3;
    }
    control();
    print(heating ? "heat\n" : "idle\n");
  }
}
