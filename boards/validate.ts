/** Rules between the fields of a board, each with the offending value in its message. The shape itself is checked by schema.ts. */
import { UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';
import type { Board, MemoryRegion } from './schema.ts';
import { rejectFlashDriverWithoutPeripheral, rejectOddFlashPages } from './validate-flash.ts';
import { rejectOddDmaChannels, rejectUnknownDmaLines } from './validate-dma.ts';
import {
  rejectGeometryMismatch,
  rejectOddL1Caches,
  rejectOddCaches,
  rejectOddFlashCache,
  rejectOddSharedFlash,
  rejectOverlappingSlaves,
} from './validate-timing.ts';

const ADDRESS_SPACE_BYTES = 2 ** 32;
/** 1 GHz is above every Cortex-M part; below 1 kHz a latency in milliseconds has no meaning. */
const CLOCK_HZ_MIN = 1e3;
const CLOCK_HZ_MAX = 1e9;

/** Where Armv7-M has peripherals and its own registers, not memory (DDI 0403E B3.1). */
const PERIPHERAL_SPACES = [
  { start: 0x4000_0000, end: 0x6000_0000 },
  { start: 0xe000_0000, end: ADDRESS_SPACE_BYTES },
] as const;
/** Above what boards with external memory have; the emulator allocates every region. */
const REGION_BYTES_MAX = 2 ** 28;

/** FPUs a core can be built with, besides none (TRMs: DDI 0439D 1.4, DDI 0489F 1.4, 100230 A1.3); other cores have none. */
const FPUS: Readonly<Partial<Record<Board['core'], readonly Board['fpu'][]>>> = {
  'cortex-m4': ['fpv4-sp-d16'],
  'cortex-m7': ['fpv5-sp-d16', 'fpv5-d16'],
  'cortex-m33': ['fpv5-sp-d16'],
};

/** Cores built with either multiplier (DDI 0432C 1.3, DDI 0484C 1.4, DDI 0550C 1.4). */
const MULTIPLIER_CHOICE: readonly Board['core'][] = ['cortex-m0', 'cortex-m0plus', 'cortex-m23'];

/** Cores that can have bit-band aliases (DDI 0337E 4.4, DDI 0439D 3.7). */
const BIT_BAND: readonly Board['core'][] = ['cortex-m3', 'cortex-m4'];

type Rule = (board: Board) => void;

function rejectMissingMemoryKind(board: Board): void {
  for (const kind of ['flash', 'ram'] as const) {
    if (!board.memory.some((region) => region.kind === kind)) {
      throw new UserError(`board ${board.name}: no memory region of kind "${kind}"; add one to "memory"`);
    }
  }
}

function rejectRegionPastAddressSpace(board: Board): void {
  for (const region of board.memory) {
    if (region.start + region.bytes > ADDRESS_SPACE_BYTES) {
      throw new UserError(
        `board ${board.name}: region ${region.name} (${hex32(region.start)}, ${region.bytes} bytes) ends past 0xffffffff; reduce "bytes"`,
      );
    }
  }
}

function rejectHugeRegions(board: Board): void {
  for (const { name, bytes } of board.memory) {
    if (bytes > REGION_BYTES_MAX)
      throw new UserError(
        `board ${board.name}: region ${name} has ${bytes} bytes, more than the ${REGION_BYTES_MAX} that can be emulated; reduce "bytes"`,
      );
  }
}

function rejectMemoryAmongPeripherals(board: Board): void {
  for (const { name, start, bytes } of board.memory) {
    const space = PERIPHERAL_SPACES.find((peripherals) => start < peripherals.end && start + bytes > peripherals.start);
    if (space)
      throw new UserError(
        `board ${board.name}: region ${name} (${hex32(start)}, ${bytes} bytes) reaches into the peripherals from ${hex32(space.start)} on; correct "start" or "bytes"`,
      );
  }
}

function rejectDuplicateRegionNames(board: Board): void {
  const seen = new Set<string>();
  for (const { name } of board.memory) {
    if (seen.has(name)) throw new UserError(`board ${board.name}: two memory regions are named ${name}; rename one`);
    seen.add(name);
  }
}

/** Two sections would be linked to one address. */
function rejectOverlappingRegions(board: Board): void {
  const sorted = [...board.memory].sort((a, b) => a.start - b.start);
  for (const [i, region] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next && region.start + region.bytes > next.start) {
      throw new UserError(
        `board ${board.name}: region ${region.name} (ends ${hex32(region.start + region.bytes)}) overlaps ${next.name} (starts ${hex32(next.start)}); correct "start" or "bytes"`,
      );
    }
  }
}

