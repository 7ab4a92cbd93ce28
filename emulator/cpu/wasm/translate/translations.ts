/** The regions translated so far: where they can be entered, and how they are run. */
import { FPSCR_MASK } from '../../../isa/float-bits.ts';
import { cell } from '../../../isa/ir.ts';
import { REFILLED } from '../../../timing/pipeline.ts';
import type { CodeRange } from '../../cpu.ts';
import { overlaps, type Block, type Step } from '../block.ts';
import type { CoreState } from '../core-state.ts';
import type { Region } from '../guest-memory.ts';
import { createTable, instantiate, type WasmFunction, type WasmTable } from '../wasm-api.ts';
import {
  chainField,
  chainModule,
  entryField,
  ENTRY_BITS,
  REGION_RECORD_BYTES,
  regionField,
  SITE_RECORD_BYTES,
  siteField,
  siteKind,
  TABLE_BYTES_PER_HALFWORD,
  type CodeTable,
} from './chain.ts';
import { DOUBLE_FUNCTIONS, fpFunctions } from './emit-float.ts';
import { RegionEmitter } from './emit-region.ts';
import type { TimedMemory } from './emit-timing.ts';
import { CHAIN_OFFSET, INSTRUCTION_BITS } from './locals.ts';
import { ADVANCE, timingLookupModule } from './timing-lookup.ts';
import { lineLookupModule } from './line-lookup.ts';
import { planRegion, type CodeSource, type RegionPlan, type Site } from './region.ts';

/** When either is used up, everything is forgotten and begins anew. */
const REGIONS_MAX = 2048;
const SITES_MAX = 2 ** 16;
/** Cycles of a run through translated code: not more lines of data are read in it than DataLines.windBack() is asked for. */
const CYCLES_MAX = 2 ** 30;
/** Ways out to the interpreter after which the memories that accesses reach are looked at again. */
const BAILS_PER_LOOK = 64;

/** Translated code begins with this block, in this state of the pipeline. */
export interface Entry {
  readonly block: Block;
  readonly state: number;
  /** Cycles that have to be left. */
  readonly cyclesBound: number;
}

export interface Translation {
  readonly number: number;
  readonly start: Block;
  readonly sites: readonly Site[];
  readonly addresses: readonly number[];
  /** All that it was made of. */
  readonly blocks: readonly Block[];
  /** Memories its accesses had reached when it was made. */
  readonly touched: ReadonlyMap<Step, number>;
  bails: number;
}

/** What a run through translated code has come to. */
export interface Passage {
  readonly translation: Translation;
  readonly site: Site;
  readonly cycles: number;
  readonly instructions: number;
}

interface Tables {
  readonly records: number;
  readonly sites: number;
  readonly functions: WasmTable;
}

export class Translations {
  private readonly core: CoreState;
  /** By address. */
  private readonly entries = new Map<number, Entry>();
  private readonly regions = new Map<number, Translation>();
  private readonly codeTables = new Map<Region, CodeTable>();
  private tables: Tables | null = null;
  private run: WasmFunction | null = null;
  private regionsMade = 0;
  private sitesMade = 0;
  private timed: TimedMemory | null = null;
  /** What translated code calls when memories have a time. */
  private lookUp: WasmFunction | null = null;
  private lookUpLines: WasmFunction | null = null;

  constructor(core: CoreState) {
    this.core = core;
  }

  /** Before anything is translated, and whenever the memory is set up in another way. */
  setTimedMemory(timed: TimedMemory): void {
    this.timed = timed;
    const m = this.core.memory.wasm;
    const f = importedFunction(this.core, timed);
    this.lookUp = instantiate(timingLookupModule(timed.memo.table), { e: { m, f } }).run!;
    this.lookUpLines = instantiate(lineLookupModule(timed.lines, timed.linesAt), { e: { m } }).run!;
  }

  /** Where translated code can be entered at an address. */
  find(address: number): Entry | undefined {
    return this.entries.get(address);
  }

  /** Runs translated code from an address it can be entered at. Null if too few cycles are left for the budget to be kept exactly. */
  enter({ block, state }: Entry, cyclesLeft: number): Passage | null {
    const site = this.run!(block.start, Math.min(cyclesLeft, CYCLES_MAX), state);
    if (site < 0) return null;
    const { view } = this.core.memory;
    const translation = this.regions.get(view.getUint32(CHAIN_OFFSET + chainField.region, true))!;
    return {
      translation,
      site: translation.sites[site]!,
      cycles: view.getUint32(CHAIN_OFFSET + chainField.cycles, true),
      instructions: view.getUint32(CHAIN_OFFSET + chainField.instructions, true),
    };
  }

  clear(): void {
    if (this.regionsMade === 0) return;
    for (const translation of this.regions.values()) this.forgetEntries(translation);
    this.entries.clear();
    this.regions.clear();
    this.regionsMade = 0;
    this.sitesMade = 0;
  }

  /** Nothing is entered any more that was made of code in this range. */
  forget(range: CodeRange): void {
    for (const translation of this.regions.values())
      if (translation.blocks.some((block) => overlaps(block, range))) this.forgetEntries(translation);
  }

  /** After a way out to the interpreter: whether the region is dropped because accesses have reached memories it does not know. */
  isOutdated(translation: Translation): boolean {
    if (++translation.bails % BAILS_PER_LOOK !== 0) return false;
    for (const [step, touched] of translation.touched) {
      if (step.touched === touched) continue;
      this.forgetEntries(translation);
      return true;
    }
    return false;
  }

