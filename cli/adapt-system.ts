/** `thumbelina adapt SYSTEM.system.json|PROJECT`: the head of a decision system learns from labelled windows, on an emulated board or a device. */
import type { Command } from 'commander';
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import { defaultTiming } from '../emulator/board-timing.ts';
import type { HeadAdaptation } from '../firmware-gen/ir/adaptation.ts';
import { systemAdaptation } from '../firmware-gen/passes/system-adaptation.ts';
import { deviceFailure, requireIdentity } from '../harness/device-run.ts';
import { compileLearningSystem, EmulatedLearningSystem, systemSha256 } from '../harness/learning-system.ts';
import { deviceTarget, emulatedTarget, type LearningTarget } from '../harness/learning-target.ts';
import { TaughtSystem, type Judged, type LabelledWindow } from '../harness/taught-system.ts';
import { DeviceClient } from '../harness/protocol/device-client.ts';
import { openSerial } from '../harness/protocol/serial-link.ts';
import { pushedWindows } from '../learn/ood/system-data.ts';
import type { AdaptArguments } from './adapt.ts';
import { note, print, table } from './output.ts';
import { progress } from './progress.ts';
import { chooseBoard, loadSystemTarget, refuseOptions, type SystemTarget } from './project.ts';
import { strangeLabels, systemData } from './system-data.ts';

/** Fields of a project's `adaptation`, as options call them. */
const OF_PROJECT = ['layers', 'arithmetic', 'rate', 'perClass', 'passes'] as const;
type Settings = Pick<AdaptArguments, (typeof OF_PROJECT)[number]>;

/** An option goes before the project's field, that before the option's default. */
function settingsOf({ project }: SystemTarget, options: AdaptArguments, command: Command): Settings {
  const own = project?.config.adaptation;
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) !== 'default';
  return Object.fromEntries(
    OF_PROJECT.map((name) => [name, own === undefined || isGiven(name) ? options[name] : own[name]]),
  ) as unknown as Settings;
}

export async function adaptSystem(argument: string, options: AdaptArguments, command: Command): Promise<void> {
  refuseOptions(command, (name) => name !== 'pipeline', 'decision systems');
  const target = loadSystemTarget(argument, options.output, options.data);
  const board = chooseBoard(target.project, options, command);
  if (options.commit === true && board.flashDriver === undefined)
    throw new UserError(`board ${board.name}: no driver for the flash of this board; leave --commit out`);
  const settings = settingsOf(target, options, command);
  const { system } = target.loaded;
  const adaptation = systemAdaptation(system, settings);
  const { learned, judged, unknown } = windowsOf(target, settings, options);
  const opened = await open(target, adaptation, board, options);
  const bar = progress(opened.where, settings.passes * learned.length + 2 * (judged.length + unknown.length));
  let ticks = 0;
  const taught = new TaughtSystem(system, adaptation, opened.target, () => bar.update((ticks += 1)));
  try {
    await opened.target.forget();
    const judge = async (): Promise<Judged> => taught.judge(judged, unknown);
    const before = await judge();
    for (let pass = 0; pass < settings.passes; pass += 1) for (const one of learned) await taught.learn(one);
    const after = await judge();
    if (options.commit === true) await taught.commit();
    const outcome = await taught.outcome();
    const document = {
      ...{ schemaVersion: 1, outcome: outcome.isEqual ? 'ok' : 'firmware-differs', system: system.name },
      ...{ board: board.name, on: options.port ?? 'emulated', data: options.data ?? argument, ...settings },
      ...{ classes: system.classes, learnedFrom: learned.length, judged: judged.length, unknown: unknown.length },
      ...{ before, after, steps: outcome.steps, meanLoss: outcome.meanLoss, stepCycles: outcome.stepCycles },
      ...{ comparedDecisions: outcome.comparedDecisions, committed: options.commit === true },
    };
    print(options, document, () => format(document));
    if (outcome.isEqual) return;
    note(
      'thumbelina: what the firmware decided or learned differs from the reference; please report it with the system',
    );
    process.exitCode = 1;
  } finally {
    bar.stop();
    await opened.close();
  }
}

