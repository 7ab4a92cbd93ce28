/**
 * `thumbelina/emulator`: a board with firmware in it, for anyone's tests. Thin: everything else is on `core`, the machine itself. Needs Node
 * (board descriptions are files); assemble-machine.ts is the way in for browsers.
 */
import type { Board } from '../boards/schema.ts';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import { createMachine, type EngineName } from './create-machine.ts';
import { describeFault } from './fault.ts';
import type { CallResult, Machine as CoreMachine, Pause, RunResult } from './machine.ts';
import { isGpioPort, type GpioPort } from './peripherals/gpio-port.ts';
import { readValue, writeValue, type CType } from './typed-memory.ts';

export { UserError } from '../common/errors.ts';
export type { Fault } from './fault.ts';
export type { CallResult, RunResult, StopKind } from './machine.ts';
export type { GpioPort, PinLevel } from './peripherals/gpio-port.ts';
export type { CType } from './typed-memory.ts';

const MAX_CYCLES = 100_000_000;
const CONDITION_CYCLES = 1000;

export interface MachineOptions {
  /** A built-in board's name (`thumbelina boards`), a path to a .json description, or a description. */
  readonly board: string | Board;
  /** ELF, Intel HEX or raw binary. */
  readonly image: Uint8Array;
  /** For messages. */
  readonly imageName?: string;
  readonly engine?: EngineName;
  /** Semihosting output. */
  readonly onConsole?: (text: string) => void;
  /** Unmodelled registers and the like, once each. */
  readonly onNote?: (text: string) => void;
}

/** What to run until. */
export type Until =
  /** The instruction at an address or a function's first one is next. Standing there, it is the next time. */
  | { readonly symbol: string | number }
  /** So many cycles more. */
  | { readonly cycles: number }
  /** The board's UART has sent it since the last such wait. */
  | { readonly uart: string }
  /** Looked at every `everyCycles` (default 1000). */
  | { readonly condition: (machine: Machine) => boolean; readonly everyCycles?: number };

export interface Budget {
  /** Cycles after which waiting ends with an error; default 100 million. */
  readonly maxCycles?: number;
}

/** What was waited for did not happen. */
export class NotReachedError extends Error {
  /** How the run ended instead. */
  readonly result: RunResult | Pause;

  constructor(message: string, result: RunResult | Pause) {
    super(message);
    this.name = 'NotReachedError';
    this.result = result;
  }
}

export class Machine {
  readonly core: CoreMachine;
  private pc: number | null = null;
  private sent = '';
  /** Up to here the UART's text has been waited for. */
  private awaited = 0;
  private text: string | null = null;
  /** Where the last wait for a symbol has ended. */
  private standsAt: { readonly address: number; readonly instructions: number } | null = null;

  /** @throws UserError for an unknown board, an engine that is not installed, or an image that does not fit */
  constructor(options: MachineOptions) {
    const { board, onConsole, ...rest } = options;
    const decoder = new TextDecoder();
    this.core = createMachine({
      ...rest,
      board: typeof board === 'string' ? loadBoard(board) : board,
      keepsUart: false,
      onUartByte: (byte) => this.onUartByte(byte),
      onConsole: (bytes) => onConsole?.(decoder.decode(bytes, { stream: true })),
    });
  }

  get cycles(): number {
    return this.core.cpu.counters().cycles;
  }

  get instructions(): number {
    return this.core.cpu.counters().instructions;
  }

  /** All that the board's UART has sent, one character a byte. */
  get uart(): string {
    return this.sent;
  }

