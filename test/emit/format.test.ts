/** Generated C comes out as clang-format would leave it, in the style of kernels/.clang-format; so does the runtime. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import { emitC } from '../../firmware-gen/emit/index.ts';
import { lower } from '../../firmware-gen/passes/lower/index.ts';
import { planMemory } from '../../firmware-gen/plan/index.ts';
import { tinyModel } from './tiny-model.ts';

const STYLE = join(packageRoot(), 'kernels', '.clang-format');
const CLANG_FORMAT = 'clang-format-14';

function isInstalled(): boolean {
  try {
    execFileSync(CLANG_FORMAT, ['--version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

function formatted(text: string, name: string): string {
  return execFileSync(CLANG_FORMAT, [`--style=file:${STYLE}`, `--assume-filename=${name}`], {
    input: text,
    encoding: 'utf8',
  });
}

describe.skipIf(!isInstalled())(`generated C under ${CLANG_FORMAT} (skipped where it is not installed)`, () => {
  for (const name of ['tiny', 'a_model_with_a_rather_long_name_of_many_characters']) {
    it(`should have nothing to reformat in model ${name}`, () => {
      const schedule = lower(tinyModel(name), { fuse: true, dsp: true });
      const board = loadBoard('mps2-an386');
      const options = { board, hooks: true, bare: false, modelSha256: 'ab'.repeat(32), version: '0.0.0' };
      const tree = emitC(schedule, planMemory(schedule), options);
      // Tables of weights are laid out by our own rule: 16 values to a line.
      const files = [...tree].filter(([path]) => /^\w+\.[ch]$/.test(path) && !path.endsWith('_weights.c'));
      expect(files.length).toBeGreaterThanOrEqual(5);
      for (const [path, text] of files) expect(formatted(text, path), path).toBe(text);
    });
  }

  it('should have nothing to reformat in kernels/runtime', () => {
    const folder = join(packageRoot(), 'kernels', 'runtime');
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'utf8');
      expect(formatted(text, file), file).toBe(text);
    }
  });
});
