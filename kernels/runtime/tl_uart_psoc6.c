/* SPDX-License-Identifier: MIT
 * Serial communication block 5 of a PSoC 62 as UART (architecture TRM 002-24526, chapters SCB, I/O system, clocking).
 * Its clock is clk_peri through 8-bit divider 0; with 12 samples a bit the divider is chosen for 115200 baud. */
#include "tl_uart.h"

typedef struct {
    uint32_t port;
    uint32_t pin;
    uint32_t function;
} tl_pin;

#define PERI_DIV_CMD TL_REGISTER(0x40000400U)
#define PERI_DIV_CMD_ENABLE (1U << 31)
#define PERI_DIV_CMD_DISABLE (1U << 30)
#define PERI_DIV_CMD_NO_PHASE (0x3FFU << 16) /* align to clk_peri */
#define PERI_CLOCK_CTL_SCB5 TL_REGISTER(0x40000C14U)
#define PERI_DIV_8_CTL0 TL_REGISTER(0x40001000U)
#define HSIOM_BASE 0x40300000U
#define GPIO_BASE 0x40310000U
#define GPIO_OUT_SET(port) TL_REGISTER((port) + 0x08U)
#define GPIO_CFG(port) TL_REGISTER((port) + 0x44U)
#define DRIVE_STRONG 6U
#define DRIVE_HIGH_IMPEDANCE_INPUT 8U
#define SCB_CTRL TL_REGISTER(TL_UART_BASE + 0x00U)
#define SCB_CTRL_UART (2U << 24)
#define SCB_CTRL_ENABLED (1U << 31)
#define SCB_UART_CTRL TL_REGISTER(TL_UART_BASE + 0x40U)
#define SCB_UART_TX_CTRL TL_REGISTER(TL_UART_BASE + 0x44U)
#define SCB_UART_TX_CTRL_ONE_STOP 1U /* half bits, less one */
#define SCB_TX_CTRL TL_REGISTER(TL_UART_BASE + 0x200U)
#define SCB_TX_CTRL_8BIT 7U /* least significant bit first */
#define SCB_TX_FIFO_STATUS TL_REGISTER(TL_UART_BASE + 0x208U)
#define SCB_TX_FIFO_STATUS_USED 0x1FFU
#define SCB_TX_FIFO_WR TL_REGISTER(TL_UART_BASE + 0x240U)
#define FIFO_BYTES 128U
#define SAMPLES 12U

static void set_up_pin(const tl_pin *pin, uint32_t mode)
{
    const uint32_t port_number = (pin->port - GPIO_BASE) / 0x80U;
    const uint32_t select = HSIOM_BASE + 0x10U * port_number + 4U * (pin->pin / 4U);
    const uint32_t select_shift = 8U * (pin->pin % 4U);
    const uint32_t mode_shift = 4U * pin->pin;

    TL_REGISTER(select) = (TL_REGISTER(select) & ~(0x1FU << select_shift)) | (pin->function << select_shift);
    GPIO_CFG(pin->port) = (GPIO_CFG(pin->port) & ~(0xFU << mode_shift)) | (mode << mode_shift);
}

void tl_uart_init(void)
{
    static const tl_pin pins[] = {TL_UART_PINS};
    const uint32_t divider = (TL_UART_HZ + TL_UART_BAUD * SAMPLES / 2U) / (TL_UART_BAUD * SAMPLES);

    PERI_DIV_CMD = PERI_DIV_CMD_DISABLE | PERI_DIV_CMD_NO_PHASE;
    PERI_DIV_8_CTL0 = (divider - 1U) << 8;
    PERI_DIV_CMD = PERI_DIV_CMD_ENABLE | PERI_DIV_CMD_NO_PHASE;
    PERI_CLOCK_CTL_SCB5 = 0;
    SCB_CTRL = SCB_CTRL_UART | (SAMPLES - 1U);
    SCB_UART_CTRL = 0;
    SCB_UART_TX_CTRL = SCB_UART_TX_CTRL_ONE_STOP;
    SCB_TX_CTRL = SCB_TX_CTRL_8BIT;
    SCB_CTRL |= SCB_CTRL_ENABLED;
    GPIO_OUT_SET(pins[0].port) = 1U << pins[0].pin;
    set_up_pin(&pins[0], DRIVE_STRONG);
    set_up_pin(&pins[1], DRIVE_HIGH_IMPEDANCE_INPUT);
}

void tl_uart_write(uint8_t byte)
{
    while ((SCB_TX_FIFO_STATUS & SCB_TX_FIFO_STATUS_USED) >= FIFO_BYTES) {
    }
    SCB_TX_FIFO_WR = byte;
}
