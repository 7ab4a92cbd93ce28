/** Which fault of the architecture a stop of the engine is (DDI 0403E B1.5.14, B3.2.15). */
import type { CpuStop } from '../cpu/cpu.ts';
import { exception, faultStatus } from './exception.ts';

export interface StopFault {
  readonly number: number;
  /** Bits of CFSR. */
  readonly status: number;
}

const usage = (status: number): StopFault => ({ number: exception.usageFault, status });
const bus = (status: number): StopFault => ({ number: exception.busFault, status });
const memManage = (status: number): StopFault => ({ number: exception.memManage, status });

/** Null: the stop is no fault, or not one that depends on nothing but itself. */
export function faultOf(stop: CpuStop): StopFault | null {
  switch (stop.kind) {
    case 'noCoprocessor':
      return usage(faultStatus.noCoprocessor);
    case 'undefined':
      return usage(faultStatus.undefinedInstruction);
    case 'invalidState':
      return usage(faultStatus.invalidState);
    case 'access':
      return accessFault(stop);
    default:
      return null;
  }
}

function accessFault({ access, reason }: Extract<CpuStop, { kind: 'access' }>): StopFault {
  if (reason === 'stackLimit') return usage(faultStatus.stackOverflow);
  if (reason === 'divideByZero') return usage(faultStatus.divideByZero);
  if (reason === 'unaligned') return usage(faultStatus.unaligned);
  if (access === 'fetch') {
    return reason === 'protected' || reason === 'denied'
      ? memManage(faultStatus.instructionAccess)
      : bus(faultStatus.instructionBus);
  }
  return reason === 'denied'
    ? memManage(faultStatus.dataAccess | faultStatus.memManageAddressValid)
    : bus(faultStatus.preciseBus | faultStatus.busAddressValid);
}
