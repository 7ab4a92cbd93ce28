/** Command lines of the paper's tables: how they end, and options that all grids have which train with several seeds. */
import { join } from 'node:path';
import { Command } from 'commander';
import { positiveInteger } from '../../cli/options.ts';
import { reportError } from '../../cli/output.ts';
import { packageRoot } from '../../common/package-root.ts';

export interface SeededOptions {
  readonly quick?: boolean;
  readonly json?: boolean;
  /** Repetitions with other random numbers; one with --quick. */
  readonly seeds: number;
  /** Folder of the data sets. */
  readonly data: string;
}

/** @param seeds the default @param saves what --quick does in place of the full run */
export function seededCommand(name: string, seeds: number, saves = 'one seed, short trainings'): Command {
  return new Command(name)
    .option('--quick', `${saves}; labelled as such`)
    .option('--seeds <count>', 'repetitions with other random numbers', positiveInteger, seeds)
    .option('--data <folder>', 'folder of the data sets', join(packageRoot(), '..', 'shared', 'data'))
    .option('--json', 'print JSON');
}

export const seedsOf = ({ quick, seeds }: SeededOptions): number[] =>
  Array.from({ length: quick ? 1 : seeds }, (_, i) => i + 1);

export async function runCommand(program: Command): Promise<void> {
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    process.exitCode = reportError(error);
  }
}
