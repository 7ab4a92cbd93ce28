/**
 * What lowering produces: kernel calls in execution order, every argument already a C value. The emitter prints them and decides nothing;
 * the planner sees only tensors, scratch sizes and permitted aliases.
 */
import type { Graph, TensorId } from './graph.ts';

export type CScalarType = 'int8_t' | 'uint8_t' | 'int16_t' | 'int32_t' | 'int64_t' | 'float';
export type ConstantValues = Int8Array | Uint8Array | Int16Array | Int32Array | BigInt64Array | Float32Array;

/** A constant array in flash, emitted to <model>_weights.c once per distinct (ctype, values). */
export interface CConstant {
  readonly ctype: CScalarType;
  /** Stem of the C symbol, e.g. "op3_filter"; the emitter prefixes the model name. */
  readonly name: string;
  readonly values: ConstantValues;
  /** One line about layout, emitted above the array. */
  readonly comment: string;
}

export type CValue =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  /** Pointer to a tensor: arena activation (typed from its dtype) or constant in flash. */
  | { readonly kind: 'tensor'; readonly tensor: TensorId }
  | { readonly kind: 'constant'; readonly constant: CConstant }
  | { readonly kind: 'null' }
  /** Address of a `static const <ctype>` with designated initialisers; fields may nest. */
  | { readonly kind: 'struct'; readonly ctype: string; readonly name: string; readonly fields: readonly CField[] }
  /** Address of a `tl_context` {scratch buffer, bytes}; buf is NULL when scratchBytes is 0. */
  | { readonly kind: 'context' }
  /** Array member of a struct, by value; only inside fields. Plain numbers are integers. */
  | { readonly kind: 'array'; readonly values: readonly (number | CValue)[] }
  /**
   * An array of tensor pointers: `(const void *const[]){...}` where the call reads them (CONCATENATION), `(void *const[]){...}` where it
   * writes them (SPLIT). void, because these kernels move elements of any type.
   */
  | { readonly kind: 'tensors'; readonly tensors: readonly TensorId[]; readonly name?: string }
  /** A function of kernels/, passed as a pointer. */
  | { readonly kind: 'symbol'; readonly name: string };

export interface CField {
  readonly name: string;
  readonly value: CValue;
}

export interface KernelCall {
  /** Row of the report: index of the op whose cycles these are. */
  readonly opIndex: number;
  /** Ops whose work this call also does (fused); their rows show 0 cycles. */
  readonly fusedOpIndices: readonly number[];
  /** C function, declared in a header of kernels/include; its file is kernels/src/<Group>/<function>.c. */
  readonly function: string;
  readonly header: string;
  readonly args: readonly CValue[];
  /** Activations read and written, for lifetimes. Constants are not listed. */
  readonly reads: readonly TensorId[];
  readonly writes: readonly TensorId[];
  readonly scratchBytes: number;
  /** Pairs whose buffers may be the same address: the kernel is correct when output starts exactly where input starts. */
  readonly inPlace: readonly { readonly input: TensorId; readonly output: TensorId }[];
}

export interface Schedule {
  readonly graph: Graph;
  /** Ops that need no code (RESHAPE of the same bytes): output is the input's buffer. Resolved chains allowed. */
  readonly aliases: readonly { readonly opIndex: number; readonly input: TensorId; readonly output: TensorId }[];
  readonly calls: readonly KernelCall[];
}

export interface LowerOptions {
  /** False for --per-op: every op writes its own output. */
  readonly fuse: boolean;
  /** DSP: Armv7E-M SIMD is there, weights may be packed for it. */
  readonly dsp: boolean;
}

/** `arena` offsets in bytes, 8-byte aligned except where an alias dictates otherwise; constants have none. */
export interface MemoryPlan {
  readonly arenaBytes: number;
  /** Per TensorId: offset in the arena, or null for constants and unused tensors. */
  readonly tensorOffset: readonly (number | null)[];
  /** Per call: offset of its scratch, or null when it has none. */
  readonly scratchOffset: readonly (number | null)[];
  /** Index into Schedule.calls at which live bytes peak. */
  readonly peakCall: number;
}
