/** Ops in dynamic fixed point with int16 activations: kernels of tl_dynamic_s16.h, always in the full form. */
import { defined } from '../../../common/errors.ts';
import { inputScaleId, outputScaleId, type DynamicWeightedOp } from '../../ir/dynamic-ops.ts';
import { wideWeights, type WideWeights } from '../../ir/dynamic-weights.ts';
import type { Graph, Op, Tensor, TensorId } from '../../ir/graph.ts';
import { elementCount } from '../../ir/graph.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import { constant, dimsOf, inputTensor, int, kernelCall, outputTensor, struct, tensorArg } from './call.ts';
import { convGeometry } from './conv-params.ts';
import { SOFTMAX_TABLES } from './int16-elementwise.ts';
import { isInt16 } from './int16.ts';

const HEADER = 'tl_dynamic_s16.h';

const tensor = (id: TensorId): CValue => ({ kind: 'tensor', tensor: id });

function paramsStruct(op: Op, weights: WideWeights | null): CValue {
  const { scheme, least } = defined(op.dynamic, 'dynamics');
  const activation = 'activation' in op ? op.activation : 'NONE';
  return struct('tl_dynamic_params_s16', `op${op.index}_dynamic`, {
    is_power_of_two: scheme === 'q' ? 1 : 0,
    is_relu: activation === 'RELU' || activation === 'RELU6' ? 1 : 0,
    is_relu6: activation === 'RELU6' ? 1 : 0,
    sum_shift: weights?.sumShift ?? 0,
    bias_exponent: weights?.exponent ?? 0,
    weight_multiplier: weights?.scale.multiplier ?? 0,
    weight_shift: weights?.scale.shift ?? 0,
    least_multiplier: least?.multiplier ?? 0,
    least_shift: least?.shift ?? 0,
  });
}

function constantsArg(op: Op, { biases, multipliers }: WideWeights): CValue {
  const values = Int32Array.from({ length: 2 * biases.length }, (_, i) =>
    defined((i % 2 === 0 ? biases : multipliers)[i >> 1], 'constant'),
  );
  const comment = `{bias, multiplier} per output channel: see ${HEADER}`;
  return constant({ ctype: 'int32_t', name: `op${op.index}_constants`, values, comment });
}

/** A layer's operands as those of a convolution; a dense layer is one of a single tap. */
interface Geometry {
  readonly window: CValue;
  readonly inputDims: CValue;
  readonly filterDims: CValue;
  readonly outputDims: CValue;
}

const tile = (name: string, h: number, w: number): CValue => struct('tl_tile', name, { h, w });

function geometryOf(op: DynamicWeightedOp, input: Tensor, filter: Tensor, output: Tensor): Geometry {
  const name = (what: string): string => `op${op.index}_${what}`;
  if (op.kind === 'FULLY_CONNECTED') {
    const [units = 1, depth = 1] = filter.shape;
    const dims = (what: string, n: number, c: number): CValue => struct('tl_dims', name(what), { n, h: 1, w: 1, c });
    const rows = elementCount(output.shape) / units;
    return {
      window: struct('tl_dynamic_window_s16', name('window'), {
        stride: tile('stride', 1, 1),
        padding: tile('padding', 0, 0),
        dilation: tile('dilation', 1, 1),
      }),
      inputDims: dims('input_dims', rows, depth),
      filterDims: dims('filter_dims', units, depth),
      outputDims: dims('output_dims', rows, units),
    };
  }
  const { stride, padding, dilation } = convGeometry(op, input, filter, output);
  return {
    window: struct('tl_dynamic_window_s16', name('window'), { stride, padding, dilation }),
    inputDims: dimsOf(input, name('input_dims')),
    filterDims: dimsOf(filter, name('filter_dims')),
    outputDims: dimsOf(output, name('output_dims')),
  };
}

function weightedCall(op: DynamicWeightedOp, graph: Graph): KernelCall {
  const [input, filter, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const weights = wideWeights(op, graph);
  const { window, inputDims, filterDims, outputDims } = geometryOf(op, input, filter, output);
  const stem = op.kind === 'DEPTHWISE_CONV_2D' ? 'tl_depthwise_conv_dynamic' : 'tl_convolve_dynamic';
  return kernelCall(op, graph, {
    function: `${stem}${isInt16(filter) ? '_w16' : ''}_s16`,
    header: HEADER,
    args: [
      { kind: 'context' },
      window,
      paramsStruct(op, weights),
      inputDims,
      tensorArg(input),
      filterDims,
      tensorArg(filter),
      constantsArg(op, weights),
      outputDims,
      tensorArg(output),
      tensor(inputScaleId(op)),
      tensor(outputScaleId(op)),
    ],
    scratchBytes: 8 * weights.channels + 4 * elementCount(output.shape),
    inPlaceInputs: [input],
  });
}

function addCall(op: Op, graph: Graph): KernelCall {
  const [first, second, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  const size = elementCount(output.shape);
  return kernelCall(op, graph, {
    function: 'tl_elementwise_add_dynamic_s16',
    header: HEADER,
    args: [
      { kind: 'context' },
      paramsStruct(op, null),
      ...[first, second, output].map(tensorArg),
      int(size),
      tensor(inputScaleId(op, 0)),
      tensor(inputScaleId(op, 1)),
      tensor(outputScaleId(op)),
    ],
    scratchBytes: 4 * size,
    inPlaceInputs: [first, second],
  });
}

function concatenationCall(op: Op & { readonly kind: 'CONCATENATION' }, graph: Graph): KernelCall {
  const count = op.inputs.length / 2;
  const output = outputTensor(op, graph);
  const inputs = Array.from({ length: count }, (_, i) => inputTensor(op, graph, i));
  const blocks = Int32Array.from(inputs, ({ shape }) => elementCount(shape.slice(op.axis)));
  const comment = 'Elements per input from the axis of concatenation inwards.';
  return kernelCall(op, graph, {
    function: 'tl_concatenation_dynamic_s16',
    header: HEADER,
    args: [
      paramsStruct(op, null),
      { kind: 'tensors', tensors: inputs.map(({ id }) => id) },
      { kind: 'tensors', tensors: inputs.map((_, i) => inputScaleId(op, i)), name: 'scales' },
      constant({ ctype: 'int32_t', name: `op${op.index}_block_values`, values: blocks, comment }),
      int(count),
      int(elementCount(output.shape.slice(0, op.axis))),
      tensorArg(output),
      tensor(outputScaleId(op)),
    ],
  });
}

function softmaxCall(op: Op, graph: Graph): KernelCall {
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  const rowSize = input.shape.at(-1) ?? 1;
  return kernelCall(op, graph, {
    function: 'tl_softmax_dynamic_s16',
    header: HEADER,
    args: [
      tensor(inputScaleId(op)),
      ...SOFTMAX_TABLES,
      tensorArg(input),
      int(elementCount(input.shape) / rowSize),
      int(rowSize),
      tensorArg(output),
    ],
    inPlaceInputs: [input],
  });
}

export function lowerDynamicS16(op: Op, graph: Graph): KernelCall {
  switch (op.kind) {
    case 'CONV_2D':
    case 'DEPTHWISE_CONV_2D':
    case 'FULLY_CONNECTED':
      return weightedCall(op, graph);
    case 'ADD':
      return addCall(op, graph);
    case 'CONCATENATION':
      return concatenationCall(op, graph);
    case 'SOFTMAX':
      return softmaxCall(op, graph);
    default:
      throw new Error(`internal: op ${op.index} ${op.kind} is dynamic and has no kernel`);
  }
}
