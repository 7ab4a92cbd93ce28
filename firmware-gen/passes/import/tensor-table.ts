/**
 * The subgraph's tensors as the IR sees them, converted when first used: side tensors (axes, shapes) may have types and sizes the IR does
 * not know. Ids are TFLite's tensor indices until the graph is complete; tensors made at import are appended.
 */
import type { DType, Quantization, Tensor, TensorId } from '../../ir/graph.ts';
import { RuleViolation, rule } from '../../ir/rule.ts';
import { checkTensor } from '../../ir/verify.ts';
import { TENSOR_TYPES } from '../../tflite/enums.ts';
import type { TfliteModel, TfliteQuantization, TfliteSubGraph, TfliteTensor } from '../../tflite/schema.ts';
import { dequantizeConstant, type HalfConstant } from './dequantize.ts';

const DTYPES: Readonly<Record<string, DType>> = {
  FLOAT32: 'float32',
  INT32: 'int32',
  UINT8: 'uint8',
  INT64: 'int64',
  BOOL: 'bool',
  INT16: 'int16',
  INT8: 'int8',
};

/** Longest tensor name kept; names reach messages, tables and comments of generated code. */
const NAME_CHARACTERS_MAX = 160;

/** One line, whatever the file says: control and separator characters become '?', over-long text is cut. */
export function printable(text: string): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return line.length <= NAME_CHARACTERS_MAX ? line : `${line.slice(0, NAME_CHARACTERS_MAX)}...`;
}

export class TensorTable {
  private readonly model: TfliteModel;
  private readonly source: readonly TfliteTensor[];
  /** Sparse, by id: only what was used so far. */
  private readonly converted: Tensor[] = [];
  private nextId: number;
  private readonly dequantizedIds = new Map<number, number>();
  private readonly dequantizedData = new Map<number, Uint8Array>();
  private readonly hybridOps: string[] = [];
  private readonly foldedOps: string[] = [];
  private readonly shapeOps: string[] = [];

  constructor(model: TfliteModel, subgraph: TfliteSubGraph) {
    this.model = model;
    this.source = subgraph.tensors ?? [];
    this.nextId = this.source.length;
  }

  /** Everything converted or made so far, at its id; a live view with holes, for lookups by id. */
  byId(): readonly Tensor[] {
    return this.converted;
  }

  /** Records an op (index and kind) whose int8 filter was dequantized. */
  noteHybrid(op: string): void {
    this.hybridOps.push(op);
  }

  /** Records an op (index and kind) that computed on shapes only. */
  noteShapeOp(op: string): void {
    this.shapeOps.push(op);
  }

  /** Records the index of a DEQUANTIZE that was carried out at import. */
  noteFolded(op: string): void {
    this.foldedOps.push(op);
  }

  /** What import changed, one sentence each. */
  notes(): readonly string[] {
    const hybrid =
      `hybrid model: int8 filters on float32 activations were dequantized to float32 at import (ops ${this.hybridOps.join(', ')}); ` +
      "this differs from TFLite's hybrid kernels, which quantize the input at run time";
    const folded = `constants dequantized to float32 at import: DEQUANTIZE ops ${this.foldedOps.join(', ')} need no code`;
    const shapes = `shapes computed at import: ops ${this.shapeOps.join(', ')} need no code`;
    return [
      ...(this.hybridOps.length > 0 ? [hybrid] : []),
      ...(this.foldedOps.length > 0 ? [folded] : []),
      ...(this.shapeOps.length > 0 ? [shapes] : []),
    ];
  }

  /** The type's name in the schema, FLOAT16 and others the IR lacks included. */
  typeName(index: number): string {
    const type = this.raw(index).type;
    return TENSOR_TYPES[type] ?? `#${type}`;
  }

  /** Constant bytes, or null for an activation. An op's result that became constant (folding) counts as constant. */
  data(index: number): Uint8Array | null {
    const made = this.converted[index];
    if (made) return made.data;
    const data = this.model.buffers?.[this.raw(index).buffer]?.data;
    return data && data.length > 0 ? data : null;
  }

  shape(index: number): readonly number[] {
    return this.raw(index).shape ?? [];
  }

  describe(index: number): string {
    return `tensor ${index} "${printable(this.raw(index).name ?? '')}"`;
  }

