/**
 * Shape inference: what each op's outputs must be, from its inputs and attributes, as TFLite's Prepare functions compute them. The graph
 * already states every shape; a hostile or damaged file is caught because the two must agree. Layouts as in graph.ts.
 */
import { elementCount, tensorOf, type Graph, type Op, type Padding } from './graph.ts';
import { rule, shapeText } from './rule.ts';

type Shape = readonly number[];
type OpOf<K extends Op['kind']> = Op & { readonly kind: K };

/** Output extent of a window sliding over `input` elements; 0 or less when it does not fit. */
export function windowExtent(
  input: number,
  filter: number,
  stride: number,
  dilation: number,
  padding: Padding,
): number {
  const span = (filter - 1) * dilation + 1;
  return padding === 'SAME' ? Math.ceil(input / stride) : Math.ceil((input - span + 1) / stride);
}

/** NumPy broadcasting of two shapes. Throws RuleViolation when they do not match. */
function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[i - rank + a.length] ?? 1;
    const right = b[i - rank + b.length] ?? 1;
    rule(left === right || left === 1 || right === 1, `shapes ${shapeText(a)} and ${shapeText(b)} do not broadcast`);
    return Math.max(left, right);
  });
}

/** Shapes of all outputs of `op`, in order. Throws RuleViolation when inputs and attributes do not fit together. */
export function inferShapes(op: Op, graph: Graph): readonly Shape[] {
  const shapes = op.inputs.map((id) => (id === null ? [] : tensorOf(graph, id).shape));
  const input = shapes[0] ?? [];
  switch (op.kind) {
    case 'CONV_2D':
    case 'DEPTHWISE_CONV_2D':
      return [convShape(op, input, shapes[1] ?? [])];
    case 'FULLY_CONNECTED':
      return [fullyConnectedShape(input, shapes[1] ?? [], op.keepNumDims)];
    case 'AVERAGE_POOL_2D':
    case 'MAX_POOL_2D':
      return [poolShape(op, input)];
    case 'MEAN':
      return [meanShape(op, input)];
    case 'ADD':
    case 'SUB':
    case 'MUL':
    case 'MAXIMUM':
    case 'MINIMUM':
      return [broadcastShape(input, shapes[1] ?? [])];
    case 'CONCATENATION':
      return [concatenationShape(shapes, op.axis)];
    case 'PAD':
      return [padShape(op, input)];
    case 'RESHAPE':
    case 'SQUEEZE':
    case 'EXPAND_DIMS':
    case 'STRIDED_SLICE':
      return [rearrangedShape(op, graph, input)];
    case 'TRANSPOSE':
      return [transposeShape(op.perm, input)];
    case 'RESIZE_NEAREST_NEIGHBOR':
      return [resizeShape(input, outputShape(op, graph))];
    case 'SPLIT':
      return splitShapes(input, op.axis, op.outputs.length);
    case 'SOFTMAX':
    case 'LOGISTIC':
    case 'TANH':
    case 'RELU':
    case 'RELU6':
    case 'HARD_SWISH':
    case 'LEAKY_RELU':
    case 'QUANTIZE':
    case 'DEQUANTIZE':
      return [input];
    // No default: a new kind must fail to compile here.
  }
}

function outputShape(op: Op, graph: Graph): Shape {
  const id = op.outputs[0];
  return id === undefined ? [] : tensorOf(graph, id).shape;
}

function at(shape: Shape, axis: number): number {
  const extent = shape[axis];
  rule(extent !== undefined, `axis ${axis} is outside shape ${shapeText(shape)}`);
  return extent;
}

function requireRank(shape: Shape, rank: number, what: string): void {
  rule(shape.length === rank, `${what} has shape ${shapeText(shape)}, ${rank} dimensions expected`);
}

/** Strides, dilations and windows: far above any use, and small enough that index arithmetic in int32 cannot overflow. */
const WINDOW_MAX = 32767;

function requireWindow(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    const inRange = Number.isInteger(value) && value >= 1 && value <= WINDOW_MAX;
    rule(inRange, `${name} is ${value}, 1..${WINDOW_MAX} expected`);
  }
}

function convShape(op: OpOf<'CONV_2D' | 'DEPTHWISE_CONV_2D'>, input: Shape, filter: Shape): Shape {
  requireRank(input, 4, 'input');
  requireRank(filter, 4, 'filter');
  const { strideH, strideW, dilationH, dilationW, padding } = op;
  requireWindow({ strideH, strideW, dilationH, dilationW });
  const channels = at(input, 3);
  if (op.kind === 'CONV_2D') {
    rule(
      at(filter, 3) === channels,
      `filter ${shapeText(filter)} takes ${at(filter, 3)} channels, the input has ${channels}`,
    );
  } else {
    requireWindow({ depthMultiplier: op.depthMultiplier });
    rule(at(filter, 0) === 1, `filter ${shapeText(filter)} must start with 1`);
    const expected = channels * op.depthMultiplier;
    rule(
      at(filter, 3) === expected,
      `filter ${shapeText(filter)} makes ${at(filter, 3)} channels, ${channels} times ${op.depthMultiplier} expected`,
    );
  }
  const outH = windowExtent(at(input, 1), at(filter, 1), strideH, dilationH, padding);
  const outW = windowExtent(at(input, 2), at(filter, 2), strideW, dilationW, padding);
  rule(outH >= 1 && outW >= 1, `filter ${shapeText(filter)} does not fit into input ${shapeText(input)}`);
  return [at(input, 0), outH, outW, at(filter, op.kind === 'CONV_2D' ? 0 : 3)];
}

