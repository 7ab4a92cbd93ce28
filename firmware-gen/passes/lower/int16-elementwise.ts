/** Element-wise ops, SOFTMAX and conversions from and to float of int16 tensors: kernels of tl_int16.h. Zero points are 0. */
import type { Op, Tensor } from '../../ir/graph.ts';
import { elementCount } from '../../ir/graph.ts';
import {
  addParams,
  leakyReluParams,
  mulMultiplier,
  reluMultiplier,
  sigmoidParamsInt16,
  softmaxInt16Multiplier,
  subParams,
} from '../../ir/op-params.ts';
import { roundHalfAwayFromZero } from '../../ir/quantized-math.ts';
import type { CConstant, CValue } from '../../ir/schedule.ts';
import { SOFTMAX_EXP_LUT, SOFTMAX_RECIPROCAL_LUT } from '../../reference/softmax.ts';
import { broadcastShapeArgument } from './broadcast.ts';
import { constant, float, inputTensor, int, kernelCall, outputTensor, struct, tensorArg } from './call.ts';
import { INT16_HEADER as HEADER, activationInt16, isInt16 } from './int16.ts';
import type { LowerOp } from './lower-op.ts';
import { perTensor } from './per-tensor.ts';

const f = Math.fround;

type BinaryOp = Op & { readonly kind: 'ADD' | 'SUB' | 'MUL' | 'MAXIMUM' | 'MINIMUM' };

const BINARY_KERNEL: Readonly<Record<BinaryOp['kind'], string>> = {
  ADD: 'tl_broadcast_add_s16',
  SUB: 'tl_broadcast_sub_s16',
  MUL: 'tl_broadcast_mul_s16',
  MAXIMUM: 'tl_broadcast_maximum_s16',
  MINIMUM: 'tl_broadcast_minimum_s16',
};

function isBinary(op: Op): op is BinaryOp {
  return op.kind in BINARY_KERNEL;
}

/** The parameters of the kernel; MAXIMUM and MINIMUM have none. */
function binaryParams(op: BinaryOp, a: Tensor, b: Tensor, output: Tensor): CValue[] {
  const [scale1, scale2, scale] = [perTensor(a).scale, perTensor(b).scale, perTensor(output).scale];
  switch (op.kind) {
    case 'ADD':
    case 'SUB': {
      const p = (op.kind === 'ADD' ? addParams : subParams)('int16', scale1, scale2, scale);
      const params = struct('tl_add_params_s16', 'params', {
        input_1_multiplier: p.input1.multiplier,
        input_1_shift: p.input1.shift,
        input_2_multiplier: p.input2.multiplier,
        input_2_shift: p.input2.shift,
        output_multiplier: p.output.multiplier,
        output_shift: p.output.shift,
        activation: activationInt16(op.activation, output),
      });
      return [params];
    }
    case 'MUL': {
      const { multiplier, shift } = mulMultiplier(scale1, scale2, scale);
      const params = struct('tl_mul_params_s16', 'params', {
        output_multiplier: multiplier,
        output_shift: shift,
        activation: activationInt16(op.activation, output),
      });
      return [params];
    }
    case 'MAXIMUM':
    case 'MINIMUM':
      return [];
  }
}

export const lowerBinaryS16: LowerOp = (op, graph) => {
  if (!isBinary(op)) return null;
  const [a, b, output] = [inputTensor(op, graph), inputTensor(op, graph, 1), outputTensor(op, graph)];
  if (![a, b, output].every(isInt16)) return null;
  const shape = broadcastShapeArgument(a.shape, b.shape, output.shape);
  if (!shape) return null;
  return kernelCall(op, graph, {
    function: BINARY_KERNEL[op.kind],
    header: HEADER,
    args: [...binaryParams(op, a, b, output), shape, tensorArg(a), tensorArg(b), tensorArg(output)],
    inPlaceInputs: [a, b].filter((tensor) => elementCount(tensor.shape) === elementCount(output.shape)),
  });
};

interface UnaryKernel {
  readonly function: string;
  /** Arguments before the input, and between the size and the output. */
  readonly params: readonly CValue[];
  readonly extra: readonly CValue[];
}

