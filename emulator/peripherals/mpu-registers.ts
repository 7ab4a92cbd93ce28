/** The memory protection unit's registers in the system control space, from MPU_TYPE on. Unprivileged code does not get there. */
import type { ExceptionHost, Peripheral } from './peripheral.ts';

export class MpuRegisters implements Peripheral {
  readonly name = 'MPU';
  readonly base = 0xe000_ed90;
  readonly bytes = 0x38;
  private readonly host: ExceptionHost;

  constructor(host: ExceptionHost) {
    this.host = host;
  }

  read(offset: number): number {
    return this.host.mpu.read(offset);
  }

  write(offset: number, value: number): boolean {
    this.host.mpu.write(offset, value);
    this.host.protectionChanged();
    return true;
  }

  reset(): void {
    this.host.mpu.reset();
    this.host.protectionChanged();
  }

  save(): unknown {
    return this.host.mpu.save();
  }

  restore(state: unknown): void {
    this.host.mpu.restore(state);
    this.host.protectionChanged();
  }
}
