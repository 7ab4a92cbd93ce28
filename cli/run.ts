/** `thumbelina run`: generate, build, execute, measure. */
import { InvalidArgumentError, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import { tensorBytes, tensorOf, type Graph } from '../firmware-gen/ir/graph.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { energyOf, formatEnergy, type DutyCycle } from '../harness/energy.ts';
import type { Board } from '../boards/schema.ts';
import { compileModel } from '../harness/compile.ts';
import { runOnDevice } from '../harness/device-run.ts';
import { DeviceClient } from '../harness/protocol/device-client.ts';
import { lcgInputs } from '../harness/lcg.ts';
import { readInputFile } from '../harness/input-file.ts';
import { loadModel, type SourceModel } from '../harness/model.ts';
import type { RunReport } from '../harness/report.ts';
import { runModel } from '../harness/run-model.ts';
import {
  boardOption,
  dirOption,
  noPruneOption,
  weightsOption,
  type WeightsMemory,
  engineOption,
  nonNegativeInteger,
  timingMode,
  timingOption,
} from './options.ts';
import { print, table, type JsonOption } from './output.ts';

interface RunArguments extends JsonOption {
  readonly board: string;
  readonly output: string;
  readonly engine: EngineName;
  readonly bare?: boolean;
  readonly prune: boolean;
  readonly weights: WeightsMemory;
  readonly perOp?: boolean;
  readonly input?: string;
  readonly lcg?: number;
  readonly timing?: 'exact' | 'flat';
  readonly batteryMah?: number;
  readonly periodS?: number;
  readonly port?: string;
  readonly baud: number;
}

export function addRun(program: Command): void {
  program
    .command('run')
    .description('generate, build and execute a model on an emulated board; cycles and memory per op')
    .argument('<model>', '.tflite file')
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(engineOption())
    .addOption(timingOption())
    .addOption(noPruneOption())
    .addOption(weightsOption())
    .option('--bare', 'leave out UART and self-introduction, to compare sizes')
    .option('--per-op', "also give every op's output CRC-32, from a second, unfused image")
    .option('--input <file>', 'raw little-endian bytes of all inputs in order')
    .option('--lcg <seed>', 'inputs from the generator that CONTRACT defines (default: seed 1)', nonNegativeInteger)
    .option('--battery-mah <n>', 'with --period-s: estimate how long such a battery lasts', positiveNumber)
    .option('--period-s <n>', 'one inference in so many seconds, asleep in between', positiveNumber)
    .option('--port <path>', 'on what answers at this serial port instead (docs/hil.md)')
    .option('--baud <rate>', 'of the serial port', nonNegativeInteger, 115200)
    .option('--json', 'print JSON')
    .action(async (path: string, options: RunArguments) => {
      const board = loadBoard(options.board);
      const model = loadModel(path);
      const inputs = inputsOf(model.graph, options);
      if (options.port !== undefined) {
        const report = await runAtPort(model, inputs, board, options.port, options);
        print(options, report, () => formatRun(report));
        return;
      }
      const report = await runModel(model, inputs, {
        board,
        engine: options.engine,
        bare: options.bare ?? false,
        perOp: options.perOp ?? false,
        prune: options.prune,
        weightsInRam: options.weights === 'ram',
        timingMode: timingMode(options.timing, board),
        dir: options.output,
      });
      const energy = energyOf(board, report.latencyMs, dutyCycle(options));
      print(options, { ...report, energy }, () =>
        [formatRun(report), ...(energy === null ? [] : [`energy        ${formatEnergy(energy)}`])].join('\n'),
      );
    });
}

/** @throws UserError when only one of the two is given */
function dutyCycle({ batteryMah, periodS }: RunArguments): DutyCycle | null {
  if ((batteryMah === undefined) !== (periodS === undefined))
    throw new UserError('--battery-mah and --period-s need each other; give both');
  return batteryMah === undefined || periodS === undefined ? null : { batteryMah, periodS };
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('a number above 0 is expected.');
  return value;
}

/** The image is built for its sizes, and to be flashed; it must be on the device already. */
async function runAtPort(
  model: SourceModel,
  inputs: readonly Uint8Array[],
  board: Board,
  port: string,
  { bare, perOp, prune, weights, output, baud }: RunArguments,
): Promise<RunReport> {
  if (bare === true) throw new UserError('--bare firmware has no UART to answer at --port; leave one of them out');
  const harness = { protocol: 'device', mlperfId: model.name, input: 'raw' } as const;
  const compiled = await compileModel(model, output, {
    board,
    bare: false,
    hooks: perOp ?? false,
    prune,
    weightsInRam: weights === 'ram',
    harness,
  });
  const { openSerial } = await import('../harness/protocol/serial-link.ts');
  const link = await openSerial(port, baud);
  try {
    return await runOnDevice(new DeviceClient(link, { baud }), port, model, compiled, inputs, board);
  } finally {
    await link.close();
  }
}

/** @throws UserError for a file of another size than the model's inputs */
export function inputsOf(graph: Graph, options: Pick<RunArguments, 'input' | 'lcg'>): Uint8Array[] {
  if (options.input !== undefined && options.lcg !== undefined)
    throw new UserError('--input and --lcg exclude each other; give one');
  const tensors = graph.inputs.map((id) => tensorOf(graph, id));
  if (options.input === undefined) {
    const { dynamics } = graph;
    if (!dynamics) return lcgInputs(tensors, options.lcg ?? 1);
    // The sequence is for data; the scale of a dynamic model's input is the calibrated one.
    const { multiplier, shift, zeroPoint } = dynamics.defaultInput;
    const scale = new Uint8Array(Int32Array.of(multiplier, shift, zeroPoint).buffer);
    return [...lcgInputs(tensors.slice(0, 1), options.lcg ?? 1), scale];
  }
  const bytes = readInputFile(options.input);
  const expected = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  if (bytes.length !== expected) {
    const inputs = tensors.map((tensor) => `${tensor.dtype} [${tensor.shape.join(', ')}]`).join(', ');
    throw new UserError(
      `${options.input}: ${bytes.length} bytes, but the model's input (${inputs}) takes ${expected}; give raw little-endian tensors`,
    );
  }
  let at = 0;
  return tensors.map((tensor) => bytes.slice(at, (at += tensorBytes(tensor))));
}

const VALUES_SHOWN_MAX = 16;

export function formatRun(report: RunReport): string {
  const { ops, cycles, coldCycles, latencyMs, memory, timing, output } = report;
  const hasCrcs = ops.some((op) => op.outputCrc32 !== null);
  const rows = ops.map((op) => [
    op.index,
    op.opcode,
    op.cycles,
    percent(op.cycles, cycles),
    op.macs === 0 ? null : op.macs,
    perMac(op.cycles, op.macs),
    op.weightBytes === 0 ? null : op.weightBytes,
    ...(hasCrcs ? [op.outputCrc32] : []),
  ]);
  const header = ['op', 'kind', 'cycles', 'share', 'MACs', 'cycles/MAC', 'constant bytes'];
  if (hasCrcs) header.push('output CRC-32');
  const values =
    output.values.slice(0, VALUES_SHOWN_MAX).join(' ') + (output.values.length > VALUES_SHOWN_MAX ? ' ...' : '');
  const thousands = (value: number): string => value.toLocaleString('en-US');
  return [
    `${report.model} on ${report.board} (${report.core}), ${report.source} with ${report.engine}`,
    '',
    table(header, rows),
    '',
    `cycles        ${cycles === null || coldCycles === null ? 'not known' : `${thousands(cycles)} (${thousands(coldCycles)} the first time)`}${report.instructions === null ? '' : `, ${thousands(report.instructions)} instructions`}`,
    `latency       ${latencyMs === null ? 'not known' : `${latencyMs.toFixed(3)} ms`} at ${report.clockHz / 1e6} MHz`,
    `flash         ${thousands(memory.flashBytes)} bytes`,
    `RAM           ${thousands(memory.ramBytes)} bytes, of it arena ${thousands(memory.arenaBytes)}, stack ${thousands(memory.stackBytes)}`,
    `output        ${values} (CRC-32 ${output.crc32})`,
    ...timingLines(timing),
    ...report.notes.map((text) => `note          ${text}`),
  ].join('\n');
}

function timingLines({ model, mode, assumedCount, validatedErrorPct, note: text }: RunReport['timing']): string[] {
  const error =
    validatedErrorPct === null
      ? 'not yet validated against silicon'
      : `against silicon at most ${validatedErrorPct} % off so far`;
  const table = `${model}, ${mode}; ${assumedCount} of its numbers are assumed, the rest documented; ${error}`;
  const lines = [...(model === null ? [] : [table]), ...(text === null ? [] : [text])];
  return lines.map((line, index) => `${(index === 0 ? 'timing' : '').padEnd(14)}${line}`);
}

function perMac(cycles: number | null, macs: number): string {
  return macs === 0 || cycles === null || cycles === 0 ? '-' : (cycles / macs).toFixed(2);
}

function percent(part: number | null, whole: number | null): string {
  return part === null || whole === null || whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}
