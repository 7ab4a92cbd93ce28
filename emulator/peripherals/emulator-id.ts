/**
 * A word by which firmware finds out that it does not run on a chip: in the SCS, at an address that is reserved and reads as zero on every
 * Cortex-M (DDI 0403E B3.2.3, DDI 0553B D1.1). Figures from such a device can never pass as measured.
 */
import { RegisterFile } from './peripheral.ts';

export const EMULATOR_ID_ADDRESS = 0xe000_efc0;
/** "TLEM", little-endian. */
export const EMULATOR_ID = 0x4d45_4c54;

export function emulatorId(): RegisterFile {
  return new EmulatorId('emulator id', EMULATOR_ID_ADDRESS, 4, [[0, EMULATOR_ID]]);
}

class EmulatorId extends RegisterFile {
  override write(): boolean {
    return true;
  }
}
