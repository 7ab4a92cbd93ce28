/**
 * An emulated board whose UART talks to programs of this computer while it runs: in slices, between which the other side is served. With
 * `realtime` emulated time follows the clock on the wall; without, the board runs as fast as it can.
 */
import type { Board } from '../boards/schema.ts';
import { createMachine } from '../emulator/create-machine.ts';
import { DebugPort } from '../emulator/debug/coresight/debug-port.ts';
import { DEFAULT_CYCLES_MAX, type Machine, type Pause, type RunResult } from '../emulator/machine.ts';
import type { SimOptions, SimReport } from '../emulator/sim.ts';
import { readRecording, Recorder, replay } from './recording.ts';
import { describeFault } from '../emulator/fault.ts';
import { bootLoad } from './boot-load.ts';
import { listenJtag, type JtagListener, type ListenAddress } from './jtag-listener.ts';
import type { SerialEndpoint } from './serial-endpoint.ts';

/** Emulated time of a slice: input that arrives meanwhile waits as long. */
const SLICE_SECONDS = 0.005;
/** Of the first slice after input came or output went, each next one twice as long: in a dialogue the other side is about to answer. */
const DIALOGUE_SLICE_SECONDS = 0.0005;
/** While a debugger is connected: it asks often, and each time waits for the slice to end. Code in RAM is interpreted. */
const DEBUG_SLICE_CYCLES = 10_000;
/** A debugger that has asked so lately will ask again: each scan of OpenOCD waits for the one before. */
const DEBUG_BUSY_MILLISECONDS = 5;
/** Behind by more than this, real time is given up and counted anew. */
const LAG_SECONDS_MAX = 0.25;
/** A board that has looked so often for input in vain is taken to have nothing else to do, and is run more rarely. */
const STARVED_POLLS = 500;
/** Longest rest of such a board, with and without real time. */
const REST_SECONDS_MAX = 0.1;
/** IDCODE of a boundary scan TAP of ST nothing more is known about. */
const NO_BOUNDARY_SCAN_ID = 0x0600_0041;
const LAG_NOTE =
  'the emulation cannot keep up with real time on this computer; emulated time runs slower than the clock';

export interface LiveOptions extends Omit<SimOptions, 'call'> {
  readonly realtime: boolean;
  /** File to record input to. */
  readonly record?: string;
  /** File whose input is fed again instead. */
  readonly replay?: string;
  /** Begin in the chip's boot loader (AN3155), which writes a program to flash and starts it. */
  readonly bootLoader?: boolean;
  /** Ends the run between two slices. */
  readonly signal?: AbortSignal;
  /** Also serve a debugger through remote_bitbang there. A program that faults then waits for the debugger, as on a board. */
  readonly jtag?: ListenAddress;
}

/**
 * Runs from reset until the firmware ends or maxCycles (none by default) are over. A board that sleeps for good waits for input; without
 * an endpoint the run ends there.
 */
export async function runLive(options: LiveOptions, endpoint: SerialEndpoint | null): Promise<SimReport> {
  const { onNote = () => undefined, onUartByte } = options;
  const outgoing: number[] = [];
  const machine = createMachine({
    board: options.board,
    image: options.firmware,
    imageName: options.firmwareName,
    strict: options.strict ?? false,
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.timing === undefined ? {} : { timing: options.timing }),
    ...(options.consoleInput === undefined ? {} : { consoleInput: options.consoleInput }),
    ...(options.onConsole === undefined ? {} : { onConsole: options.onConsole }),
    onNote,
    keepsUart: false,
    onUartByte: (byte) => {
      outgoing.push(byte);
      onUartByte?.(byte);
    },
  });
  const started = performance.now();
  try {
    if (options.bootLoader === true) await bootLoad(machine, endpoint, onNote);
    const result = await (options.replay === undefined
      ? runRecorded(machine, endpoint, outgoing, options)
      : replay(
          machine,
          readRecording(options.replay, machine),
          options.maxCycles ?? DEFAULT_CYCLES_MAX,
          options.replay,
        ));
    return {
      cycles: result.cycles,
      instructions: result.instructions,
      stop: result.stop,
      exitCode: result.exitCode,
      fault: result.fault,
      wallSeconds: (performance.now() - started) / 1000,
      uart: '',
      itm: '',
      rtt: '',
      stackBytes: machine.stack.usedBytes(),
      returnValue: null,
    };
  } finally {
    machine.close();
  }
}

