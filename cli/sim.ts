/**
 * `thumbelina sim`: any firmware on an emulated board, from reset, or one function of it. What only some runs need is loaded by them:
 * every module costs start-up time.
 */
import { InvalidArgumentError, type Command } from 'commander';
import { loadBoard } from '../boards/load.ts';
import { UserError } from '../common/errors.ts';
import { describeFault } from '../emulator/fault.ts';
import {
  parseCallArgument,
  simExitCode,
  simulate,
  type CallArgument,
  type SimOptions,
  type SimReport,
} from '../emulator/sim.ts';
import type { ListenAddress } from '../harness/jtag-listener.ts';
import type { SerialEndpoint } from '../harness/serial-endpoint.ts';
import type { EngineName } from '../emulator/create-machine.ts';
import { readInputFile, readStandardInput } from '../harness/input-file.ts';
import { boardOption, engineOption, nonNegativeInteger, timingMode, timingOption } from './options.ts';
import { note, print, type JsonOption } from './output.ts';

type UartChoice =
  | { readonly kind: 'stdio' }
  /** `link`: a symbolic link to make, or null. */
  | { readonly kind: 'pty'; readonly link: string | null }
  | { readonly kind: 'tcp'; readonly port: number };

interface SimArguments extends JsonOption {
  readonly board: string;
  readonly timing?: 'exact' | 'flat';
  readonly uart?: UartChoice;
  readonly rtt?: boolean;
  readonly realtime?: boolean;
  readonly bootUart?: boolean;
  readonly jtag?: ListenAddress;
  readonly maxCycles?: number;
  readonly strict?: boolean;
  readonly call?: string;
  readonly args?: readonly CallArgument[];
  readonly gdb?: number;
  readonly record?: string;
  readonly replay?: string;
  readonly engine: EngineName;
}

export function addSim(program: Command): void {
  program
    .command('sim')
    .description('run any ELF, .hex or .bin on an emulated board')
    .argument('<firmware>', 'ELF, Intel HEX or raw binary')
    .addOption(boardOption())
    .addOption(engineOption())
    .addOption(timingOption())
    .option(
      '--uart <where>',
      'stdio: on standard input and output; pty[:LINK]: a serial port for other programs; tcp:PORT: on 127.0.0.1',
      uartChoice,
    )
    .option(
      '--rtt',
      'standard input to RTT down-buffer 0; look for the control block in RAM where no symbol _SEGGER_RTT names it',
    )
    .option('--realtime', 'emulated time follows the clock')
    .option('--boot-uart', "begin in the chip's UART boot loader (AN3155): stm32flash writes and starts a program")
    .option(
      '--jtag <port>',
      "a debug port for OpenOCD's remote_bitbang at [HOST:]PORT, on 127.0.0.1 by default (0: any free port)",
      listenAddress,
    )
    .option(
      '--max-cycles <n>',
      'end the run after so many cycles (default: 10^10; with pty, tcp, gdb, jtag: none)',
      nonNegativeInteger,
    )
    .option('--strict', 'an unmodelled register is a fault')
    .option('--call <symbol>', 'run one function instead of the firmware, and count its cycles')
    .option('--args <list>', 'arguments of --call: integers, buf:BYTES, @FILE, separated by commas', callArguments)
    .option('--gdb <port>', 'wait for gdb on 127.0.0.1 (0: any free port); no cycle limit by default', portNumber)
    .option('--record <file>', 'write what the UART receives to a file, with the cycle of its arrival')
    .option('--replay <file>', 'receive what was recorded, at the same cycles: the same run, to the cycle')
    .option('--json', 'print JSON')
    .action(async (path: string, options: SimArguments) => {
      checkRecording(options);
      if (options.args !== undefined && options.call === undefined) throw new UserError('--args needs --call SYMBOL');
      if (options.gdb !== undefined && options.call !== undefined)
        throw new UserError(
          '--gdb debugs the firmware from reset; leave --call out and use: call FUNCTION(...) in gdb',
        );
      if (isLive(options) && (options.gdb !== undefined || options.call !== undefined))
        throw new UserError(
          '--uart pty, --uart tcp, --jtag, --realtime, --record and --replay run the firmware alone; leave --gdb and --call out',
        );
      if (options.rtt === true && (isLive(options) || options.gdb !== undefined || options.uart !== undefined))
        throw new UserError(
          '--rtt gives standard input to the RTT buffer at once; leave --uart, --gdb, --realtime, --record and --replay out',
        );
      const report = await runSim(path, options);
      if (report === null) return;
      print(options, report, () => formatSim(report, options));
      if (report.fault !== null) note(`thumbelina: ${path}: ${describeFault(report.fault)}`);
      else if (report.stop === 'limit')
        note(
          `thumbelina: ${path}: not finished after ${report.cycles ?? report.instructions} ${report.cycles === null ? 'instructions' : 'cycles'}; raise --max-cycles`,
        );
      process.exitCode = simExitCode(report);
    });
}

/** Null when a debugger killed the program. */
async function runSim(path: string, options: SimArguments): Promise<SimReport | null> {
  if (isLive(options)) return simulateLive(path, options);
  return options.gdb === undefined ? simulateFile(path, options) : debugFile(path, options, options.gdb);
}

const isLive = ({ uart, realtime, bootUart, jtag, record, replay }: SimArguments): boolean =>
  jtag !== undefined ||
  realtime === true ||
  bootUart === true ||
  uart?.kind === 'pty' ||
  uart?.kind === 'tcp' ||
  record !== undefined ||
  replay !== undefined;

