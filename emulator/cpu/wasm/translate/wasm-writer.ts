/** WebAssembly binary format (core specification 2.0, chapter 5): one function's body as bytes. */

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const VOID = 0x40;

export const opcode = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  call: 0x10,
  call_indirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  'local.get': 0x20,
  'local.set': 0x21,
  'local.tee': 0x22,
  'i32.load': 0x28,
  'i64.load': 0x29,
  'i64.load32_u': 0x35,
  'i64.store': 0x37,
  'i32.load8_s': 0x2c,
  'i32.load8_u': 0x2d,
  'i32.load16_s': 0x2e,
  'i32.load16_u': 0x2f,
  'i32.store': 0x36,
  'i32.store8': 0x3a,
  'i32.store16': 0x3b,
  'i32.const': 0x41,
  'i64.const': 0x42,
  'f32.const': 0x43,
  'f64.const': 0x44,
  'i32.eqz': 0x45,
  'i32.eq': 0x46,
  'i32.ne': 0x47,
  'i32.lt_s': 0x48,
  'i32.lt_u': 0x49,
  'i32.gt_s': 0x4a,
  'i32.gt_u': 0x4b,
  'i32.le_s': 0x4c,
  'i32.le_u': 0x4d,
  'i32.ge_s': 0x4e,
  'i32.ge_u': 0x4f,
  'i64.ne': 0x52,
  'i64.lt_s': 0x53,
  'i64.ge_u': 0x5a,
  'f32.eq': 0x5b,
  'f32.lt': 0x5d,
  'f32.ge': 0x60,
  'f64.eq': 0x61,
  'i32.clz': 0x67,
  'i32.add': 0x6a,
  'i32.sub': 0x6b,
  'i32.mul': 0x6c,
  'i32.div_s': 0x6d,
  'i32.div_u': 0x6e,
  'i32.and': 0x71,
  'i32.or': 0x72,
  'i32.xor': 0x73,
  'i32.shl': 0x74,
  'i32.shr_s': 0x75,
  'i32.shr_u': 0x76,
  'i32.rotr': 0x78,
  'i64.add': 0x7c,
  'i64.sub': 0x7d,
  'i64.mul': 0x7e,
  'i64.and': 0x83,
  'i64.or': 0x84,
  'i64.shl': 0x86,
  'i64.xor': 0x85,
  'i64.shr_s': 0x87,
  'i64.shr_u': 0x88,
  'f32.abs': 0x8b,
  'f32.nearest': 0x90,
  'f32.sqrt': 0x91,
  'f32.add': 0x92,
  'f32.sub': 0x93,
  'f32.mul': 0x94,
  'f32.div': 0x95,
  'f64.add': 0xa0,
  'f64.mul': 0xa2,
  'i32.wrap_i64': 0xa7,
  'i32.trunc_f32_s': 0xa8,
  'i32.trunc_f32_u': 0xa9,
  'i64.extend_i32_s': 0xac,
  'i64.extend_i32_u': 0xad,
  'f32.convert_i32_s': 0xb2,
  'f32.convert_i32_u': 0xb3,
  'f32.demote_f64': 0xb6,
  'f64.promote_f32': 0xbb,
  'i32.reinterpret_f32': 0xbc,
  'i64.reinterpret_f64': 0xbd,
  'f32.reinterpret_i32': 0xbe,
  'i32.extend8_s': 0xc0,
  'i32.extend16_s': 0xc1,
} as const;

export type Opcode = keyof typeof opcode;

/** Fixed-width SIMD: numbers behind the prefix 0xfd. */
const vectorOpcode = {
  'v128.load': 0x00,
  'v128.store': 0x0b,
  'v128.const': 0x0c,
  'v128.and': 0x4e,
  'v128.any_true': 0x53,
  'v128.store32_lane': 0x5a,
  'v128.store64_lane': 0x5b,
  'i32x4.gt_s': 0x3b,
  'i32x4.add': 0xae,
  'i32x4.max_s': 0xb8,
  'i32x4.splat': 0x11,
  'i16x8.shl': 0x8b,
  'i16x8.shr_s': 0x8c,
  'i32x4.dot_i16x8_s': 0xba,
} as const;
const VECTOR_PREFIX = 0xfd;
const EXTRACT_LANE_I32X4 = 0x1b;

interface Bytes {
  push(byte: number): void;
}

/** Bytes that grow: cheaper to fill than an array of numbers. */
class ByteBuffer implements Bytes {
  length = 0;
  private bytes = new Uint8Array(4096);

