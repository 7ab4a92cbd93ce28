/**
 * The generated C of whole decision systems against their twin, decision by decision: on this machine under sanitizers and on the emulated core,
 * with random weights on synthetic motion always, with the trained model on recordings of unseen subjects where they are at hand.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import { pushedValues, type DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { SystemReference, type Decision } from '../../firmware-gen/reference/system.ts';
import { assembleSystem, parseSystem, systemJson } from '../../firmware-gen/system-file.ts';
import { EmulatedSystem, compileSystem, generateSystem, loadSystem } from '../../harness/decision-system.ts';
import { loadDataset } from '../../learn/har/dataset.ts';
import { buildHostProgram } from '../kernels/host-build.ts';
import { chunks, randomSystem, syntheticStream, withLatentFilter } from '../learn/support/random-system.ts';

const folder = mkdtempSync(join(tmpdir(), 'thumbelina-system-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stream = syntheticStream(12, 3);
const image = { kind: 'image', omega: 'gyroscope', omegaScale: 6 } as const;
const sound = { kind: 'mfcc', frameSamples: 24, hopSamples: 8, mels: 8, coefficients: 6 } as const;
const systems: readonly (readonly [string, DecisionSystem])[] = [
  ['raw window, cosine', randomSystem({ kind: 'raw' }, 'cosine', stream)],
  ['image, cosine', randomSystem(image, 'cosine', stream)],
  ['image of one sensor, softmax', randomSystem({ ...image, omega: 'self' }, 'max-softmax', stream)],
  ['raw window, distance', randomSystem({ kind: 'raw' }, 'mahalanobis', stream)],
  ['raw window, statistics', randomSystem({ kind: 'raw' }, 'statistics', stream)],
  ['image, statistics, filter over features', withLatentFilter(randomSystem(image, 'statistics', stream))],
  ['raw window, cosine, filter over features', withLatentFilter(randomSystem({ kind: 'raw' }, 'cosine', stream))],
  ['cepstra of sound, cosine', randomSystem(sound, 'cosine', stream)],
  ['raw window, unknown class', randomSystem({ kind: 'raw' }, 'unknown-class', stream)],
  ['cepstra of sound, unknown class', randomSystem(sound, 'unknown-class', stream)],
  ['raw window, cosine, dynamic-q', randomSystem({ kind: 'raw' }, 'cosine', stream, 'dynamic-q')],
  ['raw window, cosine, dynamic-asym', randomSystem({ kind: 'raw' }, 'cosine', stream, 'dynamic-asym')],
  ['raw window, softmax, dynamic-q', randomSystem({ kind: 'raw' }, 'max-softmax', stream, 'dynamic-q')],
  ['raw window, softmax, dynamic-asym', randomSystem({ kind: 'raw' }, 'max-softmax', stream, 'dynamic-asym')],
  ['raw window, statistics, dynamic-asym', randomSystem({ kind: 'raw' }, 'statistics', stream, 'dynamic-asym')],
  ['cepstra of sound, cosine, dynamic-asym', randomSystem(sound, 'cosine', stream, 'dynamic-asym')],
];

function expected(system: DecisionSystem, frames: Int16Array): Decision[] {
  const reference = new SystemReference(system);
  const values = pushedValues(system);
  const decisions: Decision[] = [];
  for (let at = 0; at + values <= frames.length; at += values) {
    const decision = reference.push(frames.subarray(at, at + values));
    if (decision) decisions.push(decision);
  }
  return decisions;
}

const HOST_MAIN = `#include <stdio.h>
#include "sys.h"

static uint8_t arena[SYS_ARENA_BYTES] __attribute__((aligned(8)));

int main(void)
{
    sys_state state;
    sys_decision decision;
    int16_t frame[SYS_CHANNELS];
    sys_start(&state);
    while (fread(frame, sizeof(frame), 1, stdin) == 1) {
        if (sys_push(&state, frame) != 0) {
            if (sys_decide(&state, arena, &decision) != 0) {
                return 1;
            }
            printf("%d %d %d %d\\n", (int)decision.accepted, (int)decision.label, (int)decision.smoothed, (int)decision.belief);
        }
    }
    return 0;
}
`;

async function onHost(system: DecisionSystem, frames: Int16Array): Promise<Decision[]> {
  const tree = new Map(generateSystem({ system, encoderSha256: '00' }, null));
  tree.set('main.c', HOST_MAIN);
  const dir = mkdtempSync(join(folder, 'host-'));
  const program = await buildHostProgram(tree, dir, [], new Set());
  const input = join(dir, 'frames.bin');
  writeFileSync(input, new Uint8Array(frames.slice().buffer));
  const { stdout } = await promisify(execFile)('sh', ['-c', `"${program}" < "${input}"`], { maxBuffer: 1 << 26 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [accepted, label, smoothed, belief] = line.split(' ').map(Number) as [number, number, number, number];
      return { accepted: accepted !== 0, label, smoothed, belief };
    });
}

describe.each(systems)('a generated decision system: %s', (title, system) => {
  const decisions = expected(system, stream);

  it('should decide as its twin on the host', async () => {
    expect(decisions.length).toBeGreaterThan(100);
    expect(new Set(decisions.map(({ accepted }) => accepted)).size).toBe(2);
    expect(await onHost(system, stream)).toEqual(decisions);
  });

  it('should decide as its twin on the emulated core, every stage counted', async () => {
    const board = loadBoard('mps2-an386');
    const image = await compileSystem(
      { system, encoderSha256: '00' },
      join(folder, title.replaceAll(/\W+/g, '-')),
      board,
    );
    const target = new EmulatedSystem(image.elf, board, system, 'wasm');
    const fed = [...chunks(stream, system)]
      .map((frames) => target.feed(frames))
      .filter((decision) => decision !== null);
    target.close();
    expect(fed.map(({ accepted, label, smoothed, belief }) => ({ accepted, label, smoothed, belief }))).toEqual(
      decisions,
    );
    for (const { cycles, stageCycles, accepted, analyseCycles } of fed) {
      if (system.frontEnd.kind !== 'mfcc') expect(analyseCycles).toBeNull();
      else expect(analyseCycles).toBeGreaterThan(system.frontEnd.cepstra.frameSamples);
      // The filter is small; the next push is not counted with it.
      expect(stageCycles.filter).toBeLessThan(stageCycles.encode ?? Infinity);
      const stages = Object.values(stageCycles).reduce((sum, value) => sum + value, 0);
      expect(stages).toBeLessThanOrEqual(cycles!);
      expect(stages).toBeGreaterThan(0.99 * cycles!);
      // A rejected window is not classified, nor encoded when statistics rejected it.
      expect('classify' in stageCycles).toBe(accepted);
      expect('statistics' in stageCycles).toBe(system.gate.kind === 'statistics');
      expect('encode' in stageCycles).toBe(accepted || system.gate.kind !== 'statistics');
    }
  });
});

describe('a decision system with its weights in RAM', () => {
  it('should decide alike, with fewer cycles where flash has wait states', async () => {
    const [, system] = systems[0]!;
    const board = loadBoard('nucleo-l4r5zi');
    const loaded = { system, encoderSha256: '00' };
    const [flash, ram] = await Promise.all(
      [false, true].map(async (weightsInRam) => {
        const image = await compileSystem(loaded, join(folder, `weights-${weightsInRam}`), board, weightsInRam);
        const target = new EmulatedSystem(image.elf, board, system, 'wasm', 'exact');
        const fed = [...chunks(stream, system)].slice(0, 40).map((frames) => target.feed(frames));
        target.close();
        const decisions = fed.map((one) => one && [one.accepted, one.label, one.smoothed, one.belief]);
        const cycles = fed.reduce((sum, one) => sum + (one?.cycles ?? 0), 0);
        return { decisions, cycles, dataBytes: image.dataBytes };
      }),
    );
    expect(ram!.decisions).toEqual(flash!.decisions);
    expect(ram!.decisions.filter((one) => one !== null).length).toBeGreaterThan(3);
    expect(ram!.dataBytes).toBeGreaterThan(flash!.dataBytes);
    expect(ram!.cycles).toBeLessThan(flash!.cycles);
  });
});

describe('system.json', () => {
  it('should come back as it was written', () => {
    for (const [, system] of systems) {
      const { encoder: graph, ...rest } = system;
      const document = parseSystem(JSON.parse(systemJson(system, 'x.tflite')), 'x.system.json');
      expect(assembleSystem(document, graph, 'x')).toEqual({ ...rest, encoder: graph });
    }
  });

  it('should be refused with what is wrong', () => {
    const heard = systems.find(([, { frontEnd }]) => frontEnd.kind === 'mfcc')![1];
    const asBefore = systemJson(heard, 'x.tflite').replace(/"fractionBits": \d+/, '"fractionBits": 7');
    expect(() => parseSystem(JSON.parse(asBefore), 'x.json')).toThrow(
      /x\.json: frontEnd\.cepstra\.fractionBits .*train or deploy it anew/,
    );
    const [, system] = systems[0]!;
    const json = JSON.parse(systemJson(system, 'x.tflite')) as { head: { head: { weights: number[] } }; gate: unknown };
    json.head.head.weights.pop();
    expect(() => parseSystem(json, 'x.json')).toThrow('x.json: head.head.weights has another length');
    expect(() => parseSystem({ ...json, gate: { kind: 'none' } }, 'x.json')).toThrow('x.json: gate.kind');
    const linear = systems[3]![1];
    const cosineGate = { ...(JSON.parse(systemJson(linear, 'x.tflite')) as object), gate: { kind: 'cosine' } };
    expect(() => parseSystem(cosineGate, 'x.json')).toThrow('needs a cosine head');
    const byStatistics = (change: object): unknown => {
      const whole = JSON.parse(systemJson(systems[4]![1], 'x.tflite')) as { gate: { head: object } };
      return { ...whole, gate: { ...whole.gate, head: { ...whole.gate.head, ...change } } };
    };
    for (const [change, message] of [
      [{ floors: [1, 2] }, 'gate.head.floors has not one value per channel'],
      [{ floors: [0, 1, 1, 1, 1, 1] }, 'gate.head.floors.0'],
      [{ size: 20 }, 'gate.head.size is not 5 per channel'],
      [{ whitening: [1] }, 'gate.head.whitening is no lower triangle'],
      [{ centres: [16384] }, 'gate.head.centres.0'],
      [{ count: 7 }, 'gate.head.centres has another length'],
      [{ labels: [0, 1, 2, 0, 1, 3] }, 'gate.head.labels has not one class per prototype'],
    ] as const)
      expect(() => parseSystem(byStatistics(change), 'x.json')).toThrow(message);
    const unknown = systems.find(([, { gate }]) => gate.kind === 'unknown-class')![1];
    const byUnknown = (change: object, whole: object = {}): unknown => {
      const json = JSON.parse(systemJson(unknown, 'x.tflite')) as { gate: { head: object } };
      return { ...json, gate: { ...json.gate, head: { ...json.gate.head, ...change } }, ...whole };
    };
    expect(() => parseSystem(byUnknown({ weights: [1] }), 'x.json')).toThrow('gate.head is not one class');
    expect(() => parseSystem(byUnknown({ bias: [1, 2] }), 'x.json')).toThrow('gate.head is not one class');
    expect(() => parseSystem(byUnknown({ offset: 5 }), 'x.json')).toThrow('gate.head takes other features');
    expect(() => parseSystem(byUnknown({ classes: 2 }), 'x.json')).toThrow('gate.head.classes');
    const { head: cosine } = JSON.parse(systemJson(system, 'x.tflite')) as { head: object };
    expect(() => parseSystem(byUnknown({}, { head: cosine }), 'x.json')).toThrow('needs a linear head');
    const document = parseSystem(JSON.parse(systemJson(system, 'x.tflite')), 'x');
    expect(() => assembleSystem(document, systems[1]![1].encoder, 'x')).toThrow("encoder's tensors");
  });
});

const model = join(packageRoot(), 'models', 'har_ood.system.json');
const data = join(packageRoot(), '..', 'shared', 'data', 'har-wisdm-watch');
const WINDOWS = 1000;

describe.skipIf(!existsSync(model))('the built-in HAR system', () => {
  const board = loadBoard('mps2-an386');

  it.skipIf(!existsSync(data))(
    'should decide 1000 windows of unseen subjects as its twin, within its budgets (skipped without ../shared)',
    async () => {
      const loaded = loadSystem(model);
      const { stream: params } = loaded.system;
      const unseen = loadDataset(data).recordings.filter(({ split }) => split === 'val');
      const frames = Int16Array.from(unseen.filter((_, i) => i % 4 === 0).flatMap(({ samples }) => [...samples]));
      const some = frames.subarray(0, params.channels * (params.frames + (WINDOWS - 1) * params.hop));
      const image = await compileSystem(loaded, join(folder, 'har'), board);
      const target = new EmulatedSystem(image.elf, board, loaded.system, 'wasm');
      const fed = [...chunks(some, loaded.system)]
        .map((part) => target.feed(part))
        .filter((decision) => decision !== null);
      const stackBytes = target.stackBytes();
      target.close();
      expect(fed.length).toBe(WINDOWS);
      const plain = fed.map(({ accepted, label, smoothed, belief }) => ({ accepted, label, smoothed, belief }));
      expect(plain).toEqual(expected(loaded.system, some));
      expect(Math.max(...fed.map(({ cycles }) => cycles!))).toBeLessThan(2_000_000);
      expect(image.dataBytes + image.bssBytes + stackBytes).toBeLessThan(32 * 1024);
      expect(image.flashBytes).toBeLessThan(128 * 1024);
    },
  );

  it('should have its figures in models/README.md', () => {
    const figures = JSON.parse(readFileSync(model.replace('.system.', '.figures.'), 'utf8')) as {
      test: { windows: number; accuracy: number; unknownWindows: number; unknownAccepted: number };
    };
    const readme = readFileSync(join(packageRoot(), 'models', 'README.md'), 'utf8');
    const { windows, accuracy, unknownWindows, unknownAccepted } = figures.test;
    expect(readme).toContain(`${(100 * accuracy).toFixed(1)} % of ${windows} windows`);
    expect(readme).toContain(`${(100 * unknownAccepted).toFixed(1)} % of ${unknownWindows} windows`);
  });
});
