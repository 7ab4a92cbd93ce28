/**
 * tfjs's wasm backend has the forward kernels and Conv2DBackpropInput, but not the other three gradients a CNN needs; they are
 * registered here. The filter gradient of a convolution is one matrix product, patches^T * dy, and goes to the backend's own BatchMatMul;
 * the depthwise ones are channel-innermost loops on the wasm heap. All tensors NHWC float32, filters HWIO.
 */
import { backend_util, getKernel, registerKernel, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

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

/** Idempotent: registering again replaces the same functions. Call after the wasm backend is ready. */
export function registerGradientKernels(): void {
  const register = (kernelName: string, kernelFunc: KernelFunc): void =>
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
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
  const isPointwise = columns === info.inChannels && info.strideHeight === 1 && info.strideWidth === 1;
  const patches = isPointwise ? x : gatherPatches(backend, x, info, rows, columns);
  const matMul = getKernel('BatchMatMul', 'wasm').kernelFunc;
  const gradient = matMul({
    inputs: {
      a: { dataId: patches.dataId, dtype: 'float32', shape: [1, rows, columns] },
      b: { dataId: dy.dataId, dtype: 'float32', shape: [1, rows, info.outChannels] },
    },
    backend,
    attrs: { transposeA: true, transposeB: false },
  }) as TensorInfo;
  if (!isPointwise) backend.disposeData(patches.dataId);
  return { dataId: gradient.dataId, dtype: 'float32', shape: attrs.filterShape };
};

/** [rows, columns]: for every output position the inputs under its filter, zero where padding. */
function gatherPatches(backend: BackendWasm, x: TensorInfo, info: ConvInfo, rows: number, columns: number): TensorInfo {
  const patches = backend.makeOutput([rows, columns], 'float32');
  const [from, to] = [floats(backend, x), floats(backend, patches).fill(0)];
  const { inChannels, outChannels } = info;
  forEachTap(info, (xStart, dyStart, tap) => {
    const start = (dyStart / outChannels) * columns + tap * inChannels;
    for (let c = 0; c < inChannels; c += 1) to[start + c] = from[xStart + c]!;
  });
  return patches;
}

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
