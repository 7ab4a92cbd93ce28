/** What `run` prints about a model. */
import type { RunReport, TimingReport } from '../harness/report.ts';
import { table } from './output.ts';

const VALUES_SHOWN_MAX = 16;

export function formatRun(report: RunReport): string {
  const { ops, cycles, coldCycles, latencyMs, memory, timing, output } = report;
  const hasCrcs = ops.some((op) => op.outputCrc32 !== null);
  const rows = ops.map((op) => [
    op.index,
    op.opcode,
    op.cycles,
    percent(op.cycles, cycles),
    op.macs === 0 ? null : op.macs,
    perMac(op.cycles, op.macs),
    op.weightBytes === 0 ? null : op.weightBytes,
    ...(hasCrcs ? [op.outputCrc32] : []),
  ]);
  const header = ['op', 'kind', 'cycles', 'share', 'MACs', 'cycles/MAC', 'constant bytes'];
  if (hasCrcs) header.push('output CRC-32');
  const values =
    output.values.slice(0, VALUES_SHOWN_MAX).join(' ') + (output.values.length > VALUES_SHOWN_MAX ? ' ...' : '');
  const thousands = (value: number): string => value.toLocaleString('en-US');
  return [
    `${report.model} on ${report.board} (${report.core}), ${report.source} with ${report.engine}`,
    '',
    table(header, rows),
    '',
    `cycles        ${cycles === null || coldCycles === null ? 'not known' : `${thousands(cycles)} (${thousands(coldCycles)} the first time)`}${report.instructions === null ? '' : `, ${thousands(report.instructions)} instructions`}`,
    `latency       ${latencyMs === null ? 'not known' : `${latencyMs.toFixed(3)} ms`} at ${report.clockHz / 1e6} MHz`,
    `flash         ${thousands(memory.flashBytes)} bytes`,
    `RAM           ${thousands(memory.ramBytes)} bytes, of it arena ${thousands(memory.arenaBytes)}, stack ${thousands(memory.stackBytes)}`,
    `output        ${values} (CRC-32 ${output.crc32})`,
    ...timingLines(timing),
    ...report.notes.map((text) => `note          ${text}`),
  ].join('\n');
}

export function timingLines({ model, mode, assumedCount, validatedErrorPct, note: text }: TimingReport): string[] {
  const error =
    validatedErrorPct === null
      ? 'not yet validated against silicon'
      : `against silicon at most ${validatedErrorPct} % off so far`;
  const table = `${model}, ${mode}; ${assumedCount} of its numbers are assumed, the rest documented; ${error}`;
  const lines = [...(model === null ? [] : [table]), ...(text === null ? [] : [text])];
  return lines.map((line, index) => `${(index === 0 ? 'timing' : '').padEnd(14)}${line}`);
}

function perMac(cycles: number | null, macs: number): string {
  return macs === 0 || cycles === null || cycles === 0 ? '-' : (cycles / macs).toFixed(2);
}

function percent(part: number | null, whole: number | null): string {
  return part === null || whole === null || whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}
