/** Which axes a change of rank concerns. The IR keeps only the shapes, TFLite wants the axes. */
import { assert } from '../../../common/errors.ts';

/**
 * Axes of extent 1 to leave out of `longer` to get `shorter`. Where several choices give the same shape the last ones are taken, which
 * moves no data either way.
 */
export function droppedAxes(longer: readonly number[], shorter: readonly number[]): number[] {
  const dropped: number[] = [];
  for (const [axis, extent] of longer.entries()) {
    if (extent === shorter[axis - dropped.length]) continue;
    assert(extent === 1, `shapes [${longer.join()}] and [${shorter.join()}] differ in more than axes of extent 1`);
    dropped.push(axis);
  }
  assert(
    longer.length - dropped.length === shorter.length,
    `[${shorter.join()}] has axes that [${longer.join()}] lacks`,
  );
  return dropped;
}
