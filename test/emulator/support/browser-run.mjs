// Runs an ELF on the wasm engine from dist/, in a context that has what browsers have and nothing of Node; prints one line of JSON.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import vm from 'node:vm';

const [root, boardPath, elfPath] = process.argv.slice(2);
const result = [];
const context = vm.createContext({
  WebAssembly,
  TextDecoder,
  TextEncoder,
  boardText: readFileSync(boardPath, 'utf8'),
  elf: new Uint8Array(readFileSync(elfPath)),
  result,
});
const modules = new Map();
const load = (path) => {
  if (!modules.has(path))
    modules.set(path, new vm.SourceTextModule(readFileSync(path, 'utf8'), { context, identifier: path }));
  return modules.get(path);
};
// A bundler would find the package zod, which is plain JavaScript; node: and everything else it would not.
const zod = resolve(dirname(createRequire(`${root}/package.json`).resolve('zod/package.json')), 'index.js');
const link = (specifier, from) => {
  if (specifier === 'zod') return load(zod);
  if (!specifier.startsWith('.')) throw new Error(`${from.identifier} imports ${specifier}`);
  return load(resolve(dirname(from.identifier), specifier));
};
const main = new vm.SourceTextModule(
  `
  import { parseBoard } from './boards/parse.js';
  import { assembleMachine } from './emulator/assemble-machine.js';
  import { coreOf } from './emulator/cores/core.js';
  import { WasmCpu } from './emulator/cpu/wasm/wasm-cpu.js';
  const board = parseBoard(boardText, 'board.json');
  const machine = assembleMachine(new WasmCpu(coreOf(board)), { board, image: elf });
  const { stop, exitCode, cycles } = machine.run();
  result.push({ stop, exitCode, cycles, process: typeof process, buffer: typeof Buffer });
  `,
  { context, identifier: `${root}/dist/main.js` },
);
await main.link(link);
await main.evaluate();
process.stdout.write(JSON.stringify(result[0]));
