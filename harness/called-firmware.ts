/** Bare firmware on an emulated board, booted to where it waits, whose functions are called from outside. */
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import type { TimingMode } from '../emulator/board-timing.ts';
import { createMachine, type EngineName } from '../emulator/create-machine.ts';
import { describeFault } from '../emulator/fault.ts';
import { DEFAULT_CYCLES_MAX, type Machine, type RunResult } from '../emulator/machine.ts';

const EXIT_FAULT = 7;

export interface CalledFirmwareOptions {
  readonly board: Board;
  readonly engine: EngineName;
  readonly timing: TimingMode;
  /** The firmware does not rest but serves its UART: boots up to where it is ready to. */
  readonly serves?: boolean;
}

export class CalledFirmware {
  readonly machine: Machine;
  #stackBytes = 0;

  /** Boots the image. @throws UserError when it faults */
  constructor(elf: Uint8Array, options: CalledFirmwareOptions) {
    this.machine = createMachine({ ...options, image: elf, imageName: 'firmware.elf' });
    if (options.serves === true) this.machine.onMark('tl_ready', () => this.machine.pause());
    this.boot();
  }

  /** From reset; memory as it is after a loss of power, what is in flash aside. @throws UserError when it faults */
  boot(): void {
    const boot = this.machine.resume(this.machine.reset(), { cyclesMax: DEFAULT_CYCLES_MAX });
    if (boot.stop !== 'idle' && boot.stop !== 'paused') throw failure('boot', boot);
  }

  /** False on a core without a timing model, whose `cycles` are instructions. */
  get isTimed(): boolean {
    return this.machine.core.timing !== null;
  }

  /** @throws UserError when it does not return */
  call(symbol: string, args: readonly number[] = []): { value: number; cycles: number } {
    const result = this.machine.call(symbol, args);
    if (result.stop !== 'return') throw failure(symbol, result);
    this.#stackBytes = Math.max(this.#stackBytes, this.machine.stack.usedBytes() ?? 0);
    return { value: result.value | 0, cycles: result.cycles };
  }

  /** Deepest stack of all calls so far. */
  stackBytes(): number {
    return this.#stackBytes;
  }

  close(): void {
    this.machine.close();
  }
}

function failure(what: string, { fault, stop }: Pick<RunResult, 'fault' | 'stop'>): UserError {
  const why = fault ? describeFault(fault) : `ended with "${stop}"`;
  return new UserError(`firmware: ${what}: ${why}`, EXIT_FAULT);
}
