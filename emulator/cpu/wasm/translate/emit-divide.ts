/** Divides, and their cycles, added to the counters before one runs: the rule is divideCycles of emulator/timing/cortex-m4.ts. */
import { INSTRUCTION_BITS, local, localOfCell } from './locals.ts';
import type { Expr } from '../../../isa/ir.ts';
import type { ExpressionEmitter } from './emit-expression.ts';
import { I32, type WasmWriter } from './wasm-writer.ts';

/** Leaves them in local.work, too. */
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
  w.set(local.work);
  w.get(local.counters);
  w.get(local.work);
  w.op('i64.extend_i32_u');
  w.wide(INSTRUCTION_BITS);
  w.op('i64.shl', 'i64.add');
  w.set(local.counters);
}

/** WebAssembly traps where the core gives 0 (divisor 0) or wraps (-2^31 / -1). */
export function emitDivide(op: 'divide_s' | 'divide_u', a: Expr, b: Expr, x: ExpressionEmitter): void {
  const { w } = x;
  x.expression(b);
  w.open('if', I32);
  if (op === 'divide_u') {
    x.expression(a);
    x.expression(b);
    w.op('i32.div_u');
  } else {
    x.expression(b);
    w.const(-1);
    w.op('i32.eq');
    w.open('if', I32);
    w.const(0);
    x.expression(a);
    w.op('i32.sub');
    w.else();
    x.expression(a);
    x.expression(b);
    w.op('i32.div_s');
    w.end();
  }
  w.else();
  w.const(0);
  w.end();
}
