/** The pins of a chip as the world outside sees them. */

/** null: driven by nobody. */
export type PinLevel = 0 | 1 | null;

export interface GpioPort {
  /** As the board description calls it, e.g. GPIOA. */
  readonly name: string;
  /** Numbered from 0. */
  readonly pins: number;
  /** From outside: a level, or null to let go. */
  drive(pin: number, level: PinLevel): void;
  /** What the firmware drives the pin to; null while the pin is no output. */
  output(pin: number): PinLevel;
  /** What the pin is at: the firmware's level, else the outside's, else that of the pull resistor (0 without one). */
  level(pin: number): 0 | 1;
  /** Called when any pin may have changed. */
  onChange: (() => void) | null;
}

export const isGpioPort = (device: object): device is GpioPort => 'drive' in device && 'output' in device;
