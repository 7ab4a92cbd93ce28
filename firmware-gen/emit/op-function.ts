/**
 * One static function per kernel call. Each is a symbol of its own (never inlined, cloned or merged), so that a debugger, a profiler and the
 * emulator can tell the ops apart in the image that ships.
 */
import { assert, defined } from '../../common/errors.ts';
import type { Graph, Op, TensorId } from '../ir/graph.ts';
import { tensorOf } from '../ir/graph.ts';
import { macs } from '../ir/macs.ts';
import type { CField, CValue, KernelCall, MemoryPlan } from '../ir/schedule.ts';
import type { ConstantPool } from './constants.ts';
import { typedValues } from './constants.ts';
import { COLUMNS_MAX, blockComment, ctypeOf, floatLiteral, intLiteral, wrapArguments } from './c-writer.ts';

const INDENT = '    ';

/** Emits the op functions of one model; remembers structs already printed, so that equal ones are shared. */
export class OpWriter {
  readonly #model: string;
  readonly #graph: Graph;
  readonly #plan: MemoryPlan;
  readonly #constants: ConstantPool;
  readonly #structs = new Map<string, string>();

  constructor(model: string, graph: Graph, plan: MemoryPlan, constants: ConstantPool) {
    this.#model = model;
    this.#graph = graph;
    this.#plan = plan;
    this.#constants = constants;
  }

