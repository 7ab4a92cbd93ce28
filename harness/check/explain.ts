/** What grew, in words: lines that every form of the report shows. */
import { signed, signedPct, type CostChange, type EntryResult } from './compare.ts';

const ROWS_MAX = 5;

/** Indented by depth: ops with the functions that ran for them, then functions of no op, then symbols of the image. */
export function explainGrowth({ ops, functions, symbols }: EntryResult): string[] {
  const lines: string[] = [];
  const list = <T>(rows: readonly T[], indent: string, line: (row: T) => string): void => {
    for (const row of rows.slice(0, ROWS_MAX)) lines.push(`${indent}${line(row)}`);
    if (rows.length > ROWS_MAX) lines.push(`${indent}and ${rows.length - ROWS_MAX} more`);
  };
  for (const op of ops.slice(0, ROWS_MAX)) {
    lines.push(`op ${op.index} ${op.opcode}: ${describeCost(op)}`);
    const own = functions.filter((fn) => fn.op === op.index);
    list(own, '  ', (fn) => `${fn.name}: ${describeCost(fn)}`);
  }
  if (ops.length > ROWS_MAX) lines.push(`and ${ops.length - ROWS_MAX} more ops`);
  const elsewhere = functions.filter((fn) => !ops.some((op) => op.index === fn.op));
  list(elsewhere, '', (fn) => `${fn.name}${fn.op === null ? '' : ` (op ${fn.op})`}: ${describeCost(fn)}`);
  list(symbols, '', ({ name, bytes }) => `${name}: ${signed(bytes)} bytes in the image`);
  return lines;
}

function describeCost({ cycles, cyclesPct, instructions }: CostChange): string {
  const time =
    cycles === null ? [] : [`${signed(cycles)} cycles${cyclesPct === null ? '' : ` (${signedPct(cyclesPct)})`}`];
  return [...time, `${signed(instructions)} instructions`].join(', ');
}

type Named = Pick<EntryResult, 'board'> & { readonly weights?: EntryResult['weights'] | undefined };

/** The board, and that weights are in RAM, as reports name it. */
export function boardName({ board, weights }: Named): string {
  return weights === 'ram' ? `${board}, weights in RAM` : board;
}

/** Model and board, as reports name an entry. */
export function entryName(entry: Named & Pick<EntryResult, 'model'>): string {
  return `${entry.model} on ${boardName(entry)}`;
}
