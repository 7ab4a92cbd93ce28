/**
 * Runs graphs through lowering, planning, C generation and a C compiler, and gives the outputs' bytes: on this machine under
 * sanitizers (runOnHost) or on the emulated core (runOnTarget).
 * All cases go into one program, so pass many at once.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tensorBytes, tensorOf } from '../../firmware-gen/ir/graph.ts';
import { buildHostProgram } from './host-build.ts';
import type { GraphCase } from './host-program.ts';
import { hostSources } from './host-program.ts';

export { expectSameOutputs, mismatches } from './compare.ts';
export type { GraphCase } from './host-program.ts';
export type { TargetOptions, TargetResult } from './run-on-target.ts';
export { runOnTarget } from './run-on-target.ts';

export interface HostOptions {
  /** off: pure C99 paths; emulated: the DSP paths with their instructions written in C (TL_EMULATE_DSP). */
  readonly dsp: 'off' | 'emulated';
  readonly fuse: boolean;
}

/** Output bytes per case, by position in graph.outputs. Throws with the sanitizer's report or the compiler's message. */
export async function runOnHost(cases: readonly GraphCase[], options: HostOptions): Promise<Uint8Array[][]> {
  const isDsp = options.dsp === 'emulated';
  const { tree, included } = hostSources(cases, { fuse: options.fuse, dsp: isDsp });
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-host-'));
  try {
    const program = await buildHostProgram(tree, folder, isDsp ? ['-DTL_EMULATE_DSP'] : [], included);
    const inputs = join(folder, 'inputs.bin');
    const outputs = join(folder, 'outputs.bin');
    writeFileSync(inputs, Buffer.concat(cases.flatMap((graphCase) => graphCase.inputs)));
    await promisify(execFile)(program, [inputs, outputs], { cwd: folder, maxBuffer: 1 << 26 });
    return splitOutputs(cases, readFileSync(outputs));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function splitOutputs(cases: readonly GraphCase[], bytes: Uint8Array): Uint8Array[][] {
  let at = 0;
  return cases.map(({ graph }) =>
    graph.outputs.map((id) => {
      const length = tensorBytes(tensorOf(graph, id));
      at += length;
      return bytes.slice(at - length, at);
    }),
  );
}
