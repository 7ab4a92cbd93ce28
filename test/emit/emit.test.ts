/** The generated tree: reproducible, formatted, complete, and the same as the goldens under test/golden. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import { ConstantPool, typedValues } from '../../firmware-gen/emit/constants.ts';
import type { EmitOptions, SourceTree } from '../../firmware-gen/emit/index.ts';
import { emitC } from '../../firmware-gen/emit/index.ts';
import { makeLibrary, neededFiles } from '../../firmware-gen/emit/kernel-library.ts';
import type { Graph } from '../../firmware-gen/ir/graph.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../../firmware-gen/plan/index.ts';
import { loadModel } from '../../harness/model.ts';
import { tinyModel } from './tiny-model.ts';

const BASE: EmitOptions = { hooks: false, bare: true, modelSha256: 'ab'.repeat(32), version: '0.0.0-test' };

function emit(graph: Graph, options: Partial<EmitOptions> = {}): SourceTree {
  const schedule = lower(graph, { fuse: true, dsp: true });
  return emitC(schedule, planMemory(schedule), { ...BASE, ...options });
}

/** Runs `work` in a folder that holds the tree. */
function inFolder(tree: SourceTree, work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-emit-'));
  try {
    for (const [path, text] of tree) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('emitC', () => {
  const board = loadBoard('mps2-an386');

  it('should give the same bytes twice, without paths of this machine', () => {
    const first = emit(tinyModel(), { board });
    expect([...emit(tinyModel(), { board })]).toEqual([...first]);
    for (const text of first.values()) expect(text).not.toMatch(/\/work\/|\/home\/|\/tmp\//);
  });

  it('should keep generated C within 120 columns', () => {
    const tree = emit(tinyModel('a_model_with_a_rather_long_name_of_many_characters'), {
      board,
      bare: false,
      hooks: true,
    });
    const generated = [...tree].filter(([path]) => !path.startsWith('kernels/') && /\.[ch]$/.test(path));
    const long = generated.flatMap(([path, text]) =>
      text.split('\n').flatMap((line) => (line.length > 120 ? [`${path}: ${line}`] : [])),
    );
    expect(long).toEqual([]);
  });

  it('should call the hook after every op, aliases included, only when asked', () => {
    const calls = (tree: SourceTree): number => tree.get('tiny.c')!.match(/tiny_on_op\(\d+\)/g)?.length ?? 0;
    expect(calls(emit(tinyModel(), { hooks: true }))).toBe(6);
    expect([...emit(tinyModel(), { board }).values()].join('')).not.toContain('on_op');
  });

  it('should leave UART and printing out of a bare program', () => {
    const files = (bare: boolean): string[] => [...emit(tinyModel(), { board, bare }).keys()];
    expect(files(true).filter((path) => /uart|print/.test(path))).toEqual([]);
    expect(files(false)).toContain('runtime/tl_uart_cmsdk.c');
  });

  it('should emit equal constants once and never give two arrays one name', () => {
    const pool = new ConstantPool('net');
    expect(pool.add('int8_t', Int8Array.of(1, 2), 'op0_filter', '')).toBe('net_op0_filter');
    expect(pool.add('int8_t', Int8Array.of(1, 2), 'op1_filter', '')).toBe('net_op0_filter');
    expect(pool.add('uint8_t', Uint8Array.of(1, 2), 'op1_filter', '')).toBe('net_op1_filter');
    expect(pool.add('int8_t', Int8Array.of(3), 'op0_filter', '')).toBe('net_op0_filter_2');
    expect(pool.bytes).toBe(5);
  });

  it('should print the bytes of a constant that is a view into a file', () => {
    const file = Buffer.from([9, 9, 9, 9, 1, 2, 3, 4]);
    expect([...typedValues('int16_t', file.subarray(4))]).toEqual([0x201, 0x403]);
  });

  it('should survive hostile model and tensor names', () => {
    const graph = tinyModel('*/ int main(){} /* "\\\n');
    const hostile = {
      ...graph,
      tensors: graph.tensors.map((tensor) => ({ ...tensor, name: `*/ #error ${tensor.name}\n#error` })),
    };
    inFolder(emit(hostile), (folder) => {
      const source = [...emit(hostile).keys()].find((path) => /^\w+\.c$/.test(path) && !path.includes('weights'))!;
      execFileSync('gcc', ['-std=c99', '-Wall', '-Wextra', '-Werror', '-Ikernels/include', '-fsyntax-only', source], {
        cwd: folder,
      });
    });
  });

  it('should link two models into one C++ program', () => {
    const tree = new Map([...emit(tinyModel('first')), ...emit(tinyModel('second'))]);
    tree.set(
      'app.cpp',
      `#include "first.h"
#include "second.h"
alignas(8) static unsigned char arena[FIRST_ARENA_BYTES > SECOND_ARENA_BYTES ? FIRST_ARENA_BYTES : SECOND_ARENA_BYTES];
int main()
{
    if (first_invoke() != -1 || first_input(0) != nullptr) return 4;
    if (first_init(arena) != 0 || second_init(arena) != 0 || first_init(arena + 1) != -1 || first_init(nullptr) != -1) return 1;
    if (first_input(1) != nullptr || first_output(-1) != nullptr || first_input(0) == nullptr) return 2;
    return first_invoke() != 0 || second_invoke() != 0 ? 3 : 0;
}
`,
    );
    inFolder(tree, (folder) => {
      const sources = [...tree.keys()].filter((path) => path.endsWith('.c'));
      execFileSync('gcc', ['-std=c99', '-O1', '-I.', '-Ikernels/include', '-c', ...sources], { cwd: folder });
      const objects = sources.map((path) => path.split('/').at(-1)!.replace(/\.c$/, '.o'));
      execFileSync('g++', ['-std=c++11', '-Wall', '-Wextra', '-Werror', 'app.cpp', ...objects, '-lm', '-o', 'app'], {
        cwd: folder,
      });
      execFileSync(join(folder, 'app'));
    });
  });

  it('should have no mutable data in the model', () => {
    const tree = emit(tinyModel());
    inFolder(tree, (folder) => {
      execFileSync('gcc', ['-std=c99', '-O1', '-fno-pic', '-Ikernels/include', '-c', 'tiny.c', 'tiny_weights.c'], {
        cwd: folder,
      });
      const symbols = execFileSync('nm', ['tiny.o', 'tiny_weights.o'], { cwd: folder, encoding: 'utf8' });
      expect(symbols.split('\n').filter((line) => /^\w+ [dDbBC] /.test(line))).toEqual([]);
    });
  });

  for (const name of ['mps2-an386', 'nucleo-l4r5zi']) {
    it(`should equal the golden of the tiny model on ${name}`, async () => {
      const schedule = lower(tinyModel(), { fuse: true, dsp: true });
      const plan = planMemory(schedule);
      const tree = emitC(schedule, plan, { ...BASE, board: loadBoard(name), bare: false });
      const golden = join(import.meta.dirname, '..', 'golden', 'tiny', name);
      // Copies of kernels/ are the library's own text and have their own tests.
      const generated = [...tree].filter(([path]) => !path.startsWith('kernels/') && !path.startsWith('runtime/'));
      for (const [path, text] of generated) await expect(text).toMatchFileSnapshot(join(golden, path));
      await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot(join(golden, 'plan.json'));
      await expect(`${[...tree.keys()].join('\n')}\n`).toMatchFileSnapshot(join(golden, 'files.txt'));
    });
  }
});

describe('built-in models', () => {
  const folder = join(packageRoot(), 'models');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.tflite'))) {
    it(`should equal the golden of ${file}`, async () => {
      const { graph, sha256 } = loadModel(join(folder, file));
      const schedule = lower(graph, { fuse: true, dsp: true });
      const plan = planMemory(schedule);
      const tree = emitC(schedule, plan, { ...BASE, modelSha256: sha256, board: loadBoard('mps2-an386') });
      const golden = join(import.meta.dirname, '..', 'golden', graph.name, 'mps2-an386');
      // The weights are the .tflite's own; what is decided here is everything else.
      const generated = [...tree].filter(([path]) => /^\w+\.[ch]$/.test(path) && !path.endsWith('_weights.c'));
      for (const [path, text] of generated) await expect(text).toMatchFileSnapshot(join(golden, path));
      await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot(join(golden, 'plan.json'));
    });
  }
});

describe('neededFiles', () => {
  const library = makeLibrary(
    new Map([
      [
        'include/tl_a.h',
        '#include "tl_types.h"\nint tl_a(void);\nint tl_b(void);\nstatic inline int tl_inline(void) { return tl_c(); }\n',
      ],
      ['include/tl_types.h', '#ifdef __cplusplus\nextern "C" {\n#endif\ntypedef int tl_status;\nint tl_b(void);\n'],
      [
        'src/A/tl_a.c',
        '#include "tl_a.h"\n/* not like tl_b */\nstatic int tl_helper(void)\n{\n    return 1;\n}\nint tl_a(void)\n{\n    return tl_helper() + tl_table[0];\n}\n',
      ],
      ['src/A/tl_b.c', '#include "tl_a.h"\nint tl_b(void)\n{\n    return 2;\n}\n'],
      ['src/A/tl_c.c', '#include "tl_a.h"\nint tl_c(void)\n{\n    return 3;\n}\n'],
      ['src/A/tl_table.c', '#include "tl_a.h"\nconst int tl_table[2] = {\n    1, 2};\n'],
    ]),
  );

  it('should follow calls, tables and inline helpers, but neither declarations nor comments', () => {
    expect(neededFiles(library, ['#include "tl_a.h"\nint x(void) { return tl_a(); }'])).toEqual([
      'include/tl_a.h',
      'include/tl_types.h',
      'src/A/tl_a.c',
      'src/A/tl_c.c',
      'src/A/tl_table.c',
    ]);
  });

  it('should refuse a kernel that includes what is not there', () => {
    const broken = makeLibrary(new Map([['src/A/tl_a.c', '#include "gone.h"\nint tl_a(void)\n{\n}\n']]));
    expect(() => neededFiles(broken, ['tl_a'])).toThrow('includes gone.h');
  });
});
