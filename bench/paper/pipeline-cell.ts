/**
 * One decision system on one emulated board, fed with all recordings of unseen subjects one after another: a stream in the data set's own proportions.
 * Every decision is compared with the system's TypeScript twin; cycles of every window, apart for known and unknown activities.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBoard } from '../../boards/load.ts';
import { defined } from '../../common/errors.ts';
import { defaultTiming } from '../../emulator/board-timing.ts';
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { SystemReference, type Decision } from '../../firmware-gen/reference/system.ts';
import {
  EmulatedSystem,
  compileSystem,
  generateSystem,
  type FedDecision,
  type EmittableSystem,
} from '../../harness/decision-system.ts';
import type { MotionDataset, Recording } from '../../learn/har/dataset.ts';
import { cachedCell } from './cache.ts';

const FOLDER = './build/paper/pipeline';
const DECIDED = ['accepted', 'label', 'smoothed', 'belief'] as const satisfies readonly (keyof Decision)[];
/** A quick run takes this part of every recording. */
const QUICK = 0.1;
const SUM_MAX = 2 ** 31 - 1;

export interface Part {
  readonly windows: number;
  readonly rejected: number;
  readonly cyclesMean: number;
}

export interface Cell {
  readonly equal: number;
  readonly all: Part;
  /** Windows of the system's classes, and of all other activities. */
  readonly known: Part;
  readonly unknown: Part;
  readonly cyclesMax: number;
  /** Largest of every stage. */
  readonly stagesMax: Readonly<Record<string, number>>;
  readonly flashBytes: number;
  readonly ramBytes: number;
}

/** The same system whose gate lets everything pass: all windows go through encoder and classes, as they would without one. */
export function withoutGate({ system, ...rest }: EmittableSystem): EmittableSystem {
  return { ...rest, system: { ...system, gate: { kind: 'max-softmax', sumMax: SUM_MAX } } };
}

export interface Stream {
  readonly data: MotionDataset;
  /** The data set's folder. */
  readonly folder: string;
  readonly quick: boolean;
}

export async function runCell(loaded: EmittableSystem, boardName: string, stream: Stream): Promise<Cell> {
  const board = loadBoard(boardName);
  const hash = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
  const manifest = hash(readFileSync(join(stream.folder, 'manifest.json')));
  // The sources and the board decide cycles and outputs; the twin is what the tests hold it to be.
  const sources = [...generateSystem(loaded, board)].map(([path, text]) => hash(`${path}\n${text}`));
  return cachedCell(FOLDER, { sources, board, manifest, quick: stream.quick, version: 4 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'thumbelina-pipeline-'));
    try {
      const image = await compileSystem(loaded, dir, board);
      const target = new EmulatedSystem(image.elf, board, loaded.system, 'wasm', defaultTiming(board));
      const windows = unseen(stream).flatMap((recording) => decisions(target, loaded.system, recording));
      const ramBytes = image.dataBytes + image.bssBytes + target.stackBytes();
      target.close();
      return { ...summary(windows), flashBytes: image.flashBytes, ramBytes };
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

function unseen({ data, quick }: Stream): Recording[] {
  const channels = data.channels.length;
  const part = (all: number): number => (quick ? Math.ceil(QUICK * all) : all);
  return data.recordings
    .filter(({ split }) => split === 'val')
    .map((one) => ({ ...one, samples: one.samples.subarray(0, channels * part(one.samples.length / channels)) }));
}

interface Window {
  readonly fed: FedDecision;
  readonly cycles: number;
  readonly isEqual: boolean;
  readonly isKnown: boolean;
}

function decisions(target: EmulatedSystem, system: DecisionSystem, { samples, label }: Recording): Window[] {
  target.restart();
  const twin = new SystemReference(system);
  const { channels, hop } = system.stream;
  const windows: Window[] = [];
  for (let at = 0; at < samples.length; at += hop * channels) {
    const chunk = samples.subarray(at, at + hop * channels);
    let expected: Decision | null = null;
    for (let i = 0; i < chunk.length; i += channels) expected = twin.push(chunk.subarray(i, i + channels)) ?? expected;
    const fed = target.feed(chunk);
    if ((fed === null) !== (expected === null))
      throw new Error(`internal: ${system.name} and its twin decide at different frames`);
    if (fed === null || expected === null) continue;
    const decided = expected;
    windows.push({
      ...{ fed, cycles: defined(fed.cycles, 'cycles'), isKnown: system.classes.includes(label) },
      isEqual: DECIDED.every((key) => fed[key] === decided[key]),
    });
  }
  return windows;
}

function summary(windows: readonly Window[]): Omit<Cell, 'flashBytes' | 'ramBytes'> {
  const part = (some: readonly Window[]): Part => ({
    windows: some.length,
    rejected: some.filter(({ fed }) => !fed.accepted).length,
    cyclesMean: some.reduce((sum, { cycles }) => sum + cycles, 0) / some.length,
  });
  const stagesMax: Record<string, number> = {};
  for (const { fed } of windows)
    for (const [stage, cycles] of Object.entries(fed.stageCycles))
      stagesMax[stage] = Math.max(stagesMax[stage] ?? 0, cycles);
  return {
    equal: windows.filter(({ isEqual }) => isEqual).length,
    all: part(windows),
    known: part(windows.filter(({ isKnown }) => isKnown)),
    unknown: part(windows.filter(({ isKnown }) => !isKnown)),
    cyclesMax: windows.reduce((most, { cycles }) => Math.max(most, cycles), 0),
    stagesMax,
  };
}
