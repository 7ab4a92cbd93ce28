import type { Command } from 'commander';
export function addSim(program: Command): void {
  program.command('sim');
}
