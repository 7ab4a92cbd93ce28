/** Learning through the framed protocol, on an emulated board with flash: steps, repeats, errors, commit, rollback, restart. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { adaptation } from '../../firmware-gen/passes/adaptation.ts';
import { LearnerReference } from '../../firmware-gen/reference/adaptation/learner.ts';
import { compileLearner, recordHeader, recordWeights } from '../../harness/adaptation.ts';
import { runLive } from '../../harness/live-session.ts';
import { memoryLine } from '../../harness/memory-line.ts';
import { DeviceClient } from '../../harness/protocol/device-client.ts';
import { FrameReader, encodeFrame, type Frame } from '../../harness/protocol/frame.ts';
import {
  adaptOnDevice,
  commitOnDevice,
  learnedOnDevice,
  recordOnDevice,
  rollbackOnDevice,
} from '../../harness/protocol/learning.ts';
import { words } from '../../harness/protocol/messages.ts';
import { modelInputs } from '../../learn/data/model-input.ts';
import { workspace } from '../cli/support/workspace.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { samples, staticGraph } from './small-classifier.ts';

const space = workspace();
const SHA = 'fedcba9876543210'.repeat(4);
const HARNESS = { protocol: 'device', mlperfId: 'small', input: 'raw' } as const;

async function started(boardName: string, layers: 'head' | 'block') {
  const board = loadBoard(boardName);
  const taken = adaptation(staticGraph, { layers, arithmetic: 'dynamic-16', rate: 0.01 });
  const { image } = await compileLearner(taken, space.folder(boardName), { board, modelSha256: SHA, harness: HARNESS });
  const { endpoint, link } = memoryLine();
  const stop = new AbortController();
  const options = {
    firmware: image.elf,
    firmwareName: 'firmware.elf',
    board,
    realtime: false,
    timing: 'flat' as const,
    signal: stop.signal,
  };
  const ended = runLive(options, endpoint);
  const client = new DeviceClient(link, { baud: 115200, answerSeconds: 10 });
  return { client, link, taken, ended, stop };
}

const bytesOf = (i: number): Uint8Array => Buffer.concat(modelInputs(staticGraph, samples[i]!.values));

describe.skipIf(!hasCompiler)(`learning by protocol${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`, () => {
  it.each([
    ['nucleo-l4r5zi', 4096],
    ['stm32f4-discovery', 131072],
    ['nrf52840dk', 4096],
    ['rpi-pico', 4096],
  ] as const)(
    'should learn on %s as the twin does, keep it in flash, and go back',
    async (board, slotBytes) => {
      const { client, taken, ended, stop } = await started(board, 'block');
      const twin = new LearnerReference(taken);
      const teach = async (from: number, to: number): Promise<void> => {
        for (let i = from; i < to; i += 1) {
          const features = twin.features(modelInputs(staticGraph, samples[i]!.values));
          const { label: predicted } = twin.classify(features);
          await client.writeInput(bytesOf(i));
          const report = await adaptOnDevice(client, samples[i]!.label, bytesOf(i), 60);
          expect(report).toMatchObject({ status: 0, predicted, steps: i + 1 });
          expect(report.probability).toBe(twin.learn(features, samples[i]!.label) / 32768);
          expect(report.stepCycles).toBeGreaterThan(100);
          expect(report.inferCycles).toBeGreaterThan(1000);
        }
      };
      const isTwins = async (): Promise<void> => {
        const record = await recordOnDevice(client);
        expect(recordHeader(record).steps).toBe(twin.steps);
        for (const [i, weights] of recordWeights(taken, record).entries())
          expect(weights).toEqual(twin.weights()[i]!.weights);
      };
      await client.identify();
      expect(await learnedOnDevice(client)).toMatchObject({
        steps: 0,
        committedSteps: null,
        samples: 0,
        meanLoss: null,
        slotBytes,
      });
      await teach(0, 3);
      await isTwins();
      expect(await commitOnDevice(client)).toBe(3);
      const kept = await recordOnDevice(client);
      await teach(3, 4);
      const report = await learnedOnDevice(client);
      expect(report).toMatchObject({ steps: 4, committedSteps: 3, samples: 4 });
      expect(report.meanLoss).toBeGreaterThan(0);
      expect(await rollbackOnDevice(client, 'committed')).toEqual({ source: 'committed', steps: 3 });
      expect(await recordOnDevice(client)).toEqual(kept);
      expect(await rollbackOnDevice(client, 'original')).toEqual({ source: 'original', steps: 0 });
      twin.restart();
      await isTwins();
      await client.reset();
      await client.identify();
      expect(await recordOnDevice(client)).toEqual(kept);
      stop.abort();
      await ended;
    },
    400_000,
  );

  it('should name what is wrong, and do nothing twice', async () => {
    const { client, link, stop, ended } = await started('mps2-an386', 'head');
    await client.identify();
    await client.writeInput(bytesOf(0));
    await expect(adaptOnDevice(client, 3, bytesOf(0), 10)).rejects.toThrow("the label is none of the model's classes");
    await expect(adaptOnDevice(client, 0, bytesOf(1), 10)).rejects.toThrow('the input is not what was sent');
    await expect(commitOnDevice(client)).rejects.toThrow('no driver for the flash of this board');
    await expect(client.request(10, words(2), { answerBytes: 8 })).rejects.toThrow('out of range');
    await expect(client.request(12, words(1 << 20, 4), { answerBytes: 4 })).rejects.toThrow('out of range');
    await expect(client.request(13, new Uint8Array(), { answerBytes: 4 })).rejects.toThrow('unknown');
    // A request that comes again with its number is answered, not executed.
    const frame = encodeFrame({ kind: 8, sequence: 77, payload: words(1, crc32(bytesOf(0))) });
    const answers: Frame[] = [];
    const reader = new FrameReader();
    const before = link.onData;
    link.onData = (bytes) => void answers.push(...reader.push(bytes));
    const answered = async (count: number): Promise<void> => {
      link.write(frame);
      while (answers.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await answered(1);
    await answered(2);
    link.onData = before;
    expect(answers[1]!.payload).toEqual(answers[0]!.payload);
    expect(await learnedOnDevice(client)).toMatchObject({ steps: 1, slotBytes: 0 });
    stop.abort();
    await ended;
  }, 400_000);
});
