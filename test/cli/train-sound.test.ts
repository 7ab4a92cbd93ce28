/** `thumbelina train` on sound, from clips to firmware that hears: a toy data set of tones, trained in seconds. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pushedValues } from '../../firmware-gen/ir/system.ts';
import { SystemReference, type Decision } from '../../firmware-gen/reference/system.ts';
import { loadSystem } from '../../harness/decision-system.ts';
import { SAMPLES, SPEAKERS, toneConfig, writeToneClips } from '../learn/support/tone-clips.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'thumbelina-train-sound-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LABELS = ['low', 'high', 'hiss'];
const { values } = writeToneClips(folder, LABELS);
const config = toneConfig(folder);
const path = join(folder, 'tones.json');
writeFileSync(path, JSON.stringify(config));

interface Trained {
  readonly test: Record<'windows' | 'accuracy' | 'unknownWindows' | 'unknownAccepted', number>;
}

describe('thumbelina train with a configuration for sound', () => {
  it('should write a system that decides on the emulated board as its twin', async () => {
    const trained = await thumbelina(['train', path, '-o', folder, '--json']);
    expect(trained.stderr).not.toMatch(/internal/);
    expect(trained.code).toBe(0);
    const { test } = JSON.parse(trained.stdout) as Trained;
    // Three unseen speakers, one clip a label each; hiss was never heard.
    expect(test).toMatchObject({ windows: 6, accuracy: 1, unknownWindows: 3 });

    const file = join(folder, 'tones.system.json');
    const { system } = loadSystem(file);
    const push = pushedValues(system);
    expect(push).toBe(128);
    const unseen = values.subarray((SPEAKERS - 3) * LABELS.length * SAMPLES);
    const heard = unseen.subarray(0, unseen.length - (unseen.length % push));
    const input = join(folder, 'heard.i16');
    writeFileSync(input, new Uint8Array(heard.slice().buffer));
    const ran = await thumbelina(['system', file, '--board', 'mps2-an386', '-o', folder, '--input', input, '--json']);
    expect(ran.code).toBe(0);
    const { decisions } = JSON.parse(ran.stdout) as {
      decisions: (Omit<Decision, 'label' | 'smoothed'> & {
        label: string;
        smoothed: string;
        cycles: number;
        analyseCycles: number;
      })[];
    };

    const twin = new SystemReference(system);
    const expected: Decision[] = [];
    for (let at = 0; at < heard.length; at += push) {
      const decision = twin.push(heard.subarray(at, at + push));
      if (decision) expected.push(decision);
    }
    expect(expected.length).toBeGreaterThan(15);
    expect(new Set(expected.map(({ label }) => label)).size).toBe(2);
    expect(decisions.map(({ accepted, label, smoothed, belief }) => ({ accepted, label, smoothed, belief }))).toEqual(
      expected.map((one) => ({ ...one, label: system.classes[one.label], smoothed: system.classes[one.smoothed] })),
    );
    for (const { cycles, analyseCycles } of decisions) expect(Math.min(cycles, analyseCycles)).toBeGreaterThan(10_000);
  });

  it('should have its threshold set and judged on clips', async () => {
    const file = join(folder, 'tones.system.json');
    const fitted = await thumbelina(['ood', 'fit', file, '--data', folder, '--accept', '100', '--json']);
    expect(fitted).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(fitted.stdout)).toMatchObject({ windows: 6 });
    const judged = await thumbelina(['ood', 'evaluate', file, '--data', folder, '--json']);
    expect(judged.code).toBe(0);
    expect(JSON.parse(judged.stdout)).toMatchObject({
      ...{ accuracy: 1, known: 6, unknown: 3, all: { knownAccepted: 1 } },
      byClass: [{ unknown: 'hiss', windows: 3 }],
    });
    const refused = await thumbelina(['ood', 'fit', file, '--data', folder, '--detector', 'statistics']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/is for motion/);
  });

  it('should be run and evaluated as a project too', async () => {
    const ran = await thumbelinaJson(['run', path, '-o', folder, '--windows', '9']);
    const { decisions, analyse } = ran as { decisions: { recorded: string }[]; analyse: number };
    // A decision a clip: 15 pushes, of which a window takes 14 and the next decision 7 more.
    expect(decisions.map(({ recorded }) => recorded)).toEqual([...LABELS, ...LABELS, ...LABELS]);
    expect(analyse).toBeGreaterThan(10_000);
    const judged = await thumbelinaJson(['evaluate', path, '-o', folder, '--on', 'firmware']);
    expect(judged).toMatchObject({
      ...{ outcome: 'ok', accuracy: 1, known: 6, unknown: 3 },
      firmware: { windows: 9, equal: 9 },
    });
  });

  it("should learn a class 'unknown', reject it and what is like it, and report the two apart", async () => {
    const taught = mkdtempSync(join(folder, 'taught-'));
    writeToneClips(taught, ['low', 'high', 'hiss', 'whisper']);
    const data = { ...config.data, folder: taught, unknown: ['hiss'], noWords: ['noise', 'part'], unknownWeight: 2 };
    const file = join(taught, 'taught.json');
    writeFileSync(file, JSON.stringify({ ...config, data }));
    const trained = await thumbelina(['train', file, '-o', taught, '--json']);
    expect(trained.code).toBe(0);
    expect((JSON.parse(trained.stdout) as Trained).test).toMatchObject({
      ...{ windows: 6, accuracy: 1, unknownWindows: 3, taughtWindows: 3, taughtAccepted: 0 },
    });
    const { system } = loadSystem(join(taught, 'tones.system.json'));
    expect(system).toMatchObject({ classes: ['low', 'high'], taught: ['hiss'], gate: { kind: 'unknown-class' } });
    const judged = await thumbelina(['ood', 'evaluate', join(taught, 'tones.system.json'), '--data', taught, '--json']);
    expect(JSON.parse(judged.stdout)).toMatchObject({
      ...{ known: 6, unknown: 3, byClass: [{ unknown: 'whisper', auroc: 1 }] },
      learned: { unknown: 3, all: { auroc: 1, unknownAccepted: 0 } },
    });
    const dynamic = join(taught, 'dynamic.json');
    writeFileSync(dynamic, JSON.stringify({ ...config, data, quantization: { scheme: 'dynamic-q' } }));
    const refused = await thumbelina(['train', dynamic, '-o', taught]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/linear head with a class 'unknown' needs quantization\.scheme static/);
  });

  it('should refuse a front end for other data, and input that is not whole pushes', async () => {
    const mixed = join(folder, 'mixed.json');
    writeFileSync(mixed, JSON.stringify({ ...config, frontEnd: { kind: 'raw' } }));
    const { code, stderr } = await thumbelina(['train', mixed, '-o', folder]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/front end "raw" does not take data of kind "audio"/);
    const short = join(folder, 'short.i16');
    writeFileSync(short, new Uint8Array(100));
    const refused = await thumbelina(['system', join(folder, 'tones.system.json'), '--input', short]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/takes 128 int16 values at a time/);
    expect(readFileSync(join(folder, 'tones.system.json'), 'utf8')).not.toContain(folder);
  });
});
