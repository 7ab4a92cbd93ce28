/** `thumbelina system` on a core without a timing model: decisions, and no number that would pass for cycles. */
import { describe, expect, it } from 'vitest';
import { join } from 'node:path';
import { packageRoot } from '../../common/package-root.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { thumbelinaJson } from './support/cli.ts';
import { workspace } from './support/workspace.ts';

const space = workspace();
const FRAMES = 800;

describe.skipIf(!hasCompiler)(`cycles of decisions${hasCompiler ? '' : ' (skipped: no compiler)'}`, () => {
  it('should be null on the Cortex-M0, as those of run are, and numbers on the Cortex-M0+', async () => {
    const frames = space.write('frames.i16', new Uint8Array(2 * 3 * FRAMES).fill(1));
    const system = join(packageRoot(), 'models', 'har_ood.system.json');
    const decisions = async (board: string) => {
      const args = ['system', system, '--board', board, '--input', frames, '-o', space.path(board)];
      return ((await thumbelinaJson(args)) as { decisions: Record<string, unknown>[] }).decisions;
    };
    const [untimed, timed] = [await decisions('core-m0'), await decisions('core-m0plus')];
    expect(untimed.length).toBeGreaterThan(2);
    for (const decision of untimed) expect(decision).toMatchObject({ cycles: null, stageCycles: {} });
    for (const { cycles } of timed) expect(cycles).toBeGreaterThan(1000);
    const bare = (all: Record<string, unknown>[]) => all.map(({ label, accepted }) => ({ label, accepted }));
    expect(bare(untimed)).toEqual(bare(timed));
  }, 120_000);
});
