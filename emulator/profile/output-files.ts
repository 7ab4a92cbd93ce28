/** The files a profile is written to, as texts by name; who calls has the file system. */
import { chromeTrace } from './chrome-trace.ts';
import { formatFolded } from './folded.ts';
import { formatLcov } from './lcov.ts';
import type { Profile } from './profile.ts';
import type { Recording } from './profiler.ts';
import { speedscopeFile } from './speedscope.ts';

export const profileFormats = ['folded', 'speedscope', 'chrome', 'lcov', 'json'] as const;
export type ProfileFormat = (typeof profileFormats)[number];

export const profileFileNames: Readonly<Record<ProfileFormat, string>> = {
  folded: 'profile.folded',
  speedscope: 'profile.speedscope.json',
  chrome: 'profile.trace.json',
  lcov: 'coverage.info',
  json: 'profile.json',
};

export interface OutputInput {
  /** What was profiled, for titles. */
  readonly name: string;
  readonly exporter: string;
  readonly clockHz: number;
  readonly recording: Recording;
  readonly profile: Profile;
  /** The whole document, for profile.json. */
  readonly document: unknown;
}

/** @returns text by file name; without source lines there is no coverage.info */
export function profileFiles(input: OutputInput, formats: readonly ProfileFormat[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const format of formats) {
    const text = formatAs(format, input);
    if (text !== null) files.set(profileFileNames[format], text);
  }
  return files;
}

function formatAs(format: ProfileFormat, { name, exporter, clockHz, recording, profile, document }: OutputInput) {
  const { timeline, calls, cycles } = recording;
  const contexts = calls.contexts.all;
  const functions = calls.functions.all;
  switch (format) {
    case 'folded':
      return formatFolded(calls.tree);
    case 'speedscope': {
      const { sources } = profile;
      return `${JSON.stringify(speedscopeFile({ name, exporter, timeline, contexts, functions, sources, cycles }))}\n`;
    }
    case 'chrome':
      return `${JSON.stringify(chromeTrace({ name, clockHz, timeline, contexts, functions, cycles }))}\n`;
    case 'lcov':
      return profile.files.length === 0 ? null : formatLcov(profile.files);
    case 'json':
      return `${JSON.stringify(document, null, 2)}\n`;
  }
}
