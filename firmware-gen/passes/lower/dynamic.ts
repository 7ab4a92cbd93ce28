/** Ops in dynamic fixed point: kernels of tl_dynamic.h. The form decides which variant of the inner loops is linked. */
import { assert, defined } from '../../../common/errors.ts';
import { inputScaleId, outputScaleId, stateId, type DynamicWeightedOp } from '../../ir/dynamic-ops.ts';
import { alignedWeights, type AlignedWeights } from '../../ir/dynamic-weights.ts';
import type { Graph, Op, Tensor, TensorId } from '../../ir/graph.ts';
import { elementCount } from '../../ir/graph.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import {
  constant,
  dimsOf,
  inputTensor,
  int,
  kernelCall,
  outputTensor,
  struct,
  tensorArg,
  type CallSpec,
} from './call.ts';
import { convGeometry, type ConvOp } from './conv-params.ts';
import type { LowerOp } from './lower-op.ts';
import { depthwisePlan } from './dynamic-depthwise.ts';
import { lowerDynamicS16 } from './dynamic-s16.ts';
import { isInt16 } from './int16.ts';
import { packDepthwise3x3, packDepthwiseBlocks } from './pack-depthwise.ts';
import { packBlocks, pairedRowPlaces, quadPlaces } from './pack-weights.ts';

const HEADER = 'tl_dynamic.h';
const BLOCK = 4;
/** TL_SOFTMAX_DEPTH_MAX. */
const SOFTMAX_DEPTH_MAX = 4095;

const C_FORM = { full: 0, recompute: 1, rows: 2, predicted: 2 } as const;

function paramsStruct(op: Op, weights: AlignedWeights | null): CValue {
  const { scheme, form, least } = defined(op.dynamic, 'dynamics');
  const activation = 'activation' in op ? op.activation : 'NONE';
  return struct('tl_dynamic_params', `op${op.index}_dynamic`, {
    form: op.kind === 'FULLY_CONNECTED' ? C_FORM.full : C_FORM[form],
    is_asymmetric: scheme === 'asym' ? 1 : 0,
    is_relu: activation === 'RELU' || activation === 'RELU6' ? 1 : 0,
    is_relu6: activation === 'RELU6' ? 1 : 0,
    bias_exponent: weights?.exponent ?? 0,
    weight_multiplier: weights?.scale.multiplier ?? 0,
    weight_shift: weights?.scale.shift ?? 0,
    least_multiplier: least?.multiplier ?? 0,
    least_shift: least?.shift ?? 0,
  });
}

/** {bias x 4, sum of weights x 4, multiplier x 4} per block. */
function blockConstants({ channels, biases, sums, multipliers }: AlignedWeights): Int32Array {
  const values = new Int32Array(12 * Math.ceil(channels / BLOCK));
  for (let c = 0; c < channels; c += 1) {
    const at = 12 * Math.floor(c / BLOCK) + (c % BLOCK);
    values[at] = biases[c] as number;
    values[at + 4] = sums[c] as number;
    values[at + 8] = multipliers[c] as number;
  }
  return values;
}

function constantsArg(op: Op, weights: AlignedWeights): CValue {
  const comment = `{4 biases, 4 sums of weights, 4 multipliers} per block of 4 channels: see ${HEADER}`;
  return constant({ ctype: 'int32_t', name: `op${op.index}_constants`, values: blockConstants(weights), comment });
}

function filterArg(op: Op, values: Int8Array, layout: string): CValue {
  return constant({ ctype: 'int8_t', name: `op${op.index}_filter`, values, comment: `filter ${layout}` });
}

const tensor = (id: TensorId): CValue => ({ kind: 'tensor', tensor: id });

/** The end of every weighted kernel's arguments, and a call that also reads and writes the state. */
function weightedCall(op: DynamicWeightedOp, graph: Graph, spec: CallSpec): KernelCall {
  const state = stateId(op);
  const hasState = op.kind !== 'FULLY_CONNECTED';
  const scales = [tensor(inputScaleId(op)), tensor(outputScaleId(op))];
  const stateArgs: CValue[] = hasState ? [state === null ? { kind: 'null' } : tensor(state)] : [];
  const call = kernelCall(op, graph, { ...spec, args: [...spec.args, ...scales, ...stateArgs] });
  if (state === null) return call;
  return {
    ...call,
    writes: [...call.writes, state],
    inPlace: [...call.inPlace, { input: state, output: state }],
  };
}

