/**
 * Goes from region to region without leaving WebAssembly: a function that enters the region at an address with what is left of the
 * budget, adds up what its way out says, and goes on with the next one until there is none or the interpreter has to take over. What it
 * needs to know of regions and ways out lies in tables in the machine's memory. An entry is for one state of the pipeline.
 */
import { cell } from '../../../isa/ir.ts';
import { CHAIN_OFFSET, COUNTERS_OFFSET, INSTRUCTION_BITS } from './locals.ts';
import { wasmModule } from './wasm-module.ts';
import { I32, I64, WasmWriter } from './wasm-writer.ts';

/** Entries of a region at most. For every halfword of code, (region << ENTRY_BITS | entry) + 1, or 0; and the state of the pipeline to enter in. */
export const ENTRY_BITS = 8;
export const TABLE_BYTES_PER_HALFWORD = 8;
export const entryField = { number: 0, state: 4 } as const;

/** Cycles after which a region is left: a JavaScript engine replaces its quick first code only when a function is called anew. */
const CYCLES_PER_ENTRY_MAX = 2 ** 20;

/** A region's record: where the records of its ways out are, most cycles between looks at the budget. */
export const REGION_RECORD_BYTES = 8;
export const regionField = { sites: 0, cyclesBound: 4 } as const;

/** A way out's record: what to add to the counters, the next address, which kind it is, the state of the pipeline. */
export const SITE_RECORD_BYTES = 24;
export const siteField = { counters: 0, pc: 8, kind: 12, state: 16 } as const;

/** The next address is known; is in cell.target; is there with bit 0 set, or else Arm state is asked for; the interpreter has to go on. */
export const siteKind = { direct: 0, indirect: 1, interworking: 2, interpreter: 3 } as const;

/** What the function leaves behind from CHAIN_OFFSET on: cycles and instructions, and the number of the last region. */
export const chainField = { cycles: 0, instructions: 8, region: 16 } as const;

/** A code memory and the table of what can be entered in it. */
export interface CodeTable {
  readonly start: number;
  readonly bytes: number;
  readonly offset: number;
}

/** Parameters: address, cycles left, state of the pipeline. */
const local = {
  pc: 0,
  left: 1,
  state: 2,
  region: 3,
  site: 4,
  work: 5,
  budget: 6,
  cycles: 7,
  instructions: 8,
} as const;

/** Looks the address up: (region << ENTRY_BITS | entry) + 1 on the stack, or 0; also where the entry is for another state. */
function lookUp(w: WasmWriter, tables: readonly CodeTable[]): void {
  for (const { start, bytes, offset } of tables) {
    w.get(local.pc);
    w.const(start);
    w.op('i32.sub');
    w.tee(local.work);
    w.const(bytes);
    w.op('i32.lt_u');
    w.open('if', I32);
    w.get(local.work);
    w.const(TABLE_BYTES_PER_HALFWORD / 2);
    w.op('i32.mul');
    w.tee(local.work);
    w.memory('i32.load', offset + entryField.number);
    w.const(0);
    w.get(local.work);
    w.memory('i32.load', offset + entryField.state);
    w.get(local.state);
    w.op('i32.eq', 'select');
    w.else();
  }
  w.const(0);
  for (let open = tables.length; open > 0; open--) w.end();
}

/** Budget of the region: the cycles left without those it may take unseen. Leaves if none are left. */
function takeBudget(w: WasmWriter, records: number, outside: number): void {
  w.get(local.left);
  w.op('i64.extend_i32_u');
  w.get(local.cycles);
  w.op('i64.sub');
  w.get(local.region);
  w.const(REGION_RECORD_BYTES);
  w.op('i32.mul');
  w.memory('i64.load32_u', records + regionField.cyclesBound);
  w.op('i64.sub');
  w.tee(local.budget);
  w.wide(1);
  w.op('i64.lt_s');
  w.br(outside, 'br_if');
}

