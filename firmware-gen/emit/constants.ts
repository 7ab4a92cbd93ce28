/** The constant arrays of a model: each distinct (type, bytes) once, declared in <model>_weights.h and defined in <model>_weights.c. */
import { defined } from '../../common/errors.ts';
import type { ConstantValues, CScalarType } from '../ir/schedule.ts';
import { arrayInitialiser, blockComment, valueLiterals } from './c-writer.ts';
import { toCommentText } from './identifier.ts';

interface Entry {
  readonly ctype: CScalarType;
  readonly symbol: string;
  readonly values: ConstantValues;
  readonly comment: string;
}

export class ConstantPool {
  readonly #model: string;
  readonly #byContent = new Map<string, Entry>();
  readonly #symbols = new Set<string>();

  constructor(model: string) {
    this.#model = model;
  }

  /** The C symbol of these values; a new one only when no equal array is there yet. */
  add(ctype: CScalarType, values: ConstantValues, name: string, comment: string): string {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const key = `${ctype} ${bytes.toString('latin1')}`;
    const known = this.#byContent.get(key);
    if (known) return known.symbol;
    const symbol = this.claimSymbol(name);
    this.#byContent.set(key, { ctype, symbol, values, comment: toCommentText(comment) });
    return symbol;
  }

  /** `<model>_<name>`, numbered when it is taken: arrays and parameter structs share one name space. */
  claimSymbol(name: string): string {
    const base = `${this.#model}_${name}`;
    let symbol = base;
    for (let copy = 2; this.#symbols.has(symbol); copy += 1) symbol = `${base}_${copy}`;
    this.#symbols.add(symbol);
    return symbol;
  }

  get bytes(): number {
    return [...this.#byContent.values()].reduce((sum, entry) => sum + entry.values.byteLength, 0);
  }

  header(opening: string): string {
    const guard = `${this.#model.toUpperCase()}_WEIGHTS_H`;
    const lines = [...this.#byContent.values()].map(
      (entry) => `extern const ${entry.ctype} ${entry.symbol}[${entry.values.length}];`,
    );
    return [
      opening,
      `#ifndef ${guard}\n#define ${guard}\n`,
      '#include <stdint.h>\n',
      '#ifdef __cplusplus\nextern "C" {\n#endif\n',
      ...(lines.length > 0 ? [`${lines.join('\n')}\n`] : []),
      '#ifdef __cplusplus\n}\n#endif\n#endif\n',
    ].join('\n');
  }

  source(opening: string): string {
    const entries = [...this.#byContent.values()];
    const needsMath = entries.some((entry) => entry.ctype === 'float' && !entry.values.every(isFiniteValue));
    const arrays = entries.map((entry) => {
      const declaration = `TL_ALIGNED_4 const ${entry.ctype} ${entry.symbol}[${entry.values.length}] =`;
      return `${blockComment([entry.comment])}\n${declaration} ${arrayInitialiser(valueLiterals(entry.ctype, entry.values))};\n`;
    });
    return [
      opening,
      `#include "${this.#model}_weights.h"\n`,
      ...(needsMath ? ['#include <math.h>\n'] : []),
      '/* Word loads from the arrays need no unaligned access. */',
      '#if defined(__GNUC__)\n#define TL_ALIGNED_4 __attribute__((aligned(4)))\n#else\n#define TL_ALIGNED_4\n#endif\n',
      ...arrays,
    ].join('\n');
  }
}

function isFiniteValue(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isFinite(value);
}

/** A constant tensor's little-endian bytes as typed values. */
export function typedValues(ctype: CScalarType, data: Uint8Array): ConstantValues {
  // Not data.slice(): of a Buffer (a file read by Node) that is a view, and its buffer begins elsewhere.
  const copy = new Uint8Array(data).buffer;
  const views: Readonly<Record<CScalarType, () => ConstantValues>> = {
    int8_t: () => new Int8Array(copy),
    uint8_t: () => new Uint8Array(copy),
    int16_t: () => new Int16Array(copy),
    int32_t: () => new Int32Array(copy),
    int64_t: () => new BigInt64Array(copy),
    float: () => new Float32Array(copy),
  };
  return defined(views[ctype], ctype)();
}
