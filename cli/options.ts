/** Parsers of option values shared by several subcommands; each refuses with the offending value. */
import { InvalidArgumentError, Option } from 'commander';
import type { Board } from '../boards/schema.ts';
import { UserError } from '../common/errors.ts';
import { defaultTiming, isExactPossible } from '../emulator/board-timing.ts';
import type { HarnessInput, HarnessOptions, HarnessProtocol } from '../firmware-gen/emit/harness-source.ts';
import type { EngineName } from '../emulator/create-machine.ts';

export const DEFAULT_DIR = './build/thumbelina';
export const DEFAULT_BOARD = 'mps2-an386';
/** Windows of recordings that a decision system is fed with, where nobody says how many. */
export const RUN_WINDOWS = 200;
const ENGINES: readonly EngineName[] = ['wasm', 'unicorn'];

export function boardOption(): Option {
  return new Option('-b, --board <board>', 'built-in board name or path of a .json description').default(DEFAULT_BOARD);
}

export function dirOption(): Option {
  return new Option('-o, --output <dir>', 'output folder').default(DEFAULT_DIR);
}

export function engineOption(): Option {
  return new Option('--engine <engine>', 'emulation engine').choices(ENGINES).default(ENGINES[0]);
}

export function timingOption(): Option {
  return new Option(
    '--timing <mode>',
    'exact: wait states and caches counted; flat: every access zero-wait (default: exact where the board allows it)',
  ).choices(['exact', 'flat']);
}

/** @throws UserError when exact timing is asked for and the board's memory timing is not modelled */
export function timingMode(asked: 'exact' | 'flat' | undefined, board: Board): 'exact' | 'flat' {
  if (asked === 'exact' && !isExactPossible(board)) {
    throw new UserError(`--timing exact: wait states of board ${board.name} are not modelled yet; use --timing flat`);
  }
  return asked ?? defaultTiming(board);
}

export function nonNegativeInteger(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('a whole number from 0 up is expected.');
  return value;
}

export function positiveInteger(text: string): number {
  if (nonNegativeInteger(text) === 0) throw new InvalidArgumentError('a whole number from 1 up is expected.');
  return Number(text);
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && Number.isFinite(value)))
    throw new InvalidArgumentError('a number above 0 is expected.');
  return value;
}

export function noPruneOption(): Option {
  return new Option('--no-prune', 'keep channels that are constant for every input');
}

/** Value: WeightsMemory. */
export function weightsOption(text = 'where weights are read from; ram: start-up code copies them there'): Option {
  return new Option('--weights <memory>', text).choices(['flash', 'ram']).default('flash');
}

export type WeightsMemory = 'flash' | 'ram';

export interface HarnessArguments {
  readonly harness?: HarnessProtocol;
  readonly harnessInput: HarnessInput;
  readonly mlperfId?: string;
}

export function harnessOptions(): Option[] {
  return [
    new Option('--harness <protocol>', 'serve a protocol on the UART (docs/protocol.md)').choices([
      'mlperf',
      'device',
      'both',
    ]),
    new Option('--harness-input <form>', 'bytes the host sends: the input tensor, unsigned bytes or floats')
      .choices(['raw', 'uint8', 'float32'])
      .default('raw'),
    new Option('--mlperf-id <id>', 'what the harness calls the model: kws01, ic01, vww01, ad01 (default: its name)'),
  ];
}

/** Null without --harness. @throws UserError with --bare */
export function harnessChoice(
  options: HarnessArguments & { readonly bare?: boolean },
  name: string,
): HarnessOptions | null {
  const { harness: protocol, harnessInput: input, mlperfId = name } = options;
  if (protocol === undefined) return null;
  if (options.bare === true) throw new UserError('--bare leaves out the UART, --harness needs it; give one of them');
  return { protocol, input, mlperfId };
}
