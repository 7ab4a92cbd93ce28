/** NumPy's .npy files, versions 1 to 3 (numpy.org, "NEP 1: a simple file format for NumPy arrays"): numbers in C order, little-endian. */
import { UserError } from '../../common/errors.ts';
import { typedValues, type ElementType } from './raw-values.ts';
import type { TypedValues } from './sample-set.ts';

export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: TypedValues;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const TYPES: Readonly<Record<string, ElementType>> = {
  '|i1': 'i8',
  '|u1': 'u8',
  '|b1': 'u8',
  '<i2': 'i16',
  '<u2': 'u16',
  '<i4': 'i32',
  '<u4': 'u32',
  '<f4': 'f32',
  '<f8': 'f64',
};

/** @throws UserError naming `where` for anything else than such a file */
export function parseNpy(bytes: Uint8Array, where: string): NpyArray {
  const fail = (problem: string): UserError => new UserError(`${where}: ${problem}; save it with numpy.save`);
  if (MAGIC.some((byte, i) => bytes[i] !== byte) || bytes.length < 12) throw fail('is no .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  const start = version === 1 ? 10 : 12;
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (version < 1 || version > 3 || start + headerBytes > bytes.length) throw fail(`has a damaged header`);
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + headerBytes));
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? '';
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (shapeText === undefined) throw fail('has no shape');
  if (/'fortran_order':\s*True/.test(header)) throw fail('is in Fortran order, C order expected');
  const values = numbers(descr, bytes.subarray(start + headerBytes), where);
  const shape = shapeText.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]));
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0) || count !== values.length)
    throw fail(`holds ${values.length} values, its shape (${shapeText}) says ${count}`);
  return { shape, values };
}

function numbers(descr: string, data: Uint8Array, where: string): TypedValues {
  // int64 is what numpy gives integers by default; labels come so.
  if (descr === '<i8' || descr === '<u8') {
    if (data.length % 8 !== 0) throw new UserError(`${where}: is cut off; save it again`);
    return Float64Array.from(new BigInt64Array(new Uint8Array(data).buffer), Number);
  }
  const type = TYPES[descr];
  if (type) return typedValues(data, type, where);
  throw new UserError(`${where}: values of type ${descr || '?'} are not supported; save integers or floats`);
}
