/**
 * Which exceptions are enabled, pending and active, and which one runs next (DDI 0403E B1.5.4, B3.4). Pure state: no memory, no
 * registers of the core but the three masks it is shown.
 */
import { exception } from './exception.ts';

/** Priority of the code that runs without any exception: below every configurable one. */
export const THREAD_PRIORITY = 256;

export interface PriorityMasks {
  readonly primask: number;
  readonly faultmask: number;
  /** 0: masks nothing. */
  readonly basepri: number;
}

/** Priorities that cannot be configured. */
const FIXED = new Map<number, number>([
  [exception.reset, -3],
  [exception.nmi, -2],
  [exception.hardFault, -1],
]);

/** Numbers without an exception: their priorities read as 0 and ignore writes (B3.2.10 to B3.2.12). */
const RESERVED: ReadonlySet<number> = new Set([0, 7, 8, 9, 10, 13]);

export interface ExceptionSnapshot {
  readonly enabled: Uint8Array;
  readonly pending: Uint8Array;
  readonly active: Uint8Array;
  readonly level: Uint8Array;
  readonly priority: Uint8Array;
  readonly priorityGroup: number;
}

export class ExceptionState {
  /** Exceptions, the 16 of the core included. */
  readonly count: number;
  private readonly priorityMask: number;
  private readonly enabled: Uint8Array;
  private readonly pending: Uint8Array;
  private readonly active: Uint8Array;
  /** Interrupt lines as devices drive them now. */
  private readonly level: Uint8Array;
  private readonly priority: Uint8Array;
  /** AIRCR.PRIGROUP: the priority's bits below and at this one only order pending exceptions. */
  priorityGroup = 0;
  /** DHCSR.C_MASKINTS: a debugger keeps PendSV, SysTick and interrupts from being taken. */
  masksInterrupts = false;
  /** An exception goes from not pending to pending, enabled or not. */
  onPending: (() => void) | null = null;
  private pendingCount = 0;
  private activeCount = 0;

  /** @param interrupts number of lines; @param priorityBits implemented upper bits of a priority, 2..8 */
  constructor(interrupts: number, priorityBits: number) {
    this.count = exception.firstInterrupt + interrupts;
    this.priorityMask = (0xff << (8 - priorityBits)) & 0xff;
    this.enabled = new Uint8Array(this.count);
    this.pending = new Uint8Array(this.count);
    this.active = new Uint8Array(this.count);
    this.level = new Uint8Array(this.count);
    this.priority = new Uint8Array(this.count);
    this.reset();
  }

  /** Lines keep the level their devices drive. */
  reset(): void {
    for (const list of [this.enabled, this.pending, this.active, this.priority]) list.fill(0);
    this.enabled.fill(1, 0, exception.firstInterrupt);
    for (const fault of [exception.memManage, exception.busFault, exception.usageFault, exception.debugMonitor])
      this.enabled[fault] = 0;
    this.pendingCount = this.activeCount = 0;
    this.priorityGroup = 0;
    for (let number = exception.firstInterrupt; number < this.count; number++)
      if (this.level[number] === 1) this.setPending(number, true);
  }

  isEnabled(number: number): boolean {
    return this.enabled[number] === 1;
  }

  setEnabled(number: number, enabled: boolean): void {
    if (number < this.count) this.enabled[number] = enabled ? 1 : 0;
  }

  isPending(number: number): boolean {
    return this.pending[number] === 1;
  }

  setPending(number: number, pending: boolean): void {
    if (number >= this.count || this.isPending(number) === pending) return;
    this.pending[number] = pending ? 1 : 0;
    this.pendingCount += pending ? 1 : -1;
    if (pending) this.onPending?.();
  }

  /** Any interrupt line, enabled or not (ICSR.ISRPENDING). */
  hasPendingInterrupt(): boolean {
    return this.pendingCount !== 0 && this.pending.includes(1, exception.firstInterrupt);
  }

  /** A pending bit cleared by software comes back at once while the line is still high. */
  clearPendingBySoftware(number: number): void {
    if (this.level[number] !== 1 || this.isActive(number)) this.setPending(number, false);
  }

  isActive(number: number): boolean {
    return this.active[number] === 1;
  }

  activeExceptions(): number {
    return this.activeCount;
  }

