/** Builds the scheduler's scenario and runs it on the wasm engine. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../../../../boards/load.ts';
import { packageRoot } from '../../../../common/package-root.ts';
import { WasmCpu } from '../../../../emulator/cpu/wasm/wasm-cpu.ts';
import { createMachine } from '../../../../emulator/create-machine.ts';
import type { Fault } from '../../../../emulator/fault.ts';
import { buildProgram } from '../../support/assemble.ts';
import { cortexM4F } from '../../support/cores.ts';

const FOLDER = join(packageRoot(), 'test/emulator/rtos/programs');
const FILES = ['kernel.c', 'kernel.h', 'scenario.c'];

export interface SchedulerOptions {
  readonly switches: number;
  /** Two tasks that never give the core away. */
  readonly hogs: boolean;
}

export function buildScheduler({ switches, hogs }: SchedulerOptions): Uint8Array {
  const files = Object.fromEntries(FILES.map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]));
  return buildProgram({ files, newlib: true, flags: [`-DSWITCHES=${switches}`, ...(hogs ? ['-DHOGS'] : [])] });
}

export interface SchedulerRun {
  readonly stdout: string;
  readonly exitCode: number | null;
  readonly fault: Fault | null;
  readonly cycles: number;
  readonly instructions: number;
  /** Of RAM at the end. */
  readonly digest: string;
}

/** @param hotPasses passes of a block before it is translated; Infinity: everything is interpreted */
export function runScheduler(elf: Uint8Array, hotPasses?: number): SchedulerRun {
  const board = loadBoard('mps2-an386');
  let stdout = '';
  const machine = createMachine({
    board,
    image: elf,
    engine: new WasmCpu(cortexM4F, hotPasses),
    onConsole: (bytes) => {
      stdout += new TextDecoder().decode(bytes);
    },
  });
  const { exitCode, fault, cycles, instructions } = machine.run();
  const digest = createHash('sha256');
  for (const { kind, start, bytes } of board.memory)
    if (kind === 'ram') digest.update(machine.readMemory(start, bytes));
  machine.close();
  return { stdout, exitCode, fault, cycles, instructions, digest: digest.digest('hex') };
}
