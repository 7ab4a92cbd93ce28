/**
 * PSoC 62 with 2 MB (Infineon 002-24526, architecture TRM, and its registers TRM): clocks of SRSS, CPUSS and PERI, flash controller and
 * ports. IMO, PLLs and dividers are ready at once. Only the Cortex-M4 is emulated, from where the Cortex-M0+ starts it.
 */
import type { ClockRates } from '../clocks.ts';
import { ClockStage } from '../clock-stage.ts';
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, storage, type DeviceTable, type RegisterSpec } from '../register-device.ts';

const IMO_HZ = 8e6;
/** Of the internal low-speed oscillator, nominal, and of the watch crystal. */
const ILO_HZ = 32000;
const WCO_HZ = 32768;
const PATHS = 6;
const PLLS = 2;

const many = (name: string, count: number, first: number, reset = 0): RegisterSpec[] =>
  Array.from({ length: count }, (_, index) => ({ name: `${name}${index}`, offset: first + index * 4, reset }));

const PLL_ENABLE = 31;
const BYPASS_PLL = 3;

/** BYPASS_SEL: the source instead of what the loop makes of it. */
const BYPASSED = 2;
const FLL_READY = 5;

/** Clock paths, FLL, PLLs and the high-frequency roots. The watchdog stands still. */
export class Psoc6Srss extends ClockStage {
  private readonly host: PeripheralHost;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, {
      bytes: 0x1_0000,
      registers: [
        ...storage('PWR_CTL=0x22 PWR_HIBERNATE PWR_LVD_CTL - - PWR_BUCK_CTL=0x5 PWR_BUCK_CTL2'),
        { name: 'PWR_LVD_STATUS', offset: 0x1c, writable: 0 },
        ...many('PWR_HIB_DATA', 16, 0x80),
        ...storage('WDT_CTL=0x1 WDT_CNT WDT_MATCH', 0x180),
        ...many('CLK_DSI_SELECT', 16, 0x300),
        ...many('CLK_PATH_SELECT', 16, 0x340),
        // The first root is always on.
        { name: 'CLK_ROOT_SELECT0', offset: 0x380, reset: 0x8000_0000 },
        ...many('CLK_ROOT_SELECT', 16, 0x380).slice(1),
        ...storage('CLK_SELECT CLK_TIMER_CTL - CLK_ILO_CONFIG=0x80000000 CLK_IMO_CONFIG=0x80000000', 0x500),
        ...storage('CLK_OUTPUT_FAST CLK_OUTPUT_SLOW', 0x514),
        ...storage('CLK_MF_SELECT CLK_MFO_CONFIG', 0x544),
        ...storage(
          'CLK_FLL_CONFIG=0x1000000 CLK_FLL_CONFIG2=0x20001 CLK_FLL_CONFIG3=0x2800 CLK_FLL_CONFIG4=0xff',
          0x580,
        ),
        { name: 'CLK_FLL_STATUS', offset: 0x590, writable: 0 },
        ...many('CLK_PLL_CONFIG', PLLS, 0x600, 0x0002_0116),
        ...many('CLK_PLL_STATUS', PLLS, 0x640).map((register) => ({ ...register, writable: 0 })),
        { name: 'SRSS_INTR', offset: 0x700, oneClears: 0xffff_ffff },
        ...storage('SRSS_INTR_SET SRSS_INTR_MASK SRSS_INTR_MASKED SRSS_INTR_CFG', 0x704),
        { name: 'RES_CAUSE', offset: 0x800, oneClears: 0xffff_ffff },
        { name: 'RES_CAUSE2', offset: 0x804, oneClears: 0xffff_ffff },
        ...storage('PWR_TRIM_REF_CTL PWR_TRIM_BODOVP_CTL CLK_TRIM_CCO_CTL CLK_TRIM_CCO_CTL2', 0x7f00),
        ...storage('PWR_TRIM_WAKE_CTL', 0x7f30),
        ...storage('PWR_TRIM_LVD_CTL - CLK_TRIM_ILO_CTL PWR_TRIM_PWRSYS_CTL CLK_TRIM_ECO_CTL', 0xff10),
      ],
      unmodelled: new Map([
        [0x51c, 'CLK_CAL_CNT1'],
        [0x520, 'CLK_CAL_CNT2'],
        [0x52c, 'CLK_ECO_CONFIG'],
        [0x530, 'CLK_ECO_STATUS'],
        [0x53c, 'CLK_PILO_CONFIG'],
      ]),
    });
    this.host = context.host;
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'CLK_FLL_STATUS') return this.bit('CLK_FLL_CONFIG4', 31) ? FLL_READY : 0;
    const [, pll] = /^CLK_PLL_STATUS(\d)$/.exec(register) ?? [];
    return pll === undefined ? stored : this.bit(`CLK_PLL_CONFIG${pll}`, PLL_ENABLE) ? 1 : 0;
  }

  protected override changed(): void {
    this.host.reschedule();
  }

  /** Path 0 has the FLL, 1 and 2 the PLLs. IMO is the only source modelled. */
  protected override rates(): ClockRates {
    const lf = (this.get('CLK_SELECT') & 3) === 1 ? WCO_HZ : ILO_HZ;
    const root = this.get('CLK_ROOT_SELECT0');
    const path = root & 0xf;
    const hf0 = path < PATHS ? this.pathHz(path) / 2 ** ((root >>> 4) & 3) : 0;
    if (hf0 === 0) {
      this.host.fail(`${this.name}: clk_hf0 was switched to a path without a clock`);
      return {};
    }
    return { hf0, lf };
  }

  private pathHz(path: number): number {
    const source = (this.get(`CLK_PATH_SELECT${path}`) & 7) === 0 ? IMO_HZ : 0;
    if (path > PLLS) return source;
    const bypass = this.field(path === 0 ? 'CLK_FLL_CONFIG3' : `CLK_PLL_CONFIG${path - 1}`, 28, 2);
    const isOn = this.bit(path === 0 ? 'CLK_FLL_CONFIG' : `CLK_PLL_CONFIG${path - 1}`, PLL_ENABLE);
    if (bypass === BYPASSED) return source;
    // An FLL that is off lets its source through: the maker's set-up selects its output first.
    if (!isOn) return path > 0 && bypass === BYPASS_PLL ? 0 : source;
    return source * (path === 0 ? this.fllRatio() : this.pllRatio(path - 1));
  }

  private fllRatio(): number {
    const divided = this.bit('CLK_FLL_CONFIG', 24) ? 2 : 1;
    return this.field('CLK_FLL_CONFIG', 0, 18) / Math.max(1, this.field('CLK_FLL_CONFIG2', 0, 13)) / divided;
  }

  private pllRatio(pll: number): number {
    const config = `CLK_PLL_CONFIG${pll}`;
    return this.field(config, 0, 7) / Math.max(1, this.field(config, 8, 5)) / Math.max(1, this.field(config, 16, 5));
  }
}

