/** Words of exception frames: as the memory and, with the privilege of the code they belong to, the memory protection unit allow. */
import type { ExceptionPort } from '../cpu/cpu.ts';
import type { Mpu } from '../mpu/mpu.ts';

/** No memory there, or the MPU denies it. */
export type Refusal = 'bus' | 'denied';
/** Or it is below the stack's limit. */
export type StackingRefusal = Refusal | 'limit';

const WORD_BYTES = 4;

export class StackAccess {
  private readonly port: ExceptionPort;
  private readonly mpu: Mpu;

  constructor(port: ExceptionPort, mpu: Mpu) {
    this.port = port;
    this.mpu = mpu;
  }

  /** Of the stack in use. */
  get limit(): number {
    return this.port.stackLimit();
  }

  read(address: number, privileged: boolean): number | Refusal {
    if (!this.isAllowed('read', address, privileged)) return 'denied';
    return this.port.readWord(address >>> 0) ?? 'bus';
  }

  /** Why the word could not be stored, or null. */
  write(address: number, value: number, privileged: boolean): Refusal | null {
    if (!this.isAllowed('write', address, privileged)) return 'denied';
    return this.port.writeWord(address >>> 0, value) ? null : 'bus';
  }

  private isAllowed(access: 'read' | 'write', address: number, privileged: boolean): boolean {
    const { mpu, port } = this;
    if (!mpu.isEnabled() || (port.isBelowZero() && !mpu.protectsFaultHandlers())) return true;
    return mpu.allows(access, address >>> 0, WORD_BYTES, privileged);
  }
}
