/** Little-endian element types of raw files, .npy files and manifests. */
import { readFileSync } from 'node:fs';
import { UserError } from '../../common/errors.ts';
import type { TypedValues } from './sample-set.ts';

export type ElementType = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'f32' | 'f64';

/** As manifests name them. */
const MANIFEST_TYPES: Readonly<Record<string, ElementType>> = {
  int8: 'i8',
  uint8: 'u8',
  int16le: 'i16',
  int16: 'i16',
  int32le: 'i32',
  float32le: 'f32',
  float32: 'f32',
};

/** @throws UserError naming `where` for a type that is none of MANIFEST_TYPES */
export function manifestType(dtype: string, where: string): ElementType {
  const type = MANIFEST_TYPES[dtype];
  if (type) return type;
  throw new UserError(`${where}: dtype "${dtype}" is not known; ${Object.keys(MANIFEST_TYPES).join(', ')} are`);
}

const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  f32: 4,
  f64: 8,
};

/** @throws UserError naming `where` when bytes are not whole elements */
export function typedValues(bytes: Uint8Array, type: ElementType, where: string): TypedValues {
  const size = ELEMENT_BYTES[type];
  if (bytes.length % size !== 0)
    throw new UserError(
      `${where}: ${bytes.length} bytes are not whole ${type} values; the file is cut off or of another type`,
    );
  // A copy: views need aligned offsets. All hosts that Node runs on are little-endian.
  const { buffer } = new Uint8Array(bytes);
  switch (type) {
    case 'i8':
      return new Int8Array(buffer);
    case 'u8':
      return new Uint8Array(buffer);
    case 'i16':
      return new Int16Array(buffer);
    case 'u16':
      return new Uint16Array(buffer);
    case 'i32':
      return new Int32Array(buffer);
    case 'u32':
      return new Uint32Array(buffer);
    case 'f32':
      return new Float32Array(buffer);
    case 'f64':
      return new Float64Array(buffer);
  }
}

/** A raw file without header. @throws UserError when it cannot be read */
export function readRaw(path: string, type: ElementType): TypedValues {
  return typedValues(readBytes(path), type, path);
}

/** @throws UserError when it cannot be read */
export function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError(`${path}: ${code === 'ENOENT' ? 'no such file' : (code ?? String(error))}; check the path`);
  }
}
