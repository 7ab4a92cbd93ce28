/**
 * RCC, PWR, FLASH and GPIO of the STM32L4R5 as far as start-up code waits for them (RM0432 sections 6, 5, 3 and 8): oscillators and PLLs
 * are ready at once, the clock switch follows at once, the flash is never busy. Nothing here changes the speed of the model.
 */
import { RegisterFile, type Peripheral } from './peripheral.ts';

const RCC_CR = 0x00;
const RCC_CFGR = 0x08;
const RCC_BDCR = 0x90;
const RCC_CSR = 0x94;
const RCC_CRRCR = 0x98;

/** Ready bit for every enable bit: MSI, HSI, HSE, PLL, PLLSAI1, PLLSAI2. */
const CR_READY: readonly (readonly [number, number])[] = [
  [0, 1],
  [8, 10],
  [16, 17],
  [24, 25],
  [26, 27],
  [28, 29],
];
const FIRST_BIT_READY: readonly (readonly [number, number])[] = [[0, 1]];

function withReadyBits(value: number, pairs: readonly (readonly [number, number])[]): number {
  let result = value;
  for (const [enable, ready] of pairs) {
    result = (value & (1 << enable)) !== 0 ? result | (1 << ready) : result & ~(1 << ready);
  }
  return result >>> 0;
}

class Rcc extends RegisterFile {
  constructor() {
    // MSI on at 4 MHz after reset.
    super('RCC', 0x4002_1000, 0x400, [
      [RCC_CR, 0x63],
      [0x0c, 0x1000],
    ]);
  }

  override read(offset: number): number {
    const value = this.get(offset);
    switch (offset) {
      case RCC_CR:
        return withReadyBits(value, CR_READY);
      case RCC_CFGR:
        return ((value & ~0xc) | ((value & 3) << 2)) >>> 0;
      case RCC_BDCR:
      case RCC_CSR:
      case RCC_CRRCR:
        return withReadyBits(value, FIRST_BIT_READY);
      default:
        return value;
    }
  }
}

const PWR_SR2 = 0x14;

/** VOSF and REGLPF in SR2 read 0: the regulator is always settled. */
class Pwr extends RegisterFile {
  constructor() {
    super('PWR', 0x4000_7000, 0x400, [
      [0x00, 0x200],
      [0x80, 0x100],
    ]);
  }

  override write(offset: number, value: number): boolean {
    return offset === PWR_SR2 ? true : super.write(offset, value);
  }
}

const FLASH_SR = 0x10;

/** SR reads 0 (not busy, no error); programming flash from firmware is not modelled, a store to flash is a fault. */
class FlashInterface extends RegisterFile {
  constructor() {
    super('FLASH', 0x4002_2000, 0x400, [
      [0x00, 0x600],
      [0x14, 0xc000_0000],
      [0x20, 0xffef_f8aa],
    ]);
  }

  override write(offset: number, value: number): boolean {
    return offset === FLASH_SR ? true : super.write(offset, value);
  }
}

/** The fixed part of the chip around the UART. */
export function stm32l4Clocks(): Peripheral[] {
  const ports = [...'ABCDEFGHI'].map(
    (port, index) => new RegisterFile(`GPIO${port}`, 0x4800_0000 + index * 0x400, 0x400, []),
  );
  return [new Rcc(), new Pwr(), new FlashInterface(), ...ports, new RegisterFile('SYSCFG', 0x4001_0000, 0x400, [])];
}
