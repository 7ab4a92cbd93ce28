/**
 * STRIDED_SLICE: begin, end, strides and the five masks resolved to first index, step and count per input dimension, as TFLite's
 * strided_slice_logic.h does (begin and end are clamped, negative ones count from the end).
 */
import type { Op } from '../../ir/graph.ts';
import { shapeText } from '../../ir/rule.ts';
import type { TableValue } from '../../tflite/schema.ts';
import type { OpSource } from './op-source.ts';

type Options = TableValue<'StridedSliceOptions'>;

interface Range {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

export function importStridedSlice(op: OpSource): Op {
  op.requireInputs(4);
  const options = op.options('StridedSliceOptions');
  if (options.ellipsisMask !== 0) throw op.fail(`ellipsis_mask ${options.ellipsisMask} is not supported`);
  if (options.newAxisMask !== 0) throw op.fail(`new_axis_mask ${options.newAxisMask} is not supported`);
  if (options.offset) throw op.fail('offset = true (end relative to begin) is not supported');
  const shape = op.inputShape(0);
  const [begin, end, strides] = [op.constantInts(1, 'begin'), op.constantInts(2, 'end'), op.constantInts(3, 'strides')];
  for (const [name, list] of Object.entries({ begin, end, strides })) {
    if (list.length !== shape.length)
      throw op.fail(`${name} has ${list.length} values, the input ${shapeText(shape)} has ${shape.length}`);
  }
  const ranges = shape.map((extent, i) => resolve(op, options, i, extent, begin[i] ?? 0, end[i] ?? 0, strides[i] ?? 0));
  const output = op.outputShape();
  const expected = ranges.map((range) => range.count).filter((_, i) => !(options.shrinkAxisMask & (1 << i)));
  if (expected.join() !== output.join()) {
    throw op.fail(`the slice has shape ${shapeText(expected)}, the output states ${shapeText(output)}`);
  }
  return {
    kind: 'STRIDED_SLICE',
    index: op.index,
    inputs: [op.input(0)],
    outputs: op.outputs(),
    begin: ranges.map((range) => range.first),
    step: ranges.map((range) => range.step),
    outputExtent: ranges.map((range) => range.count),
  };
}

function resolve(
  op: OpSource,
  options: Options,
  i: number,
  extent: number,
  begin: number,
  end: number,
  step: number,
): Range {
  const bit = 1 << i;
  if (step === 0) throw op.fail(`stride of dimension ${i} is 0`);
  const wrap = (value: number): number => (value < 0 ? value + extent : value);
  if (options.shrinkAxisMask & bit) {
    const first = wrap(begin);
    if (first < 0 || first >= extent) throw op.fail(`index ${begin} of dimension ${i} is outside its extent ${extent}`);
    return { first, step: 1, count: 1 };
  }
  // Where a walk in either direction may start and stop.
  const [low, high] = step > 0 ? [0, extent] : [-1, extent - 1];
  const clamp = (value: number): number => Math.min(Math.max(wrap(value), low), high);
  const first = options.beginMask & bit ? (step > 0 ? low : high) : clamp(begin);
  const last = options.endMask & bit ? (step > 0 ? high : low) : clamp(end);
  const count = Math.ceil((last - first) / step);
  if (count < 1) throw op.fail(`slice ${begin}:${end}:${step} of dimension ${i} (extent ${extent}) is empty`);
  return { first, step, count };
}
