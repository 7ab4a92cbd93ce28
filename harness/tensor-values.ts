/** Little-endian tensor bytes as numbers, for JSON and tables. */
import { assert } from '../common/errors.ts';
import { bytesPerElement, type DType } from '../firmware-gen/ir/graph.ts';

/** Raw values, quantized ones not dequantized. int64 beyond 2^53 loses its low bits: JSON has no larger integers. */
export function tensorValues(bytes: Uint8Array, dtype: DType): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytesPerElement(dtype);
  assert(bytes.length % size === 0, `${bytes.length} bytes are whole ${dtype} elements`);
  return Array.from({ length: bytes.length / size }, (_, i) => readElement(view, i * size, dtype));
}

function readElement(view: DataView, offset: number, dtype: DType): number {
  switch (dtype) {
    case 'int8':
      return view.getInt8(offset);
    case 'uint8':
    case 'bool':
      return view.getUint8(offset);
    case 'int16':
      return view.getInt16(offset, true);
    case 'int32':
      return view.getInt32(offset, true);
    case 'int64':
      return Number(view.getBigInt64(offset, true));
    case 'float32':
      return view.getFloat32(offset, true);
  }
}
