/**
 * What each op accepts: operand counts, element types, quantization. One table, checked on import (against the file) and between passes
 * (against us). Restrictions are TFLite's own (Prepare and Eval of tflite-micro 90b983c, micro/kernels) or this project's, and say so.
 */
import { elementCount, tensorOf, type DType, type Graph, type Op, type OpKind, type Tensor } from './graph.ts';
import { SCALE_WORDS, STATE_WORDS } from './dynamic.ts';
import { dataOperandCount, staticView } from './dynamic-ops.ts';
import { rule, shapeText } from './rule.ts';
import { inferShapes } from './shapes.ts';

/** Element types of an op as a whole: inputs and outputs share one, except where `types` lists pairs. */
interface OpRule {
  /** Smallest and largest number of inputs. Optional ones (bias) may be null within it. */
  readonly inputs: readonly [number, number];
  readonly outputs: readonly [number, number];
  /** `in` or `in>out`, per permitted combination of first input and every output. */
  readonly types: readonly string[];
  /** Kernels copy raw values: input and output scale and zero point must be equal. */
  readonly sameQuantization: boolean;
  readonly check?: (op: Op, graph: Graph) => void;
}

const ANY_NUMBER = ['int8', 'int16', 'float32'];
const CONVERSIONS = ['float32>int8', 'float32>int16', 'float32>uint8', 'int8>int8', 'int8>int16', 'int16>int8'];
const REQUANTIZATIONS = [...CONVERSIONS, 'int16>int16', 'uint8>int8', 'int8>uint8'];
const MANY = 1024;
/** Sums of products of 31 bits that stay below 2^47, which rescaling takes. */
const INT16_PRODUCTS_MAX = 2 ** 16;
/** Relative difference of two scales that still count as equal: both come from float32. */
const SCALE_TOLERANCE = 1e-6;

const unary = (types: readonly string[] = ANY_NUMBER): OpRule => ({
  inputs: [1, 1],
  outputs: [1, 1],
  types,
  sameQuantization: false,
});
const binary = (types: readonly string[] = ANY_NUMBER): OpRule => ({ ...unary(types), inputs: [2, 2] });
const copying = (types: readonly string[] = ANY_NUMBER): OpRule => ({ ...unary(types), sameQuantization: true });
const weighted: OpRule = { ...unary(), inputs: [2, 3], check: checkWeights };

const RULES: Readonly<Record<OpKind, OpRule>> = {
  CONV_2D: weighted,
  DEPTHWISE_CONV_2D: weighted,
  FULLY_CONNECTED: weighted,
  AVERAGE_POOL_2D: copying(),
  MAX_POOL_2D: copying(),
  MEAN: unary(),
  ADD: binary(),
  SUB: binary(),
  MUL: binary(),
  MAXIMUM: { ...binary(), sameQuantization: true },
  MINIMUM: { ...binary(), sameQuantization: true },
  CONCATENATION: { ...copying(), inputs: [1, MANY] },
  PAD: copying(),
  RESHAPE: copying(),
  SQUEEZE: copying(),
  EXPAND_DIMS: copying(),
  STRIDED_SLICE: copying(),
  TRANSPOSE: copying(),
  SPLIT: { ...copying(), outputs: [1, MANY] },
  RESIZE_NEAREST_NEIGHBOR: copying(),
  SOFTMAX: {
    ...unary(),
    check: (op, graph) => checkFixedOutput(op, graph, { int8: [1 / 256, -128], int16: [1 / 32768, 0] }),
  },
  LOGISTIC: {
    ...unary(),
    check: (op, graph) => checkFixedOutput(op, graph, { int8: [1 / 256, -128], int16: [1 / 32768, 0] }),
  },
  TANH: {
    ...unary(),
    check: (op, graph) => checkFixedOutput(op, graph, { int8: [1 / 128, 0], int16: [1 / 32768, 0] }),
  },
  RELU: unary(),
  RELU6: unary(),
  HARD_SWISH: unary(['int8', 'float32']),
  LEAKY_RELU: unary(),
  QUANTIZE: unary(REQUANTIZATIONS),
  DEQUANTIZE: unary(['int8>float32', 'int16>float32', 'uint8>float32']),
};

