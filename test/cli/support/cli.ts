/**
 * Runs the command line as a user does: bin/thumbelina in its own process. It runs dist/ when that is newer than every source; otherwise
 * a private copy under build/test-cli that is translated first, so that a test never passes or fails on a stale dist/.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../common/package-root.ts';

const ROOT = packageRoot();
/** What tsconfig.build.json includes. */
const SOURCE_FOLDERS = ['common', 'boards', 'emulator', 'firmware-gen', 'harness', 'learn', 'cli', 'bench'];
/** Private copies older than this are removed. */
const COPY_MILLISECONDS_MAX = 3_600_000;

export interface CliResult {
  /** Null when it had to be killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  /** Changes to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Bytes of standard input; default: none. */
  readonly stdin?: string;
  /** File descriptor for standard output instead of a pipe. */
  readonly stdoutFd?: number;
  /** Another bin/thumbelina, of a changed copy of the package. */
  readonly program?: string;
  /** The process is killed after so many seconds; a loaded machine needs several for what takes one. */
  readonly secondsMax?: number;
}

/** Runs `thumbelina ...args` to its end. */
export function thumbelina(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const program = options.program ?? entryPoint();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: options.cwd ?? ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', options.stdoutFd ?? 'pipe', 'pipe'],
      timeout: (options.secondsMax ?? 60) * 1000,
      killSignal: 'SIGKILL',
    });
    const texts = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (texts.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (texts.stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...texts }));
    // A process that ends without reading its input closes the pipe early.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.stdin ?? '');
  });
}

/** The parsed standard output of a run with --json that must succeed. */
export async function thumbelinaJson(args: readonly string[], options: CliOptions = {}): Promise<unknown> {
  const { code, stdout, stderr } = await thumbelina([...args, '--json'], options);
  if (code !== 0) throw new Error(`thumbelina ${args.join(' ')}: exit code ${code}\n${stderr}`);
  return JSON.parse(stdout);
}

let entry: string | null = null;

/** The program to run under node. */
export function entryPoint(): string {
  entry ??= findEntryPoint();
  return entry;
}

function findEntryPoint(): string {
  const newest = newestSourceMilliseconds();
  const built = join(ROOT, 'dist', 'cli', 'main.js');
  // tsc writes every file of dist/ on every build, so one of them tells the age of all.
  const root = existsSync(built) && statSync(built).mtimeMs > newest ? ROOT : privateCopy(String(newest));
  return join(root, 'bin', 'thumbelina');
}

function newestSourceMilliseconds(): number {
  const files = SOURCE_FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(ROOT, folder, file)),
  );
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/** Types are checked by `npm run typecheck`, not here. @param stamp of the sources; the same stamp is not built twice. @returns its folder */
function privateCopy(stamp: string): string {
  const copies = join(ROOT, 'build', 'test-cli');
  const copy = join(copies, stamp);
  if (existsSync(copy)) return copy;
  mkdirSync(copies, { recursive: true });
  for (const old of readdirSync(copies)) {
    const age = Date.now() - (statSync(join(copies, old), { throwIfNoEntry: false })?.mtimeMs ?? Infinity);
    if (age > COPY_MILLISECONDS_MAX) rmSync(join(copies, old), { recursive: true, force: true });
  }
  // Test files run in parallel: each builds in a folder of its own, the first to finish gives it the name.
  const folder = mkdtempSync(join(copies, 'work-'));
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', join(folder, 'dist')];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...flags], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`tsc ${flags.join(' ')}:\n${stdout}`);
  mkdirSync(join(folder, 'bin'));
  copyFileSync(join(ROOT, 'bin', 'thumbelina'), join(folder, 'bin', 'thumbelina'));
  if (existsSync(copy)) rmSync(folder, { recursive: true });
  else renameSync(folder, copy);
  return copy;
}
