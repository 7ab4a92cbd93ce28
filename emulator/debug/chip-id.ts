/** The chip's id register as debuggers see it. Firmware does not: it must not take the emulated chip for the real one (docs/protocol.md). */
import type { Board } from '../../boards/schema.ts';

/** Null: the board's description has none. */
export function chipIdRegister({ chipId, debug }: Board): { readonly address: number; readonly word: number } | null {
  return chipId === undefined ? null : { address: chipId.address, word: debug?.idCode ?? chipId.value };
}