function unaryKernel(op: Op, input: Tensor, output: Tensor): UnaryKernel | null {
  const [inputScale, outputScale] = [perTensor(input).scale, perTensor(output).scale];
  switch (op.kind) {
    case 'LOGISTIC':
    case 'TANH': {
      const { multiplier, leftShift } = sigmoidParamsInt16(op.kind, inputScale);
      const params = struct('tl_sigmoid_params_s16', 'params', { multiplier, shift: leftShift });
      return { function: op.kind === 'TANH' ? 'tl_tanh_s16' : 'tl_logistic_s16', params: [params], extra: [] };
    }
    case 'RELU': {
      const { multiplier, shift } = reluMultiplier(inputScale, outputScale);
      const activation = activationInt16('RELU', output);
      const params = struct('tl_relu_params_s16', 'params', { multiplier, shift, activation });
      return { function: 'tl_relu_s16', params: [params], extra: [] };
    }
    case 'RELU6': {
      const six = Math.min(roundHalfAwayFromZero(f(6 / f(inputScale))), 32767);
      return { function: 'tl_relu6_s16', params: [], extra: [int(six)] };
    }
    case 'LEAKY_RELU': {
      const p = leakyReluParams(inputScale, op.alpha, outputScale);
      const params = struct('tl_leaky_relu_params_s16', 'params', {
        identity_multiplier: p.identity.multiplier,
        identity_shift: p.identity.shift,
        alpha_multiplier: p.alpha.multiplier,
        alpha_shift: p.alpha.shift,
        alpha_sign: p.alphaIsNegative ? -1 : 1,
      });
      return { function: 'tl_leaky_relu_s16', params: [params], extra: [] };
    }
    default:
      return null;
  }
}

export const lowerUnaryS16: LowerOp = (op, graph) => {
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (!isInt16(input) || !isInt16(output)) return null;
  const kernel = unaryKernel(op, input, output);
  if (!kernel) return null;
  return kernelCall(op, graph, {
    function: kernel.function,
    header: HEADER,
    args: [...kernel.params, tensorArg(input), int(elementCount(input.shape)), ...kernel.extra, tensorArg(output)],
    inPlaceInputs: [input],
  });
};

const EXP_TABLE: CConstant = {
  ctype: 'int16_t',
  name: 'softmax_exp_table',
  values: SOFTMAX_EXP_LUT,
  comment: 'e^x over [-10, 0], Q0.15, 512 intervals',
};
const RECIPROCAL_TABLE: CConstant = {
  ctype: 'int16_t',
  name: 'softmax_reciprocal_table',
  values: SOFTMAX_RECIPROCAL_LUT,
  comment: '1 / (1 + x) over [0, 1], Q0.15, 512 intervals',
};

/** Of the exponential and the reciprocal. */
export const SOFTMAX_TABLES = [constant(EXP_TABLE), constant(RECIPROCAL_TABLE)] as const;

export const lowerSoftmaxS16: LowerOp = (op, graph) => {
  if (op.kind !== 'SOFTMAX') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (!isInt16(input) || !isInt16(output)) return null;
  const { multiplier, shift } = softmaxInt16Multiplier(perTensor(input).scale, op.beta);
  const params = struct('tl_softmax_params_s16', 'params', {
    multiplier,
    shift,
    exp_table: constant(EXP_TABLE),
    reciprocal_table: constant(RECIPROCAL_TABLE),
  });
  const rowSize = input.shape.at(-1) ?? 1;
  return kernelCall(op, graph, {
    function: 'tl_softmax_s16',
    header: HEADER,
    args: [params, tensorArg(input), int(elementCount(input.shape) / rowSize), int(rowSize), tensorArg(output)],
    inPlaceInputs: [input],
  });
};

export const lowerQuantizeF32S16: LowerOp = (op, graph) => {
  if (op.kind !== 'QUANTIZE') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (input.dtype !== 'float32' || !isInt16(output)) return null;
  return kernelCall(op, graph, {
    function: 'tl_quantize_f32_s16',
    header: HEADER,
    args: [float(perTensor(output).scale), tensorArg(input), int(elementCount(input.shape)), tensorArg(output)],
  });
};

export const lowerDequantizeS16F32: LowerOp = (op, graph) => {
  if (op.kind !== 'DEQUANTIZE') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (!isInt16(input) || output.dtype !== 'float32') return null;
  return kernelCall(op, graph, {
    function: 'tl_dequantize_s16_f32',
    header: HEADER,
    args: [float(perTensor(input).scale), tensorArg(input), int(elementCount(input.shape)), tensorArg(output)],
  });
};
