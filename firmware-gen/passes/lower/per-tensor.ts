/** Scale and zero point of activations, which are quantized per tensor, as the int8 kernels want them. */
import { defined } from '../../../common/errors.ts';
import type { Activation, Tensor } from '../../ir/graph.ts';
import { activationRangeQuantized } from '../../ir/quantized-math.ts';
import type { CValue } from '../../ir/schedule.ts';
import { struct } from './call.ts';

export interface PerTensor {
  readonly scale: number;
  readonly zeroPoint: number;
}

export function perTensor(tensor: Tensor): PerTensor {
  const { scale, zeroPoint } = defined(tensor.quantization, `quantization of tensor ${tensor.name}`);
  return { scale: defined(scale[0], `scale of tensor ${tensor.name}`), zeroPoint: zeroPoint[0] ?? 0 };
}

/** -zeroPoint, without the negative zero that JavaScript makes of 0. */
export function inputOffset(quantization: PerTensor): number {
  return 0 - quantization.zeroPoint;
}

/** The `activation` member of a kernel's parameters: the clamp of an int8 output. */
export function activationMember(activation: Activation, output: Tensor): CValue {
  const { scale, zeroPoint } = perTensor(output);
  const { min, max } = activationRangeQuantized(activation, 'int8', scale, zeroPoint);
  return struct('tl_activation', 'activation', { min, max });
}