async function runRecorded(
  machine: Machine,
  endpoint: SerialEndpoint | null,
  outgoing: number[],
  options: LiveOptions,
): Promise<RunResult> {
  const { uartInput = new Uint8Array(), onNote = () => undefined } = options;
  const recorder = options.record === undefined ? null : new Recorder(options.record, machine);
  recorder?.uart(uartInput);
  machine.serial.feed(uartInput);
  const result = await new LiveSession(machine, endpoint, outgoing, options, recorder).run(onNote);
  recorder?.end(result);
  return result;
}

function lockUpNote(result: RunResult | Pause): string {
  const { fault } = result as RunResult;
  return `the core is locked up until a debugger halts or resets it: ${fault === null ? result.stop : describeFault(fault)}`;
}

class LiveSession {
  private readonly machine: Machine;
  private readonly endpoint: SerialEndpoint | null;
  private readonly outgoing: number[];
  private readonly board: Board;
  private readonly realtime: boolean;
  private readonly maxCycles: number;
  private readonly jtag: ListenAddress | null;
  private readonly signal: AbortSignal | undefined;
  private debugPort: DebugPort | null = null;
  private listener: JtagListener | null = null;
  /** When the debugger last asked, in milliseconds of the clock. */
  private lastRequest = -Infinity;
  private wake: (() => void) | null = null;
  private sliceSeconds = SLICE_SECONDS;
  private hasLagged = false;
  /** Clock and cycle counter from which real time is reckoned. */
  private origin = { milliseconds: 0, cycles: 0 };

  constructor(
    machine: Machine,
    endpoint: SerialEndpoint | null,
    outgoing: number[],
    {
      board,
      realtime,
      maxCycles = Infinity,
      jtag,
      signal,
    }: Pick<LiveOptions, 'board' | 'realtime' | 'maxCycles' | 'jtag' | 'signal'>,
    recorder: Recorder | null,
  ) {
    this.machine = machine;
    this.endpoint = endpoint;
    this.outgoing = outgoing;
    this.board = board;
    this.realtime = realtime;
    this.maxCycles = maxCycles;
    this.jtag = jtag ?? null;
    this.signal = signal;
    if (endpoint === null) return;
    endpoint.onData = (bytes) => {
      recorder?.uart(bytes);
      machine.serial.feed(bytes);
      this.sliceSeconds = DIALOGUE_SLICE_SECONDS;
      this.wake?.();
    };
  }

  async run(onNote: (text: string) => void): Promise<RunResult> {
    const start = this.machine.start();
    if (this.jtag === null) return typeof start === 'number' ? this.loop(start, onNote) : start;
    const vector = typeof start === 'number' ? start : start.pc;
    const listener = (this.listener = await this.listen(this.jtag, vector, onNote));
    try {
      const result = await this.loop(vector, onNote);
      // A debugger that has just started the program still wants its answers.
      if (result.stop === 'exit') await listener.left();
      return result;
    } finally {
      listener.close();
    }
  }

  private async listen(where: ListenAddress, vector: number, onNote: (text: string) => void): Promise<JtagListener> {
    const port = (this.debugPort = new DebugPort(this.machine, vector, 'jtag'));
    const boundaryScanIdCode = this.board.debug?.boundaryScanIdCode ?? NO_BOUNDARY_SCAN_ID;
    const onRequest = (): void => {
      this.lastRequest = performance.now();
      this.wake?.();
    };
    const listener = await listenJtag(where, { port, boundaryScanIdCode, onRequest, onNote });
    onNote(`JTAG (remote_bitbang) is at ${listener.address}`);
    return listener;
  }

