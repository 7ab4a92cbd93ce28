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
  const key = cellKey(inputs);
  const path = join(folder, `${key}.json`);
  if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { result: T }).result;
  const result = compute(key);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.new`, JSON.stringify({ inputs, result }, null, 1));
  renameSync(`${path}.new`, path);
  return result;
}
