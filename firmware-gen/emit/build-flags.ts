/** Compiler flags: one place for the emitted Makefile and for our own build, so that both give the same image. */
import type { Board } from '../../boards/schema.ts';

/** -ffp-contract=off: fused multiply-adds would change float results; the reference rounds after every operation. */
const OPTIMISATION = ['-O2', '-std=c99', '-ffp-contract=off', '-ffunction-sections', '-fdata-sections'];

/** Every kernel compiles clean under these; our own build turns them into errors. */
export const WARNING_FLAGS: readonly string[] = ['-Wall', '-Wextra', '-Wconversion', '-Wshadow'];

export const INCLUDE_FLAGS: readonly string[] = ['-I.', '-Ikernels/include', '-Iruntime'];

/** gcc's name of the core; it has one of its own for parts whose multiplies take 32 cycles. */
function cpuName({ core, multiplier }: Board): string {
  const isSmall = multiplier === 'iterative' && core !== 'cortex-m23';
  return isSmall ? `${core}.small-multiply` : core;
}

export function cpuFlags(board: Board): string[] {
  const fpu = board.fpu === 'none' ? ['-mfloat-abi=soft'] : ['-mfloat-abi=hard', `-mfpu=${board.fpu}`];
  return [`-mcpu=${cpuName(board)}`, '-mthumb', ...fpu];
}

/** Bytes up to which kernels keep a loop nest whole in the cache between flash and core, at the price of a few branches. */
const SMALL_CACHE_BYTES = 1024;

function cacheFlags({ timing }: Board): string[] {
  const bytes = timing.art?.instructionCacheBytes ?? timing.cache?.cacheBytes ?? 0;
  return bytes >= SMALL_CACHE_BYTES / 2 && bytes <= SMALL_CACHE_BYTES ? ['-DTL_SMALL_INSTRUCTION_CACHE'] : [];
}

export function compileFlags(board: Board): string[] {
  return [...cpuFlags(board), ...cacheFlags(board), ...OPTIMISATION];
}

/** The runtime brings its own start-up code; newlib (nano) is there for the mathematics of float kernels. */
export function linkFlags(board: Board): string[] {
  return [
    ...cpuFlags(board),
    '-nostartfiles',
    '--specs=nano.specs',
    '-Tlinker.ld',
    '-Wl,--gc-sections',
    '-Wl,-Map=firmware.map',
  ];
}
