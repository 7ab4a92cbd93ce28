/** What the gate is compared with in paper:pipeline: the same system with everything let through. */
import { describe, expect, it } from 'vitest';
import { withoutGate } from '../../bench/paper/pipeline-cell.ts';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import { randomSystem, syntheticStream } from './support/random-system.ts';

const stream = syntheticStream(12, 3);

describe('a decision system without its gate', () => {
  it.each(['max-softmax', 'mahalanobis', 'statistics', 'cosine'] as const)(
    'should accept what a gate by %s rejects',
    (kind) => {
      const system = randomSystem({ kind: 'raw' }, kind, stream);
      const windows = Array.from({ length: 40 }, (_, i) => stream.subarray(i * 60, i * 60 + 32 * 6));
      const accepted = (one: typeof system): number => {
        const reference = new SystemReference(one);
        return windows.filter((window) => reference.decide(window).accepted).length / windows.length;
      };
      expect(accepted(system)).toBeLessThan(0.7);
      expect(accepted(withoutGate({ system, encoderSha256: '00' }).system)).toBe(1);
    },
  );
});
