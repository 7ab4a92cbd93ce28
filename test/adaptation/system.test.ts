/** Decision systems whose head learns: what they learn, and their C against the twin on this machine under sanitizers, decision by decision and step by step. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { AdaptArithmetic, AdaptLayers, HeadAdaptation } from '../../firmware-gen/ir/adaptation.ts';
import { pushedValues, type DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { systemAdaptation } from '../../firmware-gen/passes/system-adaptation.ts';
import { LearningHead } from '../../firmware-gen/reference/adaptation/head.ts';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import { generateSystem } from '../../harness/decision-system.ts';
import { workspace } from '../cli/support/workspace.ts';
import { buildHostProgram } from '../kernels/host-build.ts';
import { randomSystem, syntheticStream, withLatentFilter } from '../learn/support/random-system.ts';

const space = workspace();
const stream = syntheticStream(12, 3);
const raw = { kind: 'raw' } as const;
const image = { kind: 'image', omega: 'gyroscope', omegaScale: 6 } as const;
const sound = { kind: 'mfcc', frameSamples: 24, hopSamples: 8, mels: 8, coefficients: 6 } as const;

const cases: readonly (readonly [string, DecisionSystem, AdaptLayers, AdaptArithmetic])[] = [
  ['cosine, gate by it', randomSystem(raw, 'cosine', stream), 'head', 'dynamic-16'],
  ['cosine, gate by statistics', randomSystem(raw, 'statistics', stream), 'head', 'static-16'],
  ['cosine, cepstra', randomSystem(sound, 'cosine', stream), 'head', 'float'],
  ['cosine, dynamic encoder', randomSystem(raw, 'cosine', stream, 'dynamic-asym'), 'head', 'dynamic-16'],
  ['softmax', randomSystem(image, 'max-softmax', stream), 'head', 'float'],
  ['softmax, distance', randomSystem(raw, 'mahalanobis', stream), 'bias', 'dynamic-16'],
  ["class 'unknown'", randomSystem(raw, 'unknown-class', stream), 'head', 'dynamic-16'],
  ['softmax, dynamic encoder', randomSystem(raw, 'max-softmax', stream, 'dynamic-q'), 'head', 'static-16'],
];

const RATE = 0.02;
const adaptationOf = (system: DecisionSystem, layers: AdaptLayers, arithmetic: AdaptArithmetic): HeadAdaptation =>
  systemAdaptation(system, { layers, arithmetic, rate: RATE });

/** Windows of the stream without overlap, shuffled, with the part of the stream they come from as class. */
function windowsOf(system: DecisionSystem): { window: Int16Array; label: number }[] {
  const values = 6 * system.stream.frames;
  const count = Math.floor(stream.length / values);
  return Array.from({ length: count }, (_, k) => {
    const i = (7 * k) % count;
    return { window: stream.subarray(i * values, (i + 1) * values), label: Math.floor((3 * i) / count) };
  });
}

describe('the head of a decision system', () => {
  const still = cases.filter(([, { frontEnd }]) => frontEnd.kind !== 'mfcc');

  it.each(still)('should decide before it has learned as it was trained: %s', (_, system, layers, arithmetic) => {
    const trained = new SystemReference(system);
    const learning = new SystemReference(system, new LearningHead(adaptationOf(system, layers, arithmetic)));
    let equal = 0;
    const windows = windowsOf(system);
    for (const { window } of windows) {
      trained.restart();
      learning.restart();
      const [a, b] = [trained.decide(window), learning.decide(window)];
      // One window gave the gate its threshold, and may fall to either side.
      const isEqual = a.label === b.label && a.accepted === b.accepted;
      equal += Number(isEqual);
      if (isEqual) expect(Math.abs(a.belief - b.belief)).toBeLessThan(0.01 * 32768);
    }
    expect(equal).toBeGreaterThanOrEqual(windows.length - 1);
  });

  it.each(still)('should learn: %s', (_, system, layers, arithmetic) => {
    const head = new LearningHead(adaptationOf(system, layers, arithmetic));
    const reference = new SystemReference(system, head);
    const windows = windowsOf(system);
    const loss = (): number =>
      windows.reduce(
        (sum, { window, label }) => sum - Math.log2(Math.max(1, reference.learn(label, window)) / 32768),
        0,
      );
    const first = loss();
    for (let pass = 0; pass < 5; pass += 1) loss();
    expect(head.steps).toBe(6 * windows.length);
    expect(loss()).toBeLessThan((layers === 'bias' ? 0.95 : 0.85) * first);
    head.restart();
    expect(head.steps).toBe(0);
    expect(loss()).toBe(first);
  });

  it('should say what cannot learn', () => {
    const [, system] = cases[0]!;
    const options = { layers: 'head', arithmetic: 'float', rate: RATE } as const;
    expect(() => systemAdaptation(system, { ...options, layers: 'block' })).toThrow('choose --layers head or bias');
    expect(() => systemAdaptation(withLatentFilter(system), options)).toThrow('a filter over features');
    expect(() => systemAdaptation(system, { ...options, rate: 1e12 })).toThrow('2^-41 to 2^13');
  });
});

