/**
 * Interrupts are taken at the cycle the timing model says (exception-cost.ts): entry, tail-chain, late arrival, return, wake from sleep; the
 * same whether code is interpreted or translated. QEMU has no cycles to compare with; the sequences are those of DDI 0403E B1.5.
 */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../../boards/load.ts';
import { WasmCpu } from '../../../emulator/cpu/wasm/wasm-cpu.ts';
import { createMachine } from '../../../emulator/create-machine.ts';
import type { ExceptionEvent } from '../../../emulator/exceptions/exception-unit.ts';
import { exceptionCosts } from '../../../emulator/timing/exception-cost.ts';
import { buildProgram, hasCompiler } from '../support/assemble.ts';
import { cortexM4F } from '../support/cores.ts';

const cost = exceptionCosts['cortex-m4'];
const SYSTICK = 15;
const IRQ = 16;

/** Registers: r4 = SCS base, r5 = the NVIC's ISPR. Handlers of interrupts 0 and 1 and SysTick return at once; PRIORITY sets theirs. */
const program = (body: string, priorities = [0x40, 0x80, 0xc0]): string => `
.syntax unified
.thumb
.section .table, "ax"
.balign 512
table: .space 60
.word tick + 1, handler0 + 1, handler1 + 1
.text
.thumb_func
.global main
main:
  ldr r4, =0xE000E000
  ldr r0, =table
  str r0, [r4, #0xd08]
  movs r0, #3
  str r0, [r4, #0x100]
  movs r0, #${priorities[0]}
  strb r0, [r4, #0x400]
  movs r0, #${priorities[1]}
  strb r0, [r4, #0x401]
  movs r0, #${priorities[2]}
  add r1, r4, #0xd00
  strb r0, [r1, #0x23]
  add r5, r4, #0x200
  b start
.balign 16
start:
${body}
.global done
done: bkpt #1
.ltorg
.balign 16
tick: bx lr
.balign 16
handler0: bx lr
.balign 16
handler1: bx lr
`;

const startTick = (reload: number): string => `
  ldr r0, =${reload}
  str r0, [r4, #0x14]
  str r0, [r4, #0x18]
  movs r0, #7
  str r0, [r4, #0x10]
started:`;

interface Watched {
  readonly events: readonly ExceptionEvent[];
  /** Cycles at labels, first pass. */
  readonly at: Readonly<Record<string, number>>;
}

function watch(source: string, labels: readonly string[], hotPasses: number): Watched {
  const globals = labels.map((label) => `.global ${label}\n`).join('');
  const image = buildProgram({ files: { 'main.s': globals + source } });
  const machine = createMachine({ board: loadBoard('core-m4'), image, engine: new WasmCpu(cortexM4F, hotPasses) });
  const events: ExceptionEvent[] = [];
  machine.exceptions!.unit.onEvent = (event) => events.push(event);
  for (const label of [...labels, 'done']) machine.onMark(label);
  const result = machine.run({ maxCycles: 1_000_000 });
  expect(result.stop).toBe('breakpoint');
  const at = Object.fromEntries(
    [...labels, 'done'].map((label) => [label, machine.markPasses(label)[0]?.cycles ?? -1]),
  );
  machine.close();
  return { events, at };
}

const entries = (events: readonly ExceptionEvent[]): number[] =>
  events.filter(({ kind }) => kind === 'enter').map(({ number }) => number);

