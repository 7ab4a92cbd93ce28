/** The decision system's part of `thumbelina demo`: known and unknown synthetic motions, what it makes of them, and what each stage costs. */
import { join } from 'node:path';
import type { Board } from '../boards/schema.ts';
import { packageRoot } from '../common/package-root.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { systemStages, type SystemStage } from '../firmware-gen/emit/system-source.ts';
import { EmulatedSystem, compileSystem, loadSystem, type FedDecision } from '../harness/decision-system.ts';
import type { Pipeline } from '../learn/pipeline.ts';
import { MOTION_KINDS, syntheticWindow } from '../learn/synthetic-motion.ts';
import { table } from './output.ts';
import { STAGE_NAMES } from './system-text.ts';

const SYSTEM = 'har_ood';
const SEED = 1;
/** Windows of each motion; the last decision is shown. */
const WINDOWS = 6;

export interface SystemDemo {
  readonly system: string;
  readonly rows: readonly {
    readonly motion: string;
    /** Whether the system was trained on it. */
    readonly known: boolean;
    readonly accepted: number;
    readonly windows: number;
    readonly decision: string;
  }[];
  /** In the order they run. */
  readonly stages: readonly SystemStage[];
  readonly stageCycles: Readonly<Partial<Record<SystemStage, number>>>;
  readonly cycles: number | null;
  /** The dearest window that was rejected; null when none was. */
  readonly rejectedCycles: number | null;
  readonly flashBytes: number;
  readonly ramBytes: number;
}

/** @param pipeline says rate and units of the synthetic motion */
export async function demoSystem(
  dir: string,
  board: Board,
  engine: EngineName,
  pipeline: Pipeline,
): Promise<SystemDemo> {
  const loaded = loadSystem(join(packageRoot(), 'models', `${SYSTEM}.system.json`));
  const { system } = loaded;
  const image = await compileSystem(loaded, join(dir, SYSTEM), board);
  const target = new EmulatedSystem(image.elf, board, system, engine);
  const { frames, hop, channels } = system.stream;
  const windowFrames = frames + (WINDOWS - 1) * hop;
  const shown: FedDecision[] = [];
  const rows = MOTION_KINDS.map((kind) => {
    target.restart();
    const stream = syntheticWindow(kind, { ...pipeline, windowFrames }, SEED);
    const decisions: FedDecision[] = [];
    for (let at = 0; at < stream.length; at += hop * channels) {
      const decision = target.feed(stream.subarray(at, at + hop * channels));
      if (decision) decisions.push(decision);
    }
    shown.push(...decisions);
    const accepted = decisions.filter((one) => one.accepted).length;
    const last = decisions.at(-1)!;
    return {
      motion: kind,
      known: system.classes.includes(kind),
      accepted,
      windows: decisions.length,
      decision: 2 * accepted > decisions.length ? system.classes[last.smoothed]! : 'unknown',
    };
  });
  const stack = target.stackBytes();
  target.close();
  // The dearest window that went through all stages, else the dearest one.
  const dearest = (some: readonly FedDecision[]): FedDecision | null =>
    some.reduce<FedDecision | null>((a, b) => ((b.cycles ?? 0) > (a?.cycles ?? -1) ? b : a), null);
  const whole = shown.filter(({ accepted }) => accepted);
  const { stageCycles, cycles } = dearest(whole.length > 0 ? whole : shown)!;
  return {
    system: system.name,
    rows,
    stages: systemStages(system),
    stageCycles,
    cycles,
    rejectedCycles: dearest(shown.filter(({ accepted }) => !accepted))?.cycles ?? null,
    flashBytes: image.flashBytes,
    ramBytes: image.dataBytes + image.bssBytes + stack,
  };
}

export function formatSystemDemo(demo: SystemDemo): string {
  const { rows, stageCycles, cycles, rejectedCycles, flashBytes, ramBytes, system } = demo;
  const motions = rows.map(({ motion, known, accepted, windows, decision }) => [
    ...[motion, known ? 'known' : 'unknown', `${accepted} of ${windows}`, decision],
  ]);
  const stages = demo.stages.map((stage) => [STAGE_NAMES[stage], stageCycles[stage] ?? null]);
  return [
    `The same kind of motion through ${system}: windows, test for the unknown, encoder, classes and filter as one firmware, trained on`,
    'walking, jogging, stairs and standing only:',
    '',
    table(['motion', 'in training', 'accepted', 'decision'], motions),
    '',
    table(['stage', 'cycles'], [...stages, ['window', cycles], ['rejected window', rejectedCycles]]),
    '',
    `flash         ${flashBytes.toLocaleString('en-US')} bytes`,
    `RAM           ${ramBytes.toLocaleString('en-US')} bytes`,
  ].join('\n');
}
