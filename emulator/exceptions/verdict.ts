/** What the exceptions of a core say about how a run goes on, and what they need for it. */
import type { Core } from '../cores/core.ts';
import type { Counters, Cpu, ExceptionPort } from '../cpu/cpu.ts';
import type { Fault } from '../fault.ts';
import type { SymbolTable } from '../image.ts';

/** A fault that was taken, with the counters in front of its instruction. */
export interface RecordedFault {
  readonly fault: Fault;
  readonly counters: Counters;
}

/** How the run goes on, or why it ends here; null: the stop is not this module's. */
export type Verdict =
  | { readonly kind: 'continue'; readonly pc: number }
  | { readonly kind: 'reset' }
  /** `pc` is where to resume. */
  | { readonly kind: 'limit' | 'idle' | 'halt'; readonly pc: number }
  | { readonly kind: 'fault'; readonly recorded: RecordedFault }
  | null;

export interface CoreExceptionParts {
  readonly cpu: Cpu;
  readonly port: ExceptionPort;
  readonly symbols: SymbolTable;
  readonly core: Core;
  /** Address of the vector table after reset. */
  readonly vectorTable: number;
  readonly nextEvent: () => number;
  readonly advance: () => void;
}
