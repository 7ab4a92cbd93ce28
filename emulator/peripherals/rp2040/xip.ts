/** Control of the XIP cache and the pins of the flash (RP2040 data sheet 2.6.3, 2.19.6.2). */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, storage } from '../register-device.ts';

/** FLUSH empties the cache; the counters of hits do not count, and nothing streams. */
export class Rp2040XipControl extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: [
        ...storage('CTRL=3'),
        { name: 'FLUSH', offset: 4, writeOnly: true },
        { name: 'STAT', offset: 8, reset: 2, writable: 0 },
        ...storage('CTR_HIT CTR_ACC', 0xc),
      ],
      unmodelled: new Map([
        [0x14, 'STREAM_ADDR'],
        [0x18, 'STREAM_CTR'],
        [0x1c, 'STREAM_FIFO'],
      ]),
    });
    this.context = context;
  }

  protected override onWrite(register: string): void {
    if (register === 'FLUSH') this.context.flash.flush();
    else if (register.startsWith('CTR_')) this.set(register, 0);
  }
}

const PINS = ['SCLK', 'SS', 'SD0', 'SD1', 'SD2', 'SD3'] as const;
/** OUTOVER of SS_CTRL: driven low whatever the serial interface does. */
const DRIVEN_LOW = 2;
/** 0, or the number of the selection. */
export const QSPI_SELECTED = 'QSPI_SS driven low';

export class Rp2040IoQspi extends RegisterDevice {
  private readonly context: DeviceContext;
  private selections = 0;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      hasAtomicViews: true,
      registers: PINS.flatMap((pin, index) => [
        { name: `${pin}_STATUS`, offset: index * 8, writable: 0 },
        { name: `${pin}_CTRL`, offset: index * 8 + 4, reset: 0 },
      ]),
      unmodelled: new Map([[0x30, 'INTR']]),
    });
    this.context = context;
  }

  override reset(): void {
    super.reset();
    this.update();
  }

  protected override onWrite(): void {
    this.update();
  }

  protected override restoreOwn(): void {
    this.update();
  }

  private update(): void {
    const { wires } = this.context;
    const isSelected = this.field('SS_CTRL', 8, 2) === DRIVEN_LOW;
    if (!isSelected) wires.set(QSPI_SELECTED, 0);
    else if (wires.get(QSPI_SELECTED) === 0) wires.set(QSPI_SELECTED, ++this.selections);
  }
}
