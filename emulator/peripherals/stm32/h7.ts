/** STM32H7A3 (RM0455): RCC chapter 8, PWR chapter 6, FLASH chapter 4, SYSCFG chapter 11. */
import type { ClockRates } from '../clocks.ts';
import { storage, unmodelled, type DeviceTable, type RegisterDevice } from '../register-device.ts';
import type { FlashFamily } from './flash-interface.ts';
import { ahbDivider, apbDivider, timerClock, type RatesOf } from './rcc.ts';

const HSI_HZ = 64e6;
const CSI_HZ = 4e6;
const HSI48_HZ = 48e6;
const LSI_HZ = 32e3;

export const rccH7Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    {
      name: 'CR',
      offset: 0x00,
      reset: 0x25,
      // HSI, HSIDIV flag (always settled), CSI, HSI48, HSE, PLL1..3
      follows: [
        { from: 0, to: 2 },
        { from: 0, to: 5 },
        { from: 7, to: 8 },
        { from: 12, to: 13 },
        { from: 16, to: 17, needs: 'hse' },
        { from: 24, to: 25 },
        { from: 26, to: 27 },
        { from: 28, to: 29 },
      ],
    },
    ...storage('HSICFGR=0x40000000 CRRCR CSICFGR=0x20000000', 0x04),
    { name: 'CFGR', offset: 0x10, follows: [{ from: 0, to: 3, bits: 3 }] },
    ...storage('CDCFGR1 CDCFGR2 SRDCFGR - PLLCKSELR=0x2020200 PLLCFGR=0x1ff0000', 0x18),
    ...storage('PLL1DIVR=0x1010280 PLL1FRACR PLL2DIVR=0x1010280 PLL2FRACR PLL3DIVR=0x1010280 PLL3FRACR', 0x30),
    ...storage('CDCCIPR CDCCIP1R CDCCIP2R SRDCCIPR - CIER', 0x4c),
    { name: 'CIFR', offset: 0x64, writable: 0 },
    { name: 'CICR', offset: 0x68, writeOnly: true },
    { name: 'BDCR', offset: 0x70, follows: [{ from: 0, to: 1, needs: 'lse' }] },
    { name: 'CSR', offset: 0x74, follows: [{ from: 0, to: 1 }] },
    ...storage('AHB3RSTR AHB1RSTR AHB2RSTR AHB4RSTR APB3RSTR APB1LRSTR APB1HRSTR APB2RSTR APB4RSTR', 0x7c),
    ...storage('SRDAMR - CKGAENR', 0xa8),
    ...storage('RSR AHB3ENR AHB1ENR AHB2ENR AHB4ENR APB3ENR APB1LENR APB1HENR APB2ENR APB4ENR=0x10000', 0x130),
    ...storage('AHB3LPENR AHB1LPENR AHB2LPENR AHB4LPENR APB3LPENR APB1LLPENR APB1HLPENR APB2LPENR APB4LPENR', 0x15c),
  ],
};

interface Sources {
  readonly hsi: number;
  readonly csi: number;
  readonly hse: number;
}

/** Outputs P and Q of PLL 1..3 (8.5.6): source / M * (N + fraction) / divider, each only while enabled. */
function pllOutputs(rcc: RegisterDevice, pll: 1 | 2 | 3, { hsi, csi, hse }: Sources): { p: number; q: number } {
  if (!rcc.bit('CR', 23 + 2 * pll)) return { p: 0, q: 0 };
  const source = [hsi, csi, hse, 0][rcc.field('PLLCKSELR', 0, 2)] ?? 0;
  const divider = rcc.field('PLLCKSELR', 4 + 8 * (pll - 1), 6);
  if (divider === 0) return { p: 0, q: 0 };
  const hasFraction = rcc.bit('PLLCFGR', 4 * (pll - 1));
  const fraction = hasFraction ? rcc.field(`PLL${pll}FRACR`, 3, 13) / 8192 : 0;
  const vco = (source / divider) * (rcc.field(`PLL${pll}DIVR`, 0, 9) + 1 + fraction);
  const enabled = 16 + 3 * (pll - 1);
  return {
    p: rcc.bit('PLLCFGR', enabled) ? vco / (rcc.field(`PLL${pll}DIVR`, 9, 7) + 1) : 0,
    q: rcc.bit('PLLCFGR', enabled + 1) ? vco / (rcc.field(`PLL${pll}DIVR`, 16, 7) + 1) : 0,
  };
}

