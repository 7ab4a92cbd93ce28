/** The operands of dynamic ops, and the order in which kernels with a running range make their outputs known to it. */
import type { Graph, Op, TensorId } from './graph.ts';
import { tensorOf } from './graph.ts';
import { defined } from '../../common/errors.ts';

export type DynamicWeightedOp = Op & { readonly kind: 'CONV_2D' | 'DEPTHWISE_CONV_2D' | 'FULLY_CONNECTED' };

/** Operands that the op's static form has; scale and state tensors follow them. */
export function dataOperandCount(op: Op): number {
  switch (op.kind) {
    case 'CONV_2D':
    case 'DEPTHWISE_CONV_2D':
    case 'FULLY_CONNECTED':
      return 3;
    case 'SOFTMAX':
      return 1;
    default:
      return op.inputs.length / 2;
  }
}

/** The same op without its scales: what static rules and shapes apply to. */
export function staticView(op: Op): Op {
  const rest = { ...op };
  delete (rest as { dynamic?: unknown }).dynamic;
  return { ...rest, inputs: op.inputs.slice(0, dataOperandCount(op)), outputs: op.outputs.slice(0, 1) };
}

/** Position `i` among the data inputs to their scale tensor. */
export function inputScaleId(op: Op, i = 0): TensorId {
  return defined(op.inputs[dataOperandCount(op) + i], `op ${op.index}: scale of input ${i}`);
}

export function outputScaleId(op: Op): TensorId {
  return defined(op.outputs[1], `op ${op.index}: scale of the output`);
}

/** State of predicted ranges, or null. */
export function stateId(op: Op): TensorId | null {
  const id = op.kind === 'CONV_2D' || op.kind === 'DEPTHWISE_CONV_2D' ? op.inputs[4] : null;
  return id ?? null;
}

/** Whether the layer is done in strips: 4 channels of a few lines at a time (tl_depthwise_strip.h). */
export function isStripDepthwise(op: Op, graph: Graph): boolean {
  if (op.kind !== 'DEPTHWISE_CONV_2D') return false;
  const input = tensorOf(graph, defined(op.inputs[0], 'input'));
  const filter = tensorOf(graph, defined(op.inputs[1], 'filter'));
  const [, filterH, filterW, channels = 0] = filter.shape;
  const isPlain = op.strideH === op.strideW && op.strideH <= 2 && op.dilationH === 1 && op.dilationW === 1;
  return filterH === 3 && filterW === 3 && isPlain && channels % 4 === 0 && input.shape[3] === channels;
}

/**
 * Outputs of a convolution, unit by unit: after each, the range is compared and, where it grew, what earlier units wrote is realigned.
 * Convolutions: two pixels with all channels; strips: two lines (stride 2: one) of one channel; other depthwise layers: one pixel.
 */
export function* dynamicUnits(op: Op, graph: Graph): Generator<readonly number[]> {
  const [n = 1, h = 1, w = 1, c = 1] = tensorOf(graph, defined(op.outputs[0], 'output')).shape;
  if (isStripDepthwise(op, graph)) {
    const lines = op.kind === 'DEPTHWISE_CONV_2D' && op.strideH === 2 ? 1 : 2;
    for (let batch = 0; batch < n; batch += 1) yield* stripUnits(batch * h * w * c, [h, w, c], lines);
    return;
  }
  const pixels = op.kind === 'CONV_2D' ? 2 : 1;
  const total = n * h * w * c;
  for (let at = 0; at < total; at += pixels * c) {
    yield Array.from({ length: Math.min(pixels * c, total - at) }, (_, i) => at + i);
  }
}

function* stripUnits(
  base: number,
  [h, w, c]: readonly [number, number, number],
  linesPerUnit: number,
): Generator<readonly number[]> {
  const isUpright = h > w;
  const [run, lines] = isUpright ? [h, w] : [w, h];
  const [runStep, lineStep] = isUpright ? [w * c, c] : [c, w * c];
  for (let block = 0; block < c; block += 4) {
    for (let line = 0; line < lines; line += linesPerUnit) {
      for (let channel = block; channel < block + 4; channel += 1) {
        const unit: number[] = [];
        for (let l = line; l < Math.min(line + linesPerUnit, lines); l += 1)
          for (let x = 0; x < run; x += 1) unit.push(base + l * lineStep + x * runStep + channel);
        yield unit;
      }
    }
  }
}
