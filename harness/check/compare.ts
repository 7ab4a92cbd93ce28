/** A measurement against the locked one: which figures are worse, and which ops, functions and symbols made them so. */
import type { FunctionCost, LockEntry, Tolerances } from './lock-file.ts';
import type { Measurement } from './measure.ts';

export type Outcome = 'ok' | 'regression' | 'wrong-answer' | 'error';

export type FigureName = 'cycles' | 'instructions' | 'flashBytes' | 'ramBytes' | 'stackBytes';

export interface FigureChange {
  readonly figure: FigureName;
  readonly before: number;
  readonly after: number;
  readonly pct: number | null;
  /** Worse by more than the tolerance. */
  readonly regressed: boolean;
}

export interface CostChange {
  readonly cycles: number | null;
  /** Of the locked cycles; null where there were none. */
  readonly cyclesPct: number | null;
  readonly instructions: number;
}

export interface OpChange extends CostChange {
  readonly index: number;
  readonly opcode: string;
}

export interface FunctionChange extends CostChange {
  readonly op: number | null;
  readonly name: string;
}

export interface SymbolChange {
  readonly name: string;
  readonly bytes: number;
}

export interface EntryResult {
  readonly model: string;
  readonly board: string;
  readonly weights: 'flash' | 'ram';
  readonly outcome: Outcome;
  /** 0 ok, 1 worse or wrong, else that of the error. */
  readonly exitCode: number;
  /** One line each: what is wrong, or what one should know. */
  readonly messages: readonly string[];
  readonly figures: Measurement['figures'] | null;
  readonly changes: readonly FigureChange[];
  /** What grew, largest first; empty unless cycles or instructions did. */
  readonly ops: readonly OpChange[];
  readonly functions: readonly FunctionChange[];
  /** What grew in the image; empty unless flash or RAM did. */
  readonly symbols: readonly SymbolChange[];
}

const FIGURES: readonly { readonly name: FigureName; readonly tolerance: keyof Tolerances }[] = [
  { name: 'cycles', tolerance: 'cyclesPct' },
  { name: 'instructions', tolerance: 'instructionsPct' },
  { name: 'flashBytes', tolerance: 'flashPct' },
  { name: 'ramBytes', tolerance: 'ramPct' },
  { name: 'stackBytes', tolerance: 'stackPct' },
];
const NAMES: Readonly<Record<FigureName, string>> = {
  cycles: 'cycles',
  instructions: 'instructions',
  flashBytes: 'flash bytes',
  ramBytes: 'RAM bytes',
  stackBytes: 'stack bytes',
};

export function compareEntry(locked: LockEntry, measured: Measurement, fileTolerances: Tolerances): EntryResult {
  const tolerances = withOverrides(fileTolerances, locked.tolerances);
  const changes = figureChanges(locked, measured, tolerances);
  const wrong = wrongAnswers(locked, measured, tolerances);
  const regressions = changes.filter(({ regressed }) => regressed);
  const isSlower = changes.some(({ figure, after, before }) => after > before && isTime(figure));
  const isLarger = changes.some(({ figure, after, before }) => after > before && !isTime(figure));
  const outcome = wrong.length > 0 ? 'wrong-answer' : regressions.length > 0 ? 'regression' : 'ok';
  return {
    model: locked.model,
    board: locked.board,
    weights: locked.weights ?? 'flash',
    outcome,
    exitCode: outcome === 'ok' ? 0 : 1,
    messages: [
      ...wrong,
      ...regressions.map(describeChange),
      ...(measured.modelSha256 === locked.modelSha256 ? [] : ['the model file has changed since the lock was written']),
      ...(regressions.length === 0 && changes.some(({ after, before }) => after < before)
        ? ['better than the lock; keep it with check --update']
        : []),
    ],
    figures: measured.figures,
    changes,
    ops: isSlower ? opChanges(locked, measured) : [],
    functions: isSlower ? functionChanges(locked, measured) : [],
    symbols: isLarger ? symbolChanges(locked, measured) : [],
  };
}

function withOverrides(tolerances: Tolerances, own: LockEntry['tolerances']): Tolerances {
  const given = Object.entries(own ?? {}).filter(([, value]) => value !== undefined);
  return { ...tolerances, ...(Object.fromEntries(given) as Partial<Record<keyof Tolerances, number>>) };
}

