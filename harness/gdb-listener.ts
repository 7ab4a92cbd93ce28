/**
 * The TCP side of the gdb server, on 127.0.0.1 only: whoever connects can run code in the emulator and read its memory. One debugger at a
 * time; the target runs in slices between which the connection is served.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { UserError } from '../common/errors.ts';
import { createMachine } from '../emulator/create-machine.ts';
import { GdbServer } from '../emulator/debug/gdb/gdb-server.ts';
import type { Machine, RunResult } from '../emulator/machine.ts';
import type { SimOptions, SimReport } from '../emulator/sim.ts';

const LOOPBACK = '127.0.0.1';

/** As `sim`'s. maxCycles is a budget since reset, none by default; onUartByte sees UART output besides the debugger's console. */
export interface GdbSessionOptions extends Omit<SimOptions, 'call' | 'consoleInput'> {
  /** 0 for any free one. */
  readonly port: number;
  /** Called once connections are accepted. */
  readonly onListening?: (port: number) => void;
}

/**
 * Waits for a debugger and serves it until the program has ended and the debugger is gone, or the debugger kills it. A detached program
 * runs on alone; one whose debugger just vanished stays halted for the next. Returns how it ended, or null when it was killed.
 * @throws UserError when the port is taken or the image cannot be loaded.
 */
export async function debugFirmware(options: GdbSessionOptions): Promise<SimReport | null> {
  const started = performance.now();
  let session: GdbSession | null = null;
  const machine = createMachine({
    board: options.board,
    image: options.firmware,
    imageName: options.firmwareName,
    strict: options.strict ?? false,
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.timing === undefined ? {} : { timing: options.timing }),
    ...(options.onNote === undefined ? {} : { onNote: options.onNote }),
    onUartByte: (byte) => {
      session?.output(Uint8Array.of(byte));
      options.onUartByte?.(byte);
    },
    onConsole: (bytes, stream) => {
      if (session?.output(bytes) !== true) options.onConsole?.(bytes, stream);
    },
  });
  try {
    if (options.uartInput !== undefined) machine.serial.feed(options.uartInput);
    session = new GdbSession(machine, options.maxCycles);
    const result = await session.serve(options.port, options.onListening ?? (() => undefined));
    return result === null ? null : report(machine, result, started);
  } finally {
    machine.close();
  }
}

function report(machine: Machine, result: RunResult, started: number): SimReport {
  return {
    cycles: machine.core.timing === null ? null : result.cycles,
    instructions: result.instructions,
    stop: result.stop,
    exitCode: result.exitCode,
    fault: result.fault,
    wallSeconds: (performance.now() - started) / 1000,
    uart: machine.serial.text(),
    itm: machine.hardware.itm.text(),
    rtt: machine.rtt.text(),
    // Painting the stack would change memory under the debugger's eyes.
    stackBytes: null,
    returnValue: null,
  };
}

class GdbSession {
  private readonly gdb: GdbServer;
  private readonly server: Server;
  private socket: Socket | null = null;
  private ended: ((result: RunResult | null) => void) | null = null;
  private failed: ((error: unknown) => void) | null = null;
  private sliceScheduled = false;

  constructor(machine: Machine, maxCycles: number | undefined) {
    this.gdb = new GdbServer({
      machine,
      send: (bytes) => this.socket?.write(bytes),
      ...(maxCycles === undefined ? {} : { maxCycles }),
    });
    this.server = createServer({ noDelay: true }, (socket) => this.accept(socket));
  }

  /** False when no debugger's console takes it. */
  output(bytes: Uint8Array): boolean {
    if (this.socket === null) return false;
    this.gdb.consoleOutput(bytes);
    return true;
  }

  async serve(port: number, onListening: (port: number) => void): Promise<RunResult | null> {
    try {
      return await new Promise<RunResult | null>((resolve, reject) => {
        this.ended = resolve;
        this.failed = reject;
        this.server.once('error', (error: NodeJS.ErrnoException) => reject(portError(port, error)));
        this.server.listen(port, LOOPBACK, () => onListening((this.server.address() as AddressInfo).port));
      });
    } finally {
      this.socket?.destroy();
      this.server.close();
    }
  }

  private accept(socket: Socket): void {
    if (this.socket !== null) {
      socket.destroy();
      return;
    }
    this.socket = socket;
    this.gdb.connect();
    socket.on('data', (bytes: Buffer) => {
      this.guard(() => this.gdb.receive(bytes));
      if (this.gdb.state === 'killed') socket.end();
      this.scheduleSlice();
    });
    // A reset connection is a debugger that has gone; 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.socket = null;
      this.gdb.disconnect();
      this.endIfOver();
    });
  }

  private scheduleSlice(): void {
    if (this.sliceScheduled || !this.gdb.running) return;
    this.sliceScheduled = true;
    setImmediate(() => {
      this.sliceScheduled = false;
      this.guard(() => this.gdb.runSlice());
      if (this.gdb.running) this.scheduleSlice();
      else if (this.socket === null) this.endIfOver();
    });
  }

  /** An exit ends the session with its connection; without a debugger any other end of the run does, too. */
  private endIfOver(): void {
    const { state, result } = this.gdb;
    if (state === 'killed') this.ended?.(null);
    else if (result !== null && (state === 'detached' || result.stop === 'exit')) this.ended?.(result);
  }

  /** A defect of ours ends the session instead of hanging the debugger. */
  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failed?.(error);
    }
  }
}

function portError(port: number, error: NodeJS.ErrnoException): Error {
  if (error.code === 'EADDRINUSE')
    return new UserError(`--gdb ${port}: the port is in use; choose another, or 0 for any free one`);
  return new UserError(`--gdb ${port}: ${error.message}; choose a port from 1024 to 65535`);
}
