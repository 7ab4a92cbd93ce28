/** The contract's `run --json` document (CONTRACT.md) and its table. Pure: every figure was obtained elsewhere. */
import type { Board } from '../boards/schema.ts';
import type { Graph } from '../firmware-gen/ir/graph.ts';
import { macs } from '../firmware-gen/ir/macs.ts';
import { tensorOf } from '../firmware-gen/ir/graph.ts';
import { coreOf } from '../emulator/cores/core.ts';
import { crc32Hex } from './crc32.ts';
import { validatedErrorPct } from './validate/summary.ts';
import { assumedTimingCount, knownCycles, timingGap } from './timing-info.ts';
import { tensorValues } from './tensor-values.ts';

export interface OpRow {
  readonly index: number;
  readonly opcode: string;
  /** Null on a core without a timing model, like every other count of cycles here. */
  readonly cycles: number | null;
  /** Null on a device: only an emulator counts them. */
  readonly instructions: number | null;
  readonly macs: number;
  /** Constants the op reads, in bytes of the .tflite. */
  readonly weightBytes: number;
  readonly outputCrc32: string | null;
}

export interface TensorReport {
  readonly values: readonly number[];
  readonly crc32: string;
}

export interface TimingReport {
  /** The core whose table was used; null: there is none. */
  readonly model: string | null;
  readonly mode: 'exact' | 'flat';
  readonly assumedCount: number;
  readonly validatedErrorPct: number | null;
  readonly note: string | null;
}

export interface RunReport {
  readonly schemaVersion: 1;
  readonly model: string;
  readonly board: string;
  readonly core: string;
  readonly engine: string;
  readonly source: 'emulated' | 'measured' | 'unknown';
  readonly timing: TimingReport;
  readonly input: { readonly crc32: string };
  readonly output: TensorReport;
  readonly outputs: readonly TensorReport[];
  readonly ops: readonly OpRow[];
  readonly cycles: number | null;
  readonly coldCycles: number | null;
  readonly instructions: number | null;
  readonly latencyMs: number | null;
  readonly clockHz: number;
  readonly memory: {
    readonly flashBytes: number;
    readonly ramBytes: number;
    readonly arenaBytes: number;
    readonly stackBytes: number;
  };
  readonly notes: readonly string[];
}

export interface ReportParts {
  readonly modelName: string;
  readonly graph: Graph;
  readonly board: Board;
  readonly engine: string;
  readonly source: RunReport['source'];
  readonly timingMode: 'exact' | 'flat';
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
  readonly cycles: number;
  readonly coldCycles: number;
  readonly instructions: number | null;
  /** By op index; an op without an entry was fused into another or needs no code. */
  readonly opCosts: ReadonlyMap<number, { readonly cycles: number; readonly instructions: number | null }>;
  readonly opOutputCrc32: ReadonlyMap<number, string>;
  readonly flashBytes: number;
  readonly dataBytes: number;
  readonly bssBytes: number;
  readonly arenaBytes: number;
  readonly stackBytes: number;
  readonly notes: readonly string[];
}

function memoryNote({ timing }: Board, mode: 'exact' | 'flat'): string | null {
  if (timing.memory === 'zero-wait') return null;
  if (mode === 'flat' && timing.memory !== 'not-modelled')
    return 'flat: wait states are left out, the real board is slower; --timing exact counts them';
  return timing.note ?? 'wait states are not modelled';
}

export function emulatedTiming(board: Board, mode: 'exact' | 'flat'): TimingReport {
  const core = coreOf(board);
  return {
    model: core.timing === null ? null : core.name,
    mode,
    assumedCount: assumedTimingCount(core),
    validatedErrorPct: core.timing === null ? null : validatedErrorPct(core.name),
    note: timingGap(core) ?? memoryNote(board, mode),
  };
}

const measuredTiming = (mode: 'exact' | 'flat'): TimingReport => ({
  ...{ model: null, mode, assumedCount: 0, validatedErrorPct: null, note: null },
});

export function buildReport(parts: ReportParts): RunReport {
  const { graph, board } = parts;
  const core = coreOf(board);
  const { source } = parts;
  // A board counts its own cycles; of emulated ones only those of a timing model mean something.
  const countOf = (count: number): number | null => (source === 'measured' ? count : knownCycles(core, count));
  const cycles = countOf(parts.cycles);
  const outputs = parts.outputs.map((bytes, index) => ({
    values: tensorValues(bytes, tensorOf(graph, graph.outputs[index]!).dtype),
    crc32: crc32Hex(bytes),
  }));
  return {
    schemaVersion: 1,
    model: parts.modelName,
    board: board.name,
    core: board.core,
    engine: parts.engine,
    source,
    timing: source === 'measured' ? measuredTiming(parts.timingMode) : emulatedTiming(board, parts.timingMode),
    input: { crc32: crc32Hex(...parts.inputs) },
    output: outputs[0] ?? { values: [], crc32: crc32Hex() },
    outputs,
    ops: graph.ops.map((op) => ({
      index: op.index,
      opcode: op.kind,
      cycles: countOf(parts.opCosts.get(op.index)?.cycles ?? 0),
      instructions: parts.instructions === null ? null : (parts.opCosts.get(op.index)?.instructions ?? 0),
      macs: macs(op, graph),
      weightBytes: op.inputs.reduce((sum, id) => sum + (id === null ? 0 : (tensorOf(graph, id).data?.length ?? 0)), 0),
      outputCrc32: parts.opOutputCrc32.get(op.index) ?? null,
    })),
    cycles,
    coldCycles: countOf(parts.coldCycles),
    instructions: parts.instructions,
    latencyMs: cycles === null ? null : (cycles / board.clockHz) * 1e3,
    clockHz: board.clockHz,
    memory: {
      flashBytes: parts.flashBytes,
      ramBytes: parts.dataBytes + parts.bssBytes + parts.stackBytes,
      arenaBytes: parts.arenaBytes,
      stackBytes: parts.stackBytes,
    },
    notes: parts.notes,
  };
}
