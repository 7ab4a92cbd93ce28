/**
 * System control block of a core with exceptions (DDI 0403E B3.2): shows SystemState and ExceptionState to the firmware. Registers that
 * only keep what is written are RegisterFile's.
 */
import { exception } from '../exceptions/exception.ts';
import { CPACR_FPU, demcr, resetSystemState, type SystemState } from '../exceptions/system-state.ts';
import { RegisterFile, type ExceptionHost } from './peripheral.ts';

const register = {
  icsr: 0xd04,
  vtor: 0xd08,
  aircr: 0xd0c,
  scr: 0xd10,
  ccr: 0xd14,
  shpr1: 0xd18,
  shpr3: 0xd20,
  shcsr: 0xd24,
  cfsr: 0xd28,
  hfsr: 0xd2c,
  dfsr: 0xd30,
  dhcsr: 0xdf0,
  mmfar: 0xd34,
  bfar: 0xd38,
  cpacr: 0xd88,
  demcr: 0xdfc,
  stir: 0xf00,
  fpccr: 0xf34,
  fpcar: 0xf38,
  fpdscr: 0xf3c,
} as const;

const AIRCR_KEY = 0x05fa;
const AIRCR_READ_KEY = 0xfa05;
const AIRCR_SYSRESETREQ = 1 << 2;
const AIRCR_VECTCLRACTIVE = 1 << 1;

const icsr = {
  nmiSet: (1 << 31) >>> 0,
  pendSvSet: 1 << 28,
  pendSvClear: 1 << 27,
  sysTickSet: 1 << 26,
  sysTickClear: 1 << 25,
  interruptPending: 1 << 22,
  returnToBase: 1 << 11,
} as const;

/** Bits of SHCSR: active, pending, enabled. */
const ACTIVE_BITS: readonly (readonly [number, number])[] = [
  [0, exception.memManage],
  [1, exception.busFault],
  [3, exception.usageFault],
  [7, exception.supervisorCall],
  [8, exception.debugMonitor],
  [10, exception.pendSv],
  [11, exception.sysTick],
];
const PENDING_BITS: readonly (readonly [number, number])[] = [
  [12, exception.usageFault],
  [13, exception.memManage],
  [14, exception.busFault],
  [15, exception.supervisorCall],
];
const ENABLE_BITS: readonly (readonly [number, number])[] = [
  [16, exception.memManage],
  [17, exception.busFault],
  [18, exception.usageFault],
];
/** TRCENA, MON_REQ, MON_STEP, MON_EN and the vector catches, which mean something to a debugger only. */
const DEMCR_KEPT = 0x010d_07f1;
const DEMCR_POWER_ON = 0x0100_07f1;
const CCR_WRITABLE = 0x31b;
const FPDSCR_WRITABLE = 0x07c0_0000;
const FPCCR_WRITABLE = 0xc000_017b;
/** Registers where writing a 0 changes nothing: bytes that are not written count as 0, not as what is there. */
const WRITE_ONES = new Set<number>([register.icsr, register.cfsr, register.hfsr, register.dfsr, register.stir]);

export interface ControlBlockOptions {
  readonly hasFpu: boolean;
  /** Bits of CCR that are always 1. */
  readonly configurationOnes: number;
  /** Bits of CCR that can be written besides those of every core. */
  readonly configurationExtra: number;
  /** ICTR: interrupt lines in units of 32, less one. */
  readonly interruptWords: number;
  readonly cpuid: number;
  /** Media and VFP feature registers. */
  readonly mvfr: readonly [number, number, number];
  /** Where the vector table is after reset. */
  readonly vectorTable: number;
}

export class SystemControlBlock extends RegisterFile {
  private readonly host: ExceptionHost;
  private readonly options: ControlBlockOptions;
  /** DEMCR.TRCENA may have another value. */
  onTraceChange: (() => void) | null = null;
  private readonly readOnly: ReadonlySet<number> = new Set([0x004, 0xd00, register.dhcsr, 0xf40, 0xf44, 0xf48]);

  constructor(host: ExceptionHost, options: ControlBlockOptions) {
    super('SCS', 0xe000_e000, 0x1000, [
      [0x004, options.interruptWords], // ICTR
      [0xd00, options.cpuid],
      ...options.mvfr.map((word, index): [number, number] => [0xf40 + 4 * index, word]),
    ]);
    this.host = host;
    this.options = options;
  }

  traceEnabled(): boolean {
    return (this.host.system.debugMonitorControl & demcr.traceEnable) !== 0;
  }

