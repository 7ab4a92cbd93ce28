/** The device protocol: frames of the host, then the firmware's own C code on this computer, over a line that loses and damages bytes. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { DeviceClient, DeviceError } from '../../harness/protocol/device-client.ts';
import { encodeFrame, FrameReader, type Frame } from '../../harness/protocol/frame.ts';
import type { Link } from '../../harness/protocol/link.ts';
import { createRandom } from '../../learn/random.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();
/** `npm run fuzz:protocol` asks for a million. */
const FUZZ_FRAMES = Number(process.env['THUMBELINA_FUZZ_FRAMES'] ?? 100_000);
/** fast-check takes longer for one than the device's code does. */
const FUZZ_FRAMES_HERE = Math.max(10_000, FUZZ_FRAMES === 100_000 ? 0 : FUZZ_FRAMES);
const FUZZ_MILLISECONDS_MAX = 60_000 + FUZZ_FRAMES;
const frames = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  sequence: fc.integer({ min: 0, max: 65535 }),
  payload: fc.uint8Array({ maxLength: 600 }),
});

const concat = (parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

describe('frames', () => {
  it('should arrive whole, in whatever pieces they come, and hold no zero inside', () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 4 }), fc.integer({ min: 1, max: 64 }), (sent, piece) => {
        const encoded = sent.map((frame) => encodeFrame(frame));
        for (const bytes of encoded) expect(bytes.subarray(1, -1).includes(0)).toBe(false);
        const line = concat(encoded);
        const reader = new FrameReader();
        const got: Frame[] = [];
        for (let at = 0; at < line.length; at += piece) got.push(...reader.push(line.subarray(at, at + piece)));
        expect(got).toEqual(sent);
        expect(reader.broken).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('should survive runs of 254 and 255 bytes without a zero, which end a block', () => {
    for (let length = 240; length < 520; length++) {
      const frame = { kind: 1, sequence: 2, payload: new Uint8Array(length).fill(7) };
      expect(new FrameReader().push(encodeFrame(frame))).toEqual([frame]);
    }
  });

  it('should drop what is damaged and find the next frame after any junk', () => {
    fc.assert(
      fc.property(frames, frames, fc.uint8Array({ maxLength: 300 }), fc.nat(), (first, second, junk, seed) => {
        const damaged = encodeFrame(first);
        const at = seed % damaged.length;
        damaged[at]! ^= 1 << (seed % 8);
        const reader = new FrameReader();
        const got = reader.push(concat([damaged, junk, Uint8Array.of(0), encodeFrame(second)]));
        expect(got.at(-1)).toEqual(second);
        // CRC-32 finds every single flipped bit; a flipped delimiter loses the frame or leaves it whole.
        for (const frame of got.slice(0, -1)) expect(frame).toEqual(first);
      }),
      { numRuns: 1000 },
    );
  });

  it(
    'should survive hostile frames: junk between zeros, headers that lie, pieces cut out, and still hear the next one',
    () => {
      const last = encodeFrame({ kind: 9, sequence: 99, payload: Uint8Array.of(1, 2, 3) });
      const junk = fc.uint8Array({ maxLength: 40 });
      const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
      const small = fc.record({
        kind: fc.nat(255),
        sequence: fc.nat(65535),
        payload: fc.uint8Array({ maxLength: 24 }),
      });
      const hostile = fc.oneof(
        junk,
        fc.tuple(small, edits, fc.nat()).map(([frame, changes, cut]) => {
          const bytes = encodeFrame(frame);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          return cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
        }),
      );
      // One reader for all: what one frame leaves behind must not harm the next.
      const reader = new FrameReader();
      let seen = 0;
      fc.assert(
        fc.property(hostile, (bytes) => {
          seen++;
          const got = reader.push(concat([bytes, Uint8Array.of(0), last]));
          if (got.at(-1)?.sequence !== 99 || got.length > 2 + bytes.length / 12) return false;
          // What passes the CRC is exactly what it encodes.
          return got.every((frame) => frame.payload.length <= bytes.length + 3);
        }),
        { numRuns: FUZZ_FRAMES_HERE, seed: 1 },
      );
      expect(seen).toBe(FUZZ_FRAMES_HERE);
      expect(reader.broken).toBeGreaterThan(FUZZ_FRAMES_HERE / 4);
    },
    FUZZ_MILLISECONDS_MAX,
  );
});

const hasGcc = spawnSync('gcc', ['--version']).status === 0;
const RUNTIME = ['frame', 'device', 'harness', 'time', 'mlperf', 'print', 'both'].map((name) => `tl_${name}.c`);
const HEADERS = ['device', 'frame', 'harness', 'time', 'uart', 'print'].map((name) => `tl_${name}.h`);

describe.skipIf(!hasGcc)(`the firmware's protocol on this computer${hasGcc ? '' : ' (skipped: no gcc)'}`, () => {
  const program = space.path('device');
  let child: ChildProcess | null = null;

  beforeAll(() => {
    const root = packageRoot();
    for (const name of [...RUNTIME, ...HEADERS]) copyFileSync(join(root, 'kernels', 'runtime', name), space.path(name));
    const host = join(root, 'test', 'protocol', 'host');
    for (const name of readdirSync(host)) copyFileSync(join(host, name), space.path(name));
    const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    const flags = ['-std=c99', '-D_GNU_SOURCE', '-g', '-O1', '-Wall', '-Wextra', '-Werror', ...sanitizers];
    const kernels = join(root, 'kernels');
    const checksum = join(kernels, 'src', 'StoreFunctions', 'tl_crc32.c');
    const sources = [...[...RUNTIME, 'device.c'].map((name) => space.path(name)), checksum];
    const { status, stderr } = spawnSync('gcc', [...flags, '-I', join(kernels, 'include'), ...sources, '-o', program], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  }, 120_000);

  afterEach(() => {
    child?.kill();
    child = null;
  });

  /** @param damage what becomes of the bytes of a direction */
  function connect(args: readonly string[], damage: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes): Link {
    const process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child = process;
    const link: Link = {
      name: 'host',
      onData: () => undefined,
      onLost: () => undefined,
      write: (bytes) => process.stdin.write(damage(bytes)),
      close: () => Promise.resolve(),
    };
    process.stdout.on('data', (bytes: Buffer) => link.onData(damage(bytes)));
    process.on('exit', () => link.onLost('gone'));
    process.stdin.on('error', () => undefined);
    return link;
  }

  const input = Uint8Array.from({ length: 1500 }, (_, index) => (index * 31) & 255);
  /** As device.c computes it. */
  const expected = ((): Uint8Array => {
    const output = new Uint8Array(1300);
    let sum = 0;
    for (let i = 0; i < 1300; i++) output[i] = sum = (sum + input[i]! * 7 + i) & 255;
    return output;
  })();

  it('should identify itself, take an input, infer and give the output back', async () => {
    const client = new DeviceClient(connect([]), { baud: 115200 });
    expect(await client.identify()).toMatchObject({
      source: 'emulated',
      board: 'host',
      model: 'sums',
      clockHz: 1e6,
      inputBytes: 1500,
      outputBytes: 1300,
      arenaBytes: 5000,
      modelSha256: `010203${'0'.repeat(58)}`,
    });
    await client.writeInput(input);
    const report = await client.infer(3, input, 5);
    expect(report).toMatchObject({ status: 0, outputCrc32: crc32(expected), cycles: 1000 });
    expect(await client.readOutput(report)).toEqual(expected);
    expect(await client.memory()).toMatchObject({ stackBytes: 4096, stackUsedBytes: 123, arenaBytes: 5000 });
    expect(await client.opCycles()).toEqual([]);
    await expect(client.infer(1, new Uint8Array(1500), 5)).rejects.toThrow(/the input is not what was sent/);
    expect(client.retransmissions).toBe(0);
  });

  it('should do the same over a line that damages or drops one byte in a hundred, both ways', async () => {
    const random = createRandom(3);
    const damage = (bytes: Uint8Array): Uint8Array =>
      Uint8Array.from(
        [...bytes].flatMap((byte) => {
          const chance = random.uniform();
          if (chance < 0.005) return [];
          return [chance < 0.01 ? byte ^ (1 << Math.floor(random.uniform() * 8)) : byte];
        }),
      );
    const client = new DeviceClient(connect([], damage), { baud: 5e6, answerSeconds: 0.02, attempts: 30 });
    await client.identify();
    await client.writeInput(input);
    const report = await client.infer(1, input, 20);
    expect(await client.readOutput(report)).toEqual(expected);
    expect(client.retransmissions).toBeGreaterThan(0);
  }, 60_000);

  it('should say that a device is silent, or gone', async () => {
    const mute = new DeviceClient(
      connect([], () => new Uint8Array()),
      { baud: 1e6, answerSeconds: 0.01, attempts: 3 },
    );
    await expect(mute.identify()).rejects.toThrow(DeviceError);
    const client = new DeviceClient(connect([]), { baud: 1e6 });
    await client.identify();
    await client.reset();
    await expect(client.identify()).rejects.toMatchObject({ kind: 'lost' });
  });

  it('should serve text and frames on one line', async () => {
    const link = connect(['both']);
    let text = '';
    const client = new DeviceClient(link, { baud: 115200 });
    const { onData } = link;
    link.onData = (bytes) => {
      text += Buffer.from(bytes).toString('latin1');
      onData(bytes);
    };
    const answered = async (command: string): Promise<string> => {
      const before = text.length;
      link.write(Buffer.from(command));
      await expect.poll(() => text.slice(before), { interval: 2 }).toMatch(/m-ready\r\n$/);
      return text.slice(before);
    };
    await expect.poll(() => text).toMatch(/m-init-done\r\nm-ready\r\n$/);
    expect(await answered('name%')).toBe('m-name-dut-[thumbelina]\r\nm-ready\r\n');
    expect((await client.identify()).model).toBe('sums');
    expect(await answered('profile%')).toContain('m-model-[sum01]\r\n');
    expect(await answered('db load 7%')).toBe('e-[This model takes 1500 bytes]\r\nm-ready\r\n');
    expect(await answered('db load 1500%')).toBe('m-[Expecting 1500 bytes]\r\nm-ready\r\n');
    expect(await answered('infer 1 0%')).toBe('e-[No input is loaded]\r\nm-ready\r\n');
    expect(await answered('db 0g%')).toBe('e-[Invalid hex digit]\r\nm-ready\r\n');
    expect(await answered('db 1%')).toMatch(/^e-\[Insufficent/);
    for (let at = 0; at < 1500; at += 30) await answered(`db ${'0123456789abcdef'.repeat(4).slice(0, 60)}%`);
    expect(await answered('db print 10 1490%')).toBe(
      'm-buffer-89-ab-cd-ef-01-23-45-67\r\nm-buffer-89-ab\r\nm-ready\r\n',
    );
    const inferred = await answered('infer 2 1%');
    expect(inferred).toMatch(
      /^m-warmup-start-1\r\nm-warmup-done\r\nm-infer-start-2\r\nm-lap-us-(\d+)\r\nm-lap-us-\d+\r\nm-infer-done\r\nm-results-\[/,
    );
    expect(await answered(`${'x'.repeat(200)}%`)).toBe('e-[Command too long]\r\nm-ready\r\n');
    expect(await answered('nonsense%')).toBe('e-[Unknown command: nonsense]\r\nm-ready\r\n');
  });

  it(
    `should survive ${FUZZ_FRAMES} hostile frames under its sanitizers`,
    () => {
      const { status, stdout, stderr } = spawnSync(program, [`${FUZZ_FRAMES}`, '1'], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const valid = Number(/(\d+) valid/.exec(stdout)?.[1]);
      expect(valid).toBeGreaterThan(0.2 * FUZZ_FRAMES);
      expect(valid).toBeLessThan(0.6 * FUZZ_FRAMES);
    },
    FUZZ_MILLISECONDS_MAX,
  );
});
