/** Stages of a decision system's C up to the encoder: what a window's own statistics say of it, and the window as the encoder's input. */
import type { DecisionSystem } from '../ir/system.ts';
import { dynamicFront } from './system-dynamic.ts';

/** Empty unless the gate is by statistics. */
export function statisticsStage({ stream: { frames, channels }, gate }: DecisionSystem, name: string): string {
  if (gate.kind !== 'statistics') return '';
  const { size } = gate.head;
  return `/* Whether the newest window is familiar, by statistics of it; label: class of what it is nearest to. */
STAGE static int32_t ${name}_stage_statistics(const ${name}_state *state, int32_t *label)
{
    int16_t window[${frames * channels}];
    int16_t statistics[${size}];
    int16_t scratch[${size}];
    tl_stream_window_s16(&stream, &state->stream, state->ring, window);
    tl_window_statistics_s16(${channels}, floors, window, ${frames}, statistics);
    return tl_nearest_prototype_s16(&gate, statistics, scratch, label) <= ${gate.distanceMax};
}
`;
}

export function frontStage(system: DecisionSystem, name: string, encoder: string): string {
  const { stream, frontEnd } = system;
  const { frames, channels } = stream;
  const input = (index: number): string => `(int8_t *)${encoder}_input_at(arena, ${index})`;
  const standardise = (table: string, count: number, zero: number, from: string, stride: number, to: number): string =>
    `    tl_standardise_s16_s8(${table}, ${count}, ${zero}, ${from}, ${stride}, ${frames}, ${input(to)});\n`;
  let work: string;
  if (system.encoder.dynamics) work = dynamicFront(system, encoder);
  else if (frontEnd.kind !== 'image')
    work = standardise('channels', channels, frontEnd.zeroPoint, 'window', channels, 0);
  else {
    const { columnZeroPoint, rowZeroPoint, rowSource } = frontEnd;
    const [from, stride] = rowSource === 'self' ? ['units', 3] : ['window + 3', channels];
    work = `    int16_t units[${3 * frames}];
    tl_unit_vectors_s16(window, ${channels}, ${frames}, units);
${standardise('column_channels', 3, columnZeroPoint, 'units', 3, 0)}${standardise('row_channels', 3, rowZeroPoint, from, stride, 1)}`;
  }
  return `/* The newest window as the encoder's input. */
STAGE static void ${name}_stage_front(const ${name}_state *state, void *arena)
{
    int16_t window[${frames * channels}];
    tl_stream_window_s16(&stream, &state->stream, state->ring, window);
${work}}
`;
}

export function encodeStage(name: string, encoder: string): string {
  return `STAGE static int32_t ${name}_stage_encode(void *arena)
{
    return ${encoder}_invoke_at(arena);
}
`;
}
