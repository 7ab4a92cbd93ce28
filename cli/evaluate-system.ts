/** `thumbelina evaluate PROJECT.json`: its decision system on unseen subjects, and whether the emulated firmware decides as its twin does. */
import type { Command } from 'commander';
import { UserError } from '../common/errors.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { equalDecisions, twinDecisions } from '../harness/system-run.ts';
import { beginnings, type SystemData } from '../learn/ood/system-data.ts';
import { gateThreshold } from '../learn/ood/system-scores.ts';
import { timingMode } from './options.ts';
import { note, print, table, type JsonOption } from './output.ts';
import { chooseBoard, loadSystemTarget, type SystemTarget } from './project.ts';
import { systemData } from './system-data.ts';
import { formatFigures, judgeSystem, type JudgedSystem } from './system-figures.ts';
import { buildAndFeed, type BoardFigures } from './system-run.ts';

export interface EvaluateSystemArguments extends JsonOption {
  readonly data?: string;
  readonly split?: string;
  readonly on: 'reference' | 'firmware';
  readonly samples?: number;
  readonly board: string;
  readonly output: string;
  readonly engine: EngineName;
}

/** Windows that the firmware decides on, where nobody says how many. */
const FIRMWARE_WINDOWS = 1000;

interface FirmwareFigures extends BoardFigures {
  readonly windows: number;
  /** Decisions that are the twin's in every field. */
  readonly equal: number;
}

interface SystemEvaluation extends JudgedSystem {
  readonly schemaVersion: 1;
  readonly outcome: 'ok' | 'firmware-differs';
  readonly system: string;
  readonly threshold: number;
  /** Null on the reference alone. */
  readonly firmware: FirmwareFigures | null;
}

export async function evaluateSystem(
  argument: string,
  options: EvaluateSystemArguments,
  command: Command,
): Promise<void> {
  const target = loadSystemTarget(argument, options.output, options.data);
  const { system } = target.loaded;
  if (options.on === 'reference' && options.samples !== undefined)
    throw new UserError('--samples: so many windows go to --on firmware; the reference has all of them, leave it out');
  if (options.samples === 0) throw new UserError('--samples 0: there is nothing to compare; give more');
  const data = systemData(target, options, 'unseen');
  const figures = judgeSystem(target, data);
  const firmware = options.on === 'firmware' ? await onFirmware(target, data, options, command) : null;
  const outcome = firmware === null || firmware.equal === firmware.windows ? 'ok' : 'firmware-differs';
  const about = { schemaVersion: 1, outcome, system: system.name, threshold: gateThreshold(system) } as const;
  const document: SystemEvaluation = { ...about, ...figures, firmware };
  print(options, document, () =>
    [formatFigures(system.name, figures), ...(firmware === null ? [] : ['', formatFirmware(firmware)])].join('\n'),
  );
  if (outcome === 'ok') return;
  note('thumbelina: decisions of the firmware differ from the reference; please report it with the system');
  process.exitCode = 1;
}

async function onFirmware(
  target: SystemTarget,
  { streams }: SystemData,
  options: EvaluateSystemArguments,
  command: Command,
): Promise<FirmwareFigures> {
  const { system } = target.loaded;
  const board = chooseBoard(target.project, options, command);
  const taken = beginnings(system, streams, options.samples ?? FIRMWARE_WINDOWS);
  if (taken.length === 0)
    throw new UserError(`${target.path}: all recordings are shorter than a window; record longer ones`);
  const how = { ...options, board, timing: timingMode(undefined, board), weights: 'flash' } as const;
  const { fed, figures } = await buildAndFeed(target.loaded, taken, how);
  const twins = taken.map(({ samples }) => twinDecisions(system, samples));
  const decided = (i: number) => fed?.decisions[i] ?? [];
  const equal = twins.map((twin, i) => equalDecisions(decided(i), twin));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    windows: sum(twins.map(({ length }, i) => Math.max(length, decided(i).length))),
    equal: sum(equal),
    ...figures,
  };
}

function formatFirmware({ board, windows, equal, cycles, latencyMs, memory }: FirmwareFigures): string {
  const rows: (string | number | null)[][] = [
    ['windows of recorded streams', windows],
    ["decisions equal to the twin's", equal],
    ['cycles, mean', cycles?.mean ?? null],
    ['cycles, largest', cycles?.max ?? null],
    ['latency, largest', latencyMs === null ? null : `${latencyMs.max.toFixed(3)} ms`],
    ['flash bytes', memory.flashBytes],
    ['RAM bytes', memory.ramBytes],
  ];
  return table([`firmware on ${board}`, ''], rows);
}
