/** The gdb server against the real gdb-multiarch over TCP: what users do, and what gdb then says. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import type { SimReport } from '../../emulator/sim.ts';
import { debugFirmware } from '../../harness/gdb-listener.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';
import { interruptedSource } from './support/interrupted-program.ts';

const GDB = 'gdb-multiarch';
const hasGdb = spawnSync(GDB, ['--version']).status === 0;
const engines = ['unicorn', 'wasm'] as const;

const program = `
#include <stdio.h>
#include <stdint.h>
volatile int counter;
int table[4] = {1, 2, 3, 4};
volatile float ratio = 1.5f;
__attribute__((noinline)) int add(int a, int b) {
  counter += a;
  return a + b;
}
__attribute__((noinline)) int loop(int n) {
  int s = 0;
  for (int i = 0; i < n; i++) {
    s += table[i & 3];
    if (i == 5) counter = 77;
  }
  return s;
}
int main(void) {
  int r = add(2, 3);
  r += loop(100);
  ratio *= 2.0f;
  printf("r=%d counter=%d\\n", r, counter);
  return 3;
}`;

const other = `int main(void) { for (;;) __asm volatile("wfi"); }`;

const faulty = `
int peek(volatile int *p) { return *p; }
int main(void) { return peek((volatile int *)0x60000000); }`;

/** Ends once the debugger has set `over`. */
const endless = `
volatile int count, over;
int main(void) {
  while (!over) count = (count + 1) & 0xffff;
  for (;;) __asm volatile("wfi");
}`;

interface Session {
  readonly text: string;
  readonly report: SimReport | null;
}

