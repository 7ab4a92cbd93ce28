/** Frames of cepstral coefficients of sound, Q5: of whole clips, and as a system's firmware makes them while samples come in. */
import { cepstraTables } from '../../ir/sound-tables.ts';
import type { CepstraParams } from '../../ir/system.ts';
import { dct, logMel } from './log-mel.ts';

/** Of frameSamples samples, [coefficients]. */
function cepstrum(params: Omit<CepstraParams, 'hopSamples'>): (samples: ArrayLike<number>) => Int16Array {
  const tables = cepstraTables(params);
  return (samples) => dct(logMel(samples, tables.logMel), tables.dct);
}

/** One stream: every call takes hopSamples samples and gives the frame that ends with them; before the first there was silence. */
export function cepstralFrames(params: CepstraParams): (samples: ArrayLike<number>) => Int16Array {
  const { frameSamples, hopSamples } = params;
  const transform = cepstrum(params);
  const newest = new Int16Array(frameSamples);
  return (samples) => {
    newest.copyWithin(0, hopSamples);
    newest.set(Array.from(samples), frameSamples - hopSamples);
    return transform(newest);
  };
}

/** Of a clip, all frames that fit into it: [frames, coefficients], a window of the stream. */
export function clipCepstra(params: CepstraParams): (samples: Int16Array) => Int16Array {
  const { frameSamples, hopSamples, coefficients } = params;
  const transform = cepstrum(params);
  return (samples) => {
    const frames = Math.floor((samples.length - frameSamples) / hopSamples) + 1;
    const result = new Int16Array(frames * coefficients);
    for (let i = 0; i < frames; i += 1)
      result.set(transform(samples.subarray(i * hopSamples, i * hopSamples + frameSamples)), i * coefficients);
    return result;
  };
}