/** Throws RuleViolation unless operand counts, types, quantization and shapes of `op` are what its kind requires. */
export function checkOp(op: Op, graph: Graph): void {
  if (op.dynamic) {
    checkDynamicOperands(op, graph);
    checkOp(staticView(op), graph);
    return;
  }
  const { inputs, outputs, types, sameQuantization, check } = RULES[op.kind];
  checkCount('inputs', op.inputs.length, inputs);
  checkCount('outputs', op.outputs.length, outputs);
  const optional = check === checkWeights ? 2 : Infinity;
  op.inputs.forEach((id, i) => rule(id !== null || i >= optional, `input ${i} is absent`));
  const input = operand(op, graph, 0);
  const results = op.outputs.map((id) => tensorOf(graph, id));
  for (const output of results) {
    const pair = `${input.dtype}>${output.dtype}`;
    const permitted = types.includes(pair) || (input.dtype === output.dtype && types.includes(input.dtype));
    rule(permitted, `${input.dtype} to ${output.dtype} is not supported, ${types.join(', ')} are`);
  }
  const data = check === checkWeights ? [input] : op.inputs.flatMap((id) => (id === null ? [] : [tensorOf(graph, id)]));
  for (const tensor of data) rule(tensor.dtype === input.dtype, `inputs mix ${input.dtype} and ${tensor.dtype}`);
  for (const tensor of [...data, ...results]) requirePerTensor(tensor);
  if (sameQuantization) requireSameQuantization([...data, ...results]);
  check?.(op, graph);
  checkShapes(op, graph);
}

function checkCount(what: string, count: number, [min, max]: readonly [number, number]): void {
  const range = min === max ? `${min}` : `${min} to ${max}`;
  rule(count >= min && count <= max, `has ${count} ${what}, ${range} expected`);
}

function operand(op: Op, graph: Graph, i: number): Tensor {
  const id = op.inputs[i];
  rule(id !== undefined && id !== null, `input ${i} is absent`);
  return tensorOf(graph, id);
}

function checkShapes(op: Op, graph: Graph): void {
  const inferred = inferShapes(op, graph);
  for (const [i, id] of op.outputs.entries()) {
    const stated = shapeText(tensorOf(graph, id).shape);
    const expected = shapeText(inferred[i] ?? []);
    rule(stated === expected, `output ${i} has shape ${stated}, inputs and attributes give ${expected}`);
  }
}

const QUANTIZED: readonly DType[] = ['int8', 'uint8', 'int16'];

/** Activations: one scale and zero point for the whole tensor, int16 symmetric (TFLite's 16x8 scheme). */
function requirePerTensor(tensor: Tensor): void {
  if (!QUANTIZED.includes(tensor.dtype)) return;
  const { quantization } = tensor;
  rule(quantization !== null, `${tensor.dtype} tensor "${tensor.name}" has no quantization`);
  const count = quantization.scale.length;
  rule(count === 1, `tensor "${tensor.name}" has ${count} scales, activations take one`);
  const zeroPoint = quantization.zeroPoint[0] ?? 0;
  rule(
    tensor.dtype !== 'int16' || zeroPoint === 0,
    `int16 tensor "${tensor.name}" has zero point ${zeroPoint}, 0 expected`,
  );
}

function requireSameQuantization(tensors: readonly Tensor[]): void {
  const first = tensors[0]?.quantization;
  if (!first) return;
  const scale = first.scale[0] ?? 0;
  const zeroPoint = first.zeroPoint[0] ?? 0;
  for (const { name, quantization } of tensors) {
    const otherScale = quantization?.scale[0] ?? 0;
    const otherZero = quantization?.zeroPoint[0] ?? 0;
    const same = Math.abs(otherScale - scale) <= SCALE_TOLERANCE * scale && otherZero === zeroPoint;
    rule(
      same,
      `"${name}" has scale ${otherScale} and zero point ${otherZero}, ${scale} and ${zeroPoint} expected: no requantization here`,
    );
  }
}

/** TFLite fixes the output quantization of these ops; its kernels ignore what the tensor says. */
function checkFixedOutput(
  op: Op,
  graph: Graph,
  fixed: Readonly<Partial<Record<DType, readonly [number, number]>>>,
): void {
  const output = tensorOf(graph, op.outputs[0] ?? (-1 as Op['outputs'][number]));
  const expected = fixed[output.dtype];
  if (!expected) return;
  const [scale, zeroPoint] = [output.quantization?.scale[0] ?? 0, output.quantization?.zeroPoint[0] ?? 0];
  // TFLite allows 0.1 % on the scale (activations.cc, softmax_common.cc).
  const same = Math.abs(scale - expected[0]) <= 0.001 * expected[0] && zeroPoint === expected[1];
  rule(same, `output has scale ${scale} and zero point ${zeroPoint}, TFLite fixes ${expected[0]} and ${expected[1]}`);
}

