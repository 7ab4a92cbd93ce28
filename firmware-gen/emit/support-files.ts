/** What a program needs besides its own files: the kernels it mentions and, for a board, start-up code, linker script and a Makefile. */
import type { Board } from '../../boards/schema.ts';
import { defined } from '../../common/errors.ts';
import type { HarnessOptions } from './harness-source.ts';
import { neededFiles, type KernelLibrary } from './kernel-library.ts';
import { linkerScript } from './linker-script.ts';
import { boardHeader, runtimeSources } from './main-source.ts';
import { makefile } from './makefile.ts';

/** Relative path with forward slashes -> text. */
export type SourceTree = ReadonlyMap<string, string>;

export interface SupportOptions {
  /** Null: kernels only. */
  readonly board: Board | null;
  /** Leave out the UART. */
  readonly bare: boolean;
  /** Protocol on the UART. */
  readonly harness?: HarnessOptions | null;
  /** Start-up code copies the weights to RAM. */
  readonly weightsInRam?: boolean;
  /** More files of kernels/runtime. */
  readonly runtime?: readonly string[];
  /** Bytes at the end of flash that the program does not use. */
  readonly reservedFlashBytes?: number;
  /** Comment at the top of generated files. */
  readonly opening: string;
  readonly library: KernelLibrary;
}

/** Adds them to `tree`, which holds the program's own files. */
export function addSupport(tree: Map<string, string>, options: SupportOptions): void {
  const { board, bare, harness = null, weightsInRam = false, opening, library, runtime = [] } = options;
  if (board) {
    tree.set('board.h', boardHeader(board, opening));
  }
  for (const file of [...(board ? runtimeSources(board, bare, harness) : []), ...runtime]) {
    const path = `runtime/${file}`;
    tree.set(path, defined(library.files.get(path), `kernels/${path}`));
  }
  for (const path of neededFiles(library, [...tree.values()])) {
    tree.set(treePath(path), defined(library.files.get(path), `kernels/${path}`));
  }
  if (!board) return;
  tree.set('linker.ld', linkerScript(board, weightsInRam, options.reservedFlashBytes));
  tree.set('Makefile', makefile(board, cSources(tree)));
}

/** The .c files of a tree, in its order. */
export function cSources(tree: SourceTree): string[] {
  return [...tree.keys()].filter((path) => path.endsWith('.c'));
}

/** Kernel groups are folders in our library; in a generated tree kernels/src is flat, as names are unique. */
function treePath(libraryPath: string): string {
  const name = defined(libraryPath.split('/').at(-1), 'file name');
  if (libraryPath.startsWith('src/')) return `kernels/src/${name}`;
  return libraryPath.startsWith('runtime/') ? libraryPath : `kernels/${libraryPath}`;
}
