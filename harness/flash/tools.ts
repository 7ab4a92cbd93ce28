/**
 * Programs that write an image to a chip: each a name, what it needs to know, and its arguments as an array. No shell sees any of them; a file
 * name that the tool's own script language would take for code is refused.
 */
import { UserError } from '../../common/errors.ts';
import { hex32 } from '../../common/units.ts';
import type { Board } from '../../boards/schema.ts';

export interface FlashRequest {
  readonly board: Board;
  /** Path of an ELF. */
  readonly elf: string | null;
  /** Path of a raw image, and where it belongs. */
  readonly bin: { readonly path: string; readonly address: number } | null;
  /** Serial number of the probe; null: the only one there is. */
  readonly probe: string | null;
  /** Serial port of the UART boot loader, host:port of a gdb server, or where a UF2 volume is mounted. */
  readonly port: string | null;
  /** Frame of the UART boot loader: 8e1 on hardware, 8n1 on a pseudo-terminal. */
  readonly uartMode: string;
}

export interface ChipIdQuery {
  /** @param address of the chip's id register */
  readonly args: (request: FlashRequest, address: number) => readonly string[];
  readonly input?: (request: FlashRequest, address: number) => string;
  /** Finds the register's content, hexadecimal, in what the tool says. */
  readonly pattern: RegExp;
}

export interface FlashTool {
  readonly name: string;
  readonly program: string;
  readonly fix: string;
  /** Arguments that print a version and end. */
  readonly versionArgs: readonly string[];
  readonly args: (request: FlashRequest) => readonly string[];
  /** Commands for its standard input. */
  readonly input?: (request: FlashRequest) => string;
  /** How to have it say which chip there is, without a change to it; absent: it cannot. */
  readonly chipId?: ChipIdQuery;
  /** Whether the output of a run that ended with 0 says that it failed all the same. */
  readonly failedIn?: (output: string) => string | null;
}

type Debug = NonNullable<Board['debug']>;

/** @throws UserError naming the field the board description lacks */
function debugField<K extends keyof Debug>({ name, debug }: Board, field: K): NonNullable<Debug[K]> {
  const value = debug?.[field];
  if (value === undefined || value === null)
    throw new UserError(`board ${name}: its description has no "debug.${field}"; add it, or choose another --tool`);
  return value;
}

function needPort({ port }: FlashRequest, what: string): string {
  if (port === null) throw new UserError(`this tool needs --port: ${what}`);
  if (port.startsWith('-')) throw new UserError(`--port ${port}: begins with a minus; give a path`);
  return port;
}

function needElf({ elf }: FlashRequest): string {
  if (elf === null) throw new UserError('this tool writes ELF files only; give the .elf, or choose another --tool');
  return elf;
}

function needBin({ bin }: FlashRequest): NonNullable<FlashRequest['bin']> {
  if (bin === null) throw new UserError('this tool writes raw images only; give the .bin, or choose another --tool');
  return bin;
}

/** Tcl takes anything within braces as it is, but braces and backslashes. */
function tclWord(text: string): string {
  if (/[{}\\\n\r]/.test(text)) throw new UserError(`${text}: OpenOCD cannot be given this name; rename it`);
  return `{${text}}`;
}

