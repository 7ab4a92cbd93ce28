/** A classifier that learns, as firmware: every score and every weight equals the twin's; what was learned survives resets at any moment. */
import { afterAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import type { AdaptArithmetic, AdaptationOptions, AdaptLayers } from '../../firmware-gen/ir/adaptation.ts';
import { adaptation } from '../../firmware-gen/passes/adaptation.ts';
import { planAdaptation } from '../../firmware-gen/plan/adaptation.ts';
import { LearnerReference } from '../../firmware-gen/reference/adaptation/learner.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import { EmulatedLearner, compileLearner, recordHeader, recordWeights } from '../../harness/adaptation.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { workspace } from '../cli/support/workspace.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { dynamicGraph, samples, staticGraph } from './small-classifier.ts';

const space = workspace();
const board = loadBoard('nucleo-l4r5zi');
/** A board of every driver. */
const flashBoards = ['nucleo-l4r5zi', 'stm32f4-discovery', 'nrf52840dk', 'microbit-v2', 'rpi-pico'];
const SHA = '0123456789abcdef'.repeat(4);
const STEPS = [0.03, 0.06];

const optionsOf = (layers: AdaptLayers, arithmetic: AdaptArithmetic): AdaptationOptions => ({
  ...{ layers, arithmetic, rate: 0.01 },
  steps: layers === 'block' ? STEPS : [STEPS[1]!],
});

const cases = (['static', 'dynamic'] as const).flatMap((inference) =>
  (
    [
      ['head', 'float'],
      ['head', 'static-16'],
      ['head', 'dynamic-16'],
      ['bias', 'dynamic-16'],
      ['block', 'float'],
      ['block', 'static-16'],
      ['block', 'dynamic-16'],
    ] as const
  ).map(([layers, arithmetic]) => ({ inference, layers, arithmetic })),
);

describe('a classifier taken apart', () => {
  it('should classify before it has learned as the whole model does', () => {
    for (const layers of ['head', 'block'] as const) {
      const learner = new LearnerReference(adaptation(staticGraph, optionsOf(layers, 'dynamic-16')));
      const whole = createReference(staticGraph);
      for (const { values } of samples) {
        const inputs = modelInputs(staticGraph, values);
        const logits = new Int8Array(whole.runOutputs(inputs)[0]!.slice().buffer);
        const { scores } = learner.classify(learner.features(inputs));
        // 16 bits hold the 8-bit weights of all rows in one scale: a step of rounding at most.
        for (const [c, score] of scores.entries()) expect(Math.abs(score - logits[c]!)).toBeLessThanOrEqual(1);
      }
    }
  });

  it.each(cases)('should learn: $inference inference, $layers in $arithmetic', ({ inference, layers, arithmetic }) => {
    const graph = inference === 'static' ? staticGraph : dynamicGraph;
    const learner = new LearnerReference(adaptation(graph, optionsOf(layers, arithmetic)));
    const right = (): number =>
      samples.filter(
        ({ values, label }) => learner.classify(learner.features(modelInputs(graph, values))).label === label,
      ).length;
    const before = right();
    for (let epoch = 0; epoch < 6; epoch += 1)
      for (const { values, label } of samples) learner.learn(learner.features(modelInputs(graph, values)), label);
    expect(learner.steps).toBe(6 * samples.length);
    if (layers !== 'bias') expect(right()).toBeGreaterThan(Math.max(before, 0.8 * samples.length));
  });

  it('should say what cannot learn', () => {
    expect(() =>
      adaptation({ ...staticGraph, outputs: [staticGraph.ops[1]!.outputs[0]!] }, optionsOf('head', 'float')),
    ).toThrow('ends with 0 dense layers');
    expect(() => adaptation(staticGraph, { ...optionsOf('head', 'float'), rate: 1e12 })).toThrow('2^-41 to 2^13');
  });

  it('should give buffers that live at once bytes of their own', () => {
    for (const { layers, arithmetic } of cases) {
      const { blocks, offsets, arenaBytes } = planAdaptation(adaptation(staticGraph, optionsOf(layers, arithmetic)));
      for (const a of blocks) {
        const at = offsets.get(a.name)!;
        expect(at % 8).toBe(0);
        expect(at + a.bytes).toBeLessThanOrEqual(arenaBytes);
        for (const b of blocks) {
          const from = offsets.get(b.name)!;
          const apart = a.name === b.name || a.last < b.first || b.last < a.first;
          if (!apart) expect(at + a.bytes <= from || from + b.bytes <= at, `${a.name}, ${b.name}`).toBe(true);
        }
      }
    }
  });
});

describe.skipIf(!hasCompiler)(`learning firmware${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`, () => {
  const opened: EmulatedLearner[] = [];
  afterAll(() => {
    for (const one of opened) one.close();
  });
  const learnerOf = async (
    graph: typeof staticGraph,
    layers: AdaptLayers,
    arithmetic: AdaptArithmetic,
    on: Board = board,
  ) => {
    const taken = adaptation(graph, optionsOf(layers, arithmetic));
    const compiled = await compileLearner(taken, space.folder(`${on.name}-${layers}-${arithmetic}`), {
      board: on,
      modelSha256: SHA,
      harness: null,
    });
    const target = new EmulatedLearner(compiled, on, 'wasm', 'flat');
    opened.push(target);
    return { taken, target, twin: new LearnerReference(taken) };
  };

  // Every kernel, in few builds.
  const built = cases.filter((_, i) => [0, 1, 3, 6, 9, 11].includes(i));
  it.each(built)(
    'should equal its twin: $inference inference, $layers in $arithmetic',
    async ({ inference, layers, arithmetic }) => {
      const graph = inference === 'static' ? staticGraph : dynamicGraph;
      const { taken, target, twin } = await learnerOf(graph, layers, arithmetic);
      for (const { values, label } of samples) {
        const inputs = modelInputs(graph, values);
        const features = twin.features(inputs);
        expect(target.infer(inputs).scores).toEqual(twin.classify(features).scores);
        expect(target.learn(label).probability).toBe(twin.learn(features, label));
      }
      const record = target.record();
      const { steps, exponents } = recordHeader(record);
      expect(steps).toBe(samples.length);
      for (const [i, weights] of recordWeights(taken, record).entries()) {
        expect(exponents[i]).toBe(twin.weights()[i]!.exponent);
        expect(weights).toEqual(twin.weights()[i]!.weights);
      }
    },
  );

  it.each(flashBoards)(
    'should hold on %s what was committed, or what was before, after a reset at any moment of a commit',
    async (name) => {
      const { target } = await learnerOf(staticGraph, 'block', 'dynamic-16', loadBoard(name));
      const inputs = modelInputs(staticGraph, samples[0]!.values);
      const learn = (count: number): void => {
        for (let i = 0; i < count; i += 1) {
          target.infer(inputs);
          target.learn(1);
        }
      };
      const { machine } = target;
      const factory = target.record();
      /** What the firmware has after a start-up. */
      const restarted = (): Uint8Array => {
        machine.resume(machine.reset(), { cyclesMax: machine.cpu.counters().cycles + 50e6 });
        return target.record();
      };
      expect(restarted()).toEqual(factory);
      learn(3);
      expect(target.call('tl_commit').value).toBe(0);
      let committed = target.record();
      expect(committed).not.toEqual(factory);
      expect(restarted()).toEqual(committed);
      learn(1);
      const { cycles } = target.call('tl_commit');
      committed = target.record();
      const seen = { before: 0, after: 0 };
      for (let part = 0; part <= 40; part += 1) {
        learn(1);
        const next = target.record();
        expect(next).not.toEqual(committed);
        const result = machine.call('tl_commit', [], { maxCycles: Math.ceil((cycles * (part + 0.5)) / 40) });
        const held = restarted();
        const isNew = Buffer.compare(held, next) === 0;
        if (!isNew) expect(held, `cut at ${part} of 40`).toEqual(committed);
        if (result.stop === 'return') expect(isNew).toBe(true);
        seen[isNew ? 'after' : 'before'] += 1;
        committed = held;
      }
      expect(seen.before).toBeGreaterThan(15);
      expect(seen.after).toBeGreaterThan(3);
    },
  );

  it('should run from RAM while the flash of an RP2040 cannot be read', async () => {
    const { target } = await learnerOf(staticGraph, 'head', 'dynamic-16', loadBoard('rpi-pico'));
    const { address, bytes } = target.machine.symbol('tl_flash_in_ram');
    expect(address >>> 28).toBe(2);
    // Thumb's BL is F000 to F7FF and then D000 to FFFF: the ROM is called by registers, and nothing else.
    const code = new Uint16Array(target.machine.readMemory(address & ~1, bytes).slice().buffer);
    expect(code.length).toBeGreaterThan(20);
    expect([...code].filter((half, i) => half >>> 11 === 0x1e && (code[i + 1] ?? 0) >>> 14 === 3)).toEqual([]);
  });

  it('should say that a board has no driver for its flash', async () => {
    const other = loadBoard('mps2-an386');
    const taken = adaptation(staticGraph, optionsOf('head', 'float'));
    const compiled = await compileLearner(taken, space.folder('other'), {
      board: other,
      modelSha256: SHA,
      harness: null,
    });
    const target = new EmulatedLearner(compiled, other, 'wasm', 'flat');
    opened.push(target);
    expect(target.call('tl_commit').value).toBe(-2);
  });

  it('should take a hash as identity', async () => {
    const taken = adaptation(staticGraph, optionsOf('head', 'float'));
    await expect(
      compileLearner(taken, space.folder('none'), { board, modelSha256: 'zz', harness: null }),
    ).rejects.toThrow(UserError);
  });
});
