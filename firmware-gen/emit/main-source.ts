/**
 * main.c and board.h. With a harness: harness-source.ts. With --bare: init, one inference, tl_ready, sleep. Otherwise the firmware also introduces itself on the board's UART:
 * name, arena, the cycles of a cold and a warm inference on zero input, the output values. tl_ready is an empty function whose address tells
 * an emulator or a debugger that the model is up and the arena may be written.
 */
import type { Board } from '../../boards/schema.ts';
import { hex32 } from '../../common/units.ts';
import type { Graph } from '../ir/graph.ts';
import { COLUMNS_MAX, wrapArguments } from './c-writer.ts';
import { vectorTableOf } from './linker-script.ts';
import { elementCount, tensorOf } from '../ir/graph.ts';
import { harnessMain, harnessSources, type HarnessOptions } from './harness-source.ts';

export interface MainOptions {
  readonly board: Board;
  /** C identifier of the model. */
  readonly model: string;
  readonly opening: string;
  readonly hooks: boolean;
  readonly bare: boolean;
  /** Of the .tflite, lower-case hex. */
  readonly modelSha256: string;
  /** Serve a protocol on the UART instead of the introduction. */
  readonly harness: HarnessOptions | null;
}

/** Values of one output that are printed; more would only slow the start. */
const PRINTED_VALUES_MAX = 16;

const UART_DRIVERS: Readonly<Record<NonNullable<Board['uart']>['kind'], readonly string[]>> = {
  'cmsdk-uart': ['tl_uart_cmsdk.c'],
  'stm32-usart': ['tl_uart_stm32.c'],
  'stm32-lpuart': ['tl_uart_stm32.c'],
  'stm32-usart-v1': ['tl_uart_stm32_v1.c'],
  'nrf52-uart': ['tl_uart_nrf52.c'],
  pl011: ['tl_uart_rp2040.c'],
  'psoc6-scb': ['tl_uart_psoc6.c'],
};

const CLOCK_SETUPS: Readonly<Record<NonNullable<Board['clockSetup']>, string>> = {
  'stm32l4r-120mhz': 'tl_clock_stm32l4r.c',
  'stm32g0-64mhz': 'tl_clock_stm32g0.c',
  'stm32f4-168mhz': 'tl_clock_stm32f4.c',
  'stm32f7-216mhz': 'tl_clock_stm32f7.c',
  'stm32h7a3-280mhz': 'tl_clock_stm32h7a3.c',
  'stm32u5-160mhz': 'tl_clock_stm32u5.c',
  'psoc6-150mhz': 'tl_clock_psoc6.c',
  'nrf52-64mhz': 'tl_clock_nrf52.c',
  'rp2040-125mhz': 'tl_clock_rp2040.c',
};

const BOOT_STAGES: Readonly<Record<NonNullable<Board['boot']>, string>> = {
  'rp2040-boot2': 'tl_boot_rp2040.c',
  'psoc6-cm0p': 'tl_boot_psoc6.c',
};

/** Files of kernels/runtime that main.c and start-up need on this board. */
export function runtimeSources(board: Board, bare: boolean, harness: HarnessOptions | null): string[] {
  const boot = board.boot ? [BOOT_STAGES[board.boot]] : [];
  const clock = board.clockSetup ? [CLOCK_SETUPS[board.clockSetup]] : [];
  const base = ['startup.c', 'tl_memcpy.c', 'tl_memset.c', ...boot, ...clock];
  if (board.uart === null || bare) return base;
  return [...base, ...UART_DRIVERS[board.uart.kind], ...(harness === null ? ['tl_print.c'] : harnessSources(harness))];
}

const cHex = (value: number): string => `${hex32(value).toUpperCase().replace('0X', '0x')}U`;

