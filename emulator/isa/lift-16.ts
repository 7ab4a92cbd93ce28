/** Semantics of the 16-bit Thumb encodings (DDI 0403E A5.2, A7.7). Stopping instructions and hints have no statements of their own. */
import { signExtend } from '../timing/instruction.ts';
import {
  add,
  and,
  cell,
  condition as holds,
  constant,
  get,
  invert,
  multiply,
  not,
  notEqual,
  or,
  set,
  subtract,
  t,
  temporary,
  when,
  xor,
  type Expr,
  type Stmt,
} from './ir.ts';
import { loadMultiple, loadSingle, storeMultiple, storeSingle } from './transfers.ts';
import { byteReverse, extend, halfwordReverse, signedHalfwordReverse } from './bits.ts';
import {
  addition,
  register,
  setNZ,
  setRegister,
  setRegisterOrBranch,
  shiftImmediate,
  shiftRegister,
  type Addition,
  type Lifted,
  type Site,
} from './operands.ts';

function shiftAddMove(hw: number, site: Site): Stmt[] {
  const flags = !site.inIt;
  const rd = hw & 7;
  const rn = (hw >> 3) & 7;
  const operation = (hw >> 11) & 7;
  if (operation < 3) return moveShifted(rd, shiftImmediate(get(rn), operation, (hw >> 6) & 31), flags);
  if (operation === 3) {
    const field = (hw >> 6) & 7;
    const second = (hw & 0x0400) !== 0 ? constant(field) : get(field);
    return arithmetic((hw & 0x0200) !== 0 ? 'subtract' : 'add', rd, get(rn), second, flags);
  }
  const target = (hw >> 8) & 7;
  const immediate = constant(hw & 0xff);
  switch (operation) {
    case 4:
      return [set(target, immediate), ...(flags ? setNZ(immediate) : [])];
    case 5:
      return addition('subtract', get(target), immediate, true);
    case 6:
      return arithmetic('add', target, get(target), immediate, flags);
    default:
      return arithmetic('subtract', target, get(target), immediate, flags);
  }
}

function moveShifted(rd: number, shifted: { value: Expr; carry: Expr | null }, flags: boolean): Stmt[] {
  const body = [set(temporary(0), shifted.value)];
  if (flags && shifted.carry !== null) body.push(set(cell.carry, shifted.carry));
  body.push(set(rd, t(0)));
  return flags ? [...body, ...setNZ(t(0))] : body;
}

function arithmetic(kind: Addition, rd: number, a: Expr, b: Expr, flags: boolean): Stmt[] {
  return [...addition(kind, a, b, flags), set(rd, t(2))];
}

function logical(rd: number | null, value: Expr, flags: boolean): Stmt[] {
  return [set(temporary(0), value), ...(rd === null ? [] : [set(rd, t(0))]), ...(flags ? setNZ(t(0)) : [])];
}

function dataProcessing(hw: number, site: Site): Stmt[] {
  const flags = !site.inIt;
  const rd = hw & 7;
  const a = get(rd);
  const b = get((hw >> 3) & 7);
  const operation = (hw >> 6) & 0xf;
  switch (operation) {
    case 0:
      return logical(rd, and(a, b), flags);
    case 1:
      return logical(rd, xor(a, b), flags);
    case 2:
    case 3:
    case 4:
    case 7: {
      const amount = set(temporary(1), and(b, constant(0xff)));
      const type = operation === 7 ? 3 : operation - 2;
      return [amount, ...moveShifted(rd, shiftRegister(a, type, t(1)), flags)];
    }
    case 5:
      return arithmetic('addCarry', rd, a, b, flags);
    case 6:
      return arithmetic('subtractCarry', rd, a, b, flags);
    case 8:
      return logical(null, and(a, b), true);
    case 9:
      return arithmetic('reverse', rd, b, constant(0), flags);
    case 10:
      return addition('subtract', a, b, true);
    case 11:
      return addition('add', a, b, true);
    case 12:
      return logical(rd, or(a, b), flags);
    case 13:
      return logical(rd, multiply(a, b), flags);
    case 14:
      return logical(rd, and(a, invert(b)), flags);
    default:
      return logical(rd, invert(b), flags);
  }
}

function highRegisters(hw: number, site: Site): Stmt[] {
  const rd = (hw & 7) | ((hw >> 4) & 8);
  const rm = (hw >> 3) & 0xf;
  const value = register(rm, site);
  switch ((hw >> 8) & 3) {
    case 0:
      return [setRegisterOrBranch(rd, add(register(rd, site), value))];
    case 1:
      return addition('subtract', register(rd, site), value, true);
    case 2:
      return [setRegisterOrBranch(rd, value)];
    default: {
      const link = (hw & 0x80) !== 0;
      if (!link) return [{ k: 'interwork', target: value }];
      return [
        set(temporary(0), value),
        set(cell.lr, constant((site.address + 2) | 1)),
        { k: 'interwork', target: t(0) },
      ];
    }
  }
}

