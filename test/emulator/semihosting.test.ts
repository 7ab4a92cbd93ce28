/** A newlib program linked for semihosting (rdimon), and single operations a library does not use. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { simExitCode, simulate, type SimReport } from '../../emulator/sim.ts';
import { assembleFunctions, buildProgram, hasCompiler } from './support/assemble.ts';

const program = `
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int main(void) {
  char *text = malloc(100);
  sprintf(text, "%d %.3f", 42, 3.25);
  puts(text);
  fprintf(stderr, "to stderr\\n");
  int c;
  while ((c = getchar()) != EOF) putchar(c + 1);
  printf("\\n%s %s %d\\n", fopen("/etc/passwd", "r") ? "opened" : "refused", fopen("out.txt", "w") ? "opened" : "refused", remove("x"));
  return 5;
}`;

function run(firmware: Uint8Array, input = ''): { report: SimReport; stdout: string; stderr: string } {
  const out = { stdout: '', stderr: '' };
  const report = simulate({
    board: loadBoard('mps2-an386'),
    firmware,
    firmwareName: 'semi.elf',
    consoleInput: new TextEncoder().encode(input),
    onConsole: (bytes, stream) => {
      out[stream] += new TextDecoder().decode(bytes);
    },
    maxCycles: 1e8,
  });
  return { report, ...out };
}

describe.skipIf(!hasCompiler)('semihosting (needs arm-none-eabi-gcc)', () => {
  it('runs a newlib program: printf, malloc, stdin, exit code; the host’s files are refused', () => {
    const { report, stdout, stderr } = run(
      buildProgram({ files: { 'main.c': program }, newlib: true, flags: ['-u', '_printf_float'] }),
      'HAL',
    );
    expect(stdout).toBe('42 3.250\nIBM\nrefused refused -1\n');
    expect(stderr).toBe('to stderr\n');
    expect(report).toMatchObject({ stop: 'exit', exitCode: 5, fault: null, uart: '' });
    expect(simExitCode(report)).toBe(7);
    expect(report.stackBytes).toBeGreaterThan(100);
    expect(report.stackBytes).toBeLessThan(4096);
  });

  it.each([
    ['SYS_EXIT with ApplicationExit is 0', 'movs r0, #0x18; ldr r1, =0x20026; bkpt 0xab', 0],
    ['SYS_EXIT with another reason is 1', 'movs r0, #0x18; ldr r1, =0x20023; bkpt 0xab', 1],
    [
      'SYS_EXIT_EXTENDED carries its code',
      'movs r0, #0x20; adr r1, 1f; bkpt 0xab; .balign 4; 1: .word 0x20026, 77',
      77,
    ],
  ])('%s', (_, body, exitCode) => {
    expect(run(assembleFunctions({ main: body })).report).toMatchObject({ stop: 'exit', exitCode });
  });

  it('serves the console, clock and features operations', () => {
    const machine = createMachine({
      board: loadBoard('core-m4'),
      consoleInput: Uint8Array.of(65),
      commandLine: 'prog -v',
      onConsole: (bytes) => written.push(...bytes),
      image: assembleFunctions({ semi: 'bkpt 0xab; bx lr', delay: '1: subs r0, #1; bne 1b; bx lr' }),
    });
    const written: number[] = [];
    const block = machine.allocate(64);
    const text = machine.allocate(64);
    const call = (operation: number, ...words: number[]): number => {
      machine.writeMemory(block, new Uint8Array(Uint32Array.from(words).buffer));
      return machine.call('semi', [operation, block]).value;
    };
    const put = (value: string): number => {
      machine.writeMemory(text, new TextEncoder().encode(`${value}\0`));
      return value.length;
    };
    expect(machine.call('semi', [0x04, (put('write0'), text)]).stop).toBe('return');
    expect(machine.call('semi', [0x03, text]).stop).toBe('return');
    expect(String.fromCharCode(...written)).toBe('write0w');
    expect([machine.call('semi', [0x07, 0]).value, machine.call('semi', [0x07, 0]).value]).toEqual([65, -1]);

    const features = call(0x01, text, 0, put(':semihosting-features'));
    expect(features).toBeGreaterThan(0);
    expect(call(0x0c, features)).toBe(5);
    expect(call(0x06, features, text, 8)).toBe(3);
    expect([...machine.readMemory(text, 5)]).toEqual([0x53, 0x48, 0x46, 0x42, 3]);
    expect(call(0x0a, features, 4)).toBe(0);
    expect([call(0x06, features, text, 1), machine.readMemory(text, 1)[0]]).toEqual([0, 3]);
    expect([call(0x09, features), call(0x02, features), call(0x02, features)]).toEqual([0, 0, -1]);

    const console = call(0x01, text, 4, put(':tt'));
    expect([call(0x09, console), call(0x0c, console), call(0x0a, console, 0)]).toEqual([1, 0, -1]);
    expect(call(0x05, console, text, 3)).toBe(0);
    expect(call(0x06, console, text, 3)).toBe(3); // not open for reading
    expect(call(0x05, console, 0x6000_0000, 3)).toBe(3); // a wild pointer writes nothing
    expect(call(0x01, text, 4, put('file.txt'))).toBe(-1);
    expect(call(0x13)).toBe(13);
    expect(call(0x15, text, 64)).toBe(0);
    expect(new TextDecoder().decode(machine.readMemory(text, 8))).toBe('prog -v\0');
    expect(call(0x15, text, 3)).toBe(-1);
    expect([call(0x08, 0xffff_ffff), call(0x08, 1), call(0x11), call(0x12)]).toEqual([1, 0, 0, -1]);
    expect(call(0x31)).toBe(machine.board.clockHz);
    expect([call(0x30), machine.memory.readWord(block)]).toEqual([0, 0]);
    expect(machine.call('semi', [0x999, block]).value).toBe(-1);
    machine.close();
  });
});
