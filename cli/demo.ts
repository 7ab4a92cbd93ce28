/** `thumbelina demo`: the built-in activity classifier on synthetic motion, on the emulated board; what ./quickstart shows. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { packageRoot } from '../common/package-root.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { compileModel } from '../harness/compile.ts';
import { loadModel } from '../harness/model.ts';
import type { RunReport } from '../harness/report.ts';
import { runCompiled } from '../harness/run-model.ts';
import { applyPipeline, loadPipeline, type Pipeline } from '../learn/pipeline.ts';
import { MOTION_KINDS, syntheticWindow } from '../learn/synthetic-motion.ts';
import { demoSystem, formatSystemDemo, type SystemDemo } from './demo-system.ts';
import { boardOption, dirOption, engineOption, timingMode } from './options.ts';
import { print, table, type JsonOption } from './output.ts';
import { formatRun } from './run-text.ts';

const MODEL = 'har_wisdm_watch';
const SEED = 1;
/** Softmax outputs are q / 256 with zero point -128. */
const SOFTMAX_STEPS = 256;

interface DemoArguments extends JsonOption {
  readonly board: string;
  readonly output: string;
  readonly engine: EngineName;
}

interface Decision {
  readonly motion: string;
  readonly decision: string;
  readonly probabilityPct: number;
}

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('run the built-in activity classifier on synthetic motion windows')
    .addOption(boardOption())
    .addOption(dirOption())
    .addOption(engineOption())
    .option('--json', 'print JSON')
    .action(async (options: DemoArguments) => {
      const { decisions, report, system } = await runDemo(options);
      print(options, { schemaVersion: 1, input: 'synthetic', decisions, run: report, system }, () =>
        [formatDemo(decisions, report), formatSystemDemo(system)].join('\n\n'),
      );
    });
}

async function runDemo(
  options: DemoArguments,
): Promise<{ decisions: Decision[]; report: RunReport; system: SystemDemo }> {
  const folder = join(packageRoot(), 'models');
  const pipeline = loadPipeline(join(folder, `${MODEL}.pipeline.json`));
  const model = loadModel(join(folder, `${MODEL}.tflite`));
  const board = loadBoard(options.board);
  const compiled = await compileModel(model, options.output, { board, bare: false, hooks: false, prune: true });
  const measureOptions = { board, engine: options.engine, timingMode: timingMode(undefined, board) };
  const reports = MOTION_KINDS.map((kind) => {
    const input = applyPipeline(syntheticWindow(kind, pipeline, SEED), pipeline);
    return runCompiled(model, compiled, [new Uint8Array(input.buffer)], measureOptions);
  });
  const decisions = reports.map((report, index) => decide(MOTION_KINDS[index]!, report, pipeline));
  const system = await demoSystem(options.output, board, options.engine, pipeline);
  return { decisions, report: reports[0]!, system };
}

function decide(motion: string, { output }: RunReport, { classes }: Pipeline): Decision {
  const best = output.values.indexOf(Math.max(...output.values));
  return {
    motion,
    decision: classes[best]!,
    probabilityPct: (100 * (output.values[best]! + SOFTMAX_STEPS / 2)) / SOFTMAX_STEPS,
  };
}

function formatDemo(decisions: readonly Decision[], report: RunReport): string {
  const rows = decisions.map(({ motion, decision, probabilityPct }) => [
    motion,
    decision,
    `${probabilityPct.toFixed(0)} %`,
  ]);
  return [
    'Synthetic wrist motion (made by a formula, no recording), classified on the emulated board:',
    '',
    table(['motion', 'decision', 'softmax'], rows),
    '',
    formatRun(report),
  ].join('\n');
}
