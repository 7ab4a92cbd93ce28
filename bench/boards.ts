/**
 * The four MLPerf Tiny int8 models on every board that can hold them. npm run bench -- boards [--board NAME ...]
 * Beside them, where a core has one, the best published inference on silicon (../shared/truth/mlperf_tiny.json).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { boardNames, loadBoard } from '../boards/load.ts';
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import { defaultTiming } from '../emulator/board-timing.ts';
import { tensorOf } from '../firmware-gen/ir/graph.ts';
import { DoesNotFitError } from '../firmware-gen/toolchain/index.ts';
import { energyOf } from '../harness/energy.ts';
import { lcgInputs } from '../harness/lcg.ts';
import { loadModel } from '../harness/model.ts';
import type { RunReport } from '../harness/report.ts';
import { runModel } from '../harness/run-model.ts';

const MODELS = [
  { file: 'ad01_int8', task: 'ad' },
  { file: 'pretrainedResnet_quant', task: 'ic' },
  { file: 'kws_ref_model', task: 'kws' },
  { file: 'vww_96_int8', task: 'vww' },
] as const;

/** SMLAD: two multiply-accumulates a cycle. */
const CYCLES_PER_MAC_LIMIT = 0.5;

const recordsSchema = z.looseObject({
  records: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ best_cycles: z.number(), best_cycles_by: z.string() })),
  ),
});
type Records = z.infer<typeof recordsSchema>['records'];

/** As the records call it. */
const recordCore = (core: Board['core']): string =>
  `Cortex-${core.slice('cortex-'.length).toUpperCase().replace('PLUS', '+')}`;

export interface OpRow {
  readonly index: number;
  readonly opcode: string;
  readonly cyclesPerMac: number;
  readonly timesLimit: number;
}

export interface BoardRow {
  readonly board: string;
  readonly model: string;
  /** What does not fit, by how many bytes; null: it ran, and the rest is known. */
  readonly refused: string | null;
  /** Null on a core without a timing model. */
  readonly cycles: number | null;
  readonly latencyMs: number | null;
  readonly flashBytes: number | null;
  readonly ramBytes: number | null;
  /** An estimate. */
  readonly microjoules: number | null;
  readonly timingMode: 'exact' | 'flat' | null;
  /** Ours / the best on silicon of the same core; only on boards whose wait states are counted, as silicon pays them. */
  readonly silicon: { readonly cycles: number; readonly by: string; readonly ratio: number | null } | null;
  /** `timesLimit`: against two multiply-accumulates a cycle, SMLAD's. */
  readonly ops: readonly OpRow[];
}

export interface BenchBoardsOptions {
  /** All built-in ones by default. */
  readonly boards?: readonly string[] | undefined;
  /** Tasks: ad, ic, kws, vww; all by default. */
  readonly tasks?: readonly string[] | undefined;
  /** Start-up code copies the weights to RAM. */
  readonly weightsInRam?: boolean;
}

/** @throws UserError for a task there is not (exit 2), without ../shared (exit 3) */
export async function benchBoards(dir: string, options: BenchBoardsOptions = {}): Promise<BoardRow[]> {
  const { boards = boardNames(), tasks = MODELS.map(({ task }) => task), weightsInRam = false } = options;
  const models = tasks.map((name) => {
    const model = MODELS.find(({ task }) => task === name);
    if (model === undefined)
      throw new UserError(`no model of task "${name}"; known: ${MODELS.map(({ task }) => task).join(', ')}`);
    return model;
  });
  const shared = join(packageRoot(), '..', 'shared');
  if (!existsSync(join(shared, 'models')))
    throw new UserError(`${shared} is absent; third-party models are not part of this repository`, 3);
  const truth = join(shared, 'truth', 'mlperf_tiny.json');
  const records = existsSync(truth) ? recordsSchema.parse(JSON.parse(readFileSync(truth, 'utf8'))).records : {};
  const rows: BoardRow[] = [];
  for (const board of boards.map(loadBoard))
    for (const model of models)
      rows.push(await benchOne(dir, board, { ...model, weightsInRam }, join(shared, 'models'), records));
  return rows;
}

async function benchOne(
  dir: string,
  board: Board,
  { file, task, weightsInRam }: (typeof MODELS)[number] & { readonly weightsInRam: boolean },
  folder: string,
  records: Records,
): Promise<BoardRow> {
  const model = loadModel(join(folder, `${file}.tflite`));
  const inputs = lcgInputs(
    model.graph.inputs.map((id) => tensorOf(model.graph, id)),
    1,
  );
  const record = records[recordCore(board.core)]?.[task];
  const timingMode = defaultTiming(board);
  const isComparable = timingMode === 'exact' && board.timing.memory !== 'zero-wait';
  const common = { board: board.name, model: file };
  try {
    const options = {
      board,
      engine: 'wasm',
      bare: true,
      perOp: false,
      prune: true,
      weightsInRam,
      timingMode,
      dir,
    } as const;
    const report = await runModel(model, inputs, options);
    return {
      ...common,
      refused: null,
      cycles: report.cycles,
      latencyMs: report.latencyMs,
      flashBytes: report.memory.flashBytes,
      ramBytes: report.memory.ramBytes,
      microjoules: energyOf(board, report.latencyMs, null)?.microjoulesPerInference ?? null,
      timingMode,
      silicon:
        record === undefined
          ? null
          : {
              cycles: record.best_cycles,
              by: record.best_cycles_by,
              ratio: !isComparable || report.cycles === null ? null : report.cycles / record.best_cycles,
            },
      ops: opsOf(report),
    };
  } catch (error) {
    if (!(error instanceof DoesNotFitError)) throw error;
    const nothing = { cycles: null, latencyMs: null, flashBytes: null, ramBytes: null, microjoules: null };
    return { ...common, ...nothing, refused: error.message, timingMode: null, silicon: null, ops: [] };
  }
}

function opsOf({ ops }: RunReport): BoardRow['ops'] {
  return ops.flatMap(({ index, opcode, cycles, macs }) => {
    if (cycles === null || cycles === 0 || macs === 0) return [];
    const cyclesPerMac = cycles / macs;
    return [{ index, opcode, cyclesPerMac, timesLimit: cyclesPerMac / CYCLES_PER_MAC_LIMIT }];
  });
}
