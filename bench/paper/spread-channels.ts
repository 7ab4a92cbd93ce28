/**
 * The same network with unequal channels, as int8 finds them hard: every channel is multiplied by a power of two of its own, which whatever reads
 * it takes back. RELU commutes with a positive factor and powers of two with rounding, so that float outputs stay what they were, to the bit.
 */
import { assert } from '../../common/errors.ts';
import type { EncoderSpec } from '../../learn/deep/config.ts';
import { convLayers, layerNames } from '../../learn/deep/encoder.ts';
import type { ParameterValues } from '../../learn/deep/parameters.ts';
import { createRandom } from '../../learn/random.ts';

/** @param exponents largest exponent of two, either way @param spec without shortcuts, which would join two channels' factors */
export function withSpreadChannels(
  values: ParameterValues,
  spec: EncoderSpec,
  { channels, exponents, seed }: { readonly channels: number; readonly exponents: number; readonly seed: number },
): Map<string, Float32Array> {
  const random = createRandom(seed);
  const result = new Map(values);
  const change = (name: string, factorOf: (i: number) => number): void => {
    result.set(
      name,
      values.get(name)!.map((value, i) => value * factorOf(i)),
    );
  };
  let before: readonly number[] | null = null;
  for (const { name, kind, inputs, outputs, relu, shortcutFrom } of convLayers(spec, channels)) {
    assert(relu && shortcutFrom === null, `${name} has a shortcut`);
    const read: readonly number[] | null = before;
    // HWIO, or HWC1: the channel that is read is the last but one dimension of both.
    if (read) change(`${name}_kernel`, (i) => 1 / read[Math.floor(i / (kind === 'conv' ? outputs : 1)) % inputs]!);
    const own = Array.from({ length: outputs }, () => 2 ** (random.integer(2 * exponents + 1) - exponents));
    for (const part of ['gamma', 'beta']) change(`${name}_${part}`, (i) => own[i]!);
    before = own;
  }
  const last = before!;
  change(`${layerNames.latent}_kernel`, (i) => 1 / last[Math.floor(i / spec.latent)]!);
  return result;
}
