/** Devices of the STM32 that start-up code sets up and that do nothing here besides keeping what is written. */
import { storage, type DeviceTable } from '../register-device.ts';

const ALL = 0xffff_ffff;

/** RM0432 chapter 14; no edge ever arrives. */
export const extiL4Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('IMR1=0xff820000 EMR1 RTSR1 FTSR1 SWIER1'),
    { name: 'PR1', offset: 0x14, writable: 0, oneClears: ALL },
    ...storage('IMR2=0x87 EMR2 RTSR2 FTSR2 SWIER2', 0x20),
    { name: 'PR2', offset: 0x34, writable: 0, oneClears: ALL },
  ],
};

/** RM0090 12.3, RM0385 11.9. */
export const extiF4Table: DeviceTable = {
  bytes: 0x400,
  registers: [...storage('IMR EMR RTSR FTSR SWIER'), { name: 'PR', offset: 0x14, writable: 0, oneClears: ALL }],
};

/** RM0444 chapter 13, RM0456 chapter 23. */
export const extiG0Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('RTSR1 FTSR1 SWIER1'),
    { name: 'RPR1', offset: 0x0c, writable: 0, oneClears: ALL },
    { name: 'FPR1', offset: 0x10, writable: 0, oneClears: ALL },
    ...storage('SECCFGR1 PRIVCFGR1', 0x14),
    ...storage('RTSR2 FTSR2 SWIER2', 0x28),
    { name: 'RPR2', offset: 0x34, writable: 0, oneClears: ALL },
    { name: 'FPR2', offset: 0x38, writable: 0, oneClears: ALL },
    ...storage('EXTICR1 EXTICR2 EXTICR3 EXTICR4 LOCKR', 0x60),
    ...storage('IMR1=0xfff80000 EMR1 - - IMR2=0xffffffff EMR2', 0x80),
  ],
};

/** RM0455 chapter 20. */
export const extiH7Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('RTSR1 FTSR1 SWIER1 SRDPMR1 SRDPCR1L SRDPCR1H'),
    ...storage('RTSR2 FTSR2 SWIER2 SRDPMR2 SRDPCR2L SRDPCR2H', 0x20),
    ...storage('RTSR3 FTSR3 SWIER3 SRDPMR3 SRDPCR3L SRDPCR3H', 0x40),
    ...['1', '2', '3'].flatMap((index, bank) => [
      ...storage(`IMR${index}${bank === 0 ? '=0xffc00000' : ''} EMR${index}`, 0x80 + 0x10 * bank),
      { name: `PR${index}`, offset: 0x88 + 0x10 * bank, writable: 0, oneClears: ALL },
    ]),
  ],
};

/** RM0432 chapter 44: SR reads 0 (no update is under way); the watchdog never bites. */
export const iwdgTable: DeviceTable = {
  bytes: 0x400,
  registers: [
    { name: 'KR', offset: 0x00, writeOnly: true },
    ...storage('PR RLR=0xfff', 0x04),
    { name: 'SR', offset: 0x0c, writable: 0 },
    ...storage('WINR=0xfff EWCR', 0x10),
  ],
};

/** RM0455 23.7: bank 1, which start-up code switches off. */
export const fmcTable: DeviceTable = {
  bytes: 0x400,
  registers: storage(
    'BCR1=0x30db BTR1=0x0fffffff BCR2=0x30d2 BTR2=0x0fffffff BCR3=0x30d2 BTR3=0x0fffffff BCR4=0x30d2 BTR4=0x0fffffff',
  ),
};

/** RM0432 57.6: what stops while a debugger holds the core. @param idCode DEV_ID and REV_ID */
export function dbgmcuTable(idCode: number): DeviceTable {
  return {
    bytes: 0x400,
    registers: [
      { name: 'IDCODE', offset: 0x00, reset: idCode, writable: 0 },
      ...storage('CR FZ1 FZ2 FZ3 FZ4 - - FZ5 - FZ6', 0x04),
      ...storage('APB3FZ1 - APB1LFZ1 - APB1HFZ1 - APB2FZ1 - APB4FZ1', 0x34),
    ],
  };
}
