/**
 * What the emulator asks of a CPU engine. An engine owns registers, memory and counters and knows nothing of boards, peripherals or
 * files. Cycles are those of emulator/timing/pipeline.ts, whatever the engine: two engines must report equal counters.
 */
import type { Stateful } from '../state/stateful.ts';
import type { Instruction } from '../timing/instruction.ts';
import type { MemorySystem } from '../timing/memory-system.ts';

/** Register numbers: r0..r15, then the special ones, then s0..s31. */
export const reg = {
  sp: 13,
  lr: 14,
  pc: 15,
  xpsr: 16,
  fpscr: 17,
  msp: 18,
  psp: 19,
  control: 20,
  primask: 21,
  faultmask: 22,
  basepri: 23,
  /** Armv8-M Mainline; 0 elsewhere. */
  msplim: 24,
  psplim: 25,
  s0: 32,
} as const;

export interface DeviceCallbacks {
  /** `bytes` is 1, 2 or 4. */
  read(address: number, bytes: number): number;
  write(address: number, bytes: number, value: number): void;
}

export interface MemoryMapping {
  readonly start: number;
  /** A multiple of 4096. */
  readonly bytes: number;
  /** Flash is not: a store to it is a fault. Code runs from either. */
  readonly writable: boolean;
  /** Takes stores to memory that is not writable; false: a fault. Only engines that can; the others fault. */
  readonly store?: (address: number, bytes: number, value: number) => boolean;
}

export interface Counters {
  readonly cycles: number;
  readonly instructions: number;
}

export interface MarkPass extends Counters {
  readonly address: number;
}

/** What an access was doing when it failed. */
export type AccessKind = 'read' | 'write' | 'fetch';

/** Why run() came back. `pc` is the address of the instruction that would run next, or the one that could not run. */
export type CpuStop =
  /** The cycle or instruction budget is used up. */
  | { readonly kind: 'limit'; readonly pc: number }
  /** stop() was called; the engine may have finished the straight run of code it was in. */
  | { readonly kind: 'requested'; readonly pc: number }
  /** The instruction at pc is one that the machine decides about, and has not been executed. */
  | {
      readonly kind:
        | 'breakpoint'
        | 'hardwareBreakpoint'
        | 'supervisorCall'
        | 'waitForInterrupt'
        | 'waitForEvent'
        | 'sendEvent'
        | 'yieldHint'
        | 'fpuDisabled'
        | 'noCoprocessor';
      readonly pc: number;
    }
  /** A branch to an EXC_RETURN value in Handler mode. */
  | { readonly kind: 'exceptionReturn'; readonly pc: number; readonly value: number }
  /** EPSR.T is 0: a branch asked for Arm state, which does not exist. */
  | { readonly kind: 'invalidState'; readonly pc: number }
  /** An unconditional branch to itself: only an interrupt can end it. */
  | { readonly kind: 'endlessLoop'; readonly pc: number }
  /** No such instruction on this core, or none that the timing table knows. */
  | { readonly kind: 'undefined'; readonly pc: number; readonly encoding: number; readonly bytes: number }
  /** An access that nobody answers or that is refused. */
  | {
      readonly kind: 'access';
      readonly pc: number;
      readonly access: AccessKind;
      readonly reason: AccessRefusal;
      readonly address: number;
    }
  /** The engine raised an exception of the core that nothing above describes; `detail` names it. */
  | { readonly kind: 'exception'; readonly pc: number; readonly detail: string };

/**
 * No memory there; read-only or execute-never memory; an address the core refuses; the memory protection unit; a stack pointer below its limit; registers that are
 * for privileged code; no access, but a divisor of 0 where that traps.
 */
export type AccessRefusal =
  'unmapped' | 'protected' | 'unaligned' | 'denied' | 'stackLimit' | 'privileged' | 'divideByZero';

/** Whether an access may be made; `asUser`: by LDRT and the like, whatever the core's privilege. */
export type Protection = (access: AccessKind, address: number, bytes: number, asUser: boolean) => boolean;

/** Whether programs may read all of the memories, run what is in those that are not writable, and write the others. */
export type LeavesOpen = (memories: readonly Pick<MemoryMapping, 'start' | 'bytes' | 'writable'>[]) => boolean;

/** One instruction that has been executed, as the trace hook is told of it. The engine reuses the object: copy what is kept. */
export interface TracePoint {
  instruction: Instruction;
  /** False: inside IT, and its condition failed. */
  executed: boolean;
  /** Address control goes to, bit 0 clear; an EXC_RETURN value when that was branched to. */
  next: number;
  /** Cycles of this instruction, and the counter after it. What the counter gained besides belongs to no instruction. */
  cost: number;
  cycles: number;
  /** The stack pointer in use before and after it. */
  spBefore: number;
  sp: number;
}

export type TraceHook = (point: TracePoint) => void;

/**
 * Told of every access of an executed instruction to memory or a device, just before it is made; accessPc() says whose it is, counters()
 * are those before that instruction. True: the engine takes back what the instruction has done to registers and stops in front of it;
 * words it has already stored are stored again when it runs on.
 */
