/** STM32L4+ (RM0432): RCC chapter 6, PWR chapter 5, FLASH chapter 3, SYSCFG chapter 9, as far as start-up code and HALs touch them. */
import type { ClockRates } from '../clocks.ts';
import type { FlashSettings } from '../flash-control.ts';
import { FlashL4, SR_ERRORS_L4 } from './flash-l4.ts';
import type { FlashFamily } from './flash-interface.ts';
import { storage, unmodelled, type DeviceTable, type RegisterDevice } from '../register-device.ts';
import { ahbDivider, apbDivider, timerClock, type RatesOf } from './rcc.ts';

const HSI16_HZ = 16e6;
const HSI48_HZ = 48e6;
const LSI_HZ = 32e3;
/** 6.4.1 MSIRANGE, in kHz. */
const MSI_KHZ = [100, 200, 400, 800, 1000, 2000, 4000, 8000, 16000, 24000, 32000, 48000] as const;

export const rccL4Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    {
      name: 'CR',
      offset: 0x00,
      reset: 0x63,
      // MSI, HSI16, HSE, PLL, PLLSAI1, PLLSAI2
      follows: [
        { from: 0, to: 1 },
        { from: 8, to: 10 },
        { from: 16, to: 17, needs: 'hse' },
        { from: 24, to: 25 },
        { from: 26, to: 27 },
        { from: 28, to: 29 },
      ],
    },
    { name: 'ICSCR', offset: 0x04, reset: 0x4000_0000 },
    { name: 'CFGR', offset: 0x08, follows: [{ from: 0, to: 2, bits: 2 }] },
    ...storage('PLLCFGR=0x1000 PLLSAI1CFGR=0x1000 PLLSAI2CFGR=0x1000 CIER', 0x0c),
    { name: 'CIFR', offset: 0x1c, writable: 0 },
    { name: 'CICR', offset: 0x20, writeOnly: true },
    ...storage('AHB1RSTR AHB2RSTR AHB3RSTR - APB1RSTR1 APB1RSTR2 APB2RSTR', 0x28),
    ...storage('AHB1ENR=0x100 AHB2ENR AHB3ENR - APB1ENR1=0x400 APB1ENR2 APB2ENR', 0x48),
    ...storage('AHB1SMENR AHB2SMENR AHB3SMENR - APB1SMENR1 APB1SMENR2 APB2SMENR', 0x68),
    ...storage('CCIPR', 0x88),
    { name: 'BDCR', offset: 0x90, follows: [{ from: 0, to: 1, needs: 'lse' }] },
    { name: 'CSR', offset: 0x94, reset: 0x0c00_0600, follows: [{ from: 0, to: 1 }] },
    { name: 'CRRCR', offset: 0x98, follows: [{ from: 0, to: 1 }] },
    ...storage('CCIPR2', 0x9c),
  ],
};

function msiHz(rcc: RegisterDevice): number {
  // MSIRGSEL: from CR, else the range after standby from CSR.
  const range = rcc.bit('CR', 3) ? rcc.field('CR', 4, 4) : rcc.field('CSR', 8, 4);
  return rcc.bit('CR', 1) ? (MSI_KHZ[range] ?? 0) * 1e3 : 0;
}

