/** An image to a chip by one of the tools, written, verified, started; what failed keeps the tool's own words. */
import { statSync } from 'node:fs';
import { UserError } from '../../common/errors.ts';
import { lastLine, runProgram } from '../run-program.ts';
import { checkChip } from './chip-identity.ts';
import { FLASH_TOOLS, flashTool, type FlashRequest } from './tools.ts';
import { copyUf2 } from './uf2.ts';

const EXIT_FLASH_FAILED = 4;
/** To find the probe, halt and erase; then the slowest line there is, a UART boot loader at 115200 baud, twice for the verification. */
const SECONDS_BASE = 30;
const BYTES_PER_SECOND = 2000;

export interface FlashResult {
  readonly tool: string;
  readonly command: readonly string[];
  /** The chip's id register, read back before anything was written; null: the tool cannot read it, or the board's description has none. */
  readonly chipId: number | null;
  /** The tool's last line. */
  readonly said: string;
}

/** @throws UserError: 2 for what the tool cannot be told, 3 when it is missing, 4 when it fails or meets another chip, 6 when it takes too long */
export async function flashImage(
  name: string,
  request: FlashRequest,
  onOutput: (text: string) => void,
): Promise<FlashResult> {
  if (name === 'uf2') return copyUf2(request);
  const tool = flashTool(name);
  const command = [tool.program, ...tool.args(request)];
  const { size } = statSync(request.elf ?? request.bin!.path);
  const secondsMax = SECONDS_BASE + size / BYTES_PER_SECOND;
  const missing = (error: unknown): never => {
    if (!(error instanceof UserError) || error.exitCode !== 3) throw error;
    throw new UserError(`${tool.name}: ${tool.program} not found; ${tool.fix}`, 3);
  };
  const chipId = await checkChip(tool, request).catch(missing);
  const { code, output } = await runProgram(command, secondsMax, onOutput, tool.input?.(request)).catch(missing);
  const failure = code === 0 ? (tool.failedIn?.(output) ?? null) : `exit code ${code}: ${lastLine(output)}`;
  if (failure !== null) throw new UserError(`${tool.name}: ${failure}`, EXIT_FLASH_FAILED);
  return { tool: tool.name, command, chipId, said: lastLine(output) };
}

export interface FlashToolState {
  readonly name: string;
  readonly found: boolean;
  readonly fix: string;
}

/** Which of them are installed. */
export async function findFlashTools(): Promise<readonly FlashToolState[]> {
  return Promise.all(
    FLASH_TOOLS.map(async ({ name, program, versionArgs, fix }) => {
      const found = await runProgram([program, ...versionArgs], 10).then(
        () => true,
        () => false,
      );
      return { name, found, fix };
    }),
  );
}
