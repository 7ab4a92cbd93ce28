/** Variables of the firmware by name and C type. */
import { UserError } from '../common/errors.ts';
import type { Machine } from './machine.ts';

/** As <stdint.h> has them, with float and double; 64-bit integers do not fit a number. */
export type CType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float' | 'double';

interface Access {
  readonly bytes: number;
  read(view: DataView): number;
  write(view: DataView, value: number): void;
}

const accesses: Readonly<Record<CType, Access>> = {
  int8: { bytes: 1, read: (view) => view.getInt8(0), write: (view, value) => view.setInt8(0, value) },
  uint8: { bytes: 1, read: (view) => view.getUint8(0), write: (view, value) => view.setUint8(0, value) },
  int16: { bytes: 2, read: (view) => view.getInt16(0, true), write: (view, value) => view.setInt16(0, value, true) },
  uint16: { bytes: 2, read: (view) => view.getUint16(0, true), write: (view, value) => view.setUint16(0, value, true) },
  int32: { bytes: 4, read: (view) => view.getInt32(0, true), write: (view, value) => view.setInt32(0, value, true) },
  uint32: { bytes: 4, read: (view) => view.getUint32(0, true), write: (view, value) => view.setUint32(0, value, true) },
  float: {
    bytes: 4,
    read: (view) => view.getFloat32(0, true),
    write: (view, value) => view.setFloat32(0, value, true),
  },
  double: {
    bytes: 8,
    read: (view) => view.getFloat64(0, true),
    write: (view, value) => view.setFloat64(0, value, true),
  },
};

const typeOfSize: Readonly<Record<number, CType>> = { 1: 'uint8', 2: 'uint16', 4: 'uint32' };

/** @throws UserError for an unknown symbol, a size that needs a type, or an element outside the symbol */
export function readValue(machine: Machine, symbol: string, type: CType | undefined, index: number): number {
  const { access, view } = locate(machine, symbol, type, index);
  return access.read(view);
}

/** As readValue(). */
export function writeValue(
  machine: Machine,
  symbol: string,
  value: number,
  type: CType | undefined,
  index: number,
): void {
  const { access, view } = locate(machine, symbol, type, index);
  access.write(view, value);
}

function locate(
  machine: Machine,
  name: string,
  type: CType | undefined,
  index: number,
): { access: Access; view: DataView } {
  const { address, bytes } = machine.symbol(name);
  const chosen = type ?? typeOfSize[bytes];
  if (chosen === undefined)
    throw new UserError(
      `${name} has ${bytes} bytes; say the type of its elements: ${Object.keys(accesses).join(', ')}`,
    );
  const access = accesses[chosen];
  const offset = index * access.bytes;
  if (index < 0 || (bytes > 0 && offset + access.bytes > bytes))
    throw new UserError(`${name} has ${bytes} bytes: there is no ${chosen} with index ${index} in it`);
  const memory = machine.memory.view(address + offset, access.bytes);
  return { access, view: new DataView(memory.buffer, memory.byteOffset, access.bytes) };
}