/** A line of gdb's or J-Link's script: quotes, backslashes and line ends would change its meaning. */
function scriptWord(text: string): string {
  if (/["\\\n\r]/.test(text)) throw new UserError(`${text}: the tool cannot be given this name; rename it`);
  return `"${text}"`;
}

/** A serial number goes into a script too. */
function serial(probe: string): string {
  if (!/^[\w:.-]+$/.test(probe) || probe.startsWith('-'))
    throw new UserError(`--probe ${probe}: letters, digits, colons, dots and dashes are expected`);
  return probe;
}

/** OpenOCD's adapter for the debug port of an emulated board (sim --jtag). */
function remoteBitbang(port: string): string {
  const [, host, number] = /^([\w.-]+):(\d+)$/.exec(port) ?? [];
  if (host === undefined || host.startsWith('-'))
    throw new UserError(`--port ${port}: for this tool it is HOST:PORT of sim --jtag; leave it out for a real probe`);
  return `adapter driver remote_bitbang; remote_bitbang host ${host}; remote_bitbang port ${number}`;
}

const onlyWith = (probe: string | null, args: (text: string) => readonly string[]): readonly string[] =>
  probe === null ? [] : args(serial(probe));

/** To OpenOCD's probe and target, before any command. */
const openocdTarget = ({ board, probe, port }: FlashRequest): readonly string[] => [
  // Its servers are not needed, and two boards at a time would want the same ports.
  ...['-c', 'gdb_port disabled; tcl_port disabled; telnet_port disabled'],
  ...(port === null ? ['-f', debugField(board, 'openocdInterface')] : ['-c', remoteBitbang(port)]),
  ...onlyWith(probe, (text) => ['-c', `adapter serial ${text}`]),
  ...['-f', debugField(board, 'openocdTarget')],
];

const stm32Programmer = ({ probe }: FlashRequest): readonly string[] => [
  ...['-c', 'port=SWD', ...onlyWith(probe, (text) => [`sn=${text}`])],
];

const jlink = ({ board, probe }: FlashRequest): readonly string[] => [
  ...['-NoGui', '1', '-ExitOnError', '1', '-AutoConnect', '1', '-If', 'SWD', '-Speed', '4000'],
  ...['-Device', debugField(board, 'jlinkDevice')],
  ...onlyWith(probe, (text) => ['-USB', text]),
];

const gdbTarget = (request: FlashRequest): readonly string[] => [
  ...['-nx', '-batch', '-ex'],
  `target remote ${scriptWord(needPort(request, 'host:port of a gdb server')).slice(1, -1)}`,
];

export const FLASH_TOOLS: readonly FlashTool[] = [
  {
    name: 'openocd',
    program: 'openocd',
    fix: 'apt-get install openocd',
    versionArgs: ['--version'],
    args: (request) => [
      ...openocdTarget(request),
      '-c',
      request.elf === null
        ? `program ${tclWord(request.bin!.path)} verify reset exit ${hex32(request.bin!.address)}`
        : `program ${tclWord(request.elf)} verify reset exit`,
    ],
    chipId: {
      args: (request, address) => [...openocdTarget(request), '-c', `init; echo [mdw ${hex32(address)}]; shutdown`],
      pattern: /^0x[0-9a-f]{8}: ([0-9a-f]{8})\b/m,
    },
  },
  {
    name: 'pyocd',
    program: 'pyocd',
    fix: 'pip install pyocd',
    versionArgs: ['--version'],
    args: ({ board, elf, bin, probe }) => [
      ...['flash', '--target', debugField(board, 'pyocdTarget'), '--erase', 'sector'],
      ...onlyWith(probe, (text) => ['--uid', text]),
      ...(elf === null ? ['--base-address', hex32(bin!.address), bin!.path] : [elf]),
    ],
    chipId: {
      args: ({ board, probe }, address) => [
        ...['commander', '--target', debugField(board, 'pyocdTarget')],
        ...onlyWith(probe, (text) => ['--uid', text]),
        ...['--command', `read32 ${hex32(address)}`],
      ],
      pattern: /^[0-9a-f]{8}:\s+([0-9a-f]{8})\b/m,
    },
  },
  {
    name: 'probe-rs',
    program: 'probe-rs',
    fix: 'see the installation page of probe-rs',
    versionArgs: ['--version'],
    args: ({ board, elf, bin, probe }) => [
      ...['download', '--non-interactive', '--verify', '--chip', debugField(board, 'probeRsChip')],
      ...onlyWith(probe, (text) => ['--probe', text]),
      ...(elf === null ? ['--binary-format', 'bin', '--base-address', hex32(bin!.address), bin!.path] : [elf]),
    ],
    chipId: {
      args: ({ board, probe }, address) => [
        ...['read', '--non-interactive', '--chip', debugField(board, 'probeRsChip')],
        ...onlyWith(probe, (text) => ['--probe', text]),
        ...['b32', hex32(address), '1'],
      ],
      pattern: /^(?:0x)?([0-9a-f]{8})\s*$/m,
    },
  },
  {
    name: 'jlink',
    program: 'JLinkExe',
    fix: "install SEGGER's J-Link software",
    // Any unknown option makes it say its version and end.
    versionArgs: ['-NoGui', '1', '-Version'],
    args: jlink,
    input: ({ elf, bin }) =>
      [
        'r',
        'h',
        elf === null ? `loadbin ${scriptWord(bin!.path)} ${hex32(bin!.address)}` : `loadfile ${scriptWord(elf)}`,
        ...(elf === null ? [`verifybin ${scriptWord(bin!.path)} ${hex32(bin!.address)}`] : []),
        ...['r', 'g', 'exit', ''],
      ].join('\n'),
    chipId: {
      args: jlink,
      input: (_, address) => `mem32 ${hex32(address)} 1\nexit\n`,
      pattern: /^[0-9A-F]{8} = ([0-9A-F]{8})\b/m,
    },
    failedIn: (output) =>
      /^(?:.*(?:cannot connect|could not|failed|error while).*)$/im.exec(output)?.[0].trim() ?? null,
  },
  {
    name: 'stm32cubeprogrammer',
    program: 'STM32_Programmer_CLI',
    fix: "install ST's STM32CubeProgrammer",
    versionArgs: ['--version'],
    args: (request) => [
      ...stm32Programmer(request),
      ...(request.elf === null ? ['-w', request.bin!.path, hex32(request.bin!.address)] : ['-w', request.elf]),
      ...['-v', '-rst'],
    ],
    chipId: {
      args: (request, address) => [...stm32Programmer(request), '-r32', hex32(address), '0x4'],
      pattern: /^0x[0-9a-f]{8}\s*:\s*([0-9a-f]{8})\b/im,
    },
  },
  {
    name: 'stm32flash',
    program: 'stm32flash',
    fix: 'apt-get install stm32flash',
    versionArgs: ['-h'],
    args: (request) => [
      ...['-m', request.uartMode, '-w', needBin(request).path, '-v', '-g', hex32(needBin(request).address)],
      needPort(request, 'the serial port of the boot loader'),
    ],
    // The boot loader's product id is DEV_ID of the chip's id register (AN3155 3.3).
    chipId: {
      args: (request) => ['-m', request.uartMode, needPort(request, 'the serial port of the boot loader')],
      pattern: /^Device ID\s*:\s*0x([0-9a-f]+)/im,
    },
  },
  {
    name: 'dfu-util',
    program: 'dfu-util',
    fix: 'apt-get install dfu-util',
    versionArgs: ['--version'],
    args: (request) => [
      ...['-a', '0', '-d', debugField(request.board, 'dfuId')],
      ...onlyWith(request.probe, (text) => ['-S', text]),
      ...['-s', `${hex32(needBin(request).address)}:leave`, '-D', needBin(request).path],
    ],
  },
  {
    name: 'gdb',
    program: 'gdb-multiarch',
    fix: 'apt-get install gdb-multiarch',
    versionArgs: ['--version'],
    args: (request) => [
      ...gdbTarget(request),
      ...['-ex', 'load', '-ex', 'compare-sections', '-ex', 'kill', needElf(request)],
    ],
    chipId: {
      args: (request, address) => [...gdbTarget(request), '-ex', `x/1xw ${hex32(address)}`, '-ex', 'disconnect'],
      pattern: /^0x[0-9a-f]{8}:\s+0x([0-9a-f]{8})\b/m,
    },
    failedIn: (output) =>
      /MIS-MATCHED/.test(output)
        ? 'the flash does not hold what was written'
        : /matched\.|Transfer rate/.test(output)
          ? null
          : 'nothing was written',
  },
];

/** Names for --tool: programs, and the drive of a boot loader. */
export const FLASH_TOOL_NAMES: readonly string[] = [...FLASH_TOOLS.map(({ name }) => name), 'uf2'];

/** @throws UserError listing the tools there are */
export function flashTool(name: string): FlashTool {
  const tool = FLASH_TOOLS.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new UserError(`--tool ${name}: is none of ${FLASH_TOOL_NAMES.join(', ')}`);
  return tool;
}
