/**
 * Dynamic fixed point graphs between file and IR. In a file their activations are int8 or int16 without quantization, and metadata says how scales
 * are found (docs/dynamic-quantization.md); in the IR every such tensor has a scale tensor that kernels read and write.
 */
import { defined, UserError } from '../../common/errors.ts';
import { z } from 'zod';
import { SCALE_WORDS, SOFTMAX_LEAST_SCALE, STATE_WORDS, runScale, type RunScale } from '../ir/dynamic.ts';
import { leastInputScale } from '../ir/dynamic-weights.ts';
import { staticView, type DynamicWeightedOp } from '../ir/dynamic-ops.ts';
import type { Graph, GraphDynamics, Op, OpKind, Quantization, Tensor, TensorId } from '../ir/graph.ts';
import { tensorOf } from '../ir/graph.ts';
import { verify } from '../ir/verify.ts';

export const METADATA_NAME = 'thumbelina.dynamic';
/** What a tensor with a scale of its own says about it in the IR, so that static rules hold. */
export const NOMINAL: Quantization = { scale: [1], zeroPoint: [0], axis: 0 };

const metadataSchema = z.strictObject({
  schemaVersion: z.literal(1),
  scheme: z.enum(['q', 'asym']),
  form: z.enum(['full', 'rows', 'recompute', 'predicted']),
  input: z.strictObject({
    multiplier: z
      .number()
      .int()
      .min(2 ** 30)
      .max(2 ** 31 - 1),
    shift: z.number().int().min(-60).max(60),
    zeroPoint: z.number().int().min(-128).max(127),
  }),
});

export type DynamicMetadata = z.infer<typeof metadataSchema>;

/** @throws UserError naming what is wrong */
export function parseDynamicMetadata(bytes: Uint8Array): DynamicMetadata {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new UserError(`metadata ${METADATA_NAME}: is no JSON; quantize the model again`);
  }
  const parsed = metadataSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(
    `metadata ${METADATA_NAME}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}; quantize the model again`,
  );
}

export function dynamicMetadata(graph: Graph): DynamicMetadata {
  const { scheme, form, defaultInput } = defined(graph.dynamics, 'dynamics');
  return { schemaVersion: 1, scheme, form, input: { ...defaultInput } };
}

/** Ops whose output has the scale of their input. */
const KEEPS_SCALE: ReadonlySet<OpKind> = new Set([
  ...(['AVERAGE_POOL_2D', 'MAX_POOL_2D', 'MEAN', 'RESHAPE', 'SQUEEZE', 'EXPAND_DIMS', 'STRIDED_SLICE'] as const),
  ...(['TRANSPOSE', 'SPLIT', 'RESIZE_NEAREST_NEIGHBOR'] as const),
]);

const isWeighted = (op: Op): op is DynamicWeightedOp =>
  op.kind === 'CONV_2D' || op.kind === 'DEPTHWISE_CONV_2D' || op.kind === 'FULLY_CONNECTED';

class Expansion {
  readonly graph: Graph;
  readonly metadata: DynamicMetadata;
  readonly tensors: Tensor[];
  readonly scaleOf = new Map<TensorId, TensorId>();
  readonly states: TensorId[] = [];

  constructor(graph: Graph, metadata: DynamicMetadata) {
    this.graph = graph;
    this.metadata = metadata;
    this.tensors = [...graph.tensors];
  }

  words(name: string, count: number): TensorId {
    const id = this.tensors.length as TensorId;
    this.tensors.push({ id, name, dtype: 'int32', shape: [count], quantization: null, data: null });
    return id;
  }

  newScale(tensor: TensorId): TensorId {
    const scale = this.words(`${tensorOf(this.graph, tensor).name}:scale`, SCALE_WORDS);
    this.scaleOf.set(tensor, scale);
    return scale;
  }

  op(op: Op): Op {
    const [output] = op.outputs;
    const data = op.inputs.filter((id): id is TensorId => id !== null && tensorOf(this.graph, id).data === null);
    const scales = data.map((id) => this.scaleOf.get(id));
    const own = scales.filter((id) => id !== undefined);
    if (output === undefined || own.length !== data.length || own.length === 0)
      throw new UserError(`op ${op.index} ${op.kind}: mixes static and dynamic operands, which is not supported`);
    const { scheme, form } = this.metadata;
    const dynamic = { scheme, form, least: null };
    if (isWeighted(op)) {
      const isStateful = form === 'predicted' && op.kind !== 'FULLY_CONNECTED';
      const state = isStateful ? [this.words(`${tensorOf(this.graph, output).name}:range`, STATE_WORDS)] : [];
      this.states.push(...state);
      return { ...op, dynamic, inputs: [...op.inputs, ...own, ...state], outputs: [output, this.newScale(output)] };
    }
    if (op.kind === 'ADD' || op.kind === 'CONCATENATION') {
      if (data.length !== op.inputs.length)
        throw new UserError(`op ${op.index} ${op.kind}: a constant operand is not supported in dynamic fixed point`);
      return { ...op, dynamic, inputs: [...op.inputs, ...own], outputs: [output, this.newScale(output)] };
    }
    if (op.kind === 'SOFTMAX') return { ...op, dynamic, inputs: [...op.inputs, ...own] };
    // Padding with the real zero is padding with 0 only where zero points are 0.
    const isSymmetric = scheme === 'q' || tensorOf(this.graph, output).dtype === 'int16';
    const keeps = KEEPS_SCALE.has(op.kind) || (op.kind === 'PAD' && isSymmetric && op.padValue === 0);
    if (!keeps)
      throw new UserError(
        `op ${op.index} ${op.kind}: has no ${scheme === 'q' ? 'dynamic-q' : 'dynamic-asym'} form; quantize with --scheme static`,
      );
    for (const id of op.outputs) this.scaleOf.set(id, defined(own[0], 'scale'));
    return op;
  }
}

