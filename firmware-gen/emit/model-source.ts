/** <model>.c: the op functions, invoke in execution order, and where inputs and outputs lie in the arena. */
import type { Graph, TensorId } from '../ir/graph.ts';
import { tensorBytes, tensorOf } from '../ir/graph.ts';
import type { MemoryPlan, Schedule } from '../ir/schedule.ts';
import type { ConstantPool } from './constants.ts';
import { hasState } from './model-header.ts';
import { OpWriter, opFunctionName, opOf, shapesOf } from './op-function.ts';

const OP_FUNCTION_MACRO = `/* One symbol per op in every build: not inlined, cloned or merged, so that profilers can attribute cycles. */
#if defined(__GNUC__) && !defined(__clang__)
#define TL_OP_FUNCTION __attribute__((noipa))
#elif defined(__clang__)
#define TL_OP_FUNCTION __attribute__((noinline))
#else
#define TL_OP_FUNCTION
#endif
`;

export interface ModelSourceOptions {
  /** C identifier of the model. */
  readonly model: string;
  readonly hooks: boolean;
  readonly opening: string;
}

export function modelSource(
  schedule: Schedule,
  plan: MemoryPlan,
  constants: ConstantPool,
  options: ModelSourceOptions,
): string {
  const { graph, calls } = schedule;
  const writer = new OpWriter(options.model, graph, plan, constants);
  const functions = calls.map((call, index) => writer.write(call, index));
  const accessors = [
    accessor(graph, graph.inputs, plan, writer, options.model, 'input'),
    accessor(graph, graph.outputs, plan, writer, options.model, 'output'),
  ];
  const headers = [...new Set(['tl_types.h', ...calls.map((call) => call.header)])].sort();
  const includes = [`"${options.model}.h"`, `"${options.model}_weights.h"`, ...headers.map((header) => `"${header}"`)];
  return [
    options.opening,
    `${includes.map((name) => `#include ${name}`).join('\n')}\n`,
    ...(hasState(graph) ? ['#include <string.h>\n'] : []),
    ...(functions.length > 0 ? [OP_FUNCTION_MACRO] : []),
    ...functions,
    invoke(schedule, options),
    ...accessors,
    ...(hasState(graph) ? [resetFunction(graph, plan, options.model)] : []),
  ].join('\n');
}

/** Ranges of earlier inferences: all zero says there was none. */
function resetFunction(graph: Graph, plan: MemoryPlan, model: string): string {
  const states = graph.dynamics?.states ?? [];
  const lines = states.map(
    (id) => `    memset(base + ${plan.tensorOffset[id] ?? 0}, 0, ${tensorBytes(tensorOf(graph, id))});`,
  );
  return `void ${model}_reset_at(void *arena)\n{\n    uint8_t *const base = (uint8_t *)arena;\n${lines.join('\n')}\n}\n`;
}

function invoke(schedule: Schedule, { model, hooks }: ModelSourceOptions): string {
  const { graph } = schedule;
  const lines: string[] = [];
  const aliasOps = new Set(schedule.aliases.map((alias) => alias.opIndex));
  const fusedInto = new Map(
    schedule.calls.flatMap((call) => call.fusedOpIndices.map((index) => [index, call.opIndex])),
  );
  const called = new Set(schedule.calls.map((call) => call.opIndex));
  for (const op of graph.ops) {
    if (called.has(op.index)) {
      lines.push(
        `    if (${opFunctionName(model, opOf(graph, op.index))}(base) != TL_OK) {`,
        '        return -1;',
        '    }',
      );
    } else if (aliasOps.has(op.index)) {
      lines.push(`    /* op ${op.index} ${op.kind}: the same bytes, ${shapesOf(op, graph)} */`);
    } else {
      lines.push(`    /* op ${op.index} ${op.kind}: done by op ${fusedInto.get(op.index) ?? 'none'} */`);
    }
    if (hooks) lines.push(`    ${model}_on_op(${op.index});`);
  }
  const base = called.size > 0 ? '    uint8_t *const base = (uint8_t *)arena;\n' : '    (void)arena;';
  return [`int32_t ${model}_invoke_at(void *arena)`, '{', base, ...lines, '    return 0;', '}', ''].join('\n');
}

/** `<model>_input_at` and `<model>_output_at`: a constant that is a graph output is answered from flash. */
function accessor(
  graph: Graph,
  ids: readonly TensorId[],
  plan: MemoryPlan,
  writer: OpWriter,
  model: string,
  what: 'input' | 'output',
): string {
  const isInput = what === 'input';
  const pointer = isInput ? 'uint8_t *' : 'const uint8_t *';
  const cases = ids.map((id, index) => {
    const isConstant = tensorOf(graph, id).data !== null;
    const offset = plan.tensorOffset[id] ?? 0;
    const expression = isConstant ? writer.tensor(id, false) : offset === 0 ? 'base' : `base + ${offset}`;
    return `    case ${index}:\n        return ${expression};`;
  });
  const usesBase = cases.some((line) => /\bbase\b/.test(line));
  return `${isInput ? 'void *' : 'const void *'}${model}_${what}_at(${isInput ? '' : 'const '}void *arena, int32_t index)
{
${usesBase ? `    ${pointer}const base = (${pointer})arena;` : '    (void)arena;'}
    switch (index) {
${cases.join('\n')}
    default:
        return NULL;
    }
}
`;
}
