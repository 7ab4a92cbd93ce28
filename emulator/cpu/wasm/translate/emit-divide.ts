/** Cycles of a divide, added to the counters before it runs: the rule is divideCycles of emulator/timing/cortex-m4.ts. */
import { INSTRUCTION_BITS, local, localOfCell } from './locals.ts';
import { I32, type WasmWriter } from './wasm-writer.ts';

export function emitDivideCycles(
  { signed, n, m }: { readonly signed: boolean; readonly n: number; readonly m: number },
  w: WasmWriter,
): void {
  const magnitude = (register: number, to: number): void => {
    w.get(localOfCell(register));
    if (signed) {
      w.get(localOfCell(register));
      w.const(31);
      w.op('i32.shr_s', 'i32.xor');
      w.get(localOfCell(register));
      w.const(31);
      w.op('i32.shr_s', 'i32.sub');
    }
    w.set(to);
  };
  magnitude(n, local.address);
  magnitude(m, local.work);
  w.get(local.counters);
  w.get(local.work);
  w.op('i32.eqz');
  w.get(local.address);
  w.get(local.work);
  w.op('i32.lt_u', 'i32.or');
  w.open('if', I32);
  w.const(2);
  w.else();
  // 4 + ceil((clz(d) - clz(n) + 1) / 4)
  w.get(local.work);
  w.op('i32.clz');
  w.get(local.address);
  w.op('i32.clz', 'i32.sub');
  w.const(4);
  w.op('i32.add');
  w.const(2);
  w.op('i32.shr_u');
  w.const(4);
  w.op('i32.add');
  w.end();
  w.op('i64.extend_i32_u');
  w.wide(INSTRUCTION_BITS);
  w.op('i64.shl', 'i64.add');
  w.set(local.counters);
}