/** Pushes what comes in; after a decision comes one byte, the label to learn, or 255 for none, or 254 to forget. */
const HOST_MAIN = `#include <stdio.h>
#include "sys.h"

static uint8_t arena[SYS_ARENA_BYTES] __attribute__((aligned(8)));
static sys_state state;

int main(void)
{
    sys_decision decision;
    int16_t frame[SYS_CHANNELS];
    if (sys_recall(&state) != 0 || sys_commit(&state) != TL_LEARNER_NO_FLASH) {
        return 1;
    }
    sys_start(&state);
    if (sys_learn(&state, arena, 0) != -1) {
        return 2;
    }
    while (fread(frame, sizeof(frame), 1, stdin) == 1) {
        if (sys_push(&state, frame) != 0) {
            const int had = sys_decide(&state, arena, &decision);
            const int what = getchar();
            int probability = 0;
            if (had != 0 || what == EOF || sys_learn(&state, arena, -1) != -1 || sys_learn(&state, arena, SYS_CLASSES) != -1) {
                return 3;
            }
            if (what < SYS_CLASSES) {
                probability = (int)sys_learn(&state, arena, what);
            } else if (what == 254) {
                sys_forget(&state);
            }
            printf("%d %d %d %d %d\\n", (int)decision.accepted, (int)decision.label, (int)decision.smoothed, (int)decision.belief, probability);
        }
    }
    return 0;
}
`;

describe.each(cases)('the C of a head that learns: %s', (title, system, layers, arithmetic) => {
  const adaptation = adaptationOf(system, layers, arithmetic);

  it('should decide and learn as its twin on the host', async () => {
    const twin = new SystemReference(system, new LearningHead(adaptation));
    const input: Uint8Array[] = [];
    const expected: string[] = [];
    const values = pushedValues(system);
    for (let at = 0; at + values <= stream.length; at += values) {
      const frame = stream.subarray(at, at + values);
      input.push(new Uint8Array(frame.slice().buffer));
      const decision = twin.push(frame);
      if (!decision) continue;
      const what =
        expected.length === 80 ? 254 : expected.length % 3 === 2 ? 255 : Math.floor((3 * at) / stream.length);
      input.push(Uint8Array.of(what));
      const { accepted, label, smoothed, belief } = decision;
      const probability = what < 3 ? twin.learn(what) : 0;
      if (what === 254) twin.forget();
      expected.push([Number(accepted), label, smoothed, belief, probability].join(' '));
    }
    expect(expected.length).toBeGreaterThan(100);
    expect(new Set(expected.map((line) => line[0])).size).toBe(2);
    const tree = new Map(
      generateSystem({ system, encoderSha256: '00' }, null, false, { adaptation, sha256: '00000000' }),
    );
    tree.set('main.c', HOST_MAIN);
    const dir = space.folder(title.replaceAll(/\W+/g, '-'));
    const program = await buildHostProgram(tree, dir, [], new Set());
    writeFileSync(join(dir, 'input.bin'), Buffer.concat(input));
    const { stdout } = await promisify(execFile)('sh', ['-c', `"${program}" < "${join(dir, 'input.bin')}"`]);
    expect(stdout.trim().split('\n')).toEqual(expected);
  });
});
