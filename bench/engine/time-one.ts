/**
 * One run in a process of its own, as the engines it is compared with have theirs: node time-one.js ELF ENGINE BOARD TIMING prints JSON. Timed is
 * the run from reset to exit with all translation; not the start of Node and the loading of the file.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { loadBoard } from '../../boards/load.ts';
import type { Board } from '../../boards/schema.ts';
import { assert, defined } from '../../common/errors.ts';
import type { TimingMode } from '../../emulator/board-timing.ts';
import { createMachine, type EngineName } from '../../emulator/create-machine.ts';
import { parseElf } from '../../emulator/elf.ts';
import { RP2040_FLASH_START } from './programs.ts';

export const RP2040_BOARD = 'rp2040';

export interface Timing {
  readonly seconds: number;
  /** Null for an engine that counts none or others. */
  readonly cycles: number | null;
  readonly instructions: number;
  /** Checksum of the program's work. */
  readonly exitCode: number;
}

const now = (): number => performance.now() / 1000;

function timeMachine(elf: string, engine: EngineName, boardName: string, timing: TimingMode): Timing {
  const machine = createMachine({ board: boardOf(boardName), image: readFileSync(elf), engine, timing });
  const start = now();
  const { stop, cycles, instructions, exitCode } = machine.run({ maxCycles: 1e12 });
  const seconds = now() - start;
  machine.close();
  assert(stop === 'exit' && exitCode !== null, `${elf} on ${engine} stopped by ${stop}`);
  return { seconds, cycles, instructions, exitCode };
}

const RAM_START = 0x2000_0000;

/** The part of rp2040js that is used. It is loaded only to be compared with: nothing else needs it installed. */
interface Rp2040 {
  readonly flash: Uint8Array;
  readonly sram: Uint8Array;
  readonly core: { SP: number; PC: number; readonly registers: Uint32Array; executeInstruction(): number };
  onBreak: (code: number) => void;
  readUint32(address: number): number;
}
const RP2040JS = 'rp2040js';

/** The memories of the RP2040 without wait states. */
function boardOf(name: string): Board {
  if (name !== RP2040_BOARD) return loadBoard(name);
  const board = loadBoard('core-m0plus');
  const memory = board.memory.map((one) => (one.kind === 'flash' ? { ...one, start: RP2040_FLASH_START } : one));
  return { ...board, memory };
}

/** Its peripherals are not ticked, which is to its advantage. */
async function timeRp2040(elf: string): Promise<Timing> {
  const { RP2040 } = (await import(RP2040JS)) as { readonly RP2040: new () => Rp2040 };
  const chip = new RP2040();
  const { segments } = parseElf(readFileSync(elf), elf);
  for (const { runAddress: address, bytes } of segments) {
    if (address >= RAM_START) chip.sram.set(bytes, address - RAM_START);
    else chip.flash.set(bytes, address - RP2040_FLASH_START);
  }
  const { core } = chip;
  core.SP = chip.readUint32(RP2040_FLASH_START);
  core.PC = chip.readUint32(RP2040_FLASH_START + 4) & ~1;
  let ended = false;
  chip.onBreak = () => {
    ended = true;
  };
  let instructions = 0;
  const start = now();
  while (!ended) {
    core.executeInstruction();
    instructions++;
  }
  const seconds = now() - start;
  const exitCode = chip.readUint32(defined(core.registers[1], 'r1') + 4);
  return { seconds, cycles: null, instructions, exitCode };
}

async function main([elf = '', engine = '', board = '', timing = '']: readonly string[]): Promise<Timing> {
  if (engine === 'rp2040js') return await timeRp2040(elf);
  return timeMachine(elf, engine as EngineName, board, timing as TimingMode);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.stdout.write(JSON.stringify(await main(process.argv.slice(2))));
