/** The tables of `thumbelina evaluate`. */
import type { Evaluation, EvaluationRow } from './evaluate.ts';
import { table } from './output.ts';

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const fixed = (value: number | null | undefined, digits: number): string => value?.toFixed(digits) ?? '-';

export function formatEvaluation(evaluation: Evaluation): string {
  const { rows, classes, data, subjects, baseline } = evaluation;
  const samples = rows[0]?.samples ?? 0;
  const sections = [
    `${data}: ${samples} samples${subjects === null ? '' : ` of ${subjects} subjects`}${baseline === null ? '' : `, compared with ${baseline}`}`,
    classes.length > 0 ? classifierTable(rows) : reconstructionTable(rows),
    ...rows.flatMap((row) => (row.layers === null ? [] : [layerTable(row)])),
    ...rows.flatMap((row) => (row.classifier && row.shift === 'none' ? [confusionTable(row, classes)] : [])),
    ...evaluation.notes.map((text) => `note: ${text}`),
  ];
  return sections.join('\n\n');
}

function firmwareText({ firmwareEqual, samples }: EvaluationRow): string {
  return firmwareEqual === null ? '-' : `${firmwareEqual}/${samples} equal`;
}

function classifierTable(rows: readonly EvaluationRow[]): string {
  const header = [
    'model',
    'shift',
    'top-1',
    '95 %',
    'relative',
    'difference',
    '95 %',
    'AUC',
    'ECE',
    'MAE',
    'MAE logits',
    'firmware',
  ];
  return table(
    header,
    rows.map((row) => {
      const { classifier, against } = row;
      const difference = against?.top1Difference ?? null;
      return [
        row.model,
        row.shift,
        classifier === null ? '-' : percent(classifier.top1),
        classifier === null
          ? '-'
          : `${percent(classifier.top1Interval.low)} .. ${percent(classifier.top1Interval.high)}`,
        fixed(against?.relativeTop1, 1),
        difference === null ? '-' : `${difference.points.toFixed(2)} points`,
        difference === null ? '-' : `${difference.interval.low.toFixed(2)} .. ${difference.interval.high.toFixed(2)}`,
        fixed(classifier?.auc, 4),
        fixed(classifier?.ece, 3),
        fixed(against?.maeSoftmax, 4),
        fixed(against?.maeNormalisedLogits, 4),
        firmwareText(row),
      ];
    }),
  );
}

function reconstructionTable(rows: readonly EvaluationRow[]): string {
  return table(
    ['model', 'shift', 'squared error', 'AUC', 'MAE against float', 'firmware'],
    rows.map((row) => [
      row.model,
      row.shift,
      fixed(row.reconstruction?.meanSquaredError, 4),
      fixed(row.reconstruction?.auc, 4),
      fixed(row.against?.maeOutput, 5),
      firmwareText(row),
    ]),
  );
}

function layerTable({ model, layers }: EvaluationRow): string {
  const rows = (layers ?? []).map((layer) => [
    `${layer.index}`,
    layer.opcode,
    fixed(layer.sqnrDb, 1),
    percent(layer.clippedShare),
    layer.saturated,
  ]);
  return `${model}, layers\n${table(['op', 'kind', 'SQNR dB', 'clipped', 'at limits'], rows)}`;
}

function confusionTable({ model, classifier }: EvaluationRow, classes: readonly string[]): string {
  const rows = (classifier?.confusion ?? []).map((row, i) => [classes[i] ?? `${i}`, ...row]);
  return `${model}, true classes down, predicted across\n${table(['', ...classes.map((name) => name.slice(0, 10))], rows)}`;
}
