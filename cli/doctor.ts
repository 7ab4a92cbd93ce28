/** `thumbelina doctor`: is everything here that the other commands need? Exit 3 when something required is missing. */
import type { Command } from 'commander';
import { engineVersion } from '../emulator/create-machine.ts';
import { findFlashTools } from '../harness/flash/flash.ts';
import { listProbes, type ProbeInfo } from '../harness/flash/probes.ts';
import { listPorts } from '../harness/protocol/serial-link.ts';
import { checkTools, type ToolCheck } from '../harness/doctor.ts';
import { print, table, type JsonOption } from './output.ts';

const EXIT_TOOL_MISSING = 3;

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check the tools (compiler, emulation engine, QEMU, flash tools), list serial ports and probes')
    .option('--json', 'print JSON')
    .action(async (options: JsonOption) => {
      const tools = await checkTools(engineVersion);
      const ok = tools.every((tool) => tool.found || !tool.required);
      const [flashers, ports] = await Promise.all([findFlashTools(), listPorts()]);
      const probes = listProbes();
      print(options, { schemaVersion: 1, ok, tools, flashers, ports, probes }, () =>
        [formatTools(tools), formatFlashers(flashers), formatPorts(ports), formatProbes(probes)].join('\n\n'),
      );
      process.exitCode = ok ? 0 : EXIT_TOOL_MISSING;
    });
}

function formatTools(tools: readonly ToolCheck[]): string {
  const state = (tool: ToolCheck): string => (tool.found ? 'ok' : tool.required ? 'MISSING' : 'absent');
  return table(
    ['tool', 'state', 'version or fix', 'needed for'],
    tools.map((tool) => [tool.name, state(tool), tool.detail, tool.purpose]),
  );
}

function formatFlashers(flashers: Awaited<ReturnType<typeof findFlashTools>>): string {
  return table(
    ['flash tool', 'state', 'fix'],
    flashers.map(({ name, found, fix }) => [name, found ? 'ok' : 'absent', found ? '' : fix]),
  );
}

function formatPorts(ports: Awaited<ReturnType<typeof listPorts>>): string {
  if (ports === null) return 'serial ports: not known; they are listed by udevadm, which is not installed';
  if (ports.length === 0) return 'serial ports: none';
  return table(
    ['serial port', 'USB serial number', 'maker'],
    ports.map(({ path, serialNumber, manufacturer }) => [path, serialNumber, manufacturer]),
  );
}

function formatProbes(probes: readonly ProbeInfo[] | null): string {
  if (probes === null) return 'probes: not known; USB devices are listed on Linux only';
  if (probes.length === 0) return 'probes: none';
  return table(
    ['probe', 'serial number', 'product'],
    probes.map(({ kind, serialNumber, product }) => [kind, serialNumber, product]),
  );
}
