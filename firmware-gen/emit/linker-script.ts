/**
 * The linker script of a board. The stack lies at the bottom of RAM and grows towards its start, so that an overflow leaves RAM and faults
 * at once instead of eating the arena (see Arm IHI 0042 on the full-descending stack).
 */
import type { Board, MemoryRegion } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import { hex32 } from '../../common/units.ts';

const STACK_BYTES_MAX = 8192;
/** Small parts give at most this share of their RAM to the stack. */
const STACK_SHARE = 8;
/** Object files of weights. */
const WEIGHTS = '_weights.o';

function firstRegion(board: Board, kind: MemoryRegion['kind']): MemoryRegion {
  const region = board.memory.find((candidate) => candidate.kind === kind);
  if (!region)
    throw new UserError(`board ${board.name}: no memory of kind "${kind}"; add one to boards/${board.name}.json`);
  return region;
}

/** Address of the firmware's vector table. */
export function vectorTableOf(board: Board): number {
  return board.vectorTable ?? firstRegion(board, 'flash').start;
}

export function stackBytes(board: Board): number {
  const share = Math.floor(firstRegion(board, 'ram').bytes / STACK_SHARE);
  return Math.min(STACK_BYTES_MAX, share - (share % 8));
}

/** @param weightsInRam weights are initialised data: start-up code copies them to RAM, at the price of as many bytes of it
 *  @param reservedFlashBytes at the end of flash that stay free */
export function linkerScript(board: Board, weightsInRam = false, reservedFlashBytes = 0): string {
  const flash = firstRegion(board, 'flash');
  const ram = firstRegion(board, 'ram');
  const stack = stackBytes(board);
  return `/* Memory of ${board.name}. The stack is at the bottom of RAM: an overflow leaves RAM and faults. */
ENTRY(Reset_Handler)

MEMORY
{
    ${flash.name} (rx) : ORIGIN = ${hex32(flash.start)}, LENGTH = ${flash.bytes - reservedFlashBytes}
    STACK (rw) : ORIGIN = ${hex32(ram.start)}, LENGTH = ${stack}
    ${ram.name} (rw) : ORIGIN = ${hex32(ram.start + stack)}, LENGTH = ${ram.bytes - stack}
}

__stack_limit = ORIGIN(STACK);
__stack_top = ORIGIN(STACK) + LENGTH(STACK);

SECTIONS
{
${bootSection(board)}    .text ${board.boot === undefined ? '' : `${hex32(vectorTableOf(board))} `}:
    {
        KEEP(*(.vectors))
        *(.text .text.*)
        ${weightsInRam ? `*(EXCLUDE_FILE(*${WEIGHTS}) .rodata EXCLUDE_FILE(*${WEIGHTS}) .rodata.*)` : '*(.rodata .rodata.*)'}
        . = ALIGN(4);
    } > ${flash.name}

    .ARM.exidx :
    {
        *(.ARM.exidx .ARM.exidx.* .ARM.extab .ARM.extab.*)
    } > ${flash.name}

    .data :
    {
        __data_start = .;
        *(.data .data.*)
${weightsInRam ? `        *${WEIGHTS}(.rodata .rodata.*)\n` : ''}        . = ALIGN(4);
        __data_end = .;
    } > ${ram.name} AT > ${flash.name}
    __data_load = LOADADDR(.data);

    .bss (NOLOAD) :
    {
        __bss_start = .;
        *(.bss .bss.* COMMON)
        . = ALIGN(4);
        __bss_end = .;
    } > ${ram.name}
}
`;
}

/** What runs before our vector table is looked at, at the start of flash. */
function bootSection(board: Board): string {
  if (board.boot === undefined) return '';
  return `    .boot :
    {
        KEEP(*(.boot))
        KEEP(*(.boot.*))
    } > ${firstRegion(board, 'flash').name}

`;
}
