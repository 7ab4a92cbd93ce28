/**
 * The official runner (mlcommons/tiny, benchmark/runner/main.py, unmodified) against one emulated board on a pseudo-terminal. Only how it
 * finds ports is replaced: it looks for USB vendor and product numbers, which a pseudo-terminal has not.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { runProgram } from '../../harness/run-program.ts';
import { MLPERF_TESTS, type TestId } from './tests.ts';

export type RunnerMode = 'p' | 'a';

/** One entry of the runner's results.json. */
const result = z.looseObject({
  file: z.string().optional(),
  infer: z.looseObject({ results: z.array(z.number()), throughput: z.number().optional() }).optional(),
});

export interface RunnerResult {
  /** The runner's own summary, results.txt. */
  readonly text: string;
  readonly entries: readonly z.infer<typeof result>[];
  readonly seconds: number;
}

export interface RunnerOptions {
  /** benchmark/runner of a checkout of mlcommons/tiny. */
  readonly runner: string;
  readonly python: string;
  readonly mode: RunnerMode;
  readonly id: TestId;
  readonly firmware: string;
  readonly board: string;
  readonly timing?: 'exact' | 'flat';
  readonly realtime: boolean;
  /** With ID/y_labels.csv. */
  readonly dataSets: string;
  /** For the runner's sessions. */
  readonly dir: string;
  readonly secondsMax: number;
}

/** Takes the place of serial.tools.list_ports.comports and of the search for USB devices; then main.py as it is. */
const PORT_DISCOVERY = `
import runpy, sys
from types import SimpleNamespace
runner, port = sys.argv[1:3]
from serial.tools import list_ports
import usb.core
list_ports.comports = lambda *_: [SimpleNamespace(vid=0x0483, pid=0x374B, device=port, description=port)]
usb.core.find = lambda **_: []
sys.path.insert(0, runner)
sys.argv = ['main.py'] + sys.argv[3:]
runpy.run_path(runner + '/main.py', run_name='__main__')
`;

/** @throws UserError: 3 without runner or Python packages, 5 when the runner fails, with its last lines */
export async function runOfficialRunner(options: RunnerOptions): Promise<RunnerResult> {
  const { runner, python, mode, id, dir, secondsMax } = options;
  if (!existsSync(join(runner, 'main.py')))
    throw new UserError(`${runner}: no main.py; give benchmark/runner of a checkout of mlcommons/tiny`, 3);
  rmSync(join(dir, 'sessions'), { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const link = resolve(dir, 'uart');
  const board = await startBoard(options, link);
  const started = performance.now();
  try {
    const script = mode === 'p' ? 'tests_performance.yaml' : 'tests_accuracy.yaml';
    const { code, output } = await runProgram(
      ['env', '-C', dir, 'MPLBACKEND=Agg', python, '-c', PORT_DISCOVERY, resolve(runner), link].concat(
        ['-d', resolve(runner, MLPERF_TESTS[id].devices), '-t', resolve(runner, script), '-m', mode],
        ['-s', resolve(options.dataSets)],
      ),
      secondsMax,
    );
    const session = sessionFolder(dir);
    if (code !== 0 || session === null)
      throw new UserError(`runner: exit code ${code}: ${output.trimEnd().split('\n').slice(-5).join(' | ')}`, 5);
    return {
      text: readFileSync(join(session, 'results.txt'), 'utf8'),
      entries: z.array(result).parse(JSON.parse(readFileSync(join(session, 'results.json'), 'utf8'))),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    board.kill('SIGTERM');
  }
}

function sessionFolder(dir: string): string | null {
  const sessions = join(dir, 'sessions');
  if (!existsSync(sessions)) return null;
  const last = readdirSync(sessions).sort().at(-1);
  return last === undefined || !existsSync(join(sessions, last, 'results.txt')) ? null : join(sessions, last);
}

/** `thumbelina sim FIRMWARE --uart pty:LINK`, when its port is there. */
function startBoard({ firmware, board, timing, realtime }: RunnerOptions, link: string): Promise<ChildProcess> {
  const child = spawn(
    join(packageRoot(), 'bin', 'thumbelina'),
    [
      'sim',
      firmware,
      '--board',
      board,
      '--uart',
      `pty:${link}`,
      ...(realtime ? ['--realtime'] : []),
      ...(timing === undefined ? [] : ['--timing', timing]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  return new Promise((done, fail) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('the UART is at')) done(child);
    });
    child.on('exit', () => fail(new UserError(`sim: ended before its port was there: ${said.trim()}`, 5)));
  });
}
