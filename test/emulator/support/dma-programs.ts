/** The same few functions over the DMA controllers of the STM32 boards, from the reference manuals, for programs that send and receive. */

export interface Controller {
  readonly uart: 'v1' | 'v2' | 'low-power';
  readonly uartBase: string;
  readonly uartIrq: number;
  readonly receiveIrq: number;
  /** Switches the UART's clock on. */
  readonly uartClock: string;
  /** Register and bit of the controller's clock. */
  readonly dmaClock: readonly [register: string, bit: number];
  /** Definitions of the flavour. */
  readonly flavour: string;
  readonly halfAndComplete: number;
  readonly error: number;
  /** After the end of a buffer. */
  readonly staysOn: boolean;
  readonly clockNote: RegExp;
  readonly requestNote: RegExp;
}

/** Channels 1 (receive) and 2 (send) of DMA1, RM0432 chapters 11 and 12. */
const channels = (receive: number, send: number): string => `
#define DMA 0x40020000
#define MUX 0x40020800
#define TX_HALF 0x40
#define TX_COMPLETE 0x20
#define TX_ERROR 0x80
#define RX_HALF 4
#define RX_COMPLETE 2
#define RX_ERROR 8
static void send_dma_as_selected(const char *from, uint32_t bytes) {
  REG(DMA + 0x20) = bytes; REG(DMA + 0x24) = TRANSMIT; REG(DMA + 0x28) = (uint32_t)from; REG(DMA + 0x1c) = 0x91;
}
static void select_request(void) { REG(MUX + 4) = ${send}; }
static void wrong_request(void) { REG(MUX + 4) = 3; }
static void receive_dma(uint8_t *to, uint32_t bytes) {
  REG(MUX) = ${receive};
  REG(DMA + 0x0c) = bytes; REG(DMA + 0x10) = RECEIVE; REG(DMA + 0x14) = (uint32_t)to; REG(DMA + 0x08) = 0xaf; receive_requests();
}
static uint32_t tx_flags(void) { return REG(DMA); }
static uint32_t tx_left(void) { return REG(DMA + 0x20); }
static uint32_t tx_is_on(void) { return REG(DMA + 0x1c) & 1; }
static uint32_t rx_flags(void) { return REG(DMA) & 0xf; }
static uint32_t rx_left(void) { return REG(DMA + 0x0c); }
static void rx_clear(void) { REG(DMA + 4) = 0xf; }
`;

/** Two streams, RM0090 chapter 10. @param muxed requests by DMAMUX1 (RM0455 chapter 17), else by CHSEL */
const streams = (dma: string, receive: number, send: number, muxed: readonly [number, number] | null): string => {
  const shift = (stream: number): number => [0, 6, 16, 22][stream % 4]!;
  const at = (stream: number): string => `DMA + ${0x10 + 0x18 * stream}`;
  const status = (stream: number): string => `REG(DMA + ${stream < 4 ? 0 : 4})`;
  const channel = muxed === null ? 4 << 25 : 0;
  const select = (stream: number, request: number | undefined): string =>
    request === undefined ? '' : `REG(0x40020800 + ${4 * stream}) = ${request};`;
  return `
#define DMA ${dma}
#define TX_HALF 0x10
#define TX_COMPLETE 0x20
#define TX_ERROR 8
#define RX_HALF 0x10
#define RX_COMPLETE 0x20
#define RX_ERROR 8
static uint32_t selected = ${channel};
static void send_dma_as_selected(const char *from, uint32_t bytes) {
  REG(${at(send)} + 4) = bytes; REG(${at(send)} + 8) = TRANSMIT; REG(${at(send)} + 12) = (uint32_t)from; REG(${at(send)}) = selected | 0x441;
}
static void select_request(void) { ${select(send, muxed?.[1])} selected = ${channel}; }
static void wrong_request(void) { ${muxed === null ? `selected = 0x0e000000;` : select(send, 3)} }
static void receive_dma(uint8_t *to, uint32_t bytes) {
  ${select(receive, muxed?.[0])}
  REG(${at(receive)} + 4) = bytes; REG(${at(receive)} + 8) = RECEIVE; REG(${at(receive)} + 12) = (uint32_t)to;
  REG(${at(receive)}) = ${channel} | 0x51d; receive_requests();
}
static uint32_t tx_flags(void) { return ${status(send)} >> ${shift(send)} & 0x3f; }
static uint32_t tx_left(void) { return REG(${at(send)} + 4); }
static uint32_t tx_is_on(void) { return REG(${at(send)}) & 1; }
static uint32_t rx_flags(void) { return ${status(receive)} >> ${shift(receive)} & 0x3f; }
static uint32_t rx_left(void) { return REG(${at(receive)} + 4); }
static void rx_clear(void) { REG(DMA + ${receive < 4 ? 8 : 12}) = 0x3fu << ${shift(receive)}; }
`;
};