  push(byte: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(this.bytes.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = byte;
  }

  /** What was pushed from `start` on goes in front of what is at `place`. */
  move(start: number, place: number): void {
    const moved = this.bytes.slice(start, this.length);
    this.bytes.copyWithin(place + moved.length, place, start);
    this.bytes.set(moved, place);
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

export function unsignedLeb(value: number, out: Bytes): void {
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    out.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
}

function signedLeb(value: number, out: Bytes): void {
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      out.push(low);
      return;
    }
    out.push(low | 0x80);
  }
}

function signedLebBig(value: bigint, out: Bytes): void {
  for (let rest = value; ;) {
    const piece = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && piece < 0x40) || (rest === -1n && piece >= 0x40)) {
      out.push(piece);
      return;
    }
    out.push(piece | 0x80);
  }
}

/** Instructions of one function, appended in order. */
export class WasmWriter {
  private readonly bytes = new ByteBuffer();
  /** Structured instructions open now. */
  depth = 0;

  body(): Uint8Array {
    return this.bytes.view();
  }

  /** The place where the next instruction goes, for insert(). */
  get place(): number {
    return this.bytes.length;
  }

  /** Code at a place behind which nothing that is open now was opened. */
  insert(place: number, emit: () => void): void {
    const start = this.place;
    emit();
    this.bytes.move(start, place);
  }

  op(...names: Opcode[]): void {
    for (const name of names) this.bytes.push(opcode[name]);
  }

  vector(name: keyof typeof vectorOpcode): void {
    this.bytes.push(VECTOR_PREFIX);
    unsignedLeb(vectorOpcode[name], this.bytes);
  }

  /** @param lane of the first number that is stored, in units of its size; null: all are */
  vectorMemory(name: keyof typeof vectorOpcode, offset: number, lane: number | null = null): void {
    this.vector(name);
    this.bytes.push(0);
    unsignedLeb(offset, this.bytes);
    if (lane !== null) this.bytes.push(lane);
  }

  /** Four i32 in the order of their lanes. */
  lanes(...values: readonly [number, number, number, number]): void {
    this.vector('v128.const');
    for (const byte of new Uint8Array(new Int32Array(values).buffer)) this.bytes.push(byte);
  }

  /** i32x4.extract_lane 0 */
  firstLane(): void {
    for (const byte of [VECTOR_PREFIX, EXTRACT_LANE_I32X4, 0]) this.bytes.push(byte);
  }

  const(value: number): void {
    this.bytes.push(opcode['i32.const']);
    signedLeb(value, this.bytes);
  }

  /** An i64 constant, given as an integer that a double holds exactly. */
  wide(value: number): void {
    this.bytes.push(opcode['i64.const']);
    if (value === (value | 0)) signedLeb(value, this.bytes);
    else signedLebBig(BigInt(value), this.bytes);
  }

  get(local: number): void {
    this.bytes.push(opcode['local.get']);
    unsignedLeb(local, this.bytes);
  }

  set(local: number): void {
    this.bytes.push(opcode['local.set']);
    unsignedLeb(local, this.bytes);
  }

  tee(local: number): void {
    this.bytes.push(opcode['local.tee']);
    unsignedLeb(local, this.bytes);
  }

  /** Loads and stores; unaligned addresses are allowed. */
  memory(name: Opcode, offset: number): void {
    this.bytes.push(opcode[name]);
    this.bytes.push(0);
    unsignedLeb(offset, this.bytes);
  }

  open(name: 'block' | 'loop' | 'if', type = VOID): void {
    this.bytes.push(opcode[name]);
    this.bytes.push(type);
    this.depth++;
  }

  else(): void {
    this.bytes.push(opcode.else);
  }

  end(): void {
    this.bytes.push(opcode.end);
    this.depth--;
  }

  /** Branches to the structure that was opened when depth was `outer`. */
  br(outer: number, name: 'br' | 'br_if' = 'br'): void {
    this.bytes.push(opcode[name]);
    unsignedLeb(this.depth - outer - 1, this.bytes);
  }

  brTable(relative: readonly number[], fallback: number): void {
    this.bytes.push(opcode.br_table);
    unsignedLeb(relative.length, this.bytes);
    for (const depth of relative) unsignedLeb(depth, this.bytes);
    unsignedLeb(fallback, this.bytes);
  }

  /** Of a function in table 0 by its type's number; the function's number is on the stack above its arguments. */
  callIndirect(type: number): void {
    for (const byte of [opcode.call_indirect, type, 0]) this.bytes.push(byte);
  }

  call(index: number): void {
    this.bytes.push(opcode.call);
    unsignedLeb(index, this.bytes);
  }

  double(value: number): void {
    this.bytes.push(opcode['f64.const']);
    for (const byte of new Uint8Array(new Float64Array([value]).buffer)) this.bytes.push(byte);
  }

  single(value: number): void {
    this.bytes.push(opcode['f32.const']);
    for (const byte of new Uint8Array(new Float32Array([value]).buffer)) this.bytes.push(byte);
  }
}
