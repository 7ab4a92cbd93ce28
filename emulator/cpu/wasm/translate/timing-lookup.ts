/** The function that finds what a stretch of code costs in the table of timing-memo.ts, for where the stretch's records say nothing, and puts it there. */
import { RECORD_SHIFT, recordField, STATE_OFFSET, TABLE_BITS } from './timing-memo.ts';
import { wasmModule } from './wasm-module.ts';
import { I32, I64, WasmWriter } from './wasm-writer.ts';

/** Number that the imported function of software floating point takes for TimingMemo.advance. */
export const ADVANCE = 1 << 16;

/** Odd numbers that spread keys and stretches over the table. */
const KEY_FACTOR = 0x9_e377_9b97_f4a7;
const SITE_FACTOR = 0xb_f584_76d1_ce4f;
const WIDE_BITS = 64;

const local = { key: 0, site: 1, record: 2, found: 3 } as const;
const IMPORTED_FUNCTION = 0;

/** Parameters: state and events, number of the stretch, place of the record to put it into. @param table place of the table */
export function timingLookupModule(table: number): Uint8Array {
  const w = new WasmWriter();
  w.get(local.key);
  w.wide(KEY_FACTOR);
  w.op('i64.mul');
  w.get(local.site);
  w.op('i64.extend_i32_u');
  w.wide(SITE_FACTOR);
  w.op('i64.mul', 'i64.add');
  w.wide(WIDE_BITS - TABLE_BITS);
  w.op('i64.shr_u', 'i32.wrap_i64');
  w.const(RECORD_SHIFT);
  w.op('i32.shl');
  w.const(table);
  w.op('i32.add');
  w.tee(local.found);
  w.memory('i64.load', recordField.key);
  w.get(local.key);
  w.op('i64.ne');
  w.get(local.found);
  w.memory('i32.load', recordField.site);
  w.get(local.site);
  w.op('i32.ne', 'i32.or');
  w.open('if');
  w.const(0);
  w.get(local.key);
  w.memory('i64.store', STATE_OFFSET);
  w.const(ADVANCE);
  w.get(local.found);
  w.get(local.site);
  w.const(0);
  w.call(IMPORTED_FUNCTION);
  w.op('drop');
  w.end();
  for (const field of ['key', 'next', 'extra'] as const) {
    w.get(local.record);
    w.get(local.found);
    w.memory('i64.load', recordField[field]);
    w.memory('i64.store', recordField[field]);
  }
  w.const(0);
  w.op('end');
  const locals = [{ count: 1, type: I32 }];
  return wasmModule({ parameters: [I64, I32, I32], imports: ['memory', 'function'], body: w.body(), locals });
}
