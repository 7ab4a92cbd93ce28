/**
 * The FPU's part of an exception frame: s0..s15 and FPSCR, saved at once or only when the handler uses the FPU (lazy stacking, DDI 0403E
 * B1.5.7 and B1.4.7). The engine stops in front of an FPU instruction while there is something to do first.
 */
import { reg, type Cpu, type ExceptionPort } from '../cpu/cpu.ts';
import type { ExceptionCost } from '../timing/exception-cost.ts';
import { CPACR_FPU, fpccr, type SystemState } from './system-state.ts';

const SAVED_REGISTERS = 16;
const FPSCR_OFFSET = SAVED_REGISTERS * 4;

export class FpContext {
  /** CONTROL.FPCA. */
  static readonly ACTIVE = 4;
  private readonly cpu: Cpu;
  private readonly port: ExceptionPort;
  private readonly system: SystemState;
  private readonly hasFpu: boolean;
  private readonly cost: ExceptionCost;

  constructor(
    cpu: Cpu,
    port: ExceptionPort,
    system: SystemState,
    { hasFpu, cost }: { readonly hasFpu: boolean; readonly cost: ExceptionCost },
  ) {
    this.cpu = cpu;
    this.port = port;
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
    return this.hasFpu && (this.system.coprocessorAccess & CPACR_FPU) === CPACR_FPU;
  }

  /** Tells the engine whether an FPU instruction may simply run. */
  refresh(): void {
    const isReady = !this.has(fpccr.lazyActive) && (this.isActive() || !this.has(fpccr.automaticEnable));
    this.cpu.setFpuEnabled(this.isAllowed() && isReady);
  }

  /** In front of an FPU instruction the engine stopped at. False: CPACR forbids it. */
  prepare(): boolean {
    if (!this.isAllowed()) return false;
    const { cpu, system } = this;
    if (this.has(fpccr.lazyActive)) {
      this.save(system.fpContextAddress);
      system.fpContextControl = (system.fpContextControl & ~fpccr.lazyActive) >>> 0;
      this.port.addCounters(this.cost.fpContext, 0);
    }
    if (this.has(fpccr.automaticEnable) && !this.isActive()) {
      cpu.writeRegister(reg.fpscr, system.fpDefaultStatus);
      cpu.writeRegister(reg.control, cpu.readRegister(reg.control) | FpContext.ACTIVE);
    }
    this.refresh();
    return true;
  }

  /** Entry with an active context. Returns the cycles it takes beyond those of the basic frame. */
  push(address: number, fromThread: boolean): number {
    const { system } = this;
    if (!this.has(fpccr.lazyEnable)) {
      this.save(address);
      return this.cost.fpContext;
    }
    const isUser = fromThread && (this.cpu.readRegister(reg.control) & 1) !== 0;
    const kept = system.fpContextControl & (fpccr.automaticEnable | fpccr.lazyEnable);
    system.fpContextControl =
      (kept | fpccr.lazyActive | (isUser ? fpccr.user : 0) | (fromThread ? fpccr.thread : 0)) >>> 0;
    system.fpContextAddress = address >>> 0;
    return 0;
  }

  popCycles(): number {
    return this.has(fpccr.lazyActive) ? 0 : this.cost.fpContext;
  }

  /** Return with an extended frame: registers that were never saved are still in place. */
  pop(address: number): void {
    const { cpu, port, system } = this;
    if (this.has(fpccr.lazyActive)) {
      system.fpContextControl = (system.fpContextControl & ~fpccr.lazyActive) >>> 0;
      return;
    }
    for (let index = 0; index < SAVED_REGISTERS; index++)
      cpu.writeRegister(reg.s0 + index, port.readWord(address + index * 4) ?? 0);
    cpu.writeRegister(reg.fpscr, port.readWord(address + FPSCR_OFFSET) ?? 0);
  }

  /** After a return: CONTROL.FPCA is what EXC_RETURN says. */
  returned(isActive: boolean): void {
    if (!this.hasFpu) return;
    const control = this.cpu.readRegister(reg.control) & ~FpContext.ACTIVE;
    this.cpu.writeRegister(reg.control, control | (isActive ? FpContext.ACTIVE : 0));
    this.refresh();
  }

  private save(address: number): void {
    const { cpu, port } = this;
    for (let index = 0; index < SAVED_REGISTERS; index++)
      port.writeWord(address + index * 4, cpu.readRegister(reg.s0 + index));
    port.writeWord(address + FPSCR_OFFSET, cpu.readRegister(reg.fpscr));
  }
}
