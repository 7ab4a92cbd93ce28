/** What a memory-mapped device is to the bus. Word registers are the rule; narrower accesses are widened by the bus. */
export interface Peripheral {
  readonly name: string;
  readonly base: number;
  readonly bytes: number;
  /** Value of the word register at `offset` (a multiple of 4), or null if this model does not have it. */
  read(offset: number): number | null;
  /** False if this model does not have the register. */
  write(offset: number, value: number): boolean;
}

/** Clock of the emulated core, in model cycles since reset. */
export interface CycleClock {
  cycles(): number;
}
