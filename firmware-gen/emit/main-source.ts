/**
 * main.c and board.h. With --bare: init, one inference, tl_ready, sleep. Otherwise the firmware also introduces itself on the board's UART:
 * name, arena, the cycles of a cold and a warm inference on zero input, the output values. tl_ready is an empty function whose address tells
 * an emulator or a debugger that the model is up and the arena may be written.
 */
import type { Board } from '../../boards/schema.ts';
import { hex32 } from '../../common/units.ts';
import type { Graph } from '../ir/graph.ts';
import { COLUMNS_MAX, wrapArguments } from './c-writer.ts';
import { elementCount, tensorOf } from '../ir/graph.ts';

export interface MainOptions {
  readonly board: Board;
  /** C identifier of the model. */
  readonly model: string;
  readonly opening: string;
  readonly hooks: boolean;
  readonly bare: boolean;
}

/** Values of one output that are printed; more would only slow the start. */
const PRINTED_VALUES_MAX = 16;

const UART_DRIVERS: Readonly<Record<NonNullable<Board['uart']>['kind'], string>> = {
  'cmsdk-uart': 'tl_uart_cmsdk.c',
  'stm32-lpuart': 'tl_uart_stm32_lpuart.c',
};

const CLOCK_SETUPS: Readonly<Record<NonNullable<Board['clockSetup']>, string>> = {
  'stm32l4r-120mhz': 'tl_clock_stm32l4r.c',
};

/** Files of kernels/runtime that main.c and start-up need on this board. */
export function runtimeSources(board: Board, bare: boolean): string[] {
  const clock = board.clockSetup ? [CLOCK_SETUPS[board.clockSetup]] : [];
  const uart = board.uart && !bare ? [UART_DRIVERS[board.uart.kind], 'tl_print.c'] : [];
  return ['startup.c', 'tl_memcpy.c', 'tl_memset.c', ...clock, ...uart];
}

export function boardHeader(board: Board, opening: string): string {
  const uart = board.uart ? [`#define TL_UART_BASE ${hex32(board.uart.base).toUpperCase().replace('0X', '0x')}U`] : [];
  return [
    opening,
    '#ifndef TL_BOARD_H\n#define TL_BOARD_H\n',
    `#define TL_CLOCK_HZ ${board.clockHz}U`,
    `#define TL_HAS_CLOCK_SETUP ${board.clockSetup ? 1 : 0}`,
    ...uart,
    '\n#endif\n',
  ].join('\n');
}

export function mainSource(graph: Graph, options: MainOptions): string {
  const { model, opening, hooks, bare, board } = options;
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
      : [quietMain(model)]),
  ].join('\n');
}

function arenaDefinition(upper: string): string {
  const declaration = `static uint8_t tl_arena[${upper}_ARENA_BYTES]`;
  const attribute = `__attribute__((aligned(${upper}_ARENA_ALIGNMENT)));`;
  const isShort = declaration.length + 1 + attribute.length <= COLUMNS_MAX;
  return `${declaration}${isShort ? ' ' : '\n    '}${attribute}\n`;
}

function quietMain(model: string): string {
  return `int main(void)
{
    if (${model}_init(tl_arena) != 0 || ${model}_invoke() != 0) {
        tl_halt();
    }
    tl_ready();
    for (;;) {
        tl_wait_for_interrupt();
    }
}
`;
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
  const zeroInputs = graph.inputs.map((_, index) =>
    wrapArguments('    memset', [`${model}_input(${index})`, '0', `${upper}_INPUT${index}_BYTES`], ';'),
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
