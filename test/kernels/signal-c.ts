/** C initialisers of the tables that signal kernels take, and the bytes of typed arrays back to back, each at a multiple of 8. */
import type { LogMelTables } from '../../firmware-gen/ir/sound-tables.ts';

type Values = Int8Array | Int16Array | Int32Array | Uint8Array | BigInt64Array;

export function cArray(type: string, name: string, values: ArrayLike<number>): string {
  const text = Array.from(values, (value) => (value === -2147483648 ? '(-2147483647 - 1)' : String(value)));
  return `static const ${type} ${name}[${values.length}] = {${text.join(', ')}};\n`;
}

export function logMelInC(name: string, tables: LogMelTables): string {
  const { frame, log2Size, floor, window, twiddles, filters } = tables;
  return [
    cArray('int16_t', `${name}_window`, window),
    cArray('int32_t', `${name}_whole`, twiddles.whole),
    cArray('int32_t', `${name}_half`, twiddles.half),
    `static const tl_mel_filter ${name}_filters[] = {${filters.map((f) => `{${f.firstBin}, ${f.weights.length}}`).join(', ')}};\n`,
    cArray(
      'int16_t',
      `${name}_weights`,
      filters.flatMap(({ weights }) => weights),
    ),
    `static const tl_log_mel_params ${name} = {${frame}, ${log2Size}, ${filters.length}, ${floor}, ${name}_window, ${name}_whole, ${name}_half, ${name}_filters, ${name}_weights};\n`,
  ].join('');
}

/** One buffer, and where each array starts in it. */
export function packed(arrays: readonly Values[]): { bytes: Uint8Array; at: readonly number[] } {
  const at: number[] = [];
  let length = 0;
  for (const array of arrays) {
    at.push(length);
    length += Math.ceil(array.byteLength / 8) * 8;
  }
  const bytes = new Uint8Array(length);
  for (const [i, array] of arrays.entries())
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at[i]);
  return { bytes, at };
}
