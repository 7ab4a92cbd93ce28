/** The regions translated so far: where they can be entered, and how one is run. */
import { FPSCR_MASK } from '../../../isa/float-bits.ts';
import { cell } from '../../../isa/ir.ts';
import type { Block } from '../block.ts';
import type { CoreState } from '../core-state.ts';
import type { Region } from '../guest-memory.ts';
import { instantiate, type WasmFunction } from '../wasm-api.ts';
import { fpFunctions } from './emit-float.ts';
import { RegionEmitter } from './emit-region.ts';
import { BLOCK_BITS, type EntryTable } from './entry-table.ts';
import { planRegion, type RegionPlan, type Site } from './region.ts';

/** Regions kept; the code of a large firmware that is hot fits well below it. */
const REGIONS_MAX = 500;
/** UDIV, SDIV at most. */
const DIVIDE_CYCLES_MAX = 12;
/** A table entry's upper bits hold the region's number. */
const TABLE_BYTES_PER_HALFWORD = 4;

export interface Translation {
  readonly plan: RegionPlan;
  readonly sites: readonly Site[];
  readonly run: WasmFunction;
  /** More cycles than any pass through the region without a look at the budget can take. */
  readonly cyclesBound: number;
}

export interface Entry {
  readonly translation: Translation;
  readonly index: number;
  readonly block: Block;
}

export class Translations {
  private readonly core: CoreState;
  private readonly entries = new Map<number, Entry>();
  private count = 0;
  /** Code is translated from this memory only; the first one that got hot. */
  private table: { readonly code: Region; readonly offset: number } | null = null;

  constructor(core: CoreState) {
    this.core = core;
  }

  find(address: number): Entry | undefined {
    return this.entries.get(address);
  }

  clear(): void {
    if (this.count === 0) return;
    const { table, core } = this;
    if (table !== null) {
      for (const address of this.entries.keys()) core.memory.view.setInt32(this.tableAddress(address), 0, true);
    }
    this.entries.clear();
    this.count = 0;
  }

  /** @param blockAt a block fit for translation, or null */
  translate(block: Block, blockAt: (address: number) => Block | null, fpuEnabled: boolean): void {
    if (this.count >= REGIONS_MAX || !this.claim(block.region)) return;
    const { core } = this;
    const table = this.table!;
    const plan = planRegion(block.start, blockAt);
    if (plan.blocks.length === 0) return;
    const region = ++this.count;
    const entryTable: EntryTable = {
      offset: table.offset,
      start: table.code.start,
      bytes: table.code.bytes,
      region,
    };
    const emitted = new RegionEmitter(plan, core.memory.regions, entryTable, fpuEnabled).emit();
    const { run } = instantiate(emitted.module, { e: { m: core.memory.wasm, f: softFloatFunction(core) } });
    const translation = { plan, sites: emitted.sites, run: run!, cyclesBound: cyclesBound(plan) };
    for (const [index, inner] of plan.blocks.entries()) {
      if (this.entries.has(inner.start)) continue;
      this.entries.set(inner.start, { translation, index, block: inner });
      core.memory.view.setInt32(this.tableAddress(inner.start), (region << BLOCK_BITS) | index, true);
    }
  }

  /** Whether code of this memory can be translated. */
  private claim(code: Region): boolean {
    if (this.table !== null) return this.table.code === code;
    const offset = this.core.memory.reserve((code.bytes / 2) * TABLE_BYTES_PER_HALFWORD);
    if (offset === null) return false;
    this.table = { code, offset };
    return true;
  }

  private tableAddress(address: number): number {
    const { offset, code } = this.table!;
    return offset + ((address - code.start) >>> 1) * TABLE_BYTES_PER_HALFWORD;
  }
}

function cyclesBound(plan: RegionPlan): number {
  let sum = 0;
  for (const block of plan.blocks)
    for (const step of block.steps) sum += Math.max(step.takenCycles, step.sequentialCycles, DIVIDE_CYCLES_MAX);
  return sum;
}

/** Called from translated code; FPSCR is in its cell. */
function softFloatFunction(core: CoreState): WasmFunction {
  const { cells, softFloat } = core;
  return (index = 0, a = 0, b = 0, c = 0) => {
    softFloat.fpscr = cells[cell.fpscr]! & FPSCR_MASK;
    const result = softFloat.apply(fpFunctions[index]!, a, b, c);
    cells[cell.fpscr] = softFloat.fpscr;
    return result;
  };
}