/** @param graph as imported: nominal quantization. @throws UserError for ops without a dynamic form */
export function expandDynamic(graph: Graph, metadata: DynamicMetadata): Graph {
  const [input, ...others] = graph.inputs;
  if (input === undefined || others.length > 0 || graph.outputs.length !== 1)
    throw new UserError('dynamic fixed point takes models with one input and one output; split the model');
  requireSupported(graph);
  if (tensorOf(graph, input).dtype === 'int16' && metadata.form !== 'full')
    throw new UserError(
      `form ${metadata.form}: activations of 16 bits have form full alone; quantize with --form full`,
    );
  const expansion = new Expansion(graph, metadata);
  const inputScale = expansion.newScale(input);
  const ops = graph.ops.map((op) => expansion.op(op));
  const least = leastScales(ops, expansion);
  const withLeast = ops.map((op): Op => {
    const scale = op.outputs[1];
    return op.dynamic && scale !== undefined
      ? { ...op, dynamic: { ...op.dynamic, least: least.get(scale) ?? null } }
      : op;
  });
  const outputScales = graph.outputs.flatMap((id) => expansion.scaleOf.get(id) ?? []);
  const dynamics: GraphDynamics = {
    scheme: metadata.scheme,
    form: metadata.form,
    defaultInput: metadata.input,
    leastInput: least.get(inputScale) ?? null,
    scaleOf: expansion.scaleOf,
    states: expansion.states,
  };
  const expanded: Graph = {
    ...graph,
    tensors: expansion.tensors,
    ops: withLeast,
    inputs: [input, inputScale],
    outputs: [...graph.outputs, ...outputScales],
    dynamics,
  };
  verify(expanded);
  return expanded;
}

function requireSupported(graph: Graph): void {
  for (const op of graph.ops) {
    const fail = (what: string): never => {
      throw new UserError(`op ${op.index} ${op.kind}: ${what} in dynamic fixed point; quantize with --scheme static`);
    };
    if ('activation' in op && op.activation === 'RELU_N1_TO_1') fail('RELU_N1_TO_1 is not supported');
    if (op.kind === 'SOFTMAX' && op.beta !== 1) fail(`beta ${op.beta} is not supported, 1 is,`);
    if (op.kind === 'CONCATENATION' && op.activation !== 'NONE') fail('a fused activation is not supported');
    if ((op.kind === 'AVERAGE_POOL_2D' || op.kind === 'MAX_POOL_2D') && op.activation !== 'NONE')
      fail('a fused activation is not supported');
    if (op.kind === 'ADD') {
      const shapes = op.inputs.map((id) => (id === null ? '' : tensorOf(graph, id).shape.join()));
      if (new Set(shapes).size !== 1) fail('operands of different shapes are not supported');
    }
    if (op.kind === 'CONV_2D') {
      const [input, filter] = op.inputs.map((id) => (id === null ? null : tensorOf(graph, id)));
      if (input?.shape[3] !== filter?.shape[3]) fail('grouped channels are not supported');
    }
  }
}

/** Per scale tensor the finest scale that all its readers can take. */
function leastScales(ops: readonly Op[], { tensors, graph, metadata }: Expansion): ReadonlyMap<TensorId, RunScale> {
  const reals = new Map<TensorId, number>();
  const all = { ...graph, tensors };
  for (const op of ops) {
    if (!op.dynamic) continue;
    const scale = isWeighted(op) ? op.inputs[3] : op.kind === 'SOFTMAX' ? op.inputs[1] : undefined;
    if (scale === undefined || scale === null) continue;
    const least = isWeighted(op) ? leastInputScale(op, all) : SOFTMAX_LEAST_SCALE;
    reals.set(scale, Math.max(reals.get(scale) ?? 0, least));
  }
  const isPowerOfTwo = metadata.scheme === 'q';
  return new Map([...reals].flatMap(([id, real]) => (real > 0 ? [[id, runScale(real, 0, isPowerOfTwo)]] : [])));
}

/** The graph as a file has it: no scale tensors, activations without quantization. */
export function stripDynamic(graph: Graph): Graph {
  const { dynamics, ...rest } = graph;
  const { scaleOf, states } = defined(dynamics, 'dynamics');
  const made = new Set<TensorId>([...scaleOf.values(), ...states]);
  const tensors = graph.tensors.map((tensor) => (scaleOf.has(tensor.id) ? { ...tensor, quantization: null } : tensor));
  const kept = (ids: readonly TensorId[]): TensorId[] => ids.filter((id) => !made.has(id));
  return {
    ...rest,
    tensors: tensors.filter(({ id }) => !made.has(id)),
    ops: graph.ops.map((op) => (op.dynamic ? staticView(op) : op)),
    inputs: kept(graph.inputs),
    outputs: kept(graph.outputs),
  };
}
