/** A project in a stranger's folder, from `init` to decisions on the emulated board: self-made motion, trained in seconds. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { motionProject, writeMotionRecordings, FRAMES, SUBJECTS, UNSEEN } from '../learn/support/motion-recordings.ts';
import { thumbelina, thumbelinaJson } from './support/cli.ts';
import { filesBelow, workspace } from './support/workspace.ts';

const space = workspace();
const cwd = space.folder('mine');
const LABELS = ['walking', 'jogging', 'clapping'] as const;
writeMotionRecordings(space.path('mine/recordings'), LABELS);
const PROJECT = 'thumbelina.json';

type Json = Record<string, unknown>;

/** Commands run in the project's folder unless they say otherwise. */
const ok = (...args: string[]): Promise<Json> => thumbelinaJson(args, { cwd }) as Promise<Json>;

async function refused(args: readonly string[], message: RegExp, where = cwd): Promise<void> {
  const { code, stdout, stderr } = await thumbelina(args, { cwd: where });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^thumbelina: [^\n]+\n$/);
  expect({ code, stdout }, args.join(' ')).toEqual({ code: 2, stdout: '' });
}

/** Writes the project with other fields. */
function change(fields: object, name = PROJECT): string {
  const written = JSON.parse(readFileSync(space.path(`mine/${PROJECT}`), 'utf8')) as Json;
  writeFileSync(space.path(`mine/${name}`), JSON.stringify({ ...written, ...fields }));
  return name;
}

