/** STM32U5 (RM0456): RCC chapter 11, PWR chapter 10, FLASH chapter 7, ICACHE chapter 8, SYSCFG chapter 15. */
import type { ClockRates } from '../clocks.ts';
import { storage, unmodelled, type DeviceTable } from '../register-device.ts';
import type { FlashFamily } from './flash-interface.ts';
import { ahbDivider, apbDivider, timerClock, type RatesOf } from './rcc.ts';

const HSI16_HZ = 16e6;
const HSI48_HZ = 48e6;
const LSI_HZ = 32e3;
/** 11.8.3 MSISRANGE, in kHz. */
const MSI_KHZ = [
  48000, 24000, 16000, 12000, 4000, 2000, 1330, 1000, 3072, 1536, 1024, 768, 400, 200, 133, 100,
] as const;

export const rccU5Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    {
      name: 'CR',
      offset: 0x00,
      reset: 0x35,
      // MSIS, MSIK, HSI16, HSI48, SHSI, HSE, PLL1..3
      follows: [
        { from: 0, to: 2 },
        { from: 4, to: 5 },
        { from: 8, to: 10 },
        { from: 12, to: 13 },
        { from: 14, to: 15 },
        { from: 16, to: 17, needs: 'hse' },
        { from: 24, to: 25 },
        { from: 26, to: 27 },
        { from: 28, to: 29 },
      ],
    },
    ...storage('ICSCR1=0x44000000 ICSCR2=0x84210 ICSCR3=0x100000 CRRCR', 0x08),
    { name: 'CFGR1', offset: 0x1c, follows: [{ from: 0, to: 2, bits: 2 }] },
    ...storage('CFGR2 CFGR3 PLL1CFGR PLL2CFGR PLL3CFGR', 0x20),
    ...storage('PLL1DIVR=0x1010280 PLL1FRACR PLL2DIVR=0x1010280 PLL2FRACR PLL3DIVR=0x1010280 PLL3FRACR', 0x34),
    ...storage('CIER', 0x50),
    { name: 'CIFR', offset: 0x54, writable: 0 },
    { name: 'CICR', offset: 0x58, writeOnly: true },
    ...storage('AHB1RSTR AHB2RSTR1 AHB2RSTR2 AHB3RSTR - APB1RSTR1 APB1RSTR2 APB2RSTR APB3RSTR', 0x60),
    ...storage(
      'AHB1ENR=0xd0200100 AHB2ENR1=0xc0000000 AHB2ENR2 AHB3ENR=0x80000000 - APB1ENR1 APB1ENR2 APB2ENR APB3ENR',
      0x88,
    ),
    ...storage('AHB1SMENR AHB2SMENR1 AHB2SMENR2 AHB3SMENR - APB1SMENR1 APB1SMENR2 APB2SMENR APB3SMENR - SRDAMR', 0xb0),
    ...storage('CCIPR1 CCIPR2 CCIPR3', 0xe0),
    {
      name: 'BDCR',
      offset: 0xf0,
      follows: [
        { from: 0, to: 1, needs: 'lse' },
        { from: 26, to: 27 },
        { from: 7, to: 11, needs: 'lse' },
      ],
    },
    ...storage('CSR=0x0c004400', 0xf4),
    ...storage('SECCFGR PRIVCFGR', 0x110),
  ],
};

