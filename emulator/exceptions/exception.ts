/** Exception numbers and fault status bits of Armv7-M (DDI 0403E B1.5.2, B3.2.15) as the rest of the machine uses them. */

export const exception = {
  reset: 1,
  nmi: 2,
  hardFault: 3,
  memManage: 4,
  busFault: 5,
  usageFault: 6,
  supervisorCall: 11,
  debugMonitor: 12,
  pendSv: 14,
  sysTick: 15,
  /** Number of interrupt line 0. */
  firstInterrupt: 16,
} as const;

/** Bits of CFSR: MMFSR in bits 7:0, BFSR in 15:8, UFSR in 31:16. */
export const faultStatus = {
  instructionAccess: 1 << 0,
  dataAccess: 1 << 1,
  unstackingProtection: 1 << 3,
  stackingProtection: 1 << 4,
  lazyProtection: 1 << 5,
  memManageAddressValid: 1 << 7,
  instructionBus: 1 << 8,
  preciseBus: 1 << 9,
  unstackingBus: 1 << 11,
  stackingBus: 1 << 12,
  lazyBus: 1 << 13,
  busAddressValid: 1 << 15,
  undefinedInstruction: 1 << 16,
  invalidState: 1 << 17,
  invalidPc: 1 << 18,
  noCoprocessor: 1 << 19,
  stackOverflow: 1 << 20,
  unaligned: 1 << 24,
  divideByZero: 1 << 25,
} as const;

export const hardFaultStatus = { vectorTable: 1 << 1, forced: 1 << 30, debugEvent: (1 << 31) >>> 0 } as const;

/** Bits of DFSR. */
export const debugFaultStatus = {
  halted: 1 << 0,
  breakpoint: 1 << 1,
  watchpoint: 1 << 2,
  vectorCatch: 1 << 3,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  [exception.nmi]: 'NMI',
  [exception.hardFault]: 'HardFault',
  [exception.memManage]: 'MemManage',
  [exception.busFault]: 'BusFault',
  [exception.usageFault]: 'UsageFault',
  [exception.supervisorCall]: 'SVCall',
  [exception.debugMonitor]: 'DebugMonitor',
  [exception.pendSv]: 'PendSV',
  [exception.sysTick]: 'SysTick',
};

/** Name for people: "SysTick", "IRQ 5". */
export function exceptionName(number: number): string {
  return (
    NAMES[number] ??
    (number >= exception.firstInterrupt ? `IRQ ${number - exception.firstInterrupt}` : `exception ${number}`)
  );
}

/** HardFault, MemManage, BusFault, UsageFault: their handlers are where programs end that went wrong. */
export const isFault = (number: number): boolean => number >= exception.hardFault && number <= exception.usageFault;
