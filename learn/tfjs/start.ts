/** tfjs on its wasm backend, one thread (sums in a fixed order: the same seed gives the same model), with the missing gradients. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { env, ready, setBackend } from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
// For its side effect: it registers the gradients of all operations.
import '@tensorflow/tfjs-layers';
import { registerFakeQuantization } from './fake-quantization.ts';
import { registerGradientKernels } from './gradient-kernels.ts';
import { registerNormalisationKernels } from './normalisation-kernels.ts';

/** Where the backend's .wasm files lie. */
export function wasmFolder(): string {
  const backend = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  return join(dirname(backend), 'dist', '/');
}

export function withoutThreads(): void {
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
}

export async function startTfjs(): Promise<void> {
  setWasmPaths(wasmFolder());
  withoutThreads();
  await setBackend('wasm');
  await ready();
  registerGradientKernels();
  registerNormalisationKernels();
  registerFakeQuantization();
}
