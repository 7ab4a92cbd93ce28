/** Where firmware keeps what it has learned: two slots at the end of flash, and the driver that writes them (kernels/include/tl_store.h). */
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import { hex32 } from '../../common/units.ts';

/** Null: no driver for this board. */
export interface FlashStore {
  readonly address: number;
  readonly slotBytes: number;
  /** File of kernels/runtime. */
  readonly driver: string;
}

const DRIVERS: Readonly<Record<NonNullable<Board['flashDriver']>['kind'], string>> = {
  'stm32l4-flash': 'tl_flash_stm32l4.c',
  'stm32f4-flash': 'tl_flash_stm32f4.c',
  'nrf52-nvmc': 'tl_flash_nrf52.c',
  'rp2040-ssi': 'tl_flash_rp2040.c',
};
const HEADER_BYTES = 16;
/** What is programmed at a time. */
export const STORE_UNIT_BYTES = 8;

/** @param recordBytes a multiple of STORE_UNIT_BYTES. @throws UserError when flash has no place for two */
export function flashStore(board: Board, recordBytes: number): FlashStore | null {
  const flash = board.memory.find(({ kind }) => kind === 'flash');
  if (board.flashDriver === undefined || !flash) return null;
  const { kind, pageBytes } = board.flashDriver;
  const slotBytes = Math.ceil((recordBytes + HEADER_BYTES) / pageBytes) * pageBytes;
  if (2 * slotBytes >= flash.bytes)
    throw new UserError(
      `board ${board.name}: what is learned takes two slots of ${slotBytes} bytes, ${flash.name} has ${flash.bytes}; choose a larger board, or layers with fewer weights`,
    );
  return { address: flash.start + flash.bytes - 2 * slotBytes, slotBytes, driver: DRIVERS[kind] };
}

export const reservedBytes = (store: FlashStore | null): number => (store === null ? 0 : 2 * store.slotBytes);

/** Definition of `flash`, a tl_store_flash. */
export function flashStoreConstant({ address, slotBytes }: FlashStore): string {
  return `/* Two slots at the end of flash. */
#define STORE ((const uint8_t *)(uintptr_t)${hex32(address).toUpperCase().replace('0X', '0x')}U)
static const tl_store_flash flash = {tl_flash_erase, tl_flash_program, (void *)(uintptr_t)STORE, STORE, ${slotBytes}};
`;
}
