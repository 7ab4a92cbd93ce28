/**
 * A conversation with firmware over the UART of an emulated board, in emulated time: run until the firmware has said something, then answer.
 * Exact: what is sent starts on the wire in the cycle in which the last byte waited for has left it.
 */
import { UserError } from '../common/errors.ts';
import { describeFault } from '../emulator/fault.ts';
import type { Machine, Pause, RunResult } from '../emulator/machine.ts';

const EXIT_LIMIT = 6;
const EXIT_FAULT = 7;
/** Of one wait. */
const WAIT_CYCLES_MAX = 1e10;

export class UartDialogue {
  readonly machine: Machine;
  private readonly decoder = new TextDecoder();
  private pc: number | null = null;
  private unread = '';
  private wanted: string | null = null;

  /** @param machine whose serial.onSent is taken over; it must not have run yet */
  constructor(machine: Machine) {
    this.machine = machine;
    machine.serial.onSent = (byte) => {
      this.unread += this.decoder.decode(Uint8Array.of(byte), { stream: true });
      if (this.wanted !== null && this.unread.endsWith(this.wanted)) machine.pause();
    };
  }

  /** Bytes start to arrive at once, at the baud rate the firmware has set; they wait while its receiver is off. */
  send(text: string): void {
    this.machine.serial.feed(new TextEncoder().encode(text));
  }

  /**
   * Runs, from reset the first time, until the firmware has sent `text`.
   * @returns all it has sent since the last wait, `text` included
   * @throws UserError (exit 6 or 7) when the run ends or `maxCycles` pass before that
   */
  waitFor(text: string, maxCycles = WAIT_CYCLES_MAX): string {
    const { machine } = this;
    if (this.pc === null) {
      const start = machine.start();
      if (typeof start !== 'number') throw this.failure(text, start);
      this.pc = start;
    }
    this.wanted = text;
    const result = this.unread.endsWith(text)
      ? null
      : machine.resume(this.pc, { cyclesMax: machine.cpu.counters().cycles + maxCycles });
    this.wanted = null;
    if (result !== null) this.pc = result.pc;
    if (!this.unread.endsWith(text) && result !== null) throw this.failure(text, result);
    const received = this.unread;
    this.unread = '';
    return received;
  }

  /** Sends, then waits for the answer to end in `until`. */
  ask(text: string, until: string, maxCycles = WAIT_CYCLES_MAX): string {
    this.send(text);
    return this.waitFor(until, maxCycles);
  }

  private failure(text: string, result: RunResult | Pause): UserError {
    const wanted = `waiting for ${JSON.stringify(text)} on the UART`;
    const last = `; the last it sent was ${JSON.stringify(this.unread.slice(-80))}`;
    if (result.stop === 'limit')
      return new UserError(`firmware: ${wanted}: not within the cycle limit${last}`, EXIT_LIMIT);
    const fault = 'fault' in result && result.fault !== null ? describeFault(result.fault) : result.stop;
    return new UserError(`firmware: ${wanted}: the run ended (${fault})${last}`, EXIT_FAULT);
  }
}
