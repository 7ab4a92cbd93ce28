/** `thumbelina/emulator` as others use it: the facade here, and the example project on the packed tarball, so that neither can rot. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { Machine, NotReachedError, UserError } from '../../emulator/index.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';
import { interruptedElf } from './support/interrupted-program.ts';

const root = packageRoot();
const isBuilt = existsSync(join(root, 'dist', 'emulator', 'index.js'));

describe.skipIf(!hasCompiler)('the library (needs arm-none-eabi-gcc)', () => {
  const load = (image = interruptedElf, board = 'core-m4'): Machine =>
    new Machine({ board, image, imageName: 'a.elf' });

  it('runs to symbols, for cycles and until conditions, and counts between symbols', () => {
    const machine = load();
    machine.runUntil({ symbol: 'main' });
    const atMain = machine.cycles;
    machine.runUntil({ cycles: 100 });
    expect(machine.cycles - atMain).toBeGreaterThanOrEqual(100);
    expect(machine.cycles - atMain).toBeLessThan(120);
    // SYST_RVR of 96: every 97 cycles, give or take the instruction that is under way.
    expect(Math.abs(machine.cyclesBetween('tick', 'tick') - 97)).toBeLessThan(16);
    machine.runUntil({ condition: (one) => one.peek('ticks') === 20, everyCycles: 10 });
    expect(machine.peek('ticks')).toBe(20);
    expect(machine.run()).toMatchObject({ stop: 'exit', exitCode: 0 });
    machine.close();
  });

  it('reads and writes variables by name and type', () => {
    const machine = load();
    machine.runUntil({ symbol: 'note' });
    machine.poke('turns', 399);
    machine.run();
    expect(machine.peek('turns')).toBe(400);
    machine.poke('trail', -2, 'int16', 31);
    expect(machine.peek('trail', 'uint16', 31)).toBe(0xfffe);
    machine.poke('trail', 0.1, 'double', 7);
    expect(machine.peek('trail', 'double', 7)).toBe(0.1);
    expect(() => machine.peek('trail')).toThrow(UserError);
    expect(() => machine.peek('trail', 'double', 8)).toThrow('trail has 64 bytes: there is no double with index 8');
    expect(() => machine.peek('nothing')).toThrow('no symbol nothing');
    machine.close();
  });

  it('says what happened instead', () => {
    const machine = load();
    const failing = (work: () => void): NotReachedError => {
      try {
        work();
      } catch (error) {
        if (error instanceof NotReachedError) return error;
        throw error;
      }
      throw new Error('nothing was thrown');
    };
    expect(failing(() => machine.runUntil({ symbol: '_fini' }, { maxCycles: 1000 })).message).toMatch(
      /^_fini was not reached: limit after 1\d\d\d cycles$/,
    );
    const ended = failing(() => machine.runUntil({ uart: 'hello' }));
    expect(ended.message).toMatch(/^"hello" was not reached: exit after \d+ cycles; the UART sent ""$/);
    expect(ended.result).toMatchObject({ stop: 'exit' });
    expect(() => machine.gpio('GPIOA')).toThrow('board core-m4 has no GPIO port GPIOA; it has none');
    machine.close();
    const faulty = load(buildProgram({ files: { 'm.c': 'int main(void) { return *(volatile int *)0x60000000; }' } }));
    expect(failing(() => faulty.runUntil({ symbol: '_fini' })).message).toContain('unmapped read at 0x60000000');
    faulty.close();
  });

  it('drives and reads pins', () => {
    const source = `
#define REG(address) (*(volatile unsigned *)(address))
int main(void) {
  REG(0x4002104c) |= 1; /* RCC_AHB2ENR.GPIOAEN */
  REG(0x48000000) = (0xabffffff & ~0xfu) | (1u << 2); /* MODER: pin 0 input, pin 1 output */
  for (;;) REG(0x48000018) = (REG(0x48000010) & 1) ? 2 : 2u << 16;
}`;
    const machine = load(buildProgram({ files: { 'pins.c': source }, flashStart: 0x0800_0000 }), 'nucleo-l4r5zi');
    const port = machine.gpio('GPIOA');
    machine.runUntil({ cycles: 2000 });
    expect(port.output(1)).toBe(0);
    port.drive(0, 1);
    machine.runUntil({ condition: () => port.output(1) === 1, everyCycles: 10 }, { maxCycles: 1000 });
    port.drive(0, 0);
    machine.runUntil({ condition: () => port.output(1) === 0, everyCycles: 10 }, { maxCycles: 1000 });
    machine.close();
  });
});

describe.skipIf(!isBuilt || !hasCompiler)('the packed tarball (needs dist and arm-none-eabi-gcc)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-packed-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (command: string, args: readonly string[], cwd: string): string => {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
    expect(`${status} ${stderr}${status === 0 ? '' : stdout}`.slice(0, 2000)).toMatch(/^0/);
    return stdout;
  };

  it('installs, lists boards, and runs the example', () => {
    const packed = run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], root).trim();
    const project = join(folder, 'project');
    cpSync(join(root, 'examples', 'firmware-unit-tests'), project, {
      recursive: true,
      filter: (path) => !path.includes('node_modules') && !path.endsWith('.elf'),
    });
    // As npm install would do, but from what is here: nothing is downloaded.
    const modules = join(project, 'node_modules');
    mkdirSync(join(modules, 'thumbelina'), { recursive: true });
    run('tar', ['xzf', join(folder, packed), '--strip-components=1', '-C', join(modules, 'thumbelina')], folder);
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const name of [...Object.keys(dependencies), 'vitest'])
      symlinkSync(join(root, 'node_modules', name), join(modules, name));
    expect(run('node', [join(modules, 'thumbelina', 'bin', 'thumbelina'), 'boards'], project)).toContain('mps2-an386');
    run('node', [join(modules, 'vitest', 'vitest.mjs'), 'run'], project);
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'NodeNext',
          target: 'ES2023',
          strict: true,
          noEmit: true,
          types: ['node'],
          typeRoots: [join(root, 'node_modules', '@types')],
        },
        include: ['test'],
      }),
    );
    run('node', [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'], project);
  });
});
