/**
 * Damaged and hostile .tflite files: cut at every table, with references that lead nowhere or in circles, and well-formed ones that ask for
 * the impossible. Found by walking the flatbuffer (flatbuffers.dev, "FlatBuffer internals"), so they fit any model.
 */
import { BUILTIN_OPERATORS, codeOf } from '../../../firmware-gen/tflite/enums.ts';
import { fieldSlots, tableDefaults, type TableName, type TfliteModel } from '../../../firmware-gen/tflite/schema.ts';
import { writeTflite } from '../../../firmware-gen/tflite/writer.ts';
import { ModelBuilder, classifierModel, options } from '../../tflite/model-builder.ts';

export interface HostileFile {
  readonly what: string;
  readonly bytes: Uint8Array;
  /** What the message must say beyond the file's name. */
  readonly message: RegExp;
}

/** Positions in a file, in bytes. */
class Walker {
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  follow(at: number): number {
    return at + this.view.getUint32(at, true);
  }

  vtable(table: number): number {
    return table - this.view.getInt32(table, true);
  }

  /** Where a table holds a field inline; the table's own position when it is absent. Of a union, its value. */
  field(table: number, name: TableName, field: string): number {
    const entry = fieldSlots(name).find((candidate) => candidate.name === field)!;
    const slot = entry.field.kind === 'union' ? entry.slot + 1 : entry.slot;
    const vtable = this.vtable(table);
    const known = 4 + 2 * slot < this.view.getUint16(vtable, true);
    return table + (known ? this.view.getUint16(vtable + 4 + 2 * slot, true) : 0);
  }

  /** Where the vector or table that a field refers to begins. */
  target(table: number, name: TableName, field: string): number {
    return this.follow(this.field(table, name, field));
  }

  /** The first table of a vector that has a field. */
  firstWith(vector: number, name: TableName, field: string): number {
    const count = this.view.getUint32(vector, true);
    const tables = Array.from({ length: count }, (_, index) => this.element(vector, index));
    return tables.find((table) => this.field(table, name, field) !== table)!;
  }

  /** The table that is element `index` of a vector. */
  element(vector: number, index: number): number {
    return this.follow(vector + 4 + 4 * index);
  }
}

/** Every kind of table and vector a model file has, by name. */
function landmarks(bytes: Uint8Array): Readonly<Record<string, number>> {
  const walker = new Walker(bytes);
  const model = walker.follow(0);
  const subgraphs = walker.target(model, 'Model', 'subgraphs');
  const subgraph = walker.element(subgraphs, 0);
  const tensors = walker.target(subgraph, 'SubGraph', 'tensors');
  const operators = walker.target(subgraph, 'SubGraph', 'operators');
  const codes = walker.target(model, 'Model', 'operatorCodes');
  const buffers = walker.target(model, 'Model', 'buffers');
  const tensor = walker.firstWith(tensors, 'Tensor', 'buffer');
  const buffer = walker.firstWith(buffers, 'Buffer', 'data');
  const operator = walker.element(operators, 0);
  const quantization = walker.target(tensor, 'Tensor', 'quantization');
  return {
    model,
    'vtable of the model': walker.vtable(model),
    'vector of operator codes': codes,
    'operator code': walker.element(codes, 0),
    'vector of subgraphs': subgraphs,
    subgraph,
    'vector of tensors': tensors,
    tensor,
    shape: walker.target(tensor, 'Tensor', 'shape'),
    'tensor name': walker.target(tensor, 'Tensor', 'name'),
    quantization,
    scales: walker.target(quantization, 'QuantizationParameters', 'scale'),
    'vector of operators': operators,
    operator,
    'operator inputs': walker.target(operator, 'Operator', 'inputs'),
    'operator options': walker.target(operator, 'Operator', 'builtinOptions'),
    'vector of buffers': buffers,
    buffer,
    'buffer data': walker.target(buffer, 'Buffer', 'data'),
  };
}

/** The file cut two bytes into every kind of table, and at its edges. */
export function truncations(bytes: Uint8Array): HostileFile[] {
  const cuts = Object.entries(landmarks(bytes)).map(([what, at]) => [`cut in the ${what}`, at + 2] as const);
  const edges = [0, 1, 4, 7, 8].map((length) => [`cut to ${length} bytes`, length] as const);
  return [...edges, ...cuts, ['cut by half', bytes.length >> 1] as const].map(([what, length]) => ({
    what,
    bytes: bytes.slice(0, length),
    message: length < 8 ? /not a TFLite file: \d bytes/ : /truncated or corrupt|reach outside|overlap/,
  }));
}

