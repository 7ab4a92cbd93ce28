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
import type { Decision } from '../../firmware-gen/reference/system.ts';
import {
  compileSystem,
  generateSystem,
  type FedDecision,
  type EmittableSystem,
} from '../../harness/decision-system.ts';
import { feedSystem, isEqualDecision, twinDecisions } from '../../harness/system-run.ts';
import type { MotionDataset, Recording } from '../../learn/har/dataset.ts';
import { cachedCell } from './cache.ts';

const FOLDER = './build/paper/pipeline';
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
      const recordings = unseen(stream);
      const how = { board, engine: 'wasm', timing: defaultTiming(board) } as const;
      const samples = recordings.map((one) => one.samples);
      const { decisions, stackBytes } = feedSystem(image.elf, loaded.system, samples, how);
      const windows = recordings.flatMap(({ label }, i) =>
        paired(loaded.system, label, decisions[i]!, twinDecisions(loaded.system, samples[i]!)),
      );
      const ramBytes = image.dataBytes + image.bssBytes + stackBytes;
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

function paired(
  { name, classes }: DecisionSystem,
  label: string,
  fed: readonly FedDecision[],
  twin: readonly Decision[],
): Window[] {
  if (fed.length !== twin.length) throw new Error(`internal: ${name} and its twin decide at different frames`);
  return fed.map((one, i) => ({
    ...{ fed: one, cycles: defined(one.cycles, 'cycles'), isKnown: classes.includes(label) },
    isEqual: isEqualDecision(one, twin[i]!),
  }));
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