function rejectClockOutOfRange(board: Board): void {
  if (board.clockHz < CLOCK_HZ_MIN || board.clockHz > CLOCK_HZ_MAX) {
    throw new UserError(
      `board ${board.name}: clockHz ${board.clockHz} is outside ${CLOCK_HZ_MIN}..${CLOCK_HZ_MAX}; give the core clock in hertz`,
    );
  }
}

/** The set-up reaches one clock, which its name ends with; latencies would be given at another. */
function rejectClockSetupMismatch({ name, clockHz, clockSetup }: Board): void {
  if (clockSetup === undefined) return;
  const megahertz = Number(/-(\d+)mhz$/.exec(clockSetup)?.[1]);
  if (clockHz === megahertz * 1e6) return;
  throw new UserError(
    `board ${name}: clockHz ${clockHz}, but clockSetup "${clockSetup}" reaches ${megahertz} MHz; correct either`,
  );
}

/** Firmware would take every board for another. */
function rejectImpossibleChipId({ name, chipId }: Board): void {
  if (chipId === undefined || (chipId.value & ~chipId.mask) === 0) return;
  throw new UserError(
    `board ${name}: chipId.value ${hex32(chipId.value)} has bits that mask ${hex32(chipId.mask)} clears; correct either`,
  );
}

function rejectUartInsideMemory(board: Board): void {
  const { uart } = board;
  if (!uart) return;
  const inside = board.memory.find((region) => contains(region, uart.base));
  if (inside)
    throw new UserError(
      `board ${board.name}: uart base ${hex32(uart.base)} lies inside region ${inside.name}; correct "base"`,
    );
}

function rejectImpossibleFpu(board: Board): void {
  const { name, core, fpu } = board;
  const possible = FPUS[core] ?? [];
  if (fpu === 'none' || possible.includes(fpu)) return;
  throw new UserError(
    `board ${name}: a ${core} has no ${fpu}; set "fpu" to ${['none', ...possible].map((kind) => `"${kind}"`).join(' or ')}`,
  );
}

function rejectMultiplierChoice(board: Board): void {
  const { name, core, multiplier } = board;
  if (multiplier === undefined || MULTIPLIER_CHOICE.includes(core)) return;
  throw new UserError(`board ${name}: every ${core} multiplies in one way; remove "multiplier"`);
}

function rejectImpossibleBitBand({ name, core, bitBand, memory }: Board): void {
  if (!bitBand) return;
  if (!BIT_BAND.includes(core))
    throw new UserError(`board ${name}: a ${core} has no bit-band aliases; remove "bitBand"`);
  const inside = memory.find(({ start, bytes }) => start < 0x2400_0000 && start + bytes > 0x2200_0000);
  if (inside)
    throw new UserError(
      `board ${name}: region ${inside.name} (${hex32(inside.start)}) lies inside the bit-band alias of the RAM; correct "start" or "bitBand"`,
    );
}

function rejectDuplicatePeripherals(board: Board): void {
  const names = new Set<string>();
  const bases = new Map<number, string>();
  for (const { name, base } of board.peripherals) {
    if (names.has(name)) throw new UserError(`board ${board.name}: two peripherals are named ${name}; rename one`);
    const other = bases.get(base);
    if (other !== undefined)
      throw new UserError(
        `board ${board.name}: peripherals ${other} and ${name} share base ${hex32(base)}; correct "base"`,
      );
    names.add(name);
    bases.set(base, name);
  }
}

function rejectPeripheralInsideMemory(board: Board): void {
  for (const { name, base } of board.peripherals) {
    const inside = board.memory.find((region) => contains(region, base));
    if (inside)
      throw new UserError(
        `board ${board.name}: peripheral ${name} (${hex32(base)}) lies inside region ${inside.name}; correct "base"`,
      );
  }
}

