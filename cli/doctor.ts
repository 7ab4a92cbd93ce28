/** `thumbelina doctor`: is everything here that the other commands need? Exit 3 when something required is missing. */
import type { Command } from 'commander';
import { engineVersion } from '../emulator/create-machine.ts';
import { checkTools, type ToolCheck } from '../harness/doctor.ts';
import { print, table, type JsonOption } from './output.ts';

const EXIT_TOOL_MISSING = 3;

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check the tools: compiler, emulation engine, QEMU')
    .option('--json', 'print JSON')
    .action(async (options: JsonOption) => {
      const tools = await checkTools(engineVersion);
      const ok = tools.every((tool) => tool.found || !tool.required);
      print(options, { schemaVersion: 1, ok, tools }, () => formatTools(tools));
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