/** CM4_CLOCK_CTL divides clk_hf0 for the Cortex-M4, CM0_CLOCK_CTL for the peripherals. */
export class Psoc6Cpuss extends ClockStage {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, {
      bytes: 0x1_0000,
      registers: [
        { name: 'IDENTITY', offset: 0, writable: 0 },
        { name: 'CM4_STATUS', offset: 0x4, writable: 0 },
        ...storage('CM4_CLOCK_CTL CM4_CTL', 0x8),
        ...storage('CM4_VECTOR_TABLE_BASE', 0x200),
        { name: 'CM0_CTL', offset: 0x1000, reset: 0xfa05_0002 },
        { name: 'CM0_STATUS', offset: 0x1004, reset: 0x3, writable: 0 },
        ...storage('CM0_CLOCK_CTL', 0x1008),
        ...storage('CM0_VECTOR_TABLE_BASE', 0x1120),
        ...storage('CM4_PWR_CTL=0xfa050003 CM4_PWR_DELAY_CTL=0x12c', 0x1200),
        ...storage('RAM0_CTL0=0x30001', 0x1300),
        ...many('RAM0_PWR_MACRO_CTL', 16, 0x1340, 0xfa05_0003),
        ...storage('RAM1_CTL0=0x30001 - RAM1_PWR_CTL=0xfa050003', 0x1380),
        ...storage('RAM2_CTL0=0x30001 - RAM2_PWR_CTL=0xfa050003', 0x13a0),
        ...storage('RAM_PWR_DELAY_CTL=0x96 ROM_CTL=1', 0x13c0),
        { name: 'PRODUCT_ID', offset: 0x1400, reset: 0x0102, writable: 0 },
        ...storage('TRIM_ROM_CTL TRIM_RAM_CTL', 0x2100),
        ...storage('SYSTICK_CTL=0x40000147', 0x1600),
      ],
    });
  }

  protected override rates({ hf0 = 0 }: ClockRates): ClockRates {
    const core = hf0 / (this.field('CM4_CLOCK_CTL', 8, 8) + 1);
    return { core, clk_peri: hf0 / (this.field('CM0_CLOCK_CTL', 24, 8) + 1) };
  }
}

