/** What every subcommand shares: JSON or text on stdout and nothing else there, progress on stderr, one-line errors with exit codes. */
import { UserError } from '../common/errors.ts';

export interface JsonOption {
  readonly json?: boolean;
}

/** Prints the one document of `--json`, or the text. */
export function print(options: JsonOption, document: unknown, text: () => string): void {
  process.stdout.write(options.json ? `${JSON.stringify(document, null, 2)}\n` : `${text().replace(/\n*$/, '')}\n`);
}

/** A remark for the person watching; never on stdout. */
export function note(message: string): void {
  process.stderr.write(`${withoutControls(message)}\n`);
}

/**
 * Names in a message are other people's text (files, tensors, symbols): they must neither break its line nor steer the terminal.
 * Only a compiler's own words, indented by two spaces (toolchain/run-tool.ts), stay on lines of their own.
 */
function withoutControls(message: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return message.replaceAll(/\n(?! {2})|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}

const EXIT_BUG = 70;

/** Reports an error the contract's way: one line for what the user can act on, the stack for a bug of ours. @returns the exit code */
export function reportError(error: unknown): number {
  if (error instanceof UserError) {
    note(`thumbelina: ${error.message}`);
    return error.exitCode;
  }
  if (isSystemError(error)) {
    note(
      `thumbelina: ${error.path ?? error.syscall ?? 'input/output'}: ${error.message}; check the path, permissions and free space`,
    );
    return 2;
  }
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`thumbelina: internal error, please report it\n${details}\n`);
  return EXIT_BUG;
}

/** Errors of the operating system (missing file, full disk, no permission): the user's to fix, not ours. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

/** Rows as aligned columns; numbers right, text left. @param rows every row as long as header */
export function table(header: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const cells = rows.map((row) =>
    row.map((cell) => (cell === null ? '-' : typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)),
  );
  const widths = header.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const isNumeric = header.map((_, column) => rows.some((row) => typeof row[column] === 'number'));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (isNumeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...cells.map(line)].join('\n');
}