/** Bytes and sign of STR STRH STRB LDRSB LDR LDRH LDRB LDRSH. */
const registerOffset = [
  { bytes: 4, signed: false },
  { bytes: 2, signed: false },
  { bytes: 1, signed: false },
  { bytes: 1, signed: true },
  { bytes: 4, signed: false },
  { bytes: 2, signed: false },
  { bytes: 1, signed: false },
  { bytes: 2, signed: true },
] as const;

function loadStore(hw: number): Stmt[] {
  const rt = hw & 7;
  const base = get((hw >> 3) & 7);
  const imm5 = (hw >> 6) & 31;
  const isLoad = (hw & 0x0800) !== 0;
  const transfer = (bytes: 1 | 2 | 4, address: Expr, number = rt): Stmt[] => [
    isLoad ? loadSingle(number, bytes, false, address) : storeSingle(number, bytes, address),
  ];
  switch (hw >> 12) {
    case 5: {
      const operation = (hw >> 9) & 7;
      const address = add(base, get((hw >> 6) & 7));
      const form = registerOffset[operation]!;
      return [operation < 3 ? storeSingle(rt, form.bytes, address) : loadSingle(rt, form.bytes, form.signed, address)];
    }
    case 6:
      return transfer(4, add(base, constant(imm5 * 4)));
    case 7:
      return transfer(1, add(base, constant(imm5)));
    case 8:
      return transfer(2, add(base, constant(imm5 * 2)));
    default:
      return transfer(4, add(get(cell.sp), constant((hw & 0xff) * 4)), (hw >> 8) & 7);
  }
}

function miscellaneous(hw: number, site: Site): Lifted {
  const rd = hw & 7;
  const rm = get((hw >> 3) & 7);
  switch ((hw >> 8) & 0xf) {
    case 0x0: {
      const offset = constant((hw & 0x7f) * 4);
      const sp = get(cell.sp);
      return [setRegister(cell.sp, (hw & 0x80) !== 0 ? subtract(sp, offset) : add(sp, offset))];
    }
    case 0x1:
    case 0x3:
    case 0x9:
    case 0xb: {
      const target = constant(site.address + 4 + ((hw >> 3) & 0x1f) * 2 + ((hw >> 9) & 1) * 64);
      const condition = (hw & 0x0800) !== 0 ? notEqual(get(rd), constant(0)) : not(get(rd));
      return [when(condition, [{ k: 'branch', target }])];
    }
    case 0x2:
      return [set(rd, extend(rm, (hw >> 6) & 3))];
    case 0x4:
    case 0x5:
      return storeMultiple(cell.sp, (hw & 0xff) | ((hw & 0x100) << 6), true, true);
    case 0x6:
      return [
        {
          k: 'system',
          cell: temporary(0),
          fn: 'changeState',
          args: [constant(hw & 3), constant((hw >> 4) & 1)],
        },
      ];
    case 0xa:
      return [set(rd, [byteReverse, halfwordReverse, null, signedHalfwordReverse][(hw >> 6) & 3]!(rm))];
    case 0xc:
    case 0xd:
      return loadMultiple(cell.sp, (hw & 0xff) | ((hw & 0x100) << 7), false, true);
    default:
      return []; // IT, hints, BKPT
  }
}

/** `hw` is an encoding that emulator/timing decodes. */
export function lift16(hw: number, site: Site): Lifted {
  switch (hw >> 12) {
    case 0x0:
    case 0x1:
    case 0x2:
    case 0x3:
      return shiftAddMove(hw, site);
    case 0x4:
      if (hw < 0x4400) return dataProcessing(hw, site);
      if (hw < 0x4800) return highRegisters(hw, site);
      return [loadSingle((hw >> 8) & 7, 4, false, constant(((site.address + 4) & ~3) + (hw & 0xff) * 4))];
    case 0x5:
    case 0x6:
    case 0x7:
    case 0x8:
    case 0x9:
      return loadStore(hw);
    case 0xa: {
      const offset = constant((hw & 0xff) * 4);
      const base = (hw & 0x0800) !== 0 ? get(cell.sp) : constant((site.address + 4) & ~3);
      return [set((hw >> 8) & 7, add(base, offset))];
    }
    case 0xb:
      return miscellaneous(hw, site);
    case 0xc: {
      const rn = (hw >> 8) & 7;
      const list = hw & 0xff;
      if ((hw & 0x0800) === 0) return storeMultiple(rn, list, false, true);
      return loadMultiple(rn, list, false, (list & (1 << rn)) === 0);
    }
    case 0xd: {
      const condition = (hw >> 8) & 0xf;
      if (condition >= 14) return [];
      const target = constant(site.address + 4 + signExtend(hw & 0xff, 8) * 2);
      return [when(holds(condition), [{ k: 'branch', target }])];
    }
    default:
      return [{ k: 'branch', target: constant(site.address + 4 + signExtend(hw & 0x7ff, 11) * 2) }];
  }
}
