/** What the weights of a layer meet: the inputs of single output positions. */
import { defined } from '../../common/errors.ts';
import { tensorOf, type Graph } from '../../firmware-gen/ir/graph.ts';
import { paddingBefore } from '../../firmware-gen/ir/op-params.ts';
import { constantOf, type WeightedOp } from './weights.ts';

/** Up to `count` random output positions of a convolution; FULLY_CONNECTED: all its rows. `draw(n)` gives 0..n-1. */
export function drawPositions(graph: Graph, op: WeightedOp, count: number, draw: (count: number) => number): number[] {
  const { shape } = tensorOf(graph, op.outputs[0]!);
  if (op.kind === 'FULLY_CONNECTED')
    return Array.from({ length: shape.slice(0, -1).reduce((a, b) => a * b, 1) }, (_, i) => i);
  const [, outputH = 1, outputW = 1] = shape;
  return Array.from({ length: Math.min(count, outputH * outputW) }, () => draw(outputH * outputW));
}

/** Inputs that each of the output positions meets, [kh, kw, channels] flat. */
export function* patches(
  graph: Graph,
  op: WeightedOp,
  values: Float32Array,
  positions: readonly number[],
): Generator<Float64Array> {
  if (op.kind === 'FULLY_CONNECTED') {
    const inputs = constantOf(graph, op, 1).shape[1]!;
    for (const row of positions) yield Float64Array.from(values.subarray(row * inputs, (row + 1) * inputs));
    return;
  }
  const [, height = 1, width = 1, channels = 1] = tensorOf(graph, op.inputs[0]!).shape;
  const [, outputH = 1, outputW = 1] = tensorOf(graph, op.outputs[0]!).shape;
  const [, filterH = 1, filterW = 1] = defined(constantOf(graph, op, 1).shape, 'filter shape');
  const padH = paddingBefore(op.padding, height, filterH, outputH, op.strideH, op.dilationH);
  const padW = paddingBefore(op.padding, width, filterW, outputW, op.strideW, op.dilationW);
  for (const position of positions) {
    const top = Math.floor(position / outputW) * op.strideH - padH;
    const left = (position % outputW) * op.strideW - padW;
    const patch = new Float64Array(filterH * filterW * channels);
    for (let y = 0; y < filterH; y += 1) {
      for (let x = 0; x < filterW; x += 1) {
        const [row, column] = [top + y * op.dilationH, left + x * op.dilationW];
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        const from = (row * width + column) * channels;
        patch.set(values.subarray(from, from + channels), (y * filterW + x) * channels);
      }
    }
    yield patch;
  }
}
