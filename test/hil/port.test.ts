/** An emulated board on a pseudo-terminal, reached as any board is: `run --port`, and a lab of two boards. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { quantizeStatic, STATIC_DEFAULTS } from '../../learn/quantize/static.ts';
import type { RunReport } from '../../harness/report.ts';
import { entryPoint, thumbelina, thumbelinaJson } from '../cli/support/cli.ts';
import { workspace } from '../cli/support/workspace.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { floatNetwork, floatSamples, INPUT_ELEMENTS } from '../learn/support/float-network.ts';
import { npyBytes } from '../learn/support/npy-file.ts';

const space = workspace();
const possible = hasCompiler && existsSync(join(packageRoot(), 'build', 'addon', 'thumbelina_pty.node'));
const { quantized } = quantizeStatic(floatNetwork(), floatSamples(40, 1), STATIC_DEFAULTS);
const model = space.write('net.tflite', writeTflite(graphToTflite(quantized)));
const board = ['--board', 'mps2-an386'];
const SAMPLES = 5;

/** Until it is true, half a minute at most. */
async function waitFor(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 600 && !condition(); turn++) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe.skipIf(!possible)(`models at serial ports${possible ? '' : ' (skipped: no compiler or no pty addon)'}`, () => {
  const children: ChildProcess[] = [];
  const ports = [space.path('port0'), space.path('port1')];

  beforeAll(async () => {
    const dir = space.path('device');
    await thumbelinaJson(['build', model, ...board, '--harness', 'device', '-o', dir]);
    for (const port of ports) {
      const args = [entryPoint(), 'sim', join(dir, 'firmware.elf'), ...board, '--uart', `pty:${port}`];
      children.push(spawn(process.execPath, args, { stdio: 'ignore' }));
    }
    await waitFor(() => ports.every((port) => existsSync(port)));
  }, 120_000);

  afterAll(() => {
    for (const child of children) child.kill();
  });

  it('should report as a direct run does, and say that the board is emulated', async () => {
    const direct = (await thumbelinaJson(['run', model, ...board, '-o', space.path('direct')])) as RunReport;
    const args = ['run', model, ...board, '--port', ports[0]!, '-o', space.path('at-port')];
    const report = (await thumbelinaJson(args)) as RunReport;
    expect(report).toMatchObject({ source: 'emulated', instructions: null, output: direct.output, model: 'net' });
    expect(Math.abs(report.cycles! / direct.cycles! - 1)).toBeLessThan(0.02);
    expect(report.memory.stackBytes).toBeGreaterThan(100);
  }, 120_000);

  it("should evaluate at a port: every output of the device is the reference's", async () => {
    const layout = { order: 'NHWC', shape: [1, 6, 4, 3] };
    const scaling = { rawScale: [1, 1, 1], mean: [0, 0, 0], scale: [1, 1, 1] };
    const pipeline = {
      schemaVersion: 1,
      windowFrames: 24,
      hopFrames: 24,
      channels: ['x', 'y', 'z'],
      units: ['g', 'g', 'g'],
    };
    const classes = ['a', 'b', 'c', 'd'];
    space.write('net.pipeline.json', JSON.stringify({ ...pipeline, ...scaling, layout, classes }));
    const data = space.folder('data');
    const values = Float32Array.from(floatSamples(SAMPLES, 7).flatMap((sample) => [...sample]));
    const labels = Int32Array.from({ length: SAMPLES }, (_, index) => index % classes.length);
    space.write('data/x.npy', npyBytes('<f4', [SAMPLES, INPUT_ELEMENTS], new Uint8Array(values.buffer)));
    space.write('data/y.npy', npyBytes('<i4', [SAMPLES], new Uint8Array(labels.buffer)));
    const args = ['evaluate', model, '--data', data, ...board];
    const report = await thumbelinaJson([...args, '--port', ports[0]!]);
    expect(report).toMatchObject({ outcome: 'ok', on: ports[0], rows: [{ samples: SAMPLES, firmwareEqual: SAMPLES }] });
    const absent = await thumbelina([...args, '--port', space.path('nothing')]);
    expect(absent).toMatchObject({ code: 3, stderr: expect.stringMatching(/no such port/) as string });
    const two = await thumbelina([...args, model, '--port', ports[0]!]);
    expect(two).toMatchObject({ code: 2, stderr: expect.stringMatching(/a device holds one model/) as string });
  }, 120_000);

  it('should run a lab, keep a board of another type apart, and say what is wrong with each', async () => {
    const lab = {
      schemaVersion: 1,
      attempts: 1,
      boards: [
        { name: 'good', board: 'mps2-an386', port: ports[0] },
        { name: 'wrong type', board: 'nucleo-l4r5zi', port: ports[1] },
        { name: 'unplugged', board: 'mps2-an386', port: space.path('nothing') },
        { name: 'not flashed', board: 'mps2-an386', port: '/dev/null', flash: ['false', '{elf}'] },
      ],
      jobs: [{ model: 'net.tflite' }],
    };
    const path = space.write('lab.json', JSON.stringify(lab));
    const { code, stdout } = await thumbelina(['hil', path, '--json', '-o', space.path('hil')]);
    const { outcome, results } = JSON.parse(stdout) as { outcome: string; results: unknown[] };
    expect(results).toMatchObject([
      { board: 'good', outcome: 'ok', source: 'emulated', reasons: [] },
      {
        board: 'wrong type',
        outcome: 'error',
        reasons: [expect.stringMatching(/firmware for board mps2-an386 answers/)],
      },
      { board: 'unplugged', outcome: 'no-boot', reasons: [expect.stringMatching(/no such port/)] },
      { board: 'not flashed' },
    ]);
    expect({ code, outcome }).toEqual({ code: 5, outcome: 'no-boot' });
  }, 120_000);

  it.each<[string, object, RegExp]>([
    ['no port', { boards: [{ name: 'a', board: 'mps2-an386' }] }, /needs either "port" or "usbSerial"/],
    ['an unknown field', { boards: [{ name: 'a', board: 'b', port: 'c', colour: 1 }] }, /boards\.0: .*colour/],
    [
      'two boards on one port',
      {
        boards: [
          { name: 'a', board: 'b', port: 'c' },
          { name: 'd', board: 'b', port: 'c' },
        ],
      },
      /two boards have the port c/,
    ],
  ])('should refuse a lab file with %s', async (_, change, message) => {
    const path = space.write(
      'bad.json',
      JSON.stringify({ schemaVersion: 1, jobs: [{ model: 'net.tflite' }], ...change }),
    );
    const { code, stderr } = await thumbelina(['hil', path]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
