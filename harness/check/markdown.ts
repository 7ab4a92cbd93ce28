/** The result as Markdown for a pull request, and as annotations of GitHub's log. */
import type { CheckDocument } from './check.ts';
import { signedPct, type EntryResult } from './compare.ts';
import { boardName, entryName, explainGrowth } from './explain.ts';

const WORDS: Readonly<Record<EntryResult['outcome'], string>> = {
  ok: 'ok',
  regression: '**regression**',
  'wrong-answer': '**wrong answer**',
  error: '**error**',
};

export function markdown({ outcome, entries, notes }: CheckDocument): string {
  const header = ['model', 'board', 'result', 'cycles', 'instructions', 'flash', 'RAM', 'stack', 'top-1'];
  const rows = entries.map((entry) => {
    const { figures } = entry;
    const accuracy = figures?.accuracy ?? null;
    return [
      escapeCell(entry.model),
      escapeCell(boardName(entry)),
      WORDS[entry.outcome],
      figureCell(entry, 'cycles'),
      figureCell(entry, 'instructions'),
      figureCell(entry, 'flashBytes'),
      figureCell(entry, 'ramBytes'),
      figureCell(entry, 'stackBytes'),
      accuracy === null ? '' : `${(100 * accuracy.top1).toFixed(2)} %`,
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const details = entries.flatMap((entry) => {
    const lines = [...entry.messages, ...explainGrowth(entry)];
    return lines.length === 0 ? [] : ['', `### ${escapeCell(entryName(entry))}`, '', '```', ...lines.map(plain), '```'];
  });
  return [
    `## Thumbelina: ${WORDS[outcome]}`,
    '',
    line(header),
    line(header.map((_, column) => (column < 3 ? '---' : '---:'))),
    ...rows.map(line),
    ...details,
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${escapeCell(note)}`)]),
    '',
  ].join('\n');
}

function figureCell({ figures, changes }: EntryResult, figure: EntryResult['changes'][number]['figure']): string {
  const value = figures?.[figure] ?? null;
  if (value === null) return '';
  const change = changes.find((candidate) => candidate.figure === figure);
  const difference = change?.pct == null ? '' : ` (${signedPct(change.pct)})`;
  return `${value.toLocaleString('en-US')}${difference}`;
}

function plain(text: string): string {
  return text.replaceAll('```', "'''").replaceAll(/[\r\n]+/g, ' ');
}

function escapeCell(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[\\|<>*_`[\]]/g, (character) => `\\${character}`);
}

/** One workflow command per entry that is not as locked (GitHub docs: "Workflow commands for GitHub Actions"). */
export function githubAnnotations({ entries, notes }: CheckDocument, lockPath: string): string[] {
  const command = (level: string, title: string, text: string): string =>
    `::${level} file=${property(lockPath)},title=${property(title)}::${data(text)}`;
  return [
    ...entries
      .filter(({ outcome }) => outcome !== 'ok')
      .map((entry) =>
        command(
          'error',
          `${entryName(entry)}: ${entry.outcome}`,
          [...entry.messages, ...explainGrowth(entry)].join('\n'),
        ),
      ),
    ...notes.map((note) => command('notice', 'thumbelina check', note)),
  ];
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
