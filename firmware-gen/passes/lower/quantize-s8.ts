/** QUANTIZE between integer types of different width, and QUANTIZE and DEQUANTIZE with an 8-bit side: kernels of tl_quantization.h. */
import type { DType } from '../../ir/graph.ts';
import { bytesPerElement, elementCount } from '../../ir/graph.ts';
import { requantizeMultiplier } from '../../ir/op-params.ts';
import { float, inputTensor, int, kernelCall, outputTensor, struct, tensorArg } from './call.ts';
import type { LowerOp } from './lower-op.ts';
import { inputOffset, perTensor } from './per-tensor.ts';

const HEADER = 'tl_quantization.h';

/** By input and output type; what TFLite Micro's QUANTIZE takes, less the 8-bit pairs (lut-s8.ts). */
const REQUANTIZE: Partial<Record<DType, Partial<Record<DType, string>>>> = {
  int8: { int16: 'tl_requantize_s8_s16' },
  int16: { int8: 'tl_requantize_s16_s8', int16: 'tl_requantize_s16' },
};

export const lowerRequantize: LowerOp = (op, graph) => {
  if (op.kind !== 'QUANTIZE') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  const kernel = REQUANTIZE[input.dtype]?.[output.dtype];
  if (kernel === undefined) return null;
  const [from, to] = [perTensor(input), perTensor(output)];
  const { multiplier, shift } = requantizeMultiplier(from.scale, to.scale);
  const params = struct('tl_requantize_params', 'params', {
    input_offset: inputOffset(from),
    output_multiplier: multiplier,
    output_shift: shift,
    output_offset: to.zeroPoint,
  });
  return kernelCall(op, graph, {
    function: kernel,
    header: HEADER,
    args: [params, tensorArg(input), tensorArg(output), int(elementCount(output.shape))],
    inPlaceInputs: bytesPerElement(output.dtype) <= bytesPerElement(input.dtype) ? [input] : [],
  });
};

export const lowerQuantizeF32: LowerOp = (op, graph) => {
  if (op.kind !== 'QUANTIZE') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if (input.dtype !== 'float32' || (output.dtype !== 'int8' && output.dtype !== 'uint8')) return null;
  const { scale, zeroPoint } = perTensor(output);
  return kernelCall(op, graph, {
    function: output.dtype === 'int8' ? 'tl_quantize_f32_s8' : 'tl_quantize_f32_u8',
    header: HEADER,
    args: [float(scale), int(zeroPoint), tensorArg(input), tensorArg(output), int(elementCount(output.shape))],
    inPlaceInputs: [input],
  });
};

export const lowerDequantize8: LowerOp = (op, graph) => {
  if (op.kind !== 'DEQUANTIZE') return null;
  const [input, output] = [inputTensor(op, graph), outputTensor(op, graph)];
  if ((input.dtype !== 'int8' && input.dtype !== 'uint8') || output.dtype !== 'float32') return null;
  const { scale, zeroPoint } = perTensor(input);
  return kernelCall(op, graph, {
    function: input.dtype === 'int8' ? 'tl_dequantize_s8_f32' : 'tl_dequantize_u8_f32',
    header: HEADER,
    args: [float(scale), int(zeroPoint), tensorArg(input), tensorArg(output), int(elementCount(output.shape))],
  });
};
