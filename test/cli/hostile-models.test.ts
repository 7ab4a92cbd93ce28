/**
 * Hostile .tflite files through the command line: exit code 2, one line, nothing on standard output, no file left, within seconds. Every
 * file goes through `inspect` and, in turn, one of the commands that write.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, ftruncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { classifierModel } from '../tflite/model-builder.ts';
import { thumbelina } from './support/cli.ts';
import { damagedReferences, hugeActivations, senselessModels, truncations } from './support/hostile-models.ts';
import { filesBelow, workspace } from './support/workspace.ts';

const SECONDS_MAX = 30;
const WRITING = ['run', 'build', 'generate'] as const;
const shipped = join(packageRoot(), 'models', 'har_wisdm_watch.tflite');
const shared = join(packageRoot(), '..', 'shared', 'models', 'kws_ref_model.tflite');
const space = workspace();
let outputs = 0;

/** Runs one command on a file that must be refused, and proves that it was refused the way the contract has it. */
async function expectRefusal(command: string, path: string, message: RegExp, ...words: string[]): Promise<void> {
  const folder = space.path(`out-${++outputs}`);
  const output = command === 'inspect' ? [] : ['-o', folder];
  const { code, stdout, stderr } = await thumbelina([command, path, ...output, ...words], { secondsMax: SECONDS_MAX });
  const label = `${command} ${basename(path)}`;
  expect(stderr, label).toMatch(/^thumbelina: [^\n]+\n$/);
  expect(stderr, label).toContain(basename(path, '.tflite'));
  expect(stderr, label).toMatch(message);
  expect(stderr.length, label).toBeLessThan(1000);
  expect({ code, stdout, files: filesBelow(folder), exists: existsSync(folder) }, label).toEqual({
    code: 2,
    stdout: '',
    files: [],
    exists: false,
  });
}

let turn = 0;
const cases = (files: readonly { what: string; bytes: Uint8Array; message: RegExp }[]) =>
  files.map(({ what, bytes, message }) => ({ what, bytes, message, index: turn++ }));

function refuses(from: string, files: readonly { what: string; bytes: Uint8Array; message: RegExp }[]): void {
  it.each(cases(files))(`$what (${from})`, async ({ bytes, message, index }) => {
    const path = space.write(`hostile-${index}.tflite`, bytes);
    const json = index % 2 === 0 ? ['--json'] : [];
    await Promise.all([
      expectRefusal('inspect', path, message, ...json),
      expectRefusal(WRITING[index % WRITING.length]!, path, message, ...json),
    ]);
  });
}

describe.concurrent('a hostile model is refused', () => {
  const classifier = writeTflite(classifierModel());
  refuses('small classifier', truncations(classifier));
  refuses('small classifier', damagedReferences(classifier));
  refuses('well-formed', senselessModels());
  const builtIn = new Uint8Array(readFileSync(shipped));
  refuses(
    'the built-in model',
    truncations(builtIn).filter((_, index) => index % 4 === 3),
  );
  refuses(
    'the built-in model',
    damagedReferences(builtIn).filter((_, index) => index % 3 === 0),
  );
});

describe.skipIf(!existsSync(shared)).concurrent('a hostile model is refused (needs ../shared/models)', () => {
  const bytes = new Uint8Array(readFileSync(existsSync(shared) ? shared : shipped));
  refuses(
    'keyword model',
    truncations(bytes).filter((_, index) => index % 4 === 1),
  );
  refuses(
    'keyword model',
    damagedReferences(bytes).filter((_, index) => index % 4 === 1),
  );
});

describe.concurrent('what is no model at all is refused', () => {
  it.each<[string, () => string, RegExp]>([
    ['an empty file', () => space.write('empty.tflite', ''), /0 bytes/],
    ['a text', () => space.write('text.tflite', 'once upon a time\n'), /not a TFLite file: identifier/],
    [
      'an ELF',
      () => space.write('elf.tflite', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0)),
      /not a TFLite/,
    ],
    ['an endless device', () => '/dev/zero', /larger than 256 MiB/],
    ['a sparse terabyte', () => sparse('sparse.tflite', 2 ** 40), /larger than 256 MiB/],
    ['200 MB of zeros', () => sparse('zeros.tflite', 2e8), /not a TFLite file: identifier/],
    ['a folder', () => (mkdirSync(space.path('folder.tflite')), space.path('folder.tflite')), /is a folder/],
  ])('%s', async (_, make, message) => {
    const path = make();
    for (const command of ['inspect', ...WRITING]) await expectRefusal(command, path, message);
  });

  it('a model whose activations no board holds', async () => {
    const path = space.write('huge.tflite', hugeActivations());
    for (const command of WRITING) await expectRefusal(command, path, /arena/);
  });
});

/** A file of `bytes` zeros that takes no disk. */
function sparse(name: string, bytes: number): string {
  const file = openSync(space.path(name), 'w');
  ftruncateSync(file, bytes);
  closeSync(file);
  return space.path(name);
}
