/** Stop replies (GDB manual E.3): the signal a host debugger would expect, why, and a sentence for the console where a number says too little. */
import { hex32 } from '../../../common/units.ts';
import { describeFault, type Fault } from '../../fault.ts';
import type { RunResult } from '../../machine.ts';
import type { Stop } from './stop.ts';

/** gdb's own numbers (include/gdb/signals.def), not the host's. */
const SIGINT = 2;
const SIGILL = 4;
const SIGTRAP = 5;
const SIGSEGV = 11;
const SIGXCPU = 24;

export interface StopReply {
  /** Data of the reply packet. */
  readonly reply: string;
  /** For the debugger's console, a whole line or empty. */
  readonly message: string;
  /** The program has ended by itself. */
  readonly exited: boolean;
}

export interface ReplyOptions {
  /** Whether gdb said it understands swbreak and hwbreak. */
  readonly breakReasons: boolean;
  /** Whether symbols of the image still describe the code. */
  readonly symbolsValid: boolean;
}

export function stopped(signal = SIGTRAP, reason = ''): StopReply {
  return { reply: `T${hexByte(signal)}${reason}thread:1;`, message: '', exited: false };
}

export function stopReply(stop: Stop, options: ReplyOptions): StopReply {
  switch (stop.kind) {
    case 'stepped':
      return stopped();
    case 'interrupted':
      return stopped(SIGINT);
    case 'historyStart':
      return stopped(SIGTRAP, 'replaylog:begin;');
    case 'breakpoint': {
      const reason = stop.breakpoint === 'software' ? 'swbreak:;' : 'hwbreak:;';
      return stopped(SIGTRAP, options.breakReasons ? reason : '');
    }
    case 'watch': {
      const names = { write: 'watch', read: 'rwatch', access: 'awatch' } as const;
      return stopped(SIGTRAP, `${names[stop.hit.kind]}:${stop.hit.address.toString(16)};`);
    }
    case 'result':
      return resultReply(stop.result, options);
  }
}

function resultReply(result: RunResult, options: ReplyOptions): StopReply {
  switch (result.stop) {
    case 'exit':
    case 'return':
      return { reply: `W${hexByte((result.exitCode ?? 0) & 0xff)}`, message: '', exited: true };
    case 'breakpoint':
      return { ...stopped(), message: `BKPT at ${hex32(result.pc)}; continue passes it\n` };
    case 'limit':
      return { ...stopped(SIGXCPU), message: `the budget of ${result.cycles} cycles is used up\n` };
    case 'idle':
      return {
        ...stopped(SIGINT),
        message: `idle at ${hex32(result.pc)}: an endless loop or a wait that nothing modelled can end\n`,
      };
    case 'fault':
      return { ...stopped(faultSignal(result.fault)), message: `${faultText(result, options)}\n` };
  }
}

function faultSignal(fault: Fault | null): number {
  return fault?.kind === 'undefined' || fault?.kind === 'fpu-disabled' ? SIGILL : SIGSEGV;
}

function faultText({ fault, pc }: RunResult, options: ReplyOptions): string {
  if (fault === null) return `fault at ${hex32(pc)}`;
  return describeFault(options.symbolsValid ? fault : { ...fault, symbol: null });
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}