/** The file with words replaced that lead elsewhere. */
export function damagedReferences(bytes: Uint8Array): HostileFile[] {
  const at = landmarks(bytes);
  const walker = new Walker(bytes);
  const place = (name: string): number => at[name]!;
  const word = (what: string, position: number, value: number, message: RegExp): HostileFile => {
    const copy = bytes.slice();
    new DataView(copy.buffer).setUint32(position, value >>> 0, true);
    return { what, bytes: copy, message };
  };
  const damaged = /damaged TFLite file: .* at byte -?\d+: /;
  const subgraphs = place('vector of subgraphs');
  const shape = place('shape');
  const input = place('operator inputs') + 4;
  const bufferIndex = walker.field(place('tensor'), 'Tensor', 'buffer');
  const graphInputs = walker.target(place('subgraph'), 'SubGraph', 'inputs') + 4;
  return [
    word('another identifier', 4, 0x33324654, /identifier at byte 4 is "TF23", "TFL3" expected/),
    word('an identifier of zeros', 4, 0, /not a TFLite file: identifier/),
    word('a root beyond the end', 0, bytes.length, damaged),
    word('a root that is itself', 0, 0, damaged),
    word('a root that wraps around', 0, 0xffffffff, damaged),
    word('a vtable before the file', place('model'), 0x7fffffff, damaged),
    word('a vtable that is its own table', place('subgraph'), 0, damaged),
    word('a subgraph that is its own vector', subgraphs + 4, 0, damaged),
    word('a subgraph that leads back to the model', subgraphs + 4, place('model') - (subgraphs + 4), damaged),
    word('2^31 subgraphs', subgraphs, 0x80000000, damaged),
    word('2^30 tensors', place('vector of tensors'), 0x40000000, damaged),
    word('a shape of 2^32-1 dimensions', shape, 0xffffffff, damaged),
    word('a negative dimension', shape + 4, -2, /shape|dimension/),
    word('an absurd dimension', shape + 4, 0x7fffffff, /shape|bytes/),
    word('no dimension', shape + 4, 0, /shape|dimension|bytes/),
    word('a scale that is no number', place('scales') + 4, 0x7fc00000, /scale/),
    word('a scale that is infinite', place('scales') + 4, 0x7f800000, /scale/),
    word('an operator input out of range', input, 1_000_000, /1000000/),
    word('an operator input below -1', input, -2, /-2/),
    word('a graph input out of range', graphInputs, 77_777, /77777/),
    word('a buffer out of range', bufferIndex, 0x7ffffffe, /2147483646/),
    word('buffer data longer than the file', place('buffer data'), 0x7fffffff, damaged),
  ];
}

type Change = (model: TfliteModel) => TfliteModel;

const withOperator =
  (index: number, changes: object): Change =>
  (model) => ({
    ...model,
    subgraphs: model.subgraphs!.map((graph) => ({
      ...graph,
      operators: graph.operators!.map((operator, i) => (i === index ? { ...operator, ...changes } : operator)),
    })),
  });

/** One pair of RELU ops whose inputs are each other's outputs. */
function cyclicModel(): TfliteModel {
  const b = new ModelBuilder();
  const [x, y, z] = [b.tensor({ shape: [4] }), b.tensor({ shape: [4] }), b.tensor({ shape: [4] })];
  return b.op('RELU', [y], [z]).op('RELU', [z], [y]).model([x], [y]);
}

function reluModel(shape: readonly number[]): TfliteModel {
  const b = new ModelBuilder();
  const [x, y] = [b.tensor({ shape }), b.tensor({ shape })];
  return b.op('RELU', [x], [y]).model([x], [y]);
}

/** Well-formed files whose meaning is impossible. */
export function senselessModels(): HostileFile[] {
  const good = classifierModel();
  const changed = (what: string, change: Change, message: RegExp): HostileFile => ({
    what,
    bytes: writeTflite(change(good)),
    message,
  });
  const made = (what: string, model: TfliteModel, message: RegExp): HostileFile => ({
    what,
    bytes: writeTflite(model),
    message,
  });
  const hashtable = codeOf(BUILTIN_OPERATORS, 'HASHTABLE');
  return [
    changed('version 2 of the schema', (model) => ({ ...model, version: 2 }), /version 2 is not supported/),
    changed('no subgraph', (model) => ({ ...model, subgraphs: [] }), /0 subgraphs/),
    changed(
      'two subgraphs',
      (model) => ({ ...model, subgraphs: [...model.subgraphs!, ...model.subgraphs!] }),
      /2 subgraphs/,
    ),
    changed('no buffers', (model) => ({ ...model, buffers: [] }), /buffer/),
    changed('an opcode out of range', withOperator(0, { opcodeIndex: 99 }), /99/),
    changed('an operator without inputs', withOperator(0, { inputs: [] }), /operator 0 CONV_2D/),
    changed('an operator without outputs', withOperator(0, { outputs: [] }), /operator 0 CONV_2D/),
    changed('an operator that writes its input', withOperator(0, { outputs: [0] }), /operator|tensor/),
    changed('a stride of 0', withOperator(0, { builtinOptions: options('Conv2DOptions', { strideW: 0 }) }), /stride/),
    changed(
      'an absurd stride',
      withOperator(1, {
        builtinOptions: options('Pool2DOptions', { strideW: 1, strideH: 2 ** 31 - 1, filterHeight: 2, filterWidth: 2 }),
      }),
      /operator 1 MAX_POOL_2D/,
    ),
    changed(
      'options of another operator',
      withOperator(0, { builtinOptions: options('SoftmaxOptions') }),
      /operator 0 CONV_2D/,
    ),
    changed(
      'an operator nobody implements',
      (model) => ({
        ...model,
        operatorCodes: model.operatorCodes!.map((code, i) =>
          i === 4 ? { ...code, builtinCode: hashtable, deprecatedBuiltinCode: 127 } : code,
        ),
      }),
      /HASHTABLE/,
    ),
    changed(
      'a reshape to another size',
      (model) =>
        withOperator(2, {
          inputs: [model.subgraphs![0]!.operators![2]!.inputs![0]!],
          builtinOptions: options('ReshapeOptions', { newShape: [1, 17] }),
        })(model),
      /operator 2 RESHAPE/,
    ),
    made('operators in a circle', cyclicModel(), /op 0 RELU reads "t1" before anything writes it/),
    made('a shape beyond every integer', reluModel(new Array<number>(8).fill(2 ** 31 - 1)), /shape/),
    made(
      'no operators and no tensors',
      { ...tableDefaults('Model'), version: 3, subgraphs: [tableDefaults('SubGraph')] },
      /0 inputs/,
    ),
  ];
}

/** Imports well, but no board holds 400 MB of activations: refused where the board comes in. */
export function hugeActivations(): Uint8Array {
  return writeTflite(reluModel([1, 20_000, 10_000, 1]));
}
