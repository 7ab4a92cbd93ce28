/** <model>.h: the generated C API. C99 and C++; needs nothing but stdint.h. */
import type { Graph, TensorId } from '../ir/graph.ts';
import { tensorBytes, tensorOf } from '../ir/graph.ts';
import type { MemoryPlan } from '../ir/schedule.ts';
import { blockComment, floatLiteral } from './c-writer.ts';
import { toCommentText } from './identifier.ts';

export interface ModelHeaderOptions {
  /** C identifier of the model. */
  readonly model: string;
  readonly hooks: boolean;
  readonly opening: string;
}

/** The caller's buffer must begin at a multiple of this. */
export const ARENA_ALIGNMENT = 8;

export function modelHeader(graph: Graph, plan: MemoryPlan, options: ModelHeaderOptions): string {
  const { model, hooks, opening } = options;
  const upper = model.toUpperCase();
  return [
    opening,
    `#ifndef ${upper}_H\n#define ${upper}_H\n`,
    '#include <stdint.h>\n',
    '#ifdef __cplusplus\nextern "C" {\n#endif\n',
    '/* Bytes the caller provides to init, aligned to _ARENA_ALIGNMENT. */',
    `#define ${upper}_ARENA_BYTES ${Math.max(plan.arenaBytes, ARENA_ALIGNMENT)}`,
    `#define ${upper}_ARENA_ALIGNMENT ${ARENA_ALIGNMENT}\n`,
    ...tensorMacros(graph, graph.inputs, upper, 'INPUT'),
    ...tensorMacros(graph, graph.outputs, upper, 'OUTPUT'),
    ...scaleNotes(graph, upper),
    prototypes(model, hooks, hasState(graph)),
    '#ifdef __cplusplus\n}\n#endif\n#endif\n',
  ].join('\n');
}

/** Count, and per tensor bytes, and for quantized ones scale and zero point: real = scale * (q - zero_point). */
function tensorMacros(graph: Graph, ids: readonly TensorId[], upper: string, what: 'INPUT' | 'OUTPUT'): string[] {
  const lines = [`#define ${upper}_${what}_COUNT ${ids.length}\n`];
  for (const [index, id] of ids.entries()) {
    const tensor = tensorOf(graph, id);
    const prefix = `#define ${upper}_${what}${index}`;
    const shape = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    lines.push(blockComment([`${what.toLowerCase()} ${index}: ${shape}, "${toCommentText(tensor.name)}"`]));
    lines.push(`${prefix}_BYTES ${tensorBytes(tensor)}`);
    const [scale, ...otherScales] = tensor.quantization?.scale ?? [];
    const zeroPoint = tensor.quantization?.zeroPoint[0];
    const isStatic = !graph.dynamics?.scaleOf.has(id) && tensor.dtype !== 'float32';
    if (scale !== undefined && otherScales.length === 0 && isStatic) {
      lines.push(`${prefix}_SCALE ${floatLiteral(scale)}`, `${prefix}_ZERO_POINT (${zeroPoint ?? 0})`);
    }
    lines[lines.length - 1] += '\n';
  }
  return lines;
}

/** What a dynamic model's scale tensors are. */
function scaleNotes({ dynamics }: Graph, upper: string): string[] {
  if (!dynamics) return [];
  const { multiplier, shift, zeroPoint } = dynamics.defaultInput;
  const least = dynamics.leastInput;
  const floor = least
    ? `No finer scale than ${least.multiplier} * 2^${least.shift - 31} is taken: biases would leave the accumulators.`
    : '';
  return [
    blockComment([
      'Scales are int32_t[3], {multiplier, shift, zero point}: real = multiplier * 2^(shift - 31) * (q - zero point), multiplier in [2^30, 2^31). ' +
        `Input 1 is the scale of input 0, to be written before every inference; output 1, where there is one, the scale of output 0. ${floor}`.trim(),
    ]),
    `#define ${upper}_INPUT1_DEFAULT {${multiplier}, ${shift}, ${zeroPoint}} /* what calibration saw */\n`,
  ];
}

/** Whether anything is kept from one inference to the next. */
export function hasState(graph: Graph): boolean {
  return (graph.dynamics?.states ?? []).length > 0;
}

function prototypes(model: string, hooks: boolean, isStateful: boolean): string {
  const reset = `
/* Forgets what earlier inferences said about ranges; call once for every new arena. init does. */
void ${model}_reset_at(void *arena);
`;
  const hook = `
/* Called after every op, in execution order; op_index is the operator's index in the .tflite. You define it. */
void ${model}_on_op(int op_index);
`;
  const short = blockComment([
    'One instance, which is what most programs need. Functions that return int32_t return 0, or -1 when something is wrong with the arguments.',
    `${model}_instance.c remembers the arena; no other variable lies outside of it.`,
  ]);
  const stateless = blockComment([
    'The same without any state but the arena: several arenas make several independent instances, and one arena may serve several models one after the other.',
    `${model}.c has no mutable variables.`,
  ]);
  return `${short}

/* Sets the arena: _ARENA_BYTES at a multiple of _ARENA_ALIGNMENT. Call before everything else. */
int32_t ${model}_init(void *arena);

/* One inference. Inputs may be overwritten by it once they have been read: write all of them before every call. */
int32_t ${model}_invoke(void);

/* Where to write input \`index\`, NULL if there is none. NHWC, little-endian. */
void *${model}_input(int32_t index);

/* Where output \`index\` is after invoke and until the next write to an input or call of invoke. */
const void *${model}_output(int32_t index);

${stateless}
int32_t ${model}_invoke_at(void *arena);
void *${model}_input_at(void *arena, int32_t index);
const void *${model}_output_at(const void *arena, int32_t index);
${isStateful ? reset : ''}${hooks ? hook : ''}`;
}
