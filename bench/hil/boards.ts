/** Emulated boards as programs of their own, each on a pseudo-terminal; one can be switched off and on. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';

export class BoardProcess {
  readonly port: string;
  private readonly firmware: string;
  private readonly board: string;
  private child: ChildProcess | null = null;

  /** @param port path of the link to make */
  constructor(firmware: string, board: string, port: string) {
    [this.firmware, this.board, this.port] = [firmware, board, resolve(port)];
  }

  /** Until its port is there. @throws UserError when it ends before */
  async start(): Promise<void> {
    const args = ['sim', this.firmware, '--board', this.board, '--uart', `pty:${this.port}`];
    const program = join(packageRoot(), 'bin', 'thumbelina');
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    let said = '';
    await new Promise<void>((done, fail) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('the UART is at')) done();
      });
      child.on('exit', () => fail(new UserError(`sim: ended before its port was there: ${said.trim()}`, 5)));
    });
  }

  /** The port vanishes with it. */
  async stop(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill('SIGTERM');
    await ended;
  }
}