  override reset(): void {
    super.reset();
    const { vectorTable } = this.options;
    Object.assign(this.host.system, resetSystemState(this.options, vectorTable));
    this.host.configurationChanged();
    this.host.state.reset();
  }

  /** What of DEMCR only power-on resets: TRCENA and the vector catches (DDI 0403E C1.6.5). */
  systemReset(): void {
    const kept = this.host.system.debugMonitorControl & DEMCR_POWER_ON;
    this.reset();
    this.host.system.debugMonitorControl |= kept;
  }

  override save(): unknown {
    const { system, state } = this.host;
    return { registers: super.save(), system: { ...system }, exceptions: state.save() };
  }

  override restore(saved: unknown): void {
    const { registers, system, exceptions } = saved as {
      registers: unknown;
      system: SystemState;
      exceptions: ReturnType<ExceptionHost['state']['save']>;
    };
    super.restore(registers);
    Object.assign(this.host.system, system);
    this.host.configurationChanged();
    this.host.state.restore(exceptions);
  }

  override read(offset: number): number {
    const { system, state } = this.host;
    switch (offset) {
      case register.icsr:
        return this.interruptControl();
      case register.aircr:
        return ((AIRCR_READ_KEY << 16) | (state.priorityGroup << 8)) >>> 0;
      case register.shcsr:
        return this.handlerControl();
      case register.dhcsr:
        // To the firmware only whether a debugger is there; DHCSR, DCRSR and DCRDR are the debugger's (C1.6).
        return this.host.debug.canHalt ? 1 : 0;
      case register.demcr:
        return system.debugMonitorControl | (state.isPending(exception.debugMonitor) ? demcr.monitorPend : 0);
      default: {
        const field = plain.get(offset);
        if (field !== undefined) return system[field];
        return offset >= register.shpr1 && offset <= register.shpr3 ? this.systemPriorities(offset) : this.get(offset);
      }
    }
  }

  override write(offset: number, value: number, _bytes?: 1 | 2 | 4, lanes = 0xffff_ffff): boolean {
    if (this.readOnly.has(offset)) return true;
    if (offset >= register.shpr1 && offset <= register.shpr3) this.setSystemPriorities(offset, value, lanes);
    else {
      const kept = WRITE_ONES.has(offset) || lanes === 0xffff_ffff ? 0 : this.read(offset) & ~lanes;
      this.writeWord(offset, (kept | (value & lanes)) >>> 0);
    }
    this.host.changed();
    return true;
  }

  private writeWord(offset: number, value: number): void {
    const { system, state } = this.host;
    switch (offset) {
      case register.icsr:
        this.setInterruptControl(value);
        break;
      case register.vtor:
        system.vectorTable = (value & ~0x7f) >>> 0;
        break;
      case register.aircr:
        this.setApplicationInterrupt(value);
        break;
      case register.scr:
        system.sleep = value & 0x16;
        break;
      case register.ccr:
        system.configuration =
          (value & (CCR_WRITABLE | this.options.configurationExtra)) | this.options.configurationOnes;
        this.host.configurationChanged();
        break;
      case register.shcsr:
        this.setHandlerControl(value);
        break;
      case register.cfsr:
        system.faultStatus = (system.faultStatus & ~value) >>> 0;
        break;
      case register.hfsr:
        system.hardFaultStatus = (system.hardFaultStatus & ~value) >>> 0;
        break;
      case register.dfsr:
        system.debugFaultStatus = (system.debugFaultStatus & ~value) >>> 0;
        break;
      case register.mmfar:
        system.memManageAddress = value >>> 0;
        break;
      case register.bfar:
        system.busFaultAddress = value >>> 0;
        break;
      case register.cpacr:
        system.coprocessorAccess = this.options.hasFpu ? value & CPACR_FPU : 0;
        this.host.fpuChanged();
        break;
      case register.demcr:
        this.setDebugMonitor(value);
        break;
      case register.stir:
        state.setPending(exception.firstInterrupt + (value & 0x1ff), true);
        break;
      default:
        if (this.options.hasFpu && offset >= register.fpccr && offset <= register.fpdscr) this.writeFp(offset, value);
        else super.write(offset, value);
    }
  }

  /** MON_PEND is not kept: it shows and sets whether DebugMonitor is pending. */
  private setDebugMonitor(value: number): void {
    const { system, state } = this.host;
    system.debugMonitorControl = value & DEMCR_KEPT;
    this.onTraceChange?.();
    state.setEnabled(exception.debugMonitor, (value & demcr.monitorEnable) !== 0);
    state.setPending(exception.debugMonitor, (value & demcr.monitorPend) !== 0);
  }

