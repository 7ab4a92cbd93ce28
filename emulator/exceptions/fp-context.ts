/**
 * The FPU's part of an exception frame: s0..s15 and FPSCR, saved at once or only when the handler uses the FPU (lazy stacking, DDI 0403E
 * B1.5.7 and B1.4.7). The engine stops in front of an FPU instruction while there is something to do first.
 */
import { reg, type Cpu, type ExceptionPort } from '../cpu/cpu.ts';
import type { Refusal, StackAccess } from './stack-access.ts';
import type { ExceptionCost } from '../timing/exception-cost.ts';
import { CPACR_FPU, CPACR_FPU_PRIVILEGED, fpccr, type SystemState } from './system-state.ts';

const SAVED_REGISTERS = 16;
const FPSCR_OFFSET = SAVED_REGISTERS * 4;

export class FpContext {
  /** CONTROL.FPCA. */
  static readonly ACTIVE = 4;
  private readonly cpu: Cpu;
  private readonly port: ExceptionPort;
  private readonly stack: StackAccess;
  private readonly system: SystemState;
  private readonly hasFpu: boolean;
  private readonly cost: ExceptionCost;

  constructor(
    cpu: Cpu,
    port: ExceptionPort,
    stack: StackAccess,
    system: SystemState,
    { hasFpu, cost }: { readonly hasFpu: boolean; readonly cost: ExceptionCost },
  ) {
    this.cpu = cpu;
    this.port = port;
    this.stack = stack;
    this.system = system;
    this.hasFpu = hasFpu;
    this.cost = cost;
  }

  isActive(): boolean {
    return this.hasFpu && (this.cpu.readRegister(reg.control) & FpContext.ACTIVE) !== 0;
  }

  private has(bit: number): boolean {
    return (this.system.fpContextControl & bit) !== 0;
  }

  private isAllowed(): boolean {
    const access = this.system.coprocessorAccess & CPACR_FPU;
    return this.hasFpu && (access === CPACR_FPU || (access === CPACR_FPU_PRIVILEGED && this.port.isPrivileged()));
  }

  /** Tells the engine whether an FPU instruction may simply run. */
  refresh(): void {
    const isReady = !this.has(fpccr.lazyActive) && (this.isActive() || !this.has(fpccr.automaticEnable));
    this.cpu.setFpuEnabled(this.isAllowed() && isReady);
  }

  /**
   * In front of an FPU instruction the engine stopped at. Not ready: CPACR forbids it, or the frame that waits cannot be stored; then
   * give it up or leave it open for the handler of that fault to see.
   */
  prepare(): 'ready' | 'forbidden' | Refusal {
    if (!this.isAllowed()) return 'forbidden';
    const { cpu, system } = this;
    if (this.has(fpccr.lazyActive)) {
      const refused = this.save(system.fpContextAddress, !this.has(fpccr.user));
      this.port.addCounters(this.cost.fpContext, 0);
      if (refused !== null) return refused;
      this.giveUp();
    }
    if (this.has(fpccr.automaticEnable) && !this.isActive()) {
      cpu.writeRegister(reg.fpscr, system.fpDefaultStatus);
      cpu.writeRegister(reg.control, cpu.readRegister(reg.control) | FpContext.ACTIVE);
    }
    this.refresh();
    return 'ready';
  }

  /** The frame that waits is no longer to be stored. */
  giveUp(): void {
    const { system } = this;
    system.fpContextControl = (system.fpContextControl & ~fpccr.lazyActive) >>> 0;
  }

  /** @param ready RDY bits of FPCCR; entry with an active context: the cycles it takes beyond those of the basic frame, and why it could not be stored. */
  push(
    address: number,
    fromThread: boolean,
    ready: number,
  ): { readonly refused: Refusal | null; readonly extraCycles: number } {
    const { system } = this;
    const isUser = fromThread && (this.cpu.readRegister(reg.control) & 1) !== 0;
    if (!this.has(fpccr.lazyEnable)) return { refused: this.save(address, !isUser), extraCycles: this.cost.fpContext };
    const kept = system.fpContextControl & (fpccr.automaticEnable | fpccr.lazyEnable);
    system.fpContextControl =
      (kept | ready | fpccr.lazyActive | (isUser ? fpccr.user : 0) | (fromThread ? fpccr.thread : 0)) >>> 0;
    system.fpContextAddress = address >>> 0;
    return { refused: null, extraCycles: 0 };
  }

  popCycles(): number {
    return this.has(fpccr.lazyActive) ? 0 : this.cost.fpContext;
  }

  /** Return with an extended frame: its words, s0 to s15 and FPSCR, none where they were never saved; or why they cannot be read. */
  fetch(address: number, privileged: boolean): readonly number[] | Refusal {
    const words: number[] = [];
    if (this.has(fpccr.lazyActive)) return words;
    for (let index = 0; index <= SAVED_REGISTERS; index++) {
      const word = this.stack.read(address + index * 4, privileged);
      if (typeof word === 'string') return word;
      words.push(word);
    }
    return words;
  }

  /** @param words of fetch(): registers that were never saved are still in place */
  pop(words: readonly number[]): void {
    this.giveUp();
    for (const [index, word] of words.entries())
      this.cpu.writeRegister(index < SAVED_REGISTERS ? reg.s0 + index : reg.fpscr, word);
  }

  /** After a return: CONTROL.FPCA is what EXC_RETURN says. */
  returned(isActive: boolean): void {
    if (!this.hasFpu) return;
    const control = this.cpu.readRegister(reg.control) & ~FpContext.ACTIVE;
    this.cpu.writeRegister(reg.control, control | (isActive ? FpContext.ACTIVE : 0));
    this.refresh();
  }

  private save(address: number, privileged: boolean): Refusal | null {
    const { cpu, stack } = this;
    let refused = stack.write(address + FPSCR_OFFSET, cpu.readRegister(reg.fpscr), privileged);
    for (let index = 0; index < SAVED_REGISTERS; index++)
      refused = stack.write(address + index * 4, cpu.readRegister(reg.s0 + index), privileged) ?? refused;
    return refused;
  }
}
