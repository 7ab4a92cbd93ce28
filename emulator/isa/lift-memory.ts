/** 32-bit loads and stores: single, dual, exclusive, table branches (DDI 0403E A5.3.5..10). */
import {
  add,
  cell,
  constant,
  equal,
  get,
  not,
  select,
  set,
  shiftLeft,
  subtract,
  t,
  temporary,
  when,
  type Expr,
  type Stmt,
} from './ir.ts';
import { register, setRegister, type Lifted, type Site } from './operands.ts';
import { loadMultiple, loadWord, storeMultiple } from './transfers.ts';

export function liftMultipleTransfer(hw1: number, hw2: number): Lifted {
  const rn = hw1 & 0xf;
  const decrement = (hw1 & 0x0100) !== 0;
  const writeBack = (hw1 & 0x20) !== 0;
  // Bit 13 does not exist in these lists.
  const list = hw2 & ~0x2000;
  return (hw1 & 0x10) !== 0
    ? loadMultiple(rn, list, decrement, writeBack)
    : storeMultiple(rn, list & 0x7fff, decrement, writeBack);
}

function dual(hw1: number, hw2: number, site: Site): Stmt[] {
  const rn = hw1 & 0xf;
  const offset = constant((hw1 & 0x80) !== 0 ? (hw2 & 0xff) * 4 : -(hw2 & 0xff) * 4);
  const preIndexed = (hw1 & 0x0100) !== 0;
  const writeBack = (hw1 & 0x20) !== 0;
  const [rt, rt2] = [hw2 >> 12, (hw2 >> 8) & 0xf];
  const base = rn === 15 ? constant((site.address + 4) & ~3) : get(rn);
  const body = [set(temporary(0), base), set(temporary(1), add(t(0), offset))];
  const address = preIndexed ? t(1) : t(0);
  const second = add(address, constant(4));
  const end = writeBack ? [setRegister(rn, t(1))] : [];
  if ((hw1 & 0x10) !== 0) {
    return [
      ...body,
      loadWord(temporary(2), address),
      loadWord(temporary(3), second),
      ...end,
      setRegister(rt, t(2)),
      setRegister(rt2, t(3)),
    ];
  }
  return [
    ...body,
    { k: 'store', bytes: 4, address, value: get(rt), aligned: true },
    { k: 'store', bytes: 4, address: second, value: get(rt2), aligned: true },
    ...end,
  ];
}

/** The local monitor remembers one address (A3.4); a store to another fails. */
export function liftExclusive(isLoad: boolean, bytes: 1 | 2 | 4, address: Expr, rt: number, rd: number): Stmt[] {
  const body = [set(temporary(0), address)];
  if (isLoad) {
    return [
      ...body,
      { k: 'load', cell: temporary(1), bytes, signed: false, address: t(0), aligned: true },
      setRegister(rt, t(1)),
      set(cell.exclusiveOpen, constant(1)),
      set(cell.exclusiveAddress, t(0)),
    ];
  }
  return [
    ...body,
    set(temporary(1), select(get(cell.exclusiveOpen), equal(get(cell.exclusiveAddress), t(0)), constant(0))),
    when(t(1), [{ k: 'store', bytes, address: t(0), value: get(rt), aligned: true }]),
    set(cell.exclusiveOpen, constant(0)),
    setRegister(rd, not(t(1))),
  ];
}

export function liftDualExclusiveOrTable(hw1: number, hw2: number, site: Site): Lifted {
  if ((hw1 & 0x0120) !== 0) return dual(hw1, hw2, site);
  const isLoad = (hw1 & 0x10) !== 0;
  const base = register(hw1 & 0xf, site);
  const rt = hw2 >> 12;
  if ((hw1 & 0x80) === 0) return liftExclusive(isLoad, 4, add(base, constant((hw2 & 0xff) * 4)), rt, (hw2 >> 8) & 0xf);
  const operation = (hw2 >> 4) & 0xf;
  if (operation === 4 || operation === 5) return liftExclusive(isLoad, operation === 4 ? 1 : 2, base, rt, hw2 & 0xf);
  const halfwords = operation === 1;
  const index = register(hw2 & 0xf, site);
  return [
    {
      k: 'load',
      cell: temporary(0),
      bytes: halfwords ? 2 : 1,
      signed: false,
      address: add(base, halfwords ? shiftLeft(index, 1) : index),
      aligned: false,
    },
    { k: 'branch', target: add(constant(site.address + 4), shiftLeft(t(0), 1)) },
  ];
}

