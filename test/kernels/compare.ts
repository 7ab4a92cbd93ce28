/** Exact comparison of tensors: 0 LSB. Every mismatch is printed with its position, as CMSIS-NN's validate.h does. */
import type { DType, Graph } from '../../firmware-gen/ir/graph.ts';
import { bytesPerElement, tensorOf } from '../../firmware-gen/ir/graph.ts';
import { defined } from '../../common/errors.ts';

const PRINTED_MISMATCHES_MAX = 20;

function elementAt(view: DataView, dtype: DType, index: number): string {
  const at = index * bytesPerElement(dtype);
  switch (dtype) {
    case 'int8':
      return String(view.getInt8(at));
    case 'uint8':
    case 'bool':
      return String(view.getUint8(at));
    case 'int16':
      return String(view.getInt16(at, true));
    case 'int32':
      return String(view.getInt32(at, true));
    case 'int64':
      return String(view.getBigInt64(at, true));
    case 'float32':
      return `${view.getFloat32(at, true)} (0x${view.getUint32(at, true).toString(16).padStart(8, '0')})`;
  }
}

function positionOf(index: number, shape: readonly number[]): string {
  let rest = index;
  const position = [...shape].reverse().map((extent) => {
    const at = rest % extent;
    rest = (rest - at) / extent;
    return at;
  });
  return `[${position.reverse().join(', ')}]`;
}

/** Lines describing where the little-endian bytes differ; empty when they are equal. */
export function mismatches(
  actual: Uint8Array,
  reference: Uint8Array,
  dtype: DType,
  shape: readonly number[],
): string[] {
  if (actual.length !== reference.length) return [`${actual.length} bytes, reference has ${reference.length}`];
  const actualView = new DataView(actual.buffer, actual.byteOffset, actual.length);
  const referenceView = new DataView(reference.buffer, reference.byteOffset, reference.length);
  const width = bytesPerElement(dtype);
  const lines: string[] = [];
  for (let index = 0; index < actual.length / width; index += 1) {
    const bytes = (from: Uint8Array): Uint8Array => from.subarray(index * width, (index + 1) * width);
    if (Buffer.compare(bytes(actual), bytes(reference)) === 0) continue;
    const values = `actual ${elementAt(actualView, dtype, index)}, reference ${elementAt(referenceView, dtype, index)}`;
    lines.push(`${positionOf(index, shape)}: ${values}`);
  }
  return lines;
}

/** Throws unless every output of the graph equals its reference byte for byte. */
export function expectSameOutputs(
  graph: Graph,
  actual: readonly Uint8Array[],
  reference: readonly Uint8Array[],
  label = '',
): void {
  for (const [position, id] of graph.outputs.entries()) {
    const tensor = tensorOf(graph, id);
    const got = defined(actual[position], `actual output ${position}`);
    const lines = mismatches(
      got,
      defined(reference[position], `reference output ${position}`),
      tensor.dtype,
      tensor.shape,
    );
    if (lines.length === 0) continue;
    const shown = lines.slice(0, PRINTED_MISMATCHES_MAX).join('\n');
    const head = `${graph.name}${label === '' ? '' : ` ${label}`}, output ${position} (${tensor.dtype} [${tensor.shape.join(', ')}])`;
    throw new Error(`${head}: ${lines.length} mismatches\n${shown}`);
  }
}
