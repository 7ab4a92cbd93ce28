/** What takes part in a snapshot of the machine. */
export interface Stateful {
  /** All that decides the future of this part: plain data that structuredClone() copies, never changed later. */
  save(): unknown;
  /** Takes what save() of the same kind of part gave; the data stays the caller's. */
  restore(state: unknown): void;
}