const DIVIDERS_8 = 8;
const DIVIDERS_16 = 16;
const PCLK_LINES = 64;
const DIVIDERS_16_5 = 4;
const DIVIDERS_24_5 = 1;

/** Peripheral clock dividers, two kinds of them with a fraction; each line's clock is `pclk<n>`. Divider 0xff of type 3: none, no clock. */
export class Psoc6Peri extends ClockStage {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, {
      bytes: 0x1_0000,
      registers: [
        { name: 'DIV_CMD', offset: 0x400, writable: 0x3fff_ffff },
        ...many('CLOCK_CTL', PCLK_LINES, 0xc00, 0x3ff),
        ...many('DIV_8_CTL', DIVIDERS_8, 0x1000),
        ...many('DIV_16_CTL', DIVIDERS_16, 0x1400),
        ...many('DIV_16_5_CTL', DIVIDERS_16_5, 0x1800),
        ...many('DIV_24_5_CTL', DIVIDERS_24_5, 0x1c00),
      ],
    });
  }

  override write(offset: number, value: number, bytes?: 1 | 2 | 4, lanes?: number): boolean {
    if (this.nameOf(offset) !== 'DIV_CMD') return super.write(offset, value, bytes, lanes);
    this.command(value);
    return super.write(offset, value, bytes, lanes);
  }

  protected override rates({ clk_peri = 0 }: ClockRates): ClockRates {
    const rates: Record<string, number> = {};
    for (let line = 0; line < PCLK_LINES; line++) {
      const select = this.get(`CLOCK_CTL${line}`);
      const register = dividerRegister((select >>> 8) & 3, select & 0xff);
      rates[`pclk${line}`] = register !== null && this.bit(register, 0) ? clk_peri / this.divider(register) : 0;
    }
    return rates;
  }

  /** FRAC5_DIV has only bits in those that have a fraction. */
  private divider(register: string): number {
    return (this.get(register) >>> 8) + 1 + this.field(register, 3, 5) / 32;
  }

  /** ENABLE (bit 31) and DISABLE (30) of a divider; both are over at once and read as 0. */
  private command(value: number): void {
    const register = dividerRegister((value >>> 8) & 3, value & 0xff);
    if (register === null) return;
    if (value >>> 31 === 1) this.set(register, this.get(register) | 1);
    else if (((value >>> 30) & 1) === 1) this.set(register, this.get(register) & ~1);
  }
}

function dividerRegister(type: number, index: number): string | null {
  if (type === 0 && index < DIVIDERS_8) return `DIV_8_CTL${index}`;
  if (type === 1 && index < DIVIDERS_16) return `DIV_16_CTL${index}`;
  if (type === 2 && index < DIVIDERS_16_5) return `DIV_16_5_CTL${index}`;
  return type === 3 && index < DIVIDERS_24_5 ? `DIV_24_5_CTL${index}` : null;
}

/** FLASH_CTL.MAIN_WS and the cache of the Cortex-M4. */
export class Psoc6Flashc extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      registers: [
        ...storage('FLASH_CTL=0x110000 FLASH_PWR_CTL=0x3 FLASH_CMD'),
        ...storage('CM0_CA_CTL0=0xc0000000 CM0_CA_CTL1=0xfa050003 CM0_CA_CTL2=0x12c', 0x400),
        ...storage('CM4_CA_CTL0=0xc0000000 CM4_CA_CTL1=0xfa050003 CM4_CA_CTL2=0x12c', 0x480),
      ],
    });
    this.context = context;
    this.update();
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  protected override onWrite(register: string, value: number): void {
    if (register === 'FLASH_CMD' && (value & 1) !== 0) {
      this.set('FLASH_CMD', 0);
      this.context.flash.flush();
    }
    this.update();
  }

  protected override restoreOwn(): void {
    this.update();
  }

  private update(): void {
    const isCached = this.bit('CM4_CA_CTL0', 31);
    this.context.flash.set({
      waitStates: this.field('FLASH_CTL', 0, 4),
      lineBits: 128,
      prefetch: this.bit('CM4_CA_CTL0', 30),
      instructionCache: isCached,
      dataCache: isCached,
    });
  }
}

const PORTS = 15;
const AMUX_SPLITS = 64;
export const hsiomTable: DeviceTable = {
  bytes: 0x3000,
  registers: [
    ...Array.from({ length: PORTS }, (_, port) => [
      { name: `PRT${port}_PORT_SEL0`, offset: port * 0x10 },
      { name: `PRT${port}_PORT_SEL1`, offset: port * 0x10 + 4 },
    ]).flat(),
    ...many('AMUX_SPLIT_CTL', AMUX_SPLITS, 0x2000),
  ],
};