export const ratesOfU5: RatesOf = (rcc, oscillators): ClockRates => {
  // MSIRGSEL: from ICSCR1, else the range after standby, 4 MHz.
  const range = rcc.bit('ICSCR1', 23) ? rcc.field('ICSCR1', 28, 4) : 4;
  const msi = rcc.bit('CR', 2) ? (MSI_KHZ[range] ?? 0) * 1e3 : 0;
  const hsi = rcc.bit('CR', 10) ? HSI16_HZ : 0;
  const hse = rcc.bit('CR', 17) ? (oscillators.hse ?? 0) : 0;
  const lse = rcc.bit('BDCR', 1) ? (oscillators.lse ?? 0) : 0;
  const source = [0, msi, hsi, hse][rcc.field('PLL1CFGR', 0, 2)] ?? 0;
  const fraction = rcc.bit('PLL1CFGR', 4) ? rcc.field('PLL1FRACR', 3, 13) / 8192 : 0;
  const vco = (source / (rcc.field('PLL1CFGR', 8, 4) + 1)) * (rcc.field('PLL1DIVR', 0, 9) + 1 + fraction);
  const hasOutput = rcc.bit('CR', 25) && rcc.bit('PLL1CFGR', 18);
  const pll = hasOutput ? vco / (rcc.field('PLL1DIVR', 24, 7) + 1) : 0;
  const system = [msi, hsi, hse, pll][rcc.field('CFGR1', 2, 2)] ?? 0;
  const core = system / ahbDivider(rcc.field('CFGR2', 0, 4));
  const ppre1 = rcc.field('CFGR2', 4, 3);
  const ppre2 = rcc.field('CFGR2', 8, 3);
  const apb1 = core / apbDivider(ppre1);
  const apb2 = core / apbDivider(ppre2);
  const apb3 = core / apbDivider(rcc.field('CFGR3', 4, 3));
  const msik = rcc.bit('CR', 5) ? (MSI_KHZ[rcc.bit('ICSCR1', 23) ? rcc.field('ICSCR1', 24, 4) : 4] ?? 0) * 1e3 : 0;
  const kernel = (bus: number, shift: number): number => [bus, system, hsi, lse][rcc.field('CCIPR1', shift, 2)] ?? 0;
  return {
    core,
    apb1,
    apb2,
    'apb1-timers': timerClock(apb1, ppre1),
    'apb2-timers': timerClock(apb2, ppre2),
    usart1: kernel(apb2, 0),
    usart2: kernel(apb1, 2),
    usart3: kernel(apb1, 4),
    uart4: kernel(apb1, 6),
    uart5: kernel(apb1, 8),
    lpuart1: [apb3, system, hsi, lse, msik][rcc.field('CCIPR3', 0, 3)] ?? 0,
    lse,
    lsi: rcc.bit('BDCR', 27) ? LSI_HZ : 0,
    hsi48: rcc.bit('CR', 13) ? HSI48_HZ : 0,
  };
};

/** VOSRDY and ACTVOSRDY are always set: the regulator is settled. REGS and ACTVOS are what was asked for (pwr.ts). */
export const pwrU5Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('CR1 CR2 CR3'),
    { name: 'VOSR', offset: 0x0c, reset: 0x8000, writable: 0x7_0000, follows: [{ from: 18, to: 14 }] },
    ...storage('SVMCR WUCR1 WUCR2 WUCR3 BDCR1 BDCR2 DBPR UCPDR', 0x10),
    ...storage('SECCFGR PRIVCFGR', 0x30),
    { name: 'SR', offset: 0x38, writable: 0 },
    { name: 'SVMSR', offset: 0x3c, reset: 0x8000, writable: 0 },
    { name: 'BDSR', offset: 0x40, writable: 0 },
    { name: 'WUSR', offset: 0x44, writable: 0 },
    { name: 'WUSCR', offset: 0x48, writeOnly: true },
    ...storage('APCR', 0x4c),
  ],
};

/** NSSR reads 0 (not busy, no error): programming flash from firmware is not modelled. The cache is the ICACHE's. */
export const flashU5: FlashFamily = {
  table: {
    bytes: 0x400,
    registers: [
      { name: 'ACR', offset: 0x00, reset: 0x1 },
      { name: 'NSKEYR', offset: 0x08, writeOnly: true },
      { name: 'SECKEYR', offset: 0x0c, writeOnly: true },
      { name: 'OPTKEYR', offset: 0x10, writeOnly: true },
      { name: 'NSSR', offset: 0x20, writable: 0 },
      { name: 'SECSR', offset: 0x24, writable: 0 },
      { name: 'NSCR', offset: 0x28, reset: 0xc000_0001 },
      { name: 'OPTR', offset: 0x40, reset: 0x1fef_f8aa, writable: 0 },
    ],
    unmodelled: new Map(unmodelled('SECCR ECCR OPSR', 0x2c)),
  },
  settings: (flash) => ({
    waitStates: flash.field('ACR', 0, 4),
    lineBits: 128,
    prefetch: flash.bit('ACR', 8),
  }),
  flushBits: 0,
};

export const icacheTable: DeviceTable = {
  bytes: 0x400,
  registers: [
    { name: 'CR', offset: 0x00, reset: 0x4 },
    { name: 'SR', offset: 0x04, reset: 0x1, writable: 0 },
    ...storage('IER', 0x08),
    { name: 'FCR', offset: 0x0c, writeOnly: true },
    { name: 'HMONR', offset: 0x10, writable: 0 },
    { name: 'MMONR', offset: 0x14, writable: 0 },
    ...storage('CRR0=0x200 CRR1=0x200 CRR2=0x200 CRR3=0x200', 0x20),
  ],
};

export const syscfgU5Table: DeviceTable = {
  bytes: 0x400,
  registers: storage('SECCFGR CFGR1 FPUIMR=0x1f CNSLCKR CSLOCKR CFGR2 MESR CCCSR CCVR CCCR - RSSCMDR'),
};
