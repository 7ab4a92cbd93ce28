/** What counts as right and as a delay along a recording. */
import { describe, expect, it } from 'vitest';
import { featureRuns, streamFigures } from '../../bench/paper/filter-streams.ts';

describe('decisions along a recording', () => {
  it('should count right windows, and windows until a change is followed', () => {
    //            0  0  -     1  1  1  0  0  2
    const truths = [0, 0, null, 1, 1, 1, 0, 0, 2];
    const decisions = [0, 1, 1, 0, 0, 1, 0, 1, 0];
    const { windows, right, delays, missed } = streamFigures({ subject: 's', truths }, decisions);
    expect([windows, right]).toEqual([8, 3]);
    // To 1 after two windows, to 0 at once, to 2 never: its one window.
    expect(delays).toEqual([2, 0, 1]);
    expect(missed).toBe(1);
  });

  it('should cut runs where the class changes or is none', () => {
    const features = [0, 1, 2, 3, 4].map((value) => Int8Array.of(value));
    const runs = featureRuns({ subject: 's', features, truths: [0, 0, null, 0, 1] });
    expect(runs.map(({ label, features: run }) => [label, ...run.map(([value]) => value)])).toEqual([
      [0, 0, 1],
      [0, 3],
      [1, 4],
    ]);
  });
});
