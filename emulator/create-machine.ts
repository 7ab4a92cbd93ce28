/** A Machine from a board, a firmware file and the name of an engine: the one place that picks engines. Node-only. */
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import { assembleMachine, type AssemblyOptions } from './assemble-machine.ts';
import { coreOf } from './cores/core.ts';
import type { Cpu } from './cpu/cpu.ts';
import { UnicornCpu, unicornVersion } from './cpu/unicorn/unicorn-cpu.ts';
import { WasmCpu } from './cpu/wasm/wasm-cpu.ts';
import type { Machine } from './machine.ts';

export { loadImage } from './assemble-machine.ts';

export type EngineName = 'unicorn' | 'wasm';

export interface MachineOptions extends AssemblyOptions {
  /** wasm (default): the engine of this project, without native code; unicorn: libunicorn, which takes no exceptions; or one made by the caller. */
  readonly engine?: EngineName | Cpu;
}

/** Name and version of the engine. @throws UserError (exit 3) when it is not built or does not load. */
export function engineVersion(): string {
  return `libunicorn ${unicornVersion()}`;
}

/** @throws UserError when the image does not fit the board (exit 2) or the engine is not installed (exit 3). */
export function createMachine(options: MachineOptions): Machine {
  return assembleMachine(makeCpu(options.engine ?? 'wasm', options.board), options);
}

/** libunicorn runs what is Armv7-M with at most FPv4-SP as the Cortex-M4 does; its other cores lack the parts that tell them apart. */
const UNICORN_CORES: readonly Board['core'][] = ['cortex-m3', 'cortex-m4'];

function makeCpu(engine: EngineName | Cpu, board: Board): Cpu {
  if (typeof engine === 'object') return engine;
  const core = coreOf(board);
  if (engine === 'wasm') return new WasmCpu(core);
  if (!UNICORN_CORES.includes(board.core))
    throw new UserError(
      `board ${board.name}: the unicorn engine cannot run a ${board.core} exactly, only ${UNICORN_CORES.join(' and ')}; use --engine wasm`,
    );
  return new UnicornCpu(core);
}
