/**
 * TensorFlow Lite itself, as the WebAssembly module of @tensorflow/tfjs-tflite: verifies a file against its schema, builds an interpreter and
 * runs it. Shares no code with ours. Declared as far as it is used; the package is not installed everywhere.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface TensorInfo {
  readonly dataType: string;
  /** A view of the interpreter's memory. */
  data(): ArrayLike<number> & { set(values: ArrayLike<number>): void };
}

interface TensorList {
  get(i: number): TensorInfo;
}

interface Runner {
  GetInputs(): TensorList;
  GetOutputs(): TensorList;
  Infer(): boolean;
}

interface Module {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  readonly TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(
      address: number,
      bytes: number,
      options: Readonly<Record<string, number | boolean>>,
    ): { ok(): boolean; errorMessage(): string; value(): Runner };
  };
}

type Factory = (options: { readonly wasmBinary: Uint8Array; print: unknown; printErr: unknown }) => Promise<Module>;

export interface Reading {
  /** Null when TensorFlow Lite refused the file. */
  readonly run: ((input: ArrayLike<number>) => number[]) | null;
  readonly inputType: string | null;
  /** Errors that it printed and gave. */
  readonly errors: string;
}

export interface TensorflowLite {
  read(file: Uint8Array): Reading;
}

const require = createRequire(import.meta.url);

/** Folder of the module, or null where the package is absent. */
export function tensorflowLiteFolder(): string | null {
  try {
    return join(dirname(require.resolve('@tensorflow/tfjs-tflite/package.json')), 'wasm');
  } catch {
    return null;
  }
}

export async function loadTensorflowLite(folder: string): Promise<TensorflowLite> {
  const factory = require(join(folder, 'tflite_web_api_cc.js')) as Factory;
  const printed: string[] = [];
  const printErr = (line: string): void => void (line.startsWith('ERROR') && printed.push(line));
  const wasmBinary = readFileSync(join(folder, 'tflite_web_api_cc.wasm'));
  const module = await factory({ wasmBinary, print: () => undefined, printErr });
  return {
    read: (file) => {
      printed.length = 0;
      const address = module._malloc(file.length);
      module.HEAPU8.set(file, address);
      const options = {
        ...{ numThreads: 1, enableWebNNDelegate: false, enableProfiling: false },
        ...{ maxProfilingBufferEntries: 0, bufferProfilingEvents: false },
      };
      const status = module.TFLiteWebModelRunner.CreateFromBufferAndOptions(address, file.length, options);
      if (!status.ok()) return { run: null, inputType: null, errors: [...printed, status.errorMessage()].join('\n') };
      const runner = status.value();
      const input = runner.GetInputs().get(0);
      const run = (values: ArrayLike<number>): number[] => {
        input.data().set(values);
        if (!runner.Infer()) throw new Error(`TensorFlow Lite: inference failed; ${printed.join('; ')}`);
        return Array.from(runner.GetOutputs().get(0).data());
      };
      return { run, inputType: input.dataType, errors: printed.join('\n') };
    },
  };
}
