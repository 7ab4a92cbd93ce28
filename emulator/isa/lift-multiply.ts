/** Multiplies, multiply-accumulates and divides (DDI 0403E A5.3.16, A5.3.17). */
import { highHalf, lowHalf } from './bits.ts';
import {
  add,
  and,
  constant,
  divideSigned,
  divideUnsigned,
  dotHalves,
  exceeds32,
  get,
  high,
  join,
  low,
  multiply,
  rotateRight,
  set,
  signedWide,
  subtract,
  t,
  temporary,
  unsignedWide,
  wideAdd,
  wideMultiply,
  wideShiftRight,
  wideSubtract,
  xor,
  type Expr,
  type Stmt,
  type Wide,
} from './ir.ts';
import { setRegister, type Lifted } from './operands.ts';
import { liftSumOfDifferences, stickySign } from './lift-register.ts';

const half = (value: Expr, upper: boolean): Expr => (upper ? highHalf(value) : lowHalf(value));

/** Rd = product + Ra with Q on overflow of the sum, or Rd = product when Ra is 15. */
function accumulate(product: Expr, ra: number, rd: number): Stmt[] {
  if (ra === 15) return [setRegister(rd, product)];
  return [set(temporary(0), product), set(temporary(1), add(t(0), get(ra))), ...endOfSum(t(0), ra, rd)];
}

/** Temporary 1 is a value plus Ra, modulo 2^32: the sum overflows when its sign is that of neither. */
const endOfSum = (signOfValue: Expr, ra: number, rd: number): Stmt[] => [
  stickySign(and(xor(signOfValue, t(1)), xor(get(ra), t(1)))),
  setRegister(rd, t(1)),
];

/** As accumulate, for a sum of two products: -2^31 is 2^31 there, which one less has the sign of (and one less than 0 overflows nothing). */
function accumulateDual(rn: Expr, rm: Expr, ra: number, rd: number): Stmt[] {
  const sum = set(temporary(0), dotHalves(rn, rm));
  if (ra === 15) return [sum, stickySign(and(t(0), subtract(constant(0), t(0)))), setRegister(rd, t(0))];
  return [sum, set(temporary(1), add(t(0), get(ra))), ...endOfSum(subtract(t(0), constant(1)), ra, rd)];
}

/** Differences of products are summed in 64 bits. */
function accumulateWide(value: Wide, ra: number, rd: number): Stmt[] {
  const total = ra === 15 ? value : wideAdd(value, signedWide(get(ra)));
  const exceeds = subtract(constant(0), exceeds32(total));
  return [set(temporary(0), low(total)), stickySign(exceeds), setRegister(rd, t(0))];
}

/** Products of the halves of Rn with those of Rm; X exchanges the halves of Rm. */
function halfProducts(rn: Expr, rm: Expr, exchanged: boolean): [Wide, Wide] {
  return [
    signedWide(multiply(lowHalf(rn), half(rm, exchanged))),
    signedWide(multiply(highHalf(rn), half(rm, !exchanged))),
  ];
}

/** SMMLA, SMMLS, SMMUL: the upper word, rounded when R is set. */
function mostSignificant(hw1: number, hw2: number): Stmt[] {
  const ra = hw2 >> 12;
  const product = wideMultiply(signedWide(get(hw1 & 0xf)), signedWide(get(hw2 & 0xf)));
  const addend = join(ra === 15 ? constant(0) : get(ra), constant(0));
  const subtracts = ((hw1 >> 4) & 7) === 6;
  const sum = subtracts ? wideSubtract(addend, product) : wideAdd(addend, product);
  const rounding = join(constant(0), constant((hw2 & 0x10) !== 0 ? 0x8000_0000 : 0));
  return [setRegister((hw2 >> 8) & 0xf, high(wideAdd(sum, rounding)))];
}

export function liftMultiply(hw1: number, hw2: number): Lifted {
  const rn = get(hw1 & 0xf);
  const rm = get(hw2 & 0xf);
  const ra = hw2 >> 12;
  const rd = (hw2 >> 8) & 0xf;
  const variant = (hw2 >> 4) & 0xf;
  switch ((hw1 >> 4) & 7) {
    case 0: {
      const product = multiply(rn, rm);
      if (variant === 1) return [setRegister(rd, subtract(get(ra), product))];
      return [setRegister(rd, ra === 15 ? product : add(get(ra), product))];
    }
    case 1: {
      const product = multiply(half(rn, (variant & 2) !== 0), half(rm, (variant & 1) !== 0));
      return accumulate(product, ra, rd);
    }
    case 2:
      return accumulateDual(rn, (variant & 1) !== 0 ? rotateRight(rm, constant(16)) : rm, ra, rd);
    case 3: {
      const product = wideMultiply(signedWide(rn), signedWide(half(rm, (variant & 1) !== 0)));
      return accumulate(low(wideShiftRight(product, 16)), ra, rd);
    }
    case 4: {
      const [first, second] = halfProducts(rn, rm, (variant & 1) !== 0);
      return accumulateWide(wideSubtract(first, second), ra, rd);
    }
    case 5:
    case 6:
      return mostSignificant(hw1, hw2);
    default:
      return liftSumOfDifferences(hw1, hw2);
  }
}

function setPair(lowRegister: number, highRegister: number, value: Wide): Stmt[] {
  return [
    set(temporary(0), low(value)),
    set(temporary(1), high(value)),
    setRegister(lowRegister, t(0)),
    setRegister(highRegister, t(1)),
  ];
}

/** SMULL UMULL SMLAL UMLAL UMAAL SMLALxy SMLALD SMLSLD SDIV UDIV. */
export function liftLongMultiply(hw1: number, hw2: number): Lifted {
  const rn = get(hw1 & 0xf);
  const rm = get(hw2 & 0xf);
  const lo = hw2 >> 12;
  const hi = (hw2 >> 8) & 0xf;
  const variant = (hw2 >> 4) & 0xf;
  const accumulator = join(get(hi), get(lo));
  const exchanged = (variant & 1) !== 0;
  switch ((hw1 >> 4) & 7) {
    case 0:
      return setPair(lo, hi, wideMultiply(signedWide(rn), signedWide(rm)));
    case 1:
      return [setRegister(hi, divideSigned(rn, rm))];
    case 2:
      return setPair(lo, hi, wideMultiply(unsignedWide(rn), unsignedWide(rm)));
    case 3:
      return [setRegister(hi, divideUnsigned(rn, rm))];
    case 4: {
      if (variant === 0) return setPair(lo, hi, wideAdd(accumulator, wideMultiply(signedWide(rn), signedWide(rm))));
      if (variant >= 12) {
        const [first, second] = halfProducts(rn, rm, exchanged);
        return setPair(lo, hi, wideAdd(accumulator, wideAdd(first, second)));
      }
      const product = multiply(half(rn, (variant & 2) !== 0), half(rm, exchanged));
      return setPair(lo, hi, wideAdd(accumulator, signedWide(product)));
    }
    case 5: {
      const [first, second] = halfProducts(rn, rm, exchanged);
      return setPair(lo, hi, wideAdd(accumulator, wideSubtract(first, second)));
    }
    case 6: {
      const product = wideMultiply(unsignedWide(rn), unsignedWide(rm));
      if (variant === 0) return setPair(lo, hi, wideAdd(accumulator, product));
      return setPair(lo, hi, wideAdd(product, wideAdd(unsignedWide(get(lo)), unsignedWide(get(hi)))));
    }
    default:
      return null;
  }
}