  private async loop(start: number, onNote: (text: string) => void): Promise<RunResult> {
    let pc = start;
    this.origin = { milliseconds: performance.now(), cycles: 0 };
    for (;;) {
      const result = this.slice(pc);
      this.flush();
      pc = result.pc;
      if (this.isOver(result)) return result as RunResult;
      if (this.debugPort?.core.isLockedUp === true && result.stop !== 'paused') onNote(lockUpNote(result));
      if (result.stop === 'idle' || this.debugPort?.core.runs === false) await this.input();
      // The debugger gets as much time as the core.
      else if (performance.now() - this.lastRequest < DEBUG_BUSY_MILLISECONDS)
        await new Promise((resolve) => setTimeout(resolve, 1));
      else if (this.isStarved()) await this.rest();
      else if (this.realtime) await this.pace(result.cycles, onNote);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  private slice(pc: number): RunResult | Pause {
    const { cycles } = this.machine.cpu.counters();
    const sliceCycles =
      this.listener?.hasClient() === true ? DEBUG_SLICE_CYCLES : Math.ceil(this.board.clockHz * this.sliceSeconds);
    this.sliceSeconds = Math.min(SLICE_SECONDS, 2 * this.sliceSeconds);
    const end = Math.min(this.maxCycles, cycles + sliceCycles);
    return this.debugPort?.core.run(end) ?? this.machine.resume(pc, { cyclesMax: end });
  }

  private isOver({ stop, cycles }: RunResult | Pause): boolean {
    if (this.signal?.aborted === true) return true;
    if (stop === 'paused' || (stop === 'idle' && this.endpoint !== null)) return false;
    if (this.debugPort !== null && (stop === 'idle' || stop === 'fault' || stop === 'breakpoint')) return false;
    return stop !== 'limit' || cycles >= this.maxCycles;
  }

  private flush(): void {
    if (this.outgoing.length === 0) return;
    this.sliceSeconds = DIALOGUE_SLICE_SECONDS;
    this.endpoint?.write(Uint8Array.from(this.outgoing));
    this.outgoing.length = 0;
  }

  /** Nothing but input can wake the board. Time that passes meanwhile is not emulated. */
  private async input(): Promise<void> {
    await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = null;
    this.restartClock();
  }

  private isStarved(): boolean {
    return this.endpoint !== null && this.machine.serial.fruitlessPolls() > STARVED_POLLS;
  }

  /**
   * Until input comes or some time is over: the slice just run in real time, else longer and longer, so that many boards that wait leave the
   * computer to those that work. Input is served at once; the rest of the pause is then not emulated.
   */
  private async rest(): Promise<void> {
    const slices = this.realtime ? 1 : this.machine.serial.fruitlessPolls() / STARVED_POLLS;
    const seconds = Math.min(REST_SECONDS_MAX, SLICE_SECONDS * slices);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
    this.restartClock();
  }

  private restartClock(): void {
    this.origin = { milliseconds: performance.now(), cycles: this.machine.cpu.counters().cycles };
  }

  private async pace(cycles: number, onNote: (text: string) => void): Promise<void> {
    const emulated = (cycles - this.origin.cycles) / this.board.clockHz;
    const ahead = emulated - (performance.now() - this.origin.milliseconds) / 1000;
    if (ahead < -LAG_SECONDS_MAX) {
      if (!this.hasLagged) onNote(LAG_NOTE);
      this.hasLagged = true;
      this.restartClock();
    }
    await new Promise((resolve) => (ahead > 0.001 ? setTimeout(resolve, ahead * 1000) : setImmediate(resolve)));
  }
}