  private writeFp(offset: number, value: number): void {
    const { system } = this.host;
    if (offset === register.fpccr) {
      system.fpContextControl = ((system.fpContextControl & ~FPCCR_WRITABLE) | (value & FPCCR_WRITABLE)) >>> 0;
      this.host.fpuChanged();
    } else if (offset === register.fpcar) system.fpContextAddress = (value & ~7) >>> 0;
    else system.fpDefaultStatus = value & FPDSCR_WRITABLE;
  }

  private interruptControl(): number {
    const { state } = this.host;
    const next = state.nextPending() ?? 0;
    let word = this.host.current() | (next << 12);
    if (state.activeExceptions() <= 1) word |= icsr.returnToBase;
    if (state.hasPendingInterrupt()) word |= icsr.interruptPending;
    if (state.isPending(exception.sysTick)) word |= icsr.sysTickSet;
    if (state.isPending(exception.pendSv)) word |= icsr.pendSvSet;
    if (state.isPending(exception.nmi)) word |= icsr.nmiSet;
    return word >>> 0;
  }

  private setInterruptControl(value: number): void {
    const { state } = this.host;
    if ((value & icsr.nmiSet) !== 0) state.setPending(exception.nmi, true);
    if ((value & icsr.pendSvSet) !== 0) state.setPending(exception.pendSv, true);
    else if ((value & icsr.pendSvClear) !== 0) state.setPending(exception.pendSv, false);
    if ((value & icsr.sysTickSet) !== 0) state.setPending(exception.sysTick, true);
    else if ((value & icsr.sysTickClear) !== 0) state.setPending(exception.sysTick, false);
  }

  private setApplicationInterrupt(value: number): void {
    if (value >>> 16 !== AIRCR_KEY) return;
    this.host.state.priorityGroup = (value >>> 8) & 7;
    if ((value & AIRCR_VECTCLRACTIVE) !== 0) this.host.state.clearActive();
    if ((value & AIRCR_SYSRESETREQ) !== 0) this.host.requestReset();
  }

  private handlerControl(): number {
    const { state } = this.host;
    let word = 0;
    for (const [bit, number] of ACTIVE_BITS) if (state.isActive(number)) word |= 1 << bit;
    for (const [bit, number] of PENDING_BITS) if (state.isPending(number)) word |= 1 << bit;
    for (const [bit, number] of ENABLE_BITS) if (state.isEnabled(number)) word |= 1 << bit;
    return word >>> 0;
  }

  private setHandlerControl(value: number): void {
    const { state } = this.host;
    for (const [bit, number] of ACTIVE_BITS) state.setActive(number, ((value >>> bit) & 1) !== 0);
    for (const [bit, number] of PENDING_BITS) state.setPending(number, ((value >>> bit) & 1) !== 0);
    for (const [bit, number] of ENABLE_BITS) state.setEnabled(number, ((value >>> bit) & 1) !== 0);
  }

  private systemPriorities(offset: number): number {
    const first = 4 + (offset - register.shpr1);
    let word = 0;
    for (let lane = 0; lane < 4; lane++) word |= this.host.state.priorityOf(first + lane) << (lane * 8);
    return word >>> 0;
  }

  private setSystemPriorities(offset: number, value: number, lanes: number): void {
    const first = 4 + (offset - register.shpr1);
    for (let lane = 0; lane < 4; lane++) {
      if (((lanes >>> (lane * 8)) & 0xff) === 0) continue;
      this.host.state.setPriority(first + lane, (value >>> (lane * 8)) & 0xff);
    }
  }
}

/** Registers that are read as they are kept. */
const plain: ReadonlyMap<number, keyof SystemState> = new Map([
  [register.vtor, 'vectorTable'],
  [register.scr, 'sleep'],
  [register.ccr, 'configuration'],
  [register.cfsr, 'faultStatus'],
  [register.hfsr, 'hardFaultStatus'],
  [register.dfsr, 'debugFaultStatus'],
  [register.mmfar, 'memManageAddress'],
  [register.bfar, 'busFaultAddress'],
  [register.cpacr, 'coprocessorAccess'],
  [register.fpccr, 'fpContextControl'],
  [register.fpcar, 'fpContextAddress'],
  [register.fpdscr, 'fpDefaultStatus'],
]);
