/**
 * The RP2040's serial flash interface (data sheet 4.10), never read through here: what matters is how long a read takes that misses the cache. Emulation begins
 * behind the second boot stage, so the registers hold what ours has left (kernels/runtime/tl_boot_rp2040.c).
 */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';

const ssiTable: DeviceTable = {
  bytes: 0x100,
  registers: [
    ...storage('CTRLR0=0x1f0300 CTRLR1 SSIENR=1 MWCR SER BAUDR=4 TXFTLR RXFTLR'),
    { name: 'TXFLR', offset: 0x20, writable: 0 },
    { name: 'RXFLR', offset: 0x24, writable: 0 },
    { name: 'SR', offset: 0x28, reset: 6, writable: 0 },
    ...storage('SPI_CTRLR0=0x03000218', 0xf4),
  ],
  unmodelled: new Map([[0x60, 'DR0']]),
};

/** A miss reads one word, half a line of the cache. */
const READ_BITS = 32;
/** SPI_CTRLR0.INST_L, in bits. */
const INSTRUCTION_BITS = [0, 4, 8, 16] as const;

export class Rp2040Ssi extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, ssiTable);
    this.context = context;
    this.update();
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
    const { flash } = this.context;
    flash.set({
      waitStates: this.clocksPerRead() * this.get('BAUDR'),
      lineBits: READ_BITS,
      prefetch: false,
      instructionCache: true,
      dataCache: true,
    });
  }

  /** Of the serial clock: instruction, address and mode bits, wait cycles, data. */
  private clocksPerRead(): number {
    const lanes = 2 ** this.field('CTRLR0', 21, 2);
    const type = this.field('SPI_CTRLR0', 0, 2);
    const instruction = INSTRUCTION_BITS[this.field('SPI_CTRLR0', 8, 2)] ?? 0;
    const address = this.field('SPI_CTRLR0', 2, 4) * 4;
    // TRANS_TYPE 0: both on one lane, 1: the address on all, 2: both on all.
    return (
      instruction / (type === 2 ? lanes : 1) +
      address / (type === 0 ? 1 : lanes) +
      this.field('SPI_CTRLR0', 11, 5) +
      READ_BITS / lanes
    );
  }
}
