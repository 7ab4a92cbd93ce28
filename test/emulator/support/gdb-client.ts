/** A program that is awkward to step through, and a client of the gdb server without a socket. */
import { loadBoard } from '../../../boards/load.ts';
import { createMachine, type EngineName } from '../../../emulator/create-machine.ts';
import { GdbServer } from '../../../emulator/debug/gdb/gdb-server.ts';
import { bytesOf, encodePacket, PacketReader, parseHex, textOf } from '../../../emulator/debug/gdb/packets.ts';
import { buildProgram, hasCompiler } from './assemble.ts';

/** Stepping must get through all of these: IT with every pattern, skipped and taken, loops, tables, calls, loads of pc, divides. */
const source = `
.syntax unified
.thumb
.cpu cortex-m4
.fpu fpv4-sp-d16
.text
.thumb_func
.global main
main:
  movs r0, #5
  movs r4, #0
1: adds r4, r4, r0
  subs r0, #1
  bne 1b
  cmp r4, #15
  itete eq
  moveq r1, #1
  movne r1, #2
  addeq r1, r1, #4
  subne r1, r1, #1
  it ne
  bne main
  ittee ne
  movne r2, #9
  movne r3, #9
  moveq r2, #3
  moveq r3, #4
  bl callee
  movs r5, #1
  tbb [pc, r5]
3: .byte (4f-3b)/2, (5f-3b)/2
4: movs r6, #1
5: ldr r7, =cell
  ldr r6, [r7]
  ldr r6, [r7, #4]
  str r4, [r7]
  udiv r8, r4, r2
  vmov s0, r4
  vcvt.f32.s32 s0, s0
  vadd.f32 s1, s0, s0
  vmov r9, s1
  cbz r6, 6f
  nop
6: movs r0, #0x18
  ldr r1, =0x20026
.global last
last: bkpt 0xab
.thumb_func
callee:
  push {r4, lr}
  adds r4, #1
  cmp r4, #100
  it lo
  poplo {r4, pc}
  pop {r4, pc}
.ltorg
.data
.global cell
cell: .word 11, 0
`;

export const engines: readonly EngineName[] = ['unicorn', 'wasm'];
export const elf = hasCompiler ? buildProgram({ files: { 'main.s': source } }) : new Uint8Array();

export class Client {
  readonly machine;
  readonly gdb: GdbServer;
  private readonly reader = new PacketReader();
  private readonly packets: string[] = [];
  acknowledgements = '';

  /** All that the firmware printed by semihosting. */
  console = '';

  constructor(engine: EngineName = 'unicorn', maxCycles?: number, image = elf) {
    this.machine = createMachine({
      board: loadBoard('core-m4'),
      image,
      imageName: 'a.elf',
      engine,
      onConsole: (bytes) => (this.console += textOf(bytes)),
    });
    this.gdb = new GdbServer({
      machine: this.machine,
      send: (bytes) => this.take(bytes),
      ...(maxCycles === undefined ? {} : { maxCycles }),
    });
    this.gdb.connect();
  }

  /** What comes back for a packet, once the target has stopped; O packets are left out. Null for no reply. */
  ask(text: string): string | null {
    this.packets.length = 0;
    this.gdb.receive(encodePacket(bytesOf(text)));
    for (let slices = 0; this.gdb.running && slices < 1000; slices++) this.gdb.runSlice();
    return this.packets.filter((packet) => packet === 'OK' || !packet.startsWith('O')).at(-1) ?? null;
  }

  raw(text: string): string {
    this.acknowledgements = '';
    this.packets.length = 0;
    this.gdb.receive(bytesOf(text));
    return this.acknowledgements;
  }

  lastPacket(): string | null {
    return this.packets.at(-1) ?? null;
  }

  address(name: string): string {
    return this.machine.symbol(name).address.toString(16);
  }

  register(number: number): number {
    const bytes = parseHex(this.ask(`p${number.toString(16)}`) ?? '') ?? new Uint8Array(4);
    return new DataView(bytes.buffer).getUint32(0, true);
  }

  private take(bytes: Uint8Array): void {
    for (const event of this.reader.push(bytes)) {
      if (event.kind === 'packet') this.packets.push(textOf(event.data));
      else if (event.kind === 'ack') this.acknowledgements += '+';
      else if (event.kind === 'nak') this.acknowledgements += '-';
    }
  }
}