/** Channels 0 (send) and 1 (receive, a list of one item that leads to itself) of GPDMA1, RM0456 chapter 17. */
const gpdma = `
#define DMA 0x40020000
#define CHANNEL(x) (DMA + 0x50 + 0x80 * (x))
#define TX_HALF 0x200
#define TX_COMPLETE 0x100
#define TX_ERROR 0x400
#define RX_HALF 0x200
#define RX_COMPLETE 0x100
#define RX_ERROR 0x400
static uint32_t selected = 25;
static void send_dma_as_selected(const char *from, uint32_t bytes) {
  REG(CHANNEL(0) + 0x40) = 1 << 3; REG(CHANNEL(0) + 0x44) = selected | 1 << 10; REG(CHANNEL(0) + 0x48) = bytes;
  REG(CHANNEL(0) + 0x4c) = (uint32_t)from; REG(CHANNEL(0) + 0x50) = TRANSMIT; REG(CHANNEL(0) + 0x7c) = 0; REG(CHANNEL(0) + 0x14) = 1;
}
static void select_request(void) { selected = 25; }
static void wrong_request(void) { selected = 3; }
static uint32_t item[2] __attribute__((aligned(32)));
static void receive_dma(uint8_t *to, uint32_t bytes) {
  /* At the end of a block: the target address and this same list anew */
  item[0] = (uint32_t)to; item[1] = 1 << 27 | 1 << 16 | ((uint32_t)item & 0xfffc);
  REG(CHANNEL(1)) = (uint32_t)item & 0xffff0000;
  REG(CHANNEL(1) + 0x40) = 1 << 19; REG(CHANNEL(1) + 0x44) = 24; REG(CHANNEL(1) + 0x48) = bytes;
  REG(CHANNEL(1) + 0x4c) = RECEIVE; REG(CHANNEL(1) + 0x50) = (uint32_t)to; REG(CHANNEL(1) + 0x7c) = item[1];
  REG(CHANNEL(1) + 0x14) = 0x3f01; receive_requests();
}
static uint32_t tx_flags(void) { return REG(CHANNEL(0) + 0x10); }
static uint32_t tx_left(void) { return REG(CHANNEL(0) + 0x48) & 0xffff; }
static uint32_t tx_is_on(void) { return REG(CHANNEL(0) + 0x14) & 1; }
static uint32_t rx_flags(void) { return REG(CHANNEL(1) + 0x10); }
static uint32_t rx_left(void) { return REG(CHANNEL(1) + 0x48) & 0xffff; }
static void rx_clear(void) { REG(CHANNEL(1) + 0x0c) = 0x7f00; }
`;

const ofStreams = {
  halfAndComplete: 0x30,
  error: 8,
  staysOn: false,
  clockNote: /^DMA[12] is used while it is off; it needs RCC\.AHB1ENR\.\d+$/,
};
const ofChannels = {
  halfAndComplete: 0x60,
  error: 0x80,
  staysOn: true,
  requestNote: /^DMA1 channel 2 waits for DMAMUX1\.3, a request that is not modelled$/,
};