export function boardHeader(board: Board, opening: string): string {
  const boot = board.boot ? [`#define TL_VECTOR_TABLE ${cHex(vectorTableOf(board))}`] : [];
  const { chipId: id } = board;
  const chipId = id
    ? [
        `#define TL_CHIP_ID_ADDRESS ${cHex(id.address)}`,
        `#define TL_CHIP_ID_MASK ${cHex(id.mask)}`,
        `#define TL_CHIP_ID_VALUE ${cHex(id.value)}`,
      ]
    : [];
  return [
    opening,
    '#ifndef TL_BOARD_H\n#define TL_BOARD_H\n',
    `#define TL_CLOCK_HZ ${board.clockHz}U`,
    `#define TL_HAS_CLOCK_SETUP ${board.clockSetup ? 1 : 0}`,
    ...boot,
    ...uartDefinitions(board),
    ...chipId,
    '\n#endif\n',
  ].join('\n');
}

/** Where the UART is, what it counts by, and what drivers set up around it, as initialisers. */
function uartDefinitions({ uart, clockHz }: Board): string[] {
  if (uart === null) return [];
  const list = (items: readonly string[]): string => items.map((item) => `{${item}}`).join(', ');
  const enables = uart.enable.map(({ register, bit }) => `${cHex(register)}, ${bit}U`);
  const pins = (uart.pins ?? []).map(({ port, pin, function: number }) => `${cHex(port)}, ${pin}U, ${number}U`);
  return [
    `#define TL_UART_BASE ${cHex(uart.base)}`,
    `#define TL_UART_HZ ${uart.clockHz ?? clockHz}U`,
    ...(uart.kind.startsWith('stm32') ? [`#define TL_UART_IS_LPUART ${uart.kind === 'stm32-lpuart' ? 1 : 0}`] : []),
    ...(enables.length > 0 ? [`#define TL_UART_ENABLES ${list(enables)}`] : []),
    ...(pins.length > 0 ? [`#define TL_UART_PINS ${list(pins)}`] : []),
  ];
}

export function mainSource(graph: Graph, options: MainOptions): string {
  const { model, opening, hooks, bare, board, modelSha256, harness } = options;
  if (harness !== null) {
    const arena = arenaDefinition(model.toUpperCase());
    return harnessMain(graph, { board, model, opening, hooks, arena, modelSha256, harness });
  }
  const talks = board.uart !== null && !bare;
  const hook = `/* A debugger or an emulator reads the op's output when this is called. */
TL_VISIBLE void ${model}_on_op(int op_index)
{
    (void)op_index;
}
`;
  return [
    opening,
    `#include "${model}.h"\n#include "tl_runtime.h"\n`,
    ...(talks ? ['#include "tl_print.h"\n'] : []),
    arenaDefinition(model.toUpperCase()),
    '/* Marks, by its address, the moment from which the model may be used from outside. */',
    'TL_VISIBLE void tl_ready(void)\n{\n}\n',
    ...(hooks ? [hook] : []),
    ...(talks
      ? [
          ...graph.outputs.map((_, index) => printOutput(graph, index, model)),
          talkingMain(graph, model, hasCycleCounter(board)),
        ]
      : [quietMain(graph, model)]),
  ].join('\n');
}

function arenaDefinition(upper: string): string {
  const declaration = `static uint8_t tl_arena[${upper}_ARENA_BYTES]`;
  const attribute = `__attribute__((aligned(${upper}_ARENA_ALIGNMENT)));`;
  const isShort = declaration.length + 1 + attribute.length <= COLUMNS_MAX;
  return `${declaration}${isShort ? ' ' : '\n    '}${attribute}\n`;
}

function quietMain(graph: Graph, model: string): string {
  const scale = graph.dynamics ? defaultScale(model).join('\n') : '';
  const start = scale
    ? `    if (${model}_init(tl_arena) != 0) {
        tl_halt();
    }
${scale}
    if (${model}_invoke() != 0) {
        tl_halt();
    }
`
    : `    if (${model}_init(tl_arena) != 0 || ${model}_invoke() != 0) {
        tl_halt();
    }
`;
  return `int main(void)
{
${start}    tl_ready();
    for (;;) {
        tl_wait_for_interrupt();
    }
}
`;
}

