/**
 * One operator of the file, as the importers of the single kinds read it: checked access to options, tensors and constant side inputs.
 * Every failure is a UserError that names the operator's index and kind and the offending value.
 */
import { UserError } from '../../../common/errors.ts';
import { elementCount, type Activation, type Padding, type TensorId } from '../../ir/graph.ts';
import { shapeText } from '../../ir/rule.ts';
import { RANK_MAX } from '../../ir/verify.ts';
import { ACTIVATIONS, PADDINGS } from '../../tflite/enums.ts';
import type { OptionsName, TableValue, TfliteOperator } from '../../tflite/schema.ts';
import type { TensorTable } from './tensor-table.ts';

/** No side input (axes, paddings, shape) needs more: two values for each dimension. */
const SIDE_VALUES_MAX = 2 * RANK_MAX;

const DEFAULT_FIX = 'change this layer or the conversion options';

export class OpSource {
  readonly index: number;
  /** Builtin name, e.g. CONV_2D. */
  readonly name: string;
  readonly tensors: TensorTable;
  private readonly operator: TfliteOperator;

  constructor(operator: TfliteOperator, index: number, name: string, tensors: TensorTable) {
    this.operator = operator;
    this.index = index;
    this.name = name;
    this.tensors = tensors;
  }

  fail(problem: string, fix: string = DEFAULT_FIX): UserError {
    return new UserError(`operator ${this.index} ${this.name}: ${problem}; ${fix}`);
  }

  /** The options table; kinds whose table has no fields need not call this. */
  options<N extends OptionsName>(type: N): TableValue<N> {
    const { builtinOptions, builtinOptions2 } = this.operator;
    if (builtinOptions2) throw this.fail(`has options of type ${builtinOptions2.type}, ${type} expected`);
    if (!builtinOptions) throw this.fail(`has no options, ${type} expected`);
    if (builtinOptions.type !== type || !builtinOptions.value) {
      throw this.fail(`has options of type ${builtinOptions.type}, ${type} expected`);
    }
    // The reader decodes a union member by the table its type names.
    return builtinOptions.value as TableValue<N>;
  }

  /** Kinds whose options say nothing, if there are any: another table may mean another operator. */
  checkEmptyOptions(type: OptionsName | null): void {
    const found = this.operator.builtinOptions ?? this.operator.builtinOptions2;
    if (found && found.type !== type) throw this.fail(`has options of type ${found.type}, ${type ?? 'none'} expected`);
  }

  get inputCount(): number {
    return this.operator.inputs?.length ?? 0;
  }

  /** File index of input `i`; null when absent (-1 or not listed). */
  inputIndex(i: number): number | null {
    const index = this.operator.inputs?.[i] ?? -1;
    return index < 0 ? null : index;
  }

  requiredIndex(i: number): number {
    const index = this.inputIndex(i);
    if (index === null) throw this.fail(`input ${i} is absent`);
    return index;
  }

  input(i: number): TensorId {
    return this.tensors.get(this.requiredIndex(i)).id;
  }

  optionalInput(i: number): TensorId | null {
    return this.inputIndex(i) === null ? null : this.input(i);
  }

  inputShape(i: number): readonly number[] {
    return this.tensors.get(this.requiredIndex(i)).shape;
  }

  get outputIndices(): readonly number[] {
    return this.operator.outputs ?? [];
  }

  outputs(): readonly TensorId[] {
    return this.outputIndices.map((index) => this.tensors.get(index).id);
  }

  outputShape(): readonly number[] {
    const index = this.outputIndices[0];
    if (index === undefined) throw this.fail('has no output');
    return this.tensors.get(index).shape;
  }

  /** Exactly this many inputs are listed: more could change the meaning. */
  requireInputs(min: number, max: number = min): void {
    if (this.inputCount >= min && this.inputCount <= max) return;
    const range = min === max ? `${min}` : `${min} to ${max}`;
    throw this.fail(`has ${this.inputCount} inputs, ${range} expected`);
  }

  /** Values of a constant int32 or int64 side input, e.g. axes. `what` names it in messages. */
  constantInts(i: number, what: string): readonly number[] {
    const index = this.requiredIndex(i);
    const type = this.tensors.typeName(index);
    if (type !== 'INT32' && type !== 'INT64')
      throw this.fail(`${what} (input ${i}) is ${type}, INT32 or INT64 expected`);
    const shape = this.tensors.shape(index);
    const count = elementCount(shape);
    if (shape.length > RANK_MAX || count > SIDE_VALUES_MAX)
      throw this.fail(`${what} (input ${i}) has shape ${shapeText(shape)}`);
    const data = this.tensors.data(index) ?? new Uint8Array(0);
    if (count > 0 && data.length === 0)
      throw this.fail(`${what} (input ${i}) is computed at run time, only a constant is supported`);
    const width = type === 'INT32' ? 4 : 8;
    if (data.length !== count * width)
      throw this.fail(`${what} (input ${i}) has ${data.length} bytes, ${shapeText(shape)} takes ${count * width}`);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    return Array.from({ length: count }, (_, k) =>
      width === 4 ? view.getInt32(4 * k, true) : Number(view.getBigInt64(8 * k, true)),
    );
  }

  /** A dimension counted from the end when negative, as an index below `rank`. */
  axis(value: number, rank: number): number {
    const axis = value < 0 ? value + rank : value;
    if (axis < 0 || axis >= rank) throw this.fail(`axis ${value} is outside a tensor of ${rank} dimensions`);
    return axis;
  }

  activation(code: number): Activation {
    const name = ACTIVATIONS[code];
    if (name === 'NONE' || name === 'RELU' || name === 'RELU6' || name === 'RELU_N1_TO_1') return name;
    throw this.fail(`fused activation ${name ?? `#${code}`} is not supported`);
  }

  padding(code: number): Padding {
    const name = PADDINGS[code];
    if (!name) throw this.fail(`padding #${code} is not known, SAME (0) or VALID (1) expected`);
    return name;
  }
}
