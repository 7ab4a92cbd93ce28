/**
 * A board with a firmware image in it: memory map, peripherals, reset, run, and calls of single functions. Knows boards only as data
 * and engines only through Cpu; imports nothing of Node, so that it can run in a browser with another engine.
 */
import { UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';
import type { Board } from '../boards/schema.ts';
import { BoardDevices } from './board-devices.ts';
import { memorySystemOf } from './board-timing.ts';
import { reg, type Cpu, type CpuStop, type MarkPass, type RunLimits } from './cpu/cpu.ts';
import { resetRegisters } from './cpu/reset-registers.ts';
import { makeFault, type Fault } from './fault.ts';
import { checkSegments, type FirmwareFile, type ImageSymbol, type SymbolTable } from './image.ts';
import type { MachineParts, Output, StopHandler } from './machine-parts.ts';
import { MemoryMap } from './memory-map.ts';
import { coreOf, type Core } from './cores/core.ts';
import { CoreExceptions } from './exceptions/core-exceptions.ts';
import { cacheEnables } from './exceptions/system-state.ts';
import type { PeripheralBus } from './peripherals/bus.ts';
import { SerialLine } from './peripherals/serial-line.ts';
import { DEFAULT_CYCLES_MAX, type CallResult, type Pause, type RunOptions, type RunResult } from './run-result.ts';
import { RunLoop, type Decision } from './run-loop.ts';
import { CALL_STACK_BYTES, ScratchRam } from './scratch-ram.ts';
import { StackMeter } from './stack-meter.ts';
import { imageDigest } from './state/digest.ts';
import { MachineSnapshots, type MachineState } from './state/machine-state.ts';
import type { Stateful } from './state/stateful.ts';
import type { MemorySystem } from './timing/memory-system.ts';

export type { MachineParts, Output, StopHandler } from './machine-parts.ts';
export { DEFAULT_CYCLES_MAX } from './run-result.ts';
export type { CallResult, Pause, RunOptions, RunResult, StopKind } from './run-result.ts';

/** Where a called function returns to: no memory is ever mapped there, so arriving is a fetch fault that is understood as the return. */
export const RETURN_ADDRESS = 0xdead_bee0;

export class Machine {
  readonly board: Board;
  readonly core: Core;
  readonly image: FirmwareFile;
  readonly cpu: Cpu;
  readonly serial: SerialLine;
  /** Far end of the RTT buffers 0. */
  readonly rtt: SerialLine;
  readonly memory: MemoryMap;
  readonly stack: StackMeter;
  private readonly scratch: ScratchRam;
  /** Null on an engine that takes none. */
  readonly exceptions: CoreExceptions | null;
  /** Its clocks, its flash's wait states and caches as the firmware has set them up, its pins and other UARTs. */
  readonly hardware: BoardDevices;
  private readonly stopHandlers: readonly StopHandler[];
  private readonly stateful: ReadonlyMap<string, Stateful>;
  private readonly outputs: readonly Output[];
  private readonly loop: RunLoop;
  private readonly memorySystem: MemorySystem | null;
  private snapshots: MachineSnapshots | null = null;
  private dataInitialised = false;

  constructor(parts: MachineParts) {
    this.board = parts.board;
    this.core = coreOf(parts.board);
    this.image = parts.image;
    this.cpu = parts.cpu;
    this.stopHandlers = parts.stopHandlers;
    this.stateful = parts.stateful ?? new Map();
    this.outputs = [parts.serial, ...(parts.outputs ?? [])];
    this.memory = new MemoryMap(parts.board, parts.cpu);
    const noted = new Set<string>();
    const note = (cause: string): void => {
      if (parts.strict) this.failFromDevice('unmodelled-register', cause);
      else if (!noted.has(cause)) parts.onNote(cause);
      noted.add(cause);
    };
    const port = parts.cpu.exceptions;
    this.exceptions =
      port === undefined
        ? null
        : new CoreExceptions({
            cpu: parts.cpu,
            port,
            core: this.core,
            symbols: parts.image.symbols,
            vectorTable: this.memory.vectorTable(),
            nextEvent: () => this.hardware.bus.nextEvent(),
            advance: () => this.hardware.bus.advance(),
          });
    this.serial = parts.serial;
    this.rtt = parts.rtt ?? new SerialLine();
    this.hardware = new BoardDevices({ ...parts, extra: parts.peripherals ?? [], note });
    this.loop = new RunLoop({
      cpu: parts.cpu,
      bus: this.hardware.bus,
      exceptions: this.exceptions,
      symbols: parts.image.symbols,
      decide: (stop) => this.decide(stop),
      reset: () => this.systemReset(),
      nextPoll: (cycles) => parts.hostPoll?.next(cycles, this) ?? Infinity,
      poll: () => parts.hostPoll?.poll(this),
    });
    this.hardware.attach({
      exceptions: this.exceptions,
      reschedule: () => {
        this.loop.reschedule();
      },
      cycles: () => this.hardware.cycles(),
      readMemory: (address, bytes) => this.memory.tryView(address, bytes)?.slice() ?? null,
      writeMemory: (address, bytes) => this.memory.tryWriteRam(address, bytes),
      writeFlash: (address, bytes) => this.memory.tryWriteFlash(address, bytes),
      setFpuEnabled: (enabled: boolean) => this.cpu.setFpuEnabled(enabled),
      fail: (cause: string) => this.failFromDevice('unmodelled-feature', cause),
      note,
    });
    this.memory.onFlashChange = (wasErased) => this.loop.codeChanged(wasErased ? 'later' : 'now');
    this.memory.onFlashStore = (address, bytes, value) => this.hardware.flash.store(address, bytes, value);
    const timing = parts.timing ?? 'flat';
    this.memorySystem = memorySystemOf(parts.board, this.hardware.flash, timing, parts.cpu, () =>
      cacheEnables(this.exceptions?.system ?? null),
    );
    if (this.memorySystem !== null) parts.cpu.setMemorySystem?.(this.memorySystem);
    checkSegments(parts.image, parts.board.name, parts.board.memory);
    for (const segment of parts.image.segments) this.writeMemory(segment.loadAddress, segment.bytes);
    this.stack = new StackMeter(this.memory, parts.image.symbols);
    this.scratch = new ScratchRam(parts.board.name, parts.image, this.memory.firstOf('ram'), this.stack);
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
    this.resetCore(this.memory.vector(0));
    this.cpu.resetCounters();
    this.hardware.powerOn();
    this.exceptions?.reset();
    // From here on .data and .bss are the firmware's: a later call() must not clear what it left there.
    this.dataInitialised = true;
    return this.memory.vector(1);
  }

  /** AIRCR.SYSRESETREQ: as reset(), but time goes on, and so do the debug units. Returns the reset vector. */
  systemReset(): number {
    this.resetCore(this.memory.vector(0));
    this.hardware.bus.reset('system');
    this.exceptions?.reset();
    this.exceptions?.debug.afterReset();
    return this.memory.vector(1);
  }

  /** Runs from reset: counters 0, SP and PC from the vector table at the start of flash. */
  run(options: RunOptions = {}): RunResult {
    const start = this.start();
    return typeof start === 'number' ? this.loop.execute(start, null, options.maxCycles ?? DEFAULT_CYCLES_MAX) : start;
  }

  /** For runs in slices: reset and stack painting as run() does them. Where to resume(), or how the run ended before it began. */
  start(): number | RunResult {
    const pc = this.reset();
    this.stack.paint(this.cpu.readRegister(reg.sp));
    if ((pc & 1) !== 0) return pc;
    const fault = makeFault('exception', `the reset vector ${hex32(pc)} has no Thumb bit`, pc, this.symbols);
    return { cycles: 0, instructions: 0, stop: 'fault', exitCode: null, fault, pc };
  }

  /** For debuggers: runs on from an address with all state as it is, until the run ends, a limit is reached or pause() is called. */
  resume(pc: number, limits: RunLimits): RunResult | Pause {
    return this.loop.resume(pc, limits);
  }

  /** From a mark's callback: resume() returns before the marked instruction. */
  pause(): void {
    this.loop.pause();
  }

  /** For debuggers: a register of the device spaces as the firmware would access it, side effects included; null elsewhere. */
  device(address: number): PeripheralBus | null {
    return this.hardware.covers(address) ? this.hardware.bus : null;
  }

  /**
   * Calls a function as AAPCS has it: four words in r0..r3, the rest on the stack. Counts from its first instruction through its
   * return. Without a run before it, .data and .bss are set up as start-up code would. Interrupts and SVC are taken through the vector
   * table; a fault ends the call.
   */
  call(target: number | string, args: readonly number[] = [], options: RunOptions = {}): CallResult {
    const address = typeof target === 'string' ? this.symbol(target).address : (target & ~1) >>> 0;
    this.initialiseData();
    const stackWords = args.slice(4);
    const sp = (this.stack.top() - Math.ceil(stackWords.length / 2) * 8) >>> 0;
    this.resetCore(sp);
    this.hardware.restartCounter();
    this.cpu.resetCounters();
    this.exceptions?.startCall(this.board.fpu !== 'none');
    this.cpu.setFpuEnabled(this.board.fpu !== 'none');
    this.stack.paint(this.stack.top(), CALL_STACK_BYTES);
    const frame = this.memory.view(sp, stackWords.length * 4);
    const words = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    for (const [index, word] of stackWords.entries()) words.setUint32(index * 4, word >>> 0, true);
    for (const [index, word] of args.slice(0, 4).entries()) this.cpu.writeRegister(index, word);
    this.cpu.writeRegister(reg.lr, RETURN_ADDRESS | 1);
    const result = this.loop.execute(address, RETURN_ADDRESS, options.maxCycles ?? DEFAULT_CYCLES_MAX);
    const [low, high] = [this.cpu.readRegister(0), this.cpu.readRegister(1)];
    return { ...result, value: low | 0, value64: BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)) };
  }

  /**
   * Reserves RAM for a caller's buffers, behind the image's own data; freed with the machine. Where the stack lies above the data, its part
   * of the RAM is left alone. Returns the address. @throws UserError when RAM is used up.
   */
  allocate(bytes: number, alignment = 8): number {
    return this.scratch.allocate(bytes, alignment);
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
    this.loop.fail(makeFault(kind, cause, this.cpu.accessPc(), this.symbols));
  }

  /** From a mark's callback: the run ends here with this code. */
  exit(code: number, pass: MarkPass): void {
    this.loop.exit(code, { cycles: pass.cycles, instructions: pass.instructions });
  }

  /** Everything that decides the future, marks aside, as plain data; between runs only. @throws UserError on an engine that cannot. */
  save(): MachineState {
    return this.snapshotter().save();
  }

  /** Goes on where save() was called; resume() from readRegister(reg.pc). @throws UserError when the state is another machine's. */
  restore(state: MachineState): void {
    this.loop.clear();
    this.snapshotter().restore(state);
  }

  /** While what has been run and shown before is run again. */
  mute(muted: boolean): void {
    for (const output of this.outputs) output.muted = muted;
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
        ...this.hardware.stateParts(),
        ['serial line', this.serial],
        ['machine', this.ownState],
        ...(this.exceptions === null ? [] : [['exceptions', this.exceptions] as const]),
        ...(this.memorySystem === null ? [] : [['memory system', this.memorySystem] as const]),
        ...this.stateful,
      ]),
    }));
  }

  private readonly ownState: Stateful = {
    save: () => [this.loop.eventRegister, this.dataInitialised, this.scratch.end],
    restore: (state) => {
      [this.loop.eventRegister, this.dataInitialised, this.scratch.end] = state as [boolean, boolean, number | null];
    },
  };

  private decide(stop: CpuStop): Decision | null {
    for (const handler of this.stopHandlers) {
      const decision = handler(stop, this);
      if (decision !== null) return decision;
    }
    return null;
  }

  private markAddress(target: number | string): number {
    return typeof target === 'string' ? this.symbol(target).address : (target & ~1) >>> 0;
  }

  private resetCore(sp: number): void {
    resetRegisters(this.cpu, sp);
    this.loop.clear();
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
}
