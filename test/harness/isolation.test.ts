/** What comes from outside stays data: names never reach a shell, and nobody outside this computer reaches a port. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { runProgram } from '../../harness/run-program.ts';
import { tcpEndpoint } from '../../harness/serial-endpoint.ts';
import { thumbelina } from '../cli/support/cli.ts';
import { vectorsAndCode, writeElf } from '../cli/support/elf-file.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();
const trap = space.path('trapped');
/** Each would make the file if any part of it came to a shell. */
const HOSTILE = [`$(touch ${trap})`, `\`touch ${trap}\``, `; touch ${trap};`, `| touch ${trap}`, `"; touch ${trap} #`];

const sources = ['common', 'boards', 'emulator', 'firmware-gen', 'learn', 'harness', 'cli'].flatMap((folder) =>
  readdirSync(join(packageRoot(), folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') })),
);

describe('programs', () => {
  it('should be started without a shell everywhere in the sources', () => {
    for (const { path, text } of sources) {
      const names = /import \{([^}]*)\} from 'node:child_process'/.exec(text)?.[1]?.split(',') ?? [];
      const used = names.map((name) => name.replace('type ', '').trim()).filter((name) => name !== '');
      const safe = ['spawn', 'spawnSync', 'execFile', 'execFileSync', 'ChildProcess'];
      expect({ path, unsafe: used.filter((name) => !safe.includes(name)) }).toEqual({ path, unsafe: [] });
      expect({ path, shell: /\bshell: (true|'|[A-Z])/.test(text) }).toEqual({ path, shell: false });
    }
  });

  it.each(HOSTILE)('should be given %s as it is', async (name) => {
    const echo = ['-e', 'process.stdout.write(process.argv[1])', name];
    expect(await runProgram([process.execPath, ...echo], 30)).toEqual({ code: 0, output: name });
    expect(existsSync(trap)).toBe(false);
  });
});

describe('names', () => {
  it('of boards, ports and files in a lab should be names', async () => {
    const model = join(packageRoot(), 'models', 'har_wisdm_watch.tflite');
    const boards = HOSTILE.map((name) => ({ name, board: 'mps2-an386', port: `/nowhere/${name}` }));
    const lab = space.write('lab.json', JSON.stringify({ schemaVersion: 1, attempts: 1, boards, jobs: [{ model }] }));
    const { code, stdout } = await thumbelina([
      'hil',
      lab,
      '--json',
      '-o',
      space.path(HOSTILE[0]!.replaceAll('/', '_')),
    ]);
    expect({ code, trapped: existsSync(trap) }).toEqual({ code: 5, trapped: false });
    const { results } = JSON.parse(stdout) as { results: { board: string }[] };
    expect(results.map(({ board }) => board)).toEqual(HOSTILE);
  });

  it('of functions in an ELF should be names', async () => {
    // Names that begin with $ are the assembler's own marks.
    const names = HOSTILE.map((name) => `f${name}`);
    const symbols = Object.fromEntries(names.map((name, index) => [name, 9 + 2 * index]));
    // BX LR, one for each.
    const program = vectorsAndCode(...names.map(() => 0x4770));
    const { bytes } = writeElf({ programs: [{ vaddr: 0, bytes: program }], entry: 9, symbols });
    const elf = space.write('hostile.elf', bytes);
    for (const name of names) {
      const { code, stdout, stderr } = await thumbelina(['sim', elf, '--call', name, '--json']);
      expect(stderr).toBe('');
      expect({ code, trapped: existsSync(trap) }).toEqual({ code: 0, trapped: false });
      expect(JSON.parse(stdout)).toMatchObject({ stop: 'return' });
    }
  });
});

describe('sockets', () => {
  it('should all be told an address to listen on', () => {
    const listening = sources.filter(({ text }) => text.includes('createServer('));
    expect(listening.length).toBeGreaterThan(1);
    for (const { path, text } of listening) {
      const calls = [...text.matchAll(/\bserver\.listen\(([^\n]*)/gi)].map((match) => match[1]!);
      expect({ path, calls: calls.length > 0 }).toEqual({ path, calls: true });
      for (const call of calls)
        expect({ path, call }).toMatchObject({ call: expect.stringMatching(/LOOPBACK/) as string });
      expect(text).toMatch(/const LOOPBACK = '127\.0\.0\.1'/);
    }
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
  it.skipIf(outside === undefined)(
    `should not answer at other addresses of this computer${outside === undefined ? ' (skipped: it has none)' : ''}`,
    async () => {
      const endpoint = await tcpEndpoint(0);
      const port = Number(endpoint.address.split(':')[1]);
      const attempt = (host: string): Promise<string> =>
        new Promise((resolve) => {
          const socket = connect({ port, host, timeout: 3000 }, () => resolve('connected'));
          socket.on('timeout', () => resolve('silence'));
          socket.on('error', ({ message }) => resolve(message));
          socket.on('connect', () => socket.destroy());
        });
      expect(await attempt('127.0.0.1')).toBe('connected');
      expect(await attempt(outside!)).not.toBe('connected');
      endpoint.close();
    },
  );
});