export type AccessHook = (access: 'read' | 'write', address: number, bytes: number) => boolean;

export interface RunLimits {
  /** Absolute values of the counters at which to stop; checked at least once for every straight run of code. */
  readonly cyclesMax: number;
  readonly instructionsMax?: number;
  /** The first instruction runs even where a hardware breakpoint is. */
  readonly passesBreakpoint?: boolean;
}

/** What an engine offers for the machine to model exceptions on it. xPSR then holds IPSR, and a write to pc and xPSR sets the IT state. */
export interface ExceptionPort {
  /** A word of memory, or null where there is none; devices are not asked. */
  readWord(address: number): number | null;
  /** False where no writable memory is. */
  writeWord(address: number, value: number): boolean;
  /** Time passes that belongs to no instruction of the program. */
  addCounters(cycles: number, instructions: number): void;
  clearExclusive(): void;
  /** Armv8-M: MSPLIM or PSPLIM, whichever belongs to the stack pointer in use; 0 elsewhere. */
  stackLimit(): number;
  /** MSPLIM and PSPLIM to 0. */
  resetStackLimits(): void;
  /** CCR has a new value: what traps, and whether unprivileged code may write STIR. */
  setConfiguration(value: number): void;
  isPrivileged(): boolean;
  /** NMI, HardFault or FAULTMASK: an execution priority below 0. */
  isBelowZero(): boolean;
  /**
   * Asked before every access and fetch of the program, not for those of exception entry and return; null: all are allowed. Slow, but while
   * `leavesOpen` says that it would refuse nothing in these memories to the core as it is now.
   */
  setProtection(protection: Protection | null, leavesOpen: LeavesOpen): void;
  /** Called after an instruction has changed PRIMASK, FAULTMASK, BASEPRI or CONTROL. */
  onMaskChange: (() => void) | null;
}

/** Addresses start .. start + bytes - 1. */
export interface CodeRange {
  readonly start: number;
  readonly bytes: number;
}

/** save() gives registers, counters and what else of the core decides the future, without memories and marks; absent: it cannot. */
export interface Cpu extends Partial<Stateful> {
  readonly name: string;
  /** Absent: every exception ends the run. */
  readonly exceptions?: ExceptionPort;
  /** Whether a mark or limit can stop it between the instructions of an IT block; absent: it leaves such a block only at its end. */
  readonly stopsInsideIt?: boolean;
  /** The region's bytes, shared with the guest. After changing code that has run, call forgetCode(). */
  mapMemory(mapping: MemoryMapping): Uint8Array;
  mapDevice(start: number, bytes: number, callbacks: DeviceCallbacks): void;
  readRegister(register: number): number;
  writeRegister(register: number, value: number): void;
  /** Runs from `pc` (bit 0 is ignored: there is only Thumb). Never hangs as long as cyclesMax is finite. */
  run(pc: number, limits: RunLimits): CpuStop;
  /** From a callback: ends the run soon. */
  stop(): void;
  /**
   * Cycles and instructions so far. Inside a device callback: those before the instruction that made the access.
   * A way out of the last instruction that has been taken (pipeline refill) is included.
   */
  counters(): Counters;
  /** Inside a device callback: address of the instruction that makes the access. */
  accessPc(): number;
  /** Back to 0; what marks have recorded is forgotten. */
  resetCounters(): void;
  /** After a stop at an instruction the machine handled itself: counts it and leaves pc behind it. Returns the new pc. */
  stepOver(): number;
  /** Records the counters at every pass of the address before its instruction runs; with a callback, also calls it. */
  addMark(address: number, callback: ((pass: MarkPass) => void) | null): void;
  removeMark(address: number): void;
  /** What the mark recorded since this was last asked or the counters were reset. */
  takeMarkPasses(address: number): MarkPass[];
  /** Whether CPACR lets FPU instructions run; an engine stops with 'fpuDisabled' before one that may not. */
  setFpuEnabled(enabled: boolean): void;
  /** Of all memory, or of a range: whatever was made of bytes in it is made anew. */
  forgetCode(range?: CodeRange): void;
  /** Counts what memories add to the pipeline's cycles, before the first run; absent: the engine has zero-wait memories only. */
  setMemorySystem?(system: MemorySystem): void;
  /** Calls the hook after every instruction, in program order; null: no more. Far slower. Only engines that can have it. */
  setTraceHook?(hook: TraceHook | null): void;
  /** Calls the hook before every memory access of the program, besides those already there. Far slower. Only engines that can have it. */
  addAccessHook?(hook: AccessHook): void;
  removeAccessHook?(hook: AccessHook): void;
  /** Stops with 'hardwareBreakpoint' in front of these, instead of those given before. Only engines that can have it. */
  setHardwareBreakpoints?(addresses: ReadonlySet<number>): void;
  /** Frees native memory; the engine cannot be used afterwards. */
  close(): void;
}
