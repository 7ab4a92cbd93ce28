/** What a user can get wrong on the command line itself: exit code 2 and one line that names the offending value; help costs nothing. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { thumbelina } from './support/cli.ts';

const MODEL = 'models/har_wisdm_watch.tflite';

/** A board of one's own whose wait states nobody has modelled. */
function slowBoard(): string {
  const { description, core, fpu, clockHz, sources } = loadBoard('core-m4');
  const memory = [
    { name: 'FLASH', kind: 'flash', start: '0x08000000', bytes: 262144 },
    { name: 'RAM', kind: 'ram', start: '0x20000000', bytes: 65536 },
  ];
  const timing = { memory: 'not-modelled' };
  const path = join(mkdtempSync(join(tmpdir(), 'thumbelina-')), 'slow.json');
  const board = { name: 'slow-board', description, core, fpu, clockHz, memory, uart: null, timing, sources };
  writeFileSync(path, JSON.stringify(board));
  return path;
}

describe.concurrent('a usage error', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['no command', [], /no command given/],
    ['an unknown command', ['runn', MODEL], /unknown command 'runn' \(Did you mean run\?\)/],
    ['an unknown global option', ['--verbose'], /unknown option '--verbose'/],
    [
      'an unknown option',
      ['run', MODEL, '--jsn'],
      /unknown option '--jsn' \(Did you mean --json\?\); see thumbelina run --help/,
    ],
    ['no model', ['run'], /missing required argument 'model'/],
    ['no firmware', ['sim'], /missing required argument 'firmware'/],
    ['two models', ['inspect', MODEL, MODEL], /too many arguments for 'inspect'/],
    ['an option without its value', ['build', MODEL, '--board'], /'-b, --board <board>' argument missing/],
    ['an unknown board', ['run', MODEL, '--board', 'mps3'], /unknown board "mps3"; known: .*core-m4, .*mps2-an386/],
    ['a board file that is not there', ['generate', MODEL, '--board', '/nowhere/b.json'], /\/nowhere\/b\.json/],
    ['an unknown engine', ['run', MODEL, '--engine', 'bochs'], /argument 'bochs' is invalid/],
    ['an unknown timing mode', ['run', MODEL, '--timing', 'fast'], /argument 'fast' is invalid/],
    [
      'exact timing where it is not modelled',
      ['run', MODEL, '--board', slowBoard(), '--timing', 'exact'],
      /wait states of board slow-board are not modelled yet; use --timing flat/,
    ],
    ['a seed that is no number', ['run', MODEL, '--lcg', 'one'], /argument 'one' is invalid/],
    ['a seed with a fraction', ['run', MODEL, '--lcg', '1.5'], /argument '1\.5' is invalid/],
    ['an empty seed', ['run', MODEL, '--lcg', ''], /argument '' is invalid/],
    ['a negative seed', ['run', MODEL, '--lcg=-1'], /argument '-1' is invalid/],
    ['two sources of input', ['run', MODEL, '--lcg', '1', '--input', MODEL], /--input and --lcg exclude each other/],
    [
      'input of the wrong size',
      ['run', MODEL, '--input', 'package.json'],
      /package\.json: \d+ bytes, but the model's input .* takes \d+/,
    ],
    ['input that is not there', ['run', MODEL, '--input', '/nowhere/x.bin'], /\/nowhere\/x\.bin: no such file/],
    ['a model that is not there', ['run', '/nowhere/x.tflite'], /\/nowhere\/x\.tflite: no such file/],
    ['a folder as model', ['inspect', 'models'], /models: is a folder/],
    ['arguments without a call', ['sim', MODEL, '--args', '1'], /--args needs --call/],
    ['an argument that is no number', ['sim', MODEL, '--call', 'f', '--args', '1,two'], /"two" is neither/],
    ['an argument beyond 32 bits', ['sim', MODEL, '--call', 'f', '--args', '4294967296'], /"4294967296" is neither/],
    ['an empty argument', ['sim', MODEL, '--call', 'f', '--args', '1,,2'], /"" is neither/],
    [
      'an argument file that is not there',
      ['sim', MODEL, '--call', 'f', '--args', '@/nowhere/x'],
      /\/nowhere\/x: no such file/,
    ],
    ['a cycle limit that is no number', ['sim', MODEL, '--max-cycles', 'many'], /argument 'many' is invalid/],
    ['a UART that does not exist', ['sim', MODEL, '--uart', 'usb'], /argument 'usb' is invalid/],
    ['a firmware that is not there', ['sim', '/nowhere/x.elf'], /\/nowhere\/x\.elf: no such file/],
    ['a name that would break the line', ['inspect', '/nowhere/a\nb\u001b[31m'], /\/nowhere\/a b \[31m: no such file/],
  ])('%s gives exit code 2 and one line', async (_, args, message) => {
    const [command, ...rest] = args;
    const withJson = command === undefined || command.startsWith('-') ? args : [command, '--json', ...rest];
    for (const words of [args, withJson]) {
      const { code, stdout, stderr } = await thumbelina(words);
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^thumbelina: [^\n]+\n$/);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
  });
});

describe.concurrent('help', () => {
  const COMMANDS = [
    'inspect',
    'generate',
    'build',
    'run',
    'sim',
    'boards',
    'doctor',
    'demo',
    'train',
    'ood',
    'system',
    'init',
  ];

  it.each(COMMANDS)('of %s is on stdout with exit code 0', async (command) => {
    const { code, stdout, stderr } = await thumbelina([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: thumbelina ${command} `));
  });

  it('lists every command, and the version is that of package.json', async () => {
    const help = await thumbelina(['--help']);
    expect(help.code).toBe(0);
    for (const command of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(await thumbelina(['--version'])).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
  });
});
