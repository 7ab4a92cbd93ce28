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
  readonly zeroPoint: number;
  readonly min: number;
  readonly max: number;
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

const forward: KernelFunc = (raw) => {
  const { x, output, info, grid } = typed(raw);
  const { scale, min, max, zeroPoint } = grid;
  const [low, high] = [min - zeroPoint, max - zeroPoint];
  const count = scale.length;
  for (let i = 0; i < x.length; i += 1) {
    const step = scale[count === 1 ? 0 : i % count]!;
    const real = x[i]! / step;
    // Half away from zero, as the quantizer rounds.
    const q = real < 0 ? -Math.round(-real) : Math.round(real);
    output[i] = (q < low ? low : q > high ? high : q) * step;
  }
  return info;
};

const backward: KernelFunc = (raw) => {
  const { x, other, output, info, grid } = typed(raw);
  const dy = defined(other, 'gradient of a fake quantization');
  const { scale, min, max, zeroPoint } = grid;
  const [low, high] = [min - zeroPoint - 0.5, max - zeroPoint + 0.5];
  const count = scale.length;
  for (let i = 0; i < x.length; i += 1) {
    const real = x[i]! / scale[count === 1 ? 0 : i % count]!;
    output[i] = real < low || real > high ? 0 : dy[i]!;
  }
  return info;
};
