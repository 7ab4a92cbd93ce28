/** CLOCK, POWER, NVMC and GPIO of the nRF52 (nRF52840 PS 5.4, 5.3, 4.3, 6.9). The core runs at 64 MHz whatever the source. */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import type { GpioPort, PinLevel } from '../gpio-port.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';
import { event, task, taskTable, TaskDevice } from './task-device.ts';

const CORE_HZ = 64e6;
const LFCLK_HZ = 32768;

/** POWER and APPROTECT have the same address as CLOCK. */
const RAM_BLOCKS = 9;
const clockTable = taskTable([
  task('HFCLKSTART', 0x000),
  task('HFCLKSTOP', 0x004),
  task('LFCLKSTART', 0x008),
  task('LFCLKSTOP', 0x00c),
  task('CAL', 0x010),
  task('CTSTART', 0x014),
  task('CTSTOP', 0x018),
  task('CONSTLAT', 0x078),
  task('LOWPWR', 0x07c),
  event('HFCLKSTARTED', 0x100),
  event('LFCLKSTARTED', 0x104),
  event('POFWARN', 0x108),
  event('DONE', 0x10c),
  event('CTTO', 0x110),
  event('SLEEPENTER', 0x114),
  event('SLEEPEXIT', 0x118),
  event('USBDETECTED', 0x11c),
  event('USBREMOVED', 0x120),
  event('USBPWRRDY', 0x124),
  event('CTSTARTED', 0x128),
  event('CTSTOPPED', 0x12c),
  { name: 'RESETREAS', offset: 0x400, oneClears: 0xffff_ffff },
  { name: 'HFCLKRUN', offset: 0x408, writable: 0 },
  { name: 'HFCLKSTAT', offset: 0x40c, reset: 0x1_0000, writable: 0 },
  { name: 'LFCLKRUN', offset: 0x414, writable: 0 },
  { name: 'LFCLKSTAT', offset: 0x418, writable: 0 },
  { name: 'LFCLKSRCCOPY', offset: 0x41c, writable: 0 },
  { name: 'RAMSTATUS', offset: 0x428, reset: 0xf, writable: 0 },
  { name: 'USBREGSTATUS', offset: 0x438, writable: 0 },
  ...storage('SYSTEMOFF', 0x500),
  ...storage('POFCON', 0x510),
  ...storage('LFCLKSRC GPREGRET GPREGRET2', 0x518),
  ...storage('HFXODEBOUNCE=0x10 LFXODEBOUNCE', 0x528),
  ...storage('CTIV', 0x538),
  ...storage('FORCEPROTECT=0xffffffff - DISABLE TRACECONFIG', 0x550),
  ...storage('DCDCEN - DCDCEN0', 0x578),
  { name: 'MAINREGSTATUS', offset: 0x640, writable: 0 },
  ...Array.from({ length: RAM_BLOCKS }, (_, n) => [
    { name: `RAM${n}_POWER`, offset: 0x900 + n * 16, reset: 0xffff },
    { name: `RAM${n}_POWERSET`, offset: 0x904 + n * 16, writeOnly: true },
    { name: `RAM${n}_POWERCLR`, offset: 0x908 + n * 16, writeOnly: true },
  ]).flat(),
  // What start-up code of the MDK writes without a name, for errata of the chip (31, 37, 108, 115).
  ...storage('ERRATUM_31', 0x53c),
  ...storage('ERRATUM_37', 0x5a0),
  ...storage('ERRATUM_108', 0xee4),
]);

const LFCLK_SYNTHESIZED = 2;
const LFCLK_CRYSTAL = 1;
const SYSTEM_OFF = 1;

