/** Cells of the grid of detectors, averaged over seeds, and what one row gains over another: intervals from draws of subjects that all rows share. */
import { assert, defined } from '../../common/errors.ts';
import type { HeadKind } from '../../learn/deep/config.ts';
import type { Interval } from '../../learn/evaluate/bootstrap.ts';
import { interval, type Round } from '../../learn/ood/metrics.ts';
import type { Cell } from './ood-grid.ts';

export interface Pooled {
  readonly frontEnd: 'raw' | 'image';
  readonly head: HeadKind;
  readonly detector: string;
  readonly seeds: number;
  readonly validationAccuracy: number;
  readonly validationAuroc: number;
  readonly auroc: number;
  readonly aurocInterval: Interval;
  readonly tnr: number;
  readonly tnrInterval: Interval;
  readonly byClass: readonly { readonly unknown: string; readonly auroc: number; readonly tnr: number }[];
  /** By draw of subjects, mean over seeds. */
  readonly rounds: readonly Round[];
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** One row per input, head and detector, in the order of the cells. */
export function pooled(cells: readonly Cell[]): Pooled[] {
  const groups = new Map<string, { cell: Cell; detector: Cell['detectors'][number] }[]>();
  for (const one of cells)
    for (const detector of one.detectors) {
      const key = [one.setting.frontEnd, one.setting.head, detector.detector].join();
      groups.set(key, [...(groups.get(key) ?? []), { cell: one, detector }]);
    }
  return [...groups.values()].map((group) => {
    const [{ cell: first, detector: example }] = group as [(typeof group)[number]];
    const all = group.map(({ detector }) => detector);
    const rounds = example.rounds.map((_, i) => ({
      area: mean(all.map((one) => one.rounds[i]!.area)),
      tnr: mean(all.map((one) => one.rounds[i]!.tnr)),
    }));
    return {
      frontEnd: first.setting.frontEnd,
      head: first.setting.head,
      detector: example.detector,
      seeds: group.length,
      validationAccuracy: mean(group.map(({ cell }) => cell.validationAccuracy)),
      validationAuroc: mean(all.map((one) => one.validationAuroc)),
      auroc: mean(all.map((one) => one.all.auroc)),
      aurocInterval: interval(rounds.map(({ area }) => area)),
      tnr: mean(all.map((one) => one.all.tnrAtTpr95)),
      tnrInterval: interval(rounds.map(({ tnr }) => tnr)),
      byClass: example.byClass.map(({ unknown }, c) => ({
        unknown,
        auroc: mean(all.map((one) => one.byClass[c]!.auroc)),
        tnr: mean(all.map((one) => one.byClass[c]!.tnrAtTpr95)),
      })),
      rounds,
    };
  });
}

/** Rows of the listed grid: on a linear head softmax, ODIN, energy and Mahalanobis, on a head of generalised ODIN its own two scores and the step along the gradient. */
export function isListed({ head, detector }: Pick<Pooled, 'head' | 'detector'>): boolean {
  return head === 'linear'
    ? ['msp', 'odin', 'energy', 'mahalanobis'].includes(detector)
    : ['deconf', 'deconf-gate', 'deconf-perturbed'].includes(detector);
}

/** Whether a row has met unknown windows before the test: it takes no part in the choice among those that have not. */
export const knowsUnknown = ({ detector }: Pick<Pooled, 'detector'>): boolean =>
  detector === 'calibrated-unknown' || detector.startsWith('unknown-class');

/** The row that validation subjects' known and unknown windows tell apart best; test subjects take no part in the choice. */
export function choose(rows: readonly Pooled[]): Pooled {
  return defined([...rows].sort((a, b) => b.validationAuroc - a.validationAuroc)[0], 'a row');
}

export interface Gain {
  readonly auroc: number;
  readonly aurocInterval: Interval;
  readonly tnr: number;
  readonly tnrInterval: Interval;
}

/** Of `row` over `base`, paired by draw of subjects. */
export function gain(row: Pooled, base: Pooled): Gain {
  assert(row.rounds.length === base.rounds.length, 'the same draws');
  const differences = row.rounds.map(({ area, tnr }, i) => {
    const other = defined(base.rounds[i], 'a draw');
    return { area: area - other.area, tnr: tnr - other.tnr };
  });
  return {
    auroc: row.auroc - base.auroc,
    aurocInterval: interval(differences.map(({ area }) => area)),
    tnr: row.tnr - base.tnr,
    tnrInterval: interval(differences.map(({ tnr }) => tnr)),
  };
}

/** The aim of issue 6: AUROC 0.09 above the baseline, or half its distance to 1 when that is above 0.91; TNR 0.11 above. */
export function isReached(row: Pooled, base: Pooled): { auroc: boolean; aurocAim: number; tnr: boolean } {
  const aurocAim = base.auroc > 0.91 ? (1 - base.auroc) / 2 : 0.09;
  return { aurocAim, auroc: row.auroc - base.auroc >= aurocAim, tnr: row.tnr - base.tnr >= 0.11 };
}
