/**
 * Compiles a source tree for this machine with gcc's address and undefined-behaviour sanitizers. Objects are cached by content under
 * build/test-objects, since many tests share the kernels.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../common/package-root.ts';
import { INCLUDE_FLAGS, WARNING_FLAGS } from '../../firmware-gen/emit/build-flags.ts';

const run = promisify(execFile);
const JOBS = 2;
const FLAGS = [
  '-std=c99',
  '-O1',
  '-g1',
  '-ffp-contract=off',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
  ...WARNING_FLAGS,
  '-Werror',
];

/** Builds all .c files of `tree` but those listed in `included`, which others #include. Returns the program's path inside `folder`. */
export async function buildHostProgram(
  tree: ReadonlyMap<string, string>,
  folder: string,
  defines: readonly string[],
  included: ReadonlySet<string>,
): Promise<string> {
  for (const [path, text] of tree) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const cache = join(packageRoot(), 'build', 'test-objects');
  mkdirSync(cache, { recursive: true });
  const kernelHeaders = [...tree].filter(([path]) => path.startsWith('kernels/include/')).flat();
  const flags = [...FLAGS, ...INCLUDE_FLAGS, ...defines];
  const objects: string[] = [];
  const queue = [...tree].filter(([path]) => path.endsWith('.c') && !included.has(path));
  const worker = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [path, text] = next;
      const isKernel = path.startsWith('kernels/');
      const key = createHash('sha256')
        .update([text, path, ...flags, ...kernelHeaders].join('\0'))
        .digest('hex');
      const object = isKernel ? join(cache, `${key}.o`) : join(folder, `${path}.o`);
      objects.push(object);
      if (isKernel && existsSync(object)) continue;
      const fresh = `${object}.${process.pid}.tmp`;
      await run('gcc', [...flags, '-c', path, '-o', fresh], { cwd: folder, maxBuffer: 1 << 26 });
      renameSync(fresh, object);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, worker));
  const program = join(folder, 'program');
  await run('gcc', [...FLAGS, ...objects.sort(), '-lm', '-o', program], { cwd: folder, maxBuffer: 1 << 26 });
  return program;
}
