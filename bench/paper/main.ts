/**
 * `npm run paper:quantization [-- --quick] [--tasks har,kws]`: both tables of the published comparison of static and dynamic fixed point
 * (../shared/docs/SCIENCE.md 4), on public data, with the published figures beside ours. Writes build/paper/quantization.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { packageRoot } from '../../common/package-root.ts';
import { UserError } from '../../common/errors.ts';
import type { DynamicForm } from '../../firmware-gen/ir/dynamic.ts';
import { CALIBRATIONS, Cells, SCHEMES, SHIFTS, type AccuracyCell, type CostCell, type Scheme } from './cells.ts';
import { runCommand } from './command.ts';
import { TASKS, loadTask, type Task, type TaskName } from './tasks.ts';

interface Published {
  readonly what: string;
  readonly dynamic: string;
  readonly static: string;
  readonly extraCycles: string;
  readonly extraRam: string;
}

/** Of the talk: relative top-1 (MAE) with limited calibration, and the price of dynamic; its data and splits are unpublished. */
const PUBLISHED: Readonly<Record<TaskName, Published>> = {
  har: { what: 'HAR, 20k', dynamic: '100 (.01)', static: '92 (.18)', extraCycles: '+8 %', extraRam: '+12 %' },
  kws: { what: 'KWS, 90k', dynamic: '95 (.08)', static: '91 (.17)', extraCycles: '+12 %', extraRam: '+32 %' },
  vww: { what: 'mobilenetv2, 224k', dynamic: '84 (.12)', static: '34 (.64)', extraCycles: '+17 %', extraRam: '+27 %' },
  faces: { what: 'minVGG2, 74k', dynamic: '100 (.02)', static: '95 (.14)', extraCycles: '+15 %', extraRam: '+66 %' },
};

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const rule = (count: number): string => row(new Array<string>(count).fill('---'));
const percent = (part: number, whole: number): string =>
  `${part >= whole ? '+' : ''}${(100 * (part / whole - 1)).toFixed(1)} %`;

function text({ relativeTop1, maeSoftmax, maeNormalisedLogits }: AccuracyCell): string {
  const top1 = relativeTop1 === null ? '-' : relativeTop1.toFixed(1);
  return `${top1} (${maeSoftmax?.toFixed(3) ?? '-'}, ${maeNormalisedLogits?.toFixed(3) ?? '-'})`;
}

async function accuracyTable(task: Task, cells: Cells, calibrations: readonly number[]): Promise<string[]> {
  const columns = calibrations.flatMap((count) => SCHEMES.map((scheme) => ({ count, scheme })));
  const published = PUBLISHED[task.name];
  const lines = [
    `### ${task.name}: ${task.note}; ${task.test.inputs.length} test samples`,
    '',
    `Published, another network and data (${published.what}): dynamic ${published.dynamic}, static ${published.static}.`,
    '',
    // A data set can have fewer samples on its calibration side.
    row([
      ...['shift', 'float top-1'],
      ...columns.map(({ count, scheme }) => `${scheme}, ${Math.min(count, task.calibration.length)}`),
    ]),
    rule(columns.length + 2),
  ];
  for (const shift of SHIFTS) {
    const results: AccuracyCell[] = [];
    for (const { count, scheme } of columns) results.push(await cells.accuracy(task, scheme, count, shift));
    lines.push(row([shift.name, `${results[0]?.floatTop1?.toFixed(1) ?? '-'} %`, ...results.map(text)]));
    say(lines.at(-1)!);
  }
  return [...lines, ''];
}

const VARIANTS: readonly { readonly scheme: Scheme; readonly form: DynamicForm }[] = (
  ['dynamic-q', 'dynamic-asym'] as const
).flatMap((scheme) => (['full', 'rows', 'recompute', 'predicted'] as const).map((form) => ({ scheme, form })));

function costRow(label: string, cost: CostCell, base: CostCell, published: string): string {
  return row([
    label,
    cost.cycles.toLocaleString('en-US'),
    percent(cost.cycles, base.cycles),
    percent(cost.coldCycles, base.coldCycles),
    cost.ramBytes.toLocaleString('en-US'),
    percent(cost.ramBytes, base.ramBytes),
    percent(cost.flashBytes, base.flashBytes),
    cost.sameAsReference ? 'equal' : 'DIFFERENT',
    published,
  ]);
}

async function costTable(task: Task, cells: Cells): Promise<string[]> {
  const base = await cells.cost(task, 'static', 'full');
  const { extraCycles, extraRam } = PUBLISHED[task.name];
  const lines = [
    `### ${task.name}`,
    '',
    row(['build', 'cycles', 'extra', 'extra, first', 'RAM', 'extra RAM', 'extra flash', 'reference', 'published']),
    rule(9),
    costRow('static', base, base, '-'),
  ];
  for (const { scheme, form } of VARIANTS) {
    const published = form === 'full' ? `cycles ${extraCycles}, RAM ${extraRam}` : '-';
    lines.push(costRow(`${scheme}, ${form}`, await cells.cost(task, scheme, form), base, published));
    say(lines.at(-1)!);
  }
  return [...lines, ''];
}

