/** `thumbelina flash IMAGE --board B --tool T`: writes, verifies and starts an image with a tool that is installed. */
import { Option, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import { isElf } from '../emulator/elf.ts';
import { flashImage } from '../harness/flash/flash.ts';
import { FLASH_TOOL_NAMES } from '../harness/flash/tools.ts';
import { readInputFile } from '../harness/input-file.ts';
import { boardOption } from './options.ts';
import { note, print, type JsonOption } from './output.ts';

interface FlashArguments extends JsonOption {
  readonly board: string;
  readonly tool: string;
  readonly probe?: string;
  readonly port?: string;
  readonly uartMode: string;
}

export function addFlash(program: Command): void {
  program
    .command('flash')
    .description('write an image to a board, verify it and start it')
    .argument('<image>', 'ELF, or a raw image for the start of flash')
    .addOption(boardOption())
    .addOption(new Option('--tool <tool>', 'what writes it').choices(FLASH_TOOL_NAMES).makeOptionMandatory())
    .option('--probe <serial>', 'serial number of the probe, where several are plugged in')
    .option('--port <port>', 'stm32flash: serial port; gdb: host:port of the server; uf2: folder of the mounted drive')
    .addOption(
      new Option('--uart-mode <mode>', 'frame of the UART boot loader; 8n1 on a pseudo-terminal')
        .choices(['8e1', '8n1'])
        .default('8e1'),
    )
    .option('--json', 'print JSON')
    .action(async (path: string, options: FlashArguments) => {
      const board = loadBoard(options.board);
      const bytes = readInputFile(path);
      const flash = board.memory.find(({ kind }) => kind === 'flash')!;
      if (path.startsWith('-')) throw new UserError(`${path}: begins with a minus; give it as ./${path}`);
      if (!isElf(bytes) && bytes.length > flash.bytes)
        throw new UserError(
          `${path}: ${bytes.length} bytes, the flash of ${board.name} has ${flash.bytes}; check --board`,
        );
      const request = {
        board,
        elf: isElf(bytes) ? path : null,
        bin: isElf(bytes) ? null : { path, address: flash.start },
        probe: options.probe ?? null,
        port: options.port ?? null,
        uartMode: options.uartMode,
      };
      const onOutput = (text: string): void => {
        if (process.stderr.isTTY) process.stderr.write(text);
      };
      const result = await flashImage(options.tool, request, onOutput);
      if (result.chipId === null && options.tool !== 'uf2')
        note(`${board.name}: which chip it is was not checked: ${unchecked(board)}`);
      print(
        options,
        { schemaVersion: 1, outcome: 'ok', board: board.name, ...result },
        () => `${path}: on ${board.name} with ${result.tool}`,
      );
    });
}

const unchecked = ({ chipId }: Board): string =>
  chipId === undefined ? 'its description has no "chipId"' : "this tool cannot read the chip's id";