const isTime = (figure: FigureName): boolean => figure === 'cycles' || figure === 'instructions';

function figureChanges(locked: LockEntry, measured: Measurement, tolerances: Tolerances): FigureChange[] {
  return FIGURES.flatMap(({ name, tolerance }) => {
    const before = locked.figures[name];
    const after = measured.figures[name];
    // A core that gained a timing model has cycles to lock, not to compare.
    if (before === null || after === null || before === after) return [];
    return [
      {
        figure: name,
        before,
        after,
        pct: percentOf(after - before, before),
        regressed: after > before * (1 + tolerances[tolerance] / 100),
      },
    ];
  });
}

function percentOf(difference: number, before: number): number | null {
  return before === 0 ? null : (100 * difference) / before;
}

function describeChange({ figure, before, after, pct }: FigureChange): string {
  const thousands = (value: number): string => value.toLocaleString('en-US');
  return `${NAMES[figure]} ${thousands(before)} -> ${thousands(after)} (${signed(after - before)}${pct === null ? '' : `, ${signedPct(pct)}`})`;
}

export function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toLocaleString('en-US')}`;
}

export function signedPct(value: number): string {
  return `${value > 0 ? '+' : ''}${value.toFixed(2)} %`;
}

function wrongAnswers({ figures: locked }: LockEntry, { figures }: Measurement, tolerances: Tolerances): string[] {
  const messages: string[] = [];
  if (locked.outputCrc32.join() !== figures.outputCrc32.join())
    messages.push(`output CRC-32 ${locked.outputCrc32.join(', ')} -> ${figures.outputCrc32.join(', ')}`);
  const [before, after] = [locked.accuracy, figures.accuracy];
  if (before === null || after === null) return messages;
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  if (before.samples !== after.samples) messages.push(`${before.samples} samples were locked, ${after.samples} found`);
  else if (100 * (before.top1 - after.top1) > tolerances.accuracyPoints)
    messages.push(`top-1 of ${after.samples} samples ${percent(before.top1)} -> ${percent(after.top1)}`);
  else if (before.outputCrc32 !== after.outputCrc32)
    messages.push(`outputs of the ${after.samples} samples: CRC-32 ${before.outputCrc32} -> ${after.outputCrc32}`);
  return messages;
}

function opChanges(locked: LockEntry, measured: Measurement): OpChange[] {
  return grown(locked.ops, measured.ops, ({ index, opcode }) => `${index} ${opcode}`).map(({ row, ...change }) => ({
    index: row.index,
    opcode: row.opcode,
    ...change,
  }));
}

function functionChanges(locked: LockEntry, measured: Measurement): FunctionChange[] {
  const key = ({ op, name }: FunctionCost): string => `${op ?? '-'} ${name}`;
  return grown(locked.functions, measured.functions ?? [], key).map(({ row, ...change }) => ({
    op: row.op,
    name: row.name,
    ...change,
  }));
}

interface Cost {
  readonly cycles: number | null;
  readonly instructions: number;
}

/** Rows that cost more than before, new ones included, by descending growth. */
function grown<T extends Cost>(
  before: readonly T[],
  after: readonly T[],
  key: (row: T) => string,
): (CostChange & { row: T })[] {
  const old = new Map(before.map((row) => [key(row), row]));
  const weight = (change: CostChange): number => change.cycles ?? change.instructions;
  return after
    .map((row) => {
      const was = old.get(key(row));
      const cycles = row.cycles === null ? null : row.cycles - (was?.cycles ?? 0);
      return {
        row,
        cycles,
        cyclesPct: cycles === null ? null : percentOf(cycles, was?.cycles ?? 0),
        instructions: row.instructions - (was?.instructions ?? 0),
      };
    })
    .filter((change) => weight(change) > 0 || change.instructions > 0)
    .sort((a, b) => weight(b) - weight(a));
}

function symbolChanges({ symbols: before }: LockEntry, { symbols: after }: Measurement): SymbolChange[] {
  return Object.entries(after)
    .map(([name, bytes]) => ({ name, bytes: bytes - (before[name] ?? 0) }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
}