function findings(
  losses: readonly { task: string; count: number; fixed: AccuracyCell; dynamic: AccuracyCell }[],
): string[] {
  return losses.map(({ task, count, fixed, dynamic }) => {
    const [low, high] = [fixed.relativeTop1 ?? 0, dynamic.relativeTop1 ?? 0];
    const errors = [fixed, dynamic].map(({ maeNormalisedLogits }) => maeNormalisedLogits?.toFixed(3) ?? '-');
    const what =
      `${task}, gain x8, ${count} samples: static ${low.toFixed(1)} (MAE of normalised logits ${errors[0]}), ` +
      `best dynamic ${high.toFixed(1)} (${errors[1]})`;
    if (low < 90)
      return `- ${what}: static saturates; dynamic ${high >= 95 ? 'keeps at least 95 %' : 'stays below 95 %, see its SQNR with inspect'}.`;
    return `- ${what}: static stays at 90 % or above: inputs that are clipped still give the same class.`;
  });
}

interface PaperOptions {
  readonly quick?: boolean;
  readonly tasks?: string;
  readonly samples?: string;
  readonly table?: string;
  readonly calibrations?: string;
}

/** @throws UserError for a size that the table does not have */
function calibrationSizes({ calibrations, quick }: PaperOptions): readonly number[] {
  if (calibrations === undefined) return quick ? [CALIBRATIONS[0], CALIBRATIONS[2]] : CALIBRATIONS;
  return calibrations.split(',').map((text) => {
    const size = CALIBRATIONS.find((known) => String(known) === text);
    if (size === undefined) throw new UserError(`--calibrations ${text}: ${CALIBRATIONS.join(', ')} are there`);
    return size;
  });
}

async function paper(options: PaperOptions): Promise<void> {
  const dir = join(packageRoot(), 'build', 'paper');
  const names = (options.tasks ?? TASKS.join()).split(',') as TaskName[];
  const unknown = names.find((name) => !TASKS.includes(name));
  if (unknown !== undefined) throw new UserError(`--tasks ${unknown}: not known; ${TASKS.join(', ')} are`);
  const count = options.samples === undefined ? (options.quick ? 60 : 500) : Number(options.samples);
  if (!(Number.isInteger(count) && count > 0))
    throw new UserError(`--samples ${options.samples}: a number above 0 is expected`);
  const cells = new Cells(dir);
  const accuracy: string[] = [];
  const cost: string[] = [];
  const gains: Parameters<typeof findings>[0][number][] = [];
  const calibrations = calibrationSizes(options);
  for (const name of names) {
    const task = await loadTask(name, count, dir, say);
    if (options.table !== 'accuracy') cost.push(...(await costTable(task, cells)));
    if (options.table === 'price') continue;
    accuracy.push(...(await accuracyTable(task, cells, calibrations)));
    const loud = SHIFTS.find((shift) => shift.name === 'gain:8')!;
    for (const calibration of calibrations) {
      const [fixed, q, asym] = await Promise.all(
        SCHEMES.map((scheme) => cells.accuracy(task, scheme, calibration, loud)),
      );
      const best = (q!.relativeTop1 ?? 0) > (asym!.relativeTop1 ?? 0) ? q! : asym!;
      gains.push({ task: name, count: calibration, fixed: fixed!, dynamic: best });
    }
  }
  const quick = options.quick || count < 500 ? ` QUICK: ${count} test samples, not the published table.` : '';
  const document = [
    `# Static and dynamic fixed point${quick}`,
    '',
    '## Accuracy: relative top-1 in percent of the float model on the same inputs (MAE of softmax, of normalised logits)',
    '',
    ...accuracy,
    '## Gain x8',
    '',
    ...findings(gains),
    '',
    '## Price of dynamic on the emulated Cortex-M4 (mps2-an386, bare image, second inference) against the fastest static build',
    '',
    ...cost,
  ].join('\n');
  mkdirSync(dir, { recursive: true });
  const path = join(dir, 'quantization.md');
  writeFileSync(path, `${document}\n`);
  process.stdout.write(`${document}\n`);
  say(`wrote ${path}`);
}

const program = new Command('paper:quantization')
  .description('tables of static against dynamic fixed point; cells are cached under build/paper')
  .option('--quick', 'few samples and two calibration sizes; labelled as such')
  .option('--tasks <list>', `of ${TASKS.join(', ')}`)
  .option('--samples <count>', 'test samples per task')
  .option('--calibrations <list>', `numbers of calibration samples, of ${CALIBRATIONS.join(', ')}`)
  .addOption(new Option('--table <name>', 'only this one').choices(['accuracy', 'price']))
  .action(paper);

await runCommand(program);
