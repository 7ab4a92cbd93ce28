/** Checks a board description, from a file or from a program; nothing of Node in it. */
import { UserError } from '../common/errors.ts';
import { boardSchema, type Board } from './schema.ts';
import { validateBoard } from './validate.ts';

/** @param text JSON of one board; @param where named in errors. @throws UserError on bad JSON, an unknown field or a broken rule. */
export function parseBoard(text: string, where: string): Board {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${where}: not valid JSON (${(error as Error).message.split('\n')[0]}); correct the file`);
  }
  return boardFrom(json, where);
}

/** @param description what the JSON of a board holds. @throws UserError on an unknown field or a broken rule. */
export function boardFrom(description: unknown, where: string): Board {
  const parsed = boardSchema.safeParse(description);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path.join('.') || 'the board';
    const value = offending(description, issue?.path ?? []);
    throw new UserError(
      `${where}: ${path}: ${issue?.message ?? 'invalid'}${value}; see boards/schema.ts for the fields`,
    );
  }
  validateBoard(parsed.data);
  return parsed.data;
}

/** What stands at the path, where it is short enough to be said. */
function offending(description: unknown, path: readonly PropertyKey[]): string {
  let value = description;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isPlain ? ` (it is ${JSON.stringify(value)})` : '';
}
