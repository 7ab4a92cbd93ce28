// Compiles the addons with g++ and the headers of node-addon-api and node-api-headers (both from node_modules): Unicorn against Debian's
// libunicorn, and pseudo-terminals. No node-gyp and no download: Node's ABI-stable headers are all an N-API addon needs.
// Exit codes: 0 built or up to date, 3 g++ or libunicorn-dev is missing, 70 the compiler failed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outputFolder = join(root, 'build', 'addon');
const compiler = process.env.CXX ?? 'g++';

const addons = [
  { name: 'thumbelina_pty', folder: join(root, 'harness', 'pty', 'addon'), libraries: [], check: () => undefined },
  {
    name: 'thumbelina_unicorn',
    folder: join(root, 'emulator', 'cpu', 'unicorn', 'addon'),
    libraries: ['-lunicorn'],
    check: requireUnicorn,
  },
];

function fail(message, exitCode) {
  process.stderr.write(`${message}\n`);
  process.exit(exitCode);
}

function requireUnicorn() {
  const probe = spawnSync(compiler, ['-E', '-x', 'c++', '-'], { input: '#include <unicorn/unicorn.h>\n' });
  if (probe.status === 0) return;
  fail(
    'the Unicorn addon needs <unicorn/unicorn.h>, which is not installed; install it with: apt-get install libunicorn-dev',
    3,
  );
}

function build({ name, folder, libraries, check }) {
  const output = join(outputFolder, `${name}.node`);
  const sources = readdirSync(folder).filter((file) => file.endsWith('.cc') || file.endsWith('.h'));
  const newest = Math.max(...sources.map((file) => statSync(join(folder, file)).mtimeMs));
  if (existsSync(output) && statSync(output).mtimeMs >= newest && !process.argv.includes('--force')) return;
  if (spawnSync(compiler, ['--version']).status !== 0) {
    fail(`the addons need a C++ compiler: ${compiler} does not run; install it with: apt-get install g++`, 3);
  }
  check();
  mkdirSync(outputFolder, { recursive: true });
  const partial = join(outputFolder, `partial-${process.pid}.node`);
  const warnings = ['-Wall', '-Wextra', '-Wno-unused-parameter'];
  const defines = ['-DNAPI_VERSION=8', '-DNAPI_DISABLE_CPP_EXCEPTIONS', '-DNODE_ADDON_API_DISABLE_DEPRECATED'];
  const args = [
    ...['-shared', '-fPIC', '-O2', '-std=c++17', '-fno-exceptions', '-fvisibility=hidden', ...warnings, ...defines],
    ...['-isystem', dirname(require.resolve('node-addon-api'))],
    ...['-isystem', require('node-api-headers').include_dir],
    ...sources.filter((file) => file.endsWith('.cc')).map((file) => join(folder, file)),
    ...[...libraries, '-o', partial],
  ];
  const built = spawnSync(compiler, args, { encoding: 'utf8' });
  if (built.status !== 0) fail(`building the addon ${name} failed:\n${built.stderr}`, 70);
  process.stderr.write(built.stderr);
  // Renamed in one step, so that test workers never load a half-written file.
  renameSync(partial, output);
}

for (const addon of addons) build(addon);
