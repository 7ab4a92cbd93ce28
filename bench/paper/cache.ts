/** Cells of a grid, each computed once: a cell's result lies in a file named after the hash of everything that decides it. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Hash of a JSON-able description of all inputs. */
export function cellKey(inputs: unknown): string {
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 32);
}

/** The cached result, or that of `compute`, kept for the next run. */
export function cell<T>(folder: string, inputs: unknown, compute: (key: string) => T): T {
  const known = read<T>(folder, inputs);
  return known === null ? keep(folder, inputs, compute(cellKey(inputs))) : known.result;
}

/** The same for what takes a compiler or another process. */
export async function cachedCell<T>(folder: string, inputs: unknown, compute: () => Promise<T>): Promise<T> {
  const known = read<T>(folder, inputs);
  return known === null ? keep(folder, inputs, await compute()) : known.result;
}

/** Whether a run would find the cell. */
export const isCached = (folder: string, inputs: unknown): boolean => existsSync(pathOf(folder, inputs));

const pathOf = (folder: string, inputs: unknown): string => join(folder, `${cellKey(inputs)}.json`);

function read<T>(folder: string, inputs: unknown): { readonly result: T } | null {
  const path = pathOf(folder, inputs);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { result: T }) : null;
}

/** Written whole beside and moved into place: a killed run leaves no half cell. */
function keep<T>(folder: string, inputs: unknown, result: T): T {
  const path = pathOf(folder, inputs);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify({ inputs, result }, null, 1));
  renameSync(`${path}.new`, path);
  return result;
}