  /** @param state of the pipeline at the start */
  translate(start: Block, state: number, source: CodeSource, fpuEnabled: boolean): void {
    const { core } = this;
    const tables = (this.tables ??= this.makeTables());
    if (tables === null || !this.claim(start.region, tables)) return;
    const isEntry = (address: number): boolean => this.entries.get(address)?.state === REFILLED;
    const plan = planRegion(start, state, source, isEntry);
    const { timed } = this;
    const { module, sites, cyclesBound } = new RegionEmitter(plan, source, timed, fpuEnabled).emit();
    if (this.regionsMade >= REGIONS_MAX || this.sitesMade + sites.length > SITES_MAX) this.clear();
    const e = { m: core.memory.wasm, f: importedFunction(core, timed), t: this.lookUp, l: this.lookUpLines };
    const { run } = instantiate(module, { e });
    const number = this.regionsMade++;
    if (number >= tables.functions.length) tables.functions.grow(tables.functions.length);
    tables.functions.set(number, run!);
    this.writeRecords(number, sites, cyclesBound, tables);
    const addresses = plan.entries.map((entry) => plan.nodes[entry]!.block.start);
    const blocks = plan.nodes.map(({ block }) => block);
    this.regions.set(number, { number, start, sites, addresses, blocks, touched: touchedBy(plan), bails: 0 });
    for (const [index, node] of plan.entries.entries()) {
      const entry = { ...plan.nodes[node]!, cyclesBound };
      this.entries.set(entry.block.start, entry);
      const at = this.entryAt(entry.block);
      core.memory.view.setInt32(at + entryField.number, ((number << ENTRY_BITS) | index) + 1, true);
      core.memory.view.setInt32(at + entryField.state, entry.state, true);
    }
  }

  private forgetEntries({ number, addresses }: Translation): void {
    const { view } = this.core.memory;
    for (const address of addresses) {
      const entry = this.entries.get(address);
      if (entry === undefined) continue;
      const word = this.entryAt(entry.block) + entryField.number;
      // A later region may have taken the address over.
      if ((view.getInt32(word, true) - 1) >> ENTRY_BITS !== number) continue;
      view.setInt32(word, 0, true);
      this.entries.delete(address);
    }
  }

  private makeTables(): Tables | null {
    const { memory } = this.core;
    const records = memory.reserve(REGIONS_MAX * REGION_RECORD_BYTES);
    const sites = memory.reserve(SITES_MAX * SITE_RECORD_BYTES);
    if (records === null || sites === null) return null;
    return { records, sites, functions: createTable(64) };
  }

  /** Whether code of this memory can be translated. */
  private claim(code: Region, { records, functions }: Tables): boolean {
    if (this.codeTables.has(code)) return true;
    const { memory } = this.core;
    const offset = memory.reserve((code.bytes / 2) * TABLE_BYTES_PER_HALFWORD);
    if (offset === null) return false;
    this.codeTables.set(code, { start: code.start, bytes: code.bytes, offset });
    const module = chainModule([...this.codeTables.values()], records);
    this.run = instantiate(module, { e: { m: memory.wasm, t: functions } }).run!;
    return true;
  }

  private writeRecords(number: number, sites: readonly Site[], cyclesBound: number, tables: Tables): void {
    const { view } = this.core.memory;
    const record = tables.records + number * REGION_RECORD_BYTES;
    let at = tables.sites + this.sitesMade * SITE_RECORD_BYTES;
    view.setUint32(record + regionField.sites, at, true);
    view.setUint32(record + regionField.cyclesBound, cyclesBound, true);
    for (const site of sites) {
      const counters = BigInt(site.cycles * 2 ** INSTRUCTION_BITS + site.instructions);
      view.setBigInt64(at + siteField.counters, counters, true);
      view.setUint32(at + siteField.pc, site.pc ?? 0, true);
      view.setUint32(at + siteField.kind, kindOf(site), true);
      view.setUint32(at + siteField.state, site.state, true);
      at += SITE_RECORD_BYTES;
    }
    this.sitesMade += sites.length;
  }

  private entryAt({ region, start }: Block): number {
    const { offset } = this.codeTables.get(region)!;
    return offset + ((start - region.start) >>> 1) * TABLE_BYTES_PER_HALFWORD;
  }
}

function kindOf({ bails, itState, pc, interworks }: Site): number {
  if (bails || itState !== 0) return siteKind.interpreter;
  if (pc !== null) return siteKind.direct;
  return interworks ? siteKind.interworking : siteKind.indirect;
}

function touchedBy(plan: RegionPlan): Map<Step, number> {
  const touched = new Map<Step, number>();
  for (const { block } of plan.nodes) {
    for (const step of block.steps) if (step.accessesMemory) touched.set(step, step.touched);
  }
  return touched;
}

/** Called from translated code; FPSCR is in its cell. */
function importedFunction(core: CoreState, timed: TimedMemory | null): WasmFunction {
  const { cells, softFloat } = core;
  return (index = 0, a = 0, b = 0, c = 0) => {
    if (index === ADVANCE) {
      timed?.memo.advance(a, b);
      return 0;
    }
    softFloat.fpscr = cells[cell.fpscr]! & FPSCR_MASK;
    const fn = fpFunctions[index % DOUBLE_FUNCTIONS]!;
    let result = 0;
    if (index < DOUBLE_FUNCTIONS) result = softFloat.apply(fn, a, b, c);
    else softFloat.applyDouble(fn);
    cells[cell.fpscr] = softFloat.fpscr;
    return result;
  };
}