interface Address {
  readonly value: Expr;
  readonly writeBack: Expr | null;
}

function singleAddress(hw1: number, hw2: number, site: Site): Address {
  const rn = hw1 & 0xf;
  if (rn === 15) {
    const offset = (hw1 & 0x80) !== 0 ? hw2 & 0xfff : -(hw2 & 0xfff);
    return { value: constant(((site.address + 4) & ~3) + offset), writeBack: null };
  }
  if ((hw1 & 0x80) !== 0) return { value: add(get(rn), constant(hw2 & 0xfff)), writeBack: null };
  if ((hw2 & 0x0800) === 0) return { value: add(get(rn), shiftLeft(get(hw2 & 0xf), (hw2 >> 4) & 3)), writeBack: null };
  const imm8 = constant(hw2 & 0xff);
  const moved = (hw2 & 0x0200) !== 0 ? add(get(rn), imm8) : subtract(get(rn), imm8);
  const value = (hw2 & 0x0400) !== 0 ? moved : get(rn);
  return { value, writeBack: (hw2 & 0x0100) !== 0 ? moved : null };
}

export function liftSingleTransfer(hw1: number, hw2: number, site: Site): Lifted {
  const bytes = ([1, 2, 4] as const)[((hw1 >> 5) & 3) as 0 | 1 | 2];
  const isLoad = (hw1 & 0x10) !== 0;
  const signed = (hw1 & 0x0100) !== 0;
  const rn = hw1 & 0xf;
  const rt = hw2 >> 12;
  if (isLoad && rt === 15 && bytes !== 4) return []; // PLD, PLI and reserved hints
  const { value, writeBack } = singleAddress(hw1, hw2, site);
  const end = writeBack === null ? [] : [setRegister(rn, writeBack)];
  const asUser = rn !== 15 && (hw1 & 0x80) === 0 && (hw2 & 0x0f00) === 0x0e00;
  if (!isLoad) {
    return [{ k: 'store', bytes, address: value, value: get(rt), aligned: false, asUser }, ...end];
  }
  const loadTo = (target: number): Stmt => ({
    k: 'load',
    cell: target,
    bytes,
    signed,
    address: value,
    aligned: false,
    asUser,
  });
  if (rt === 15) return [loadTo(temporary(0)), ...end, { k: 'interwork', target: t(0) }];
  if (writeBack === null && rt !== cell.sp) return [loadTo(rt)];
  return [loadTo(temporary(0)), ...end, setRegister(rt, t(0))];
}

/** VLDR, VSTR, VLDM, VSTM, VPUSH, VPOP: single registers from `first`; a double is two of them. */
export function liftFpTransfer(hw1: number, hw2: number, site: Site): Lifted {
  const isDouble = (hw2 & 0x0100) !== 0;
  const isLoad = (hw1 & 0x10) !== 0;
  const rn = hw1 & 0xf;
  const extension = (hw1 >> 6) & 1;
  const first = isDouble ? (hw2 >> 12) * 2 : ((hw2 >> 12) << 1) | extension;
  const imm8 = hw2 & 0xff;
  const single = (hw1 & 0x0120) === 0x0100;
  const add4 = (hw1 & 0x80) !== 0;
  const words = single ? (isDouble ? 2 : 1) : imm8;
  const base = rn === 15 ? constant((site.address + 4) & ~3) : get(rn);
  const start = single ? constant(add4 ? imm8 * 4 : -imm8 * 4) : constant(add4 ? 0 : -words * 4);
  const body: Stmt[] = [set(temporary(0), add(base, start))];
  // FLDMX and FSTMX have an odd number of words: the last is only counted.
  const moved = isDouble ? words & ~1 : words;
  for (let index = 0; index < moved && first + index < 32; index++) {
    const address = add(t(0), constant(index * 4));
    const number = cell.s0 + first + index;
    body.push(isLoad ? loadWord(number, address) : storeWord(number, address));
  }
  if (!single && (hw1 & 0x20) !== 0) body.push(setRegister(rn, add4 ? add(t(0), constant(words * 4)) : t(0)));
  return body;
}

function storeWord(source: number, address: Expr): Stmt {
  return { k: 'store', bytes: 4, address, value: get(source), aligned: true };
}
