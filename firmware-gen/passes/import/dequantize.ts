/** Constants that a float graph stores as int8, int16 or float16, turned into the float32 values they stand for. */
import { elementCount, type Tensor } from '../../ir/graph.ts';
import { rule } from '../../ir/rule.ts';

export interface HalfConstant {
  readonly dtype: 'float16';
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/**
 * Little-endian float32 bytes: float(scale * (q - zeroPoint)), the product rounded once, as TFLite's DEQUANTIZE has it; float16 exactly.
 * Throws RuleViolation for other types and for data that does not fill the shape.
 */
export function dequantizeConstant(tensor: Tensor | HalfConstant): Uint8Array {
  const { data, shape } = tensor;
  const count = elementCount(shape);
  if (!data) throw new Error('internal: only constants are dequantized at import');
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (tensor.dtype === 'float16') {
    rule(data.length === 2 * count, `has ${data.length} bytes of data, its shape takes ${2 * count}`);
    return floatBytes(count, (i) => halfToFloat(view.getUint16(2 * i, true)));
  }
  const { dtype, quantization } = tensor;
  rule(
    dtype === 'int8' || dtype === 'uint8' || dtype === 'int16',
    `is a ${dtype} constant, which cannot be dequantized`,
  );
  rule(quantization !== null, `is a ${dtype} constant without quantization`);
  const { scale, zeroPoint, axis } = quantization;
  const sliceElements = scale.length === 1 ? count : elementCount(shape.slice(axis + 1));
  const read = {
    int8: (i: number) => view.getInt8(i),
    uint8: (i: number) => view.getUint8(i),
    int16: (i: number) => view.getInt16(2 * i, true),
  }[dtype];
  return floatBytes(count, (i) => {
    const channel = Math.floor(i / sliceElements) % scale.length;
    return (scale[channel] ?? 0) * (read(i) - (zeroPoint[channel] ?? 0));
  });
}

function floatBytes(count: number, valueOf: (i: number) => number): Uint8Array {
  const bytes = new Uint8Array(4 * count);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i += 1) view.setFloat32(4 * i, valueOf(i), true);
  return bytes;
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
