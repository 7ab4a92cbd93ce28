/**
 * Values as a few bits will hold them, with the gradient of a straight line (Jacob et al., arXiv 1712.05877, section 3): as one kernel, since tfjs
 * would take a pass over the tensor for each of division, rounding, limits and product.
 */
import {
  engine,
  registerGradient,
  registerKernel,
  type KernelFunc,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { defined } from '../../common/errors.ts';

const FORWARD = 'FakeQuantization';
const BACKWARD = 'FakeQuantizationGradient';

/** Integers and what they stand for: scale * (q - zeroPoint). */
export interface Grid {
  /** One, or one for each index of the innermost dimension (depthwise kernels [h, w, channels, 1]: of the channels). */
  readonly scale: ArrayLike<number>;
  /** As scale, or one for all. */
  readonly zeroPoint: ArrayLike<number>;
  readonly min: number;
  readonly max: number;
  /** Scales are those of the outermost dimension. */
  readonly outermost?: boolean;
  /** Values are rounded to 2^-firstBits of a step first, halves up, as kernels do that scale in two steps. */
  readonly firstBits?: number;
  /** What is rounded counts from the integer 0, not from the zero point; it decides where halves go. */
  readonly fromZero?: boolean;
}

/** Index of the scale of each value. */
function scaleIndex({ scale, outermost }: Grid, values: number): (i: number) => number {
  const count = scale.length;
  if (count === 1) return () => 0;
  const size = values / count;
  return outermost ? (i) => Math.floor(i / size) : (i) => i % count;
}

/** Idempotent, as registerGradientKernels is. */
export function registerFakeQuantization(): void {
  registerKernel({ kernelName: FORWARD, backendName: 'wasm', kernelFunc: forward });
  registerKernel({ kernelName: BACKWARD, backendName: 'wasm', kernelFunc: backward });
  registerGradient({
    kernelName: FORWARD,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => ({
      x: () => engine().runKernel<Tensor>(BACKWARD, { x: saved[0]!, dy: dy as Tensor }, attrs),
    }),
  });
}

/** The nearest values of the grid. Gradients pass where x is within it and are zero where it is clipped. */
export function fakeQuantize<T extends Tensor>(x: T, grid: Grid): T {
  return engine().runKernel<T>(FORWARD, { x }, { ...grid });
}

interface Call {
  readonly x: Float32Array;
  readonly other: Float32Array | null;
  readonly output: Float32Array;
  readonly info: TensorInfo;
  readonly grid: Grid;
}

function typed({ inputs, backend, attrs }: Parameters<KernelFunc>[0]): Call {
  const wasm = backend as BackendWasm;
  const x = defined(inputs['x'], 'input of a fake quantization');
  const info = wasm.makeOutput(x.shape, 'float32');
  // Views are taken after all allocation: growing the heap detaches older ones.
  const view = (tensor: TensorInfo): Float32Array => wasm.typedArrayFromHeap(tensor) as Float32Array;
  const dy = inputs['dy'];
  return { x: view(x), other: dy ? view(dy) : null, output: view(info), info, grid: attrs as unknown as Grid };
}

/** Half away from zero, as the quantizer and the second of TFLite's two roundings do. */
const rounded = (value: number): number => (value < 0 ? -Math.round(-value) : Math.round(value));

const forward: KernelFunc = (raw) => {
  const { x, output, info, grid } = typed(raw);
  const { scale, min, max, zeroPoint } = grid;
  const indexOf = scaleIndex(grid, x.length);
  const fine = 2 ** (grid.firstBits ?? 0);
  for (let i = 0; i < x.length; i += 1) {
    const index = indexOf(i);
    const step = scale[index]!;
    const zero = zeroPoint[zeroPoint.length === 1 ? 0 : index]!;
    const offset = grid.fromZero ? zero : 0;
    const real = x[i]! / step + offset;
    const q = rounded(fine === 1 ? real : Math.round(real * fine) / fine) - offset;
    output[i] = (q < min - zero ? min - zero : q > max - zero ? max - zero : q) * step;
  }
  return info;
};

const backward: KernelFunc = (raw) => {
  const { x, other, output, info, grid } = typed(raw);
  const dy = defined(other, 'gradient of a fake quantization');
  const { scale, min, max, zeroPoint } = grid;
  const indexOf = scaleIndex(grid, x.length);
  for (let i = 0; i < x.length; i += 1) {
    const index = indexOf(i);
    const q = x[i]! / scale[index]! + zeroPoint[zeroPoint.length === 1 ? 0 : index]!;
    output[i] = q < min - 0.5 || q > max + 0.5 ? 0 : dy[i]!;
  }
  return info;
};