/** The inner loop's variant: what it scans for, and whether it gives sums (full form) or values. */
function variant(op: DynamicWeightedOp, stem: string): CValue {
  const { scheme, form } = defined(op.dynamic, 'dynamics');
  const isRelu = op.activation !== 'NONE';
  const scan = scheme === 'q' ? (isRelu ? 'bits_relu' : 'bits') : isRelu ? 'max' : 'range';
  return { kind: 'symbol', name: `${stem}_${scan}_${form === 'full' ? 's32' : 's8'}` };
}

const alignUp4 = (value: number): number => Math.ceil(value / BLOCK) * BLOCK;

function convCall(op: DynamicWeightedOp & { readonly kind: 'CONV_2D' }, graph: Graph): KernelCall {
  const [input, filter, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const weights = alignedWeights(op, graph);
  const [channels = 1, filterH = 1, filterW = 1, depth = 1] = filter.shape;
  const length = filterH * filterW * depth;
  const isQuads = depth % 4 === 0;
  const places = isQuads ? quadPlaces(length, 8) : pairedRowPlaces(filterH, filterW * depth);
  const packed = packBlocks({ weights: weights.filter, channels, length }, places);
  const form = defined(op.dynamic, 'dynamics').form;
  const outputs = elementCount(output.shape);
  const results = form === 'full' ? 4 * outputs : form === 'recompute' ? 2 * channels : 0;
  const isPointwise = filterH === 1 && filterW === 1 && op.strideH === 1 && op.strideW === 1 && channels <= depth;
  return weightedCall(op, graph, {
    function: 'tl_convolve_dynamic_s8',
    header: HEADER,
    args: [
      { kind: 'context' },
      geometry(op, 'tl_conv_params', input, filter, output, {}),
      paramsStruct(op, weights),
      variant(op, 'tl_dynamic_matmul'),
      dimsOf(input, `op${op.index}_input_dims`),
      tensorArg(input),
      dimsOf(filter, `op${op.index}_filter_dims`),
      filterArg(op, packed, `[${filter.shape.join(', ')}] in blocks of 4 channels: see tl_convolution.h`),
      constantsArg(op, weights),
      dimsOf(output, `op${op.index}_output_dims`),
      tensorArg(output),
    ],
    scratchBytes: 4 * places.length + 4 * alignUp4(channels) + results,
    inPlaceInputs: form === 'full' || (form !== 'recompute' && isPointwise) ? [input] : [],
  });
}

function geometry(
  op: ConvOp,
  ctype: string,
  input: Tensor,
  filter: Tensor,
  output: Tensor,
  more: Readonly<Record<string, number>>,
): CValue {
  // Offsets are found at run time; the kernels clamp to int8 only.
  return struct(ctype, `op${op.index}_params`, {
    ...convGeometry(op, input, filter, output),
    input_offset: 0,
    output_offset: 0,
    ...more,
    activation: struct('tl_activation', 'activation', { min: -128, max: 127 }),
  });
}

function depthwiseCall(op: DynamicWeightedOp & { readonly kind: 'DEPTHWISE_CONV_2D' }, graph: Graph): KernelCall {
  const [input, filter, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const weights = alignedWeights(op, graph);
  const { channels } = weights;
  const { form } = defined(op.dynamic, 'dynamics');
  const multiplier = channels / defined(input.shape[3], 'channels');
  assert(Number.isInteger(multiplier), `op ${op.index}: ${channels} channels of ${input.shape[3]}`);
  const { isStrip, isUpright, ...plan } = depthwisePlan(op, graph);
  const isSame = isStrip && op.strideH === 1 && op.padding === 'SAME';
  const taps = elementCount(filter.shape) / channels;
  const isBlocks = multiplier === 1 && channels % BLOCK === 0;
  const packing = { weights: weights.filter, channels, taps };
  const values = isStrip
    ? packDepthwise3x3(packing, isUpright)
    : isBlocks
      ? packDepthwiseBlocks(packing)
      : weights.filter;
  const layout = isStrip
    ? `{w0, w1, w1, w2} across the ${isUpright ? 'width' : 'height'}`
    : isBlocks
      ? 'in blocks of 4 channels'
      : 'as in the model';
  return weightedCall(op, graph, {
    ...plan,
    header: HEADER,
    args: [
      { kind: 'context' },
      geometry(op, 'tl_depthwise_params', input, filter, output, { multiplier }),
      paramsStruct(op, weights),
      ...(isStrip && form !== 'full' ? [variant(op, 'tl_dynamic_lines')] : []),
      dimsOf(input, `op${op.index}_input_dims`),
      tensorArg(input),
      ...(isStrip ? [] : [dimsOf(filter, `op${op.index}_filter_dims`)]),
      filterArg(op, values, `[${filter.shape.join(', ')}] ${layout}`),
      constantsArg(op, weights),
      dimsOf(output, `op${op.index}_output_dims`),
      tensorArg(output),
    ],
    inPlaceInputs: form === 'full' || (form !== 'recompute' && isSame) ? [input] : [],
  });
}

function fullyConnectedCall(op: DynamicWeightedOp & { readonly kind: 'FULLY_CONNECTED' }, graph: Graph): KernelCall {
  const [input, filter, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const weights = alignedWeights(op, graph);
  const [units = 1, depth = 1] = filter.shape;
  const outputs = elementCount(output.shape);
  const packed = packBlocks({ weights: weights.filter, channels: units, length: depth }, quadPlaces(depth, 4));
  const rows = (name: string, columns: number): CValue =>
    struct('tl_dims', `op${op.index}_${name}`, { n: outputs / units, h: 1, w: 1, c: columns });
  return weightedCall(op, graph, {
    function: 'tl_fully_connected_dynamic_s8',
    header: HEADER,
    args: [
      { kind: 'context' },
      paramsStruct(op, weights),
      rows('input_dims', depth),
      tensorArg(input),
      filterArg(op, packed, `[${units}, ${depth}] in blocks of 4 units: see tl_fully_connected.h`),
      constantsArg(op, weights),
      rows('output_dims', units),
      tensorArg(output),
    ],
    scratchBytes: 4 * (outputs + alignUp4(units)),
    inPlaceInputs: [input],
  });
}

function addCall(op: Op, graph: Graph): KernelCall {
  const [first, second, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  return kernelCall(op, graph, {
    function: 'tl_elementwise_add_dynamic_s8',
    header: HEADER,
    args: [
      paramsStruct(op, null),
      tensorArg(first),
      tensorArg(second),
      tensorArg(output),
      int(elementCount(output.shape)),
      tensor(inputScaleId(op, 0)),
      tensor(inputScaleId(op, 1)),
      tensor(outputScaleId(op)),
    ],
    inPlaceInputs: [first, second],
  });
}

function concatenationCall(op: Op & { readonly kind: 'CONCATENATION' }, graph: Graph): KernelCall {
  const count = op.inputs.length / 2;
  const output = outputTensor(op, graph);
  const inputs = Array.from({ length: count }, (_, i) => inputTensor(op, graph, i));
  return kernelCall(op, graph, {
    function: 'tl_concatenation_dynamic_s8',
    header: HEADER,
    args: [
      paramsStruct(op, null),
      { kind: 'tensors', tensors: inputs.map(({ id }) => id) },
      { kind: 'tensors', tensors: inputs.map((_, i) => inputScaleId(op, i)), name: 'scales' },
      constant({
        ctype: 'int32_t',
        name: `op${op.index}_block_bytes`,
        values: Int32Array.from(inputs, ({ shape }) => elementCount(shape.slice(op.axis))),
        comment: 'Bytes per input from the axis of concatenation inwards.',
      }),
      int(count),
      int(elementCount(output.shape.slice(0, op.axis))),
      tensorArg(output),
      tensor(outputScaleId(op)),
    ],
  });
}

function softmaxCall(op: Op, graph: Graph): KernelCall | null {
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  const depth = input.shape.at(-1) ?? 1;
  if (depth > SOFTMAX_DEPTH_MAX) return null;
  const rows = elementCount(input.shape) / depth;
  return kernelCall(op, graph, {
    function: 'tl_softmax_dynamic_s8',
    header: HEADER,
    args: [tensor(inputScaleId(op)), tensorArg(input), tensorArg(output), int(rows), int(depth)],
    inPlaceInputs: [input],
  });
}

/** Null for a static op. */
export const lowerDynamic: LowerOp = (op, graph) => {
  if (!op.dynamic) return null;
  if (isInt16(inputTensor(op, graph))) return lowerDynamicS16(op, graph);
  switch (op.kind) {
    case 'CONV_2D':
      return convCall(op, graph);
    case 'DEPTHWISE_CONV_2D':
      return depthwiseCall(op, graph);
    case 'FULLY_CONNECTED':
      return fullyConnectedCall(op, graph);
    case 'ADD':
      return addCall(op, graph);
    case 'CONCATENATION':
      return concatenationCall(op, graph);
    case 'SOFTMAX':
      return softmaxCall(op, graph);
    default:
      throw new Error(`internal: op ${op.index} ${op.kind} is dynamic and has no kernel`);
  }
};
