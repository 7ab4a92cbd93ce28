/** ADD, SUB, MUL, MAXIMUM and MINIMUM of int8 tensors: kernels of tl_basic_math.h. */
import { assert } from '../../../common/errors.ts';
import type { Graph, Op, Tensor } from '../../ir/graph.ts';
import { elementCount } from '../../ir/graph.ts';
import type { AddParams } from '../../ir/op-params.ts';
import { addParams, mulMultiplier, subParams } from '../../ir/op-params.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';
import { broadcastShapeArgument } from './broadcast.ts';
import { inputTensor, int, kernelCall, outputTensor, tensorArg, struct } from './call.ts';
import type { LowerOp } from './lower-op.ts';
import { activationMember, inputOffset, perTensor } from './per-tensor.ts';

const HEADER = 'tl_basic_math.h';

interface Operands {
  readonly input1: Tensor;
  readonly input2: Tensor;
  readonly output: Tensor;
}

function int8Operands(op: Op, graph: Graph): Operands | null {
  const operands = {
    input1: inputTensor(op, graph, 0),
    input2: inputTensor(op, graph, 1),
    output: outputTensor(op, graph),
  };
  return Object.values(operands).every((tensor: Tensor) => tensor.dtype === 'int8') ? operands : null;
}

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((extent, axis) => extent === b.shape[axis]);
}

/** Inputs that the output may overwrite: those whose every element is read for the output element at its place, and only there. */
function overwritable({ input1, input2, output }: Operands): Tensor[] {
  return [input1, input2].filter((input) => elementCount(input.shape) === elementCount(output.shape));
}

/** The operand roles of ADD and SUB; see tl_add_params. */
interface Roles {
  readonly narrow: Tensor;
  readonly wide: Tensor;
  readonly narrowIsFirst: boolean;
  readonly params: CValue;
}

function addRoles({ input1, input2, output }: Operands, scaling: AddParams, activation: CValue): Roles {
  const isHalf = ({ multiplier, shift }: AddParams['input1']): boolean => multiplier === 2 ** 30 && shift === 0;
  const narrowIsFirst = isHalf(scaling.input2);
  const [narrow, wide] = narrowIsFirst ? [input1, input2] : [input2, input1];
  const [narrowScaling, wideScaling] = narrowIsFirst
    ? [scaling.input1, scaling.input2]
    : [scaling.input2, scaling.input1];
  assert(isHalf(wideScaling) && scaling.leftShift === 20, 'the larger input scale is half the common scale');
  const params = struct('tl_add_params', 'params', {
    narrow_offset: inputOffset(perTensor(narrow)),
    narrow_multiplier: narrowScaling.multiplier,
    narrow_shift: narrowScaling.shift,
    wide_offset: inputOffset(perTensor(wide)),
    output_multiplier: scaling.output.multiplier,
    output_shift: scaling.output.shift,
    output_offset: perTensor(output).zeroPoint,
    activation,
  });
  return { narrow, wide, narrowIsFirst, params };
}

/** Mirrors tl_elementwise_add_s8_get_buffer_size: a table of 256 int32 for blocks of at least twice as many elements. */
export function addScratchBytes(blockSize: number): number {
  return blockSize >= 512 ? 1024 : 0;
}

export const lowerAddS8: LowerOp = (op, graph) => {
  if (op.kind !== 'ADD') return null;
  const operands = int8Operands(op, graph);
  if (!operands) return null;
  const { input1, input2, output } = operands;
  const scaling = addParams('int8', perTensor(input1).scale, perTensor(input2).scale, perTensor(output).scale);
  const { narrow, wide, params } = addRoles(operands, scaling, activationMember(op.activation, output));
  if (sameShape(narrow, wide)) {
    const count = elementCount(output.shape);
    return kernelCall(op, graph, {
      function: 'tl_elementwise_add_s8',
      header: HEADER,
      args: [{ kind: 'context' }, params, tensorArg(narrow), tensorArg(wide), tensorArg(output), int(count)],
      scratchBytes: addScratchBytes(count),
      inPlaceInputs: overwritable(operands),
    });
  }
  return broadcastCall(op, graph, operands, 'tl_broadcast_add_s8', [params], narrow, wide);
};

export const lowerSubS8: LowerOp = (op, graph) => {
  if (op.kind !== 'SUB') return null;
  const operands = int8Operands(op, graph);
  if (!operands) return null;
  const { input1, input2, output } = operands;
  const scaling = subParams('int8', perTensor(input1).scale, perTensor(input2).scale, perTensor(output).scale);
  const roles = addRoles(operands, scaling, activationMember(op.activation, output));
  const params = struct('tl_sub_params', 'params', {
    add: roles.params,
    narrow_is_subtracted: roles.narrowIsFirst ? 0 : 1,
  });
  return broadcastCall(op, graph, operands, 'tl_broadcast_sub_s8', [params], roles.narrow, roles.wide);
};

export const lowerMulS8: LowerOp = (op, graph) => {
  if (op.kind !== 'MUL') return null;
  const operands = int8Operands(op, graph);
  if (!operands) return null;
  const { input1, input2, output } = operands;
  const { multiplier, shift } = mulMultiplier(
    perTensor(input1).scale,
    perTensor(input2).scale,
    perTensor(output).scale,
  );
  const params = struct('tl_mul_params', 'params', {
    input_1_offset: inputOffset(perTensor(input1)),
    input_2_offset: inputOffset(perTensor(input2)),
    output_multiplier: multiplier,
    output_shift: shift,
    output_offset: perTensor(output).zeroPoint,
    activation: activationMember(op.activation, output),
  });
  return broadcastCall(op, graph, operands, 'tl_broadcast_mul_s8', [params], input1, input2);
};

export const lowerExtremumS8: LowerOp = (op, graph) => {
  if (op.kind !== 'MAXIMUM' && op.kind !== 'MINIMUM') return null;
  const operands = int8Operands(op, graph);
  if (!operands) return null;
  const kernel = op.kind === 'MAXIMUM' ? 'tl_broadcast_maximum_s8' : 'tl_broadcast_minimum_s8';
  return broadcastCall(op, graph, operands, kernel, [], operands.input1, operands.input2);
};

/** Null when the broadcast alternates in more dimensions than the kernels walk. */
function broadcastCall(
  op: Op,
  graph: Graph,
  operands: Operands,
  kernel: string,
  params: readonly CValue[],
  first: Tensor,
  second: Tensor,
): KernelCall | null {
  const { output } = operands;
  const shape = broadcastShapeArgument(first.shape, second.shape, output.shape);
  if (!shape) return null;
  return kernelCall(op, graph, {
    function: kernel,
    header: HEADER,
    args: [...params, shape, tensorArg(first), tensorArg(second), tensorArg(output)],
    inPlaceInputs: overwritable(operands),
  });
}
