/**
 * The RP2040's serial flash interface (data sheet 4.10): how long a read takes that misses the cache, and commands to the flash, byte by byte. After reset the
 * registers hold what our second boot stage leaves (kernels/runtime/tl_boot_rp2040.c), for images without one.
 */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';
import { FlashChip } from './flash-chip.ts';
import { QSPI_SELECTED } from './xip.ts';

const ssiTable: DeviceTable = {
  bytes: 0x100,
  registers: [
    ...storage('CTRLR0=0x1f0300 CTRLR1 SSIENR=1 MWCR SER BAUDR=4 TXFTLR RXFTLR'),
    { name: 'TXFLR', offset: 0x20, writable: 0 },
    { name: 'RXFLR', offset: 0x24, writable: 0 },
    { name: 'SR', offset: 0x28, reset: 6, writable: 0 },
    ...storage('IMR', 0x2c),
    { name: 'ICR', offset: 0x48, writable: 0 },
    ...storage('DMACR DMATDLR DMARDLR', 0x4c),
    { name: 'IDR', offset: 0x58, reset: 0x5153_5049, writable: 0 },
    { name: 'SSI_VERSION_ID', offset: 0x5c, reset: 0x3430_312a, writable: 0 },
    { name: 'DR0', offset: 0x60, writeOnly: true },
    ...storage('RX_SAMPLE_DLY SPI_CTRLR0=0x03000218 TXD_DRIVE_EDGE', 0xf0),
  ],
};
/** Of SR: receive FIFO not empty. */
const RFNE = 8;

/** A miss reads one word, half a line of the cache. */
const READ_BITS = 32;
/** SPI_CTRLR0.INST_L, in bits. */
const INSTRUCTION_BITS = [0, 4, 8, 16] as const;

export class Rp2040Ssi extends RegisterDevice {
  private readonly context: DeviceContext;
  private readonly chip: FlashChip;
  private received: number[] = [];
  private lastSelection = 0;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, ssiTable);
    this.context = context;
    this.chip = new FlashChip(context.host, context.flashArray.start);
    this.update();
  }

  override reset(): void {
    super.reset();
    this.chip.reset();
    this.received = [];
    this.update();
  }

  /** Everything sent has arrived by the time that SR is looked at; chip select is up then, unless it is held down. */
  protected override onRead(register: string, stored: number): number {
    if (register === 'SR') {
      if (this.selection() === 0) this.chip.deselect();
      return stored | (this.received.length > 0 ? RFNE : 0);
    }
    if (register === 'RXFLR') return this.received.length;
    return register === 'DR0' ? (this.received.shift() ?? 0) : stored;
  }

  protected override onWrite(register: string, value: number): void {
    if (register === 'DR0') {
      this.transfer(value & 0xff);
      return;
    }
    if (register === 'SSIENR') {
      this.chip.deselect();
      this.received = [];
    }
    this.update();
  }

  protected override saveOwn(): unknown {
    return { chip: this.chip.save(), received: [...this.received] };
  }

  protected override restoreOwn(own: unknown): void {
    const { chip, received } = own as { chip: unknown; received: number[] };
    this.chip.restore(chip);
    this.received = [...received];
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

  private selection(): number {
    return this.context.wires.get(QSPI_SELECTED) ?? 0;
  }

  /** In the other modes an address goes out and data come in of their own: reads, of which only the cache's matter. */
  private transfer(byte: number): void {
    if (!this.bit('SSIENR', 0) || this.field('CTRLR0', 8, 2) !== 0) return;
    if (this.selection() !== this.lastSelection) this.chip.deselect();
    this.lastSelection = this.selection();
    this.received.push(this.chip.transfer(byte));
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
