/** The signal kernels against their TypeScript twins, bit for bit; the twins against textbook mathematics. */
import { describe, expect, it } from 'vitest';
import { dctMatrix, logMelTables, twiddles } from '../../firmware-gen/ir/sound-tables.ts';
import { fftQ15, fftQ31, rfftQ31 } from '../../firmware-gen/reference/signal/fft.ts';
import { dct, log2Q10, logMel } from '../../firmware-gen/reference/signal/log-mel.ts';
import { standardiseChannel, standardiseInt8, unitVectors } from '../../firmware-gen/reference/signal/motion.ts';
import { designResampler, Resampler, RunningSums, Stream } from '../../firmware-gen/reference/signal/stream.ts';
import { FORMS, Random } from './op-cases.ts';
import { runProgram } from './run-program.ts';
import { cArray, logMelInC, packed } from './signal-c.ts';

const random = new Random(7);
const int16 = (count: number, limit = 32767): Int16Array =>
  Int16Array.from({ length: count }, () => random.int(-limit, limit));

/** Extremes, zeros and noise of every size. */
function motionFrames(frames: number): Int16Array {
  const values = int16(6 * frames).map((value, i) => value >> (Math.floor(i / 6) % 16));
  values.set([0, 0, 0, -32768, -32768, -32768, 32767, 32767, 32767, 1, 0, 0, -1, 1, 0, 0, 0, -32768]);
  return values;
}

const STREAM = { channels: 6, frames: 8, hop: 3 };
const RESAMPLE = designResampler(6, 2, 5);
const CHANNELS = [0.004, 0.0031, 0.9, 0.011, 0.25, 0.0001].map((step, c) => standardiseChannel(c * 100 - 250.4, step));
const FRAMES = 60;
const MEL = logMelTables({ sampleRateHz: 16000, frame: 480, mels: 40, lowHz: 20, highHz: 8000 });
const DCT = dctMatrix(10, 40);
const SIZE = 64;

interface Results {
  readonly windows: Int16Array;
  readonly statistics: Int32Array;
  readonly resampled: Int16Array;
  readonly units: Int16Array;
  readonly standardised: Int8Array;
  readonly q15: Int16Array;
  readonly q31: Int32Array;
  readonly real: Int32Array;
  readonly mel: Int32Array;
  readonly cepstrum: Int16Array;
}

const motion = motionFrames(FRAMES);
const audio = int16(480).map((value, i) => Math.round(value * 0.02 + 9000 * Math.sin(i * 0.3)));
const complex15 = int16(2 * SIZE, 16384);
const complex31 = Int32Array.from({ length: 2 * SIZE }, () => random.int(-(2 ** 29), 2 ** 29));
const silence = new Int16Array(480);

function inTypeScript(): Results {
  const stream = new Stream(STREAM);
  const sums = Array.from({ length: 6 }, () => new RunningSums());
  const resampler = new Resampler(RESAMPLE);
  const [windows, statistics, resampled] = [[], [], []] as [number[], number[], number[]];
  for (let i = 0; i < FRAMES; i += 1) {
    const frame = motion.subarray(6 * i, 6 * i + 6);
    if (stream.push(frame)) windows.push(...stream.window());
    for (const [c, sum] of sums.entries()) {
      sum.push(frame[c]!, i < 8 ? null : motion[6 * (i - 8) + c]!);
      statistics.push(sum.mean(), sum.variance());
    }
    for (const output of resampler.push(frame)) resampled.push(...output);
  }
  const q15 = complex15.slice();
  fftQ15(q15, twiddles(SIZE, 15));
  const q31 = complex31.slice();
  fftQ31(q31, twiddles(SIZE, 31));
  const tables = { whole: twiddles(2 * SIZE, 31), half: twiddles(SIZE, 31) };
  const energies = [audio, silence].map((samples) => logMel(samples, MEL));
  return {
    windows: Int16Array.from(windows),
    statistics: Int32Array.from(statistics),
    resampled: Int16Array.from(resampled),
    units: unitVectors(motion, 6),
    standardised: standardiseInt8(motion, CHANNELS, -7),
    q15,
    q31,
    real: rfftQ31(complex31, tables),
    mel: Int32Array.from(energies.flatMap((values) => [...values])),
    cepstrum: dct(energies[0]!, DCT),
  };
}

const inputs = packed([motion, audio, silence, complex15, complex31]);

