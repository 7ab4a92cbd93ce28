/** Style as a test: the layers import one way only, the emulator's core runs in a browser, banned words stay out (STYLE 2 and 5). */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../common/package-root.ts';

/** For every layer: what it may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  common: [],
  boards: ['common'],
  emulator: ['boards', 'common'],
  'firmware-gen/tflite': ['common'],
  'firmware-gen/ir': ['common'],
  'firmware-gen/reference': ['firmware-gen/ir', 'common'],
  'firmware-gen/passes': ['firmware-gen/tflite', 'firmware-gen/ir', 'firmware-gen/reference', 'common'],
  'firmware-gen/plan': ['firmware-gen/passes', 'firmware-gen/ir', 'common'],
  'firmware-gen/emit': ['firmware-gen/plan', 'firmware-gen/passes', 'firmware-gen/ir', 'boards', 'common'],
  'firmware-gen/toolchain': ['firmware-gen/emit', 'boards', 'common'],
  learn: ['firmware-gen', 'common'],
  harness: ['firmware-gen', 'emulator', 'boards', 'common'],
  cli: ['harness', 'learn', 'firmware-gen', 'emulator', 'boards', 'common'],
};
const SOURCE_FOLDERS = ['common', 'boards', 'emulator', 'firmware-gen', 'learn', 'harness', 'cli'];
/** The folders of the emulator that a browser cannot load; everything else there must not import Node. */
const NODE_ONLY = ['emulator/cpu/unicorn'];
const BANNED = /\b(TODO|FIXME|XXX|HACK|placeholder|hacky|legacy)\b/i;

const root = packageRoot();

function filesUnder(folder: string, extension: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extension.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
}

function layerOf(file: string): string {
  const layers = Object.keys(MAY_IMPORT).sort((a, b) => b.length - a.length);
  return layers.find((layer) => file.startsWith(`${layer}/`)) ?? file.split('/')[0]!;
}

const sources = SOURCE_FOLDERS.flatMap((folder) => filesUnder(folder, /\.ts$/));

describe('tidy', () => {
  it('should import only downwards', () => {
    const upward: string[] = [];
    for (const file of sources) {
      const from = layerOf(file);
      const allowed = MAY_IMPORT[from] ?? ['firmware-gen', 'boards', 'common'];
      for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
        const target = join(file, '..', specifier).split(sep).join('/');
        const to = layerOf(target);
        if (to !== from && !allowed.some((layer) => to === layer || to.startsWith(`${layer}/`)))
          upward.push(`${file} imports ${target}`);
      }
    }
    expect(upward).toEqual([]);
  });

  it("should keep Node out of the emulator's core", () => {
    const nodeImports = sources
      .filter((file) => file.startsWith('emulator/') && !NODE_ONLY.some((folder) => file.startsWith(folder)))
      .flatMap((file) =>
        importsOf(file)
          .filter((name) => name.startsWith('node:'))
          .map((name) => `${file} imports ${name}`),
      );
    expect(nodeImports).toEqual([]);
  });

  it('should reach the Unicorn addon only from its adapter', () => {
    const outside = sources
      .filter((file) => !file.startsWith('emulator/cpu/unicorn/'))
      .filter((file) => importsOf(file).some((name) => name.includes('unicorn/addon') || name.endsWith('.node')));
    expect(outside).toEqual([]);
  });

  it('should say nothing that calls itself unfinished', () => {
    const files = [...sources, ...filesUnder('kernels', /\.(c|h)$/)];
    const hits = files.flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (BANNED.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
    expect(hits).toEqual([]);
  });

  it('should keep one kernel function per C file, named after it', () => {
    const wrong = filesUnder('kernels/src', /\.c$/).filter((file) => {
      const name = file.split('/').at(-1)!.replace(/\.c$/, '');
      return !new RegExp(`\\b${name}\\s*\\(`).test(readFileSync(join(root, file), 'utf8'));
    });
    expect(wrong).toEqual([]);
  });
});
