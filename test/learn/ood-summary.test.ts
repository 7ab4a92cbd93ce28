/** Rows of the detector grid: means over seeds, gains paired by draw, the aims of the issue. */
import { describe, expect, it } from 'vitest';
import { MOTION_SETS, VARIANTS, settings, type Cell, type MotionSet } from '../../bench/paper/ood-grid.ts';
import { choose, gain, isListed, isReached, knowsUnknown, pooled } from '../../bench/paper/ood-summary.ts';

const figures = (auroc: number, tnr: number) => ({
  auroc,
  aurocInterval: { low: 0, high: 1 },
  aupr: 0.5,
  tnrAtTpr95: tnr,
  tnrInterval: { low: 0, high: 1 },
  knownAccepted: 0.95,
  unknownAccepted: 0.5,
});

const cellOf = (seed: number, detector: string, auroc: number, tnr: number): Cell => ({
  setting: { set: 'har-hapt', frontEnd: 'raw', head: 'linear', seed },
  parameters: 10,
  validationAccuracy: 0.9,
  isPartial: false,
  detectors: [
    {
      detector,
      threshold: 0,
      validationAuroc: auroc,
      all: figures(auroc, tnr),
      rounds: [-0.1, 0, 0.1].map((shift) => ({ area: auroc + shift, tnr: tnr + shift })),
      byClass: [{ unknown: 'sitting', ...figures(auroc, tnr) }],
    },
  ],
});

describe('rows of the detector grid', () => {
  const base = [cellOf(1, 'msp', 0.6, 0.1), cellOf(2, 'msp', 0.7, 0.2)];
  const better = [cellOf(1, 'energy', 0.75, 0.3), cellOf(2, 'energy', 0.85, 0.3)];

  it('should average over seeds and pair the gains by draw', () => {
    const [msp, energy] = pooled([...base, ...better]);
    expect([msp!.seeds, msp!.detector, energy!.detector]).toEqual([2, 'msp', 'energy']);
    expect(msp!.auroc).toBeCloseTo(0.65, 12);
    expect(msp!.byClass[0]!.tnr).toBeCloseTo(0.15, 12);
    expect(msp!.aurocInterval.low).toBeCloseTo(0.55, 12);
    const difference = gain(energy!, msp!);
    expect(difference.auroc).toBeCloseTo(0.15, 12);
    // Each draw moves both rows alike, so their difference does not move.
    expect(difference.aurocInterval.low).toBeCloseTo(0.15, 12);
    expect(difference.aurocInterval.high).toBeCloseTo(0.15, 12);
    expect(isReached(energy!, msp!)).toEqual({ aurocAim: 0.09, auroc: true, tnr: true });
    expect(isReached(msp!, msp!)).toEqual({ aurocAim: 0.09, auroc: false, tnr: false });
  });

  it('should choose by validation alone, and know what the grid lists', () => {
    const rows = pooled([...base, ...better]).map((row, i) => ({ ...row, validationAuroc: i === 0 ? 0.9 : 0.8 }));
    expect(choose(rows).detector).toBe('msp');
    expect(isListed({ head: 'linear', detector: 'odin' })).toBe(true);
    expect(isListed({ head: 'deconf-c', detector: 'deconf' })).toBe(true);
    for (const detector of ['msp', 'statistics', 'statistics-deconf'])
      expect(isListed({ head: 'deconf-c', detector })).toBe(false);
  });

  it('should ask for half the distance to 1 above 0.91', () => {
    const [high] = pooled([cellOf(1, 'msp', 0.96, 0.5)]);
    expect(isReached(high!, high!).aurocAim).toBeCloseTo(0.02, 12);
  });

  it('should keep rows that have met unknown windows apart, and not list the baselines with networks of their own', () => {
    expect(
      ['calibrated-unknown', 'unknown-class', 'unknown-class, never taught'].map((detector) =>
        knowsUnknown({ detector }),
      ),
    ).toEqual([true, true, true]);
    expect(knowsUnknown({ detector: 'msp' })).toBe(false);
    for (const detector of Object.values(VARIANTS)) expect(isListed({ head: 'linear', detector })).toBe(false);
  });

  it('should have every head on both inputs and every variant once a seed, and teach no known class', () => {
    const all = settings('har-hapt', { seeds: 2, steps: 1, data: '' });
    expect(all.length).toBe(2 * (2 * 4 + 3));
    expect(all.filter(({ variant }) => variant !== undefined).map(({ seed, variant }) => [seed, variant])).toEqual(
      [1, 2].flatMap((seed) => Object.keys(VARIANTS).map((variant) => [seed, variant])),
    );
    for (const set of Object.keys(MOTION_SETS) as MotionSet[]) {
      const { classes, taught } = MOTION_SETS[set];
      expect((taught as readonly string[]).filter((label) => (classes as readonly string[]).includes(label))).toEqual(
        [],
      );
    }
  });
});
