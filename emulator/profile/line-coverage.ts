/**
 * Execution counts and cycles per source line, from the counts per instruction. A line often has several pieces of code. Pieces in one
 * function are parts of one statement (the three of a `for`), so the one executed most often counts; pieces in different functions are
 * copies made by inlining, and add up.
 */
import type { LineRange } from './dwarf-line.ts';
import type { FunctionTable } from './functions.ts';
import type { CodeCounts } from './profiler.ts';

export interface LineCount {
  readonly line: number;
  readonly executions: number;
  readonly cycles: number;
}

export interface FunctionCount {
  readonly name: string;
  readonly line: number;
  readonly calls: number;
}

export interface FileCoverage {
  readonly path: string;
  /** By ascending line; lines with code only. */
  readonly lines: readonly LineCount[];
  readonly functions: readonly FunctionCount[];
}

interface Piece {
  executions: number;
  isStatement: boolean;
}

interface LineSum {
  cycles: number;
  readonly pieces: Map<number, Piece>;
}

const HALFWORD_BYTES = 2;

/** @param functions with addUnreached() done. @returns files by path */
export function coverLines(ranges: readonly LineRange[], code: CodeCounts, functions: FunctionTable): FileCoverage[] {
  const files = new Map<string, Map<number, LineSum>>();
  const heads = new Map<string, FunctionCount[]>();
  const symbols = functions.all.filter((fn) => fn.hasSymbol);
  const starts = new Map(symbols.map((fn) => [fn.start, fn]));
  const hasFunctionAt0 = starts.has(0);
  for (const range of ranges) {
    if (isRemoved(range, hasFunctionAt0) || (range.start === range.end && !range.isStatement)) continue;
    const lines = entry(files, range.file, () => new Map<number, LineSum>());
    countRange(range, entry(lines, range.line, newSum), code, functions);
    const head = starts.get(range.start);
    if (head === undefined) continue;
    // The first row of a function is its opening line; others may follow at the same address.
    starts.delete(range.start);
    entry(heads, range.file, () => []).push({ name: head.name, line: range.line, calls: head.calls });
  }
  return [...files.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, lines]) => ({
      path,
      lines: [...lines.entries()].sort(([a], [b]) => a - b).map(([line, sum]) => lineCount(line, sum)),
      functions: (heads.get(path) ?? []).sort((a, b) => a.line - b.line || (a.name < b.name ? -1 : 1)),
    }));
}

/** The linker leaves the line table of functions it removed, at address 0. */
function isRemoved({ sequenceStart }: LineRange, hasFunctionAt0: boolean): boolean {
  return sequenceStart === 0 && !hasFunctionAt0;
}

function countRange(range: LineRange, sum: LineSum, code: CodeCounts, functions: FunctionTable): void {
  // A statement whose code went elsewhere has a row without code: it is reached as often as the address.
  let executions = range.isStatement ? code.executed.get(range.start) : 0;
  for (let address = range.start; address < range.end; address += HALFWORD_BYTES) {
    executions = Math.max(executions, code.executed.get(address));
    sum.cycles += code.cycles.get(address);
  }
  const start = functions.find(range.start)?.start ?? -1;
  const piece = sum.pieces.get(start);
  const counts = { executions, isStatement: range.isStatement };
  // Code that was moved away from its statement by the scheduler may run where the statement does not.
  if (piece === undefined || (range.isStatement && !piece.isStatement)) sum.pieces.set(start, counts);
  else if (range.isStatement === piece.isStatement) piece.executions = Math.max(piece.executions, executions);
}

function lineCount(line: number, { cycles, pieces }: LineSum): LineCount {
  const all = [...pieces.values()];
  const statements = all.filter((piece) => piece.isStatement);
  const counted = statements.length > 0 ? statements : all;
  return { line, cycles, executions: counted.reduce((sum, piece) => sum + piece.executions, 0) };
}

const newSum = (): LineSum => ({ cycles: 0, pieces: new Map() });

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
