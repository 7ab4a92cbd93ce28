/** Reads the chip's id back through the tool that is about to write, so that no image reaches the wrong board. */
import { UserError } from '../../common/errors.ts';
import { hex32 } from '../../common/units.ts';
import { lastLine, runProgram } from '../run-program.ts';
import type { FlashRequest, FlashTool } from './tools.ts';

const EXIT_FLASH_FAILED = 4;
const SECONDS_MAX = 60;

/**
 * The id register's content; null when the board's description has no id, or the tool cannot read one.
 * @throws UserError 4: another chip answers, or none; nothing has been written then
 */
export async function checkChip(tool: FlashTool, request: FlashRequest): Promise<number | null> {
  const { name: board, chipId: expected } = request.board;
  if (expected === undefined || tool.chipId === undefined) return null;
  const { args, input, pattern } = tool.chipId;
  const command = [tool.program, ...args(request, expected.address)];
  const { code, output } = await runProgram(command, SECONDS_MAX, undefined, input?.(request, expected.address));
  const word = pattern.exec(output)?.[1];
  if (word === undefined)
    throw new UserError(
      `${tool.name}: the chip's id could not be read (exit code ${code}: ${lastLine(output)}); nothing was written`,
      EXIT_FLASH_FAILED,
    );
  const id = parseInt(word, 16);
  if ((id & expected.mask) >>> 0 !== expected.value)
    throw new UserError(
      `${tool.name}: the chip says ${hex32((id & expected.mask) >>> 0)}, a ${board} says ${hex32(expected.value)}: another board; check --board, --probe and --port; nothing was written`,
      EXIT_FLASH_FAILED,
    );
  return id;
}