export const ratesOfL4: RatesOf = (rcc, oscillators): ClockRates => {
  const msi = msiHz(rcc);
  const hsi = rcc.bit('CR', 10) ? HSI16_HZ : 0;
  const hse = rcc.bit('CR', 17) ? (oscillators.hse ?? 0) : 0;
  const lse = rcc.bit('BDCR', 1) ? (oscillators.lse ?? 0) : 0;
  const source = [0, msi, hsi, hse][rcc.field('PLLCFGR', 0, 2)] ?? 0;
  const vco = (source / (rcc.field('PLLCFGR', 4, 4) + 1)) * rcc.field('PLLCFGR', 8, 7);
  const hasOutput = rcc.bit('CR', 25) && rcc.bit('PLLCFGR', 24);
  const pll = hasOutput ? vco / (2 * (rcc.field('PLLCFGR', 25, 2) + 1)) : 0;
  const system = [msi, hsi, hse, pll][rcc.field('CFGR', 2, 2)] ?? 0;
  const core = system / ahbDivider(rcc.field('CFGR', 4, 4));
  const ppre1 = rcc.field('CFGR', 8, 3);
  const ppre2 = rcc.field('CFGR', 11, 3);
  const apb1 = core / apbDivider(ppre1);
  const apb2 = core / apbDivider(ppre2);
  const kernel = (bus: number, shift: number): number => [bus, system, hsi, lse][rcc.field('CCIPR', shift, 2)] ?? 0;
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
    lpuart1: kernel(apb1, 10),
    lse,
    lsi: rcc.bit('CSR', 1) ? LSI_HZ : 0,
    hsi48: rcc.bit('CRRCR', 1) ? HSI48_HZ : 0,
  };
};

/** VOSF and REGLPF of SR2 stay 0: the regulator is always settled. */
export const pwrL4Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage('CR1=0x200 CR2 CR3=0x8000 CR4'),
    { name: 'SR1', offset: 0x10, writable: 0 },
    { name: 'SR2', offset: 0x14, writable: 0 },
    { name: 'SCR', offset: 0x18, writeOnly: true },
    ...storage(
      'PUCRA PDCRA PUCRB PDCRB PUCRC PDCRC PUCRD PDCRD PUCRE PDCRE PUCRF PDCRF PUCRG PDCRG PUCRH PDCRH PUCRI PDCRI',
      0x20,
    ),
    { name: 'CR5', offset: 0x80, reset: 0x100 },
  ],
};

/** The area begins behind its end. */
const unprotected = { reset: 0xff00_ffff, writable: 0 };

/** OPTR and the areas of protection cannot be written: option bytes are not modelled; no page is protected, as shipped (3.4.1). */
const flashL4Table: DeviceTable = {
  bytes: 0x400,
  registers: [
    { name: 'ACR', offset: 0x00, reset: 0x600 },
    { name: 'PDKEYR', offset: 0x04, writeOnly: true },
    { name: 'KEYR', offset: 0x08, writeOnly: true },
    { name: 'OPTKEYR', offset: 0x0c, writeOnly: true },
    { name: 'SR', offset: 0x10, writable: 0, oneClears: SR_ERRORS_L4 | 1 },
    { name: 'CR', offset: 0x14, reset: 0xc000_0000 },
    { name: 'ECCR', offset: 0x18, writable: 0 },
    { name: 'OPTR', offset: 0x20, reset: 0xffef_f8aa, writable: 0 },
    ...['WRP1AR', 'WRP1BR'].map((name, index) => ({ ...unprotected, name, offset: 0x2c + 4 * index })),
    ...['WRP2AR', 'WRP2BR'].map((name, index) => ({ ...unprotected, name, offset: 0x4c + 4 * index })),
  ],
  unmodelled: new Map([...unmodelled('PCROP1SR PCROP1ER', 0x24), ...unmodelled('PCROP2SR PCROP2ER', 0x44)]),
};

/** ACR 3.7.1; OPTR.DBANK: two banks of 64 bits read singly, one bank of 128 bits. */
function flashSettingsL4(flash: RegisterDevice): FlashSettings {
  return {
    waitStates: flash.field('ACR', 0, 4),
    lineBits: flash.bit('OPTR', 22) ? 64 : 128,
    prefetch: flash.bit('ACR', 8),
    instructionCache: flash.bit('ACR', 9),
    dataCache: flash.bit('ACR', 10),
  };
}

export const flashL4: FlashFamily = {
  table: flashL4Table,
  settings: flashSettingsL4,
  flushBits: 0x1800,
  programming: (parts) => new FlashL4(parts),
};

export const syscfgL4Table: DeviceTable = {
  bytes: 0x200,
  registers: [...storage('MEMRMP CFGR1=0x7c000001 EXTICR1 EXTICR2 EXTICR3 EXTICR4 SCSR CFGR2 SWPR SKR SWPR2')],
};
