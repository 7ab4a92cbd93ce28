/**
 * DMA channels of the STM32L4+ and G0 (RM0432 chapter 11, RM0444 chapter 10) and the request multiplexer in front of them and of the H7's streams
 * (RM0432 chapter 12, RM0455 chapter 17). Synchronisation, request generators and events of the multiplexer are not modelled.
 */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import type { DmaRequests, Trigger } from '../dma.ts';
import type { PeripheralHost } from '../peripheral.ts';
import { RegisterDevice, storage, type DeviceTable } from '../register-device.ts';
import { CountedDma } from './counted-dma.ts';

const CCR = { EN: 0, DIR: 4, CIRC: 5, PINC: 6, MINC: 7, PSIZE: 8, MSIZE: 10, MEM2MEM: 14 } as const;
/** Of a channel in ISR, four bits each: GIF, TCIF, HTIF, TEIF. */
const FLAG = { G: 1, TC: 2, HT: 4, TE: 8 } as const;
/** TCIE, HTIE, TEIE: bits 1 to 3 as the flags. */
const CR_ENABLES = 0xe;

/** Channels are numbered from 1 in the manual, from 0 here. */
const nameOf = (channel: number, register: string): string => `C${register}${channel + 1}`;

function tableOf({ irqs = [] }: PeripheralSpec): DeviceTable {
  const registers = irqs.flatMap((_, channel) => {
    const first = 0x08 + 0x14 * channel;
    return [
      { name: nameOf(channel, 'CR'), offset: first, writable: 0x7fff },
      { name: nameOf(channel, 'NDTR'), offset: first + 4, writable: 0xffff },
      { name: nameOf(channel, 'PAR'), offset: first + 8 },
      { name: nameOf(channel, 'MAR'), offset: first + 12 },
    ];
  });
  return {
    bytes: 0x400,
    registers: [
      { name: 'ISR', offset: 0x00, writable: 0 },
      { name: 'IFCR', offset: 0x04, writeOnly: true },
      ...registers,
    ],
  };
}

export class Stm32DmaChannels extends CountedDma {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, tableOf(spec));
  }

  protected override onRead(register: string, stored: number): number {
    if (register !== 'ISR' && !register.startsWith('CNDTR')) return stored;
    this.dma.advance();
    return this.get(register);
  }

  protected override onWrite(register: string, value: number, old: number): void {
    if (register === 'IFCR') {
      this.clear(value);
      return;
    }
    const channel = Number(register.at(-1)) - 1;
    const isOn = this.bit(nameOf(channel, 'CR'), CCR.EN);
    if (register.startsWith('CCR')) {
      if (isOn && (old & 1) === 0) this.begin(channel);
      this.updateInterrupts();
    } else if (isOn) this.set(register, old); // 11.6.4 to 11.6.6: not while the channel is on
  }

  protected isActive(channel: number): boolean {
    return this.bit(nameOf(channel, 'CR'), CCR.EN) && this.get(nameOf(channel, 'NDTR')) > 0;
  }

  protected triggerOf(channel: number): Trigger {
    if (this.bit(nameOf(channel, 'CR'), CCR.MEM2MEM)) return 'none';
    const { mux } = this.spec;
    const line = mux === undefined ? null : this.dma.lineOf(mux.name, mux.first + channel);
    return line === null ? 'never' : { line };
  }

  protected moveItem(channel: number): void {
    const control = this.get(nameOf(channel, 'CR'));
    const has = (bit: number): boolean => ((control >>> bit) & 1) === 1;
    const index = this.indexOf(channel);
    const [peripheralBytes, memoryBytes] = [1 << ((control >>> CCR.PSIZE) & 3), 1 << ((control >>> CCR.MSIZE) & 3)];
    const peripheral = this.get(nameOf(channel, 'PAR')) + (has(CCR.PINC) ? index * peripheralBytes : 0);
    const memory = this.get(nameOf(channel, 'MAR')) + (has(CCR.MINC) ? index * memoryBytes : 0);
    const isDone = has(CCR.DIR)
      ? this.move(memory, memoryBytes, peripheral, peripheralBytes)
      : this.move(peripheral, peripheralBytes, memory, memoryBytes);
    if (isDone) this.count(channel, has(CCR.CIRC));
    else {
      this.flag(channel, FLAG.TE);
      this.set(nameOf(channel, 'CR'), control & ~1);
    }
  }

  protected wantsInterrupt(channel: number): boolean {
    return ((this.get('ISR') >>> (4 * channel)) & this.get(nameOf(channel, 'CR')) & CR_ENABLES) !== 0;
  }

  protected channelName(channel: number): string {
    return `${this.name} channel ${channel + 1}`;
  }

  protected leftOf(channel: number): string {
    return nameOf(channel, 'NDTR');
  }

  protected halfDone(channel: number): void {
    this.flag(channel, FLAG.HT);
  }

  protected done(channel: number): void {
    this.flag(channel, FLAG.TC);
  }

  private flag(channel: number, bits: number): void {
    this.set('ISR', this.get('ISR') | ((bits | FLAG.G) << (4 * channel)));
  }

  /** CGIF clears all four flags; the global one goes with the last of the others. */
  private clear(written: number): void {
    let flags = this.get('ISR');
    for (let channel = 0; channel < this.channels; channel++) {
      const shift = 4 * channel;
      const cleared = (written >>> shift) & 0xf;
      const rest = (cleared & FLAG.G) !== 0 ? 0 : (flags >>> shift) & 0xe & ~cleared;
      flags = (flags & ~(0xf << shift)) | ((rest === 0 ? 0 : rest | FLAG.G) << shift);
    }
    this.set('ISR', flags);
    this.updateInterrupts();
  }
}

const MUX_CHANNELS = 16;
const REQUEST_BITS = 7;
/** SE and EGE of CxCR. */
const MUX_NOT_MODELLED = (1 << 16) | (1 << 9);

const muxTable: DeviceTable = {
  bytes: 0x400,
  registers: [
    ...storage(Array.from({ length: MUX_CHANNELS }, (_, channel) => `C${channel}CR`).join(' ')),
    { name: 'CSR', offset: 0x80, writable: 0 },
    { name: 'CFR', offset: 0x84, writeOnly: true },
    ...storage('RG0CR RG1CR RG2CR RG3CR RG4CR RG5CR RG6CR RG7CR', 0x100),
    { name: 'RGSR', offset: 0x140, writable: 0 },
    { name: 'RGCFR', offset: 0x144, writeOnly: true },
  ],
};

export class Stm32DmaMux extends RegisterDevice {
  private readonly host: PeripheralHost;
  private readonly dma: DmaRequests;

  constructor({ name, base }: PeripheralSpec, { host, dma }: DeviceContext) {
    super(name, base, muxTable);
    this.host = host;
    this.dma = dma;
    dma.addSelector(name, (channel) => {
      const request = this.field(`C${channel}CR`, 0, REQUEST_BITS);
      return request === 0 || this.isEnabled?.() === false ? null : `${name}.${request}`;
    });
  }

  protected override onWrite(register: string, value: number): void {
    if (/^C\d+CR$/.test(register) && (value & MUX_NOT_MODELLED) !== 0)
      this.host.note(`${this.name}_${register}: synchronisation and events are not modelled`);
    if (/^RG\dCR$/.test(register) && ((value >>> 16) & 1) === 1)
      this.host.note(`${this.name}_${register}: request generators are not modelled`);
    this.dma.changed();
  }
}
