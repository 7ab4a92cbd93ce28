/** The constant tables of a decision system's C: front end, head, gate, filters. */
import type { DecisionSystem, LatentFilter, StandardiseChannel, SystemHead } from '../ir/system.ts';
import { constantTable as table } from './c-writer.ts';
import { dynamicConstants } from './system-dynamic.ts';
import { cepstraConstants } from './system-sound.ts';

/** @param needed which of the trained head's are needed: all, those of its scores, which a gate compares, or none */
export function systemConstants(system: DecisionSystem, needed: 'all' | 'scores' | 'none'): string {
  const { stream, frontEnd, head, gate, latentFilter, filter } = system;
  const parts = [`static const tl_stream_params stream = {${stream.channels}, ${stream.frames}, ${stream.hop}};\n`];
  if (frontEnd.kind === 'mfcc') parts.push(...cepstraConstants(frontEnd.cepstra));
  if (frontEnd.kind !== 'image') parts.push(channelTable('channels', frontEnd.channels));
  else {
    const { column, row } = frontEnd;
    parts.push(channelTable('column_channels', [column, column, column]), channelTable('row_channels', row));
  }
  parts.push(...dynamicConstants(system), ...(needed === 'none' ? [] : [headConstants(head, needed === 'all')]));
  if (gate.kind === 'mahalanobis') {
    const { size, classes, offset, shift, whitening, centres } = gate.head;
    parts.push(table('int16_t', 'whitening', whitening), table('int32_t', 'centres', centres));
    parts.push(
      `static const tl_mahalanobis_params gate = {${size}, ${classes}, ${offset}, ${shift}, whitening, centres};\n`,
    );
  }
  if (gate.kind === 'unknown-class') {
    const { size, classes, offset, weights, bias } = gate.head;
    parts.push(table('int16_t', 'unknown_weights', weights), table('int32_t', 'unknown_bias', bias));
    parts.push(
      `static const tl_linear_params unknown = {${size}, ${classes}, ${offset}, unknown_weights, unknown_bias};\n`,
    );
  }
  if (gate.kind === 'statistics') {
    const { size, count, shift, floors, whitening, centres, labels } = gate.head;
    parts.push(table('uint16_t', 'floors', floors), table('int16_t', 'whitening', whitening));
    parts.push(table('int16_t', 'centres', centres), table('uint8_t', 'labels', labels));
    parts.push(`static const tl_prototypes_params gate = {${size}, ${count}, ${shift}, whitening, centres, labels};\n`);
  }
  if (latentFilter) parts.push(latentConstants(latentFilter));
  parts.push(`static const tl_sticky_params filter = {${filter.classes}, ${filter.stay}, ${filter.change}};\n`);
  return parts.join('\n');
}

function headConstants(head: SystemHead, withExponents: boolean): string {
  const weights = table('int16_t', 'head_weights', head.head.weights);
  const { size, classes, offset } = head.head;
  if (head.kind === 'cosine') {
    const fields = `${size}, ${classes}, ${offset}, ${head.head.thresholdSquared}, head_weights`;
    return `${weights}\nstatic const tl_cosine_params head = {${fields}};\n`;
  }
  return `${weights}\n${table('int32_t', 'head_bias', head.head.bias)}
static const tl_linear_params head = {${size}, ${classes}, ${offset}, head_weights, head_bias};
${withExponents ? `\nstatic const tl_exponent_scale exponents = {${head.scale.multiplier}, ${head.scale.shift}};\n` : ''}`;
}

const channelTable = (name: string, channels: readonly StandardiseChannel[]): string =>
  `static const tl_standardise_params ${name}[${channels.length}] = {${channels.map((c) => `{${c.offset}, ${c.multiplier}, ${c.shift}}`).join(', ')}};\n`;

function latentConstants({ params, scale }: LatentFilter): string {
  const { size, classes, offset, shift } = params;
  return [
    table('int16_t', 'latent_whitening', params.whitening),
    table('int32_t', 'latent_centres', params.centres),
    table('uint16_t', 'latent_drift', params.drift),
    table('uint16_t', 'latent_noise', params.noise),
    `static const tl_kalman_params latent = {${size}, ${classes}, ${offset}, ${shift}, latent_whitening, latent_centres, latent_drift, latent_noise};\n`,
    `static const tl_exponent_scale latent_scale = {${scale.multiplier}, ${scale.shift}};\n`,
  ].join('\n');
}