  /** The IR tensor. Throws RuleViolation naming it for a type, shape or quantization that is not supported. */
  get(index: number): Tensor {
    const known = this.converted[index];
    if (known) return known;
    const tensor = this.convert(index);
    this.converted[index] = tensor;
    return tensor;
  }

  /**
   * The float32 tensor that a constant's quantized or float16 values stand for: `target` when given (it becomes constant), else a new
   * tensor, the same one for every op that asks.
   */
  dequantized(index: number, target?: number): TensorId {
    const id = target ?? this.dequantizedIds.get(index) ?? this.nextId;
    if (id === this.nextId) this.nextId += 1;
    if (target === undefined) this.dequantizedIds.set(index, id);
    if (target !== undefined || !this.converted[id]) this.converted[id] = this.dequantize(index, id as TensorId);
    return id as TensorId;
  }

  /** The bytes are computed once per constant, however many tensors hold them. */
  private dequantize(index: number, id: TensorId): Tensor {
    const isHalf = this.typeName(index) === 'FLOAT16';
    const quantized = isHalf ? null : this.get(index);
    return this.guard(index, () => {
      const { name, shape: rawShape } = this.raw(index);
      const shape = rawShape ?? [];
      const data = this.dequantizedData.get(index) ?? dequantizeConstant(quantized ?? this.halfConstant(index));
      this.dequantizedData.set(index, data);
      const tensor: Tensor = { id, name: printable(name ?? ''), dtype: 'float32', shape, quantization: null, data };
      checkTensor(tensor);
      return tensor;
    });
  }

  private halfConstant(index: number): HalfConstant {
    const data = this.data(index);
    if (!data) throw new Error(`internal: ${this.describe(index)} is not constant`);
    return { dtype: 'float16', shape: this.shape(index), data };
  }

  /** Makes tensor `index`, int32 or int64, the constant `values`. */
  setInts(index: number, values: readonly number[]): void {
    const tensor = this.get(index);
    this.converted[index] = this.guard(index, () => {
      const isWide = tensor.dtype === 'int64';
      rule(isWide || tensor.dtype === 'int32', `has type ${tensor.dtype}, INT32 or INT64 expected for a shape`);
      const list = isWide ? BigInt64Array.from(values, BigInt) : Int32Array.from(values);
      const constant: Tensor = { ...tensor, data: new Uint8Array(list.buffer) };
      checkTensor(constant);
      return constant;
    });
  }

  private raw(index: number): TfliteTensor {
    const tensor = this.source[index];
    if (!tensor) throw new Error(`internal: tensor ${index} was not checked`);
    return tensor;
  }

  private guard(index: number, convert: () => Tensor): Tensor {
    try {
      return convert();
    } catch (error) {
      if (!(error instanceof RuleViolation)) throw error;
      throw new RuleViolation(`${this.describe(index)} ${error.message}`);
    }
  }

  private convert(index: number): Tensor {
    return this.guard(index, () => {
      const raw = this.raw(index);
      const dtype = DTYPES[this.typeName(index)];
      rule(dtype !== undefined, `has type ${this.typeName(index)}, which is not supported`);
      rule(!raw.sparsity, 'is sparse, which is not supported');
      rule(!raw.isVariable, 'is a variable (state kept between inferences), which is not supported');
      rule(
        raw.externalBuffer === 0,
        `has its data outside the file (external buffer ${raw.externalBuffer}), which is not supported`,
      );
      const tensor: Tensor = {
        id: index as TensorId,
        name: printable(raw.name ?? ''),
        dtype,
        shape: raw.shape ?? [],
        quantization:
          dtype === 'float32' || dtype === 'bool' ? null : importQuantization(raw.quantization, raw.shape ?? []),
        data: this.data(index),
      };
      checkTensor(tensor);
      return tensor;
    });
  }
}

/** TFLite writes an empty table for tensors that are not quantized. */
function importQuantization(source: TfliteQuantization | null, shape: readonly number[]): Quantization | null {
  if (source?.details) rule(false, `has ${source.details.type} quantization, which is not supported`);
  const scale = source?.scale ?? [];
  if (!source || scale.length === 0) return null;
  const zeroPoint = (source.zeroPoint ?? []).map(Number);
  // A bias has one dimension, but converters may write its filter's axis here.
  const axis = scale.length === 1 || shape.length === 1 ? 0 : source.quantizedDimension;
  return { scale, zeroPoint, axis };
}
