/** Looks for every tool the commands call, with its version, or the fix when it is absent. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VERSION_TIMEOUT_MS = 10_000;

export interface ToolCheck {
  readonly name: string;
  readonly found: boolean;
  readonly required: boolean;
  /** First line of the tool's version, or what to do. */
  readonly detail: string;
  readonly purpose: string;
}

interface Tool {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly required: boolean;
  readonly fix: string;
  readonly purpose: string;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'arm-none-eabi-gcc',
    command: process.env['THUMBELINA_CC'] ?? 'arm-none-eabi-gcc',
    args: ['--version'],
    required: true,
    fix: 'apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi',
    purpose: 'build, run',
  },
  {
    name: 'make',
    command: 'make',
    args: ['--version'],
    required: false,
    fix: 'apt-get install make',
    purpose: 'building generated sources without Thumbelina',
  },
  {
    name: 'qemu-system-arm',
    command: 'qemu-system-arm',
    args: ['--version'],
    required: false,
    fix: 'apt-get install qemu-system-arm',
    purpose: 'cross-checks in the tests',
  },
];

/** @param loadEngine throws when the emulation engine's addon is not built */
export async function checkTools(loadEngine: () => string | Promise<string>): Promise<readonly ToolCheck[]> {
  return Promise.all([...TOOLS.map(checkTool), checkEngine(loadEngine)]);
}

async function checkTool(tool: Tool): Promise<ToolCheck> {
  const { name, required, purpose } = tool;
  try {
    const { stdout } = await run(tool.command, tool.args, { timeout: VERSION_TIMEOUT_MS });
    return { name, found: true, required, detail: stdout.split('\n')[0] ?? '', purpose };
  } catch {
    return { name, found: false, required, detail: tool.fix, purpose };
  }
}

async function checkEngine(loadEngine: () => string | Promise<string>): Promise<ToolCheck> {
  const engine = { name: 'unicorn addon', required: true, purpose: 'run, sim' };
  try {
    return { ...engine, found: true, detail: await loadEngine() };
  } catch {
    return { ...engine, found: false, detail: 'apt-get install libunicorn-dev g++, then npm run build:addon' };
  }
}
