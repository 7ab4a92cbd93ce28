/** `thumbelina validate`: published measurements against what the timing models predict. Runs files at hand; builds nothing. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { FileFinder } from '../harness/validate/files.ts';
import { loadManifest } from '../harness/validate/manifest.ts';
import {
  recordOf,
  recordPath,
  summarize,
  type ErrorSummary,
  type ValidationRecord,
} from '../harness/validate/summary.ts';
import { predict, type Prediction } from '../harness/validate/validate.ts';
import { note, print, table, type JsonOption } from './output.ts';
import { progress } from './progress.ts';

interface ValidateArguments extends JsonOption {
  readonly files: string;
  readonly manifest?: string;
  readonly record?: boolean;
}

export function addValidate(program: Command): void {
  program
    .command('validate')
    .description('predict published measurements on real boards; print predicted, published and error')
    .requiredOption('--files <dir>', 'folder with the images and ELFs, searched by contents and by name')
    .option('--manifest <file>', 'measurements (default: those of this repository)')
    .option('--record', 'write the errors per core to validation/results.json, which reports quote')
    .option('--json', 'print JSON')
    .action((options: ValidateArguments) => {
      const measurements = loadManifest(options.manifest);
      const files = new FileFinder(options.files);
      const bar = progress('validate', measurements.length);
      const predictions = measurements.map((measurement, index) => {
        const prediction = predict(measurement, files);
        bar.update(index + 1);
        return prediction;
      });
      bar.stop();
      const record = recordOf(predictions);
      if (options.record === true) {
        writeFileSync(recordPath(), `${JSON.stringify(record, null, 2)}\n`);
        note(`thumbelina: ${recordPath()} written`);
      }
      const document = { ...record, overall: summarize(predictions), predictions };
      print(options, document, () => formatPredictions(predictions, document));
    });
}

const percent = (value: number): string => `${value >= 0 ? '+' : ''}${value.toFixed(2)} %`;

function formatPredictions(
  predictions: readonly Prediction[],
  { cores, confounded, overall }: ValidationRecord & { readonly overall: ErrorSummary | null },
): string {
  const rows = predictions
    .filter(({ predicted }) => predicted !== null)
    .map(({ id, core, unit, published, predicted, errorPct, confounded }) => [
      id,
      core,
      unit,
      (predicted ?? 0).toFixed(1),
      published.toFixed(1),
      percent(errorPct ?? 0) + (confounded ? ' (compiler differs)' : ''),
    ]);
  const summaries = [
    ...Object.entries(cores),
    ...(overall === null ? [] : [['overall', overall] as const]),
    ...Object.entries(confounded).map(([core, summary]) => [`${core}, compiler differs`, summary] as const),
  ].map(([name, { count, medianPct, worstPct }]) => [name, count, `${medianPct.toFixed(2)} %`, percent(worstPct)]);
  const problems = predictions.flatMap(({ id, problem }) => (problem === null ? [] : [`${id}: ${problem}`]));
  return [
    table(['measurement', 'core', 'unit', 'predicted', 'published', 'error'], rows),
    '',
    table(['core', 'measurements', 'median', 'worst'], summaries),
    '',
    ...problems,
  ].join('\n');
}
