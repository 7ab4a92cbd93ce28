/**
 * What `thumbelina inspect` shows: every op with shapes, types, quantization, MACs and constant bytes, and the totals. Plain data for
 * --json; formatInspect prints the same as a table.
 */
import { macs } from './ir/macs.ts';
import { tensorBytes, tensorOf, type Graph, type Op, type Tensor, type TensorId } from './ir/graph.ts';
import type { UnsupportedOp } from './passes/import.ts';

export interface InspectTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly constant: boolean;
  /** real = scale[c] * (q - zeroPoint[c]), c along `axis`; null when not quantized. */
  readonly quantization: {
    readonly scale: readonly number[];
    readonly zeroPoint: readonly number[];
    readonly axis: number;
  } | null;
}

export interface InspectOp {
  /** Operator index in the file. */
  readonly index: number;
  readonly opcode: string;
  /** Padding, strides, activation and the like; what kind has which is in ir/graph.ts. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Null where an optional input is absent. */
  readonly inputs: readonly (InspectTensor | null)[];
  readonly outputs: readonly InspectTensor[];
  readonly macs: number;
  /** Bytes of the op's constant inputs. */
  readonly weightBytes: number;
}

export interface InspectReport {
  readonly schemaVersion: 1;
  readonly model: string;
  readonly inputs: readonly InspectTensor[];
  readonly outputs: readonly InspectTensor[];
  readonly ops: readonly InspectOp[];
  readonly totals: {
    readonly ops: number;
    readonly macs: number;
    /** Constants shared by several ops count once. */
    readonly weightBytes: number;
    /** The largest sum of one op's activations: the arena cannot be smaller, in-place ops aside. */
    readonly peakOpActivationBytes: number;
  };
  readonly notes: readonly string[];
}

export function inspectGraph(graph: Graph): InspectReport {
  const ops = graph.ops.map((op) => inspectOp(op, graph));
  const constants = graph.tensors.filter((tensor) => tensor.data !== null);
  return {
    schemaVersion: 1,
    model: graph.name,
    inputs: graph.inputs.map((id) => inspectTensor(tensorOf(graph, id))),
    outputs: graph.outputs.map((id) => inspectTensor(tensorOf(graph, id))),
    ops,
    totals: {
      ops: ops.length,
      macs: ops.reduce((sum, op) => sum + op.macs, 0),
      weightBytes: constants.reduce((sum, tensor) => sum + tensorBytes(tensor), 0),
      peakOpActivationBytes: graph.ops.reduce((peak, op) => Math.max(peak, activationBytes(op, graph)), 0),
    },
    notes: graph.notes,
  };
}

function inspectTensor(tensor: Tensor): InspectTensor {
  const { name, dtype, shape, quantization, data } = tensor;
  return { name, dtype, shape, bytes: tensorBytes(tensor), constant: data !== null, quantization };
}

function inspectOp(op: Op, graph: Graph): InspectOp {
  const { kind, index, inputs, outputs, ...attributes } = op;
  const tensors = inputs.map((id) => (id === null ? null : inspectTensor(tensorOf(graph, id))));
  return {
    index,
    opcode: kind,
    attributes,
    inputs: tensors,
    outputs: outputs.map((id) => inspectTensor(tensorOf(graph, id))),
    macs: macs(op, graph),
    weightBytes: tensors.reduce((sum, tensor) => sum + (tensor?.constant ? tensor.bytes : 0), 0),
  };
}

/** Distinct activations the op reads and writes, in bytes. */
function activationBytes(op: Op, graph: Graph): number {
  const ids = new Set<TensorId>([...op.inputs.filter((id) => id !== null), ...op.outputs]);
  const activations = [...ids].map((id) => tensorOf(graph, id)).filter((tensor) => tensor.data === null);
  return activations.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
}

const grouped = (value: number): string => value.toLocaleString('en-US');

/** Several lines, no trailing newline: inputs and outputs, one row per op, totals, notes. */
export function formatInspect(report: InspectReport): string {
  const rows = report.ops.map((op) => [
    `${op.index}`,
    op.opcode,
    op.inputs
      .filter((tensor) => tensor && !tensor.constant)
      .map(typeText)
      .join(' '),
    op.outputs.map(typeText).join(' '),
    op.outputs.map(quantizationText).join(' '),
    filterText(op),
    op.macs > 0 ? grouped(op.macs) : '-',
    op.weightBytes > 0 ? grouped(op.weightBytes) : '-',
  ]);
  const { totals } = report;
  const total = ['', 'total', '', '', '', '', grouped(totals.macs), grouped(totals.weightBytes)];
  const header = ['#', 'op', 'input', 'output', 'output scale, zero point', 'filter', 'MACs', 'const bytes'];
  return [
    `${report.model}: ${totals.ops} ops`,
    ...report.inputs.map((tensor) => `input   ${tensorLine(tensor)}`),
    ...report.outputs.map((tensor) => `output  ${tensorLine(tensor)}`),
    '',
    ...table([header, ...rows, total], new Set([0, 6, 7])),
    '',
    `largest op: ${grouped(totals.peakOpActivationBytes)} bytes of activations`,
    ...report.notes.map((note) => `note: ${note}`),
  ].join('\n');
}

/** One line per operator that cannot be imported. */
export function formatUnsupported(unsupported: readonly UnsupportedOp[]): string {
  return unsupported.map(({ reason }) => reason).join('\n');
}

function typeText(tensor: InspectTensor | null): string {
  return tensor ? `${tensor.dtype}[${tensor.shape.join(',')}]` : '';
}

function quantizationText({ quantization }: InspectTensor): string {
  if (!quantization) return '-';
  const [scale, zeroPoint] = [quantization.scale[0] ?? 0, quantization.zeroPoint[0] ?? 0];
  return `${scale.toPrecision(5)}, ${zeroPoint}`;
}

/** Constant operand of most bytes and how it is quantized. */
function filterText(op: InspectOp): string {
  const constants = op.inputs.filter((tensor) => tensor?.constant).sort((a, b) => (b?.bytes ?? 0) - (a?.bytes ?? 0));
  const filter = constants[0];
  if (!filter) return '-';
  if (!filter.quantization) return typeText(filter);
  const count = filter.quantization.scale.length;
  return `${typeText(filter)} ${count > 1 ? 'per channel' : 'per tensor'}`;
}

function tensorLine(tensor: InspectTensor): string {
  const quantization = tensor.quantization ? ` scale, zero point ${quantizationText(tensor)}` : '';
  return `${tensor.name} ${typeText(tensor)}${quantization}`;
}

/** Columns as wide as their widest cell; those in `right` are right-aligned. */
function table(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, i) =>
    rows.reduce((widest, row) => Math.max(widest, row[i]?.length ?? 0), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, i) => (right.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
