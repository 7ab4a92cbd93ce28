/** A temporary folder of one test file, and what is in it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface Workspace {
  /** Absolute path of a name inside. */
  path(name: string): string;
  /** Writes a file and returns its path. */
  write(name: string, bytes: Uint8Array | string): string;
  /** Makes a folder and returns its path. */
  folder(name: string): string;
}

/** Call at the top level of a test file; the folder is removed after its tests. */
export function workspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string): string => join(folder, name);
  const write = (name: string, bytes: Uint8Array | string): string => {
    writeFileSync(path(name), bytes);
    return path(name);
  };
  const makeFolder = (name: string): string => {
    mkdirSync(path(name), { recursive: true });
    return path(name);
  };
  return { path, write, folder: makeFolder };
}

/** Every file and folder below, or none when the folder itself is not there. */
export function filesBelow(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
}