export const ratesOfH7: RatesOf = (rcc, oscillators): ClockRates => {
  const hsi = rcc.bit('CR', 2) ? HSI_HZ / 2 ** rcc.field('CR', 3, 2) : 0;
  const csi = rcc.bit('CR', 8) ? CSI_HZ : 0;
  const hse = rcc.bit('CR', 17) ? (oscillators.hse ?? 0) : 0;
  const lse = rcc.bit('BDCR', 1) ? (oscillators.lse ?? 0) : 0;
  const sources = { hsi, csi, hse };
  const system = [hsi, csi, hse, pllOutputs(rcc, 1, sources).p][rcc.field('CFGR', 3, 3)] ?? 0;
  const core = system / ahbDivider(rcc.field('CDCFGR1', 8, 4));
  const bus = core / ahbDivider(rcc.field('CDCFGR1', 0, 4));
  const ppre1 = rcc.field('CDCFGR2', 4, 3);
  const ppre2 = rcc.field('CDCFGR2', 8, 3);
  const apb1 = bus / apbDivider(ppre1);
  const apb2 = bus / apbDivider(ppre2);
  const kernel = (own: number, shift: number): number =>
    [own, pllOutputs(rcc, 2, sources).q, pllOutputs(rcc, 3, sources).q, hsi, csi, lse][
      rcc.field('CDCCIP2R', shift, 3)
    ] ?? 0;
  return {
    core,
    apb1,
    apb2,
    'apb1-timers': timerClock(apb1, ppre1),
    'apb2-timers': timerClock(apb2, ppre2),
    usart2345: kernel(apb1, 0),
    usart16: kernel(apb2, 3),
    lse,
    lsi: rcc.bit('CSR', 1) ? LSI_HZ : 0,
    hsi48: rcc.bit('CR', 13) ? HSI48_HZ : 0,
  };
};

/** ACTVOSRDY (CSR1) and VOSRDY (SRDCR) are always set: the regulator is settled. ACTVOS is VOS (pwr.ts). */
export const pwrH7Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('CR1=0xf000c000'),
    { name: 'CSR1', offset: 0x04, reset: 0x6000, writable: 0 },
    ...storage('CR2 CR3=0x46 CPUCR', 0x08),
    { name: 'SRDCR', offset: 0x18, reset: 0x6000, writable: 0xc000 },
    { name: 'WKUPCR', offset: 0x20, writeOnly: true },
    { name: 'WKUPFR', offset: 0x24, writable: 0 },
    ...storage('WKUPEPR', 0x28),
  ],
};

/** SR1 and SR2 read 0 (not busy, no error): programming flash from firmware is not modelled. */
export const flashH7: FlashFamily = {
  table: {
    bytes: 0x400,
    registers: [
      { name: 'ACR', offset: 0x00, reset: 0x13 },
      { name: 'KEYR1', offset: 0x04, writeOnly: true },
      { name: 'OPTKEYR', offset: 0x08, writeOnly: true },
      { name: 'CR1', offset: 0x0c, reset: 0x31 },
      { name: 'SR1', offset: 0x10, writable: 0 },
      { name: 'CCR1', offset: 0x14, writeOnly: true },
      ...storage('OPTCR=1', 0x18),
      { name: 'OPTSR_CUR', offset: 0x1c, reset: 0x0186_aa10, writable: 0 },
    ],
    unmodelled: new Map(
      unmodelled('OPTSR_PRG OPTCCR PRAR_CUR1 PRAR_PRG1 SCAR_CUR1 SCAR_PRG1 WPSN_CUR1 WPSN_PRG1', 0x20),
    ),
  },
  // The caches are the core's own.
  settings: (flash) => ({
    waitStates: flash.field('ACR', 0, 4),
    lineBits: 128,
    prefetch: false,
    instructionCache: false,
    dataCache: false,
  }),
  flushBits: 0,
};

export const syscfgH7Table: DeviceTable = {
  bytes: 0x400,
  registers: storage('- PMCR EXTICR1 EXTICR2 EXTICR3 EXTICR4 CFGR - CCCSR CCVR CCCR'),
};
