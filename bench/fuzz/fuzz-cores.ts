/** The cores that random code is made for, and how QEMU emulates each, or a core that has every instruction of it. */
import { loadBoard } from '../../boards/load.ts';
import type { Board } from '../../boards/schema.ts';
import { cpuFlags } from '../../firmware-gen/emit/build-flags.ts';
import { coreOf, type Core } from '../../emulator/cores/core.ts';
import { isMainline } from '../../emulator/cores/core-facts.ts';

export interface FuzzCore {
  readonly name: string;
  readonly core: Core;
  /** The board our engine runs; RAM is where random accesses go. */
  readonly board: Board;
  readonly machine: string;
  /** The machine's core has more instructions than this one. */
  readonly standIn: boolean;
  /** Also run on libunicorn, whose one model this core is; that compares cycles and instruction counts too. */
  readonly onUnicorn: boolean;
  readonly flash: number;
  readonly flashBytes: number;
  readonly ram: number;
  /** For the compiler of runner/, which must keep to this core. */
  readonly flags: readonly string[];
}

function makeCore(name: string, machine: string, board: Board, onUnicorn = false): FuzzCore {
  const core = coreOf(board);
  const [flash, ram] = (['flash', 'ram'] as const).map((kind) => board.memory.find((memory) => memory.kind === kind)!);
  const has = (holds: boolean, definition: string): string[] => (holds ? [`-DHAS_${definition}`] : []);
  return {
    ...{ name, core, board, machine, onUnicorn, standIn: core.architecture === 'v8-m.base' },
    ...{ flash: flash!.start, flashBytes: flash!.bytes, ram: ram!.start },
    flags: [
      ...cpuFlags(board),
      ...has(core.fpu !== 'none', 'FPU'),
      ...has(isMainline(core), 'FAULT_STATUS'),
      ...has(core.dsp, 'DSP'),
      // The Cortex-M33 that stands in for Baseline does not refuse unaligned accesses by itself.
      ...has(core.architecture === 'v8-m.base', 'UNALIGNED_TRAP'),
    ],
  };
}

/** QEMU's nRF51 has this much; ours has more by itself. */
function microbit(name: 'core-m0' | 'core-m0plus'): Board {
  const board = loadBoard(name);
  const bytes = { flash: 256 << 10, ram: 16 << 10 } as const;
  return {
    ...board,
    memory: board.memory.map((memory) => ({ ...memory, bytes: bytes[memory.kind] })),
  };
}

export const fuzzCores: readonly FuzzCore[] = [
  makeCore('cortex-m4', 'mps2-an386', loadBoard('mps2-an386'), true),
  makeCore('cortex-m7', 'mps2-an500', loadBoard('mps2-an500')),
  makeCore('cortex-m33', 'mps2-an505', loadBoard('mps2-an505')),
  makeCore('cortex-m3', 'mps2-an385', loadBoard('mps2-an385')),
  makeCore('cortex-m0', 'microbit', microbit('core-m0')),
  makeCore('cortex-m0plus', 'microbit', microbit('core-m0plus')),
  makeCore('cortex-m23', 'mps2-an505', { ...loadBoard('mps2-an505'), core: 'cortex-m23', fpu: 'none' }),
];

/** @throws Error for a name that is not in the table */
export function fuzzCore(name: string): FuzzCore {
  const found = fuzzCores.find((core) => core.name === name);
  if (found === undefined) throw new Error(`no fuzz core ${name}`);
  return found;
}
