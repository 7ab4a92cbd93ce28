/** Loads the native addon and types its face (addon/engine.cc). Node-only, like everything in this folder. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { UserError } from '../../../common/errors.ts';
import { packageRoot } from '../../../common/package-root.ts';

export interface NativeEngine {
  mapMemory(start: number, bytes: number, writable: boolean): ArrayBuffer;
  mapDevice(
    start: number,
    bytes: number,
    read: (address: number, bytes: number) => number,
    write: (address: number, bytes: number, value: number) => void,
  ): void;
  readRegister(register: number): number;
  writeRegister(register: number, value: number): void;
  /** [stop reason, code, address, access type or -1, access address, access bytes, 1 in mid-block] */
  run(pc: number, cyclesMax: number, instructionsMax: number): Float64Array;
  stop(): void;
  /** [cycles, instructions, id of the block last entered or -1, its end, cycles if it is left elsewhere, pipeline state it was entered in] */
  counters(): Float64Array;
  addCounters(cycles: number, instructions: number): void;
  leaveBlock(end: number, state: number): void;
  setMark(address: number, records: boolean, callsBack: boolean): void;
  takeMarkLog(address: number): Float64Array;
  forgetBlocks(): void;
  forgetCode(): void;
  close(): void;
}

/** Words of a description: see engine.h Block and hooks.cc describe. */
export type DescribeBlock = (address: number, bytes: number, itState: number) => Int32Array;

/** Of a block by its id and the state of the pipeline; see engine.h Cost and hooks.cc costOf. */
export type CostOfBlock = (id: number, state: number) => Int32Array;

interface Addon {
  readonly Engine: new (
    describe: DescribeBlock,
    cost: CostOfBlock,
    mark: (address: number, cycles: number, instructions: number) => void,
  ) => NativeEngine;
  /** Of libunicorn, e.g. 2.0.1. */
  version(): string;
  divideCycles(dividend: number, divisor: number, signed: boolean): number;
}

let loaded: Addon | null = null;

/** Throws UserError (exit 3) when the addon is not built or libunicorn is not installed. */
export function loadAddon(): Addon {
  if (loaded !== null) return loaded;
  const path = join(packageRoot(), 'build', 'addon', 'thumbelina_unicorn.node');
  if (!existsSync(path)) {
    throw new UserError(`the Unicorn engine is not built (${path} is missing); build it with: npm run build:addon`, 3);
  }
  try {
    loaded = createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new UserError(
      `the Unicorn engine does not load (${reason}); install libunicorn2 and run: npm run build:addon -- --force`,
      3,
    );
  }
  return loaded;
}
