/**
 * tfjs's wasm backend has the forward kernels and Conv2DBackpropInput, but not the other three gradients a CNN needs; they are registered here.
 * A convolution's filter gradient is one matrix product, patches^T * dy, its input gradient (stride 1) another convolution: both go to the backend's SIMD
 * kernels. The depthwise ones are channel-innermost loops on the wasm heap. All tensors NHWC float32, filters HWIO.
 */
import {
  backend_util,
  getKernel,
  registerKernel,
  unregisterKernel,
  type KernelFunc,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { defined } from '../../common/errors.ts';

type ConvInfo = backend_util.Conv2DInfo;
type Shape4 = [number, number, number, number];

/** The attributes tfjs passes to these kernels; depthwise ones carry dilations. */
interface GradientAttributes {
  readonly strides: number | [number, number];
  readonly pad: 'same' | 'valid' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: number | [number, number];
  readonly filterShape: Shape4;
  readonly inputShape: Shape4;
}

/** The backend's own Conv2DBackpropInput, which ours stands in front of. */
let backendInputGradient: KernelFunc | null = null;

/** Idempotent: registering again replaces the same functions. Call after the wasm backend is ready. */
export function registerGradientKernels(): void {
  const register = (kernelName: string, kernelFunc: KernelFunc): void =>
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  if (!backendInputGradient) {
    backendInputGradient = getKernel('Conv2DBackpropInput', 'wasm').kernelFunc;
    unregisterKernel('Conv2DBackpropInput', 'wasm');
    register('Conv2DBackpropInput', conv2dInputGradient);
  }
  register('Conv2DBackpropFilter', conv2dFilterGradient);
  register('DepthwiseConv2dNativeBackpropFilter', depthwiseFilterGradient);
  register('DepthwiseConv2dNativeBackpropInput', depthwiseInputGradient);
}

interface KernelCall {
  readonly backend: BackendWasm;
  readonly attrs: GradientAttributes;
  readonly input: (name: string) => TensorInfo;
}

/** tfjs hands kernels untyped maps; the names and types are those of its own gradient definitions. */
function typed({ inputs, backend, attrs }: Parameters<KernelFunc>[0]): KernelCall {
  const input = (name: string): TensorInfo => {
    const info = inputs[name];
    if (!info) throw new Error(`internal: gradient kernel called without ${name}`);
    return info;
  };
  return { backend: backend as BackendWasm, attrs: attrs as unknown as GradientAttributes, input };
}

function convInfo(inputShape: readonly number[], filterShape: Shape4, attrs: GradientAttributes, depthwise: boolean) {
  const { strides, dilations = 1, pad, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    inputShape as Shape4,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    depthwise,
  );
}

function floats(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/**
 * Calls `visit` for every output position and filter tap that meets the input: indices of the first channel in x and in dy, and the tap
 * ky * filterWidth + kx.
 */
function forEachTap(info: ConvInfo, visit: (x: number, dy: number, tap: number) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth } =
    info;
  for (let n = 0; n < batchSize; n += 1) {
    for (let oy = 0; oy < outHeight; oy += 1) {
      for (let ox = 0; ox < outWidth; ox += 1) {
        const dy = ((n * outHeight + oy) * outWidth + ox) * outChannels;
        for (let ky = 0; ky < filterHeight; ky += 1) {
          const iy = oy * info.strideHeight + ky * info.dilationHeight - info.padInfo.top;
          if (iy < 0 || iy >= inHeight) continue;
          for (let kx = 0; kx < filterWidth; kx += 1) {
            const ix = ox * info.strideWidth + kx * info.dilationWidth - info.padInfo.left;
            if (ix < 0 || ix >= inWidth) continue;
            visit(((n * inHeight + iy) * inWidth + ix) * inChannels, dy, ky * filterWidth + kx);
          }
        }
      }
    }
  }
}

const conv2dFilterGradient: KernelFunc = (call) => {
  const { backend, attrs, input } = typed(call);
  const [x, dy] = [input('x'), input('dy')];
  const info = convInfo(x.shape, attrs.filterShape, attrs, false);
  const rows = info.batchSize * info.outHeight * info.outWidth;
  const columns = info.filterHeight * info.filterWidth * info.inChannels;
  const patches = gatherPatches(backend, x, info, rows, columns);
  // Neither is transposed: only such products go to the backend's SIMD kernel.
  const gradient = getKernel('BatchMatMul', 'wasm').kernelFunc({
    inputs: { a: { ...patches, shape: [1, columns, rows] }, b: { ...dy, shape: [1, rows, info.outChannels] } },
    backend,
    attrs: { transposeA: false, transposeB: false },
  }) as TensorInfo;
  backend.disposeData(patches.dataId);
  return { dataId: gradient.dataId, dtype: 'float32', shape: attrs.filterShape };
};

/** [columns, rows]: for every output position the inputs under its filter, zero where padding. */
function gatherPatches(backend: BackendWasm, x: TensorInfo, info: ConvInfo, rows: number, columns: number): TensorInfo {
  const patches = backend.makeOutput([columns, rows], 'float32');
  const [from, to] = [floats(backend, x), floats(backend, patches).fill(0)];
  const { inChannels, outChannels } = info;
  forEachTap(info, (xStart, dyStart, tap) => {
    let at = tap * inChannels * rows + dyStart / outChannels;
    for (let c = 0; c < inChannels; c += 1, at += rows) to[at] = from[xStart + c]!;
  });
  return patches;
}

/**
 * With stride 1 and as many positions before as after, dy convolved with the filter turned round; others are the backend's own, a plain loop, which
 * takes ten times as long as its forward convolution.
 */
const conv2dInputGradient: KernelFunc = (call) => {
  const { backend, attrs, input } = typed(call);
  const [dy, filter] = [input('dy'), input('filter')];
  const info = convInfo(attrs.inputShape, filter.shape as Shape4, attrs, false);
  const { filterHeight, filterWidth, inChannels, outChannels, padInfo } = info;
  const isCentred = 2 * padInfo.top + 1 === filterHeight && 2 * padInfo.left + 1 === filterWidth;
  const isPlain = info.strideHeight * info.strideWidth * info.dilationHeight * info.dilationWidth === 1;
  if (!isCentred || !isPlain) return defined(backendInputGradient, 'the kernel of the backend')(call);
  const taps = filterHeight * filterWidth;
  const turned = backend.makeOutput([filterHeight, filterWidth, outChannels, inChannels], 'float32');
  const [from, to] = [floats(backend, filter), floats(backend, turned)];
  for (let tap = 0, at = 0; tap < taps; tap += 1)
    for (let c = 0; c < inChannels; c += 1)
      for (let o = 0; o < outChannels; o += 1, at += 1)
        to[((taps - 1 - tap) * outChannels + o) * inChannels + c] = from[at]!;
  const gradient = getKernel('Conv2D', 'wasm').kernelFunc({
    inputs: { x: dy, filter: turned },
    backend,
    attrs: { strides: [1, 1], pad: 'same', dilations: [1, 1], dataFormat: 'NHWC' },
  });
  backend.disposeData(turned.dataId);
  return gradient;
};

const depthwiseFilterGradient: KernelFunc = (call) => {
  const { backend, attrs, input } = typed(call);
  const x = input('x');
  const info = convInfo(x.shape, attrs.filterShape, attrs, true);
  const output = backend.makeOutput(attrs.filterShape, 'float32');
  const [xs, dys, gradient] = [floats(backend, x), floats(backend, input('dy')), floats(backend, output).fill(0)];
  const { inChannels, outChannels } = info;
  const multiplier = outChannels / inChannels;
  forEachTap(info, (xStart, dyStart, tap) => {
    const start = tap * outChannels;
    for (let o = 0; o < outChannels; o += 1) {
      const c = multiplier === 1 ? o : Math.floor(o / multiplier);
      gradient[start + o]! += xs[xStart + c]! * dys[dyStart + o]!;
    }
  });
  return output;
};

const depthwiseInputGradient: KernelFunc = (call) => {
  const { backend, attrs, input } = typed(call);
  const filter = input('filter');
  const info = convInfo(attrs.inputShape, filter.shape as Shape4, attrs, true);
  const output = backend.makeOutput(attrs.inputShape, 'float32');
  const [filters, dys, gradient] = [
    floats(backend, filter),
    floats(backend, input('dy')),
    floats(backend, output).fill(0),
  ];
  const { inChannels, outChannels } = info;
  const multiplier = outChannels / inChannels;
  forEachTap(info, (xStart, dyStart, tap) => {
    const start = tap * outChannels;
    for (let o = 0; o < outChannels; o += 1) {
      const c = multiplier === 1 ? o : Math.floor(o / multiplier);
      gradient[xStart + c]! += filters[start + o]! * dys[dyStart + o]!;
    }
  });
  return output;
};
