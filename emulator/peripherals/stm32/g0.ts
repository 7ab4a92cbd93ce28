/** STM32G0 (RM0444): RCC chapter 5, PWR chapter 4, FLASH chapter 3, SYSCFG chapter 8. */
import type { ClockRates } from '../clocks.ts';
import { storage, unmodelled, type DeviceTable } from '../register-device.ts';
import type { FlashFamily } from './flash-interface.ts';
import { ahbDivider, apbDivider, timerClock, type RatesOf } from './rcc.ts';

const HSI16_HZ = 16e6;
const LSI_HZ = 32e3;

export const rccG0Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    {
      name: 'CR',
      offset: 0x00,
      reset: 0x500,
      // HSI16, HSE, HSI48, PLL
      follows: [
        { from: 8, to: 10 },
        { from: 16, to: 17, needs: 'hse' },
        { from: 22, to: 23 },
        { from: 24, to: 25 },
      ],
    },
    ...storage('ICSCR=0x4000', 0x04),
    { name: 'CFGR', offset: 0x08, follows: [{ from: 0, to: 3, bits: 3 }] },
    ...storage('PLLCFGR=0x1000 - CRRCR CIER', 0x0c),
    { name: 'CIFR', offset: 0x1c, writable: 0 },
    { name: 'CICR', offset: 0x20, writeOnly: true },
    ...storage('IOPRSTR AHBRSTR APBRSTR1 APBRSTR2 IOPENR AHBENR=0x100 APBENR1 APBENR2', 0x24),
    ...storage('IOPSMENR AHBSMENR APBSMENR1 APBSMENR2 CCIPR CCIPR2', 0x44),
    { name: 'BDCR', offset: 0x5c, follows: [{ from: 0, to: 1, needs: 'lse' }] },
    { name: 'CSR', offset: 0x60, follows: [{ from: 0, to: 1 }] },
  ],
};

export const ratesOfG0: RatesOf = (rcc, oscillators): ClockRates => {
  const hsi = rcc.bit('CR', 10) ? HSI16_HZ : 0;
  const hse = rcc.bit('CR', 17) ? (oscillators.hse ?? 0) : 0;
  const lse = rcc.bit('BDCR', 1) ? (oscillators.lse ?? 0) : 0;
  const lsi = rcc.bit('CSR', 1) ? LSI_HZ : 0;
  const source = [0, 0, hsi, hse][rcc.field('PLLCFGR', 0, 2)] ?? 0;
  const vco = (source / (rcc.field('PLLCFGR', 4, 3) + 1)) * rcc.field('PLLCFGR', 8, 7);
  const hasOutput = rcc.bit('CR', 25) && rcc.bit('PLLCFGR', 28);
  const pll = hasOutput ? vco / (rcc.field('PLLCFGR', 29, 3) + 1) : 0;
  const hsiSystem = hsi / 2 ** rcc.field('CR', 11, 3);
  const system = [hsiSystem, hse, pll, lsi, lse][rcc.field('CFGR', 3, 3)] ?? 0;
  const core = system / ahbDivider(rcc.field('CFGR', 8, 4));
  const ppre = rcc.field('CFGR', 12, 3);
  const apb = core / apbDivider(ppre);
  const kernel = (shift: number): number => [apb, system, hsi, lse][rcc.field('CCIPR', shift, 2)] ?? 0;
  return {
    core,
    apb,
    'apb-timers': timerClock(apb, ppre),
    usart1: kernel(0),
    usart2: kernel(2),
    usart3: kernel(4),
    lpuart2: kernel(8),
    lpuart1: kernel(10),
    lse,
    lsi,
  };
};

/** VOSF of SR2 stays 0: the regulator is always settled. */
export const pwrG0Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('CR1=0x208 CR2 CR3=0x8000 CR4'),
    { name: 'SR1', offset: 0x10, writable: 0 },
    { name: 'SR2', offset: 0x14, writable: 0 },
    { name: 'SCR', offset: 0x18, writeOnly: true },
    ...storage('PUCRA PDCRA PUCRB PDCRB PUCRC PDCRC PUCRD PDCRD PUCRE PDCRE PUCRF PDCRF', 0x20),
  ],
};

/** SR reads 0 (not busy, no error): programming flash from firmware is not modelled. */
export const flashG0: FlashFamily = {
  table: {
    bytes: 0x400,
    registers: [
      { name: 'ACR', offset: 0x00, reset: 0x0004_0600 },
      { name: 'KEYR', offset: 0x08, writeOnly: true },
      { name: 'OPTKEYR', offset: 0x0c, writeOnly: true },
      { name: 'SR', offset: 0x10, writable: 0 },
      { name: 'CR', offset: 0x14, reset: 0xc000_0000 },
      { name: 'ECCR', offset: 0x18, writable: 0 },
      { name: 'OPTR', offset: 0x20, reset: 0xffff_feaa, writable: 0 },
    ],
    unmodelled: new Map(unmodelled('PCROP1ASR PCROP1AER WRP1AR WRP1BR PCROP1BSR PCROP1BER', 0x24)),
  },
  settings: (flash) => ({
    waitStates: flash.field('ACR', 0, 3),
    lineBits: 64,
    prefetch: flash.bit('ACR', 8),
    instructionCache: flash.bit('ACR', 9),
    dataCache: false,
  }),
  flushBits: 1 << 11,
};

export const syscfgG0Table: DeviceTable = {
  bytes: 0x100,
  registers: storage('CFGR1 - - - - - CFGR2'),
  unmodelled: new Map(Array.from({ length: 32 }, (_, line) => [0x80 + line * 4, `ITLINE${line}`])),
};
