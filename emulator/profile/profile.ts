/** A recording as figures with names: the document of `thumbelina profile --json`, and what the output files are written from. */
import type { Board } from '../../boards/schema.ts';
import type { SymbolTable } from '../image.ts';
import { DwarfError } from './byte-reader.ts';
import { pathOf } from './context-tree.ts';
import { CORE } from './contexts.ts';
import { readLineTable, type LineRange } from './dwarf-line.ts';
import { readSections, type ElfSection } from './elf-sections.ts';
import type { ProfiledFunction } from './functions.ts';
import { coverLines, type FileCoverage } from './line-coverage.ts';
import { memoryHeat, type HeatRow } from './memory-heat.ts';
import type { Recording } from './profiler.ts';
import type { DeepestStack, ShadowStack } from './shadow-stack.ts';

export interface FunctionRow {
  readonly name: string;
  /** Null: time of the core that no function spends. */
  readonly address: number | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly selfCycles: number;
  readonly totalCycles: number;
  /** Self cycles of the run's, in percent. */
  readonly sharePct: number;
  readonly calls: number;
  /** Total by calls; null without a call. */
  readonly cyclesPerCall: number | null;
  readonly instructions: number;
  /** Its own frame, the largest of all calls. */
  readonly stackBytes: number;
}

export interface EdgeRow {
  /** Null: reset, an exception, or the caller of `--call`. */
  readonly caller: string | null;
  readonly callee: string;
  readonly calls: number;
  readonly cycles: number;
}

export interface ContextRow {
  readonly name: string;
  readonly cycles: number;
  /** Deepest stack, what lies below a handler on the same stack included, and the calls that made it. */
  readonly stackBytes: number;
  readonly stackPath: readonly string[];
}

export interface LineRow {
  readonly file: string;
  readonly line: number;
  readonly cycles: number;
  readonly executions: number;
}

export interface ProfileFigures {
  readonly cycles: number;
  readonly instructions: number;
  /** By descending self cycles; those that ran. */
  readonly functions: readonly FunctionRow[];
  /** By descending cycles. */
  readonly callGraph: readonly EdgeRow[];
  readonly contexts: readonly ContextRow[];
  readonly memory: readonly HeatRow[];
  /** By descending cycles; empty without debug information. */
  readonly lines: readonly LineRow[];
  readonly coverage: { readonly files: number; readonly lines: number; readonly linesExecuted: number } | null;
  readonly notes: readonly string[];
}

export interface Profile {
  readonly figures: ProfileFigures;
  readonly files: readonly FileCoverage[];
  /** Where functions begin in the source, by function index. */
  readonly sources: ReadonlyMap<number, { readonly file: string; readonly line: number }>;
}

export interface ProfiledImage {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly symbols: SymbolTable;
}

export function makeProfile(recording: Recording, image: ProfiledImage, board: Board): Profile {
  const { calls, code, data, cycles, instructions, timeline } = recording;
  const { functions, contexts, edges } = calls;
  functions.addUnreached();
  const notes: string[] = [];
  if (timeline.truncatedAt !== null)
    notes.push(`the timelines end at cycle ${timeline.truncatedAt}: too many calls; all other figures are complete`);
  const sections = readSections(image.bytes, image.name);
  const ranges = lineTable(sections, image.name, notes);
  const sources = sourcesOf(ranges, functions.all);
  const files = coverLines(ranges, code, functions);
  const lines = files.flatMap(({ path, lines: counts }) => counts.map((count) => ({ file: path, ...count })));
  const figures: ProfileFigures = {
    cycles,
    instructions,
    functions: functions.all
      .filter((fn) => fn.calls > 0 || fn.instructions > 0 || fn.self > 0)
      .sort((a, b) => b.self - a.self || b.total - a.total || (a.name < b.name ? -1 : 1))
      .map((fn) => functionRow(fn, cycles, sources)),
    callGraph: [...edges.values()]
      .map(({ caller, callee, ...edge }) => ({
        caller: caller?.name ?? null,
        callee: callee.name,
        calls: edge.calls,
        cycles: edge.cycles,
      }))
      .sort((a, b) => b.cycles - a.cycles || (`${a.caller}>${a.callee}` < `${b.caller}>${b.callee}` ? -1 : 1)),
    contexts: contexts.all.filter((context) => context.exception !== CORE).map(contextRow),
    memory: memoryHeat({ data, symbols: image.symbols, sections, board, contexts: contexts.all }),
    lines: lines.filter((line) => line.cycles > 0).sort((a, b) => b.cycles - a.cycles || a.line - b.line),
    coverage:
      files.length === 0
        ? null
        : {
            files: files.length,
            lines: lines.length,
            linesExecuted: lines.filter((line) => line.executions > 0).length,
          },
    notes,
  };
  return { figures, files, sources };
}

/** Without usable debug information there are no lines, and a note says why. */
function lineTable(sections: readonly ElfSection[], name: string, notes: string[]): LineRange[] {
  try {
    if (sections.length > 0) return readLineTable(sections);
    notes.push(`${name}: no ELF file, so no source lines; give the ELF`);
  } catch (error) {
    if (!(error instanceof DwarfError)) throw error;
    notes.push(`${name}: no source lines: ${error.message}`);
  }
  return [];
}

function sourcesOf(ranges: readonly LineRange[], functions: readonly ProfiledFunction[]): Profile['sources'] {
  const byStart = new Map(functions.filter((fn) => fn.hasSymbol).map((fn) => [fn.start, fn.index]));
  const sources = new Map<number, { file: string; line: number }>();
  for (const { start, file, line } of ranges) {
    const index = byStart.get(start);
    if (index !== undefined && !sources.has(index)) sources.set(index, { file, line });
  }
  return sources;
}

function functionRow(fn: ProfiledFunction, cycles: number, sources: Profile['sources']): FunctionRow {
  const source = sources.get(fn.index);
  return {
    name: fn.name,
    address: fn.start < 0 ? null : fn.start,
    file: source?.file ?? null,
    line: source?.line ?? null,
    selfCycles: fn.self,
    totalCycles: fn.total,
    sharePct: cycles === 0 ? 0 : (100 * fn.self) / cycles,
    calls: fn.calls,
    cyclesPerCall: fn.calls === 0 ? null : fn.total / fn.calls,
    instructions: fn.instructions,
    stackBytes: fn.frameBytes,
  };
}

function contextRow({ name, clock, deepest }: ShadowStack): ContextRow {
  return {
    name,
    cycles: clock,
    stackBytes: deepest?.bytes ?? 0,
    stackPath: deepest === null ? [] : stackPath(deepest),
  };
}

function stackPath({ node, below }: DeepestStack): string[] {
  const path = pathOf(node);
  for (let under = below; under !== null; under = under.below) path.unshift(...pathOf(under.node));
  return path;
}
