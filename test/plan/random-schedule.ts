/** Random schedules for the planner: sequences of calls over byte tensors with scratch, aliases and in-place offers. */
import fc from 'fast-check';
import type { Graph, Op, Tensor, TensorId } from '../../firmware-gen/ir/graph.ts';
import type { KernelCall, Schedule } from '../../firmware-gen/ir/schedule.ts';

/** One step: how many bytes it writes, which earlier tensors it reads (counted back from the newest), and what it offers. */
export interface Step {
  readonly bytes: number;
  readonly reads: readonly number[];
  readonly scratchBytes: number;
  readonly inPlace: boolean;
  /** The step is a RESHAPE: the output is an alias of the first tensor read. */
  readonly alias: boolean;
}

export function stepsArbitrary(maxSteps: number): fc.Arbitrary<Step[]> {
  const step = fc.record({
    bytes: fc.integer({ min: 1, max: 200 }),
    reads: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }),
    scratchBytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 })),
    inPlace: fc.boolean(),
    alias: fc.boolean(),
  });
  return fc.array(step, { minLength: 1, maxLength: maxSteps });
}

/** Tensor 0 is the graph input; step n writes tensor n + 1; the last tensor, and some that nobody reads, are outputs. */
export function scheduleOf(steps: readonly Step[]): Schedule {
  const bytes = [64];
  const ops: Op[] = [];
  const calls: KernelCall[] = [];
  const aliases: Schedule['aliases'][number][] = [];
  const outputs = [steps.length as TensorId];
  const aliasOutputs = new Set<number>();
  for (const [index, step] of steps.entries()) {
    const output = (index + 1) as TensorId;
    const reads = [...new Set(step.reads.map((back) => Math.max(0, index - back)))] as TensorId[];
    const source = reads[0]!;
    const isAlias = step.alias && source !== 0 && output !== outputs[0];
    bytes.push(isAlias ? bytes[source]! : step.bytes);
    ops.push({ index, kind: isAlias ? 'RESHAPE' : 'RELU', inputs: reads, outputs: [output] });
    if (isAlias) {
      aliases.push({ opIndex: index, input: source, output });
      aliasOutputs.add(output);
      continue;
    }
    calls.push({
      opIndex: index,
      fusedOpIndices: [],
      function: 'tl_test',
      header: 'tl_test.h',
      args: [],
      reads,
      writes: [output],
      scratchBytes: step.scratchBytes,
      inPlace: step.inPlace ? reads.map((input) => ({ input, output })) : [],
    });
  }
  const tensors: Tensor[] = bytes.map((extent, id) => ({
    id: id as TensorId,
    name: `t${id}`,
    dtype: 'int8',
    shape: [extent],
    quantization: null,
    data: null,
  }));
  const graph: Graph = { name: 'random', tensors, ops, inputs: [0 as TensorId], outputs, notes: [] };
  return { graph, aliases, calls };
}
