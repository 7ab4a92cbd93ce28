/**
 * DMA streams of the STM32F4, F7 and H7 (RM0090 chapter 10, RM0385 chapter 8, RM0455 chapter 15): peripheral to memory and back, memory to memory,
 * circular and double buffer modes. Bursts and FIFO thresholds make no difference here; the peripheral as flow controller is not modelled.
 */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import type { Trigger } from '../dma.ts';
import type { DeviceTable, RegisterSpec } from '../register-device.ts';
import { CountedDma } from './counted-dma.ts';

const STREAMS = 8;
const CR = {
  EN: 0,
  DMEIE: 1,
  PFCTRL: 5,
  DIR: 6,
  CIRC: 8,
  PINC: 9,
  MINC: 10,
  PSIZE: 11,
  PINCOS: 15,
  DBM: 18,
  CT: 19,
  CHSEL: 25,
} as const;
const TO_PERIPHERAL = 1;
const MEMORY_TO_MEMORY = 2;
/** Of a stream in LISR or HISR, from its first bit on: FEIF, DMEIF, TEIF, HTIF, TCIF. */
const FLAG = { TE: 1 << 3, HT: 1 << 4, TC: 1 << 5 } as const;
const ALL_FLAGS = 0x3d;
const FIRST_BIT = [0, 6, 16, 22] as const;
/** Those enabled by CR bits 1 to 4: DMEIF, TEIF, HTIF, TCIF. */
const CR_ENABLES = 0x1e;
/** FIFO empty. */
const FCR_RESET = 0x21;

function streamRegisters(stream: number): RegisterSpec[] {
  const first = 0x10 + 0x18 * stream;
  const names = ['CR', 'NDTR', 'PAR', 'M0AR', 'M1AR'];
  return [
    ...names.map((name, index) => ({
      name: `S${stream}${name}`,
      offset: first + 4 * index,
      ...(name === 'NDTR' ? { writable: 0xffff } : {}),
    })),
    { name: `S${stream}FCR`, offset: first + 0x14, reset: FCR_RESET, writable: 0x87 },
  ];
}

const table: DeviceTable = {
  bytes: 0x400,
  registers: [
    { name: 'LISR', offset: 0x00, writable: 0 },
    { name: 'HISR', offset: 0x04, writable: 0 },
    { name: 'LIFCR', offset: 0x08, writeOnly: true },
    { name: 'HIFCR', offset: 0x0c, writeOnly: true },
    ...Array.from({ length: STREAMS }, (_, stream) => streamRegisters(stream)).flat(),
  ],
};

export class Stm32DmaStreams extends CountedDma {
  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec, context, table);
  }

  protected override onRead(register: string, stored: number): number {
    if (!register.endsWith('ISR') && !register.endsWith('NDTR') && !register.endsWith('CR')) return stored;
    this.dma.advance();
    return this.get(register);
  }

  protected override onWrite(register: string, value: number, old: number): void {
    if (register.endsWith('IFCR')) {
      const status = register === 'LIFCR' ? 'LISR' : 'HISR';
      this.set(status, this.get(status) & ~value);
      this.updateInterrupts();
      return;
    }
    const [, number, name] = /^S(\d)(CR|NDTR)$/.exec(register) ?? [];
    const stream = Number(number);
    if (name === 'CR') this.control(stream, value, old);
    // 10.5.6: read-only while the stream is on.
    else if (name === 'NDTR' && this.bit(`S${stream}CR`, CR.EN)) this.set(register, old);
  }

  protected isActive(stream: number): boolean {
    return this.bit(`S${stream}CR`, CR.EN) && this.get(`S${stream}NDTR`) > 0;
  }

  protected triggerOf(stream: number): Trigger {
    if (this.field(`S${stream}CR`, CR.DIR, 2) === MEMORY_TO_MEMORY) return 'none';
    const { mux, name } = this.spec;
    if (mux === undefined) return { line: `${name}.${stream}.${this.field(`S${stream}CR`, CR.CHSEL, 3)}` };
    const line = this.dma.lineOf(mux.name, mux.first + stream);
    return line === null ? 'never' : { line };
  }

  protected moveItem(stream: number): void {
    const control = this.get(`S${stream}CR`);
    const has = (bit: number): boolean => ((control >>> bit) & 1) === 1;
    const bytes = 1 << ((control >>> CR.PSIZE) & 3);
    const index = this.indexOf(stream);
    const step = has(CR.PINCOS) ? 4 : bytes;
    const peripheral = this.get(`S${stream}PAR`) + (has(CR.PINC) ? index * step : 0);
    const buffer = this.get(`S${stream}${has(CR.DBM) && has(CR.CT) ? 'M1AR' : 'M0AR'}`);
    // The FIFO packs what is wider or narrower in memory: byte for byte it is the same.
    const memory = buffer + (has(CR.MINC) ? index * bytes : 0);
    const isToPeripheral = this.field(`S${stream}CR`, CR.DIR, 2) === TO_PERIPHERAL;
    const [from, to] = isToPeripheral ? [memory, peripheral] : [peripheral, memory];
    if (!this.move(from, bytes, to, bytes)) {
      this.flag(stream, FLAG.TE);
      this.stop(stream);
      return;
    }
    this.count(stream, this.isRing(stream));
  }

  protected wantsInterrupt(stream: number): boolean {
    return (this.flags(stream) & ((this.get(`S${stream}CR`) & CR_ENABLES) << 1)) !== 0;
  }

  protected channelName(stream: number): string {
    return `${this.name} stream ${stream}`;
  }

  protected leftOf(stream: number): string {
    return `S${stream}NDTR`;
  }

  protected halfDone(stream: number): void {
    this.flag(stream, FLAG.HT);
  }

  protected done(stream: number): void {
    this.flag(stream, FLAG.TC);
    if (!this.isRing(stream)) this.stop(stream);
    else if (this.bit(`S${stream}CR`, CR.DBM)) this.set(`S${stream}CR`, this.get(`S${stream}CR`) ^ (1 << CR.CT));
  }

  private isRing(stream: number): boolean {
    return this.bit(`S${stream}CR`, CR.CIRC) || this.bit(`S${stream}CR`, CR.DBM);
  }

  private control(stream: number, value: number, old: number): void {
    const wasOn = ((old >>> CR.EN) & 1) === 1;
    const isOn = ((value >>> CR.EN) & 1) === 1;
    if (((value >>> CR.PFCTRL) & 1) === 1)
      this.host.note(`${this.channelName(stream)}: the peripheral as flow controller (PFCTRL) is not modelled`);
    if (isOn && !wasOn) {
      this.begin(stream);
    } else if (wasOn && !isOn) this.flag(stream, FLAG.TC); // 10.3.14: what was under way is over
    this.updateInterrupts();
  }

  private stop(stream: number): void {
    this.set(`S${stream}CR`, this.get(`S${stream}CR`) & ~(1 << CR.EN));
  }

  private flags(stream: number): number {
    return (this.get(stream < 4 ? 'LISR' : 'HISR') >>> FIRST_BIT[(stream % 4) as 0 | 1 | 2 | 3]) & ALL_FLAGS;
  }

  private flag(stream: number, bits: number): void {
    const status = stream < 4 ? 'LISR' : 'HISR';
    this.set(status, this.get(status) | (bits << FIRST_BIT[(stream % 4) as 0 | 1 | 2 | 3]));
  }
}