function fullyConnectedShape(input: Shape, filter: Shape, keepNumDims: boolean): Shape {
  requireRank(filter, 2, 'filter');
  const units = at(filter, 0);
  const depth = at(filter, 1);
  if (keepNumDims) {
    rule(at(input, input.length - 1) === depth, `filter ${shapeText(filter)} does not fit input ${shapeText(input)}`);
    return [...input.slice(0, -1), units];
  }
  const count = elementCount(input);
  rule(count % depth === 0, `filter ${shapeText(filter)} does not fit input ${shapeText(input)}`);
  return [count / depth, units];
}

function poolShape(op: OpOf<'AVERAGE_POOL_2D' | 'MAX_POOL_2D'>, input: Shape): Shape {
  requireRank(input, 4, 'input');
  const { strideH, strideW, filterH, filterW, padding } = op;
  requireWindow({ strideH, strideW, filterH, filterW });
  const outH = windowExtent(at(input, 1), filterH, strideH, 1, padding);
  const outW = windowExtent(at(input, 2), filterW, strideW, 1, padding);
  rule(outH >= 1 && outW >= 1, `window ${filterH}x${filterW} does not fit into input ${shapeText(input)}`);
  return [at(input, 0), outH, outW, at(input, 3)];
}

function meanShape(op: OpOf<'MEAN'>, input: Shape): Shape {
  for (const [i, axis] of op.axes.entries()) {
    at(input, axis);
    rule(!op.axes.slice(0, i).includes(axis), `axis ${axis} is given twice`);
  }
  const kept = input.map((extent, axis) => (op.axes.includes(axis) ? 1 : extent));
  return op.keepDims ? kept : kept.filter((_, axis) => !op.axes.includes(axis));
}

function concatenationShape(shapes: readonly Shape[], axis: number): Shape {
  const first = shapes[0] ?? [];
  at(first, axis);
  let total = 0;
  for (const shape of shapes) {
    const fits = shape.length === first.length && shape.every((extent, i) => i === axis || extent === first[i]);
    rule(fits, `inputs ${shapeText(first)} and ${shapeText(shape)} differ outside axis ${axis}`);
    total += at(shape, axis);
  }
  return first.map((extent, i) => (i === axis ? total : extent));
}

function padShape(op: OpOf<'PAD'>, input: Shape): Shape {
  rule(op.paddings.length === input.length, `${op.paddings.length} paddings for an input of shape ${shapeText(input)}`);
  return input.map((extent, i) => {
    const [before, after] = op.paddings[i] ?? [0, 0];
    rule(before >= 0 && after >= 0, `padding ${before},${after} of dimension ${i} is negative`);
    return before + extent + after;
  });
}

/** The output's own shape where only the element count or the order of ones is at stake, checked against the attributes. */
function rearrangedShape(
  op: OpOf<'RESHAPE' | 'SQUEEZE' | 'EXPAND_DIMS' | 'STRIDED_SLICE'>,
  graph: Graph,
  input: Shape,
): Shape {
  const output = outputShape(op, graph);
  if (op.kind === 'STRIDED_SLICE') return slicedShape(op, input, output);
  rule(
    elementCount(input) === elementCount(output),
    `${shapeText(input)} and ${shapeText(output)} differ in their number of elements`,
  );
  if (op.kind !== 'RESHAPE') requireSameWithoutOnes(input, output);
  return output;
}

function requireSameWithoutOnes(a: Shape, b: Shape): void {
  const strip = (shape: Shape): string => shapeText(shape.filter((extent) => extent !== 1));
  rule(strip(a) === strip(b), `${shapeText(a)} and ${shapeText(b)} differ in more than dimensions of 1`);
}

function slicedShape(op: OpOf<'STRIDED_SLICE'>, input: Shape, output: Shape): Shape {
  const lengths = [op.begin.length, op.step.length, op.outputExtent.length];
  rule(
    lengths.every((length) => length === input.length),
    `begin, step and extent have ${lengths.join(', ')} entries for an input of shape ${shapeText(input)}`,
  );
  for (const [i, count] of op.outputExtent.entries()) {
    const first = op.begin[i] ?? 0;
    const last = first + (count - 1) * (op.step[i] ?? 1);
    const inside = count >= 1 && first >= 0 && first < at(input, i) && last >= 0 && last < at(input, i);
    rule(inside, `slice of dimension ${i} reads ${first}..${last}, the input is ${shapeText(input)}`);
  }
  requireSameWithoutOnes(op.outputExtent, output);
  return output;
}

function transposeShape(perm: readonly number[], input: Shape): Shape {
  const sorted = [...perm].sort((a, b) => a - b);
  const isPermutation = perm.length === input.length && sorted.every((axis, i) => axis === i);
  rule(isPermutation, `perm ${shapeText(perm)} is not a permutation for shape ${shapeText(input)}`);
  return perm.map((axis) => at(input, axis));
}

function resizeShape(input: Shape, output: Shape): Shape {
  requireRank(input, 4, 'input');
  requireRank(output, 4, 'output');
  return [at(input, 0), at(output, 1), at(output, 2), at(input, 3)];
}

function splitShapes(input: Shape, axis: number, count: number): readonly Shape[] {
  const extent = at(input, axis);
  rule(count >= 1 && extent % count === 0, `dimension ${axis} of ${shapeText(input)} does not split into ${count}`);
  const part = input.map((value, i) => (i === axis ? extent / count : value));
  return Array.from({ length: count }, () => part);
}
