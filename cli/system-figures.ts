/** How good a decision system is on recordings that took no part in making it: what `evaluate` and `ood evaluate` say. */
import { UserError } from '../common/errors.ts';
import type { Interval } from '../learn/evaluate/bootstrap.ts';
import type { SystemData } from '../learn/ood/system-data.ts';
import { systemFigures, type SystemFigures } from '../learn/ood/system-scores.ts';
import { table } from './output.ts';
import type { SystemTarget } from './project.ts';
import { strangeLabels } from './system-data.ts';

export interface JudgedSystem extends SystemFigures {
  /** The same with labels that were learned as unknown in place of those never met; null without windows of them. */
  readonly learned: SystemFigures | null;
}

/** By the integer system's TypeScript twin, on windows without overlap. @throws UserError without windows of the classes */
export function judgeSystem(target: SystemTarget, data: SystemData): JudgedSystem {
  const { system } = target.loaded;
  const others = strangeLabels(target, data.labels);
  const known = data.windows(system.classes);
  if (known.samples.length === 0)
    throw new UserError(`${target.path}: no windows of ${system.classes.join(', ')} to judge; use other data`);
  const { taught = [] } = system;
  const learned = data.windows(taught);
  return {
    ...systemFigures(system, known, data.windows(others), others),
    learned: learned.samples.length > 0 ? systemFigures(system, known, learned, taught) : null,
  };
}

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
const between = ({ low, high }: Interval): string => `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;

/** Intervals are of 95 %, over subjects. */
export function formatFigures(name: string, figures: JudgedSystem): string {
  const { known, unknown, all, byClass, subjects, learned } = figures;
  const row = (label: string, windows: number, one: NonNullable<typeof all>): (string | number)[] => [
    ...[label, windows, one.auroc.toFixed(3)],
    `${one.aurocInterval.low.toFixed(2)}-${one.aurocInterval.high.toFixed(2)}`,
    ...[one.aupr.toFixed(3), one.tnrAtTpr95.toFixed(3)],
    `${one.tnrInterval.low.toFixed(2)}-${one.tnrInterval.high.toFixed(2)}`,
    share(one.unknownAccepted),
  ];
  const rows = [
    ...(all === null ? [] : [row(learned ? 'all never learned' : 'all', unknown, all)]),
    ...(learned?.all ? [row('all learned as unknown', learned.unknown, learned.all)] : []),
    ...byClass.map((one) => row(one.unknown, one.windows, one)),
  ];
  return [
    `${name}: ${known} known windows of ${subjects} subjects, ${share(figures.accuracy)} right (${between(figures.accuracyInterval)}), ${share(figures.accepted)} accepted (${between(figures.acceptedInterval)})`,
    '',
    rows.length === 0
      ? 'no windows of unknown classes: nothing is said about telling them from known ones'
      : table(['unknown', 'windows', 'AUROC', '95 %', 'AUPR', 'TNR@TPR95', '95 %', 'accepted'], rows),
  ].join('\n');
}