/** A dynamic model's second input is the scale of the first; zero is none. */
function defaultScale(model: string): string[] {
  const upper = model.toUpperCase();
  return [
    `    static const int32_t scale[3] = ${upper}_INPUT1_DEFAULT;`,
    `    memcpy(${model}_input(1), scale, sizeof(scale));`,
  ];
}

function printOutput(graph: Graph, index: number, model: string): string {
  const id = graph.outputs[index];
  if (id === undefined) throw new Error(`internal: output ${index} is not in the graph`);
  const tensor = tensorOf(graph, id);
  const count = Math.min(elementCount(tensor.shape), PRINTED_VALUES_MAX);
  const access: Readonly<Record<typeof tensor.dtype, [string, string]>> = {
    int8: ['int8_t', 'tl_print_int(values[i])'],
    uint8: ['uint8_t', 'tl_print_int(values[i])'],
    bool: ['uint8_t', 'tl_print_int(values[i])'],
    int16: ['int16_t', 'tl_print_int(values[i])'],
    int32: ['int32_t', 'tl_print_int(values[i])'],
    int64: ['int64_t', 'tl_print_int((int32_t)values[i])'],
    float32: ['uint32_t', 'tl_print_hex(values[i])'],
  };
  const [ctype, print] = access[tensor.dtype];
  const bits = tensor.dtype === 'float32' ? ' as IEEE 754 bits' : '';
  return `/* The first ${count} values of output ${index}${bits}. */
static void print_output${index}(void)
{
    const ${ctype} *const values = (const ${ctype} *)${model}_output(${index});
    tl_print("output ${index}:");
    for (int32_t i = 0; i < ${count}; ++i) {
        tl_print(" ");
        ${print};
    }
    tl_print("\\n");
}
`;
}

/** DWT.CYCCNT exists with Armv7-M and v8-M Mainline (DDI 0403E C1.8, DDI 0553B D1.2.57); SysTick's 24 bits are too few for an inference. */
function hasCycleCounter({ core }: Board): boolean {
  return core !== 'cortex-m0' && core !== 'cortex-m0plus' && core !== 'cortex-m23';
}

function talkingMain(graph: Graph, model: string, counts: boolean): string {
  const upper = model.toUpperCase();
  const zeroInputs = graph.inputs.flatMap((_, index) =>
    graph.dynamics && index === 1
      ? defaultScale(model)
      : [wrapArguments('    memset', [`${model}_input(${index})`, '0', `${upper}_INPUT${index}_BYTES`], ';')],
  );
  const prints = graph.outputs.map((_, index) => `    print_output${index}();`);
  const timed = `/* Cycles of one inference on zero input, by the DWT cycle counter. */
static uint32_t timed_invoke(void)
{
${zeroInputs.join('\n')}
    const uint32_t start = tl_cycles();
    if (${model}_invoke() != 0) {
        tl_halt();
    }
    return tl_cycles() - start;
}

`;
  const invoke = counts
    ? `    const uint32_t cold_cycles = timed_invoke();
    const uint32_t warm_cycles = timed_invoke();
    tl_print("cycles: ");
    tl_print_int((int32_t)cold_cycles);
    tl_print(" cold, ");
    tl_print_int((int32_t)warm_cycles);
    tl_print(" warm\\n");
`
    : `${zeroInputs.join('\n')}
    if (${model}_invoke() != 0) {
        tl_halt();
    }
`;
  return `${counts ? timed : ''}int main(void)
{
    tl_print_init();
${counts ? '    tl_cycles_init();\n' : ''}    tl_print("thumbelina: model ${model}, arena ");
    tl_print_int(${upper}_ARENA_BYTES);
    tl_print(" bytes\\n");
    if (${model}_init(tl_arena) != 0) {
        tl_halt();
    }
${invoke}${prints.join('\n')}
    tl_print("ready\\n");
    tl_ready();
    for (;;) {
        tl_wait_for_interrupt();
    }
}
`;
}