/** Writes the results one after the other, in the order of Results. */
function program(at: readonly number[]): string {
  const input = (type: string, index: number): string => `(const ${type} *)(const void *)(input + ${inputs.at[index]})`;
  const output = (type: string, index: number): string => `(${type} *)(void *)(output + ${at[index]})`;
  const channels = CHANNELS.map((c) => `{${c.offset}, ${c.multiplier}, ${c.shift}}`).join(', ');
  return `#include <string.h>
#include "tl_audio.h"
#include "tl_motion.h"
#include "tl_stream.h"

${cArray('int16_t', 'resample_filter', RESAMPLE.filter)}
${cArray('int16_t', 'twiddles_15', twiddles(SIZE, 15))}
${cArray('int32_t', 'twiddles_31', twiddles(SIZE, 31))}
${cArray('int32_t', 'twiddles_whole', twiddles(2 * SIZE, 31))}
${logMelInC('mel', MEL)}
${cArray('int16_t', 'dct_matrix', DCT)}
static const tl_standardise_params channels[] = {${channels}};

static void test_stream(const int16_t *motion, int16_t *windows, int32_t *statistics, int16_t *resampled)
{
    static const tl_stream_params params = {6, 8, 3};
    static const tl_resample_params resample = {6, 2, 5, ${RESAMPLE.taps}, resample_filter};
    tl_stream_state state = {0, 8};
    tl_running_sums sums[6];
    int16_t ring[48];
    int16_t history[${6 * RESAMPLE.taps}];
    int32_t phase = 0;
    memset(sums, 0, sizeof(sums));
    memset(history, 0, sizeof(history));
    for (int32_t i = 0; i < ${FRAMES}; ++i, motion += 6) {
        if (tl_stream_push_s16(&params, &state, ring, motion) != 0) {
            tl_stream_window_s16(&params, &state, ring, windows);
            windows += 48;
        }
        tl_running_push_s16(6, sums, motion, i < 8 ? NULL : motion - 48);
        for (int32_t c = 0; c < 6; ++c) {
            *statistics++ = tl_running_mean_s16(&sums[c]);
            *statistics++ = tl_running_variance_s16(&sums[c]);
        }
        resampled += 6 * tl_resample_push_s16(&resample, &phase, history, motion, resampled);
    }
}

static void test_audio(const int16_t *audio, const int16_t *silence, int32_t *energies, int16_t *cepstrum)
{
    static const tl_dct_params dct = {40, 10, dct_matrix};
    static int32_t scratch[514];
    tl_log_mel_s16(&mel, scratch, audio, energies);
    tl_log_mel_s16(&mel, scratch, silence, energies + 40);
    tl_dct_s16(&dct, energies, cepstrum);
}

void tl_test(const uint8_t *input, uint8_t *output);

void tl_test(const uint8_t *input, uint8_t *output)
{
    const int16_t *motion = ${input('int16_t', 0)};
    test_stream(motion, ${output('int16_t', 0)}, ${output('int32_t', 1)}, ${output('int16_t', 2)});
    tl_unit_vectors_s16(motion, 6, ${FRAMES}, ${output('int16_t', 3)});
    tl_standardise_s16_s8(channels, 6, -7, motion, 6, ${FRAMES}, ${output('int8_t', 4)});
    memcpy(output + ${at[5]}, input + ${inputs.at[3]}, ${4 * SIZE});
    tl_fft_q15(${output('int16_t', 5)}, 6, twiddles_15);
    memcpy(output + ${at[6]}, input + ${inputs.at[4]}, ${8 * SIZE});
    tl_fft_q31(${output('int32_t', 6)}, 6, twiddles_31);
    memcpy(output + ${at[7]}, input + ${inputs.at[4]}, ${8 * SIZE});
    tl_rfft_q31(${output('int32_t', 7)}, 7, twiddles_whole, twiddles_31);
    test_audio(${input('int16_t', 1)}, ${input('int16_t', 2)}, ${output('int32_t', 8)}, ${output('int16_t', 9)});
}
`;
}

describe.each(FORMS)('signal kernels, %s', (form) => {
  it('should equal their twins', async () => {
    const expected = inTypeScript();
    const { bytes, at } = packed(Object.values(expected) as Int16Array[]);
    const result = await runProgram({ source: program(at), input: inputs.bytes, outputBytes: bytes.length }, form);
    for (const [i, name] of Object.keys(expected).entries()) {
      const end = at[i]! + (expected[name as keyof Results] as Int8Array).byteLength;
      expect(result.output.slice(at[i], end), name).toEqual(bytes.slice(at[i], end));
    }
  });
});

/** Transform divided by its size, in doubles. */
function exactTransform(data: ArrayLike<number>): Float64Array {
  const size = data.length / 2;
  const result = new Float64Array(2 * size);
  for (let k = 0; k < size; k += 1) {
    for (let i = 0; i < size; i += 1) {
      const angle = (-2 * Math.PI * k * i) / size;
      result[2 * k]! += (data[2 * i]! * Math.cos(angle) - data[2 * i + 1]! * Math.sin(angle)) / size;
      result[2 * k + 1]! += (data[2 * i]! * Math.sin(angle) + data[2 * i + 1]! * Math.cos(angle)) / size;
    }
  }
  return result;
}