/** Models that can be the far end of `uart`, by the driver that talks to them. */
const UART_MODELS: Readonly<Record<NonNullable<Board['uart']>['kind'], Board['peripherals'][number]['kind']>> = {
  'cmsdk-uart': 'cmsdk-uart',
  'stm32-usart': 'stm32-usart',
  'stm32-lpuart': 'stm32-lpuart',
  'stm32-usart-v1': 'stm32-usart-v1',
  'nrf52-uart': 'nrf52-uart',
  pl011: 'pl011',
  'psoc6-scb': 'psoc6-scb',
};

function rejectUartWithoutPeripheral(board: Board): void {
  const { uart, peripherals, name } = board;
  if (!uart) return;
  const found = peripherals.find(({ base }) => base === uart.base);
  if (found?.kind === UART_MODELS[uart.kind]) return;
  const there = found === undefined ? 'no peripheral' : `${found.name}, a ${found.kind}`;
  throw new UserError(
    `board ${name}: uart base ${hex32(uart.base)} is a ${uart.kind}, but "peripherals" has ${there} there; correct "base" or "kind"`,
  );
}

function rejectUnknownEnabler(board: Board): void {
  for (const { name, enabledBy } of board.peripherals) {
    const owner = enabledBy?.split('.')[0];
    if (owner === undefined || (owner !== name && board.peripherals.some((other) => other.name === owner))) continue;
    throw new UserError(
      `board ${board.name}: peripheral ${name} is enabled by ${enabledBy ?? ''}, but there is no other peripheral ${owner}; correct "enabledBy"`,
    );
  }
}

function rejectVectorTableOutsideFlash(board: Board): void {
  const { vectorTable, memory, name, boot } = board;
  const flash = memory.find(({ kind }) => kind === 'flash');
  if (boot !== undefined && vectorTable === undefined)
    throw new UserError(
      `board ${name}: boot "${boot}" leaves no vector table at the start of flash; add "vectorTable"`,
    );
  if (vectorTable === undefined || (flash && contains(flash, vectorTable) && vectorTable % 256 === 0)) return;
  throw new UserError(
    `board ${name}: vectorTable ${hex32(vectorTable)} is not a multiple of 256 in the first flash region; correct it`,
  );
}

const OSCILLATOR_HZ = { hse: [1e6, 60e6], lse: [30e3, 40e3] } as const;

function rejectOscillatorOutOfRange({ oscillators, name }: Board): void {
  for (const kind of ['hse', 'lse'] as const) {
    const hz = oscillators[kind];
    const [least, most] = OSCILLATOR_HZ[kind];
    if (hz !== undefined && (hz < least || hz > most))
      throw new UserError(`board ${name}: oscillators.${kind} ${hz} is outside ${least}..${most}; give it in hertz`);
  }
}

function rejectConstantsOverMemory(board: Board): void {
  for (const { name, start, words } of board.constants) {
    const region = board.memory.find((one) => start < one.start + one.bytes && start + words.length * 4 > one.start);
    if (region)
      throw new UserError(
        `board ${board.name}: constants ${name} (${hex32(start)}) overlap region ${region.name}; correct "start"`,
      );
  }
}

function contains(region: MemoryRegion, address: number): boolean {
  return address >= region.start && address < region.start + region.bytes;
}

const RULES: readonly Rule[] = [
  rejectMissingMemoryKind,
  rejectRegionPastAddressSpace,
  rejectHugeRegions,
  rejectMemoryAmongPeripherals,
  rejectDuplicateRegionNames,
  rejectOverlappingRegions,
  rejectClockOutOfRange,
  rejectClockSetupMismatch,
  rejectImpossibleChipId,
  rejectUartInsideMemory,
  rejectImpossibleFpu,
  rejectMultiplierChoice,
  rejectImpossibleBitBand,
  rejectDuplicatePeripherals,
  rejectPeripheralInsideMemory,
  rejectUartWithoutPeripheral,
  rejectUnknownEnabler,
  rejectOddDmaChannels,
  rejectUnknownDmaLines,
  rejectVectorTableOutsideFlash,
  rejectOscillatorOutOfRange,
  rejectConstantsOverMemory,
  rejectFlashDriverWithoutPeripheral,
  rejectOddFlashPages,
  rejectGeometryMismatch,
  rejectOddL1Caches,
  rejectOddCaches,
  rejectOddFlashCache,
  rejectOddSharedFlash,
  rejectOverlappingSlaves,
];

/** @throws UserError naming board and offending value, for the first rule that fails. */
export function validateBoard(board: Board): void {
  for (const rule of RULES) rule(board);
}
