/** Pseudo-terminals: an emulated board's UART as a serial port that any program can open. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../../common/package-root.ts';
import { UserError } from '../../common/errors.ts';

/** File descriptors of both ends, and the path of the slave, /dev/pts/N. Closing them is the caller's. */
export interface Pty {
  readonly master: number;
  readonly slave: number;
  readonly path: string;
}

const EXIT_MISSING = 3;

/** @throws UserError (exit 3) when the addon is not built or the system has no pseudo-terminals */
export function openPty(): Pty {
  const path = join(packageRoot(), 'build', 'addon', 'thumbelina_pty.node');
  try {
    const addon = createRequire(import.meta.url)(path) as { open(): Pty };
    return addon.open();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`--uart pty: ${reason}; build the addon with: npm run build:addon`, EXIT_MISSING);
  }
}
