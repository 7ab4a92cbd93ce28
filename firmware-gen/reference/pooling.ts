/**
 * AVERAGE_POOL_2D and MAX_POOL_2D for int8, int16 and float32. Padding is left out of average and maximum alike; the integer average rounds
 * half away from zero. Source of the semantics: reference/{integer_ops/pooling.h,pooling.h}.
 */
import { assert } from '../../common/errors.ts';
import type { Op } from '../ir/graph.ts';
import { activationRangeFloat, typeRange } from '../ir/quantized-math.ts';
import type { Buffers, IntValues } from './buffers.ts';
import { as, asInts, inputOf, outputOf } from './buffers.ts';
import { clampFloat } from './conv.ts';
import { outputRange } from './requantize.ts';
import type { Window } from './window.ts';
import { windowOf } from './window.ts';

const f = Math.fround;

type PoolOp = Op & { readonly kind: 'AVERAGE_POOL_2D' | 'MAX_POOL_2D' };

export function preparePool2d(op: PoolOp, buffers: Buffers): () => void {
  const input = inputOf(buffers, op, 0);
  const output = outputOf(buffers, op);
  const window = windowOf(op, input, output, op.filterH, op.filterW);
  if (input.tensor.dtype === 'float32') {
    const { min, max } = activationRangeFloat(op.activation);
    const [x, y] = [as(input, Float32Array), as(output, Float32Array)];
    const reduce = op.kind === 'AVERAGE_POOL_2D' ? averageFloat : maximumFloat;
    return () => {
      forEachRegion(window, (region, out) => {
        y[out] = clampFloat(reduce(region, x), min, max);
      });
    };
  }
  const { min, max } = outputRange(op.activation, output);
  const [x, y] = [asInts(input), asInts(output)];
  const lowest = typeRange(input.tensor.dtype).min;
  const reduce =
    op.kind === 'AVERAGE_POOL_2D'
      ? averageInt
      : (region: Region, values: IntValues) => maximumInt(region, values, lowest);
  return () => {
    forEachRegion(window, (region, out) => {
      y[out] = Math.min(Math.max(reduce(region, x), min), max);
    });
  };
}

/** The part of one window that lies inside the image, for one channel: element indices first + row * rowStep + column * columnStep. */
interface Region {
  first: number;
  rows: number;
  columns: number;
  rowStep: number;
  columnStep: number;
}

function forEachRegion(w: Window, visit: (region: Region, outIndex: number) => void): void {
  const region: Region = { first: 0, rows: 0, columns: 0, rowStep: w.inputW * w.inputC, columnStep: w.inputC };
  let out = 0;
  for (let batch = 0; batch < w.batches; batch++) {
    for (let outY = 0; outY < w.outputH; outY++) {
      const originY = outY * w.strideH - w.padH;
      const firstY = Math.max(0, originY);
      region.rows = Math.min(w.inputH, originY + w.filterH) - firstY;
      for (let outX = 0; outX < w.outputW; outX++) {
        const originX = outX * w.strideW - w.padW;
        const firstX = Math.max(0, originX);
        region.columns = Math.min(w.inputW, originX + w.filterW) - firstX;
        assert(region.rows > 0 && region.columns > 0, 'a pooling window lies wholly in the padding');
        for (let c = 0; c < w.inputC; c++) {
          region.first = ((batch * w.inputH + firstY) * w.inputW + firstX) * w.inputC + c;
          visit(region, out++);
        }
      }
    }
  }
}

function averageInt(region: Region, values: IntValues): number {
  let sum = 0;
  for (let row = 0; row < region.rows; row++) {
    for (let column = 0; column < region.columns; column++) {
      sum += values[region.first + row * region.rowStep + column * region.columnStep] as number;
    }
  }
  const count = region.rows * region.columns;
  const half = Math.trunc(count / 2);
  return Math.trunc((sum > 0 ? sum + half : sum - half) / count);
}

function maximumInt(region: Region, values: IntValues, lowest: number): number {
  let maximum = lowest;
  for (let row = 0; row < region.rows; row++) {
    for (let column = 0; column < region.columns; column++) {
      const value = values[region.first + row * region.rowStep + column * region.columnStep] as number;
      if (value > maximum) maximum = value;
    }
  }
  return maximum;
}

function averageFloat(region: Region, values: Float32Array): number {
  let sum = f(0);
  for (let row = 0; row < region.rows; row++) {
    for (let column = 0; column < region.columns; column++) {
      sum = f(sum + (values[region.first + row * region.rowStep + column * region.columnStep] as number));
    }
  }
  return f(sum / (region.rows * region.columns));
}

/** Starts at the lowest float32, so a NaN in the window is passed over (std::max(current, NaN) keeps current). */
function maximumFloat(region: Region, values: Float32Array): number {
  let maximum = f(-3.4028234663852886e38);
  for (let row = 0; row < region.rows; row++) {
    for (let column = 0; column < region.columns; column++) {
      const value = values[region.first + row * region.rowStep + column * region.columnStep] as number;
      if (maximum < value) maximum = value;
    }
  }
  return maximum;
}
