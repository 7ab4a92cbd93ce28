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

/** `[1,49,10,1]`, as shapes are printed in every message. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}
