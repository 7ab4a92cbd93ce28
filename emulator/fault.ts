/** A firmware fault as data: where, in which function, and what it was doing, in words. */
import { hex32 } from '../common/units.ts';
import type { AccessRefusal, CpuStop } from './cpu/cpu.ts';
import type { SymbolTable } from './image.ts';

export interface Fault {
  readonly kind:
    | 'access'
    | 'undefined'
    | 'svc'
    | 'breakpoint'
    | 'fpu-disabled'
    | 'exception'
    | 'unmodelled-register'
    | 'unmodelled-feature';
  /** Address of the instruction. */
  readonly address: number;
  /** `function+0x12`, or null when no function symbol covers the address. */
  readonly symbol: string | null;
  /** One line, e.g. `unmapped read at 0x60000000`. */
  readonly cause: string;
}

const FETCH_REFUSALS: Readonly<Record<AccessRefusal, string>> = {
  protected: 'execute-never',
  denied: 'an MPU-protected',
  stackLimit: 'a limited',
  unmapped: 'unmapped',
  unaligned: 'unaligned',
  privileged: 'a privileged',
  divideByZero: 'a divide by zero at',
};

/** Cause of a stop that no handler took; null for stops that are no faults. */
export function faultCause(stop: CpuStop): { kind: Fault['kind']; cause: string } | null {
  switch (stop.kind) {
    case 'access':
      if (stop.access === 'fetch')
        return {
          kind: 'access',
          cause: `executing from ${FETCH_REFUSALS[stop.reason]} address ${hex32(stop.address)}`,
        };
      if (stop.reason === 'protected')
        return { kind: 'access', cause: `write to read-only memory at ${hex32(stop.address)}` };
      if (stop.reason === 'stackLimit')
        return { kind: 'access', cause: `the stack pointer would be ${hex32(stop.address)}, below its limit` };
      if (stop.reason === 'divideByZero')
        return { kind: 'access', cause: 'division by zero while CCR.DIV_0_TRP is set' };
      if (stop.reason === 'privileged')
        return { kind: 'access', cause: `unprivileged ${stop.access} of a system register at ${hex32(stop.address)}` };
      if (stop.reason === 'denied')
        return { kind: 'access', cause: `${stop.access} at ${hex32(stop.address)} denied by the MPU` };
      return { kind: 'access', cause: `${stop.reason} ${stop.access} at ${hex32(stop.address)}` };
    case 'undefined': {
      const digits = stop.encoding.toString(16).padStart(stop.bytes * 2, '0');
      return { kind: 'undefined', cause: `undefined instruction 0x${digits}; timing not modelled for it` };
    }
    case 'supervisorCall':
      return { kind: 'svc', cause: 'SVC: exceptions are not modelled by this engine' };
    case 'breakpoint':
      return { kind: 'breakpoint', cause: 'BKPT without a debugger' };
    case 'fpuDisabled':
      return { kind: 'fpu-disabled', cause: 'FPU instruction while CPACR disables the FPU (UsageFault NOCP)' };
    case 'noCoprocessor':
      return { kind: 'undefined', cause: 'instruction of a coprocessor this core does not have (UsageFault NOCP)' };
    case 'invalidState':
      return {
        kind: 'exception',
        cause: 'invalid state (branch to an even address: Arm state does not exist)',
      };
    case 'exceptionReturn':
      return { kind: 'exception', cause: `exception return to ${hex32(stop.value)} without an exception` };
    case 'exception':
      return { kind: 'exception', cause: stop.detail };
    case 'limit':
    case 'requested':
    case 'hardwareBreakpoint':
    case 'waitForInterrupt':
    case 'waitForEvent':
    case 'sendEvent':
    case 'yieldHint':
    case 'endlessLoop':
      return null;
  }
}

export function makeFault(kind: Fault['kind'], cause: string, address: number, symbols: SymbolTable): Fault {
  return { kind, cause, address, symbol: symbols.describe(address) };
}

/** `fault at 0x000001f2 (main+0x6): unmapped read at 0x60000000` */
export function describeFault(fault: Fault): string {
  return `fault at ${hex32(fault.address)}${fault.symbol === null ? '' : ` (${fault.symbol})`}: ${fault.cause}`;
}