  /** Bytes or text (as UTF-8) for the firmware to read from the board's UART. */
  sendUart(data: string | Uint8Array): void {
    this.core.serial.feed(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  /** A port of the chip by the board description's name, e.g. GPIOA. @throws UserError when there is none */
  gpio(name: string): GpioPort {
    const ports = this.core.hardware.all(isGpioPort);
    const port = ports.find((one) => one.name === name);
    if (port !== undefined) return port;
    const known = ports.length === 0 ? 'it has none' : `it has ${ports.map((one) => one.name).join(', ')}`;
    throw new UserError(`board ${this.core.board.name} has no GPIO port ${name}; ${known}`);
  }

  /** From reset, memories as they are. */
  reset(): void {
    this.pc = null;
    this.standsAt = null;
  }

  /** Until the firmware ends (exit, fault, sleep that nothing can end), or for `maxCycles` more. */
  run(budget: Budget = {}): RunResult {
    return this.resume(budget.maxCycles ?? MAX_CYCLES) as RunResult;
  }

  /** @throws NotReachedError when the firmware ends before, or the budget does; UserError for an unknown symbol */
  runUntil(until: Until, budget: Budget = {}): void {
    const maxCycles = budget.maxCycles ?? MAX_CYCLES;
    if ('cycles' in until) this.expect(this.resume(until.cycles), 'limit', `${until.cycles} cycles`);
    else if ('symbol' in until) this.runToSymbol(until.symbol, maxCycles);
    else if ('uart' in until) this.runToText(until.uart, maxCycles);
    else this.runToCondition(until.condition, until.everyCycles ?? CONDITION_CYCLES, maxCycles);
  }

  /** Cycles from the first instruction of one symbol to that of the other. @throws UserError on a core without a timing model */
  cyclesBetween(from: string | number, to: string | number, budget: Budget = {}): number {
    if (this.core.core.timing === null)
      throw new UserError(`board ${this.core.board.name}: no timing model for ${this.core.board.core}`);
    this.runUntil({ symbol: from }, budget);
    const start = this.cycles;
    this.runUntil({ symbol: to }, budget);
    return this.cycles - start;
  }

  /** Calls one function (AAPCS, integer arguments), counting its cycles. What the firmware was doing is given up. */
  call(symbol: string, args: readonly number[] = [], budget: Budget = {}): CallResult {
    this.reset();
    return this.core.call(symbol, args, { maxCycles: budget.maxCycles ?? MAX_CYCLES });
  }

  /**
   * A variable's value: by default an unsigned integer of the symbol's size, if that is 1, 2 or 4 bytes.
   * @param index of an element of that type @throws UserError for an unknown symbol, or a size that needs a type
   */
  peek(symbol: string, type?: CType, index = 0): number {
    return readValue(this.core, symbol, type, index);
  }

  /** As peek(). */
  poke(symbol: string, value: number, type?: CType, index = 0): void {
    writeValue(this.core, symbol, value, type, index);
  }

  close(): void {
    this.core.close();
  }

  private runToSymbol(symbol: string | number, maxCycles: number): void {
    const { core } = this;
    const address = typeof symbol === 'string' ? core.symbol(symbol).address : (symbol & ~1) >>> 0;
    const { standsAt } = this;
    core.onMark(address, (pass) => {
      if (pass.address !== standsAt?.address || pass.instructions !== standsAt.instructions) core.pause();
    });
    try {
      this.expect(this.resume(maxCycles), 'paused', `${symbol}`);
      this.standsAt = { address, instructions: this.instructions };
    } finally {
      core.removeMark(address);
    }
  }

  private runToText(text: string, maxCycles: number): void {
    this.text = text;
    try {
      if (!this.takeText(text))
        this.expect(this.resume(maxCycles), 'paused', JSON.stringify(text), this.sent.slice(this.awaited));
      this.takeText(text);
    } finally {
      this.text = null;
    }
  }

  private runToCondition(condition: (machine: Machine) => boolean, everyCycles: number, maxCycles: number): void {
    const end = this.started() + maxCycles;
    while (!condition(this)) {
      const result = this.resume(Math.min(everyCycles, end - this.cycles));
      if (result.stop !== 'limit' || this.cycles >= end) {
        if (condition(this)) return;
        throw this.notReached(result, 'the condition');
      }
    }
  }

  private onUartByte(byte: number): void {
    this.sent += String.fromCharCode(byte);
    if (this.text !== null && this.sent.slice(this.awaited).includes(this.text)) this.core.pause();
  }

  private takeText(text: string): boolean {
    const at = this.sent.indexOf(text, this.awaited);
    if (at >= 0) this.awaited = at + text.length;
    return at >= 0;
  }

  private started(): number {
    if (this.pc === null) {
      const start = this.core.start();
      if (typeof start !== 'number') throw this.notReached(start, 'the first instruction');
      this.pc = start;
    }
    return this.cycles;
  }

  private resume(cycles: number): RunResult | Pause {
    const cyclesMax = this.started() + cycles;
    const result = this.core.resume(this.pc ?? 0, { cyclesMax });
    this.pc = result.pc;
    return result;
  }

  private expect(result: RunResult | Pause, stop: 'limit' | 'paused', what: string, uart?: string): void {
    if (result.stop !== stop) throw this.notReached(result, what, uart);
  }

  private notReached(result: RunResult | Pause, what: string, uart?: string): NotReachedError {
    const fault = 'fault' in result && result.fault !== null ? `: ${describeFault(result.fault)}` : '';
    const sent = uart === undefined ? '' : `; the UART sent ${JSON.stringify(uart)}`;
    const { cycles } = this;
    return new NotReachedError(`${what} was not reached: ${result.stop} after ${cycles} cycles${fault}${sent}`, result);
  }
}
