/**
 * Formatting of C text: literals that read back exactly, arrays, calls and initialisers wrapped at 120 columns. The emitter formats its
 * output itself so that it does not depend on an installed clang-format.
 */
import type { DType } from '../ir/graph.ts';
import type { ConstantValues, CScalarType } from '../ir/schedule.ts';

export const COLUMNS_MAX = 120;
const VALUES_PER_LINE_MAX = 16;
const INDENT = '    ';

const CTYPE_OF_DTYPE: Readonly<Record<DType, CScalarType>> = {
  int8: 'int8_t',
  uint8: 'uint8_t',
  bool: 'uint8_t',
  int16: 'int16_t',
  int32: 'int32_t',
  int64: 'int64_t',
  float32: 'float',
};

export function ctypeOf(dtype: DType): CScalarType {
  return CTYPE_OF_DTYPE[dtype];
}

/** An integer literal of at most 32 bits. INT32_MIN has no literal of its own in C: its minus sign is an operator. */
export function intLiteral(value: number): string {
  if (!Number.isInteger(value)) throw new Error(`internal: ${value} is not an integer`);
  if (value === -0x80000000) return 'INT32_MIN';
  return value > 0x7fffffff ? `${value}U` : String(value);
}

/**
 * The shortest decimal that reads back as this float32, whether the compiler rounds once (C) or by way of double. NaN and infinities are
 * the macros of math.h.
 */
export function floatLiteral(value: number): string {
  if (Number.isNaN(value)) return 'NAN';
  if (!Number.isFinite(value)) return value > 0 ? 'INFINITY' : '-INFINITY';
  if (Object.is(value, -0)) return '-0.0f';
  const target = Math.fround(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const text = target.toPrecision(digits);
    if (!readsBackAs(Number(text), target)) continue;
    const shortest = String(Number(text));
    return `${/[.e]/.test(shortest) ? shortest : `${shortest}.0`}f`;
  }
  throw new Error(`internal: no 9-digit literal for ${value}`);
}

/** Neighbouring doubles must round to the same float, so that double rounding cannot differ from single rounding. */
function readsBackAs(decimal: number, target: number): boolean {
  const below = decimal * (1 - Number.EPSILON);
  const above = decimal * (1 + Number.EPSILON);
  return [decimal, below, above].every((candidate) => Math.fround(candidate) === target);
}

export function valueLiterals(ctype: CScalarType, values: ConstantValues): string[] {
  const literals: string[] = [];
  for (const value of values) {
    if (typeof value === 'bigint') literals.push(value === -(2n ** 63n) ? 'INT64_MIN' : `INT64_C(${value})`);
    else literals.push(ctype === 'float' ? floatLiteral(value) : intLiteral(value));
  }
  return literals;
}

/** `{` values, at most 16 per line, `}`; the caller writes the declaration before it. */
export function arrayInitialiser(literals: readonly string[]): string {
  const lines: string[] = [];
  let line: string[] = [];
  let width = INDENT.length;
  for (const literal of literals) {
    if (line.length === VALUES_PER_LINE_MAX || (line.length > 0 && width + literal.length + 2 > COLUMNS_MAX)) {
      lines.push(`${INDENT}${line.join(', ')},`);
      line = [];
      width = INDENT.length;
    }
    line.push(literal);
    width += literal.length + 2;
  }
  lines.push(`${INDENT}${line.join(', ')},`);
  return `{\n${lines.join('\n')}\n}`;
}

/** `head(a, b, c)tail`, one argument per line under the first when it does not fit in 120 columns. */
export function wrapArguments(head: string, args: readonly string[], tail: string): string {
  const oneLine = `${head}(${args.join(', ')})${tail}`;
  if (oneLine.length <= COLUMNS_MAX) return oneLine;
  const pad = ' '.repeat(head.length + 1);
  return `${head}(${args.join(`,\n${pad}`)})${tail}`;
}

/** Words of a comment, wrapped to ` * ` lines. */
export function blockComment(paragraphs: readonly string[]): string {
  const lines = paragraphs.flatMap((paragraph) => wrapWords(paragraph, COLUMNS_MAX - 6));
  return lines.length === 1 ? `/* ${lines[0]} */` : `/* ${lines.join('\n * ')} */`;
}

function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** A static const array, 16 numbers a line. @param values integers of 32 bits */
export function constantTable(type: string, name: string, values: ArrayLike<number | string>): string {
  // C has no literal for the smallest int32.
  const text = Array.from(values, (value) => (value === -2147483648 ? '(-2147483647 - 1)' : String(value)));
  const lines: string[] = [];
  for (let i = 0; i < text.length; i += 16) lines.push(`    ${text.slice(i, i + 16).join(', ')},`);
  return `static const ${type} ${name}[${values.length}] = {\n${lines.join('\n')}\n};\n`;
}
