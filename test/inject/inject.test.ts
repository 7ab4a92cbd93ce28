/** Fault injection: a campaign is repeatable, every injection has an outcome, and nothing hangs the host. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { compileModel } from '../../harness/compile.ts';
import { INJECT_REGIONS, injectionTarget, joinParts, runPart, type Campaign } from '../../harness/inject/campaign.ts';
import { lcgInputs } from '../../harness/lcg.ts';
import { loadModel } from '../../harness/model.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();

describe.skipIf(!hasCompiler)(`fault injection${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`, () => {
  it('should give the same table for the same seed, with flips of code that crash and of data that corrupt', async () => {
    const board = loadBoard('mps2-an386');
    const model = loadModel('models/har_wisdm_watch.tflite');
    const inputs = lcgInputs(
      model.graph.inputs.map((id) => tensorOf(model.graph, id)),
      1,
    );
    const dir = space.folder('build');
    const compiled = await compileModel(model, dir, { board, bare: true, hooks: false, prune: true });
    const target = injectionTarget(compiled);
    const options = { board, seed: 7, count: 24, regions: INJECT_REGIONS };
    const inParts = (step: number): Campaign => {
      const parts = Array.from({ length: step }, (_, part) => runPart(target, inputs, options, { first: part, step }));
      return joinParts(parts, INJECT_REGIONS);
    };
    const first = inParts(1);
    // Other parts: other flips have come before each, which must not matter.
    expect(inParts(3)).toEqual(first);
    expect(first.injections).toHaveLength(24);
    const total = first.rows.reduce((sum, row) => sum + Object.values(row.outcomes).reduce((a, b) => a + b, 0), 0);
    expect(total).toBe(24);
    const seen = new Set(first.injections.map(({ outcome }) => outcome));
    expect(seen.has('masked')).toBe(true);
    expect(seen.has('crash') || seen.has('hang')).toBe(true);
    expect(seen.has('silent')).toBe(true);
  }, 120_000);
});
