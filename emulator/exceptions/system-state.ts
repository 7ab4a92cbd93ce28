/**
 * Registers of the system control block that decide what the core does, as plain data: the register file (peripherals) shows them to the
 * firmware, the exception unit reads and sets them. Layouts are those of DDI 0403E B3.2 and B1.4.7 (FPCCR).
 */
export interface SystemState {
  vectorTable: number;
  /** CCR. */
  configuration: number;
  /** SCR. */
  sleep: number;
  /** CFSR, HFSR, DFSR, MMFAR, BFAR. */
  faultStatus: number;
  hardFaultStatus: number;
  debugFaultStatus: number;
  memManageAddress: number;
  busFaultAddress: number;
  coprocessorAccess: number;
  /** FPCCR, FPCAR, FPDSCR. */
  fpContextControl: number;
  fpContextAddress: number;
  fpDefaultStatus: number;
  /** DEMCR. */
  debugMonitorControl: number;
}

export const ccr = {
  nonBaseThreadEnable: 1 << 0,
  userSetPending: 1 << 1,
  unalignedTrap: 1 << 3,
  divideByZeroTrap: 1 << 4,
  stackAlign: 1 << 9,
  dataCache: 1 << 16,
  instructionCache: 1 << 17,
  branchPrediction: 1 << 18,
} as const;

/** Which of the core's own caches are on; without such caches, or registers to switch them on, none ever is. */
export function cacheEnables(system: SystemState | null): { instructions: boolean; data: boolean } {
  const configuration = system?.configuration ?? 0;
  return {
    instructions: (configuration & ccr.instructionCache) !== 0,
    data: (configuration & ccr.dataCache) !== 0,
  };
}

export const scr = { sleepOnExit: 1 << 1, sendEventOnPending: 1 << 4 } as const;

export const fpccr = {
  lazyActive: 1 << 0,
  user: 1 << 1,
  thread: 1 << 3,
  /** What was ready to be taken when the frame was left open: HardFault, MemManage, BusFault, DebugMonitor. */
  hardFaultReady: 1 << 4,
  memManageReady: 1 << 5,
  busFaultReady: 1 << 6,
  monitorReady: 1 << 8,
  lazyEnable: 1 << 30,
  automaticEnable: (1 << 31) >>> 0,
} as const;

/** CPACR: full access to coprocessors 10 and 11. */
export const CPACR_FPU = 0xf0_0000;
/** The same for privileged code only. */
export const CPACR_FPU_PRIVILEGED = 0x50_0000;

export const demcr = {
  /** Vector catches, which halt a core with halting debug on: reset, MemManage, coprocessor, checking and state UsageFaults, BusFault, HardFault. */
  catchReset: 1 << 0,
  catchMemManage: 1 << 4,
  catchNoCoprocessor: 1 << 5,
  catchChecking: 1 << 6,
  catchState: 1 << 7,
  catchBusFault: 1 << 8,
  catchHardFault: 1 << 10,
  monitorEnable: 1 << 16,
  monitorPend: 1 << 17,
  monitorStep: 1 << 18,
  traceEnable: 1 << 24,
} as const;

/** @param stackAlign STKALIGN is 1 after reset from Cortex-M3 r2p0 on and on all later cores */
export function resetSystemState(
  { hasFpu, configurationOnes }: { readonly hasFpu: boolean; readonly configurationOnes: number },
  vectorTable: number,
): SystemState {
  return {
    vectorTable,
    configuration: ccr.stackAlign | configurationOnes,
    sleep: 0,
    faultStatus: 0,
    hardFaultStatus: 0,
    debugFaultStatus: 0,
    memManageAddress: 0,
    busFaultAddress: 0,
    coprocessorAccess: 0,
    fpContextControl: hasFpu ? (fpccr.automaticEnable | fpccr.lazyEnable) >>> 0 : 0,
    fpContextAddress: 0,
    fpDefaultStatus: 0,
    debugMonitorControl: 0,
  };
}
