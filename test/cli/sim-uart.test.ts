/** `sim --uart pty:LINK`: the link is there while the board runs, and gone after the signal that ends it. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { entryPoint, thumbelina } from './support/cli.ts';
import { vectorsAndCode } from './support/elf-file.ts';
import { workspace } from './support/workspace.ts';

const space = workspace();

it('makes the link, says so, and removes it on SIGTERM', { timeout: 60_000 }, async () => {
  // 8: nop; b 8
  const firmware = space.write('endless.bin', vectorsAndCode(0xbf00, 0xe7fd));
  const link = space.path('tty');
  const child = spawn(process.execPath, [entryPoint(), 'sim', firmware, '--uart', `pty:${link}`, '--realtime']);
  const line = await new Promise<string>((resolve) => child.stderr.setEncoding('utf8').once('data', resolve));
  expect(line).toBe(`thumbelina: the UART is at ${link}\n`);
  expect(existsSync(link)).toBe(true);
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: null, signal: 'SIGTERM' });
  expect(existsSync(link)).toBe(false);
});

it('something else in the place of the link is left alone', async () => {
  const firmware = space.write('idle.bin', vectorsAndCode(0xe7fe));
  const file = space.write('file', 'precious');
  const { code, stderr } = await thumbelina(['sim', firmware, '--uart', `pty:${file}`]);
  expect(code).toBe(2);
  expect(stderr).toContain('something is there that is no link to a terminal; choose another path');
});
