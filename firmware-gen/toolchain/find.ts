/** Finds the Arm cross compiler: THUMBELINA_CC, else arm-none-eabi-gcc on the PATH. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UserError } from '../../common/errors.ts';

export interface Toolchain {
  /** Program name or path. */
  readonly cc: string;
  readonly objcopy: string;
  /** First line of --version. */
  readonly version: string;
}

const INSTALL_HINT =
  'install gcc-arm-none-eabi and libnewlib-arm-none-eabi (Debian, Ubuntu) or the Arm GNU Toolchain, or set THUMBELINA_CC to its gcc';

/** Throws UserError with exit code 3 when there is no usable compiler. */
export async function findToolchain(environment: NodeJS.ProcessEnv = process.env): Promise<Toolchain> {
  const chosen = environment['THUMBELINA_CC'];
  const cc = chosen === undefined || chosen === '' ? 'arm-none-eabi-gcc' : chosen;
  const version = await ask(cc, ['--version'], environment);
  if (version === null) throw new UserError(`compiler ${cc} not found or not executable; ${INSTALL_HINT}`, 3);
  const target = await ask(cc, ['-dumpmachine'], environment);
  if (!target?.startsWith('arm')) {
    throw new UserError(
      `compiler ${cc} makes code for ${target ?? 'an unknown machine'}, not for Arm; ${INSTALL_HINT}`,
      3,
    );
  }
  const objcopy = await ask(cc, ['-print-prog-name=objcopy'], environment);
  return { cc, objcopy: objcopy ?? 'arm-none-eabi-objcopy', version };
}

/** First line of the program's answer, or null when it cannot be run. */
async function ask(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], { env });
    return stdout.split('\n')[0]?.trim() ?? '';
  } catch {
    return null;
  }
}
