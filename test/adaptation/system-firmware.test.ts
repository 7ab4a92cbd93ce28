/** Firmware of decision systems whose head learns, on emulated boards: by calls and by the framed protocol, through resets and losses of power. */
import { afterAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import type { AdaptArithmetic, HeadAdaptation } from '../../firmware-gen/ir/adaptation.ts';
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { systemAdaptation } from '../../firmware-gen/passes/system-adaptation.ts';
import { LearningHead } from '../../firmware-gen/reference/adaptation/head.ts';
import { SystemReference, type Decision } from '../../firmware-gen/reference/system.ts';
import { EmulatedLearningSystem, compileLearningSystem } from '../../harness/learning-system.ts';
import { deviceTarget, emulatedTarget, type LearningTarget } from '../../harness/learning-target.ts';
import { runLive } from '../../harness/live-session.ts';
import { memoryLine } from '../../harness/memory-line.ts';
import { DeviceClient } from '../../harness/protocol/device-client.ts';
import { adaptOnDevice, learnedOnDevice, rollbackOnDevice } from '../../harness/protocol/learning.ts';
import { TaughtSystem, type LabelledWindow } from '../../harness/taught-system.ts';
import { pushedWindows } from '../../learn/ood/system-data.ts';
import { workspace } from '../cli/support/workspace.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { randomSystem, syntheticStream } from '../learn/support/random-system.ts';

const space = workspace();
const stream = syntheticStream(12, 3);
const statistics = randomSystem({ kind: 'raw' }, 'statistics', stream);
const softmax = randomSystem({ kind: 'raw' }, 'max-softmax', stream);

const windowsOf = (system: DecisionSystem): LabelledWindow[] =>
  pushedWindows(system, stream).map((window, i, all) => ({ window, label: Math.floor((3 * i) / all.length) }));
/** Every fifth, all classes. */
const some = (system: DecisionSystem): LabelledWindow[] => windowsOf(system).filter((_, i) => i % 5 === 0);

async function compiled(system: DecisionSystem, arithmetic: AdaptArithmetic, boardName: string) {
  const board = loadBoard(boardName);
  const loaded = { system, encoderSha256: '00' };
  const adaptation = systemAdaptation(system, { layers: 'head', arithmetic, rate: 0.02 });
  const dir = space.folder(`${boardName}-${system.gate.kind}-${arithmetic}`);
  return { board, loaded, adaptation, image: await compileLearningSystem(loaded, adaptation, dir, board) };
}

async function teach(system: DecisionSystem, adaptation: HeadAdaptation, target: LearningTarget) {
  let windows = 0;
  const taught = new TaughtSystem(system, adaptation, target, () => (windows += 1));
  const before = await taught.judge(some(system), []);
  for (const one of windowsOf(system).filter((_, i) => i % 3 === 0)) await taught.learn(one);
  const after = await taught.judge(some(system), [stream.subarray(30, 30 + 6 * system.stream.frames)]);
  return { taught, before, after, windows };
}

describe.skipIf(!hasCompiler)(`firmware that learns${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`, () => {
  const opened: EmulatedLearningSystem[] = [];
  afterAll(() => {
    for (const one of opened) one.close();
  });
  const emulated = async (system: DecisionSystem, arithmetic: AdaptArithmetic, boardName: string) => {
    const { board, loaded, adaptation, image } = await compiled(system, arithmetic, boardName);
    const target = new EmulatedLearningSystem(image.elf, board, loaded, adaptation, 'wasm', 'flat');
    opened.push(target);
    return { adaptation, target };
  };

  // A UART that receives, none, and one that only sends; boards with and without a driver for their flash.
  it.each([
    ['mps2-an386', statistics, 'static-16', false],
    ['core-m4', softmax, 'float', false],
    ['cy8cproto-062-4343w', statistics, 'dynamic-16', false],
    ['microbit-v2', softmax, 'dynamic-16', true],
  ] as const)('should equal its twin on %s', async (board, system, arithmetic, keeps) => {
    const { adaptation, target } = await emulated(system, arithmetic, board);
    const { taught, before, after, windows } = await teach(system, adaptation, emulatedTarget(target, system));
    const outcome = await taught.outcome();
    expect(outcome).toMatchObject({ isEqual: true, steps: 15, comparedDecisions: windows });
    expect(windows).toBe(15 + 2 * some(system).length + 1);
    expect(outcome.meanLoss).toBeGreaterThan(0.1);
    expect(outcome.stepCycles).toBeGreaterThan(1000);
    expect(before.unknownAccepted).toBeNull();
    expect([0, 1]).toContain(after.unknownAccepted);
    expect(after).not.toEqual({ ...before, unknownAccepted: after.unknownAccepted });
    if (!keeps) expect(() => target.commit()).toThrow('no driver for the flash of this board');
    else await taught.commit();
    target.boot();
    expect((await taught.outcome()).isEqual).toBe(keeps);
  });

  it('should hold what was committed, or what was before, after a reset at any moment of a commit', async () => {
    const { target } = await emulated(statistics, 'dynamic-16', 'nrf52840dk');
    const { machine } = target;
    const { window } = windowsOf(statistics)[0]!;
    const asTarget = emulatedTarget(target, statistics);
    const learn = async (): Promise<void> => void (await asTarget.learn(window, 1));
    const restarted = (): Uint8Array => {
      target.boot();
      return target.record();
    };
    const trained = target.record();
    await learn();
    expect(restarted()).toEqual(trained);
    await learn();
    const { cycles, value } = target.call('tl_commit');
    expect(value).toBe(0);
    let committed = target.record();
    expect(restarted()).toEqual(committed);
    const seen = { before: 0, after: 0 };
    for (let part = 0; part <= 40; part += 1) {
      await learn();
      const next = target.record();
      machine.call('tl_commit', [], { maxCycles: Math.ceil((cycles * (part + 0.5)) / 40) });
      const held = restarted();
      const isNew = Buffer.compare(held, next) === 0;
      if (!isNew) expect(held, `cut at ${part} of 40`).toEqual(committed);
      seen[isNew ? 'after' : 'before'] += 1;
      committed = held;
    }
    expect(seen.before).toBeGreaterThan(15);
    expect(seen.after).toBeGreaterThan(3);
    target.forget();
    expect(target.record()).toEqual(trained);
  });

  it('should equal its twin by the protocol, keep what it learned over a reset, and say what is wrong', async () => {
    const { board, loaded, adaptation, image } = await compiled(statistics, 'dynamic-16', 'nrf52840dk');
    const { endpoint, link } = memoryLine();
    const stop = new AbortController();
    const live = { firmware: image.elf, firmwareName: 'firmware.elf', board, realtime: false, timing: 'flat' } as const;
    const ended = runLive({ ...live, signal: stop.signal }, endpoint);
    const client = new DeviceClient(link, { baud: 115200, answerSeconds: 10 });
    const identify = async (): Promise<void> => {
      expect(await client.identify()).toMatchObject({
        board: 'nrf52840dk',
        model: 'sys',
        inputBytes: 24,
        outputBytes: 20,
      });
    };
    await identify();
    const { system } = loaded;
    const target = deviceTarget(client, 'board', system, identify);
    const taught = new TaughtSystem(system, adaptation, target, () => undefined);
    const [first, ...others] = some(system);
    for (const one of others.slice(0, 3)) await taught.learn(one);
    await taught.judge([first!], []);
    expect(await taught.outcome()).toMatchObject({ isEqual: true, steps: 3 });
    expect(await learnedOnDevice(client)).toMatchObject({ steps: 3, samples: 3, committedSteps: null });
    await taught.commit();
    expect(await taught.outcome()).toMatchObject({ isEqual: true, steps: 3 });
    await taught.judge([others[4]!], []);
    expect(await rollbackOnDevice(client, 'original')).toEqual({ source: 'original', steps: 0 });
    expect((await taught.outcome()).isEqual).toBe(false);
    expect(await rollbackOnDevice(client, 'committed')).toEqual({ source: 'committed', steps: 3 });
    expect(await taught.outcome()).toMatchObject({ isEqual: true, steps: 3 });
    // Two frames are no window: nothing is learned.
    const chunk = new Uint8Array(24);
    await client.reset();
    await identify();
    await client.writeInput(chunk);
    expect(await adaptOnDevice(client, 0, chunk, 10)).toMatchObject({ status: -2, steps: 3 });
    await expect(adaptOnDevice(client, 3, chunk, 10)).rejects.toThrow("the label is none of the model's classes");
    stop.abort();
    await ended;
  }, 400_000);
});

describe('a system beside its twin', () => {
  const adaptation = systemAdaptation(softmax, { layers: 'head', arithmetic: 'float', rate: 0.02 });
  const [one] = windowsOf(softmax);
  /** A board that is right but for what `wrong` says. */
  function board(wrong: 'nothing' | 'decision' | 'probability' | 'weight' | 'steps'): LearningTarget {
    const head = new LearningHead(adaptation);
    const own = new SystemReference(softmax, head);
    const decide = (window: Int16Array): Decision => {
      own.restart();
      const decision = own.decide(window);
      return wrong === 'decision' ? { ...decision, belief: decision.belief + 1 } : decision;
    };
    return {
      decide: (window) => Promise.resolve(decide(window)),
      learn: (window, label) => {
        const decision = decide(window);
        const probability = own.learn(label, window) + Number(wrong === 'probability');
        return Promise.resolve({ decision, probability, cycles: null });
      },
      ...{ forget: () => Promise.resolve(), commit: () => Promise.resolve(), reset: () => Promise.resolve() },
      record: () => {
        const weights = head.kept()[0]!.weights.slice();
        if (wrong === 'weight') weights[7]! += 1;
        const header = Int32Array.of(0, head.steps + Number(wrong === 'steps'), 0, 0);
        return Promise.resolve(
          new Uint8Array(Buffer.concat([new Uint8Array(header.buffer), new Uint8Array(weights.buffer)])),
        );
      },
    };
  }

  it.each([
    ['nothing', true],
    ['decision', false],
    ['probability', false],
    ['weight', false],
    ['steps', false],
  ] as const)('should notice when it differs in one %s', async (wrong, isEqual) => {
    const taught = new TaughtSystem(softmax, adaptation, board(wrong), () => undefined);
    await taught.judge([one!], []);
    await taught.learn(one!);
    expect(await taught.outcome()).toMatchObject({ isEqual, steps: 1 + Number(wrong === 'steps') });
  });
});
