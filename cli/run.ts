/** `thumbelina run`: generate, build, execute, measure. */
import { InvalidArgumentError, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import { tensorBytes, tensorOf, type Graph } from '../firmware-gen/ir/graph.ts';
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
  RUN_WINDOWS,
  boardOption,
  dirOption,
  noPruneOption,
  weightsOption,
  engineOption,
  nonNegativeInteger,
  timingMode,
  timingOption,
} from './options.ts';
import { print } from './output.ts';
import { isProjectOrSystem, refuseOptions } from './project.ts';
import { formatRun } from './run-text.ts';
import type { SystemRunArguments } from './system-run.ts';

interface RunArguments extends SystemRunArguments {
  readonly bare?: boolean;
  readonly prune: boolean;
  readonly perOp?: boolean;
  readonly lcg?: number;
  readonly batteryMah?: number;
  readonly periodS?: number;
  readonly port?: string;
  readonly baud: number;
}

/** Options for systems alone, and all that systems take. */
const FOR_SYSTEMS = ['data', 'windows'];
const OF_SYSTEMS = ['board', 'output', 'engine', 'timing', 'weights', 'input', 'json', ...FOR_SYSTEMS];

export function addRun(program: Command): void {
  program
    .command('run')
    .description(
      'generate, build and execute a model or decision system on an emulated board; cycles and memory per op or stage',
    )
    .argument('<model>', '.tflite file, project (thumbelina.json) or NAME.system.json')
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(engineOption())
    .addOption(timingOption())
    .addOption(noPruneOption())
    .addOption(weightsOption())
    .option('--bare', 'leave out UART and self-introduction, to compare sizes')
    .option('--per-op', "also give every op's output CRC-32, from a second, unfused image")
    .option(
      '--input <file>',
      'raw little-endian bytes of all inputs in order; for a system int16 frames of raw counts or samples of sound',
    )
    .option('--lcg <seed>', 'inputs from the generator that CONTRACT defines (default: seed 1)', nonNegativeInteger)
    .option('--battery-mah <n>', 'with --period-s: estimate how long such a battery lasts', positiveNumber)
    .option('--period-s <n>', 'one inference in so many seconds, asleep in between', positiveNumber)
    .option('--port <path>', 'on what answers at this serial port instead (docs/hil.md)')
    .option('--baud <rate>', 'of the serial port', nonNegativeInteger, 115200)
    .option('--data <folder>', 'for a project: data set in place of its own; for a system: one whose split val is fed')
    .option('--windows <count>', `for a project: about so many are fed (default: ${RUN_WINDOWS})`, nonNegativeInteger)
    .option('--json', 'print JSON')
    .action(async (path: string, options: RunArguments, command: Command) => {
      if (isProjectOrSystem(path)) {
        refuseOptions(command, (name) => OF_SYSTEMS.includes(name), 'a project or decision system');
        const { runSystem } = await import('./system-run.ts');
        return runSystem(path, options, command, true);
      }
      refuseOptions(command, (name) => !FOR_SYSTEMS.includes(name), 'a model');
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
