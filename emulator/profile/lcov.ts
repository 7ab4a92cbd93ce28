/** The tracefile format of lcov (geninfo(1), "FILES"), which genhtml and code-coverage services read. */
import type { FileCoverage } from './line-coverage.ts';

/** @returns the text of a coverage.info file */
export function formatLcov(files: readonly FileCoverage[]): string {
  return files.map(formatFile).join('');
}

function formatFile({ path, lines, functions }: FileCoverage): string {
  const hit = lines.filter((line) => line.executions > 0).length;
  const called = functions.filter((fn) => fn.calls > 0).length;
  return [
    'TN:',
    `SF:${path}`,
    ...functions.map((fn) => `FN:${fn.line},${fn.name}`),
    ...functions.map((fn) => `FNDA:${fn.calls},${fn.name}`),
    `FNF:${functions.length}`,
    `FNH:${called}`,
    ...lines.map((line) => `DA:${line.line},${line.executions}`),
    `LF:${lines.length}`,
    `LH:${hit}`,
    'end_of_record',
    '',
  ].join('\n');
}
