/**
 * The gdb remote protocol over a Machine (GDB manual, appendix E): bytes in, bytes out, no sockets and no clock. The owner feeds what
 * the connection receives, sends what comes out, and calls runSlice() while `running`.
 */
import type { Machine, RunResult } from '../../machine.ts';
import { Execution } from './execution.ts';
import { runMonitorCommand } from './monitor.ts';
import { answerQuery, type QueryContext } from './queries.ts';
import { bytesOf, encodePacket, hexOf, PacketReader, parseHex, textOf, type PacketEvent } from './packets.ts';
import { accessMemory } from './memory-commands.ts';
import { changeBreakpoint } from './breakpoint-commands.ts';
import { accessRegisters } from './register-commands.ts';
import { parseResume } from './resume-commands.ts';
import type { Stop } from './stop.ts';
import { stopped, stopReply, type StopReply } from './stop-reply.ts';
import { memoryMapXml, targetRegisters, targetXml, type TargetRegister } from './target-description.ts';
import { TargetMemory } from './target-memory.ts';
import { ERROR_ARGUMENT, ERROR_STATE, OK, UNSUPPORTED } from './replies.ts';

/** Console output is cut into packets of at most this many bytes, two digits each. */
const CONSOLE_BYTES_MAX = 1024;

export interface GdbServerOptions {
  readonly machine: Machine;
  readonly send: (bytes: Uint8Array) => void;
  /** Budget in cycles since reset; none by default. */
  readonly maxCycles?: number;
}

/** attached: a debugger decides; detached: the program runs on without one; killed: it is over. */
export type SessionState = 'attached' | 'detached' | 'killed';

export class GdbServer {
  state: SessionState = 'attached';
  private readonly machine: Machine;
  private readonly send: (bytes: Uint8Array) => void;
  private readonly memory: TargetMemory;
  private readonly execution: Execution;
  private readonly registers: readonly TargetRegister[];
  private readonly queries: QueryContext;
  private reader = new PacketReader();
  private acknowledge = true;
  private breakReasons = false;
  private lastSent: Uint8Array | null = null;
  private lastStop: StopReply = stopped();
  private countersAtResume = { cycles: 0, instructions: 0 };
  private lastResult: RunResult | null = null;

  constructor(options: GdbServerOptions) {
    this.machine = options.machine;
    this.send = options.send;
    this.memory = new TargetMemory(options.machine);
    this.execution = new Execution(options.machine, this.memory, options.maxCycles ?? Infinity);
    this.registers = targetRegisters(options.machine.board);
    this.queries = {
      targetXml: targetXml(this.registers),
      memoryMapXml: memoryMapXml(options.machine.board),
      canGoBack: this.execution.canGoBack,
      crc: (address, bytes) => this.memory.crc(address, bytes),
      setBreakReasons: (understood) => (this.breakReasons = understood),
      monitor: (line) => this.monitor(line),
    };
  }

  get running(): boolean {
    return this.execution.running;
  }

  /** How the program ended, or null while it has not. */
  get result(): RunResult | null {
    return this.lastResult;
  }

  /** A new connection: the target halts for it, and acknowledgements are on again. */
  connect(): void {
    this.reader = new PacketReader();
    this.acknowledge = true;
    this.breakReasons = false;
    this.lastSent = null;
    if (this.execution.running) this.finish(this.execution.interrupt(), false);
    this.state = 'attached';
  }

  /** The connection is gone without a word: its breakpoints go too, the target stays halted. */
  disconnect(): void {
    this.execution.removeAll();
    if (this.execution.running && this.state === 'attached') this.finish(this.execution.interrupt(), false);
  }

  /** Bytes from the debugger, in whatever pieces. */
  receive(bytes: Uint8Array): void {
    for (const event of this.reader.push(bytes)) this.handle(event);
  }

  /** Runs the target for some ten milliseconds and reports if it stops. */
  runSlice(): void {
    const stop = this.execution.slice();
    if (stop !== null) this.finish(stop, this.state === 'attached');
  }

  /** Output of the program, for the debugger's console; lost when none is attached. */
  consoleOutput(bytes: Uint8Array): void {
    if (this.state !== 'attached' || !this.execution.running) return;
    for (let at = 0; at < bytes.length; at += CONSOLE_BYTES_MAX)
      this.sendPacket(`O${hexOf(bytes.subarray(at, at + CONSOLE_BYTES_MAX))}`);
  }

