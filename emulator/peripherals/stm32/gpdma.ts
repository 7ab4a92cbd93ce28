/**
 * General purpose DMA of the STM32U5 (RM0456 chapter 17): direct and linked-list transfers between devices and memory, half and complete events,
 * suspension, errors. Triggers, repeated blocks (two-dimensional addressing), packing between widths and link step mode are not modelled.
 */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { DmaController, type Trigger } from '../dma.ts';
import { storage, type DeviceTable, type RegisterSpec } from '../register-device.ts';

const CR = { EN: 0, RESET: 1, SUSP: 2, LSM: 16 } as const;
/** SR; the enable bits of CR and the bits of FCR stand at the same places. */
const SR = { IDLE: 1 << 0, TC: 1 << 8, HT: 1 << 9, DTE: 1 << 10, ULE: 1 << 11, USE: 1 << 12, SUSP: 1 << 13 } as const;
const FLAGS = 0x7f00;
const TR1 = { SDW: 0, SINC: 3, PAM: 11, DDW: 16, DINC: 19 } as const;
const TR2 = { REQSEL: 0, REQSEL_BITS: 7, SWREQ: 9, TRIGPOL: 24, TCEM: 30 } as const;
/** TCEM: events at the end of the last block of the list only. */
const LAST_ITEM_OF_LIST = 3;
const BLOCK_BYTES_BITS = 16;
/** In the order in which they follow one another in memory, with their bit in LLR; LLR itself comes last. */
const LINKED = [
  ['TR1', 31],
  ['TR2', 30],
  ['BR1', 29],
  ['SAR', 28],
  ['DAR', 27],
  ['TR3', 26],
  ['BR2', 25],
  ['LLR', 16],
] as const;
const UPDATE_BITS = 0xfe01_0000;

function tableOf({ irqs = [] }: PeripheralSpec): DeviceTable {
  const registers = irqs.flatMap((_, channel): RegisterSpec[] => {
    const base = 0x80 * channel;
    const named = (name: string, offset: number): RegisterSpec => ({
      name: `C${channel}${name}`,
      offset: offset + base,
    });
    return [
      { ...named('LBAR', 0x50), writable: 0xffff_0000 },
      { ...named('FCR', 0x5c), writeOnly: true },
      { ...named('SR', 0x60), reset: SR.IDLE, writable: 0 },
      named('CR', 0x64),
      ...['TR1', 'TR2', 'BR1', 'SAR', 'DAR', 'TR3', 'BR2'].map((name, index) => named(name, 0x90 + 4 * index)),
      named('LLR', 0xcc),
    ];
  });
  return {
    bytes: 0x1000,
    registers: [
      ...storage('SECCFGR PRIVCFGR RCFGLOCKR'),
      { name: 'MISR', offset: 0x0c, writable: 0 },
      { name: 'SMISR', offset: 0x10, writable: 0 },
      ...registers,
    ],
  };
}

