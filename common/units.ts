/** Branded units: a number that carries one of these cannot be passed where another is meant (STYLE 3). */
export type Bytes = number & { readonly unit: 'bytes' };
export type Cycles = number & { readonly unit: 'cycles' };
export type Hertz = number & { readonly unit: 'hertz' };
/** A 32-bit address on the target, 0 .. 2^32-1. */
export type Address = number & { readonly unit: 'address' };

/** `0x` and eight lower-case hex digits: how addresses are printed everywhere. */
export function hex32(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
}
