/**
 * Numbers as comma-separated text: one sample per row. A first row that is no numbers names the columns; `label` and `subject` (any case)
 * are taken out, all others are the sample's values in order.
 */
import { UserError } from '../../common/errors.ts';

export interface CsvRow {
  readonly values: Float32Array;
  readonly label: string | number | null;
  readonly subject: string | null;
}

/** @throws UserError naming the line for a cell that is no number or a row of another length */
export function parseCsv(text: string, where: string): CsvRow[] {
  const lines = text.split(/\r?\n/).map((line) => line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1')));
  const rows = lines.flatMap((cells, i) => (cells.length === 1 && cells[0] === '' ? [] : [{ cells, line: i + 1 }]));
  const first = rows[0];
  if (!first) return [];
  const hasHeader = first.cells.every((cell) => cell !== '' && !isNumber(cell));
  const names = hasHeader ? first.cells.map((name) => name.toLowerCase()) : [];
  const special = new Set([names.indexOf('label'), names.indexOf('subject')]);
  return rows.slice(hasHeader ? 1 : 0).map(({ cells, line }) => {
    if (cells.length !== first.cells.length)
      throw new UserError(
        `${where}:${line}: has ${cells.length} cells, ${first.cells.length} expected; repair the row`,
      );
    const numbers = cells.filter((_, column) => !special.has(column));
    const wrong = numbers.find((cell) => !isNumber(cell));
    if (wrong !== undefined) throw new UserError(`${where}:${line}: "${wrong}" is no number; repair the cell`);
    const label = cells[names.indexOf('label')] ?? null;
    return {
      values: Float32Array.from(numbers, Number),
      label: label !== null && isNumber(label) ? Number(label) : label,
      subject: cells[names.indexOf('subject')] ?? null,
    };
  });
}

/** NaN and infinities are numbers here: what they do to a calibration is said there. */
function isNumber(cell: string): boolean {
  return cell !== '' && (!Number.isNaN(Number(cell)) || /^[+-]?(nan|inf(inity)?)$/i.test(cell));
}
