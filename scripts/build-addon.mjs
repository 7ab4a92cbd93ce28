// Compiles emulator/cpu/unicorn/addon with g++ against Debian's libunicorn and the headers of node-addon-api and node-api-headers
// (both from node_modules). No node-gyp and no download: Node's ABI-stable headers are all an N-API addon needs.
// Exit codes: 0 built or up to date, 3 g++ or libunicorn-dev is missing, 70 the compiler failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sourceFolder = join(root, 'emulator', 'cpu', 'unicorn', 'addon');
const outputFolder = join(root, 'build', 'addon');
const output = join(outputFolder, 'thumbelina_unicorn.node');

function fail(message, exitCode) {
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}

const sources = readdirSync(sourceFolder).filter((name) => name.endsWith('.cc') || name.endsWith('.h'));
const newest = Math.max(...sources.map((name) => statSync(join(sourceFolder, name)).mtimeMs));
if (existsSync(output) && statSync(output).mtimeMs >= newest && !process.argv.includes('--force')) process.exit(0);

const compiler = process.env.CXX ?? 'g++';
if (spawnSync(compiler, ['--version']).status !== 0) {
  fail(`the Unicorn addon needs a C++ compiler: ${compiler} does not run; install it with: apt-get install g++`, 3);
}
const probe = spawnSync(compiler, ['-E', '-x', 'c++', '-'], { input: '#include <unicorn/unicorn.h>\n' });
if (probe.status !== 0) {
  fail(
    'the Unicorn addon needs <unicorn/unicorn.h>, which is not installed; install it with: apt-get install libunicorn-dev',
    3,
  );
}

mkdirSync(outputFolder, { recursive: true });
const partial = join(outputFolder, `partial-${process.pid}.node`);
const built = spawnSync(
  compiler,
  [
    ...['-shared', '-fPIC', '-O2', '-std=c++17', '-fno-exceptions', '-fvisibility=hidden'],
    ...[
      '-Wall',
      '-Wextra',
      '-Wno-unused-parameter',
      '-DNAPI_VERSION=8',
      '-DNAPI_DISABLE_CPP_EXCEPTIONS',
      '-DNODE_ADDON_API_DISABLE_DEPRECATED',
    ],
    ...['-isystem', dirname(require.resolve('node-addon-api'))],
    ...['-isystem', require('node-api-headers').include_dir],
    ...sources.filter((name) => name.endsWith('.cc')).map((name) => join(sourceFolder, name)),
    ...['-lunicorn', '-o', partial],
  ],
  { encoding: 'utf8' },
);
if (built.status !== 0) fail(`building the Unicorn addon failed:\n${built.stderr}`, 70);
process.stderr.write(built.stderr);
// Renamed in one step, so that test workers never load a half-written file.
renameSync(partial, output);
