/** STM32F4 (RM0090: RCC chapter 7, PWR 5, FLASH 3) and STM32F7 (RM0385: RCC chapter 5, PWR 4, FLASH 3), which share most of their registers. */
import type { ClockRates } from '../clocks.ts';
import { storage, unmodelled, type DeviceTable, type RegisterDevice } from '../register-device.ts';
import { FlashF4 } from './flash-f4.ts';
import type { FlashFamily } from './flash-interface.ts';
import { ahbDivider, apbDivider, timerClock, type RatesOf } from './rcc.ts';

const HSI_HZ = 16e6;
const LSI_HZ = 32e3;

const common: DeviceTable['registers'] = [
  {
    name: 'CR',
    offset: 0x00,
    reset: 0x83,
    // HSI, HSE, PLL, PLLI2S, PLLSAI
    follows: [
      { from: 0, to: 1 },
      { from: 16, to: 17, needs: 'hse' },
      { from: 24, to: 25 },
      { from: 26, to: 27 },
      { from: 28, to: 29 },
    ],
  },
  ...storage('PLLCFGR=0x24003010', 0x04),
  { name: 'CFGR', offset: 0x08, follows: [{ from: 0, to: 2, bits: 2 }] },
  ...storage('CIR AHB1RSTR AHB2RSTR AHB3RSTR - APB1RSTR APB2RSTR', 0x0c),
  ...storage('AHB1ENR=0x100000 AHB2ENR AHB3ENR - APB1ENR APB2ENR', 0x30),
  ...storage('AHB1LPENR AHB2LPENR AHB3LPENR - APB1LPENR APB2LPENR', 0x50),
  { name: 'BDCR', offset: 0x70, follows: [{ from: 0, to: 1, needs: 'lse' }] },
  { name: 'CSR', offset: 0x74, reset: 0x0e00_0000, follows: [{ from: 0, to: 1 }] },
  ...storage('SSCGR PLLI2SCFGR=0x20003000', 0x80),
];

export const rccF4Table: DeviceTable = { bytes: 0x400, registers: common };
export const rccF7Table: DeviceTable = {
  bytes: 0x400,
  registers: [...common, ...storage('PLLSAICFGR=0x20003000 DCKCFGR1 DCKCFGR2', 0x88)],
};

function rates(rcc: RegisterDevice, oscillators: Parameters<RatesOf>[1]) {
  const hsi = rcc.bit('CR', 1) ? HSI_HZ : 0;
  const hse = rcc.bit('CR', 17) ? (oscillators.hse ?? 0) : 0;
  const lse = rcc.bit('BDCR', 1) ? (oscillators.lse ?? 0) : 0;
  const source = rcc.bit('PLLCFGR', 22) ? hse : hsi;
  const vco = (source / Math.max(2, rcc.field('PLLCFGR', 0, 6))) * rcc.field('PLLCFGR', 6, 9);
  const pll = rcc.bit('CR', 25) ? vco / (2 * (rcc.field('PLLCFGR', 16, 2) + 1)) : 0;
  const system = [hsi, hse, pll][rcc.field('CFGR', 2, 2)] ?? 0;
  const core = system / ahbDivider(rcc.field('CFGR', 4, 4));
  const ppre1 = rcc.field('CFGR', 10, 3);
  const ppre2 = rcc.field('CFGR', 13, 3);
  const apb1 = core / apbDivider(ppre1);
  const apb2 = core / apbDivider(ppre2);
  return {
    hsi,
    system,
    rates: {
      core,
      apb1,
      apb2,
      'apb1-timers': timerClock(apb1, ppre1),
      'apb2-timers': timerClock(apb2, ppre2),
      lse,
      lsi: rcc.bit('CSR', 1) ? LSI_HZ : 0,
    },
  };
}

export const ratesOfF4: RatesOf = (rcc, oscillators): ClockRates => rates(rcc, oscillators).rates;

/** RM0385 5.3.26 DCKCFGR2: UARTs from their bus, the system clock, HSI or LSE. */
export const ratesOfF7: RatesOf = (rcc, oscillators): ClockRates => {
  const { rates: clocks, system, hsi } = rates(rcc, oscillators);
  const kernel = (bus: number, shift: number): number =>
    [bus, system, hsi, clocks.lse][rcc.field('DCKCFGR2', shift, 2)] ?? 0;
  return {
    ...clocks,
    usart1: kernel(clocks.apb2, 0),
    usart2: kernel(clocks.apb1, 2),
    usart3: kernel(clocks.apb1, 4),
    uart4: kernel(clocks.apb1, 6),
    uart5: kernel(clocks.apb1, 8),
    usart6: kernel(clocks.apb2, 10),
    uart7: kernel(clocks.apb1, 12),
    uart8: kernel(clocks.apb1, 14),
  };
};

/** VOSRDY is always set: the regulator is settled. */
export const pwrF4Table: DeviceTable = {
  bytes: 0x400,
  registers: [...storage('CR=0xc000'), { name: 'CSR', offset: 0x04, reset: 0x4000, writable: 0x300 }],
};

/** ODRDY and ODSWRDY of CSR1 are those of CR1 (pwr.ts); VOSRDY is always set. */
export const pwrF7Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('CR1=0xc000'),
    { name: 'CSR1', offset: 0x04, reset: 0x4000, writable: 0x300 },
    ...storage('CR2 CSR2', 0x08),
  ],
};

/** OPTCR cannot be written: option bytes are not modelled, nor is programming the flash of an F7. */
const flashTable: DeviceTable = {
  bytes: 0x400,
  registers: [
    { name: 'ACR', offset: 0x00 },
    { name: 'KEYR', offset: 0x04, writeOnly: true },
    { name: 'OPTKEYR', offset: 0x08, writeOnly: true },
    { name: 'SR', offset: 0x0c, writable: 0, oneClears: 0x1f3 },
    { name: 'CR', offset: 0x10, reset: 0x8000_0000 },
    { name: 'OPTCR', offset: 0x14, reset: 0x0fff_aaed, writable: 0 },
  ],
  unmodelled: new Map(unmodelled('OPTCR1', 0x18)),
};

export const flashF4: FlashFamily = {
  table: flashTable,
  settings: (flash) => ({
    waitStates: flash.field('ACR', 0, 3),
    lineBits: 128,
    prefetch: flash.bit('ACR', 8),
    instructionCache: flash.bit('ACR', 9),
    dataCache: flash.bit('ACR', 10),
  }),
  flushBits: 0x1800,
  programming: (parts) => new FlashF4(parts),
};

/** ACR.ARTEN is the cache on the ITCM interface; the core's own caches are not in these registers. */
export const flashF7: FlashFamily = {
  table: flashTable,
  settings: (flash) => ({
    waitStates: flash.field('ACR', 0, 4),
    lineBits: 256,
    prefetch: flash.bit('ACR', 8),
    instructionCache: flash.bit('ACR', 9),
    dataCache: flash.bit('ACR', 9),
  }),
  flushBits: 1 << 11,
};

export const syscfgF4Table: DeviceTable = {
  bytes: 0x400,
  registers: storage('MEMRMP PMC EXTICR1 EXTICR2 EXTICR3 EXTICR4 - - CMPCR'),
};
