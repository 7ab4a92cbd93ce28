/** How good a classifier is, by class: what training prints and models/README.md states. */

export interface Evaluation {
  readonly windows: number;
  readonly correct: number;
  /** confusion[true class][predicted class], in windows. */
  readonly confusion: readonly (readonly number[])[];
}

export function evaluate(labels: readonly number[], predicted: readonly number[], classes: number): Evaluation {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [i, label] of labels.entries()) confusion[label]![predicted[i]!]! += 1;
  const correct = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  return { windows: labels.length, correct, confusion };
}

export function accuracy({ correct, windows }: Evaluation): number {
  return correct / windows;
}

/** Share of each class's windows that were recognised. */
export function recalls({ confusion }: Evaluation): number[] {
  return confusion.map((row, i) => row[i]! / row.reduce((sum, count) => sum + count, 0));
}

/** Index of the largest value of every row of a [rows, columns] array; the first one on a tie. */
export function argmaxRows(values: ArrayLike<number>, columns: number): number[] {
  return Array.from({ length: values.length / columns }, (_, row) => {
    let best = 0;
    for (let c = 1; c < columns; c += 1) if (values[row * columns + c]! > values[row * columns + best]!) best = c;
    return best;
  });
}

/** Markdown: rows are true classes, columns predictions, in windows, then the recall. */
export function confusionTable(evaluation: Evaluation, classes: readonly string[]): string {
  const recall = recalls(evaluation);
  const lines = evaluation.confusion.map(
    (row, i) => `| ${classes[i]} | ${row.join(' | ')} | ${(100 * recall[i]!).toFixed(1)} % |`,
  );
  return [`| | ${classes.join(' | ')} | recall |`, `|---${'|---:'.repeat(classes.length + 1)}|`, ...lines].join('\n');
}
