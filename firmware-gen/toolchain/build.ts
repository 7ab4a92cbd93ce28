/**
 * From a source tree to an ELF. Everything is written into a temporary folder inside `dir` and moved into place at the end, so that a failed
 * build leaves nothing behind.
 */
import { mkdir, mkdtemp, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import { INCLUDE_FLAGS, WARNING_FLAGS, compileFlags, linkFlags } from '../emit/build-flags.ts';
import type { SourceTree } from '../emit/index.ts';
import { cSources } from '../emit/index.ts';
import type { ElfSummary } from './elf-file.ts';
import { readElfSummary } from './elf-file.ts';
import type { Toolchain } from './find.ts';
import { runTool } from './run-tool.ts';

export interface FirmwareImage extends ElfSummary {
  readonly elfPath: string;
  readonly binPath: string;
  readonly mapPath: string;
  readonly elf: Uint8Array;
  /** Bytes of stack frame per function, from gcc's -fstack-usage. */
  readonly frameBytes: ReadonlyMap<string, number>;
}

export interface BuildOptions {
  readonly board: Board;
  /** Compilers at a time. Default: the machine's cores. */
  readonly jobs?: number;
  /** With DWARF line tables that name the sources in `dir`; the code is the same. */
  readonly debug?: boolean;
}

const PRODUCTS = ['firmware.elf', 'firmware.bin', 'firmware.map'] as const;

/**
 * Writes sources, firmware.elf, .bin and .map to `dir`. Throws UserError: exit 3 without a compiler; else naming the source that failed, or
 * the memory region that is too small and by how many bytes.
 */
export async function buildElf(
  tree: SourceTree,
  dir: string,
  toolchain: Toolchain,
  options: BuildOptions,
): Promise<FirmwareImage> {
  return withinFolder(dir, async (folder) => {
    await writeTree(tree, folder);
    const debugFlags = options.debug === true ? ['-g', `-fdebug-prefix-map=${folder}=${resolve(dir)}`] : [];
    await compileAll(cSources(tree), folder, toolchain, options, debugFlags);
    const objects = cSources(tree).map(objectPath);
    await runTool(
      toolchain.cc,
      [...linkFlags(options.board), ...objects, '-lm', '-o', 'firmware.elf'],
      folder,
      'firmware.elf',
    );
    await runTool(toolchain.objcopy, ['-O', 'binary', 'firmware.elf', 'firmware.bin'], folder, 'firmware.bin');
    const elf = await readFile(join(folder, 'firmware.elf'));
    const frameBytes = await readStackUsage(cSources(tree), folder);
    await moveAll(folder, dir, [...tree.keys(), ...PRODUCTS]);
    const [elfPath, binPath, mapPath] = PRODUCTS.map((name) => join(dir, name)) as [string, string, string];
    return { ...readElfSummary(elf), elfPath, binPath, mapPath, elf, frameBytes };
  });
}

/** Writes a source tree to `dir` without compiling it; nothing is left behind when that fails. */
export async function writeSources(tree: SourceTree, dir: string): Promise<void> {
  await withinFolder(dir, async (folder) => {
    await writeTree(tree, folder);
    await moveAll(folder, dir, [...tree.keys()]);
  });
}

/** Gives `work` an empty folder inside `dir`, removed afterwards; file system errors become the user's one line. */
async function withinFolder<T>(dir: string, work: (folder: string) => Promise<T>): Promise<T> {
  let folder: string | null = null;
  let created: string | null = null;
  let failed = true;
  try {
    created = await createFolders(resolve(dir));
    folder = await mkdtemp(join(dir, '.building-'));
    const result = await work(folder);
    failed = false;
    return result;
  } catch (error) {
    throw explainFileError(error, dir);
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
    if (failed && created !== null) await removeEmptyFolders(dir, created);
  }
}

/** As mkdir's `recursive`, which never ends below /proc. @returns the topmost folder it had to make, null when all were there */
async function createFolders(path: string): Promise<string | null> {
  if (await isFolder(path)) return null;
  const top = dirname(path) === path ? null : await createFolders(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    // Another run may have made it in the meantime.
    if (!(await isFolder(path))) throw error;
  }
  return top ?? path;
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() ?? false;
}

/** From `dir` up to its ancestor `top`; a folder that holds something stays. */
async function removeEmptyFolders(dir: string, top: string): Promise<void> {
  for (let folder = resolve(dir); ; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      return;
    }
    if (folder === resolve(top)) return;
  }
}

const FILE_ERRORS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk; free some or choose another -o',
  EDQUOT: 'the disk quota is used up; free some or choose another -o',
  EACCES: 'no permission to write there; choose another -o',
  EPERM: 'no permission to write there; choose another -o',
  EROFS: 'the file system is read-only; choose another -o',
  EEXIST: 'a file is in the way; remove it or choose another -o',
  ENOENT: 'it cannot be made there; choose another -o',
  ENOTDIR: 'a file is in the way; remove it or choose another -o',
  EISDIR: 'a folder is in the way; remove it or choose another -o',
};

function explainFileError(error: unknown, dir: string): unknown {
  if (error instanceof UserError || !(error instanceof Error) || !('code' in error)) return error;
  const reason = FILE_ERRORS[String(error.code)];
  return reason === undefined ? error : new UserError(`cannot write to ${dir}: ${reason}`);
}

async function writeTree(tree: SourceTree, folder: string): Promise<void> {
  for (const [path, text] of tree) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Whatever is in the way is found before the first file is moved: all of them arrive, or none. */
async function moveAll(folder: string, dir: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    if (await isFolder(join(dir, path)))
      throw new UserError(`cannot write ${join(dir, path)}: a folder is in the way; remove it or choose another -o`);
  }
  for (const path of paths) await mkdir(dirname(join(dir, path)), { recursive: true });
  for (const path of paths) await rename(join(folder, path), join(dir, path));
}

function objectPath(source: string): string {
  return source.replace(/\.c$/, '.o');
}

async function compileAll(
  sources: readonly string[],
  folder: string,
  toolchain: Toolchain,
  options: BuildOptions,
  debugFlags: readonly string[],
): Promise<void> {
  const flags = [
    ...compileFlags(options.board),
    ...debugFlags,
    ...WARNING_FLAGS,
    '-Werror',
    '-fstack-usage',
    ...INCLUDE_FLAGS,
  ];
  const queue = [...sources].reverse();
  const worker = async (): Promise<void> => {
    for (let source = queue.pop(); source !== undefined; source = queue.pop()) {
      await runTool(toolchain.cc, [...flags, '-c', source, '-o', objectPath(source)], folder, source);
    }
  };
  const results = await Promise.allSettled(Array.from({ length: options.jobs ?? availableParallelism() }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Lines of a .su file: `file.c:12:6:function<TAB>bytes<TAB>static`. */
async function readStackUsage(sources: readonly string[], folder: string): Promise<Map<string, number>> {
  const frames = new Map<string, number>();
  for (const source of sources) {
    const text = await readFile(join(folder, source.replace(/\.c$/, '.su')), 'utf8');
    for (const match of text.matchAll(/^[^\t]*:(\w[\w.]*)\t(\d+)\t/gm)) frames.set(match[1] ?? '', Number(match[2]));
  }
  return frames;
}
