/**
 * TfliteModel -> Graph: side tensors become attributes, constants of float graphs become float32, everything else keeps its TFLite
 * meaning or is refused with the operator's index. Nothing is guessed: an option this project does not implement is an error.
 */
import { UserError } from '../../common/errors.ts';
import type { Graph, Op } from '../ir/graph.ts';
import { checkOp } from '../ir/op-rules.ts';
import { RuleViolation, shapeText } from '../ir/rule.ts';
import { checkOrder } from '../ir/verify.ts';
import { TENSOR_TYPES, codeOf, type BuiltinOperatorName } from '../tflite/enums.ts';
import { operatorName } from '../tflite/reader.ts';
import {
  tableDefaults,
  type TfliteModel,
  type TfliteOperator,
  type TfliteSubGraph,
  type TfliteTensor,
} from '../tflite/schema.ts';
import { compact } from './compact.ts';
import { METADATA_NAME, NOMINAL, expandDynamic, parseDynamicMetadata, type DynamicMetadata } from './dynamic.ts';
import { foldedShapeValues } from './import/fold-shape.ts';
import { OpSource } from './import/op-source.ts';
import { OP_IMPORTERS } from './import/ops.ts';
import { TensorTable, printable } from './import/tensor-table.ts';

/**
 * `name` is the model's name in reports and generated C. Throws UserError naming operator (index and kind) or tensor and the offending
 * value for anything that is not supported or does not fit together.
 */
export function importGraph(file: TfliteModel, name: string): Graph {
  const metadata = dynamicMetadataOf(file);
  if (metadata === null) return importStatic(file, name);
  return expandDynamic(importStatic(withNominalScales(file), name), metadata);
}

function importStatic(model: TfliteModel, name: string): Graph {
  const subgraph = onlySubgraph(model);
  const tensors = new TensorTable(model, subgraph);
  const operators = subgraph.operators ?? [];
  const ops = operators.flatMap((operator, index) => importOp(model, operator, index, tensors) ?? []);
  return rulesAsUserErrors('the graph', () => {
    const inputs = (subgraph.inputs ?? []).map((index) => tensors.get(index).id);
    const outputs = (subgraph.outputs ?? []).map((index) => tensors.get(index).id);
    const graph = compact({ name, tensors: tensors.byId(), ops, inputs, outputs, notes: tensors.notes() });
    checkOrder(graph);
    return graph;
  });
}

/** Null for a model whose scales are in the file. */
function dynamicMetadataOf(model: TfliteModel): DynamicMetadata | null {
  const entry = (model.metadata ?? []).find((candidate) => candidate.name === METADATA_NAME);
  return entry ? parseDynamicMetadata(model.buffers?.[entry.buffer]?.data ?? new Uint8Array(0)) : null;
}

/** int8 and int16 tensors without quantization get the nominal one; their scales are found at run time. */
function withNominalScales(model: TfliteModel): TfliteModel {
  const types = [codeOf(TENSOR_TYPES, 'INT8'), codeOf(TENSOR_TYPES, 'INT16')];
  const { scale, zeroPoint } = NOMINAL;
  const quantization = { ...tableDefaults('QuantizationParameters'), scale, zeroPoint: zeroPoint.map(BigInt) };
  const patched = (tensor: TfliteTensor): TfliteTensor =>
    types.includes(tensor.type) && (tensor.quantization?.scale ?? []).length === 0
      ? { ...tensor, quantization }
      : tensor;
  const subgraphs = (model.subgraphs ?? []).map((subgraph) => ({
    ...subgraph,
    tensors: (subgraph.tensors ?? []).map(patched),
  }));
  return { ...model, subgraphs };
}

export interface UnsupportedOp {
  /** Operator index, or -1 for the model as a whole. */
  readonly index: number;
  readonly opcode: string;
  /** The message importGraph would give if this were the only problem. */
  readonly reason: string;
}

