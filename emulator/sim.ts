/**
 * `thumbelina sim` as a function: any firmware on a board, from reset or one function of it, and the report of the contract's
 * `sim --json`. Reads no files and prints nothing; the command line does both.
 */
import { UserError } from '../common/errors.ts';
import type { TimingMode } from './board-timing.ts';
import type { Board } from '../boards/schema.ts';
import { createMachine, type EngineName } from './create-machine.ts';
import type { Fault } from './fault.ts';
import { DEFAULT_CYCLES_MAX, type CallResult, type Machine, type RunResult, type StopKind } from './machine.ts';

/** An argument of a called function: a word, zeroed memory, or memory with given contents (both passed as a pointer). */
export type CallArgument =
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'buffer'; readonly bytes: number }
  | { readonly kind: 'data'; readonly data: Uint8Array };

export interface SimOptions {
  readonly board: Board;
  /** ELF, Intel HEX or raw binary. */
  readonly firmware: Uint8Array;
  /** File name for messages. */
  readonly firmwareName: string;
  readonly call?: { readonly symbol: string; readonly args: readonly CallArgument[] };
  /** Default: that of createMachine. */
  readonly engine?: EngineName;
  /** Infinity for none. */
  readonly maxCycles?: number;
  /** Default flat. */
  readonly timing?: TimingMode;
  readonly strict?: boolean;
  /** What the firmware reads from its UART and from its semihosting console. */
  readonly uartInput?: Uint8Array;
  readonly consoleInput?: Uint8Array;
  /** For RTT down-buffer 0; when given, a control block is looked for in RAM where the image has no symbol _SEGGER_RTT. */
  readonly rttInput?: Uint8Array;
  readonly onUartByte?: (byte: number) => void;
  readonly onConsole?: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void;
  /** Unmodelled registers and the like, once each. */
  readonly onNote?: (text: string) => void;
}

export interface SimReport {
  /** Null on a core without a timing model. */
  readonly cycles: number | null;
  readonly instructions: number;
  readonly stop: StopKind;
  readonly exitCode: number | null;
  readonly fault: Fault | null;
  readonly wallSeconds: number;
  readonly uart: string;
  /** What the firmware sent to ITM stimulus port 0. */
  readonly itm: string;
  /** What the firmware sent through RTT up-buffer 0. */
  readonly rtt: string;
  /** Stack high-water mark; null when the firmware's stack is not in RAM. */
  readonly stackBytes: number | null;
  /** r0 as a signed word after --call, else null. */
  readonly returnValue: number | null;
}

/**
 * Parses one element of `--args`: an integer (decimal or 0x), or `buf:BYTES`. `@FILE` is the caller's, who has the file system.
 * @throws UserError naming the argument.
 */
export function parseCallArgument(text: string): CallArgument {
  const buffer = /^buf:(\d+)$/.exec(text);
  if (buffer !== null) return { kind: 'buffer', bytes: Number(buffer[1]) };
  const value = /^-?(0x[0-9a-fA-F]+|\d+)$/.test(text)
    ? text.startsWith('-')
      ? -Number(text.slice(1))
      : Number(text)
    : Number.NaN;
  if (!(value >= -(2 ** 31) && value < 2 ** 32)) {
    throw new UserError(`--args: "${text}" is neither a 32-bit integer, nor buf:BYTES, nor @FILE`);
  }
  return { kind: 'integer', value };
}

/** Exit code of the contract for a report: 0, 6 (limit) or 7 (fault, breakpoint, or the firmware's own code is not 0). */
export function simExitCode(report: Pick<SimReport, 'stop' | 'exitCode'>): 0 | 6 | 7 {
  switch (report.stop) {
    case 'return':
    case 'idle':
      return 0;
    case 'exit':
      return report.exitCode === 0 ? 0 : 7;
    case 'limit':
      return 6;
    case 'fault':
    case 'breakpoint':
      return 7;
  }
}

/** @throws UserError for an image that cannot be loaded, an unknown symbol, or arguments that do not fit the RAM. */
export function simulate(options: SimOptions): SimReport {
  const machine = createMachine({
    board: options.board,
    image: options.firmware,
    imageName: options.firmwareName,
    strict: options.strict ?? false,
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    ...(options.timing === undefined ? {} : { timing: options.timing }),
    ...(options.consoleInput === undefined ? {} : { consoleInput: options.consoleInput }),
    ...(options.rttInput === undefined ? {} : { rttInput: options.rttInput }),
    ...(options.onUartByte === undefined ? {} : { onUartByte: options.onUartByte }),
    ...(options.onConsole === undefined ? {} : { onConsole: options.onConsole }),
    ...(options.onNote === undefined ? {} : { onNote: options.onNote }),
  });
  try {
    if (options.uartInput !== undefined) machine.serial.feed(options.uartInput);
    const started = performance.now();
    const result = runOrCall(machine, options);
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
      stackBytes: machine.stack.usedBytes(),
      returnValue: 'value' in result && result.stop === 'return' ? result.value : null,
    };
  } finally {
    machine.close();
  }
}

/** From reset, or the one function asked for. @throws UserError for an unknown symbol or arguments that do not fit the RAM */
export function runOrCall(machine: Machine, options: Pick<SimOptions, 'call' | 'maxCycles'>): RunResult | CallResult {
  const limits = { maxCycles: options.maxCycles ?? DEFAULT_CYCLES_MAX };
  if (options.call === undefined) return machine.run(limits);
  const words = options.call.args.map((argument) => placeArgument(machine, argument));
  return machine.call(options.call.symbol, words, limits);
}

/** The word to pass: an integer as it is, memory by its address. @throws UserError when RAM is used up */
export function placeArgument(machine: Machine, argument: CallArgument): number {
  switch (argument.kind) {
    case 'integer':
      return argument.value;
    case 'buffer': {
      const address = machine.allocate(argument.bytes);
      machine.writeMemory(address, new Uint8Array(argument.bytes));
      return address;
    }
    case 'data': {
      const address = machine.allocate(argument.data.length);
      machine.writeMemory(address, argument.data);
      return address;
    }
  }
}
