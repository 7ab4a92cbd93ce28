/** `sim` as a function: the report of the contract, arguments of --call, exit codes. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { parseCallArgument, simExitCode, simulate } from '../../emulator/sim.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const source = `
#include <stdint.h>
int sum(const uint8_t *data, int n) { int s = 0; for (int i = 0; i < n; i++) s += data[i]; return s; }
int six(int a, int b, int c, int d, int e, int f) { return a + 10 * b + 100 * c + 1000 * d + 10000 * e + 100000 * f; }
void fill(uint8_t *data, int n) { for (int i = 0; i < n; i++) data[i] = (uint8_t)i; }
__attribute__((noinline, noclone)) int deep(int n) { volatile char pad[100]; for (int i = 0; i < 100; i++) pad[i] = (char)n; return n == 0 ? pad[0] : deep(n - 1) + pad[0]; }
int fault(void) { return *(volatile int *)0x60000000; }
void spin(void) { for (volatile int i = 0;; i++) { } }
int main(void) { for (;;) __asm volatile("wfi"); }`;

describe.skipIf(!hasCompiler)('simulate (needs arm-none-eabi-gcc)', () => {
  const base = {
    board: loadBoard('core-m4'),
    firmware: hasCompiler ? buildProgram({ files: { 'main.c': source } }) : new Uint8Array(),
    firmwareName: 'a.elf',
  };
  const call = (symbol: string, args: string[], data?: Uint8Array): ReturnType<typeof simulate> =>
    simulate({
      ...base,
      maxCycles: 1e6,
      call: {
        symbol,
        args: [...(data === undefined ? [] : [{ kind: 'data' as const, data }]), ...args.map(parseCallArgument)],
      },
    });

  it('runs from reset to idle', () => {
    const report = simulate(base);
    expect(report).toMatchObject({ stop: 'idle', exitCode: 0, fault: null, uart: '', returnValue: null });
    expect(report.cycles).toBeGreaterThan(report.instructions);
    expect(report.wallSeconds).toBeGreaterThan(0);
    expect(simExitCode(report)).toBe(0);
  });

  it('is the same every time', () => {
    const { wallSeconds: first, ...report } = simulate(base);
    const { wallSeconds: second, ...again } = simulate(base);
    expect(first).not.toBe(second);
    expect(again).toEqual(report);
  });

  it('calls with data, buffers and integers', () => {
    expect(call('sum', ['3'], Uint8Array.of(1, 2, 3, 4))).toMatchObject({
      stop: 'return',
      returnValue: 6,
      exitCode: 0,
    });
    expect(call('six', ['1', '2', '0x3', '4', '5', '6'])).toMatchObject({ returnValue: 654321 });
    expect(call('six', ['-1', '0', '0', '0', '0', '0'])).toMatchObject({ returnValue: -1 });
    expect(call('fill', ['buf:1000', '1000'])).toMatchObject({ stop: 'return' });
    expect(call('sum', ['buf:1000', '1000'])).toMatchObject({ returnValue: 0 });
  });

  it('measures the stack', () => {
    const shallow = call('deep', ['1']).stackBytes ?? 0;
    const deep = call('deep', ['11']).stackBytes ?? 0;
    expect(deep - shallow).toBeGreaterThanOrEqual(10 * 104);
    expect(deep - shallow).toBeLessThanOrEqual(10 * 128);
  });

  it('reports faults and limits with their exit codes', () => {
    const fault = call('fault', []);
    expect(fault).toMatchObject({
      stop: 'fault',
      returnValue: null,
      exitCode: null,
      fault: { cause: 'unmapped read at 0x60000000' },
    });
    expect(fault.fault?.symbol).toMatch(/^fault\+0x/);
    expect(simExitCode(fault)).toBe(7);
    const limit = call('spin', []);
    expect(limit).toMatchObject({ stop: 'limit', fault: null });
    expect(limit.cycles).toBeLessThan(1e6 + 100);
    expect(simExitCode(limit)).toBe(6);
    expect(() => call('nothing', [])).toThrow('a.elf: no symbol nothing');
    expect(() => call('fill', ['buf:99999999', '1'])).toThrow(
      '99999999 bytes of buffers do not fit the RAM of board core-m4',
    );
  });
});

describe('arguments of --call', () => {
  it.each([
    ['12', { kind: 'integer', value: 12 }],
    ['-0x10', { kind: 'integer', value: -16 }],
    ['0xFFFFFFFF', { kind: 'integer', value: 0xffff_ffff }],
    ['buf:64', { kind: 'buffer', bytes: 64 }],
  ])('%s', (text, expected) => {
    expect(parseCallArgument(text)).toEqual(expected);
  });

  it.each(['', 'x', '1.5', '4294967296', '-2147483649', 'buf:', 'buf:-1', '0x', '1e3'])('"%s" is refused', (text) => {
    expect(() => parseCallArgument(text)).toThrow(`--args: "${text}" is neither`);
  });

  it('exit codes follow the contract', () => {
    expect(simExitCode({ stop: 'exit', exitCode: 0 })).toBe(0);
    expect(simExitCode({ stop: 'exit', exitCode: 3 })).toBe(7);
    expect(simExitCode({ stop: 'breakpoint', exitCode: null })).toBe(7);
    expect(simExitCode({ stop: 'return', exitCode: 0 })).toBe(0);
  });
});