const worst = (actual: ArrayLike<number>, expected: ArrayLike<number>): number =>
  Array.from(expected).reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i]!)), 0);

describe('the twins', () => {
  const results = inTypeScript();

  it('should transform as a discrete Fourier transform does', () => {
    // One rounding of half a step a stage, passed on at most undiminished: 6 stages, some more for the twiddles.
    expect(worst(results.q15, exactTransform(complex15))).toBeLessThan(4);
    expect(worst(results.q31, exactTransform(complex31))).toBeLessThan(8);
    const asComplex = Float64Array.from({ length: 4 * SIZE }, (_, i) => (i % 2 === 0 ? complex31[i / 2]! : 0));
    expect(worst(results.real, exactTransform(asComplex).subarray(0, 2 * SIZE + 2))).toBeLessThan(8);
  });

  it('should take logarithms to within two steps of 2^-10', () => {
    for (const value of [1, 2, 3, 7, 1000, 65535, 65536, 2 ** 31 - 1, 2 ** 32 + 12345, 2 ** 51 - 1])
      expect(Math.abs(log2Q10(value) - 1024 * Math.log2(value)), `${value}`).toBeLessThan(2);
  });

  it('should find the tone in its mel band, at any level', () => {
    const tone = (amplitude: number): Int32Array =>
      logMel(
        Int16Array.from({ length: 480 }, (_, i) => amplitude * Math.sin((2 * Math.PI * 1000 * i) / 16000)),
        MEL,
      );
    const [loud, quiet] = [tone(20000), tone(200)];
    const peak = loud.indexOf(Math.max(...loud));
    expect(quiet.indexOf(Math.max(...quiet))).toBe(peak);
    // 100 times the amplitude is 2 * log2(100) in energy.
    expect(Math.abs(loud[peak]! - quiet[peak]! - 2048 * Math.log2(100))).toBeLessThan(30);
  });

  it('should tell loud from louder by the first coefficient, up to full scale', () => {
    const [full, tenth] = [32767, 3276.7].map((amplitude) => {
      // Alternating signs of a fixed pattern: sound in every band.
      const sound = Int16Array.from({ length: 480 }, (_, i) => ((i * i * 7919) % 13 < 6 ? amplitude : -amplitude));
      return dct(logMel(sound, MEL), DCT)[0]!;
    });
    expect(full).toBeLessThan(32767);
    // Ten times the amplitude in all 40 bands, in steps of 2^-5; logarithms are rounded down, faint bands by more.
    const expected = 32 * Math.sqrt(40) * 2 * Math.log2(10);
    expect(Math.abs(full! - tenth! - expected)).toBeLessThan(0.01 * expected);
  });

  it('should give unit vectors', () => {
    for (let i = 1; i < FRAMES; i += 1) {
      const vector = results.units.subarray(3 * i, 3 * i + 3);
      const source = motion.subarray(6 * i, 6 * i + 3);
      const norm = Math.hypot(...source);
      if (norm === 0) continue;
      expect(
        worst(
          vector,
          [...source].map((value) => (32767 * value) / norm),
        ),
      ).toBeLessThan(2);
    }
    expect([...results.units.subarray(0, 3)]).toEqual([0, 0, 0]);
  });

  it('should keep constants and slow tones when resampling, and remove what would alias', () => {
    const gain = (hz: number): number => {
      const resampler = new Resampler(designResampler(1, 2, 5));
      const output = Array.from({ length: 500 }, (_, i) => 10000 * Math.cos((2 * Math.PI * hz * i) / 50)).flatMap(
        (value) => resampler.push([Math.round(value)]).flatMap((frame) => [...frame]),
      );
      return Math.max(...output.slice(60)) / 10000;
    };
    expect(gain(0)).toBeCloseTo(1, 3);
    expect(gain(4)).toBeGreaterThan(0.97);
    // Half the output rate of 20 Hz is 10 Hz.
    expect(gain(13)).toBeLessThan(0.02);
  });

  it('should give mean and variance of the last frames', () => {
    const values = [...motion].filter((_, i) => i % 6 === 3).slice(-8);
    const mean = values.reduce((a, b) => a + b, 0) / 8;
    const [actualMean, actualVariance] = results.statistics.subarray(-6, -4);
    expect(actualMean).toBe(Math.floor(mean + 0.5));
    expect(actualVariance).toBe(Math.floor(values.reduce((sum, value) => sum + value * value, 0) / 8 - mean * mean));
  });
});