  private handle(event: PacketEvent): void {
    switch (event.kind) {
      case 'ack':
        return;
      case 'nak':
        if (this.acknowledge && this.lastSent !== null) this.send(this.lastSent);
        return;
      case 'interrupt':
        if (this.execution.running) this.finish(this.execution.interrupt(), true);
        return;
      case 'badChecksum':
        if (this.acknowledge) this.send(bytesOf('-'));
        return;
      case 'oversized':
        this.acceptPacket();
        this.sendPacket(ERROR_ARGUMENT);
        return;
      case 'packet':
        this.acceptPacket();
        // A running target listens to the interrupt only.
        if (!this.execution.running) this.command(event.data);
        return;
    }
  }

  private acceptPacket(): void {
    if (this.acknowledge) this.send(bytesOf('+'));
  }

  private sendPacket(text: string): void {
    this.lastSent = encodePacket(bytesOf(text));
    this.send(this.lastSent);
  }

  private command(data: Uint8Array): void {
    const text = textOf(data);
    const reply = this.session(text) ?? this.resume(text) ?? this.inspect(text);
    if (reply !== '') this.sendPacket(reply === UNSUPPORTED ? '' : reply);
    if (text === 'QStartNoAckMode') this.acknowledge = false;
  }

  /** The session itself. Empty text is "no reply", null "not one of these". */
  private session(text: string): string | null {
    switch (text) {
      case '?':
        return this.lastStop.reply;
      case '!':
      case 'QStartNoAckMode':
        return OK;
      case 'k':
        return this.end('killed', '');
      case 'R':
      case 'R00':
        this.reset();
        return '';
      default:
        break;
    }
    if (text === 'D' || text.startsWith('D;')) return this.end('detached', OK);
    if (text.startsWith('vKill;')) return this.end('killed', OK);
    if (text === 'vRun' || text.startsWith('vRun;')) {
      this.reset();
      return this.lastStop.reply;
    }
    // One thread, always alive.
    return /^(H[gc](-1|[01])|T1)$/.test(text) ? OK : null;
  }

  private end(state: 'detached' | 'killed', reply: string): string {
    this.execution.removeAll();
    this.state = state;
    if (state === 'detached' && this.lastResult === null) this.execution.resume({ kind: 'continue' });
    return reply;
  }

  private resume(text: string): string | null {
    const request = parseResume(text);
    if (request === null || typeof request === 'string') return request;
    const goesBack = request.action.kind === 'continueBack' || request.action.kind === 'stepBack';
    if (goesBack && !this.execution.canGoBack) return UNSUPPORTED;
    // What has exited does not run on; it says so again.
    if (this.lastStop.exited) return this.lastStop.reply;
    if (request.address !== null) this.execution.setPc(request.address);
    this.countersAtResume = this.machine.cpu.counters();
    this.lastResult = null;
    this.execution.resume(request.action);
    return '';
  }

  private inspect(text: string): string {
    const target = { machine: this.machine, execution: this.execution, memory: this.memory, registers: this.registers };
    return (
      accessRegisters(text, target) ??
      accessMemory(text, this.memory) ??
      changeBreakpoint(text, this.execution, this.machine.board) ??
      answerQuery(text, this.queries) ??
      UNSUPPORTED
    );
  }

  private monitor(hexLine: string): string {
    const line = parseHex(hexLine);
    if (line === null) return ERROR_STATE;
    const output = runMonitorCommand(textOf(line), {
      reset: () => this.reset(),
      counters: () => this.machine.cpu.counters(),
      countersAtResume: () => this.countersAtResume,
      enterHandlers: (enters) => (this.execution.entersHandlers = enters),
    });
    return hexOf(new TextEncoder().encode(output));
  }

  private reset(): void {
    this.memory.settle();
    this.execution.reset();
    this.countersAtResume = this.machine.cpu.counters();
    this.lastStop = stopped();
    this.lastResult = null;
  }

  /** The target has stopped: tells the debugger, the message before the reply, as only a running target may print. */
  private finish(stop: Stop, tell: boolean): void {
    const options = { breakReasons: this.breakReasons, symbolsValid: !this.memory.flashChanged };
    this.lastStop = stopReply(stop, options);
    if (stop.kind === 'result') this.lastResult = stop.result;
    if (!tell) return;
    if (this.lastStop.message !== '') this.sendPacket(`O${hexOf(new TextEncoder().encode(this.lastStop.message))}`);
    this.sendPacket(this.lastStop.reply);
  }
}
