/** What `run` and `system` print about a decision system. */
import { ANALYSE, systemStages, type SystemStage } from '../firmware-gen/emit/system-source.ts';
import type { DecisionSystem } from '../firmware-gen/ir/system.ts';
import { table } from './output.ts';
import { timingLines } from './run-text.ts';
import type { StreamDecision, SystemReport } from './system-run.ts';

export const STAGE_NAMES: Readonly<Record<SystemStage, string>> = {
  statistics: 'known or not',
  front: 'front end',
  encode: 'encoder',
  detect: 'known or not',
  classify: 'classes',
  filter: 'filter over time',
};

const thousands = (value: number): string => value.toLocaleString('en-US');

export function formatSystemRun(report: SystemReport, system: DecisionSystem): string {
  const { decisions, memory, elf } = report;
  const { flashBytes, ramBytes, stackBytes } = memory;
  if (stackBytes === null)
    return `${elf}: flash ${thousands(flashBytes)} bytes, RAM ${thousands(ramBytes)} bytes without stack`;
  const isRecorded = decisions.some(({ recorded }) => recorded !== null);
  return [
    `${report.system} on ${report.board} (${report.core}), emulated with ${report.engine}`,
    '',
    isRecorded ? byLabel(report, system) : oneByOne(decisions, system),
    '',
    ...costs(report),
  ].join('\n');
}

/** Every decision on one stream. */
function oneByOne(decisions: readonly StreamDecision[], system: DecisionSystem): string {
  const stages = systemStages(system);
  const isSound = system.frontEnd.kind === 'mfcc';
  const rows = decisions.map((one, index) => [
    ...[index, one.accepted ? 'yes' : 'no', one.label, one.smoothed],
    ...[`${((100 * one.belief) / 32768).toFixed(0)} %`, one.cycles],
    ...stages.map((stage) => one.stageCycles[stage] ?? null),
    ...(isSound ? [one.analyseCycles] : []),
  ]);
  const header = ['window', 'known', 'nearest class', 'filtered', 'belief', 'cycles', ...stages];
  return table(isSound ? [...header, `${ANALYSE}, each push`] : header, rows);
}

/** What became of the windows of each label; what is rejected counts as "unknown". */
function byLabel({ decisions }: SystemReport, { classes, taught = [] }: DecisionSystem): string {
  const roleOf = (label: string): string => {
    if (classes.includes(label)) return 'known';
    return taught.includes(label) ? 'as unknown' : 'unknown';
  };
  const labels = [...new Set(decisions.map(({ recorded }) => recorded ?? ''))];
  const order = [
    ...classes.filter((name) => labels.includes(name)),
    ...labels.filter((name) => !classes.includes(name)),
  ];
  const rows = order.map((label) => {
    const own = decisions.filter(({ recorded }) => recorded === label);
    const counts = new Map<string, number>();
    for (const { accepted, smoothed } of own) {
      const said = accepted ? smoothed : 'unknown';
      counts.set(said, (counts.get(said) ?? 0) + 1);
    }
    const said = [...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`);
    const recordings = new Set(own.map(({ recording }) => recording)).size;
    return [label, roleOf(label), recordings, own.length, said.join(', ')];
  });
  const subjects = new Set(decisions.map(({ subject }) => subject)).size;
  return [
    `${decisions.length} windows of ${subjects} subjects that took no part in training:`,
    '',
    table(['recorded', 'in training', 'recordings', 'windows', 'decisions'], rows),
  ].join('\n');
}

function costs({ cycles, stages, analyse, latencyMs, clockHz, memory, timing, decisions }: SystemReport): string[] {
  const { flashBytes, ramBytes, stackBytes } = memory;
  const rows: (string | number)[][] = stages.map(({ stage, windows, mean, max }) => [
    ...[STAGE_NAMES[stage], windows, mean, max],
  ]);
  if (cycles !== null) rows.push(['window', decisions.length, cycles.mean, cycles.max]);
  return [
    ...(rows.length > 0 ? [table(['stage', 'windows', 'cycles, mean', 'largest'], rows), ''] : []),
    ...(analyse === null ? [] : [`${ANALYSE}       ${thousands(analyse)} cycles each push of sound`]),
    `latency       ${latencyMs === null ? 'not known' : `${latencyMs.mean.toFixed(3)} ms, at most ${latencyMs.max.toFixed(3)} ms`} at ${clockHz / 1e6} MHz`,
    `flash         ${thousands(flashBytes)} bytes`,
    `RAM           ${thousands(ramBytes)} bytes, of it stack ${thousands(stackBytes ?? 0)}`,
    ...timingLines(timing),
  ];
}
