/** Backwards under the debugger: every step back gives exactly the registers and memory that were there, interrupts or not. */
import { describe, expect, it } from 'vitest';
import { hasCompiler } from './support/assemble.ts';
import { Client } from './support/gdb-client.ts';
import { interruptedElf } from './support/interrupted-program.ts';

const DATA = 'm20000000,80';
const STEPPED = 'T05thread:1;';
const AT_START = 'T05replaylog:begin;thread:1;';

class Session extends Client {
  constructor(maxCycles?: number) {
    super('wasm', maxCycles, interruptedElf);
  }

  /** Everything the debugger sees, and the counters. */
  view(): string {
    const { cycles, instructions } = this.machine.cpu.counters();
    return [this.ask('g'), this.ask(DATA), cycles, instructions].join(' ');
  }

  variable(name: string): number {
    return this.machine.readWord(this.machine.symbol(name).address);
  }

  breakAt(name: string): void {
    expect(this.ask(`Z0,${this.address(name)},2`)).toBe('OK');
  }
}

describe.skipIf(!hasCompiler)('gdb backwards (needs arm-none-eabi-gcc)', () => {
  it.each(['over', 'into'])('undoes steps one by one, interrupts %s', (mode) => {
    const session = new Session();
    session.breakAt('note');
    for (let hits = 0; hits < 20; hits++) session.ask('c');
    const line = [...`step-interrupts ${mode}`].map((letter) => letter.charCodeAt(0).toString(16)).join('');
    session.ask(`qRcmd,${line}`);
    const views = [session.view()];
    const ticksBefore = session.variable('ticks');
    let inHandler = 0;
    for (let step = 0; step < 60; step++) {
      expect(session.ask('s')).toBe(STEPPED);
      if ((session.register(25) & 0x1ff) !== 0) inHandler++;
      views.push(session.view());
    }
    // Interrupts came, and were stepped through or passed over.
    expect(session.variable('ticks')).toBeGreaterThan(ticksBefore);
    if (mode === 'over') expect(inHandler).toBe(0);
    else expect(inHandler).toBeGreaterThan(5);
    for (let step = 59; step >= 0; step--) {
      expect(session.ask('bs')).toBe(STEPPED);
      expect(session.view()).toBe(views[step]);
    }
    session.machine.close();
  });

  it('stops at the same breakpoints backwards as forwards, and at the beginning', () => {
    const session = new Session();
    const start = session.view();
    session.breakAt('tick');
    const views: string[] = [];
    for (let hits = 0; hits < 40; hits++) {
      expect(session.ask('c')).toBe('T05thread:1;');
      views.push(session.view());
    }
    for (let hit = 38; hit >= 0; hit--) {
      session.ask('bc');
      expect(session.view()).toBe(views[hit]);
    }
    expect(session.ask('bc')).toBe(AT_START);
    expect(session.view()).toBe(start);
    expect(session.ask('bs')).toBe(AT_START);
    session.ask('c');
    expect(session.view()).toBe(views[0]);
    session.machine.close();
  });

  it('finds the last write of a variable', () => {
    const session = new Session();
    session.breakAt('note');
    for (let hits = 0; hits < 200; hits++) session.ask('c');
    session.ask(`z0,${session.address('note')},2`);
    const cell = session.address('last_tick');
    const value = session.variable('last_tick');
    session.ask(`Z2,${cell},4`);
    // Behind the write, which the step back undoes.
    expect(session.ask('bc')).toBe(`T05watch:${cell};thread:1;`);
    expect(session.variable('last_tick')).toBe(value);
    session.ask(`z2,${cell},4`);
    session.ask('bs');
    expect(session.variable('last_tick')).toBeLessThan(value);
    session.machine.close();
  });

  it('prints nothing twice, and runs on to the same end', () => {
    const straight = new Session();
    expect(straight.ask('c')).toBe('W00');
    const end = straight.machine.cpu.counters();
    expect(straight.console).toBe('abcdefgh');
    const session = new Session();
    session.breakAt('note');
    for (let hits = 0; hits < 120; hits++) session.ask('c');
    expect(session.console).toBe('abc');
    for (let hits = 0; hits < 30; hits++) session.ask('bc');
    session.ask(`z0,${session.address('note')},2`);
    expect(session.ask('c')).toBe('W00');
    expect(session.console).toBe('abcdefgh');
    expect(session.machine.cpu.counters()).toEqual(end);
    for (const one of [straight, session]) one.machine.close();
  });

  it('forgets the future that a change replaces, and goes back to what was before the change', () => {
    const session = new Session();
    session.breakAt('note');
    for (let hits = 0; hits < 10; hits++) session.ask('c');
    const before = session.view();
    session.ask('c');
    const turns = session.address('turns');
    expect(session.ask(`M${turns},4:2c010000`)).toBe('OK'); // 300
    session.ask('c');
    expect(session.variable('turns')).toBe(301);
    session.ask('bc');
    expect(session.variable('turns')).toBe(300);
    session.ask('bc');
    expect(session.view()).toBe(before);
    session.machine.close();
  });

  it('goes back over a long run with moments in between', () => {
    const session = new Session(45_000_000);
    session.breakAt('note');
    session.ask('c');
    session.ask(`z0,${session.address('note')},2`);
    // `b .` instead: only SysTick does anything from here on, every 1,000,000 cycles; moments are taken every 20 million.
    session.ask(`M${session.address('note')},2:fee7`);
    session.ask('Me000e014,4:3f420f00');
    session.ask('Me000e018,4:00000000');
    expect(session.ask('c')).toBe('T18thread:1;');
    expect(session.variable('ticks')).toBeGreaterThan(40);
    session.breakAt('tick');
    session.ask('bc');
    const ticks = session.variable('ticks');
    expect(ticks).toBeGreaterThan(40);
    for (let hit = 1; hit <= 30; hit++) session.ask('bc');
    expect(session.variable('ticks')).toBe(ticks - 30);
    session.ask(`z0,${session.address('tick')},2`);
    expect(session.ask('bc')).toBe(AT_START);
    expect(session.machine.cpu.counters()).toEqual({ cycles: 0, instructions: 0 });
    session.machine.close();
  });

  it('is not offered where the engine cannot', () => {
    const unicorn = new Client('unicorn');
    expect(unicorn.ask('qSupported')).not.toContain('Reverse');
    expect(unicorn.ask('bc')).toBe('');
    unicorn.machine.close();
    const session = new Session();
    expect(session.ask('qSupported')).toContain(';ReverseContinue+;ReverseStep+');
    session.machine.close();
  });
});