/** Both oscillators start at once; a 32 kHz crystal that the board does not have never does. */
export class Nrf52Clock extends TaskDevice {
  private readonly clocks: DeviceContext['clocks'];
  private readonly hasCrystal: boolean;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, clockTable);
    this.clocks = context.clocks;
    this.hasCrystal = context.oscillators.lse !== undefined;
    this.update();
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  /** 5.3.6.11: the general purpose registers are kept. Why it was reset, RESETREAS does not say here. */
  systemReset(): void {
    const kept = ['GPREGRET', 'GPREGRET2'].map((name): [string, number] => [name, this.get(name)]);
    this.reset();
    for (const [name, value] of kept) this.set(name, value);
  }

  protected override onRead(register: string, stored: number): number {
    return register === 'LFCLKSRCCOPY' ? this.get('LFCLKSRC') & 3 : super.onRead(register, stored);
  }

  protected override onWrite(register: string, value: number): void {
    if (register === 'SYSTEMOFF' && value === SYSTEM_OFF) this.host.fail(`${this.name}: System OFF is not modelled`);
    const [, block, what] = /^(RAM\d)_POWER(SET|CLR)$/.exec(register) ?? [];
    if (block !== undefined) {
      const old = this.get(`${block}_POWER`);
      this.set(`${block}_POWER`, what === 'SET' ? old | value : old & ~value);
    }
    super.onWrite(register, value);
  }

  protected start(taskName: string): void {
    const isStart = taskName.endsWith('START');
    if (taskName === 'CAL') this.raise('DONE');
    else if (taskName.startsWith('CT')) this.raise(isStart ? 'CTSTARTED' : 'CTSTOPPED');
    else if (taskName.startsWith('HF')) {
      this.set('HFCLKRUN', isStart ? 1 : 0);
      this.set('HFCLKSTAT', isStart ? 0x1_0001 : 0x1_0000);
      if (isStart) this.raise('HFCLKSTARTED');
    } else if (taskName.startsWith('LF')) this.startLow(isStart);
    this.update();
  }

  private startLow(isStart: boolean): void {
    const source = this.get('LFCLKSRC') & 3;
    const isThere = isStart && source <= LFCLK_SYNTHESIZED && (source !== LFCLK_CRYSTAL || this.hasCrystal);
    this.set('LFCLKRUN', isStart ? 1 : 0);
    this.set('LFCLKSTAT', isThere ? 0x1_0000 | source : 0);
    if (isThere) this.raise('LFCLKSTARTED');
  }

  private update(): void {
    const lfclk = this.get('LFCLKSTAT') === 0 ? 0 : LFCLK_HZ;
    this.clocks.update({ core: CORE_HZ, pclk16m: CORE_HZ / 4, lfclk });
  }
}

const WRITE = 1;
const ERASE = 2;
/** NVMC works on pages of this size. */
const FLASH_PAGE_BYTES = 4096;
const UICR_START = 0x1000_1000;

export const nvmcTable: DeviceTable = {
  bytes: 0x1000,
  registers: [
    { name: 'READY', offset: 0x400, reset: 1, writable: 0 },
    { name: 'READYNEXT', offset: 0x408, reset: 1, writable: 0 },
    ...storage('CONFIG ERASEPAGE ERASEALL ERASEPCR0 ERASEUICR ERASEPAGEPARTIAL ERASEPAGEPARTIALCFG=10', 0x504),
    ...storage('ICACHECNF - IHIT IMISS', 0x540),
  ],
};

/** Writing and erasing takes no time: READY is always set. A store that CONFIG does not allow is left to be a fault. */
export class Nrf52Nvmc extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, nvmcTable);
    this.context = context;
    context.flash.store = (address, bytes, value) => this.program(address, bytes, value);
    this.update();
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  protected override onWrite(register: string, value: number): void {
    if (register.startsWith('ERASE') && this.get('CONFIG') === ERASE) this.erase(register, value);
    this.update();
  }

  protected override restoreOwn(): void {
    this.update();
  }

  /** 4.3.1: whole aligned words, and a write only clears bits. */
  private program(address: number, bytes: number, value: number): boolean {
    const { host } = this.context;
    const old = host.readMemory(address, 4);
    if (this.get('CONFIG') !== WRITE || bytes !== 4 || address % 4 !== 0 || old === null) return false;
    return host.writeFlash(
      address,
      old.map((byte, index) => byte & (value >>> (8 * index))),
    );
  }

  private erase(register: string, value: number): void {
    const { host, flashArray } = this.context;
    const page = new Uint8Array(FLASH_PAGE_BYTES).fill(0xff);
    const isAll = register === 'ERASEALL' && value === 1;
    if (register === 'ERASEPAGE' || register === 'ERASEPCR0' || register === 'ERASEPAGEPARTIAL')
      host.writeFlash(value - (value % FLASH_PAGE_BYTES), page);
    if (isAll)
      for (let offset = 0; offset < flashArray.bytes; offset += FLASH_PAGE_BYTES)
        host.writeFlash(flashArray.start + offset, page);
    if (isAll || (register === 'ERASEUICR' && value === 1)) host.writeFlash(UICR_START, page);
  }

  /** PS 4.1.3 (W_FLASH, W_FLASHCACHE): at most two wait states, three where the cache has been looked up first; none on a hit. */
  private update(): void {
    const instructionCache = this.bit('ICACHECNF', 0);
    this.context.flash.set({
      waitStates: instructionCache ? 3 : 2,
      lineBits: 128,
      prefetch: false,
      instructionCache,
      dataCache: false,
    });
  }
}