describe.skipIf(!hasCompiler || !hasGdb)('gdb-multiarch (needs it and arm-none-eabi-gcc)', () => {
  const folder = hasCompiler && hasGdb ? mkdtempSync(join(packageRoot(), 'build', 'gdb-')) : '';
  afterAll(() => rmSync(folder, { recursive: true }));
  const flags = ['-g', '-Og'];
  const build = (name: string, source: string, newlib: boolean): Uint8Array => {
    const elf = buildProgram({ files: { [`${name}.c`]: source }, newlib, flags });
    writeFileSync(join(folder, `${name}.elf`), elf);
    return elf;
  };

  /** Serves `firmware` and lets gdb, knowing `symbols`.elf, run the commands; returns all that gdb printed. */
  async function debug(
    firmware: Uint8Array,
    symbols: string,
    commands: readonly string[],
    engine: (typeof engines)[number],
    interruptAfter?: string,
  ): Promise<Session> {
    let gdbOutput: Promise<string> = Promise.resolve('');
    const report = await debugFirmware({
      board: loadBoard('mps2-an386'),
      firmware,
      firmwareName: 'served.elf',
      engine,
      port: 0,
      onListening: (port) => {
        const all = [`target remote 127.0.0.1:${port}`, ...commands];
        gdbOutput = runGdb(join(folder, `${symbols}.elf`), all, interruptAfter);
      },
    });
    return { text: await gdbOutput, report };
  }

  it.each(engines)(
    'loads into flash, breaks, steps, finishes, reads and writes, watches, runs to the exit (%s)',
    async (engine) => {
      build('program', program, true);
      const { text, report } = await debug(
        build('other', other, false),
        'program',
        [
          'load',
          'compare-sections',
          'monitor reset halt',
          'maintenance flush register-cache',
          'info registers pc msp control',
          'break add',
          'continue',
          'info registers r0 r1',
          'print $pc == (long)&add & ~1',
          'backtrace',
          'stepi',
          'print $pc - ((long)&add & ~1)',
          'finish',
          'print table',
          'set var table[2] = 30',
          'print table[2]',
          'print/x *(unsigned *)0xe000ed00',
          'print *(int *)0xfffffffc',
          'set var $r7 = 0x1234',
          'print/x $r7',
          'set var $s3 = 2.5',
          'print $d1',
          'print $s3',
          'monitor cycles',
          'tbreak loop',
          'continue',
          'set var n = 8',
          'watch counter',
          'continue',
          'delete',
          'rwatch table[3]',
          'continue',
          'delete',
          'finish',
          'next',
          'next',
          'print ratio',
          'continue',
        ],
        engine,
      );
      expect(text.match(/matched\./g)).toHaveLength(4);
      expect(text).not.toContain('MIS-MATCHED');
      expect(text).toMatch(/Breakpoint 1, add \(a=a@entry=2, b=b@entry=3\)/);
      expect(text).toMatch(/r0 +0x2 .*\nr1 +0x3 /);
      expect(text).toMatch(/#1 .* in main \(\) at program.c:20/);
      expect(text).toContain('Value returned is $');
      expect(text).toContain('= {1, 2, 3, 4}');
      expect(text).toContain('= 30\n');
      expect(text).toContain('= 0x410fc241'); // CPUID of a Cortex-M4 r0p1
      expect(text).toContain('Cannot access memory at address 0xfffffffc');
      expect(text).toContain('= 0x1234\n');
      expect(text).toContain('= 2.5\n');
      expect(text).toMatch(/[0-9]+ cycles, [0-9]+ instructions since reset/);
      expect(text).toMatch(/Hardware watchpoint 3: counter\n\nOld value = 2\nNew value = 77\n/);
      // libunicorn passes IT blocks as a whole and cannot see every read; it says so instead of missing one.
      if (engine === 'wasm') expect(text).toMatch(/Hardware read watchpoint 4: table\[3\]\n\nValue = 4\n/);
      else expect(text).toContain('Could not insert hardware watchpoint 4.');
      expect(text).toContain('= 3\n'); // ratio was doubled
      expect(text).toContain('r=79 counter=77\n'); // 5 + 2 * (1 + 2 + 30 + 4)
      expect(text).toContain('exited with code 03');
      expect(report).toMatchObject({ stop: 'exit', exitCode: 3, fault: null });
    },
    20_000,
  );

  it('steps over interrupts and goes backwards', async () => {
    const { text, report } = await debug(
      build('interrupted', interruptedSource, false),
      'interrupted',
      [
        'load',
        'compare-sections',
        'break note if turn == 30',
        'continue',
        'set var $ticks_before = ticks',
        'stepi 100',
        'print ticks > $ticks_before',
        'print $xpsr & 0x1ff',
        'delete',
        'watch last_tick',
        'continue',
        'continue',
        'reverse-continue',
        'reverse-continue',
        'delete',
        'break tick',
        'reverse-continue',
        'info symbol $pc',
        'reverse-stepi',
        'info symbol $pc',
        'delete',
        'tbreak note',
        'reverse-continue',
        'print turn',
        'reverse-next',
        'next',
        'reverse-continue',
        'info symbol $pc',
        'continue',
      ],
      'wasm',
    );
    expect(text).not.toContain('MIS-MATCHED');
    expect(text).toContain('Breakpoint 1, note (turn=30)');
    expect(text).toContain('$1 = 1\n$2 = 0\n'); // interrupts came, none was stepped into
    const changes = [...text.matchAll(/Old value = (\d+)\nNew value = (\d+)/g)].map(([, from, to]) => [from, to]);
    expect(changes).toEqual([
      [changes[0]?.[0], changes[0]?.[1]],
      [changes[0]?.[1], changes[1]?.[1]],
      [changes[1]?.[1], changes[0]?.[1]],
      [changes[0]?.[1], changes[0]?.[0]],
    ]);
    expect(text).toMatch(/Breakpoint 3, tick \(\)/);
    expect(text).toMatch(/\ntick in section .text\n/);
    expect(text).toMatch(/\n(main|note)( \+ \d+)? in section .text\n/); // what the interrupt had interrupted
    expect(text).toMatch(/Temporary breakpoint 4, (0x[0-9a-f]+ in )?note \(turn=3\d\)/);
    expect(text).toContain('No more reverse-execution history.');
    expect(text).toMatch(/\nreset in section .text\n/);
    expect(text).toContain('exited normally');
    expect(report).toMatchObject({ stop: 'exit', exitCode: 0 });
  }, 20_000);

  it.each(engines)(
    'names a fault (%s)',
    async (engine) => {
      const { text, report } = await debug(
        build('faulty', faulty, false),
        'faulty',
        ['continue', 'print/x $r0', 'backtrace', 'kill'],
        engine,
      );
      expect(text).toMatch(/fault at 0x[0-9a-f]{8} \((main|peek)[^)]*\): unmapped read at 0x60000000\n/);
      expect(text).toContain('Program received signal SIGSEGV');
      expect(text).toContain('0x60000000');
      // In front of the instruction, not in the handler that gave up.
      expect(text).toMatch(/#0 .*(main|peek) \(/);
      expect(report).toBeNull();
    },
    20_000,
  );

  it.each(engines)(
    'is interrupted while it runs, and detached runs on alone (%s)',
    async (engine) => {
      const elf = build('endless', endless, false);
      const commands = ['print count', 'continue', 'print $pc > 0', 'set var over = 1', 'detach'];
      const { text, report } = await debug(elf, 'endless', commands, engine, '$1 = 0');
      expect(text).toContain('$1 = 0\n');
      expect(text).toContain('Program received signal SIGINT');
      expect(text).toContain('$2 = 1\n');
      expect(text).toContain('detached');
      expect(report).toMatchObject({ stop: 'idle' });
    },
    20_000,
  );
});

/** Runs commands one after the other, errors included; sends the debugger a ^C once it has printed `interruptAfter`. */
function runGdb(elf: string, commands: readonly string[], interruptAfter?: string): Promise<string> {
  const settings = ['set pagination off', 'set confirm off', 'set width 0'];
  const args = ['-nx', '--batch', elf];
  for (const command of [...settings, ...commands]) args.push('-ex', command);
  const gdb = spawn(GDB, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let interrupted = interruptAfter === undefined;
  const collect = (bytes: Buffer): void => {
    text += bytes.toString();
    if (interrupted || !text.includes(interruptAfter ?? '')) return;
    interrupted = true;
    setTimeout(() => gdb.kill('SIGINT'), 300);
  };
  gdb.stdout.on('data', collect);
  gdb.stderr.on('data', collect);
  return new Promise((resolve) => gdb.on('close', () => resolve(text)));
}