/** Every operator that cannot be imported, in order; empty when each one can. */
export function listUnsupported(file: TfliteModel): readonly UnsupportedOp[] {
  const model = (file.metadata ?? []).some(({ name }) => name === METADATA_NAME) ? withNominalScales(file) : file;
  const found: UnsupportedOp[] = [];
  const collect = (index: number, opcode: string, attempt: () => unknown): void => {
    try {
      attempt();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.push({ index, opcode, reason: error.message });
    }
  };
  collect(-1, 'model', () => onlySubgraph(model));
  const subgraph = model.subgraphs?.[0];
  if (!subgraph) return found;
  const tensors = new TensorTable(model, subgraph);
  for (const [index, operator] of (subgraph.operators ?? []).entries()) {
    collect(index, operatorName(model, operator), () => importOp(model, operator, index, tensors));
  }
  if (found.length === 0) collect(-1, 'model', () => importGraph(file, 'model'));
  return found;
}

function onlySubgraph(model: TfliteModel): TfliteSubGraph {
  const count = model.subgraphs?.length ?? 0;
  const subgraph = model.subgraphs?.[0];
  if (subgraph && count === 1) return subgraph;
  throw new UserError(
    `the model has ${count} subgraphs, exactly 1 is supported; convert it without control flow and resource variables`,
  );
}

/** Null when the op was folded: its result is a constant now. */
function importOp(model: TfliteModel, operator: TfliteOperator, index: number, tensors: TensorTable): Op | null {
  const kind = operatorName(model, operator);
  const source = new OpSource(operator, index, kind, tensors);
  return rulesAsUserErrors(`operator ${index} ${kind}`, () => {
    if (foldedDequantize(source) || foldedShapeOp(source)) return null;
    const importer = OP_IMPORTERS[kind as BuiltinOperatorName];
    if (!importer) throw source.fail(unsupportedText(model, operator, kind), 'replace the layer by supported ones');
    const op = importer(source);
    checkOp(op, { name: '', tensors: tensors.byId(), ops: [], inputs: [], outputs: [], notes: [] });
    return op;
  });
}

/** What breaks a rule of the IR here is the file's fault. */
function rulesAsUserErrors<T>(subject: string, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof RuleViolation)) throw error;
    throw new UserError(`${subject}: ${error.message}; change the model or its conversion options`);
  }
}

function unsupportedText(model: TfliteModel, operator: TfliteOperator, kind: string): string {
  const custom = model.operatorCodes?.[operator.opcodeIndex]?.customCode;
  return kind === 'CUSTOM'
    ? `custom operator "${printable(custom ?? '')}" is not supported`
    : 'operator is not supported';
}

/** DEQUANTIZE of a constant (float16 or int8 weights) is done here; the output becomes the constant. */
function foldedDequantize(source: OpSource): boolean {
  if (source.name !== 'DEQUANTIZE') return false;
  const input = source.inputIndex(0);
  const [output] = source.outputIndices;
  if (input === null || output === undefined || source.tensors.data(input) === null) return false;
  source.requireInputs(1);
  const { dtype, shape } = source.tensors.get(output);
  if (dtype !== 'float32') throw source.fail(`output is ${dtype}, float32 expected`);
  const constant = source.tensors.shape(input);
  if (constant.join() !== shape.join())
    throw source.fail(`input has shape ${shapeText(constant)}, output ${shapeText(shape)}`);
  source.tensors.dequantized(input, output);
  source.tensors.noteFolded(`${source.index}`);
  return true;
}

/** An op that computes on shapes is carried out here; its output becomes the constant. */
function foldedShapeOp(source: OpSource): boolean {
  const values = foldedShapeValues(source);
  if (values === null) return false;
  const [output] = source.outputIndices;
  if (output === undefined) throw source.fail('has no output');
  source.tensors.setInts(output, values);
  source.tensors.noteShapeOp(`${source.index} ${source.name}`);
  return true;
}