const PINS = 32;
const gpioTable: DeviceTable = {
  bytes: 0x280,
  registers: [
    { name: 'OUT', offset: 0x04 },
    { name: 'OUTSET', offset: 0x08 },
    { name: 'OUTCLR', offset: 0x0c },
    { name: 'IN', offset: 0x10, writable: 0 },
    { name: 'DIR', offset: 0x14 },
    { name: 'DIRSET', offset: 0x18 },
    { name: 'DIRCLR', offset: 0x1c },
    { name: 'LATCH', offset: 0x20, oneClears: 0xffff_ffff },
    ...storage('DETECTMODE', 0x24),
    ...Array.from({ length: PINS }, (_, pin) => ({ name: `PIN_CNF${pin}`, offset: 0x200 + pin * 4, reset: 2 })),
  ],
};

/** The registers begin at 0x500 behind the port's base. */
export class Nrf52Gpio extends RegisterDevice implements GpioPort {
  onChange: (() => void) | null = null;
  readonly pins = PINS;
  private readonly driven: PinLevel[] = Array.from({ length: PINS }, () => null);

  constructor(spec: PeripheralSpec) {
    super(spec.name, spec.base + 0x500, gpioTable);
  }

  drive(pin: number, level: PinLevel): void {
    this.driven[pin] = level;
    this.onChange?.();
  }

  output(pin: number): PinLevel {
    return this.bit('DIR', pin) ? (this.field('OUT', pin, 1) as 0 | 1) : null;
  }

  level(pin: number): 0 | 1 {
    const pull = this.field(`PIN_CNF${pin}`, 2, 2) === 3 ? 1 : 0;
    return this.output(pin) ?? this.driven[pin] ?? pull;
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'OUTSET' || register === 'OUTCLR') return this.get('OUT');
    if (register === 'DIRSET' || register === 'DIRCLR') return this.get('DIR');
    if (register !== 'IN') return stored;
    let word = 0;
    for (let pin = 0; pin < PINS; pin++) word |= this.level(pin) << pin;
    return word;
  }

  protected override onWrite(register: string, value: number): void {
    if (register.endsWith('SET')) this.set(register.slice(0, -3), this.get(register.slice(0, -3)) | value);
    else if (register.endsWith('CLR')) this.set(register.slice(0, -3), this.get(register.slice(0, -3)) & ~value);
    else if (register === 'DIR')
      for (let pin = 0; pin < PINS; pin++)
        this.set(`PIN_CNF${pin}`, (this.get(`PIN_CNF${pin}`) & ~1) | ((value >>> pin) & 1));
    else if (register.startsWith('PIN_CNF')) {
      const pin = Number(register.slice(7));
      this.set('DIR', (this.get('DIR') & ~(1 << pin)) | ((value & 1) << pin));
    }
    this.onChange?.();
  }

  protected override saveOwn(): unknown {
    return [...this.driven];
  }

  protected override restoreOwn(own: unknown): void {
    for (const [pin, level] of (own as PinLevel[]).entries()) this.driven[pin] = level;
  }
}
