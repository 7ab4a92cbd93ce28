/** Load-acquire, store-release and TT of Armv8-M (DDI 0553B C2.4). One core sees its own accesses in order, so the ordering asks for nothing. */
import { constant, get, temporary, t, type Stmt } from './ir.ts';
import { liftExclusive } from './lift-memory.ts';
import { setRegister } from './operands.ts';

/** LDA, LDAB, LDAH, STL, ...; bits 7:4 of hw2 are 8 (bytes), 9 (halfwords) or 10 (words), plus 4 for the exclusives. */
export function liftAcquireRelease(hw1: number, hw2: number): Stmt[] {
  const bytes = ([1, 2, 4] as const)[((hw2 >> 4) & 3) as 0 | 1 | 2];
  const isLoad = (hw1 & 0x10) !== 0;
  const address = get(hw1 & 0xf);
  const rt = hw2 >> 12;
  if ((hw2 & 0x40) !== 0) return liftExclusive(isLoad, bytes, address, rt, hw2 & 0xf);
  if (!isLoad) return [{ k: 'store', bytes, address, value: get(rt), aligned: true }];
  return [{ k: 'load', cell: temporary(0), bytes, signed: false, address, aligned: true }, setRegister(rt, t(0))];
}

/** TT, and TTT as seen without privilege. */
export function liftTestTarget(hw1: number, hw2: number): Stmt[] {
  const unprivileged = constant((hw2 >> 6) & 1);
  return [
    { k: 'system', cell: temporary(0), fn: 'testTarget', args: [get(hw1 & 0xf), unprivileged] },
    setRegister((hw2 >> 8) & 0xf, t(0)),
  ];
}
