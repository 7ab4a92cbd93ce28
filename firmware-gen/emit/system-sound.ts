/** The part of a decision system's C that takes sound: every push of samples becomes one frame of cepstral coefficients of the stream. */
import { cepstraTables } from '../ir/sound-tables.ts';
import type { CepstraParams } from '../ir/system.ts';
import { constantTable } from './c-writer.ts';

export function cepstraConstants(params: CepstraParams): string[] {
  const { logMel, dct } = cepstraTables(params);
  const { frame, log2Size, floor, window, twiddles, filters } = logMel;
  const bands = filters.map(({ firstBin, weights }) => `{${firstBin}, ${weights.length}}`).join(', ');
  const fields = `${frame}, ${log2Size}, ${filters.length}, ${floor}, mel_window, fft_twiddles, fft_half_twiddles, mel_filters, mel_weights`;
  const weights = filters.flatMap((filter) => filter.weights);
  return [
    constantTable('int16_t', 'mel_window', window),
    constantTable('int32_t', 'fft_twiddles', twiddles.whole),
    constantTable('int32_t', 'fft_half_twiddles', twiddles.half),
    `static const tl_mel_filter mel_filters[${filters.length}] = {${bands}};\n`,
    constantTable('int16_t', 'mel_weights', weights),
    `static const tl_log_mel_params log_mel = {${fields}};\n`,
    constantTable('int16_t', 'dct_matrix', dct),
    `static const tl_dct_params dct = {${filters.length}, ${params.coefficients}, dct_matrix};\n`,
  ];
}

export function analyseStage({ frameSamples, hopSamples, mels }: CepstraParams, name: string): string {
  const scratch = 2 ** Math.ceil(Math.log2(frameSamples)) + 2;
  const kept = frameSamples - hopSamples;
  const shift =
    kept === 0
      ? ''
      : `    for (int32_t i = 0; i < ${kept}; ++i) {
        state->samples[i] = state->samples[i + ${hopSamples}];
    }
`;
  return `/* The frame that ends with these samples. */
STAGE static void ${name}_stage_analyse(${name}_state *state, const int16_t *samples, int16_t *cepstra)
{
    int32_t scratch[${scratch}];
    int32_t bands[${mels}];
${shift}    for (int32_t i = 0; i < ${hopSamples}; ++i) {
        state->samples[${kept} + i] = samples[i];
    }
    tl_log_mel_s16(&log_mel, scratch, state->samples, bands);
    tl_dct_s16(&dct, bands, cepstra);
}
`;
}
