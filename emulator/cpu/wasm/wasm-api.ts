/** The part of the WebAssembly JavaScript API the engine uses, typed here: the emulator's core is compiled without the browser's types. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export type WasmFunction = (...args: number[]) => number;

/** A table of functions that translated code calls. */
export interface WasmTable {
  readonly length: number;
  set(index: number, value: WasmFunction): void;
  grow(count: number): void;
}

interface Api {
  readonly Table: new (descriptor: { element: 'anyfunc'; initial: number }) => WasmTable;
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, WasmFunction>> };
}

const api = (globalThis as unknown as { readonly WebAssembly: Api }).WebAssembly;

export function createMemory(pages: number): WasmMemory {
  return new api.Memory({ initial: pages, maximum: pages });
}

export function createTable(initial: number): WasmTable {
  return new api.Table({ element: 'anyfunc', initial });
}

/** Compiles and links synchronously; @throws on an invalid module, which is a bug of ours. */
export function instantiate(bytes: Uint8Array, imports: object): Readonly<Record<string, WasmFunction>> {
  return new api.Instance(new api.Module(bytes), imports).exports;
}
