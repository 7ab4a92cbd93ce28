/** The trend: one JSON line per check, appended; a spreadsheet or a plot reads it. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { CheckDocument } from './check.ts';

/** @param label what was checked, a commit for instance. The same line twice in a row is written once. */
export function appendHistory(path: string, label: string, { outcome, tools, entries }: CheckDocument): void {
  const rows = entries.map(({ model, board, weights, outcome: result, figures }) => ({
    model,
    board,
    ...(weights === 'ram' ? { weights } : {}),
    outcome: result,
    ...(figures === null
      ? {}
      : {
          cycles: figures.cycles,
          instructions: figures.instructions,
          flashBytes: figures.flashBytes,
          ramBytes: figures.ramBytes,
          stackBytes: figures.stackBytes,
          top1: figures.accuracy?.top1 ?? null,
        }),
  }));
  const line = JSON.stringify({ label, outcome, tools, entries: rows });
  const last = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) : undefined;
  if (line !== last) appendFileSync(path, `${line}\n`);
}
