/**
 * The two number formats of TFLite's static quantization (tensorflow.org/lite "8-bit quantization specification" and its 16x8 scheme):
 * int8 activations are asymmetric with int32 biases, int16 ones symmetric with int64 biases; weights are int8 and symmetric in both.
 */
import { assert } from '../../common/errors.ts';
import type { OpKind, Quantization } from '../../firmware-gen/ir/graph.ts';
import { roundHalfAwayFromZero } from '../../firmware-gen/ir/quantized-math.ts';
import type { ActivationRange } from './calibrate.ts';

export interface ActivationFormat {
  readonly dtype: 'int8' | 'int16';
  readonly biasType: 'int32' | 'int64';
  readonly min: number;
  readonly max: number;
  /** Output quantization that TFLite fixes, whatever the calibration saw. */
  readonly fixedOutput: Readonly<Partial<Record<OpKind, Quantization>>>;
  /** Scale and zero point that cover a range; 0 is always held exactly. */
  readonly quantizationFor: (range: ActivationRange) => Quantization;
}

/** Smallest scale handed out: a tensor that is all zero still needs a positive one. */
export const SCALE_MIN = 2 ** -40;

const perTensor = (scale: number, zeroPoint: number): Quantization => ({
  scale: [scale],
  zeroPoint: [zeroPoint],
  axis: 0,
});

function checkRange({ min, max }: ActivationRange): void {
  assert(Number.isFinite(min) && Number.isFinite(max) && min <= max, `range ${min}..${max} of an activation`);
}

export const int8Format: ActivationFormat = {
  dtype: 'int8',
  biasType: 'int32',
  min: -128,
  max: 127,
  fixedOutput: { SOFTMAX: perTensor(1 / 256, -128), LOGISTIC: perTensor(1 / 256, -128), TANH: perTensor(1 / 128, 0) },
  quantizationFor: (range) => {
    checkRange(range);
    const [low, high] = [Math.min(range.min, 0), Math.max(range.max, 0)];
    const scale = Math.fround(Math.max((high - low) / 255, SCALE_MIN));
    const zeroPoint = Math.min(127, Math.max(-128, roundHalfAwayFromZero(-128 - low / scale)));
    return perTensor(scale, zeroPoint);
  },
};

export const int16Format: ActivationFormat = {
  dtype: 'int16',
  biasType: 'int64',
  min: -32768,
  max: 32767,
  fixedOutput: {
    SOFTMAX: perTensor(1 / 32768, 0),
    LOGISTIC: perTensor(1 / 32768, 0),
    TANH: perTensor(1 / 32768, 0),
  },
  quantizationFor: (range) => {
    checkRange(range);
    const largest = Math.max(Math.abs(range.min), Math.abs(range.max));
    return perTensor(Math.fround(Math.max(largest / 32767, SCALE_MIN)), 0);
  },
};
