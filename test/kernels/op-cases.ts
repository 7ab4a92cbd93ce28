/** Builds graphs of one op for kernel tests, with seeded random shapes, quantization and data. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../common/package-root.ts';
import type { DType, Graph, Op, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import { tensorBytes } from '../../firmware-gen/ir/graph.ts';
import { createReference } from '../../firmware-gen/reference/index.ts';
import type { GraphCase } from './run-graph.ts';
import { expectSameOutputs, runOnHost } from './run-graph.ts';
import { runOnTarget } from './run-on-target.ts';

/** Seeded generator (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** [0, 1). */
  real(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** [low, high], integer. */
  int(low: number, high: number): number {
    return low + Math.floor(this.real() * (high - low + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)] as T;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.int(0, 255));
  }

  /** A float32 scale between 2^-12 and 2^4. */
  scale(): number {
    return Math.fround(2 ** (this.real() * 16 - 12));
  }

  /** int8 zero point, extremes included. */
  zeroPoint(): number {
    return this.pick([-128, 127, 0, this.int(-128, 127), this.int(-128, 127)]);
  }
}

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  readonly scale?: number;
  readonly zeroPoint?: number;
  /** Little-endian bytes of a constant. */
  readonly data?: Uint8Array;
}

function makeTensor(id: number, spec: TensorSpec): Tensor {
  const quantization = { scale: [Math.fround(spec.scale ?? 0.5)], zeroPoint: [spec.zeroPoint ?? 0], axis: 0 };
  const dtype = spec.dtype ?? 'int8';
  return {
    id: id as TensorId,
    name: `t${id}`,
    dtype,
    shape: spec.shape,
    quantization: dtype === 'float32' ? null : quantization,
    data: spec.data ?? null,
  };
}

type Distributive<T> = T extends unknown ? Omit<T, 'index' | 'inputs' | 'outputs'> : never;
/** Kind and attributes of an op. */
export type Attributes = Distributive<Op>;

/** A graph of that one op; inputs without data are graph inputs. */
export function oneOpGraph(
  name: string,
  attributes: Attributes,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): Graph {
  const tensors = [...inputs, ...outputs].map((spec, id) => makeTensor(id, spec));
  const [inputIds, outputIds] = [tensors.slice(0, inputs.length), tensors.slice(inputs.length)].map((group) =>
    group.map((tensor) => tensor.id),
  ) as [TensorId[], TensorId[]];
  const op = { ...attributes, index: 0, inputs: inputIds, outputs: outputIds } as Op;
  return {
    name,
    tensors,
    ops: [op],
    inputs: inputIds.filter((id) => tensors[id]?.data === null),
    outputs: outputIds,
    notes: [],
  };
}

/**
 * The same op between int8 table ops, so that its inputs and outputs live inside the arena and the plan may overlay them: the harness then
 * compares an in-place plan with one that keeps all buffers apart. Only for graphs whose inputs and outputs are int8.
 */
export function sandwiched(graph: Graph): Graph {
  const tensors = [...graph.tensors];
  const copyOf = (id: TensorId): TensorId => {
    const tensor = tensors[id] as Tensor;
    const copy = tensors.length as TensorId;
    tensors.push({ ...tensor, id: copy, name: `t${copy}` });
    return copy;
  };
  const table = (from: TensorId, to: TensorId): Op => ({ index: 0, kind: 'QUANTIZE', inputs: [from], outputs: [to] });
  const outer = { inputs: graph.inputs.map(copyOf), outputs: graph.outputs.map(copyOf) };
  const ops = [
    ...graph.inputs.map((id, position) => table(outer.inputs[position] as TensorId, id)),
    ...graph.ops,
    ...graph.outputs.map((id, position) => table(id, outer.outputs[position] as TensorId)),
  ];
  return { ...graph, ...outer, tensors, ops: ops.map((op, index) => ({ ...op, index })) };
}

/** Random bytes for every input; float inputs are normal numbers of either sign up to `floatMax`. */
export function withRandomInputs(graph: Graph, random: Random, floatMax = 100): GraphCase {
  const inputs = graph.inputs.map((id) => {
    const tensor = graph.tensors[id] as Tensor;
    if (tensor.dtype !== 'float32') return random.bytes(tensorBytes(tensor));
    const values = Float32Array.from({ length: tensorBytes(tensor) / 4 }, () => (random.real() * 2 - 1) * floatMax);
    return new Uint8Array(values.buffer);
  });
  return { graph, inputs };
}

/**
 * Where a kernel runs: on this machine under sanitizers as pure C99 (off) or with the DSP instructions written in C (emulated), and cross-
 * compiled on the emulated Cortex-M4 (target).
 */
export const HOST_FORMS = ['off', 'emulated'] as const;
export const FORMS = [...HOST_FORMS, 'target'] as const;
export type Form = (typeof FORMS)[number];

async function outputsOf(cases: readonly GraphCase[], form: Form): Promise<(readonly Uint8Array[])[]> {
  if (form === 'target') return (await runOnTarget(cases, { fuse: true })).map((result) => result.outputs);
  return runOnHost(cases, { dsp: form, fuse: true });
}

/** Runs all cases in one program and demands the reference's bytes. */
export async function expectReferenceBytes(cases: readonly GraphCase[], form: Form): Promise<void> {
  const results = await outputsOf(cases, form);
  for (const [index, { graph, inputs }] of cases.entries()) {
    const tensors = graph.tensors.map(({ dtype, shape, quantization }) => [dtype, shape, quantization]);
    const label = `case ${index} ${JSON.stringify({ ops: graph.ops, tensors })}`;
    expectSameOutputs(graph, results[index] ?? [], createReference(graph).run(inputs).outputs, label);
  }
}

/** Values of C integer expressions over the kernels' functions; `source` is the .c file below kernels/src that defines them. */
export function cValues(
  source: string,
  header: string,
  expressions: readonly string[],
  defines: readonly string[] = [],
): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-values-'));
  try {
    const prints = expressions.map((expression) => `printf("%d\\n", (int)(${expression}));`).join(' ');
    const program = `#include <stdio.h>\n#include "${header}"\nint main(void) { ${prints} return 0; }\n`;
    writeFileSync(join(folder, 'values.c'), program);
    const kernels = join(packageRoot(), 'kernels');
    const files = [join(folder, 'values.c'), join(kernels, 'src', source)];
    execFileSync('gcc', [
      '-std=c99',
      ...defines,
      `-I${join(kernels, 'include')}`,
      ...files,
      '-o',
      join(folder, 'values'),
    ]);
    return execFileSync(join(folder, 'values'), { encoding: 'utf8' }).trim().split('\n').map(Number);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
