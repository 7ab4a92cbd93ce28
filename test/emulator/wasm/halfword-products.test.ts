/** Products of halfwords against the manual's arithmetic in exact integers (DDI 0403E A7.7, SMLAD and the like): result and Q at the limits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { reg } from '../../../emulator/cpu/cpu.ts';
import { WasmCpu } from '../../../emulator/cpu/wasm/wasm-cpu.ts';
import { parseElf } from '../../../emulator/elf.ts';
import { Machine } from '../../../emulator/machine.ts';
import { SerialLine } from '../../../emulator/peripherals/serial-line.ts';
import { assembleFunctions, hasCompiler } from '../support/assemble.ts';
import { cortexM4F } from '../support/cores.ts';

const Q = 1 << 27;
const low = (x: bigint): bigint => BigInt.asIntN(16, x);
const high = (x: bigint): bigint => BigInt.asIntN(16, x >> 16n);
const rotate = (x: bigint, by: bigint): bigint => BigInt.asUintN(32, (BigInt.asUintN(32, x) >> by) | (x << (32n - by)));
const signedBytes = (x: bigint): bigint => {
  const half = (byte: bigint): bigint => BigInt.asUintN(16, BigInt.asIntN(8, byte));
  return (half(x >> 16n) << 16n) | half(x);
};
const unsignedBytes = (x: bigint): bigint => x & 0xff_00ffn;

/** r0 op r1 with r2 added: code and exact value, of which r0 gets 32 bits; `sets` is false where Q never changes. */
const cases: Readonly<
  Record<string, { code: string; sets: boolean; value: (a: bigint, b: bigint, c: bigint) => bigint }>
> = {
  smlad: { code: 'smlad r0, r0, r1, r2', sets: true, value: (a, b, c) => low(a) * low(b) + high(a) * high(b) + c },
  smladx: { code: 'smladx r0, r0, r1, r2', sets: true, value: (a, b, c) => low(a) * high(b) + high(a) * low(b) + c },
  smuad: { code: 'smuad r0, r0, r1', sets: true, value: (a, b) => low(a) * low(b) + high(a) * high(b) },
  smuadx: { code: 'smuadx r0, r0, r1', sets: true, value: (a, b) => low(a) * high(b) + high(a) * low(b) },
  smlsd: { code: 'smlsd r0, r0, r1, r2', sets: true, value: (a, b, c) => low(a) * low(b) - high(a) * high(b) + c },
  smlsdx: { code: 'smlsdx r0, r0, r1, r2', sets: true, value: (a, b, c) => low(a) * high(b) - high(a) * low(b) + c },
  smlabb: { code: 'smlabb r0, r0, r1, r2', sets: true, value: (a, b, c) => low(a) * low(b) + c },
  smlabt: { code: 'smlabt r0, r0, r1, r2', sets: true, value: (a, b, c) => low(a) * high(b) + c },
  smlatb: { code: 'smlatb r0, r0, r1, r2', sets: true, value: (a, b, c) => high(a) * low(b) + c },
  smlatt: { code: 'smlatt r0, r0, r1, r2', sets: true, value: (a, b, c) => high(a) * high(b) + c },
  smlawb: { code: 'smlawb r0, r0, r1, r2', sets: true, value: (a, b, c) => ((a * low(b)) >> 16n) + c },
  smlawt: { code: 'smlawt r0, r0, r1, r2', sets: true, value: (a, b, c) => ((a * high(b)) >> 16n) + c },
  smulbt: { code: 'smulbt r0, r0, r1', sets: false, value: (a, b) => low(a) * high(b) },
  bytes: {
    code: 'sxtb16 r0, r0, ror #8; sxtb16 r1, r1; smlad r0, r0, r1, r2',
    sets: true,
    value: (a, b, c) => {
      const [x, y] = [signedBytes(rotate(a, 8n)), signedBytes(b)];
      return low(x) * low(y) + high(x) * high(y) + c;
    },
  },
  exchanged: {
    code: 'sxtb16 r0, r0, ror #24; uxtb16 r1, r1, ror #16; smladx r0, r0, r1, r2',
    sets: true,
    value: (a, b, c) => {
      const [x, y] = [signedBytes(rotate(a, 24n)), unsignedBytes(rotate(b, 16n))];
      return low(x) * high(y) + high(x) * low(y) + c;
    },
  },
  skipped: {
    code: 'sxtb16 r0, r0; cmp r1, #0; it lt; sxtb16lt r0, r1, ror #8; smlad r0, r0, r1, r2',
    sets: true,
    value: (a, b, c) => {
      const x = b < 0n ? signedBytes(rotate(b, 8n)) : signedBytes(a);
      return low(x) * low(b) + high(x) * high(b) + c;
    },
  },
  kept: {
    code: 'sxtb16 r3, r0; mov r12, r3; smlad r1, r3, r1, r2; add r3, r12, r1; mov r0, r3',
    sets: true,
    value: (a, b, c) => low(signedBytes(a)) * low(b) + high(signedBytes(a)) * high(b) + c,
  },
};

const WORDS = [0, 0x8000_8000, 0x7fff_7fff, 0x8000_7fff, 0x0001_ffff, 0x8081_7f80, 0xff80_0180, 0x1234_5678];
const ADDENDS = [0, 1, -1, 0x7fff_ffff, -0x8000_0000, 0x4000_0000];

describe.skipIf(!hasCompiler).each([
  ['interpreted', Infinity],
  ['translated', 1],
])('products of halfwords, %s (needs arm-none-eabi-gcc)', (_, hotPasses) => {
  let machine: Machine;
  beforeAll(() => {
    const bodies = Object.entries(cases).map(([name, { code }]) => [name, `${code}; bx lr`] as const);
    machine = new Machine({
      cpu: new WasmCpu(cortexM4F, hotPasses),
      board: loadBoard('core-m4'),
      image: parseElf(assembleFunctions(Object.fromEntries(bodies)), 'products.elf'),
      serial: new SerialLine(null),
      stopHandlers: [],
      strict: false,
      onNote: () => undefined,
    });
  });
  afterAll(() => {
    machine.close();
  });

  it.each(Object.keys(cases))('should compute %s exactly and set Q when the sum does not fit', (name) => {
    const { value, sets } = cases[name]!;
    for (const a of WORDS)
      for (const b of WORDS)
        for (const c of ADDENDS) {
          machine.call(name, [a, b, c]);
          const exact = value(...([a, b, c].map((word) => BigInt(word | 0)) as [bigint, bigint, bigint]));
          const sum = name === 'kept' ? exact + signedBytes(BigInt(a | 0)) : exact;
          const got = [machine.cpu.readRegister(0) | 0, (machine.cpu.readRegister(reg.xpsr) & Q) !== 0];
          const expected = [Number(BigInt.asIntN(32, sum)), sets && BigInt.asIntN(32, exact) !== exact];
          expect(got, `${name} ${a.toString(16)} ${b.toString(16)} ${c.toString(16)}`).toEqual(expected);
        }
  });
});
