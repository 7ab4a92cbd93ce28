/** STM32 GPIO port (RM0432 chapter 8): modes, output latch, input levels that the host drives. Analog and alternate functions only keep. */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import type { GpioPort, PinLevel } from '../gpio-port.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';

const PINS = 16;
const MODE_OUTPUT = 1;
const MODE_ANALOG = 3;

/** RM0432 8.4.1: all analog but the debug port's pins on ports A and B; older families start as inputs (RM0090 8.4.1). */
function gpioTable({ name }: PeripheralSpec, resetsToInput: boolean): DeviceTable {
  const port = name.at(-1) ?? '';
  const debugPins: Readonly<Record<string, number>> = resetsToInput
    ? { A: 0xa800_0000, B: 0x0000_0280 }
    : { A: 0xabff_ffff, B: 0xffff_febf };
  const pulls: Readonly<Record<string, number>> = { A: 0x6400_0000, B: 0x0000_0100 };
  return {
    bytes: 0x400,
    registers: [
      { name: 'MODER', offset: 0x00, reset: debugPins[port] ?? (resetsToInput ? 0 : 0xffff_ffff) },
      ...storage('OTYPER OSPEEDR', 0x04),
      { name: 'PUPDR', offset: 0x0c, reset: pulls[port] ?? 0 },
      { name: 'IDR', offset: 0x10, writable: 0 },
      { name: 'ODR', offset: 0x14, writable: 0xffff },
      { name: 'BSRR', offset: 0x18, writeOnly: true },
      ...storage('LCKR AFRL AFRH', 0x1c),
      { name: 'BRR', offset: 0x28, writeOnly: true },
      ...storage('SECCFGR', 0x30),
    ],
  };
}

export class Stm32Gpio extends RegisterDevice implements GpioPort {
  onChange: (() => void) | null = null;
  readonly pins = PINS;
  private readonly driven: PinLevel[] = Array.from({ length: PINS }, () => null);

  constructor(spec: PeripheralSpec, _context: DeviceContext, resetsToInput: boolean) {
    super(spec.name, spec.base, gpioTable(spec, resetsToInput));
  }

  drive(pin: number, level: PinLevel): void {
    this.driven[pin] = level;
    this.onChange?.();
  }

  output(pin: number): PinLevel {
    return this.field('MODER', pin * 2, 2) === MODE_OUTPUT ? (this.field('ODR', pin, 1) as 0 | 1) : null;
  }

  level(pin: number): 0 | 1 {
    const mode = this.field('MODER', pin * 2, 2);
    if (mode === MODE_ANALOG) return 0;
    const pull = this.field('PUPDR', pin * 2, 2) === 1 ? 1 : 0;
    return this.output(pin) ?? this.driven[pin] ?? pull;
  }

  protected override onRead(register: string, stored: number): number {
    if (register !== 'IDR') return stored;
    let word = 0;
    for (let pin = 0; pin < PINS; pin++) word |= this.level(pin) << pin;
    return word;
  }

  protected override onWrite(register: string, value: number): void {
    const latch = this.get('ODR');
    // BSRR: a bit set in both halves is set.
    if (register === 'BSRR') this.set('ODR', (latch & ~(value >>> 16)) | (value & 0xffff));
    else if (register === 'BRR') this.set('ODR', latch & ~(value & 0xffff));
    this.onChange?.();
  }

  protected override saveOwn(): unknown {
    return [...this.driven];
  }

  protected override restoreOwn(own: unknown): void {
    for (const [pin, level] of (own as PinLevel[]).entries()) this.driven[pin] = level;
  }
}
