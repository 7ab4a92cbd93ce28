/** Runs another program without a shell: arguments are an array, so no name in them can become a command. */
import { spawn } from 'node:child_process';
import { UserError } from '../common/errors.ts';

const OUTPUT_CHARACTERS_MAX = 100_000;
const EXIT_MISSING = 3;
const EXIT_TIMEOUT = 6;

export interface ProgramResult {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

/** @param input for its standard input. @throws UserError: 3 when there is no such program, 6 when it takes longer than secondsMax (it is then ended) */
export function runProgram(
  command: readonly string[],
  secondsMax: number,
  onOutput: (text: string) => void = () => undefined,
  input: string | null = null,
): Promise<ProgramResult> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'], shell: false });
    // A program that ends before it has read its input is judged by its exit code.
    child.stdin.on('error', () => undefined).end(input ?? '');
    let output = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, secondsMax * 1000);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-OUTPUT_CHARACTERS_MAX);
        onOutput(text);
      });
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const reason = error.code === 'ENOENT' ? 'not found; install it' : error.message;
      reject(new UserError(`${program}: ${reason}`, EXIT_MISSING));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (late) reject(new UserError(`${program}: not finished after ${secondsMax.toFixed(0)} s`, EXIT_TIMEOUT));
      else resolve({ code: code ?? 1, output });
    });
  });
}

/** The last line a program said that is not empty. */
export function lastLine(output: string): string {
  return output.trimEnd().split(/\r?\n/).at(-1)?.trim() ?? '';
}
