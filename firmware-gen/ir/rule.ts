/**
 * A broken rule of the IR. The rules are written once (shapes.ts, op-rules.ts): import turns a violation into a UserError, because the
 * file is at fault; verify() turns it into a plain Error, because a pass of ours is.
 */
export class RuleViolation extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RuleViolation';
  }
}

/** Throws RuleViolation with `message` (what is wrong, with the offending value) unless `condition` holds. */
export function rule(condition: boolean, message: string): asserts condition {
  if (!condition) throw new RuleViolation(message);
}

/** Entries of a list that messages print; shapes the IR accepts are shorter. */
const LIST_ENTRIES_MAX = 16;

/** `[1,49,10,1]`, as shapes and other lists are printed in every message; long ones are cut. */
export function shapeText(shape: readonly number[]): string {
  if (shape.length <= LIST_ENTRIES_MAX) return `[${shape.join(',')}]`;
  return `[${shape.slice(0, LIST_ENTRIES_MAX).join(',')},... ${shape.length} entries]`;
}