describe.skipIf(!hasCompiler).each([
  ['interpreted', Infinity],
  ['translated', 1],
])('interrupt timing, %s (needs arm-none-eabi-gcc)', (_, hotPasses) => {
  it('an interrupt set pending by a store enters its handler after the store and the latency, and comes back', () => {
    const { events, at } = watch(
      program('movs r0, #1\nbefore: str r0, [r5]\nafter: nop\n'),
      ['before', 'after'],
      hotPasses,
    );
    const [enter, leave] = events;
    // STR is 1 cycle; `bx lr` 1 + 2 before the return itself.
    expect(enter).toEqual({ kind: 'enter', number: IRQ, cycles: at['before']! + 1 + cost.entry });
    expect(leave).toEqual({ kind: 'return', number: IRQ, cycles: enter!.cycles + 3 });
    expect(at['after']).toBe(leave!.cycles + cost.exit);
  });

  it('the next pending interrupt is tail-chained without unstacking', () => {
    const { events, at } = watch(
      program('movs r0, #3\nbefore: str r0, [r5]\nafter: nop\n'),
      ['before', 'after'],
      hotPasses,
    );
    expect(entries(events)).toEqual([IRQ, IRQ + 1]);
    const [, firstLeave, second, secondLeave] = events;
    expect(second!.cycles).toBe(firstLeave!.cycles + cost.tailChain);
    expect(at['after']).toBe(secondLeave!.cycles + cost.exit);
  });

  it('SysTick interrupts a loop at the boundary of the instruction during which it is due', () => {
    const loop = `${startTick(2000)}\nldr r2, =2000\nturn: subs r2, #1\nbne turn\n`;
    const { events, at } = watch(program(loop), ['started'], hotPasses);
    // CVR is written before the start: the count begins at RVR one cycle after the enabling store.
    const due = at['started']! - 1 + 2001;
    const delay = events[0]!.cycles - cost.entry - due;
    expect(entries(events)).toEqual([SYSTICK, SYSTICK, SYSTICK]);
    expect(delay).toBeGreaterThanOrEqual(0);
    expect(delay).toBeLessThan(3);
    // The period is 2001 cycles; each is taken at the next boundary.
    expect(events[2]!.cycles - events[0]!.cycles - 2001).toBeGreaterThanOrEqual(-2);
    expect(events[2]!.cycles - events[0]!.cycles - 2001).toBeLessThanOrEqual(2);
  });

  it('sleep ends exactly when SysTick is due', () => {
    const { events, at } = watch(program(`${startTick(5000)}\nwfi\nafter: nop\n`), ['started', 'after'], hotPasses);
    const due = at['started']! - 1 + 5001;
    expect(events[0]!.cycles).toBeGreaterThanOrEqual(due + cost.entry);
    expect(events[0]!.cycles).toBeLessThanOrEqual(due + cost.entry + 1);
    expect(at['after']).toBe(events[1]!.cycles + cost.exit);
  });

  it('a more urgent interrupt that arrives while another is entered goes first, in the same entry', () => {
    // SysTick (0x00) becomes due a few cycles after interrupt 1 (0x80) has been set pending.
    const body = `${startTick(100)}
  movs r0, #2
  movs r2, #29
turn: subs r2, #1
  bne turn
  .rept 2\n  nop\n  .endr
before: str r0, [r5]
after: nop\n`;
    const late = watch(program(body, [0x40, 0x80, 0x00]), ['started', 'before', 'after'], hotPasses);
    const due = late.at['started']! - 1 + 101;
    const taken = late.at['before']! + 1;
    expect(due).toBeGreaterThan(taken);
    expect(due).toBeLessThanOrEqual(taken + cost.entry);
    expect(entries(late.events).slice(0, 2)).toEqual([SYSTICK, IRQ + 1]);
    expect(late.events[0]!.cycles).toBe(taken + cost.entry);
    expect(late.events[2]!.cycles).toBe(late.events[1]!.cycles + cost.tailChain);
  });

  it('one that is not more urgent waits for the end of the handler', () => {
    const { events } = watch(program('movs r0, #3\nstr r0, [r5]\nnop\n', [0x80, 0x40, 0xc0]), [], hotPasses);
    expect(entries(events)).toEqual([IRQ + 1, IRQ]);
  });

  it('PRIMASK holds interrupts back until the instruction that clears it', () => {
    const body = 'cpsid i\nmovs r0, #1\nstr r0, [r5]\n.rept 20\nnop\n.endr\nbefore: cpsie i\nafter: nop\n';
    const { events, at } = watch(program(body), ['before', 'after'], hotPasses);
    expect(events[0]!.cycles - at['before']! - cost.entry).toBeLessThanOrEqual(2);
    expect(events[0]!.cycles - at['before']! - cost.entry).toBeGreaterThanOrEqual(1);
  });
});
