/** Inter-processor communication, backup domain and ports of the PSoC 62 (architecture TRM 002-24526; registers TRM). */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, storage, withOscillators, type DeviceTable, type RegisterSpec } from '../register-device.ts';

const CHANNELS = 16;
const INTERRUPTS = 16;
const ACQUIRED = 0x8000_0000;

/** Channels by which the cores call the supervisory ROM, which runs on the Cortex-M0+. */
const SYSTEM_CALLS = 3;
/** What the ROM answers: done, or that it has no such call. */
const SUCCESS = 0xa000_0000;
const NO_SUCH_CALL = 0xf000_000b;
/** Sets or clears a bit for the flash's voltage. */
const SET_FLASH_VOLTAGE = 0x0c;

/**
 * Channels with a lock and two words of data. The Cortex-M0+ is not emulated; of the calls of its ROM that for the flash's voltage is answered,
 * at once, as clock and power set-up needs it.
 */
export class Psoc6Ipc extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1_0000,
      registers: [
        ...Array.from({ length: CHANNELS }, (_, n) => [
          ...storage(`S${n}_ACQUIRE S${n}_RELEASE S${n}_NOTIFY S${n}_DATA0 S${n}_DATA1`, n * 0x20),
          { name: `S${n}_LOCK_STATUS`, offset: n * 0x20 + 0x1c, writable: 0 },
        ]).flat(),
        ...Array.from({ length: INTERRUPTS }, (_, n) => [
          { name: `I${n}_INTR`, offset: 0x1000 + n * 0x20, oneClears: 0xffff_ffff },
          ...storage(`I${n}_INTR_SET I${n}_INTR_MASK`, 0x1004 + n * 0x20),
          { name: `I${n}_INTR_MASKED`, offset: 0x100c + n * 0x20, writable: 0 },
        ]).flat(),
      ],
    });
    this.context = context;
  }

  /** Reading ACQUIRE takes the lock if it is free, which bit 31 tells. */
  protected override onRead(register: string, stored: number): number {
    const [, n, name] = /^S(\d+)_(ACQUIRE|RELEASE|NOTIFY)$/.exec(register) ?? [];
    if (n === undefined) return stored;
    if (name !== 'ACQUIRE') return 0;
    const wasFree = this.get(`S${n}_LOCK_STATUS`) === 0;
    this.set(`S${n}_LOCK_STATUS`, ACQUIRED);
    return wasFree ? ACQUIRED : 0;
  }

  protected override onWrite(register: string, value: number): void {
    const [, n, name] = /^S(\d+)_(RELEASE|NOTIFY)$/.exec(register) ?? [];
    if (name === 'RELEASE') this.set(`S${n}_LOCK_STATUS`, 0);
    else if (name === 'NOTIFY' && value !== 0 && Number(n) < SYSTEM_CALLS) this.systemCall(`S${n}`);
    else if (name === 'NOTIFY' && value !== 0)
      this.context.host.note(`${this.name}: channel ${n} calls the Cortex-M0+, which is not emulated`);
  }

  /** DATA0 is the call, or where in RAM it is; the answer goes there. */
  private systemCall(channel: string): void {
    const { host } = this.context;
    const data = this.get(`${channel}_DATA0`);
    const isDirect = (data & 1) === 1;
    const [, , , inRam = 0] = isDirect ? [] : (host.readMemory(data, 4) ?? []);
    const code = isDirect ? data >>> 24 : inRam;
    const answer = code === SET_FLASH_VOLTAGE ? SUCCESS : NO_SUCH_CALL;
    if (answer === NO_SUCH_CALL)
      host.note(`${this.name}: system call 0x${code.toString(16)} of the Cortex-M0+'s ROM is not modelled`);
    if (isDirect) this.set(`${channel}_DATA0`, answer);
    else host.writeMemory(data, Uint8Array.of(0, 0, 0, answer >>> 24).fill(answer & 0xff, 0, 1));
    this.set(`${channel}_LOCK_STATUS`, 0);
  }
}

const MASTERS = 16;

/** Only the protection contexts of the bus masters, which keep what is written: nothing is protected. */
export const protTable: DeviceTable = {
  bytes: 0x1_0000,
  registers: [
    ...Array.from({ length: MASTERS }, (_, n) => ({ name: `SMPU_MS${n}_CTL`, offset: n * 4, reset: 0x303 })),
    ...Array.from({ length: MASTERS }, (_, n) => ({ name: `MPU${n}_MS_CTL`, offset: 0x4000 + n * 0x400 })),
  ],
};

