/** Registers of the STM32 USART and LPUART with ISR and TDR (L4+, G0, F7, H7, U5): RM0432 49.8 and 50.7, RM0456 66.8. */
import { storage, type DeviceTable } from '../register-device.ts';
import { FLAG } from './usart-device.ts';

export const CR1 = {
  UE: 0,
  RE: 2,
  TE: 3,
  M0: 12,
  OVER8: 15,
  M1: 28,
  FIFOEN: 29,
  TXFEIE: 30,
  RXFFIE: 31,
} as const;
export const CR2 = { STOP: 12 } as const;
export const CR3 = {
  EIE: 0,
  OVRDIS: 12,
  TXFTIE: 23,
  RXFTCFG: 25,
  RXFTIE: 28,
  TXFTCFG: 29,
} as const;
export const ISR = {
  ...FLAG,
  BUSY: 16,
  TEACK: 21,
  REACK: 22,
  TXFE: 23,
  RXFF: 24,
  RXFT: 26,
  TXFT: 27,
} as const;
export const RQR = { RXFRQ: 3, TXFRQ: 4 } as const;

/** Divider of the kernel clock by PRESC. */
export const PRESCALERS = [1, 2, 4, 6, 8, 10, 12, 16, 32, 64, 128, 256] as const;
/** Both directions, with FIFOEN. */
export const FIFO_BYTES = 8;
/** RXFTCFG and TXFTCFG: bytes received, and free places to send, from which RXFT and TXFT are set. */
export const THRESHOLD_BYTES = [1, 2, 4, 6, 7, 8] as const;

export const usartTable: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('CR1 CR2 CR3 BRR GTPR RTOR'),
    { name: 'RQR', offset: 0x18, writeOnly: true },
    { name: 'ISR', offset: 0x1c, writable: 0 },
    { name: 'ICR', offset: 0x20, writeOnly: true },
    { name: 'RDR', offset: 0x24, writable: 0 },
    { name: 'TDR', offset: 0x28 },
    { name: 'PRESC', offset: 0x2c, writable: 0xf },
  ],
};