/** By the board's name. */
export const controllers: Readonly<Record<string, Controller>> = {
  'nucleo-l4r5zi': {
    ...ofChannels,
    uart: 'low-power',
    uartBase: '0x40008000',
    uartIrq: 70,
    receiveIrq: 11,
    uartClock: 'REG(0x4002105c) |= 1; REG(0x40021048) |= 4;',
    dmaClock: ['0x40021048', 0],
    flavour: channels(34, 35),
    clockNote: /^DMA1 is used while it is off; it needs RCC\.AHB1ENR\.0$/,
  },
  'nucleo-g0b1re': {
    ...ofChannels,
    uart: 'v2',
    uartBase: '0x40004400',
    uartIrq: 28,
    receiveIrq: 9,
    uartClock: 'REG(0x4002103c) |= 1 << 17;',
    dmaClock: ['0x40021038', 0],
    flavour: channels(52, 53),
    clockNote: /^DMA1 is used while it is off; it needs RCC\.AHBENR\.0$/,
  },
  'stm32f4-discovery': {
    ...ofStreams,
    uart: 'v1',
    uartBase: '0x40004400',
    uartIrq: 38,
    receiveIrq: 16,
    uartClock: 'REG(0x40023840) |= 1 << 17;',
    dmaClock: ['0x40023830', 21],
    flavour: streams('0x40026000', 5, 6, null),
    requestNote: /^DMA1 stream 6 waits for DMA1\.6\.7, a request that is not modelled$/,
  },
  'disco-f746ng': {
    ...ofStreams,
    uart: 'v2',
    uartBase: '0x40011000',
    uartIrq: 37,
    receiveIrq: 58,
    uartClock: 'REG(0x40023844) |= 1 << 4;',
    dmaClock: ['0x40023830', 22],
    flavour: streams('0x40026400', 2, 7, null),
    requestNote: /^DMA2 stream 7 waits for DMA2\.7\.7, a request that is not modelled$/,
  },
  'nucleo-h7a3zi-q': {
    ...ofStreams,
    uart: 'v2',
    uartBase: '0x40004800',
    uartIrq: 39,
    receiveIrq: 11,
    uartClock: 'REG(0x58024548) |= 1 << 18;',
    dmaClock: ['0x58024538', 0],
    flavour: streams('0x40020000', 0, 1, [45, 46]),
    requestNote: /^DMA1 stream 1 waits for DMAMUX1\.3, a request that is not modelled$/,
  },
  'nucleo-u575zi-q': {
    uart: 'v2',
    uartBase: '0x40013800',
    uartIrq: 61,
    receiveIrq: 30,
    uartClock: 'REG(0x46020ca4) |= 1 << 14;',
    dmaClock: ['0x46020c88', 0],
    flavour: gpdma,
    halfAndComplete: 0x300,
    error: 0x400,
    staysOn: false,
    clockNote: /^GPDMA1 is used while it is off; it needs RCC\.AHB1ENR\.0$/,
    requestNote: /^GPDMA1 channel 0 waits for GPDMA1\.3, a request that is not modelled$/,
  },
};

/** 100 ticks a bit; the clocks are those after reset. */
const v2 = (divider: string): string => `
#define STATUS REG(UART + 0x1c)
#define TRANSMIT (UART + 0x28)
#define RECEIVE (UART + 0x24)
static void uart_on(void) { REG(UART + 12) = ${divider}; REG(UART) = 0xd; }
static void clear_idle(void) { REG(UART + 0x20) = 0x10; }
static void receive_requests(void) { REG(UART) |= 0x10; REG(UART + 8) |= 0x40; }
static void transmit_requests(void) { REG(UART + 0x20) = 0x40; REG(UART + 8) |= 0x80; }
`;
const v1 = `
#define STATUS REG(UART)
#define TRANSMIT (UART + 4)
#define RECEIVE (UART + 4)
static void uart_on(void) { REG(UART + 8) = 100; REG(UART + 12) = 0x200c; }
static void clear_idle(void) { (void)STATUS; (void)REG(UART + 4); }
static void receive_requests(void) { REG(UART + 12) |= 0x10; REG(UART + 0x14) |= 0x40; }
static void transmit_requests(void) { STATUS = ~0x40u; REG(UART + 0x14) |= 0x80; }
`;

export function dmaPrelude(board: string): string {
  const { uart, uartBase, uartIrq, receiveIrq, uartClock, dmaClock, flavour } = controllers[board]!;
  const [register, bit] = dmaClock;
  return `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define UART ${uartBase}
volatile uint32_t seen[8];
${uart === 'v1' ? v1 : v2(uart === 'low-power' ? '256 * 100' : '100')}
${flavour}
static void dma_clock(int on) { if (on) REG(${register}) |= 1 << ${bit}; else REG(${register}) &= ~(1u << ${bit}); }
static void start(void) { ${uartClock} dma_clock(1); uart_on(); }
static void send_dma(const char *from, uint32_t bytes) { select_request(); send_dma_as_selected(from, bytes); transmit_requests(); }
static void put(const char *text) { while (*text) { while (!(STATUS & 0x80)) { } REG(TRANSMIT) = (uint8_t)*text++; } while (!(STATUS & 0x40)) { } }
static void handlers(void (*uart)(void), void (*dma)(void)) {
  static uint32_t table[256] __attribute__((aligned(1024)));
  table[16 + ${uartIrq}] = (uint32_t)uart; table[16 + ${receiveIrq}] = (uint32_t)dma; REG(0xe000ed08) = (uint32_t)table;
  REG(0xe000e100 + ${4 * (uartIrq >> 5)}) = 1u << ${uartIrq & 31}; REG(0xe000e100 + ${4 * (receiveIrq >> 5)}) = 1u << ${receiveIrq & 31};
}
`;
}