const BACKUP_REGISTERS = 64;
const WCO_OK = 2;

const backupTable: DeviceTable = {
  bytes: 0x1_0000,
  registers: [
    ...storage('CTL - RTC_RW CAL_CTL'),
    { name: 'STATUS', offset: 0x10, writable: 0 },
    ...storage('RTC_TIME RTC_DATE ALM1_TIME ALM1_DATE ALM2_TIME ALM2_DATE', 0x14),
    { name: 'INTR', offset: 0x2c, oneClears: 7 },
    ...storage('INTR_SET INTR_MASK INTR_MASKED OSCCNT TICKS PMIC_CTL=0xa0000000 RESET', 0x30),
    ...Array.from({ length: BACKUP_REGISTERS }, (_, n) => ({ name: `BREG${n}`, offset: 0x1000 + n * 4 })),
    ...storage('TRIM', 0xff00),
  ],
};

/** The crystal of the watch oscillator is good at once where there is one; the clock of the day stands still. */
export class Psoc6Backup extends RegisterDevice {
  private readonly hasCrystal: boolean;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, withOscillators(backupTable, context.oscillators));
    this.hasCrystal = context.oscillators.lse !== undefined;
  }

  protected override onRead(register: string, stored: number): number {
    if (register !== 'STATUS') return stored;
    return this.hasCrystal && this.bit('CTL', 3) ? 1 << WCO_OK : 0;
  }
}

const PORTS = 15;
const PINS = 8;
/** CFG, four bits a pin. */
const DRIVE = { pullUp: 2, pullDown: 3, openLow: 4, openHigh: 5, strong: 6, pullUpDown: 7 } as const;

const portRegisters = (port: number): RegisterSpec[] => [
  ...storage(`PRT${port}_OUT PRT${port}_OUT_CLR PRT${port}_OUT_SET PRT${port}_OUT_INV`, port * 0x80),
  { name: `PRT${port}_IN`, offset: port * 0x80 + 0x10, writable: 0 },
  { name: `PRT${port}_INTR`, offset: port * 0x80 + 0x14, oneClears: 0xffff_ffff },
  ...storage(`PRT${port}_INTR_MASK`, port * 0x80 + 0x18),
  { name: `PRT${port}_INTR_MASKED`, offset: port * 0x80 + 0x1c, writable: 0 },
  ...storage(`PRT${port}_INTR_SET`, port * 0x80 + 0x20),
  ...storage(
    `PRT${port}_INTR_CFG PRT${port}_CFG PRT${port}_CFG_IN PRT${port}_CFG_OUT PRT${port}_CFG_SIO - PRT${port}_CFG_IN_AUTOLVL`,
    port * 0x80 + 0x40,
  ),
];

/** Pins as they are driven by themselves: nothing outside is connected to them. */
export class Psoc6Gpio extends RegisterDevice {
  constructor(spec: PeripheralSpec) {
    super(spec.name, spec.base, {
      bytes: 0x1_0000,
      registers: Array.from({ length: PORTS }, (_, port) => portRegisters(port)).flat(),
    });
  }

  protected override onRead(register: string, stored: number): number {
    const [, port, name] = /^PRT(\d+)_(OUT_\w+|IN)$/.exec(register) ?? [];
    if (port === undefined) return stored;
    return name === 'IN' ? this.levels(port) : this.get(`PRT${port}_OUT`);
  }

  protected override onWrite(register: string, value: number): void {
    const [, port, how] = /^PRT(\d+)_OUT_(SET|CLR|INV)$/.exec(register) ?? [];
    if (port === undefined) return;
    const old = this.get(`PRT${port}_OUT`);
    this.set(`PRT${port}_OUT`, how === 'SET' ? old | value : how === 'CLR' ? old & ~value : old ^ value);
  }

  /** A pin whose input buffer is off reads 0; open drains have pulled nowhere read 0. */
  private levels(port: string): number {
    let word = 0;
    for (let pin = 0; pin < PINS; pin++) {
      const config = this.field(`PRT${port}_CFG`, pin * 4, 4);
      const drive = config & 7;
      const isDriven = drive >= DRIVE.pullUp && drive !== DRIVE.openLow;
      if (config >= 8 && isDriven) word |= this.field(`PRT${port}_OUT`, pin, 1) << pin;
    }
    return word;
  }
}
