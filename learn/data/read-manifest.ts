/** manifest.json of a data set, with errors of one line that say where and what. */
import type { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { readBytes } from './raw-values.ts';

/** @param path of the file. @throws UserError when it cannot be read or is another one */
export function readManifest<T>(path: string, schema: z.ZodType<T>): T {
  const text = new TextDecoder().decode(readBytes(path));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path}: ${(error as Error).message}; repair the manifest`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(`${path}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; repair the manifest`);
}
