/**
 * main.c of an image that serves a protocol on the board's UART: MLPerf Tiny's text commands, our frames, or both
 * (kernels/runtime/tl_harness.h). Everything about the model is data here; the protocols are the runtime's.
 */
import type { Board } from '../../boards/schema.ts';
import { UserError } from '../../common/errors.ts';
import { bytesPerElement, tensorBytes, tensorOf, type Graph, type Tensor, type TensorId } from '../ir/graph.ts';
import { floatLiteral } from './c-writer.ts';

export type HarnessProtocol = 'mlperf' | 'device' | 'both';

/** How bytes from the host become the input: the tensors as they are, unsigned bytes for int8 tensors, or floats quantized on the device. */
export type HarnessInput = 'raw' | 'uint8' | 'float32';

export interface HarnessOptions {
  readonly protocol: HarnessProtocol;
  /** What `profile` answers: kws01, ic01, vww01, ad01. */
  readonly mlperfId: string;
  readonly input: HarnessInput;
}

export interface HarnessMainOptions {
  readonly board: Board;
  readonly model: string;
  readonly opening: string;
  readonly hooks: boolean;
  readonly arena: string;
  readonly modelSha256: string;
  readonly harness: HarnessOptions;
  /** The model learns on the device: `graph` is its encoder, the output are its scores, so many int32. */
  readonly learner?: { readonly scores: number };
}

const SOURCES: Readonly<Record<HarnessProtocol, readonly string[]>> = {
  mlperf: ['tl_mlperf.c', 'tl_print.c'],
  device: ['tl_device.c', 'tl_device_fault.c', 'tl_frame.c'],
  both: ['tl_mlperf.c', 'tl_print.c', 'tl_device.c', 'tl_device_fault.c', 'tl_frame.c', 'tl_both.c'],
};

/** Files of kernels/runtime besides start-up and the UART's driver. */
export function harnessSources({ protocol }: HarnessOptions): string[] {
  return ['tl_harness.c', 'tl_stack.c', 'tl_time.c', ...SOURCES[protocol]];
}

const ELEMENTS: Readonly<Partial<Record<Tensor['dtype'], string>>> = {
  int8: 'TL_ELEMENT_INT8',
  uint8: 'TL_ELEMENT_UINT8',
  int16: 'TL_ELEMENT_INT16',
  float32: 'TL_ELEMENT_FLOAT32',
};

/** UARTs whose driver in kernels/runtime has tl_uart_read. */
const RECEIVING: readonly NonNullable<Board['uart']>['kind'][] = [
  'cmsdk-uart',
  'stm32-usart',
  'stm32-lpuart',
  'stm32-usart-v1',
  'nrf52-uart',
  'pl011',
];

export const canReceive = ({ uart }: Board): boolean => uart !== null && RECEIVING.includes(uart.kind);

const FORMS: Readonly<Record<HarnessInput, string>> = {
  raw: 'TL_INPUT_RAW',
  uint8: 'TL_INPUT_UINT8',
  float32: 'TL_INPUT_FLOAT32',
};

