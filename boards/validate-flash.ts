/** Rules of `flashDriver`: what our firmware writes to flash with. */
import { UserError } from '../common/errors.ts';
import type { Board } from './schema.ts';

/** The driver would set registers that are another device's. */
export function rejectFlashDriverWithoutPeripheral({ name, flashDriver, peripherals }: Board): void {
  if (flashDriver === undefined || peripherals.some(({ kind }) => kind === flashDriver.kind)) return;
  throw new UserError(
    `board ${name}: flashDriver "${flashDriver.kind}" needs a peripheral of that kind; add one, or correct "kind"`,
  );
}

/** Two slots of whole pages lie at the end of flash, and a program before them. */
export function rejectOddFlashPages({ name, flashDriver, memory }: Board): void {
  const flash = memory.find(({ kind }) => kind === 'flash');
  if (flashDriver === undefined || flash === undefined) return;
  const { pageBytes } = flashDriver;
  if (flash.bytes % pageBytes === 0 && flash.bytes >= 3 * pageBytes) return;
  throw new UserError(
    `board ${name}: flashDriver.pageBytes ${pageBytes} does not divide the ${flash.bytes} bytes of ${flash.name} into three pages or more; correct it`,
  );
}
