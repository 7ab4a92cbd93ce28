/**
 * Where the UART of an emulated board comes out on this computer: a pseudo-terminal or a TCP port on 127.0.0.1. Bytes nobody fetches are
 * dropped beyond a limit, as on a wire.
 */
import { closeSync, lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { ReadStream } from 'node:tty';
import { UserError } from '../common/errors.ts';
import { openPty } from './pty/pty.ts';

const LOOPBACK = '127.0.0.1';
/** Of what waits for a reader that does not come. */
const BACKLOG_BYTES_MAX = 64 * 1024;

export interface SerialEndpoint {
  /** What to open there: a path, or host:port. */
  readonly address: string;
  /** What the other side sends. */
  onData: (bytes: Uint8Array) => void;
  write(bytes: Uint8Array): void;
  close(): void;
}

/** @param link made a symbolic link to the slave; an older link to a terminal is replaced. @throws UserError when something else is there */
export function ptyEndpoint(link: string | null): SerialEndpoint {
  const pty = openPty();
  const stream = new ReadStream(pty.master);
  const endpoint: SerialEndpoint = {
    address: link ?? pty.path,
    onData: () => undefined,
    write: (bytes) => {
      if (stream.writableLength < BACKLOG_BYTES_MAX) stream.write(bytes);
    },
    close: () => {
      stream.destroy();
      closeSync(pty.slave);
      if (link !== null && linkTarget(link) === pty.path) unlinkSync(link);
    },
  };
  stream.on('data', (bytes: Buffer) => endpoint.onData(bytes));
  stream.on('error', () => undefined);
  if (link !== null) {
    try {
      placeLink(link, pty.path);
    } catch (error) {
      endpoint.close();
      throw error;
    }
  }
  return endpoint;
}

function linkTarget(path: string): string | null {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status?.isSymbolicLink() === true ? readlinkSync(path) : null;
}

function placeLink(link: string, target: string): void {
  try {
    if (linkTarget(link)?.startsWith('/dev/pts/') === true) unlinkSync(link);
    symlinkSync(target, link);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'something is there that is no link to a terminal' : message;
    throw new UserError(`--uart pty:${link}: ${reason}; choose another path`);
  }
}

/** @param port 0 for any free one; one client at a time. @throws UserError when it is taken */
export function tcpEndpoint(port: number): Promise<SerialEndpoint> {
  let client: Socket | null = null;
  const server = createServer({ noDelay: true }, (socket) => {
    if (client !== null) {
      socket.destroy();
      return;
    }
    client = socket;
    socket.on('data', (bytes: Buffer) => endpoint.onData(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => (client = null));
  });
  const endpoint: SerialEndpoint & { address: string } = {
    address: '',
    onData: () => undefined,
    write: (bytes) => {
      if (client !== null && client.writableLength < BACKLOG_BYTES_MAX) client.write(bytes);
    },
    close: () => {
      client?.destroy();
      server.close();
    },
  };
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new UserError(`--uart tcp:${port}: ${reason}; choose another, or 0 for any free one`));
    });
    server.listen(port, LOOPBACK, () => {
      endpoint.address = `${LOOPBACK}:${(server.address() as AddressInfo).port}`;
      resolve(endpoint);
    });
  });
}