  setActive(number: number, active: boolean): void {
    if (number >= this.count || this.isActive(number) === active) return;
    this.active[number] = active ? 1 : 0;
    this.activeCount += active ? 1 : -1;
  }

  /** AIRCR.VECTCLRACTIVE. */
  clearActive(): void {
    this.active.fill(0);
    this.activeCount = 0;
  }

  /** A device drives its line. A rising line makes its interrupt pending. */
  setLevel(number: number, high: boolean): void {
    if (number >= this.count) return;
    const was = this.level[number] === 1;
    this.level[number] = high ? 1 : 0;
    if (high && !was) this.setPending(number, true);
  }

  /** The exception is taken: active, and no longer pending. */
  enter(number: number): void {
    this.setActive(number, true);
    this.setPending(number, false);
  }

  /** Its handler returns; a line that is still high makes it pending again (B3.4.1). */
  leave(number: number): void {
    this.setActive(number, false);
    if (this.level[number] === 1) this.setPending(number, true);
  }

  priorityOf(number: number): number {
    return FIXED.get(number) ?? this.priority[number] ?? 0;
  }

  setPriority(number: number, priority: number): void {
    if (number < this.count && !FIXED.has(number) && !RESERVED.has(number))
      this.priority[number] = priority & this.priorityMask;
  }

  maskPriority(value: number): number {
    return value & this.priorityMask;
  }

  /** The part of a priority that preemption looks at. */
  groupPriority(priority: number): number {
    return priority < 0 ? priority : priority & ~((2 << this.priorityGroup) - 1);
  }

  /** Priority of what runs now: of the active exceptions, raised by the masks. */
  executionPriority({ primask, faultmask, basepri }: PriorityMasks): number {
    let lowest = THREAD_PRIORITY;
    if (this.activeCount !== 0) {
      for (let number = 0; number < this.count; number++)
        if (this.active[number] === 1) lowest = Math.min(lowest, this.groupPriority(this.priorityOf(number)));
    }
    if (basepri !== 0) lowest = Math.min(lowest, this.groupPriority(basepri));
    if (primask !== 0) lowest = Math.min(lowest, 0);
    return faultmask !== 0 ? Math.min(lowest, -1) : lowest;
  }

  /** The pending, enabled exception that is first in line, or null: lowest priority value, then lowest number. */
  nextPending(): number | null {
    if (this.pendingCount === 0) return null;
    let best: number | null = null;
    const end = this.masksInterrupts ? exception.pendSv : this.count;
    for (let number = 0; number < end; number++) {
      if (this.pending[number] !== 1 || this.enabled[number] !== 1) continue;
      if (best === null || this.priorityOf(number) < this.priorityOf(best)) best = number;
    }
    return best;
  }

  /** The exception that preempts code of this priority, or null. */
  preempting(executionPriority: number): number | null {
    const next = this.nextPending();
    return next !== null && this.groupPriority(this.priorityOf(next)) < executionPriority ? next : null;
  }

  /** Whether code of this priority leaves a fault or the debug monitor ready to be taken (FPCCR's RDY bits). */
  isReady(number: number, executionPriority: number): boolean {
    return this.isEnabled(number) && this.groupPriority(this.priorityOf(number)) < executionPriority;
  }

  /** Whether anything pending and enabled waits, whatever the masks say: ends WFI if its priority would preempt without PRIMASK. */
  wakes(masks: PriorityMasks): boolean {
    return this.preempting(this.executionPriority({ ...masks, primask: 0 })) !== null;
  }

  save(): ExceptionSnapshot {
    return {
      enabled: this.enabled.slice(),
      pending: this.pending.slice(),
      active: this.active.slice(),
      level: this.level.slice(),
      priority: this.priority.slice(),
      priorityGroup: this.priorityGroup,
    };
  }

  restore(state: ExceptionSnapshot): void {
    this.enabled.set(state.enabled);
    this.pending.set(state.pending);
    this.active.set(state.active);
    this.level.set(state.level);
    this.priority.set(state.priority);
    this.priorityGroup = state.priorityGroup;
    const ones = (list: Uint8Array): number => list.reduce((sum, bit) => sum + bit, 0);
    this.pendingCount = ones(this.pending);
    this.activeCount = ones(this.active);
  }
}
