/** The emulated ROM boot loader: its answers byte by byte, and the real stm32flash against `sim --boot-uart`. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { BootLoader, type BootLoaderTarget } from '../../emulator/debug/boot-loader.ts';
import { entryPoint, thumbelina } from '../cli/support/cli.ts';
import { vectorsAndCode } from '../cli/support/elf-file.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();
const START = 0x0800_0000;

function bench() {
  const flash = new Uint8Array(4096).fill(0xff);
  const events: string[] = [];
  const sent: number[] = [];
  const within = (address: number, count: number): boolean => address >= START && address + count <= START + 4096;
  const target: BootLoaderTarget = {
    productId: 0x470,
    flash: { start: START, bytes: 4096, pageBytes: 1024 },
    read: (address, count) => (within(address, count) ? flash.slice(address - START, address - START + count) : null),
    write: (address, bytes) => {
      if (!within(address, bytes.length)) return false;
      flash.set(bytes, address - START);
      return true;
    },
    erase: (address, bytes) => {
      events.push(`erase ${address - START} ${bytes}`);
      flash.fill(0xff, address - START, address - START + bytes);
    },
    go: (address) => events.push(`go ${address.toString(16)}`),
  };
  const loader = new BootLoader(target, (bytes) => sent.push(...bytes));
  const ask = (...bytes: number[]): number[] => {
    sent.length = 0;
    loader.receive(Uint8Array.from(bytes));
    return [...sent];
  };
  return { flash, events, ask };
}

const withXor = (...bytes: number[]): number[] => [...bytes, bytes.reduce((all, byte) => all ^ byte, 0)];
const address = (offset: number): number[] => withXor(0x08, 0, offset >> 8, offset & 0xff);

describe('AN3155', () => {
  it('should say nothing before the first 0x7f, then answer commands as the note has them', () => {
    const { ask } = bench();
    expect(ask(0x00, 0xff)).toEqual([]);
    expect(ask(0x7f)).toEqual([0x79]);
    expect(ask(0x7f)).toEqual([0x1f]);
    expect(ask(0x02, 0xfd)).toEqual([0x79, 1, 0x04, 0x70, 0x79]);
    expect(ask(0x00, 0xff)).toEqual([0x79, 7, 0x31, 0, 1, 2, 0x11, 0x21, 0x31, 0x44, 0x79]);
    expect(ask(0x02, 0xfc)).toEqual([0x1f]);
    expect(ask(0x63, 0x9c)).toEqual([0x1f]);
  });

  it('should write, read back, erase pages and start, and refuse wrong checksums and addresses', () => {
    const { ask, flash, events } = bench();
    ask(0x7f);
    expect(ask(0x31, 0xce)).toEqual([0x79]);
    expect(ask(...address(0x10))).toEqual([0x79]);
    expect(ask(...withXor(3, 1, 2, 3, 4))).toEqual([0x79]);
    expect([...flash.subarray(0x10, 0x14)]).toEqual([1, 2, 3, 4]);
    ask(0x31, 0xce);
    ask(...address(0x20));
    expect(ask(3, 1, 2, 3, 4, 0xaa)).toEqual([0x1f]);
    expect(flash[0x20]).toBe(0xff);
    expect(ask(0x11, 0xee)).toEqual([0x79]);
    expect(ask(...address(0x10))).toEqual([0x79]);
    expect(ask(3, 0xfc)).toEqual([0x79, 1, 2, 3, 4]);
    expect(ask(0x11, 0xee)).toEqual([0x79]);
    expect(ask(...withXor(0x40, 0, 0, 0))).toEqual([0x1f]);
    expect(ask(0x44, 0xbb)).toEqual([0x79]);
    expect(ask(...withXor(0, 1, 0, 0, 0, 3))).toEqual([0x79]);
    expect(events).toEqual(['erase 0 1024', 'erase 3072 1024']);
    ask(0x44, 0xbb);
    expect(ask(...withXor(0, 0, 0, 4))).toEqual([0x1f]);
    expect(ask(0x21, 0xde, ...address(0))).toEqual([0x79, 0x79]);
    expect(events.at(-1)).toBe('go 8000000');
  });
});

const hasTool = spawnSync('stm32flash', ['-h']).error === undefined;
const possible = hasTool && existsSync(join(packageRoot(), 'build', 'addon', 'thumbelina_pty.node'));

describe.skipIf(!possible)(`stm32flash${possible ? '' : ' (skipped: not installed, or no pty addon)'}`, () => {
  let sim: ChildProcess | null = null;
  afterAll(() => {
    sim?.kill();
  });

  it('should write, verify and start a program that then runs, and read it back byte for byte', async () => {
    const port = space.path('port');
    // mov r0, #0x18; ldr r1, =0x20026; bkpt 0xab: semihosting SYS_EXIT
    const program = vectorsAndCode(0x2018, 0x4901, 0xbeab, 0x0000, 0x0026, 0x0002);
    new DataView(program.buffer).setUint32(4, START + 9, true);
    const image = new Uint8Array(9000).map((_, index) => (index * 7) & 255);
    image.set(program);
    const file = space.write('program.bin', image);
    // What is in the flash before: a program that does nothing.
    const before = vectorsAndCode(0xe7fe);
    new DataView(before.buffer).setUint32(4, START + 9, true);
    const old = space.write('old.bin', before);
    const args = ['sim', old, '--board', 'nucleo-l4r5zi', '--timing', 'flat', '--uart', `pty:${port}`, '--boot-uart'];
    let said = '';
    let notes = '';
    const child = spawn(process.execPath, [entryPoint(), ...args, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
    sim = child;
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    child.stderr.on('data', (text: Buffer) => (notes += text.toString()));
    const ended = new Promise((resolve) => child.on('close', resolve));
    await expect.poll(() => notes, { timeout: 30_000 }).toContain('boot loader: waiting');
    const run = (...flags: string[]): { status: number | null; text: string } => {
      const { status, stdout, stderr } = spawnSync('stm32flash', ['-m', '8n1', ...flags, port], {
        encoding: 'utf8',
        timeout: 60_000,
      });
      return { status, text: stdout + stderr };
    };
    const flashArgs = ['flash', file, '--tool', 'stm32flash', '--port', port, '--uart-mode', '8n1', '--board'];
    const wrong = await thumbelina([...flashArgs, 'stm32f4-discovery']);
    expect(wrong.stderr).toContain('the chip says 0x00000470, a stm32f4-discovery says 0x00000413');
    expect(wrong.code).toBe(4);
    const written = run('-w', file, '-v');
    expect(written.text).toContain('STM32L4R');
    expect({ status: written.status, text: written.text }).toMatchObject({ status: 0 });
    const back = space.path('back.bin');
    expect(run('-r', back, '-S', '0x08000000:9000').status).toBe(0);
    expect(readFileSync(back).equals(Buffer.from(image))).toBe(true);
    expect(run('-g', '0x08000000').status).toBe(0);
    await ended;
    expect(JSON.parse(said)).toMatchObject({ stop: 'exit', exitCode: 0 });
  }, 120_000);
});
