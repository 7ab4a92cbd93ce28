/**
 * Batch normalisation with the batch's own statistics as one kernel and its gradient as another (Ioffe and Szegedy, arXiv 1502.03167, section 3).
 * tfjs composes both of a dozen broadcasts, whose Tile kernel took half of a training step. Sums are kept in double precision.
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

const FORWARD = 'TrainingNormalisation';
const BACKWARD = 'TrainingNormalisationGradient';

/** Idempotent, as registerGradientKernels is. */
export function registerNormalisationKernels(): void {
  registerKernel({ kernelName: FORWARD, backendName: 'wasm', kernelFunc: forward });
  registerKernel({ kernelName: BACKWARD, backendName: 'wasm', kernelFunc: backward });
  registerGradient({
    kernelName: FORWARD,
    inputsToSave: ['x', 'gamma'],
    outputsToSave: [false, true, true],
    gradFunc: (dys, saved, attrs) => {
      const [x, gamma, mean, variance] = saved as [Tensor, Tensor, Tensor, Tensor];
      const dy = (dys as Tensor[])[0]!;
      // All three come of one pass, made here: tfjs disposes of what one of the functions below makes besides its result.
      const inputs = { x, gamma, mean, variance, dy };
      const [dx, dgamma, dbeta] = engine().runKernel<[Tensor, Tensor, Tensor]>(BACKWARD, inputs, attrs);
      return { x: () => dx, gamma: () => dgamma, beta: () => dbeta };
    },
  });
}

/**
 * Normalises [..., channels] by its own mean and variance over all axes but the last.
 * @returns the normalised tensor, and mean and (biased) variance by channel, which carry no gradient
 */
export function normaliseByBatch<T extends Tensor>(
  x: T,
  gamma: Tensor,
  beta: Tensor,
  epsilon: number,
): { y: T; mean: Tensor; variance: Tensor } {
  const [y, mean, variance] = engine().runKernel<[T, Tensor, Tensor]>(FORWARD, { x, gamma, beta }, { epsilon });
  return { y, mean, variance };
}

interface Call {
  readonly backend: BackendWasm;
  readonly epsilon: number;
  readonly values: (name: string) => Float32Array;
  readonly shape: (name: string) => readonly number[];
}

function typed({ inputs, backend, attrs }: Parameters<KernelFunc>[0]): Call {
  const info = (name: string): TensorInfo => defined(inputs[name], `input ${name} of a normalisation`);
  const wasm = backend as BackendWasm;
  return {
    backend: wasm,
    epsilon: (attrs as unknown as { epsilon: number }).epsilon,
    values: (name) => wasm.typedArrayFromHeap(info(name)) as Float32Array,
    shape: (name) => info(name).shape,
  };
}

const output = ({ backend }: Call, shape: readonly number[]): { info: TensorInfo; values: () => Float32Array } => {
  const info = backend.makeOutput([...shape], 'float32');
  // Views are taken after all allocation: growing the heap detaches older ones.
  return { info, values: () => backend.typedArrayFromHeap(info) as Float32Array };
};

const forward: KernelFunc = (raw) => {
  const call = typed(raw);
  const shape = call.shape('x');
  const channels = shape.at(-1)!;
  const outputs = [output(call, shape), output(call, [channels]), output(call, [channels])] as const;
  const [y, mean, variance] = outputs.map(({ values }) => values()) as [Float32Array, Float32Array, Float32Array];
  const [x, gamma, beta] = [call.values('x'), call.values('gamma'), call.values('beta')];
  const count = x.length / channels;
  const [sums, squares] = [new Float64Array(channels), new Float64Array(channels)];
  for (let at = 0; at < x.length; at += channels) for (let c = 0; c < channels; c += 1) sums[c]! += x[at + c]!;
  for (let c = 0; c < channels; c += 1) sums[c]! /= count;
  for (let at = 0; at < x.length; at += channels)
    for (let c = 0; c < channels; c += 1) squares[c]! += (x[at + c]! - sums[c]!) ** 2;
  const [factor, offset] = [new Float64Array(channels), new Float64Array(channels)];
  for (let c = 0; c < channels; c += 1) {
    mean[c] = sums[c]!;
    variance[c] = squares[c]! / count;
    factor[c] = gamma[c]! / Math.sqrt(squares[c]! / count + call.epsilon);
    offset[c] = beta[c]! - sums[c]! * factor[c]!;
  }
  for (let at = 0; at < x.length; at += channels)
    for (let c = 0; c < channels; c += 1) y[at + c] = x[at + c]! * factor[c]! + offset[c]!;
  return outputs.map(({ info }) => info);
};

/** dx = gamma / sd * (dy - mean(dy) - xhat * mean(dy * xhat)); dgamma = sum(dy * xhat); dbeta = sum(dy). */
const backward: KernelFunc = (raw) => {
  const call = typed(raw);
  const shape = call.shape('x');
  const channels = shape.at(-1)!;
  const outputs = [output(call, shape), output(call, [channels]), output(call, [channels])] as const;
  const [dx, dgamma, dbeta] = outputs.map(({ values }) => values()) as [Float32Array, Float32Array, Float32Array];
  const [x, dy, gamma] = [call.values('x'), call.values('dy'), call.values('gamma')];
  const [mean, variance] = [call.values('mean'), call.values('variance')];
  const count = x.length / channels;
  const inverse = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + call.epsilon));
  const [sums, products] = [new Float64Array(channels), new Float64Array(channels)];
  for (let at = 0; at < x.length; at += channels)
    for (let c = 0; c < channels; c += 1) {
      sums[c]! += dy[at + c]!;
      products[c]! += dy[at + c]! * (x[at + c]! - mean[c]!);
    }
  // dx as a sum of three terms: of dy, of x, and a constant.
  const [ofDy, ofX, constant] = [0, 1, 2].map(() => new Float64Array(channels)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let c = 0; c < channels; c += 1) {
    dgamma[c] = products[c]! * inverse[c]!;
    dbeta[c] = sums[c]!;
    ofDy[c] = gamma[c]! * inverse[c]!;
    ofX[c] = (-ofDy[c]! * inverse[c]! ** 2 * products[c]!) / count;
    constant[c] = (-ofDy[c]! * sums[c]!) / count - ofX[c]! * mean[c]!;
  }
  for (let at = 0; at < x.length; at += channels)
    for (let c = 0; c < channels; c += 1) dx[at + c] = ofDy[c]! * dy[at + c]! + ofX[c]! * x[at + c]! + constant[c]!;
  return outputs.map(({ info }) => info);
};
