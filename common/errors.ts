/**
 * Errors a user can act on. Anything else that is thrown is a bug of ours: it prints its stack and exits 70.
 * Exit codes are the contract's: 1 check failed, 2 bad input or usage, 3 tool or device missing, 4 flash failed,
 * 5 no boot, 6 timeout or limit, 7 firmware faulted.
 */
export type ExitCode = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** One clear line: what, where, how to fix. Printed without a stack. */
export class UserError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = 2) {
    super(message);
    this.name = 'UserError';
    this.exitCode = exitCode;
  }
}

/** States an invariant of ours; a failure is a bug (exit 70), never bad input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`internal: ${message}`);
}

/** Narrows a value that an invariant says is present. */
export function defined<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} is missing`);
  return value;
}