/** Enters the region in `local.region` at the entry in `local.work`, and adds up what it and its way out counted. */
function enter(w: WasmWriter, records: number): void {
  w.get(local.work);
  w.get(local.budget);
  w.wide(CYCLES_PER_ENTRY_MAX);
  w.get(local.budget);
  w.wide(CYCLES_PER_ENTRY_MAX);
  w.op('i64.lt_s', 'select', 'i32.wrap_i64');
  w.get(local.region);
  w.callIndirect(1);
  w.tee(local.site);
  w.const(SITE_RECORD_BYTES);
  w.op('i32.mul');
  w.get(local.region);
  w.const(REGION_RECORD_BYTES);
  w.op('i32.mul');
  w.memory('i32.load', records + regionField.sites);
  w.op('i32.add');
  w.tee(local.work);
  w.memory('i64.load', siteField.counters);
  w.const(0);
  w.memory('i64.load', COUNTERS_OFFSET);
  w.op('i64.add');
  w.set(local.budget);
  w.get(local.cycles);
  w.get(local.budget);
  w.wide(INSTRUCTION_BITS);
  w.op('i64.shr_s', 'i64.add');
  w.set(local.cycles);
  w.get(local.instructions);
  w.get(local.budget);
  w.wide(2 ** INSTRUCTION_BITS - 1);
  w.op('i64.and', 'i64.add');
  w.set(local.instructions);
}

/** From the way out at `local.work` to the next address; leaves where only the interpreter can go on. */
function next(w: WasmWriter, outside: number): void {
  w.get(local.work);
  w.memory('i32.load', siteField.state);
  w.set(local.state);
  w.get(local.work);
  w.memory('i32.load', siteField.pc);
  w.set(local.pc);
  w.get(local.work);
  w.memory('i32.load', siteField.kind);
  w.tee(local.work);
  w.open('if');
  w.get(local.work);
  w.const(siteKind.interpreter);
  w.op('i32.eq');
  w.br(outside, 'br_if');
  w.const(0);
  w.memory('i32.load', cell.target * 4);
  w.tee(local.pc);
  w.const(1);
  w.op('i32.and', 'i32.eqz');
  w.get(local.work);
  w.const(siteKind.interworking);
  w.op('i32.eq', 'i32.and');
  w.br(outside, 'br_if');
  w.get(local.pc);
  w.const(-2);
  w.op('i32.and');
  w.set(local.pc);
  w.end();
}

/**
 * A module that exports run(pc, cycles left, state) -> number of the last way out, or -1 if no region was entered.
 * @param records where the regions' records are
 */
export function chainModule(tables: readonly CodeTable[], records: number): Uint8Array {
  const w = new WasmWriter();
  w.const(-1);
  w.set(local.site);
  const outside = w.depth;
  w.open('block');
  const again = w.depth;
  w.open('loop');
  lookUp(w, tables);
  w.tee(local.work);
  w.op('i32.eqz');
  w.br(outside, 'br_if');
  // The number of the last region is kept until the next one is entered.
  w.get(local.work);
  w.const(1);
  w.op('i32.sub');
  w.tee(local.work);
  w.const(ENTRY_BITS);
  w.op('i32.shr_u');
  w.set(local.region);
  takeBudget(w, records, outside);
  w.const(0);
  w.get(local.region);
  w.memory('i32.store', CHAIN_OFFSET + chainField.region);
  w.get(local.work);
  w.const((1 << ENTRY_BITS) - 1);
  w.op('i32.and');
  w.set(local.work);
  enter(w, records);
  next(w, outside);
  w.br(again);
  w.end();
  w.end();
  for (const field of ['cycles', 'instructions'] as const) {
    w.const(0);
    w.get(local[field]);
    w.memory('i64.store', CHAIN_OFFSET + chainField[field]);
  }
  w.get(local.site);
  w.op('end');
  return wasmModule({
    parameters: [I32, I32, I32],
    imports: ['memory', 'table'],
    body: w.body(),
    locals: [
      { count: 3, type: I32 },
      { count: 3, type: I64 },
    ],
  });
}