/** @throws UserError for a board without a UART, and for an input form that does not fit the model */
export function harnessMain(graph: Graph, options: HarnessMainOptions): string {
  const { board, model, opening, hooks, arena, modelSha256, harness, learner } = options;
  if (board.uart === null)
    throw new UserError(`board ${board.name} has no UART for a harness; choose another board, or leave --harness out`);
  if (!canReceive(board))
    throw new UserError(
      `board ${board.name}: the driver of its ${board.uart.kind} only sends; --harness works with ${RECEIVING.join(', ')}`,
    );
  checkForm(graph, harness.input);
  const inputs = graph.inputs.map((id) => tensorOf(graph, id));
  const bytes = inputs.reduce((sum, tensor) => sum + inputBytes(tensor, harness.input), 0);
  const { protocol } = harness;
  const hook = `TL_VISIBLE void ${model}_on_op(int op_index)
{
    ${protocol === 'mlperf' ? '(void)op_index' : 'tl_device_on_op(op_index)'};
}
`;
  const pointers = (kind: 'input' | 'output', ids: readonly TensorId[]): string[] =>
    ids.map(
      (_, i) => `    ${kind}s[${i}].data = (uint8_t *)${kind === 'output' ? '(uintptr_t)' : ''}${model}_${kind}(${i});`,
    );
  const outputs = learner
    ? `static tl_harness_tensor outputs[1] = {\n    {.bytes = ${4 * learner.scores}, .element = TL_ELEMENT_OTHER, .zero_point = 0, .scale = 1.0f},\n};\n`
    : tensorTable(graph, 'outputs', graph.outputs);
  const invoke = `static int32_t invoke(void)\n{\n    return tl_learner_infer(&${model}_learner);\n}\n`;
  return [
    opening,
    `#include "${model}${learner ? '_adapt' : ''}.h"\n#include "tl_harness.h"\n`,
    learner ? invoke : arena,
    `static uint8_t input_buffer[${bytes}] __attribute__((aligned(8)));\n`,
    tensorTable(graph, 'inputs', graph.inputs),
    outputs,
    `static const uint8_t model_sha256[32] = {\n${hexRows(modelSha256)}\n};\n`,
    `static const tl_harness harness = {
    .board = ${cString(board.name)},
    .model = ${cString(model)},
    .mlperf_id = ${cString(harness.mlperfId)},
    .model_sha256 = model_sha256,
    .invoke = ${learner ? 'invoke' : `${model}_invoke`},
    .inputs = inputs,
    .input_count = ${graph.inputs.length},
    .outputs = outputs,
    .output_count = ${learner ? 1 : graph.outputs.length},
    .buffer = input_buffer,
    .buffer_bytes = ${bytes},
    .form = ${FORMS[harness.input]},
    .arena_bytes = ${model.toUpperCase()}_ARENA_BYTES,
    .op_count = ${hooks ? graph.ops.length : 0},
${learner ? `    .extension = tl_device_adapt,\n    .learner = &${model}_learner,\n` : ''}};
`,
    '/* Marks, by its address, the moment from which the model may be used from outside. */',
    'TL_VISIBLE void tl_ready(void)\n{\n}\n',
    ...(hooks ? [hook] : []),
    `int main(void)
{
    tl_uart_init();
    tl_time_init();
    if (${learner ? `${model}_adapt_start() < 0` : `${model}_init(tl_arena) != 0`}) {
        tl_halt();
    }
${[...pointers('input', graph.inputs), ...(learner ? [`    outputs[0].data = (uint8_t *)${model}_learner.scores;`] : pointers('output', graph.outputs))].join('\n')}
    tl_harness_paint_stack();
    tl_ready();
    tl_${protocol}_init(&harness);
    tl_harness_serve(tl_${protocol}_receive);
}
`,
  ].join('\n');
}

function checkForm(graph: Graph, input: HarnessInput): void {
  for (const id of graph.inputs) {
    const { dtype, name } = tensorOf(graph, id);
    const fits = input === 'raw' || (input === 'uint8' ? dtype === 'int8' : ELEMENTS[dtype] !== undefined);
    if (!fits)
      throw new UserError(`input ${name} is ${dtype}, which ${input} bytes cannot become; use --harness-input raw`);
  }
}

function inputBytes(tensor: Tensor, input: HarnessInput): number {
  const bytes = tensorBytes(tensor);
  return input === 'float32' ? (bytes / bytesPerElement(tensor.dtype)) * 4 : bytes;
}

function tensorTable(graph: Graph, name: string, ids: readonly TensorId[]): string {
  const rows = ids.map((id) => {
    const tensor = tensorOf(graph, id);
    const { dtype, quantization } = tensor;
    const scale = floatLiteral(quantization?.scale[0] ?? 1);
    const zeroPoint = quantization?.zeroPoint[0] ?? 0;
    return `    {.bytes = ${tensorBytes(tensor)}, .element = ${ELEMENTS[dtype] ?? 'TL_ELEMENT_OTHER'}, .zero_point = ${zeroPoint}, .scale = ${scale}},`;
  });
  return `static tl_harness_tensor ${name}[${ids.length}] = {\n${rows.join('\n')}\n};\n`;
}

export function cString(text: string): string {
  const escaped = text.replaceAll(
    /[^ !#-[\]-~]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return `"${escaped}"`;
}

const HASH_ROW_BYTES = 16;

export function hexRows(hash: string): string {
  const bytes = (hash.padEnd(64, '0').match(/../g) ?? []).slice(0, 32).map((byte) => `0x${byte}U`);
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += HASH_ROW_BYTES)
    rows.push(`    ${bytes.slice(at, at + HASH_ROW_BYTES).join(', ')},`);
  return rows.join('\n');
}