/** @throws UserError for options that contradict each other */
function checkRecording({ record, replay, uart, realtime, jtag, engine }: SimArguments): void {
  if (record === undefined && replay === undefined) return;
  if (jtag !== undefined)
    throw new UserError('--record and --replay know nothing of what a debugger does; leave --jtag out');
  if (engine === 'unicorn')
    throw new UserError('--record and --replay need an engine that stops at any instruction; use --engine wasm');
  if (replay === undefined) return;
  if (record !== undefined || realtime === true || (uart !== undefined && uart.kind !== 'stdio'))
    throw new UserError(
      '--replay takes all input from the file; leave --record, --realtime, --uart pty and --uart tcp out',
    );
}

async function simulateLive(path: string, options: SimArguments): Promise<SimReport> {
  const firmware = firmwareOptions(path, options);
  const endpoint = await openEndpoint(options.uart ?? null);
  const stopOnSignal = (signal: NodeJS.Signals): void => {
    endpoint?.close();
    process.kill(process.pid, signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stopOnSignal);
  try {
    if (endpoint !== null) note(`thumbelina: the UART is at ${endpoint.address}`);
    const { record, replay, jtag } = options;
    const files = {
      ...(jtag === undefined ? {} : { jtag }),
      ...(record === undefined ? {} : { record }),
      ...(replay === undefined ? {} : { replay }),
    };
    const { runLive } = await import('../harness/live-session.ts');
    return await runLive(
      { ...firmware, ...files, realtime: options.realtime ?? false, bootLoader: options.bootUart ?? false },
      endpoint,
    );
  } finally {
    endpoint?.close();
  }
}

async function openEndpoint(uart: UartChoice | null): Promise<SerialEndpoint | null> {
  if (uart?.kind !== 'pty' && uart?.kind !== 'tcp') return null;
  const { ptyEndpoint, tcpEndpoint } = await import('../harness/serial-endpoint.ts');
  return uart.kind === 'pty' ? ptyEndpoint(uart.link) : tcpEndpoint(uart.port);
}

function simulateFile(path: string, options: SimArguments): SimReport {
  const call = options.call === undefined ? {} : { call: { symbol: options.call, args: options.args ?? [] } };
  return simulate({ ...firmwareOptions(path, options), ...call });
}

/** Null when the debugger killed the program. */
async function debugFile(path: string, options: SimArguments, port: number): Promise<SimReport | null> {
  const { debugFirmware } = await import('../harness/gdb-listener.ts');
  return debugFirmware({
    ...firmwareOptions(path, options),
    port,
    onListening: (actual) => note(`thumbelina: waiting for gdb; there: target remote 127.0.0.1:${actual}`),
  });
}

function firmwareOptions(path: string, options: SimArguments): Omit<SimOptions, 'call'> {
  const board = loadBoard(options.board);
  const timing = timingMode(options.timing, board);
  const live = options.json !== true;
  return {
    board,
    firmware: readInputFile(path),
    firmwareName: path,
    engine: options.engine,
    timing,
    ...(options.maxCycles === undefined ? {} : { maxCycles: options.maxCycles }),
    strict: options.strict ?? false,
    ...(options.uart?.kind === 'stdio' && options.replay === undefined && !process.stdin.isTTY
      ? { uartInput: readStandardInput() }
      : {}),
    ...(options.rtt === true ? { rttInput: process.stdin.isTTY ? new Uint8Array() : readStandardInput() } : {}),
    ...(options.uart?.kind === 'stdio' && live
      ? { onUartByte: (byte: number) => process.stdout.write(Uint8Array.of(byte)) }
      : {}),
    onConsole: (bytes, stream) => (stream === 'stdout' && live ? process.stdout : process.stderr).write(bytes),
    onNote: note,
  };
}

function portNumber(text: string): number {
  const port = nonNegativeInteger(text);
  if (port > 65535) throw new InvalidArgumentError('a port is at most 65535.');
  return port;
}

/** [HOST:]PORT. */
function listenAddress(text: string): ListenAddress {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { port: portNumber(text) };
  return { host: text.slice(0, colon), port: portNumber(text.slice(colon + 1)) };
}

function uartChoice(text: string): UartChoice {
  const [kind = '', ...rest] = text.split(':');
  const detail = rest.join(':');
  if (text === 'stdio') return { kind: 'stdio' };
  if (kind === 'pty' && detail === '' && rest.length === 0) return { kind: 'pty', link: null };
  if (kind === 'pty' && detail !== '') return { kind: 'pty', link: detail };
  if (kind === 'tcp' && detail !== '') return { kind: 'tcp', port: portNumber(detail) };
  throw new InvalidArgumentError('it is stdio, pty, pty:LINK or tcp:PORT.');
}

export function callArguments(text: string): CallArgument[] {
  return text
    .split(',')
    .map((item) =>
      item.startsWith('@') ? { kind: 'data', data: readInputFile(item.slice(1)) } : parseCallArgument(item),
    );
}

function formatSim(report: SimReport, options: SimArguments): string {
  const lines = [
    `stop          ${report.stop}${report.exitCode === null ? '' : ` (exit code ${report.exitCode})`}`,
    `cycles        ${report.cycles === null ? `not known: no timing model for ${loadBoard(options.board).core}` : report.cycles.toLocaleString('en-US')}`,
    `instructions  ${report.instructions.toLocaleString('en-US')}`,
    `stack         ${report.stackBytes === null ? (options.gdb === undefined ? 'not in RAM' : 'not measured under gdb') : `${report.stackBytes} bytes`}`,
    ...(report.returnValue === null ? [] : [`returned      ${report.returnValue}`]),
    ...(report.uart === '' || options.uart?.kind === 'stdio' ? [] : [`uart          ${JSON.stringify(report.uart)}`]),
  ];
  return lines.join('\n');
}