export class Stm32Gpdma extends DmaController {
  /** Bytes of the block under way, as programmed or linked. */
  private blocks: number[];

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, tableOf(spec));
    this.blocks = new Array<number>(this.channels).fill(0);
  }

  override reset(): void {
    this.blocks.fill(0);
    super.reset();
  }

  protected override onRead(register: string, stored: number): number {
    if (register === 'MISR') return this.maskedInterrupts();
    if (!/^C\d+(SR|BR1|SAR|DAR|CR)$/.test(register)) return stored;
    this.dma.advance();
    return this.get(register);
  }

  protected override onWrite(register: string, value: number, old: number): void {
    const [, number, name = ''] = /^C(\d+)(\w+)$/.exec(register) ?? [];
    if (number === undefined) return;
    const channel = Number(number);
    if (name === 'FCR') this.clear(channel, value & FLAGS);
    else if (name === 'CR') this.control(channel, value, old);
    else if (this.of(channel, 'CR', CR.EN) === 1) this.set(register, old); // 17.8: not while the channel is on
    this.updateInterrupts();
  }

  protected override saveOwn(): unknown {
    return { blocks: [...this.blocks], lines: super.saveOwn() };
  }

  protected override restoreOwn(own: unknown): void {
    const { blocks, lines } = own as { blocks: number[]; lines: unknown };
    this.blocks = [...blocks];
    super.restoreOwn(lines);
  }

  protected isActive(channel: number): boolean {
    return this.of(channel, 'CR', CR.EN) === 1 && this.of(channel, 'CR', CR.SUSP) === 0;
  }

  protected triggerOf(channel: number): Trigger {
    if (this.of(channel, 'TR2', TR2.SWREQ) === 1) return 'none';
    return { line: `${this.name}.${this.of(channel, 'TR2', TR2.REQSEL, TR2.REQSEL_BITS)}` };
  }

  protected moveItem(channel: number): void {
    const fromBytes = 1 << this.of(channel, 'TR1', TR1.SDW, 2);
    const toBytes = 1 << this.of(channel, 'TR1', TR1.DDW, 2);
    const left = this.of(channel, 'BR1', 0, BLOCK_BYTES_BITS);
    if (fromBytes === 8 || toBytes === 8 || left % fromBytes !== 0) {
      this.fail(channel, SR.USE);
      return;
    }
    if (left > 0) {
      const [from, to] = [this.get(`C${channel}SAR`), this.get(`C${channel}DAR`)];
      if (!this.move(from, fromBytes, to, toBytes)) {
        this.fail(channel, SR.DTE);
        return;
      }
      if (this.of(channel, 'TR1', TR1.SINC) === 1) this.set(`C${channel}SAR`, from + fromBytes);
      if (this.of(channel, 'TR1', TR1.DINC) === 1) this.set(`C${channel}DAR`, to + toBytes);
      this.setLeft(channel, left - fromBytes);
    }
    this.events(channel, left, Math.max(0, left - fromBytes));
  }

  protected wantsInterrupt(channel: number): boolean {
    return (this.get(`C${channel}SR`) & this.get(`C${channel}CR`) & FLAGS) !== 0;
  }

  protected channelName(channel: number): string {
    return `${this.name} channel ${channel}`;
  }

  private of(channel: number, register: string, bit: number, bits = 1): number {
    return this.field(`C${channel}${register}`, bit, bits);
  }

  private setLeft(channel: number, bytes: number): void {
    const register = `C${channel}BR1`;
    this.set(register, ((this.get(register) & ~0xffff) | bytes) >>> 0);
  }

  private flag(channel: number, bits: number): void {
    this.set(`C${channel}SR`, this.get(`C${channel}SR`) | bits);
  }

  private clear(channel: number, bits: number): void {
    this.set(`C${channel}SR`, this.get(`C${channel}SR`) & ~bits);
  }

  private events(channel: number, before: number, left: number): void {
    const list = this.get(`C${channel}LLR`);
    const isSilent = this.of(channel, 'TR2', TR2.TCEM, 2) === LAST_ITEM_OF_LIST && list !== 0;
    const half = this.blocks[channel]! / 2;
    if (before > half && left <= half && !isSilent) this.flag(channel, SR.HT);
    if (left > 0) return;
    if (!isSilent) this.flag(channel, SR.TC);
    if (list === 0) this.stop(channel);
    else this.link(channel, list);
  }

  /** 17.4.7: registers of the next block from memory, those whose bits are set in LLR. */
  private link(channel: number, list: number): void {
    let address = (this.get(`C${channel}LBAR`) | (list & 0xfffc)) >>> 0;
    this.setLeft(channel, this.blocks[channel]!);
    for (const [name, bit] of LINKED) {
      if (((list >>> bit) & 1) === 0) continue;
      const word = this.memory.read(address, 4);
      if (word === null) {
        this.fail(channel, SR.ULE);
        return;
      }
      this.set(`C${channel}${name}`, word);
      address += 4;
    }
    this.blocks[channel] = this.of(channel, 'BR1', 0, BLOCK_BYTES_BITS);
    this.refuseModes(channel);
  }

  private control(channel: number, value: number, old: number): void {
    const register = `C${channel}CR`;
    const wasOn = (old & 1) === 1;
    if (((value >>> CR.RESET) & 1) === 1) {
      // 17.4.2: only of a channel that is off or suspended.
      this.set(register, value & ~0x7);
      this.set(`C${channel}SR`, (this.get(`C${channel}SR`) & ~SR.SUSP) | SR.IDLE);
      return;
    }
    // EN is cleared by the channel alone.
    if (wasOn) this.set(register, this.get(register) | 1);
    if (wasOn && ((value >>> CR.SUSP) & 1) === 1) this.flag(channel, SR.SUSP | SR.IDLE);
    else if (wasOn) {
      this.clear(channel, SR.IDLE);
      this.dma.changed();
    } else if ((value & 1) === 1) this.start(channel);
  }

  private start(channel: number): void {
    this.clear(channel, SR.IDLE);
    this.blocks[channel] = this.of(channel, 'BR1', 0, BLOCK_BYTES_BITS);
    this.refuseModes(channel);
    // 17.4.4: with nothing to move itself, a channel begins with its first linked item.
    const list = this.get(`C${channel}LLR`);
    if (this.blocks[channel] === 0 && (list & UPDATE_BITS) >>> 0 !== 0) this.link(channel, list);
    this.started(channel);
    this.dma.changed();
  }

  private refuseModes(channel: number): void {
    const refuse = (is: boolean, what: string): void => {
      if (is) this.host.note(`${this.channelName(channel)}: ${what} is not modelled`);
    };
    refuse(this.of(channel, 'CR', CR.LSM) === 1, 'link step mode');
    refuse(this.of(channel, 'BR1', 16, 11) !== 0, 'a repeated block');
    refuse([1, 2].includes(this.of(channel, 'TR2', TR2.TRIGPOL, 2)), 'a trigger');
    const differs = this.of(channel, 'TR1', TR1.SDW, 2) !== this.of(channel, 'TR1', TR1.DDW, 2);
    refuse(differs && this.of(channel, 'TR1', TR1.PAM, 2) !== 0, 'sign extension or packing between widths');
  }

  private fail(channel: number, flag: number): void {
    this.flag(channel, flag);
    this.stop(channel);
  }

  private stop(channel: number): void {
    this.set(`C${channel}CR`, this.get(`C${channel}CR`) & ~1);
    this.flag(channel, SR.IDLE);
  }

  private maskedInterrupts(): number {
    this.dma.advance();
    let word = 0;
    for (let channel = 0; channel < this.channels; channel++) if (this.wantsInterrupt(channel)) word |= 1 << channel;
    return word;
  }
}