describe.skipIf(!hasCompiler)(`a project${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`, () => {
  it('is written by init and trained where it lies, from anywhere', async () => {
    await ok('init', '--name', 'moves', '--data', 'recordings');
    change({ ...motionProject('recordings'), board: 'core-m4' });
    await refused(['run', PROJECT], /moves\.system\.json: no such file; run thumbelina train thumbelina\.json -o/);
    const trained = await thumbelinaJson(
      ['train', space.path(`mine/${PROJECT}`), '-o', space.path('mine/build/thumbelina')],
      { cwd: space.path('.') },
    );
    expect(trained).toMatchObject({ name: 'moves', test: { subjects: [6, 7], windows: 2 * UNSEEN * (FRAMES / 32) } });
  });

  it("is generated for its own board, and for another where one is asked for, option before project's field", async () => {
    const own = await ok('generate', PROJECT);
    expect(own).toMatchObject({ system: 'moves', board: 'core-m4' });
    const files = filesBelow(space.path('mine/build/thumbelina'));
    expect(files).toEqual(expect.arrayContaining([...(own.files as string[]), 'moves.system.json']));
    expect(await ok('generate', PROJECT, '--board', 'core-m33')).toMatchObject({ board: 'core-m33' });
    expect(await ok('build', PROJECT)).toMatchObject({ board: 'core-m4', elf: 'build/thumbelina/firmware.elf' });
    expect(await ok('system', PROJECT)).toMatchObject({ board: 'core-m4', decisions: [], latencyMs: null });
  });

  it("runs on windows of the data set's unseen subjects, all of them, with cycles of every stage", async () => {
    const report = await ok('run', PROJECT, '--windows', '24');
    const { decisions, stages, cycles, latencyMs, clockHz } = report as unknown as {
      decisions: { recorded: string; subject: string; accepted: boolean; cycles: number; stageCycles: Json }[];
      stages: { stage: string; windows: number; mean: number; max: number }[];
      cycles: { mean: number; max: number };
      latencyMs: { max: number };
      clockHz: number;
    };
    expect(decisions.map(({ recorded, subject }) => `${subject} ${recorded}`)).toEqual(
      [6, 7].flatMap((subject) => LABELS.flatMap((label) => Array<string>(4).fill(`${subject} ${label}`))),
    );
    expect(report).toMatchObject({
      board: 'core-m4',
      source: 'emulated',
      timing: { model: 'cortex-m4' },
      classes: LABELS.slice(0, 2),
    });
    const ran = decisions.filter(({ stageCycles }) => 'encode' in stageCycles);
    expect(ran.length).toBe(decisions.filter(({ accepted }) => accepted).length);
    const of = (some: readonly number[]) => ({
      mean: Math.round(some.reduce((a, b) => a + b) / some.length),
      max: Math.max(...some),
    });
    expect(cycles).toEqual(of(decisions.map((one) => one.cycles)));
    expect(stages.find(({ stage }) => stage === 'encode')).toEqual({
      ...{ stage: 'encode', windows: ran.length },
      ...of(ran.map(({ stageCycles }) => stageCycles.encode as number)),
    });
    expect(latencyMs.max).toBeCloseTo((1e3 * cycles.max) / clockHz, 6);
    const { stdout } = await thumbelina(['run', PROJECT], { cwd });
    expect(stdout).toMatch(/^clapping +unknown +2 +\d+ /m);
    expect(stdout).toMatch(/^encoder +\d/m);
  });

  it('runs on frames of a file, as its system does', async () => {
    const file = space.path(`mine/recordings/s${SUBJECTS - 1}.i16`);
    const both = [PROJECT, 'build/thumbelina/moves.system.json'].map((name) =>
      ok('run', name, '--input', file, '--board', 'core-m4', '-o', 'build/thumbelina'),
    );
    const [first, second] = (await Promise.all(both)) as [{ decisions: Json[] }, { decisions: Json[] }];
    expect(first.decisions.length).toBe((LABELS.length * FRAMES) / 16 - 1);
    expect(first.decisions).toEqual(second.decisions);
    expect(first.decisions[0]).toMatchObject({ subject: null, recorded: null });
  });

  it('is deployed anew by quantize, without training, as deploy says then', async () => {
    const system = (): { configuration: string } & Json =>
      JSON.parse(readFileSync(space.path('mine/build/thumbelina/moves.system.json'), 'utf8')) as never;
    const before = system();
    const own = readFileSync(space.path(`mine/${PROJECT}`), 'utf8');
    change({ deploy: { ...motionProject('').deploy, accept: 0.5 }, quantization: { scheme: 'dynamic-q' } });
    const { stderr, stdout, code } = await thumbelina(['quantize', PROJECT, '--json'], { cwd });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ name: 'moves', best: { step: expect.any(Number) as number } });
    expect(system().configuration).not.toBe(before.configuration);
    expect(await ok('evaluate', PROJECT)).toMatchObject({ outcome: 'ok', firmware: null });
    writeFileSync(space.path(`mine/${PROJECT}`), own);
    await ok('quantize', PROJECT);
    expect(system()).toEqual(before);

    await refused(
      ['quantize', change({ name: 'other' }, 'e.json')],
      /other\.checkpoint\.json: no such file, nothing has been trained; run thumbelina train e\.json/,
    );
    const longer = { ...motionProject('').schedule, seed: 2 };
    await refused(
      ['quantize', change({ schedule: longer }, 'f.json')],
      /was trained from another configuration than f\.json; run thumbelina train/,
    );
    await refused(['quantize', PROJECT, '--scheme', 'static'], /--scheme: is not for a project/);
  });

  it('is evaluated on unseen subjects, by its twin and on firmware, and fitted to its validating ones', async () => {
    const judged = await ok('evaluate', PROJECT, '--on', 'firmware', '--samples', '30', '--board', 'core-m4');
    const windows = UNSEEN * (FRAMES / 32);
    expect(judged).toMatchObject({
      ...{ outcome: 'ok', system: 'moves', known: 2 * windows, unknown: windows, subjects: UNSEEN },
      byClass: [{ unknown: 'clapping', windows }],
      firmware: { board: 'core-m4', windows: 30, equal: 30 },
    });
    const { accuracy, accuracyInterval, all } = judged as {
      accuracy: number;
      accuracyInterval: { low: number; high: number };
      all: Json;
    };
    expect(accuracy).toBeGreaterThan(0.9);
    expect(accuracyInterval.low).toBeLessThanOrEqual(accuracy);
    expect(await ok('ood', 'evaluate', PROJECT)).toMatchObject({ accuracy, all });
    const text = await thumbelina(['evaluate', PROJECT], { cwd });
    expect(text.stdout).toMatch(/^moves: 20 known windows of 2 subjects, \d+\.\d % right/);
    expect(text.stdout).toMatch(/^clapping +10 +\d\.\d{3}/m);

    // The threshold of every known validation window, of 2 subjects with 5 windows of either class.
    const fitted = await ok('ood', 'fit', PROJECT, '--accept', '100');
    expect(fitted).toMatchObject({ system: 'moves', gate: 'statistics', windows: 20 });
    expect(fitted.after).toBeLessThanOrEqual(fitted.before as number);
    // Without --accept it is the project's share again, and the system still its own.
    expect(await ok('ood', 'fit', PROJECT)).toMatchObject({ after: fitted.before });
    const anew = await ok('ood', 'fit', PROJECT, '--detector', 'statistics');
    expect(anew).toMatchObject({ gate: 'statistics', after: fitted.before });
  });

  it('learns on the device from unseen subjects, as its section says and options before it', async () => {
    const project = change(
      { adaptation: { layers: 'bias', arithmetic: 'static-16', perClass: 2, passes: 2 } },
      'g.json',
    );
    const report = await ok('adapt', project);
    expect(report).toMatchObject({
      ...{ outcome: 'ok', system: 'moves', board: 'core-m4', layers: 'bias', arithmetic: 'static-16', rate: 0.01 },
      ...{ learnedFrom: 4, judged: 16, unknown: 10, steps: 8, comparedDecisions: 8 + 2 * 26, committed: false },
    });
    const other = await ok('adapt', project, '--layers', 'head', '--subject', '6', '--board', 'nrf52840dk', '--commit');
    expect(other).toMatchObject({ layers: 'head', arithmetic: 'static-16', judged: 6, steps: 8, committed: true });
    const { before, after } = other as { before: Json; after: Json };
    expect(after.unknownAccepted).toBe(before.unknownAccepted);
    const { stdout } = await thumbelina(['adapt', project], { cwd });
    expect(stdout).toContain("60 decisions and all weights equal the reference's");
    await refused(['adapt', project, '--layers', 'block'], /choose --layers head or bias/);
    await refused(['adapt', project, '--subject', 'x'], /of subject x, one of 6, 7; give other data/);
    await refused(['adapt', project, '--pipeline', 'x'], /--pipeline: is not for decision systems/);
    await refused(['adapt', project, '--commit', '--board', 'core-m4'], /no driver for the flash of this board/);
    await refused(['adapt', 'build/thumbelina/moves.system.json'], /names no data set; give --data/);
  });

  it('is refused with one line where something is wrong', async () => {
    await refused(['run', change({ boards: 'x' }, 'a.json')], /a\.json: Unrecognized key: "boards"/);
    await refused(['train', change({ board: 'mps9' }, 'b.json')], /b\.json: board: unknown board "mps9"/);
    const elsewhere = change({ ...motionProject('nowhere'), board: 'core-m4' }, 'c.json');
    await refused(['run', elsewhere], /c\.json: data\.folder: no folder "nowhere" in .*mine or the working folder/);
    await refused(['train', elsewhere], /c\.json: data\.folder: no folder "nowhere"/);
    // Where the data lay says nothing about the system, the share of windows to accept does.
    const other = change({ deploy: { detector: 'statistics', accept: 0.9 } }, 'd.json');
    await refused(
      ['generate', other],
      /moves\.system\.json: was made of another configuration than d\.json is now; run thumbelina train/,
    );
    await refused(['run', PROJECT, '--per-op'], /--per-op: is not for a project or decision system/);
    await refused(['run', PROJECT, '--windows', '0'], /--windows 0/);
    await refused(['generate', PROJECT, '--harness', 'device'], /--harness: is not for a project/);
    await refused(['run', 'build/thumbelina/moves.system.json'], /names no data set; give --data/);
    await refused(['evaluate', PROJECT, PROJECT], /a project is evaluated alone/);
    await refused(['evaluate', PROJECT, '--shift', 'gain:2'], /--shift: is not for a project/);
    await refused(['evaluate', PROJECT, '--samples', '3'], /--samples: so many windows go to --on firmware/);
    await refused(['evaluate', 'models/har_wisdm_watch.tflite'], /required option '--data <data>' not specified/, '.');
    await refused(['run', 'models/har_wisdm_watch.tflite', '--windows', '3'], /--windows: is not for a model/, '.');
  });
});