  /** The structs that no earlier call printed, then the function. */
  write(call: KernelCall, callIndex: number): string {
    const statics: string[] = [];
    const locals: string[] = [];
    const args = call.args.map((arg) => this.#argument(arg, call, callIndex, statics, locals));
    const body = [...locals, wrapArguments(`${INDENT}return ${call.function}`, args, ';')];
    const usesArena = body.some((line) => /\barena\b/.test(line));
    if (!usesArena) body.unshift(`${INDENT}(void)arena;`);
    const op = opOf(this.#graph, call.opIndex);
    const head = `TL_OP_FUNCTION\nstatic tl_status ${opFunctionName(this.#model, op)}(uint8_t *arena)`;
    return [...statics, blockComment([this.#describe(op, call)]), head, '{', ...body, '}', ''].join('\n');
  }

  /** C expression for a tensor: its place in the arena or its constant array. */
  tensor(id: TensorId, isWritten: boolean): string {
    const tensor = tensorOf(this.#graph, id);
    const ctype = ctypeOf(tensor.dtype);
    if (tensor.data) {
      return this.#constants.add(
        ctype,
        typedValues(ctype, tensor.data),
        this.#constantName(id),
        `${tensor.name} [${tensor.shape.join(', ')}]`,
      );
    }
    const pointer = arenaPointer(defined(this.#plan.tensorOffset[id], `offset of tensor ${id}`));
    return `(${isWritten ? '' : 'const '}${ctype} *)${pointer}`;
  }

  /** After the first op that uses it, by TFLite's position of the input. */
  #constantName(id: TensorId): string {
    const op = this.#graph.ops.find((candidate) => candidate.inputs.includes(id));
    if (!op) return `tensor${id}`;
    const position = op.inputs.indexOf(id);
    const hasFilter = op.kind === 'CONV_2D' || op.kind === 'DEPTHWISE_CONV_2D' || op.kind === 'FULLY_CONNECTED';
    const role = hasFilter && position === 1 ? 'filter' : hasFilter && position === 2 ? 'bias' : `input${position}`;
    return `op${op.index}_${role}`;
  }

  #argument(value: CValue, call: KernelCall, callIndex: number, statics: string[], locals: string[]): string {
    switch (value.kind) {
      case 'int':
        return intLiteral(value.value);
      case 'float':
        return floatLiteral(value.value);
      case 'tensor':
        return this.tensor(value.tensor, call.writes.includes(value.tensor));
      case 'constant':
        return this.#constant(value, call);
      case 'null':
        return 'NULL';
      case 'struct':
        return `&${this.#struct(value, call, statics)}`;
      case 'context':
        locals.push(`${INDENT}const tl_context context = ${this.#context(call, callIndex)};`);
        return '&context';
      case 'tensors':
        return this.#tensorList(value, call, locals);
      case 'symbol':
        return value.name;
      case 'array':
        throw new Error(`internal: ${call.function}: an array is passed inside a struct, not as an argument`);
    }
  }

  #context(call: KernelCall, callIndex: number): string {
    if (call.scratchBytes === 0) return '{NULL, 0}';
    const offset = defined(this.#plan.scratchOffset[callIndex], `scratch of call ${callIndex}`);
    return `{${offset === 0 ? 'arena' : `arena + ${offset}`}, ${call.scratchBytes}}`;
  }

  #constant(value: Extract<CValue, { kind: 'constant' }>, call: KernelCall): string {
    const { ctype, values, name, comment } = value.constant;
    return this.#constants.add(ctype, values, nameInOp(name, call.opIndex), comment);
  }

  #tensorList(value: Extract<CValue, { kind: 'tensors' }>, call: KernelCall, locals: string[]): string {
    const { tensors } = value;
    const isWritten = tensors.every((id) => call.writes.includes(id));
    const name = value.name ?? (isWritten ? 'outputs' : 'inputs');
    const pointers = tensors.map((id) => this.tensor(id, isWritten));
    const type = isWritten ? 'void *const' : 'const void *const';
    const declaration = `${INDENT}${type} ${name}[${tensors.length}] = {`;
    const oneLine = `${declaration}${pointers.join(', ')}};`;
    const separator = `,\n${' '.repeat(declaration.length)}`;
    locals.push(oneLine.length <= COLUMNS_MAX ? oneLine : `${declaration}${pointers.join(separator)}};`);
    return name;
  }

  #struct(value: Extract<CValue, { kind: 'struct' }>, call: KernelCall, statics: string[]): string {
    const fields = value.fields.map((field) => this.#field(field, call));
    const key = `${value.ctype} {${fields.join(', ')}}`;
    const known = this.#structs.get(key);
    if (known) return known;
    const symbol = this.#constants.claimSymbol(nameInOp(value.name, call.opIndex));
    this.#structs.set(key, symbol);
    const oneLine = `static const ${value.ctype} ${symbol} = {${fields.join(', ')}};`;
    const perField = `static const ${value.ctype} ${symbol} = {\n${fields.map((field) => `${INDENT}${field},\n`).join('')}};`;
    statics.push(`${oneLine.length <= COLUMNS_MAX ? oneLine : perField}\n`);
    return symbol;
  }

  #field(field: CField, call: KernelCall): string {
    return `.${field.name} = ${this.#member(field.value, call)}`;
  }

  #member(value: CValue, call: KernelCall): string {
    switch (value.kind) {
      case 'int':
        return intLiteral(value.value);
      case 'float':
        return floatLiteral(value.value);
      case 'constant':
        return this.#constant(value, call);
      case 'null':
        return 'NULL';
      case 'struct':
        return `{${value.fields.map((field) => this.#field(field, call)).join(', ')}}`;
      case 'array':
        return `{${value.values.map((element) => this.#element(element, call)).join(', ')}}`;
      case 'tensor':
        assert(tensorOf(this.#graph, value.tensor).data !== null, `${call.function}: a struct holds an arena tensor`);
        return this.tensor(value.tensor, false);
      case 'context':
      case 'symbol':
      case 'tensors':
        throw new Error(`internal: ${call.function}: ${value.kind} cannot be a struct member`);
    }
  }

  #element(element: number | CValue, call: KernelCall): string {
    return typeof element === 'number' ? intLiteral(element) : this.#member(element, call);
  }

  #describe(op: Op, call: KernelCall): string {
    const parts = [`op ${op.index} ${op.kind}: ${shapesOf(op, this.#graph)}`];
    const count = macs(op, this.#graph);
    if (count > 0) parts.push(`${count} MACs`);
    const fused = call.fusedOpIndices.map((index) => `op ${index} ${opOf(this.#graph, index).kind}`);
    if (fused.length > 0) parts.push(`with ${fused.join(', ')}`);
    return parts.join(', ');
  }
}

function arenaPointer(offset: number): string {
  return offset === 0 ? 'arena' : `(arena + ${offset})`;
}

function nameInOp(name: string, opIndex: number): string {
  return name.startsWith(`op${opIndex}_`) ? name : `op${opIndex}_${name.replace(/^op\d+_/, '')}`;
}

export function opOf(graph: Graph, index: number): Op {
  return defined(
    graph.ops.find((op) => op.index === index),
    `op ${index}`,
  );
}

/** e.g. kws_op3_depthwise_conv_2d. The emulator and the profiler find ops by this name. */
export function opFunctionName(model: string, op: Op): string {
  return `${model}_op${op.index}_${op.kind.toLowerCase()}`;
}

export function shapesOf(op: Op, graph: Graph): string {
  const text = (id: TensorId | null): string => {
    if (id === null) return 'none';
    const tensor = tensorOf(graph, id);
    return `${tensor.dtype}[${tensor.shape.join(',')}]`;
  };
  return `${op.inputs.map(text).join(' * ')} -> ${op.outputs.map(text).join(', ')}`;
}