/** Of every class the first windows are learned from, in turns, the others judged. */
function windowsOf(target: SystemTarget, { perClass }: Settings, options: AdaptArguments) {
  const { system } = target.loaded;
  const data = systemData(target, options, 'unseen');
  const { subject } = options;
  const all = data.streams.filter((one) => subject === undefined || one.subject === subject);
  const windows = (label: string): Int16Array[] =>
    all.filter((one) => one.label === label).flatMap(({ samples }) => pushedWindows(system, samples));
  const byClass = system.classes.map((name, label) => windows(name).map((window) => ({ window, label })));
  const learned = Array.from({ length: perClass }, (_, i) => byClass.flatMap((own) => own[i] ?? [])).flat();
  const judged: LabelledWindow[] = byClass.flatMap((own) => own.slice(perClass));
  if (learned.length > 0 && judged.length > 0)
    return { learned, judged, unknown: strangeLabels(target, data.labels).flatMap(windows) };
  const whose = subject === undefined ? '' : ` of subject ${subject}, one of ${subjectNames(data.streams)}`;
  throw new UserError(
    `${options.data ?? target.path}: ${learned.length} windows to learn from and ${judged.length} to judge${whose}; give other data, --subject or --per-class`,
  );
}

const subjectNames = (streams: readonly { readonly subject: string }[]): string =>
  [...new Set(streams.map(({ subject }) => subject))].slice(0, 12).join(', ');

interface Opened {
  readonly target: LearningTarget;
  readonly where: string;
  close(): Promise<void>;
}

/** @throws UserError: 2 another board or system answers, 3 no compiler or port, 5 no answer, 7 it faulted */
async function open(
  { loaded, path }: SystemTarget,
  adaptation: HeadAdaptation,
  board: Board,
  { port, baud, output }: AdaptArguments,
): Promise<Opened> {
  const { system } = loaded;
  if (port === undefined) {
    const image = await compileLearningSystem(loaded, adaptation, output, board);
    const emulated = new EmulatedLearningSystem(image.elf, board, loaded, adaptation, 'wasm', defaultTiming(board));
    const close = (): Promise<void> => Promise.resolve(emulated.close());
    return { target: emulatedTarget(emulated, system), where: 'emulated board', close };
  }
  const client = new DeviceClient(await openSerial(port, baud), { baud });
  const identified = async (): Promise<void> =>
    requireIdentity(await client.identify(), board, { sha256: systemSha256(loaded), path }, port);
  try {
    await identified();
  } catch (error) {
    await client.close();
    throw deviceFailure(error);
  }
  return { target: deviceTarget(client, port, system, identified), where: port, close: () => client.close() };
}

interface AdaptDocument extends Settings {
  readonly system: string;
  readonly board: string;
  readonly on: string;
  readonly outcome: string;
  readonly learnedFrom: number;
  readonly judged: number;
  readonly unknown: number;
  readonly before: Judged;
  readonly after: Judged;
  readonly steps: number;
  readonly meanLoss: number;
  readonly stepCycles: number | null;
  readonly comparedDecisions: number;
  readonly committed: boolean;
}

function format(one: AdaptDocument): string {
  const percent = (share: number | null): string => (share === null ? '-' : `${(100 * share).toFixed(1)} %`);
  const row = (name: string, pick: (judged: Judged) => number | null): [string, string, string] => [
    name,
    percent(pick(one.before)),
    percent(pick(one.after)),
  ];
  const rows = [
    row(`accepted, of ${one.judged} others`, ({ accepted }) => accepted),
    row('right, of the accepted', ({ right }) => right),
    row('accepted and right', ({ useful }) => useful),
    ...(one.unknown > 0 ? [row(`accepted, of ${one.unknown} unknown`, ({ unknownAccepted }) => unknownAccepted)] : []),
  ];
  const isEqual = one.outcome === 'ok';
  const facts = [
    `${one.steps} steps, mean loss ${one.meanLoss.toFixed(3)} nats${one.stepCycles === null ? '' : `, ${one.stepCycles.toLocaleString('en-US')} cycles a step`}`,
    `${one.comparedDecisions.toLocaleString('en-US')} decisions and all weights ${isEqual ? "equal the reference's" : "compared: some DIFFER from the reference's"}`,
    one.committed
      ? 'kept in flash, and there after a reset'
      : 'not kept: the next reset begins without (--commit keeps it)',
  ];
  return `${one.system} on ${one.board} (${one.on}): ${one.layers} learned in ${one.arithmetic} from ${one.learnedFrom} windows, ${one.passes} passes\n\n${table(['', 'before', 'after'], rows)}\n\n${facts.join('\n')}`;
}
