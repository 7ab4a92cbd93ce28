/** What fusions ask of finished calls: tensors and numbers among their arguments, and who else reads a tensor. */
import { assert, defined } from '../../../common/errors.ts';
import type { Graph, TensorId } from '../../ir/graph.ts';
import type { CValue, KernelCall } from '../../ir/schedule.ts';

export function tensorIn(value: CValue | undefined): TensorId | null {
  return value?.kind === 'tensor' ? value.tensor : null;
}

/** One call reads it, once, and it is no output of the graph. */
export function isReadOnce(id: TensorId, calls: readonly KernelCall[], graph: Graph): boolean {
  const readers = calls.filter((call) => call.reads.includes(id));
  const uses = graph.ops.flatMap((op) => op.inputs).filter((input) => input === id);
  return readers.length === 1 && uses.length === 1 && !graph.outputs.includes(id);
}

export function memberOf(value: CValue | undefined, name: string): CValue {
  assert(value?.kind === 'struct', `${name} is asked of something that is no struct`);
  return defined(value.fields.find((field) => field.name === name)?.value, `member ${name} of ${value.ctype}`);
}

export function numberIn(value: CValue | undefined, name: string): number {
  const member = memberOf(value, name);
  assert(member.kind === 'int', `${name} is no integer`);
  return member.value;
}
