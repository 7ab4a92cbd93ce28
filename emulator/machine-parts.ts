/** What a machine is made of. */
import type { Board } from '../boards/schema.ts';
import type { TimingMode } from './board-timing.ts';
import type { Cpu, CpuStop } from './cpu/cpu.ts';
import type { FirmwareFile } from './image.ts';
import type { Machine } from './machine.ts';
import type { Peripheral } from './peripherals/peripheral.ts';
import type { SerialLine } from './peripherals/serial-line.ts';
import type { Decision } from './run-loop.ts';
import type { Stateful } from './state/stateful.ts';

/** A way out for what the firmware prints; while muted nothing is shown, because it has been shown before. */
export interface Output {
  muted: boolean;
}

/** Decides about an instruction the engine stopped at: run on behind it, run on at it again, or end. */
export type StopHandler = (stop: CpuStop, machine: Machine) => Decision | null;

/** The host looks at the memory of a running machine now and then; where it changes something, a run must still be the same every time. */
export interface HostPoll {
  /** Counter at which to poll next; at most `cycles` when it is due, Infinity: only at the end of a run. */
  next(cycles: number, machine: Machine): number;
  /** Also called at the end of a run. */
  poll(machine: Machine): void;
}

export interface MachineParts {
  readonly cpu: Cpu;
  readonly board: Board;
  readonly image: FirmwareFile;
  /** Far end of the board's UART. */
  readonly serial: SerialLine;
  /** Far end of ITM stimulus port 0; absent: nobody listens. */
  readonly itm?: SerialLine;
  /** Besides those of the board, and before them. */
  readonly peripherals?: readonly Peripheral[];
  readonly stopHandlers: readonly StopHandler[];
  /** What else takes part in snapshots, by a name of its own: the stop handlers' state. */
  readonly stateful?: ReadonlyMap<string, Stateful>;
  /** What shows the firmware's output to the host, besides the serial line. */
  readonly outputs?: readonly Output[];
  readonly hostPoll?: HostPoll;
  /** Far end of the RTT buffers 0, which hostPoll serves. */
  readonly rtt?: SerialLine;
  /** What is only noted otherwise ends the run with a fault. */
  readonly strict: boolean;
  /** Default flat. */
  readonly timing?: TimingMode;
  /** Unmodelled registers and features the firmware used, once each. */
  readonly onNote: (text: string) => void;
}
