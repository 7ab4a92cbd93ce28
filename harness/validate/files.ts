/** Finds the files of measurements in a folder: images by their SHA-256, ELFs by their name. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../../common/errors.ts';
import type { Measurement } from './manifest.ts';

/** Larger than any firmware. */
const FILE_BYTES_MAX = 2 ** 26;

export interface FoundFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export class FileFinder {
  private readonly byHash = new Map<string, string>();
  private readonly byName = new Map<string, string>();

  /** @throws UserError when the folder cannot be read */
  constructor(folder: string) {
    let names: string[];
    try {
      names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    } catch (error) {
      throw new UserError(`--files ${folder}: ${(error as Error).message}`);
    }
    for (const name of names.sort()) {
      const path = join(folder, name);
      const stat = statSync(path);
      if (!stat.isFile() || stat.size > FILE_BYTES_MAX) continue;
      this.byHash.set(createHash('sha256').update(readFileSync(path)).digest('hex'), path);
      this.byName.set(basename(path), path);
    }
  }

  /** Null when it is not there. */
  find(file: Measurement['file']): FoundFile | null {
    const path = 'sha256' in file ? this.byHash.get(file.sha256) : this.byName.get(file.name);
    return path === undefined ? null : { path, bytes: readFileSync(path) };
  }
}

/** What to get, for the person who has it not. */
export function describeFile(file: Measurement['file']): string {
  return 'sha256' in file ? `${file.path} (sha256 ${file.sha256})` : `${file.name}, built of blob ${file.blob}`;
}
