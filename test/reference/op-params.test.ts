/** What op-params refuses: scales with which tflite-micro aborts or overflows. The values themselves are checked by the vectors. */
import { describe, expect, it } from 'vitest';
import { UserError } from '../../common/errors.ts';
import {
  addParams,
  channelMultipliers,
  hardSwishParams,
  meanMultiplier,
  paddingBefore,
  sigmoidParamsInt16,
  softmaxParams,
  subParams,
} from '../../firmware-gen/ir/op-params.ts';

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error instanceof Error ? error.message : '';
  }
  return 'nothing was thrown';
}

describe('op parameters', () => {
  it('refuse an ADD or SUB whose output scale is too small for the fixed-point form', () => {
    expect(messageOf(() => addParams('int8', 1, 1, 1e-7))).toContain('ADD output: rescaling factor');
    expect(messageOf(() => subParams('int16', 1, 1, 1e-6))).toContain('SUB output: rescaling factor');
  });

  it('refuse a SOFTMAX whose differences vanish', () => {
    expect(messageOf(() => softmaxParams(1e-9, 1))).toContain('below 2^-26');
  });

  it('refuse an int16 LOGISTIC or TANH input scale beyond the table', () => {
    expect(messageOf(() => sigmoidParamsInt16('TANH', 3))).toContain('TANH: int16 input scale 3 is too large');
  });

  it('refuse a HARD_SWISH that would shift its output left', () => {
    expect(messageOf(() => hardSwishParams(200, 1))).toContain('over 128 times output scale 1');
  });

  it('refuse weights with fewer scales than channels', () => {
    expect(messageOf(() => channelMultipliers(1, [1, 1], 1, 3))).toBe('weights have 2 scales for 3 channels');
  });

  it('put the odd row of SAME padding after the image and none for VALID', () => {
    expect(paddingBefore('SAME', 6, 4, 6, 1, 1)).toBe(1);
    expect(paddingBefore('SAME', 5, 3, 3, 2, 1)).toBe(1);
    expect(paddingBefore('SAME', 8, 3, 8, 1, 2)).toBe(2);
    expect(paddingBefore('VALID', 6, 4, 3, 1, 1)).toBe(0);
  });

  it('fold 1/count into the MEAN multiplier by truncating division', () => {
    expect(meanMultiplier(1, 1, 1)).toEqual({ multiplier: 1 << 30, shift: 1 });
    expect(meanMultiplier(1, 1, 3)).toEqual({ multiplier: 715827882, shift: 0 });
  });
});
