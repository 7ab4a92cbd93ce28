/**
 * A preemptive kernel (PendSV, SysTick, SVC, mutexes, FPU contexts) runs: no register is lost across a switch, the order of tasks is QEMU's, and
 * two runs agree to the cycle. With a million switches: `RTOS_SWITCHES=1000000 npx vitest run test/emulator/rtos` (3 minutes, QEMU's two).
 */
import { describe, expect, it } from 'vitest';
import { hasCompiler } from '../support/assemble.ts';
import { hasQemu, onQemu } from '../support/on-qemu.ts';
import { buildScheduler, runScheduler } from './support/scheduler.ts';

const SWITCHES = Number(process.env['RTOS_SWITCHES'] ?? 20_000);
const QEMU_SECONDS_MAX = 60 + SWITCHES / 2000;

describe.skipIf(!hasCompiler)('a preemptive kernel (needs arm-none-eabi-gcc)', () => {
  it.skipIf(!hasQemu).each([
    ['mutexes, sleep and yields', { switches: SWITCHES, hogs: false }],
    ['time slices', { switches: 4_000, hogs: true }],
  ])('%s: order as on QEMU (needs qemu-system-arm)', { timeout: (QEMU_SECONDS_MAX + 60) * 1000 }, (_, options) => {
    const elf = buildScheduler(options);
    const ours = runScheduler(elf);
    expect(ours.fault).toBeNull();
    expect(ours.stdout).toMatch(/corrupted 0, inherited [1-9]\d*, ran between 0\n/);
    const { stdout, exitCode } = onQemu(elf, 'mps2-an386', QEMU_SECONDS_MAX);
    expect({ stdout: ours.stdout, exitCode: ours.exitCode }).toEqual({ stdout, exitCode });
  });

  it('two runs have the same cycles, instructions and state', () => {
    const elf = buildScheduler({ switches: 3_000, hogs: true });
    const [first, second] = [runScheduler(elf), runScheduler(elf)];
    expect(first.exitCode).toBe(0);
    expect(second).toEqual(first);
  });

  it('interpreted and translated code switch at the same cycles', () => {
    const elf = buildScheduler({ switches: 1_500, hogs: true });
    expect(runScheduler(elf, Infinity)).toEqual(runScheduler(elf));
  });
});
