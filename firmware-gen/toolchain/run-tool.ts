/** Runs a compiler or linker; a failure becomes one error with the command, the tool's own words and the source it was about. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UserError } from '../../common/errors.ts';

const OUTPUT_BYTES_MAX = 1 << 24;

/** The linker's: the image is larger than a region of the board. */
export class DoesNotFitError extends UserError {}

/** Throws UserError: exit code 3 when the tool is missing, else 2 with what it said. `about` is the source or product concerned. */
export async function runTool(program: string, args: readonly string[], folder: string, about: string): Promise<void> {
  try {
    await promisify(execFile)(program, [...args], { cwd: folder, maxBuffer: OUTPUT_BYTES_MAX });
  } catch (error) {
    throw explain(error, program, args, about);
  }
}

function explain(error: unknown, program: string, args: readonly string[], about: string): Error {
  if (!(error instanceof Error)) return new Error(`internal: ${program} failed`);
  const code: unknown = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT')
    return new UserError(`${program} not found; install the Arm GNU Toolchain or set THUMBELINA_CC`, 3);
  const said = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : error.message;
  const overflow = regionOverflow(said);
  if (overflow) return new DoesNotFitError(overflow);
  if (/No space left on device/.test(said))
    return new UserError(`${about}: no space left on the disk; free some or choose another -o`);
  return new UserError(
    `${about}: ${program} failed\n  command: ${[program, ...args].join(' ')}\n  ${said.replaceAll('\n', '\n  ')}`,
  );
}

/** ld's "region `RAM' overflowed by 1234 bytes", said for people. Null when the message is about something else. */
export function regionOverflow(message: string): string | null {
  const found = [...message.matchAll(/region `(\w+)' overflowed by (\d+) bytes?/g)];
  if (found.length === 0) return null;
  const worst = new Map<string, number>();
  for (const [, region = '', bytes = '0'] of found) worst.set(region, Math.max(worst.get(region) ?? 0, Number(bytes)));
  const parts = [...worst].map(([region, bytes]) => `${region} by ${bytes} bytes`);
  return `the firmware does not fit: it exceeds ${parts.join(' and ')}; choose a board with more memory or a smaller model`;
}
