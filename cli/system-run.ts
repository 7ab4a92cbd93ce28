/** What `run` and `system` do with a decision system: build it, feed the emulated board, report decisions, cycles by stage and memory. */
import type { Command } from 'commander';
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { pushedValues, type DecisionSystem } from '../firmware-gen/ir/system.ts';
import { compileSystem, type FedDecision, type LoadedSystem } from '../harness/decision-system.ts';
import { readInputFile } from '../harness/input-file.ts';
import { emulatedTiming, type TimingReport } from '../harness/report.ts';
import { feedSystem, summariseCycles, type CycleSummary, type FedSystem, type Spread } from '../harness/system-run.ts';
import { beginnings, type RecordedStream } from '../learn/ood/system-data.ts';
import { RUN_WINDOWS, timingMode, type WeightsMemory } from './options.ts';
import { print, type JsonOption } from './output.ts';
import { progress } from './progress.ts';
import { chooseBoard, loadSystemTarget, type SystemTarget } from './project.ts';
import { systemData } from './system-data.ts';
import { formatSystemRun } from './system-text.ts';

export interface SystemRunArguments extends JsonOption {
  readonly board: string;
  readonly output: string;
  readonly engine: EngineName;
  readonly timing?: TimingMode;
  readonly weights: WeightsMemory;
  readonly input?: string;
  readonly data?: string;
  readonly windows?: number;
}

/** Subject and label of a stream are null when it came from --input. */
export interface StreamDecision extends Omit<FedDecision, 'label' | 'smoothed'> {
  /** Number of the stream. */
  readonly recording: number;
  readonly subject: string | null;
  readonly recorded: string | null;
  readonly label: string;
  readonly smoothed: string;
}

export interface SystemReport extends BoardFigures {
  readonly schemaVersion: 1;
  readonly system: string;
  readonly weights: WeightsMemory;
  readonly elf: string;
  readonly core: string;
  readonly source: 'emulated';
  readonly timing: TimingReport;
  /** Classes that were learned. */
  readonly classes: readonly string[];
  readonly decisions: readonly StreamDecision[];
}

type Fed = Omit<RecordedStream, 'label' | 'subject'> & {
  readonly label: string | null;
  readonly subject: string | null;
};

/** @param feeds whether recordings are fed where no --input is given */
export async function runSystem(
  argument: string,
  options: SystemRunArguments,
  command: Command,
  feeds: boolean,
): Promise<void> {
  const target = loadSystemTarget(argument, options.output, options.data);
  const board = chooseBoard(target.project, options, command);
  const timing = timingMode(options.timing, board);
  const streams = streamsOf(target, options, feeds);
  const report = await reportOf(target, streams, { ...options, board, timing });
  print(options, report, () => formatSystemRun(report, target.loaded.system));
}

function streamsOf(target: SystemTarget, options: SystemRunArguments, feeds: boolean): readonly Fed[] {
  const { loaded, path } = target;
  const { system } = loaded;
  const { input, data, windows } = options;
  if (input !== undefined) {
    if (data !== undefined || windows !== undefined)
      throw new UserError('--input is all that is fed; leave --data and --windows out');
    return [{ label: null, subject: null, samples: readFrames(input, pushedValues(system)) }];
  }
  if (!feeds) return [];
  if (windows === 0) throw new UserError('--windows 0: there is nothing to feed; give more');
  const { streams } = systemData(target, options, 'unseen');
  const fed = beginnings(system, streams, windows ?? RUN_WINDOWS);
  if (fed.length > 0) return fed;
  throw new UserError(`${path}: all recordings are shorter than a window; record longer ones`);
}

export interface Circumstances {
  readonly board: Board;
  readonly timing: TimingMode;
  readonly engine: EngineName;
  readonly output: string;
  readonly weights: WeightsMemory;
}

async function reportOf({ loaded }: SystemTarget, streams: readonly Fed[], how: Circumstances): Promise<SystemReport> {
  const { system } = loaded;
  const { board } = how;
  const { fed, elf, figures } = await buildAndFeed(loaded, streams, how);
  return {
    schemaVersion: 1,
    system: system.name,
    classes: system.classes,
    decisions: (fed?.decisions ?? []).flatMap((own, recording) =>
      own.map((one) => named(one, system, { recording, ...streams[recording]! })),
    ),
    ...{ core: board.core, source: 'emulated', timing: emulatedTiming(board, how.timing) },
    ...{ weights: how.weights, elf, ...figures },
  };
}

/** What a run on a board says, whatever is made of the decisions. */
export interface BoardFigures extends CycleSummary {
  readonly board: string;
  readonly engine: string;
  readonly latencyMs: Spread | null;
  readonly clockHz: number;
  readonly memory: {
    readonly flashBytes: number;
    /** Without stack where nothing was fed. */
    readonly ramBytes: number;
    readonly stackBytes: number | null;
  };
}

/** @param streams none: only built. `fed` is null then */
export async function buildAndFeed(
  { system, encoderSha256 }: LoadedSystem,
  streams: readonly Pick<RecordedStream, 'samples'>[],
  { board, timing, engine, output, weights }: Circumstances,
): Promise<{ readonly fed: FedSystem | null; readonly elf: string; readonly figures: BoardFigures }> {
  const image = await compileSystem({ system, encoderSha256 }, output, board, weights === 'ram');
  const bar = progress(board.name, streams.length);
  const samples = streams.map((one) => one.samples);
  const onProgress = (done: number): void => bar.update(done);
  const fed = samples.length > 0 ? feedSystem(image.elf, system, samples, { board, engine, timing, onProgress }) : null;
  bar.stop();
  const summary = summariseCycles(system, fed?.decisions.flat() ?? []);
  const milliseconds = (cycles: number): number => (cycles / board.clockHz) * 1e3;
  const { cycles } = summary;
  const stackBytes = fed?.stackBytes ?? null;
  const { flashBytes, dataBytes, bssBytes, elfPath: elf } = image;
  const figures = {
    ...{ board: board.name, engine, ...summary, clockHz: board.clockHz },
    latencyMs: cycles && { mean: milliseconds(cycles.mean), max: milliseconds(cycles.max) },
    memory: { flashBytes, ramBytes: dataBytes + bssBytes + (stackBytes ?? 0), stackBytes },
  };
  return { fed, elf, figures };
}

function named(
  decision: FedDecision,
  { classes }: DecisionSystem,
  { recording, subject, label }: Pick<Fed, 'subject' | 'label'> & { readonly recording: number },
): StreamDecision {
  const about = { recording, subject, recorded: label };
  return { ...about, ...decision, label: classes[decision.label]!, smoothed: classes[decision.smoothed]! };
}

/** @param values of one push. @throws UserError for a file that holds no whole pushes */
function readFrames(path: string, values: number): Int16Array {
  const bytes = readInputFile(path);
  if (bytes.length === 0 || bytes.length % (2 * values) !== 0)
    throw new UserError(
      `${path}: has ${bytes.length} bytes, the system takes ${values} int16 values at a time; give a multiple of ${2 * values} bytes`,
    );
  return new Int16Array(bytes.slice().buffer);
}
