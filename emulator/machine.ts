/**
 * A board with a firmware image in it: memory map, peripherals, reset, run, and calls of single functions. Knows boards only as data
 * and engines only through Cpu; imports nothing of Node, so that it can run in a browser with another engine.
 */
import { UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';
import type { Board } from '../boards/schema.ts';
import { reg, type Counters, type Cpu, type CpuStop, type MarkPass, type RunLimits } from './cpu/cpu.ts';
import { faultCause, makeFault, type Fault } from './fault.ts';
import { checkSegments, endOfData, type FirmwareFile, type ImageSymbol, type SymbolTable } from './image.ts';
import { MemoryMap } from './memory-map.ts';
import { CoreExceptions, type Verdict } from './exceptions/core-exceptions.ts';
import { boardPeripherals } from './peripherals/board-peripherals.ts';
import { PeripheralBus } from './peripherals/bus.ts';
import type { PeripheralHost } from './peripherals/peripheral.ts';
import type { SerialLine } from './peripherals/serial-line.ts';
import {
  DEFAULT_CYCLES_MAX,
  type CallResult,
  type Pause,
  type RunOptions,
  type RunResult,
  type StopKind,
} from './run-result.ts';
import { StackMeter } from './stack-meter.ts';
import { exceptionCosts } from './timing/exception-cost.ts';
import { imageDigest } from './state/digest.ts';
import { MachineSnapshots, type MachineState } from './state/machine-state.ts';
import type { Stateful } from './state/stateful.ts';

export { DEFAULT_CYCLES_MAX } from './run-result.ts';
export type { CallResult, Pause, RunOptions, RunResult, StopKind } from './run-result.ts';

/** Where a called function returns to: no memory is ever mapped there, so arriving is a fetch fault that is understood as the return. */
export const RETURN_ADDRESS = 0xdead_bee0;

const DEVICE_SPACES = [
  { start: 0x4000_0000, bytes: 0x2000_0000 },
  { start: 0xe000_0000, bytes: 0x0010_0000 },
] as const;

/** Stack watched during call(): memory below it is left alone, so that callers can keep their buffers there. */
const CALL_STACK_BYTES = 64 * 1024;

/** Of the Cortex-M4 at most; boards have fewer. */
const INTERRUPT_LINES = 240;
/** As on STM32; other parts have 3 to 8. */
const PRIORITY_BITS = 4;

/** APSR clear, Thumb bit set. */
const XPSR_RESET = 0x0100_0000;

/** Decides about an instruction the engine stopped at: run on behind it, run on at it again, or end. */
export type StopHandler = (stop: CpuStop, machine: Machine) => 'step-over' | 'retry' | { exit: number } | null;

export interface MachineParts {
  readonly cpu: Cpu;
  readonly board: Board;
  readonly image: FirmwareFile;
  /** Far end of the board's UART. */
  readonly serial: SerialLine;
  readonly stopHandlers: readonly StopHandler[];
  /** What else takes part in snapshots, by a name of its own: the stop handlers' state. */
  readonly stateful?: ReadonlyMap<string, Stateful>;
  /** What is only noted otherwise ends the run with a fault. */
  readonly strict: boolean;
  /** Unmodelled registers and features the firmware used, once each. */
  readonly onNote: (text: string) => void;
}

export class Machine {
  readonly board: Board;
  readonly image: FirmwareFile;
  readonly cpu: Cpu;
  readonly serial: SerialLine;
  readonly memory: MemoryMap;
  readonly stack: StackMeter;
  /** Null on an engine that takes none. */
  readonly exceptions: CoreExceptions | null;
  private readonly bus: PeripheralBus;
  private readonly stopHandlers: readonly StopHandler[];
  private readonly stateful: ReadonlyMap<string, Stateful>;
  private snapshots: MachineSnapshots | null = null;
  /** Ends asked for from inside the run, with the counters of that moment: the engine may go on to the end of its block. */
  private pendingFault: { readonly fault: Fault; readonly counters: Counters } | null = null;
  private pendingExit: { readonly code: number; readonly counters: Counters } | null = null;
  private dataInitialised = false;
  private allocatedEnd: number | null = null;

  constructor(parts: MachineParts) {
    this.board = parts.board;
    this.image = parts.image;
    this.cpu = parts.cpu;
    this.stopHandlers = parts.stopHandlers;
    this.stateful = parts.stateful ?? new Map();
    this.memory = new MemoryMap(parts.board, parts.cpu);
    const noted = new Set<string>();
    const note = (cause: string): void => {
      if (parts.strict) this.failFromDevice('unmodelled-register', cause);
      else if (!noted.has(cause)) parts.onNote(cause);
      noted.add(cause);
    };
    this.exceptions = this.coreExceptions();
    const host: PeripheralHost = {
      exceptions: this.exceptions,
      reschedule: () => {
        if (this.bus.nextEvent() < this.runLimit) this.cpu.stop();
      },
      cycles: () => this.cpu.counters().cycles,
      setFpuEnabled: (enabled: boolean) => this.cpu.setFpuEnabled(enabled),
      fail: (cause: string) => this.failFromDevice('unmodelled-feature', cause),
      note,
    };
    this.serial = parts.serial;
    this.bus = new PeripheralBus(boardPeripherals(parts.board, parts.serial, host), note);
    for (const space of DEVICE_SPACES) parts.cpu.mapDevice(space.start, space.bytes, this.bus);
    checkSegments(parts.image, parts.board.name, parts.board.memory);
    for (const segment of parts.image.segments) this.writeMemory(segment.loadAddress, segment.bytes);
    this.stack = new StackMeter(this.memory, parts.image.symbols);
  }

  get symbols(): SymbolTable {
    return this.image.symbols;
  }

  /** Address of a symbol. @throws UserError naming it when the image has none. */
  symbol(name: string): ImageSymbol {
    const found = this.symbols.find(name);
    if (found === null)
      throw new UserError(`${this.image.name}: no symbol ${name}; check the name with arm-none-eabi-nm`);
    return found;
  }

  /** Copies bytes out of flash or RAM. @throws UserError outside the board's memory. */
  readMemory(address: number, bytes: number): Uint8Array {
    return this.memory.read(address, bytes);
  }

  /** Copies bytes into flash or RAM. Code that has already run must not be overwritten without cpu.forgetCode(). */
  writeMemory(address: number, bytes: Uint8Array): void {
    this.memory.write(address, bytes);
  }

  /** The little-endian word at an address of flash or RAM. */
  readWord(address: number): number {
    return this.memory.readWord(address);
  }

  /** Core and peripherals as after power-on, memories as they are; counters 0, SP from the vector table. Returns the reset vector. */
  reset(): number {
    const vectorTable = this.memory.firstOf('flash').start;
    const sp = this.memory.readWord(vectorTable);
    this.resetCore(sp);
    this.cpu.resetCounters();
    this.bus.reset();
    this.exceptions?.reset();
    // From here on .data and .bss are the firmware's: a later call() must not clear what it left there.
    this.dataInitialised = true;
    return this.memory.readWord(vectorTable + 4);
  }

  /** Runs from reset: counters 0, SP and PC from the vector table at the start of flash. */
  run(options: RunOptions = {}): RunResult {
    const pc = this.reset();
    this.stack.paint(this.cpu.readRegister(reg.sp));
    if ((pc & 1) === 0) {
      const fault = makeFault('exception', `the reset vector ${hex32(pc)} has no Thumb bit`, pc, this.symbols);
      return { cycles: 0, instructions: 0, stop: 'fault', exitCode: null, fault, pc };
    }
    return this.execute(pc, null, options.maxCycles ?? DEFAULT_CYCLES_MAX);
  }

  /** For debuggers: runs on from an address with all state as it is, until the run ends, a limit is reached or pause() is called. */
  resume(pc: number, limits: RunLimits): RunResult | Pause {
    this.paused = false;
    this.resumePc = pc;
    for (;;) {
      const result = this.pass(limits, null);
      if (result !== null) return result;
      if (this.paused) return { ...this.cpu.counters(), stop: 'paused', pc: this.resumePc };
    }
  }

  /** From a mark's callback: resume() returns before the marked instruction. */
  pause(): void {
    this.paused = true;
    this.cpu.stop();
  }

  /** For debuggers: a register of the device spaces as the firmware would access it, side effects included; null elsewhere. */
  device(address: number): PeripheralBus | null {
    return DEVICE_SPACES.some(({ start, bytes }) => address >= start && address - start < bytes) ? this.bus : null;
  }

  /**
   * Calls a function as AAPCS has it: four words in r0..r3, the rest on the stack. Counts from its first instruction through its
   * return. Without a run before it, .data and .bss are set up as start-up code would.
   */
  call(target: number | string, args: readonly number[] = [], options: RunOptions = {}): CallResult {
    const address = typeof target === 'string' ? this.symbol(target).address : (target & ~1) >>> 0;
    this.initialiseData();
    const stackWords = args.slice(4);
    const sp = (this.stack.top() - Math.ceil(stackWords.length / 2) * 8) >>> 0;
    this.resetCore(sp);
    this.cpu.resetCounters();
    if (this.board.fpu !== 'none') this.exceptions?.allowFpu();
    this.cpu.setFpuEnabled(this.board.fpu !== 'none');
    this.stack.paint(this.stack.top(), CALL_STACK_BYTES);
    const frame = this.memory.view(sp, stackWords.length * 4);
    const words = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    for (const [index, word] of stackWords.entries()) words.setUint32(index * 4, word >>> 0, true);
    for (const [index, word] of args.slice(0, 4).entries()) this.cpu.writeRegister(index, word);
    this.cpu.writeRegister(reg.lr, RETURN_ADDRESS | 1);
    const result = this.execute(address, RETURN_ADDRESS, options.maxCycles ?? DEFAULT_CYCLES_MAX);
    const low = this.cpu.readRegister(0);
    const high = this.cpu.readRegister(1);
    return { ...result, value: low | 0, value64: BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)) };
  }

  /**
   * Reserves RAM for a caller's buffers, behind the image's own data; freed with the machine. Where the stack lies above the data, its part
   * of the RAM is left alone. Returns the address. @throws UserError when RAM is used up.
   */
  allocate(bytes: number, alignment = 8): number {
    const ram = this.memory.firstOf('ram');
    const dataEnd = endOfData(this.image, ram);
    const top = this.stack.top();
    const limit = top > dataEnd ? top - Math.min(CALL_STACK_BYTES, (top - dataEnd) / 2) : ram.start + ram.bytes;
    const address = Math.ceil((this.allocatedEnd ?? dataEnd) / alignment) * alignment;
    if (address + bytes > limit)
      throw new UserError(
        `${bytes} bytes of buffers do not fit the RAM of board ${this.board.name} beside data and stack`,
      );
    this.allocatedEnd = address + bytes;
    return address;
  }

  /** Records counters at every pass of an address or function; a callback is also called, before the instruction runs. */
  onMark(target: number | string, callback: ((pass: MarkPass) => void) | null = null): void {
    this.cpu.addMark(this.markAddress(target), callback);
  }

  markPasses(target: number | string): MarkPass[] {
    return this.cpu.takeMarkPasses(this.markAddress(target));
  }

  removeMark(target: number | string): void {
    this.cpu.removeMark(this.markAddress(target));
  }

  /** From a peripheral: the access under way cannot be modelled; the run ends with this fault. */
  failFromDevice(kind: Fault['kind'], cause: string): void {
    const fault = makeFault(kind, cause, this.cpu.accessPc(), this.symbols);
    this.pendingFault ??= { fault, counters: this.cpu.counters() };
    this.cpu.stop();
  }

  /** From a mark's callback: the run ends here with this code. */
  exit(code: number, pass: MarkPass): void {
    this.pendingExit ??= { code, counters: { cycles: pass.cycles, instructions: pass.instructions } };
    this.cpu.stop();
  }

  /** Everything that decides the future, marks aside, as plain data; between runs only. @throws UserError on an engine that cannot. */
  save(): MachineState {
    return this.snapshotter().save();
  }

  /** Goes on where save() was called; resume() from readRegister(reg.pc). @throws UserError when the state is another machine's. */
  restore(state: MachineState): void {
    this.pendingFault = null;
    this.pendingExit = null;
    this.snapshotter().restore(state);
  }

  close(): void {
    this.cpu.close();
  }

  private snapshotter(): MachineSnapshots {
    return (this.snapshots ??= new MachineSnapshots({
      board: this.board.name,
      image: imageDigest(this.image),
      cpu: this.cpu,
      memories: this.memory.mapped(),
      parts: new Map([
        ...this.bus.parts(),
        ['serial line', this.serial],
        ['machine', this.ownState],
        ...(this.exceptions === null ? [] : [['exceptions', this.exceptions] as const]),
        ...this.stateful,
      ]),
    }));
  }

  private readonly ownState: Stateful = {
    save: () => [this.eventRegister, this.dataInitialised, this.allocatedEnd],
    restore: (state) => {
      [this.eventRegister, this.dataInitialised, this.allocatedEnd] = state as [boolean, boolean, number | null];
    },
  };

  private markAddress(target: number | string): number {
    return typeof target === 'string' ? this.symbol(target).address : (target & ~1) >>> 0;
  }

  private resetCore(sp: number): void {
    for (let register = 0; register <= 12; register++) this.cpu.writeRegister(register, 0);
    this.cpu.writeRegister(reg.control, 0);
    this.cpu.writeRegister(reg.sp, (sp & ~3) >>> 0);
    this.cpu.writeRegister(reg.lr, 0xffff_ffff);
    this.cpu.writeRegister(reg.xpsr, XPSR_RESET);
    this.cpu.writeRegister(reg.fpscr, 0);
    for (const mask of [reg.primask, reg.faultmask, reg.basepri]) this.cpu.writeRegister(mask, 0);
    this.pendingFault = null;
    this.pendingExit = null;
    this.eventRegister = false;
  }

  /** Places initialised data where the program expects it and clears the rest, once. */
  private initialiseData(): void {
    if (this.dataInitialised) return;
    this.dataInitialised = true;
    for (const segment of this.image.segments) {
      if (segment.memoryBytes === 0) continue;
      const target = this.memory.view(segment.runAddress, segment.memoryBytes);
      target.set(segment.bytes);
      target.fill(0, segment.bytes.length);
    }
  }

  private execute(start: number, returnAddress: number | null, maxCycles: number): RunResult {
    this.resumePc = start;
    for (;;) {
      const result = this.pass({ cyclesMax: maxCycles }, returnAddress);
      if (result !== null) return result;
    }
  }

  /** From resumePc up to the next stop of the engine. The result if the run is over. */
  private pass(limits: RunLimits, returnAddress: number | null): RunResult | null {
    const takes = returnAddress === null ? this.exceptions : null;
    if (takes !== null) {
      const over = this.follow(takes.poll(this.resumePc), this.resumePc);
      if (over !== null) return over;
    }
    this.runLimit = Math.min(limits.cyclesMax, this.bus.nextEvent());
    const stop = this.cpu.run(this.resumePc, { ...limits, cyclesMax: this.runLimit });
    this.runLimit = -Infinity;
    return this.judge(stop, limits, returnAddress);
  }

  /** Goes on as the exceptions say; the result if they end the run. */
  private follow(verdict: Verdict, pc: number): RunResult | null {
    if (verdict === null) return null;
    switch (verdict.kind) {
      case 'continue':
        this.resumePc = verdict.pc;
        return null;
      case 'reset':
        this.resumePc = this.resetByFirmware();
        return null;
      case 'fault': {
        const { counters, fault } = verdict.recorded;
        return { ...counters, stop: 'fault', exitCode: null, fault, pc: fault.address };
      }
      default: {
        const exitCode = verdict.kind === 'idle' ? 0 : null;
        return { ...this.cpu.counters(), stop: verdict.kind, exitCode, fault: null, pc };
      }
    }
  }

  /** AIRCR.SYSRESETREQ: as reset(), but time goes on. */
  private resetByFirmware(): number {
    const vectorTable = this.memory.firstOf('flash').start;
    this.resetCore(this.memory.readWord(vectorTable));
    this.bus.reset();
    this.exceptions?.reset();
    return this.memory.readWord(vectorTable + 4);
  }

  private coreExceptions(): CoreExceptions | null {
    const { cpu, board, image } = this;
    const port = cpu.exceptions;
    if (port === undefined) return null;
    return new CoreExceptions({
      cpu,
      port,
      symbols: image.symbols,
      features: { onlyHardFault: false, isV8: false, hasFpu: board.fpu !== 'none', cost: exceptionCosts[board.core] },
      interrupts: INTERRUPT_LINES,
      priorityBits: PRIORITY_BITS,
      vectorTable: this.memory.firstOf('flash').start,
      nextEvent: () => this.bus.nextEvent(),
      advance: () => {
        this.bus.advance();
      },
    });
  }

  private resumePc = 0;
  /** Cycles up to which the engine runs now; -Infinity between runs. */
  private runLimit = -Infinity;
  private paused = false;
  /** Set by SEV, cleared by the WFE it lets through (DDI 0403E B1.5.18). */
  private eventRegister = false;

  /** Instructions that stop the engine but not the program: YIELD, SEV, and WFE after an event. */
  private isTransparent(stop: CpuStop): boolean {
    if (stop.kind === 'yieldHint') return true;
    if (stop.kind !== 'sendEvent' && stop.kind !== 'waitForEvent') return false;
    const eventWasSet = this.eventRegister;
    this.eventRegister = stop.kind === 'sendEvent';
    return stop.kind === 'sendEvent' || eventWasSet;
  }

  /** The result if the run is over, or null to go on at resumePc. */
  private judge(stop: CpuStop, limits: RunLimits, returnAddress: number | null): RunResult | null {
    const counters = this.cpu.counters();
    const end = (kind: StopKind, exitCode: number | null, fault: Fault | null): RunResult => ({
      ...counters,
      stop: kind,
      exitCode,
      fault,
      pc: stop.pc,
    });
    if (this.pendingFault !== null)
      return { ...end('fault', null, this.pendingFault.fault), ...this.pendingFault.counters };
    if (this.pendingExit !== null) return { ...end('exit', this.pendingExit.code, null), ...this.pendingExit.counters };
    if (returnAddress !== null && stop.pc === returnAddress) return end('return', 0, null);
    for (const handler of this.stopHandlers) {
      const decision = handler(stop, this);
      if (decision === null) continue;
      if (typeof decision === 'object') return end('exit', decision.exit, null);
      this.resumePc = decision === 'step-over' ? this.cpu.stepOver() : stop.pc;
      return null;
    }
    if (this.exceptions !== null && (returnAddress === null || stop.kind === 'fpuDisabled')) {
      const verdict = this.exceptions.handle(stop, limits);
      if (verdict !== null) return this.follow(verdict, stop.pc);
    }
    if (this.isTransparent(stop)) {
      this.resumePc = this.cpu.stepOver();
      return null;
    }
    const cause = faultCause(stop);
    if (cause !== null)
      return end(
        stop.kind === 'breakpoint' ? 'breakpoint' : 'fault',
        null,
        makeFault(cause.kind, cause.cause, stop.pc, this.symbols),
      );
    if (stop.kind === 'limit') return end('limit', null, null);
    if (stop.kind === 'requested') {
      this.resumePc = stop.pc;
      return null;
    }
    return end('idle', 0, null);
  }
}
