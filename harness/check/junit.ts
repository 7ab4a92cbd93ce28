/**
 * The result as JUnit XML, the form Jenkins, GitLab and others read: one test case an entry. Without times of day and durations, so that the
 * same result gives the same bytes.
 */
import type { CheckDocument } from './check.ts';
import type { EntryResult } from './compare.ts';
import { boardName, explainGrowth } from './explain.ts';

export function junitXml({ entries }: CheckDocument): string {
  const count = (wanted: (entry: EntryResult) => boolean): number => entries.filter(wanted).length;
  const errors = count(({ outcome }) => outcome === 'error');
  const failures = count(({ outcome }) => outcome === 'regression' || outcome === 'wrong-answer');
  const totals = `tests="${entries.length}" failures="${failures}" errors="${errors}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="thumbelina check" ${totals}>`,
    `  <testsuite name="thumbelina check" ${totals} skipped="0">`,
    ...entries.flatMap(testCase),
    '  </testsuite>',
    '</testsuites>\n',
  ].join('\n');
}

function testCase(entry: EntryResult): string[] {
  const { model, outcome, messages } = entry;
  const open = `    <testcase classname="${escapeXml(boardName(entry))}" name="${escapeXml(model)}"`;
  if (outcome === 'ok') return [`${open}/>`];
  const element = outcome === 'error' ? 'error' : 'failure';
  const body = [...messages, ...explainGrowth(entry)].join('\n');
  return [
    `${open}>`,
    `      <${element} type="${outcome}" message="${escapeXml(messages[0] ?? outcome)}">${escapeXml(body)}</${element}>`,
    '    </testcase>',
  ];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** What XML 1.0 (section 2.2) has no place for: controls, halves of surrogate pairs, non-characters. */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const LONE_SURROGATES = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function escapeXml(text: string): string {
  return text
    .replaceAll(CONTROLS, ' ')
    .replaceAll(LONE_SURROGATES, ' ')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
