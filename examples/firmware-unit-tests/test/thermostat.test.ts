import { readFileSync } from 'node:fs';
import { Machine } from 'thumbelina/emulator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const image = new Uint8Array(readFileSync('firmware/thermostat.elf'));
let machine: Machine;
beforeEach(() => {
  machine = new Machine({ board: 'mps2-an386', image });
});
afterEach(() => machine.close());

describe('functions', () => {
  it('averages the last four readings', () => {
    expect(machine.call('average').value).toBe(20);
    for (const [index, value] of [10, 20, 30, -8].entries()) machine.poke('readings', value, 'int16', index);
    expect(machine.call('average').value).toBe(13);
  });

  it('averages in less than 60 cycles', () => {
    expect(machine.call('average').cycles).toBeLessThan(60);
  });

  it.each([
    [17, 0, 1],
    [19, 0, 0],
    [19, 1, 1],
    [21, 1, 1],
    [22, 1, 0],
  ])('at %i degrees and heating %i, heats %i', (reading, before, after) => {
    machine.call('average'); // initialised data is in place after the first call
    for (let index = 0; index < 4; index++) machine.poke('readings', reading, 'int16', index);
    machine.poke('heating', before);
    machine.call('control');
    expect(machine.peek('heating')).toBe(after);
  });
});

describe('firmware', () => {
  it('answers on its UART', () => {
    machine.runUntil({ uart: 'ready\n' });
    machine.sendUart('t 25\n');
    machine.runUntil({ uart: 'heat\n' });
    expect(machine.peek('target', 'int16')).toBe(25);
    for (let sent = 0; sent < 4; sent++) machine.sendUart('r 30\n');
    machine.runUntil({ uart: 'idle\n' });
    expect(machine.peek('heating')).toBe(0);
  });

  it('counts time by SysTick, to the cycle', () => {
    machine.runUntil({ uart: 'ready\n' });
    machine.runUntil({ symbol: 'tick' });
    // Polling loops end at instruction boundaries: a few cycles either way.
    expect(Math.abs(machine.cyclesBetween('tick', 'tick') - 25000)).toBeLessThan(10);
    machine.runUntil({ condition: (one) => one.peek('seconds') >= 10 });
    expect(machine.cycles).toBeGreaterThan(240_000);
  });
});
