// dist/cli and all it imports as few files: node loads them in a fraction of the time. Run after tsc.
import { build } from 'rolldown';

await build({
  // A worker thread's file is found by its name beside the file that starts it.
  input: {
    main: 'dist/cli/main.js',
    worker: 'dist/harness/check/worker.js',
    'inject-worker': 'dist/harness/inject/inject-worker.js',
  },
  platform: 'node',
  // They find their native parts and their .wasm beside their own files.
  external: ['serialport', /^@tensorflow\//],
  logLevel: 'warn',
  output: { dir: 'dist/bundle', format: 'esm', cleanDir: true },
});
