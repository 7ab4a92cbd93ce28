/** Finds and reads board descriptions: the built-in boards/<name>.json, or a path to anyone's own. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import { parseBoard } from './parse.ts';
import type { Board } from './schema.ts';

export { parseBoard } from './parse.ts';

function boardsFolder(): string {
  return join(packageRoot(), 'boards');
}

export function boardNames(): readonly string[] {
  return readdirSync(boardsFolder())
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort();
}

/** @param nameOrPath a built-in name (see boardNames) or a path ending in .json. @throws UserError when there is none. */
export function loadBoard(nameOrPath: string): Board {
  const isPath = nameOrPath.endsWith('.json');
  if (!isPath && !boardNames().includes(nameOrPath)) {
    throw new UserError(
      `unknown board "${nameOrPath}"; known: ${boardNames().join(', ')}, or give a path to a .json description`,
    );
  }
  const path = isPath ? nameOrPath : join(boardsFolder(), `${nameOrPath}.json`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`cannot read board description ${path}: ${(error as Error).message}`);
  }
  return parseBoard(text, path);
}
