/**
 * The kernels and the runtime as text, and which of their files a program needs. A file is needed when something needed mentions a tl_
 * function or table that it defines; one function per file keeps this exact enough that the image holds nothing unused.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, defined } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';

export interface KernelLibrary {
  /** Paths relative to kernels/, with forward slashes. */
  readonly files: ReadonlyMap<string, string>;
  /** tl_ identifier with external linkage -> the kernel's .c file that defines it. */
  readonly definedIn: ReadonlyMap<string, string>;
  /** Header name, as #include spells it -> its path. */
  readonly headers: ReadonlyMap<string, string>;
}

let loaded: KernelLibrary | null = null;

/** kernels/ of this package. Read once per process: it does not change while we run. */
export function kernelLibrary(): KernelLibrary {
  loaded ??= makeLibrary(readFolder(join(packageRoot(), 'kernels')));
  return loaded;
}

function readFolder(root: string): Map<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.[ch]$/.test(path))
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

export function makeLibrary(files: ReadonlyMap<string, string>): KernelLibrary {
  const definedIn = new Map<string, string>();
  const headers = new Map<string, string>();
  for (const [path, text] of files) {
    if (path.endsWith('.h')) headers.set(defined(path.split('/').at(-1), 'file name'), path);
    // The runtime's files are alternatives (one UART driver, one clock set-up); main-source.ts names those a board needs.
    else if (path.startsWith('src/')) for (const name of externalDefinitions(text)) definedIn.set(name, path);
  }
  return { files, definedIn, headers };
}

const IDENTIFIER = /\btl_\w+/g;

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/\/\/.*$/gm, '');
}

/** Splits text into what stands outside all braces and what stands inside some. Preprocessor lines count as inside. */
function splitByBraces(text: string): { outside: string; inside: string } {
  const code = withoutComments(text)
    .replace(/\\\n/g, ' ')
    .replace(/^#ifdef __cplusplus[\s\S]*?^#endif/gm, '');
  const directives = code.match(/^#.*$/gm) ?? [];
  let outside = '';
  let inside = directives.join('\n');
  let depth = 0;
  for (const character of code.replace(/^#.*$/gm, '')) {
    if (character === '{') depth += 1;
    if (depth === 0) outside += character;
    else inside += character;
    if (character === '}') {
      depth -= 1;
      if (depth === 0) outside += '{}';
    }
  }
  return { outside, inside };
}

/** Functions and tables a .c file defines for others: `tl_name(...) {` and `tl_name[...] = {` that are not static. */
function externalDefinitions(text: string): string[] {
  const { outside } = splitByBraces(text);
  const names: string[] = [];
  for (const match of outside.matchAll(/([^;{}]*?)\b(tl_\w+)\s*(?:\([^;{}]*\)\s*|(?:\[[^\]]*\])+\s*=\s*)\{\}/g)) {
    if (!/\b(static|TL_INLINE)\b/.test(match[1] ?? '')) names.push(defined(match[2], 'name'));
  }
  return names;
}

/** Identifiers a file uses: everything in a .c; in a header only what inline bodies and macros mention, since it declares much more. */
function usedIdentifiers(path: string, text: string): string[] {
  const code = path.endsWith('.h') ? splitByBraces(text).inside : withoutComments(text);
  return code.match(IDENTIFIER) ?? [];
}

function includesOf(text: string): string[] {
  return [...text.matchAll(/^#include "([^"]+)"/gm)].map((match) => defined(match[1], 'include'));
}

/** Every file of the library that programs made of `roots` (texts not in the library) need, sorted by path. */
export function neededFiles(library: KernelLibrary, roots: readonly string[]): string[] {
  const needed = new Set<string>();
  const visit = (path: string, text: string, isRoot: boolean): void => {
    for (const header of includesOf(text)) {
      const target = library.headers.get(header);
      if (target) add(target);
      else assert(isRoot || header === 'board.h', `kernels/${path} includes ${header}, which is not in kernels/`);
    }
    for (const name of usedIdentifiers(path, text)) {
      const target = library.definedIn.get(name);
      if (target) add(target);
    }
  };
  const add = (path: string): void => {
    if (needed.has(path)) return;
    needed.add(path);
    visit(path, defined(library.files.get(path), path), false);
  };
  for (const text of roots) visit('', text, true);
  return [...needed].sort();
}
