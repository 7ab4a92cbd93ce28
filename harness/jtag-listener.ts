/**
 * The debug port of an emulated board for OpenOCD: remote_bitbang over TCP. On 127.0.0.1 unless told otherwise, as whoever connects can run code
 * in the emulator; one client at a time, and the board stays as it is when it goes.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { UserError } from '../common/errors.ts';
import type { DebugPort } from '../emulator/debug/coresight/debug-port.ts';
import { JtagChain } from '../emulator/debug/coresight/jtag.ts';
import { RemoteBitbang } from '../emulator/debug/coresight/remote-bitbang.ts';

const LOOPBACK = '127.0.0.1';

/** Where to listen. */
export interface ListenAddress {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 for any free one. */
  readonly port: number;
}

export interface JtagListener {
  /** host:port. */
  readonly address: string;
  readonly hasClient: () => boolean;
  /** Resolves once no client is there. */
  left(): Promise<void>;
  close(): void;
}

export interface JtagListenerOptions {
  readonly port: DebugPort;
  /** IDCODE of the TAP in front of the core's. */
  readonly boundaryScanIdCode: number;
  /** After every request: the core may run now. */
  readonly onRequest: () => void;
  readonly onNote: (text: string) => void;
}

/** @throws UserError when it cannot listen there */
export function listenJtag(where: ListenAddress, options: JtagListenerOptions): Promise<JtagListener> {
  let client: Socket | null = null;
  const server = createServer({ noDelay: true }, (socket) => {
    if (client !== null) {
      socket.destroy();
      return;
    }
    client = socket;
    serve(socket, options);
    // A reset connection is a debugger that has gone; 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => (client = null));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new UserError(`--jtag ${where.port}: ${reason}; choose another, or 0 for any free one`));
    });
    server.listen(where.port, where.host ?? LOOPBACK, () => {
      const { address, port } = server.address() as AddressInfo;
      const close = (): void => {
        client?.destroy();
        server.close();
      };
      const left = (): Promise<void> =>
        new Promise((gone) => (client === null ? gone() : client.once('close', () => gone())));
      resolve({ address: `${address}:${port}`, hasClient: () => client !== null, left, close });
    });
  });
}

function serve(socket: Socket, { port, boundaryScanIdCode, onRequest, onNote }: JtagListenerOptions): void {
  const chain = new JtagChain(port, boundaryScanIdCode);
  const bitbang = new RemoteBitbang(chain, { reset: (active) => port.core.holdReset(active) });
  socket.on('data', (bytes: Buffer) => {
    const { answer, end } = bitbang.receive(bytes);
    if (answer.length > 0) socket.write(answer);
    if (end !== null) {
      if (end !== 'quit')
        onNote(
          `--jtag: the client sent 0x${end.unknown.toString(16)}, which is not remote_bitbang for JTAG; it is cut off`,
        );
      socket.end();
    }
    onRequest();
  });
}
