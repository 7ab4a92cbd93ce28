/**
 * What began and ended when, in cycles: the source of both timeline formats. Kept in flat arrays; past a number of events only the
 * moment is remembered at which recording ended, and the summed figures of the profile go on without it.
 */

export const timelineKind = { open: 0, close: 1, switchTo: 2 } as const;

const FIRST_CAPACITY = 4096;

export interface TimelineEvent {
  readonly kind: number;
  /** Function index for open and close, context id for switchTo. */
  readonly subject: number;
  readonly at: number;
}

export class Timeline {
  private readonly eventsMax: number;
  private subjects = new Int32Array(FIRST_CAPACITY);
  private times = new Float64Array(FIRST_CAPACITY);
  private count = 0;
  /** Cycles up to which everything is recorded; null: to the end. */
  truncatedAt: number | null = null;

  constructor(eventsMax: number) {
    this.eventsMax = eventsMax;
  }

  note(kind: number, subject: number, at: number): void {
    if (this.truncatedAt !== null) return;
    if (this.count >= this.eventsMax) {
      this.truncatedAt = at;
      return;
    }
    if (this.count === this.subjects.length) this.grow();
    this.subjects[this.count] = subject * 4 + kind;
    this.times[this.count] = at;
    this.count++;
  }

  *events(): Generator<TimelineEvent> {
    for (let i = 0; i < this.count; i++) {
      const packed = this.subjects[i] ?? 0;
      yield { kind: packed & 3, subject: packed >> 2, at: this.times[i] ?? 0 };
    }
  }

  private grow(): void {
    const subjects = new Int32Array(this.count * 2);
    const times = new Float64Array(this.count * 2);
    subjects.set(this.subjects);
    times.set(this.times);
    this.subjects = subjects;
    this.times = times;
  }
}
