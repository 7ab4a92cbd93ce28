/**
 * The chip's id register as debuggers see it, and as firmware does where the board lists it (DBGMCU). Our own firmware looks at the emulator's
 * word first, so that it does not take the emulated chip for the real one (docs/protocol.md).
 */
import type { Board } from '../../boards/schema.ts';

/** Null: the board's description has none. */
export function chipIdRegister({ chipId, debug }: Board): { readonly address: number; readonly word: number } | null {
  return chipId === undefined ? null : { address: chipId.address, word: debug?.idCode ?? chipId.value };
}