/** Dimension of the filter that indexes output channels. */
const CHANNEL_AXIS = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3, FULLY_CONNECTED: 0 } as const;

function checkWeights(op: Op, graph: Graph): void {
  if (op.kind !== 'CONV_2D' && op.kind !== 'DEPTHWISE_CONV_2D' && op.kind !== 'FULLY_CONNECTED') return;
  const input = operand(op, graph, 0);
  const filter = operand(op, graph, 1);
  const biasId = op.inputs[2] ?? null;
  const bias = biasId === null ? null : tensorOf(graph, biasId);
  const isFloat = input.dtype === 'float32';
  rule(filter.data !== null, `filter "${filter.name}" is not constant`);
  rule(bias === null || bias.data !== null, `bias "${bias?.name ?? ''}" is not constant`);
  // int16 weights are ours alone: TFLite's int16 kernels take int8.
  const filterTypes: readonly DType[] = isFloat ? ['float32'] : input.dtype === 'int16' ? ['int8', 'int16'] : ['int8'];
  rule(
    filterTypes.includes(filter.dtype),
    `${input.dtype} input with ${filter.dtype} filter is not supported, ${filterTypes.join(' or ')} is`,
  );
  const products = elementCount(filter.shape) / (filter.shape[CHANNEL_AXIS[op.kind]] ?? 1);
  rule(
    filter.dtype !== 'int16' || products <= INT16_PRODUCTS_MAX,
    `int16 filter has ${products} weights per output, at most ${INT16_PRODUCTS_MAX} are supported`,
  );
  checkFilterQuantization(filter, CHANNEL_AXIS[op.kind]);
  if (bias === null) return;
  const biasTypes: Readonly<Partial<Record<DType, readonly DType[]>>> = {
    float32: ['float32'],
    int8: ['int32'],
    int16: filter.dtype === 'int16' ? ['int64'] : ['int32', 'int64'],
  };
  const permitted = biasTypes[input.dtype] ?? [];
  rule(
    permitted.includes(bias.dtype),
    `${bias.dtype} bias with ${input.dtype} input is not supported, ${permitted.join(' or ')} is`,
  );
  const channels = filter.shape[CHANNEL_AXIS[op.kind]] ?? 0;
  const fits = bias.shape.length === 1 && bias.shape[0] === channels;
  rule(fits, `bias has shape ${shapeText(bias.shape)}, [${channels}] expected`);
  rule(
    bias.quantization?.zeroPoint.every((zero) => zero === 0) ?? true,
    `bias "${bias.name}" has a zero point other than 0`,
  );
}

/** Integer filters are symmetric, per tensor or per output channel. */
function checkFilterQuantization(filter: Tensor, axis: number): void {
  if (filter.dtype === 'float32') return;
  const { quantization } = filter;
  rule(quantization !== null, `filter "${filter.name}" has no quantization`);
  const asymmetric = quantization.zeroPoint.find((zero) => zero !== 0);
  rule(
    asymmetric === undefined,
    `filter "${filter.name}" has zero point ${asymmetric ?? 0}, only symmetric filters (0) are supported`,
  );
  if (quantization.scale.length === 1) return;
  rule(
    quantization.axis === axis,
    `filter "${filter.name}" is quantized along dimension ${quantization.axis}, ${axis} expected`,
  );
}

/** Scales behind the operands and the output, int32[3], and a state, int32[4]; layers have a bias. */
function checkDynamicOperands(op: Op, graph: Graph): void {
  const count = dataOperandCount(op);
  const isWeighted = RULES[op.kind].check === checkWeights;
  rule(!isWeighted || (op.inputs[2] ?? null) !== null, 'is dynamic and has no bias');
  const behind = [...op.inputs.slice(count), ...op.outputs.slice(1)];
  const isState = (i: number): boolean => isWeighted && i === 1 && behind.length === 3;
  for (const [i, id] of behind.entries()) {
    const tensor = tensorOf(graph, id ?? (-1 as Op['outputs'][number]));
    const words = isState(i) ? STATE_WORDS : SCALE_WORDS;
    const fits = tensor.dtype === 'int32' && tensor.shape.length === 1 && tensor.shape[0] === words;
    rule(fits, `scale "${tensor.name}" is ${tensor.dtype} ${shapeText(tensor.shape)}, int32 [${words}] expected`);
  }
}
