/** CMSIS-DAP over the emulated debug port, driven by the real dapjs through a transport of ours; and packets that are wrong. */
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { CmsisDap, PACKET_BYTES } from '../../emulator/debug/coresight/cmsis-dap.ts';
import { DebugPort } from '../../emulator/debug/coresight/debug-port.ts';
import { vectorsAndCode } from '../cli/support/elf-file.ts';

const START = 0x0800_0000;
const RAM = 0x2000_1000;

/** As far as it is used here: the package is not installed everywhere. */
interface CortexM {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  halt(): Promise<void>;
  resume(wait: boolean): Promise<void>;
  isHalted(): Promise<boolean>;
  readMem32(address: number): Promise<number>;
  writeMem32(address: number, value: number): Promise<void>;
  readBlock(address: number, words: number): Promise<Uint32Array>;
  writeBlock(address: number, words: Uint32Array): Promise<void>;
  readCoreRegister(register: number): Promise<number>;
  writeCoreRegister(register: number, value: number): Promise<void>;
}

function loadDapjs(): { CortexM: new (transport: unknown) => CortexM } | null {
  try {
    return createRequire(import.meta.url)('dapjs') as { CortexM: new (transport: unknown) => CortexM };
  } catch {
    return null;
  }
}
const dapjs = loadDapjs();

/** dapjs sets the address once a block, and the access port counts it up within 4 KiB only. */
async function writeAll(core: CortexM, address: number, words: Uint32Array): Promise<void> {
  for (let at = 0; at < words.length; at += 1024) await core.writeBlock(address + 4 * at, words.slice(at, at + 1024));
}

function emulatedProbe() {
  // movs r0, #1; adds r0, #1; b .-2
  const image = vectorsAndCode(0x2001, 0x3001, 0xe7fd);
  new DataView(image.buffer).setUint32(4, START + 9, true);
  const machine = createMachine({ board: loadBoard('stm32f4-discovery'), image, imageName: 'test.bin', strict: false });
  return { machine, probe: new CmsisDap(new DebugPort(machine, machine.start() as number, 'swd')) };
}

describe('CMSIS-DAP', () => {
  it('should answer what it does not know and what is cut short with 0xff', () => {
    const { probe } = emulatedProbe();
    expect([...probe.execute(Uint8Array.of(0x77))]).toEqual([0xff]);
    expect([...probe.execute(Uint8Array.of(0x05, 0, 2, 0x02))]).toEqual([0xff]);
    expect([...probe.execute(new Uint8Array())]).toEqual([0xff]);
    expect([...probe.execute(Uint8Array.of(0x02, 2))]).toEqual([0x02, 0]);
    expect([...probe.execute(Uint8Array.of(0x00, 0xff))]).toEqual([0, 2, PACKET_BYTES & 0xff, PACKET_BYTES >> 8]);
  });

  it('should read DPIDR, and answer FAULT for access ports without power', () => {
    const { probe } = emulatedProbe();
    expect([...probe.execute(Uint8Array.of(0x05, 0, 1, 0x02))]).toEqual([0x05, 1, 1, 0x77, 0x14, 0xa0, 0x2b]);
    expect([...probe.execute(Uint8Array.of(0x05, 0, 1, 0x0f))]).toEqual([0x05, 0, 4]);
    expect([...probe.execute(Uint8Array.of(0x06, 0, 1, 0, 0x0f))]).toEqual([0x06, 0, 0, 4]);
  });
});

describe.skipIf(dapjs === null)(`dapjs${dapjs === null ? ' (skipped: not installed)' : ''}`, () => {
  it('should connect, halt, show memory and registers, load RAM, program flash, and start what it wrote', async () => {
    const { machine, probe } = emulatedProbe();
    let response = new Uint8Array();
    const core = new dapjs!.CortexM({
      packetSize: PACKET_BYTES,
      open: () => Promise.resolve(),
      close: () => Promise.resolve(),
      write: (data: ArrayBuffer | Uint8Array) => {
        response = Uint8Array.from(probe.execute(new Uint8Array(data as ArrayBuffer)));
        return Promise.resolve();
      },
      read: () => Promise.resolve(new DataView(response.buffer)),
    });
    await core.connect();
    expect(await core.isHalted()).toBe(false);
    await core.halt();
    expect(await core.isHalted()).toBe(true);
    expect((await core.readMem32(0xe004_2000)) & 0xfff).toBe(0x413);
    expect(await core.readCoreRegister(0)).toBe(machine.cpu.readRegister(0));
    await core.writeCoreRegister(5, 0xdead_beef);
    expect(machine.cpu.readRegister(5)).toBe(0xdead_beef);

    const words = Uint32Array.from({ length: 3000 }, (_, index) => Math.imul(index + 1, 0x9e37_79b1));
    await writeAll(core, RAM, words);
    expect(machine.readMemory(RAM, words.byteLength)).toEqual(new Uint8Array(words.buffer));
    expect(await core.readBlock(RAM, 1024)).toEqual(words.slice(0, 1024));

    // movs r0, #7; b .
    words.set([0x2001_0000, START + 9, 0xe7fe_2007]);
    for (const key of [0x4567_0123, 0xcdef_89ab]) await core.writeMem32(0x4002_3c04, key);
    await core.writeMem32(0x4002_3c10, 0x1_0002);
    await core.writeMem32(0x4002_3c10, 0x201);
    await writeAll(core, START, words);
    await core.writeMem32(0x4002_3c10, 0x8000_0000);
    expect(machine.readMemory(START, words.byteLength)).toEqual(new Uint8Array(words.buffer));

    // dapjs' own reset by software writes AIRCR with a key that no core takes.
    await core.writeMem32(0xe000_edfc, 1);
    await core.writeMem32(0xe000_ed0c, 0x05fa_0004);
    expect([await core.isHalted(), await core.readCoreRegister(15)]).toEqual([true, START + 8]);
    await core.resume(false);
    expect(await core.isHalted()).toBe(false);
    await core.halt();
    expect([await core.readCoreRegister(0), await core.readCoreRegister(15)]).toEqual([7, START + 10]);
    await core.disconnect();
  });
});
