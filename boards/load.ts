/** Finds and reads board descriptions: the built-in boards/<name>.json, or a path to anyone's own. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import { boardSchema, type Board } from './schema.ts';
import { validateBoard } from './validate.ts';

function boardsFolder(): string {
  return join(packageRoot(), 'boards');
}

export function boardNames(): readonly string[] {
  return readdirSync(boardsFolder())
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort();
}

/** @param text JSON of one board; @param where named in errors. @throws UserError on bad JSON, an unknown field or a broken rule. */
export function parseBoard(text: string, where: string): Board {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${where}: not valid JSON (${(error as Error).message.split('\n')[0]}); correct the file`);
  }
  const parsed = boardSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path.join('.') || 'the board';
    throw new UserError(`${where}: ${path}: ${issue?.message ?? 'invalid'}; see boards/schema.ts for the fields`);
  }
  validateBoard(parsed.data);
  return parsed.data;
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
