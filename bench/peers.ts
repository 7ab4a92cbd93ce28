/**
 * The MLPerf Tiny int8 models against published and measured figures of other runtimes, emulated against emulated.
 * npm run bench -- peers [--files DIR]   DIR holds peer firmware built elsewhere: <model>.elf with a function bench_invoke that runs
 * one inference; it is counted on the same emulator with the same timing table.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBoard } from '../boards/load.ts';
import { defined, UserError } from '../common/errors.ts';
import { packageRoot } from '../common/package-root.ts';
import { createMachine } from '../emulator/create-machine.ts';
import { tensorOf } from '../firmware-gen/ir/graph.ts';
import { lcgInputs } from '../harness/lcg.ts';
import { loadModel } from '../harness/model.ts';
import { runModel } from '../harness/run-model.ts';

/** Figures of other runtimes; read from ../shared/docs/PEERS.md: zero-wait Cortex-M4F, arm-none-eabi-gcc 12.2. */
const PEERS = [
  { model: 'kws_ref_model', tflmCycles: 9.3e6, cmsisFlashBytes: 52_500, cmsisRamBytes: 16_700 },
  { model: 'pretrainedResnet_quant', tflmCycles: 36.9e6, cmsisFlashBytes: 101_792, cmsisRamBytes: 50_460 },
  { model: 'vww_96_int8', tflmCycles: 29.6e6, cmsisFlashBytes: 267_904, cmsisRamBytes: 65_204 },
  { model: 'ad01_int8', tflmCycles: 0.727e6, cmsisFlashBytes: 277_528, cmsisRamBytes: 1_092 },
] as const;

export interface PeerRow {
  readonly model: string;
  readonly cycles: number;
  readonly cyclesPerMac: number;
  /** Peer firmware on this emulator; null without its ELF. */
  readonly tflmCycles: number | null;
  /** Ours / the peer's, on this emulator or, without an ELF, against the published first-order figure. */
  readonly cyclesRatio: number;
  readonly flashBytes: number;
  readonly flashRatio: number;
  readonly ramBytes: number;
  readonly ramRatio: number;
}

export interface PeerOptions {
  /** Folder with peer ELFs, or null. */
  readonly files: string | null;
  readonly prune: boolean;
}

export async function benchPeers(dir: string, { files, prune }: PeerOptions): Promise<PeerRow[]> {
  const folder = join(packageRoot(), '..', 'shared', 'models');
  if (!existsSync(folder))
    throw new UserError(`${folder} is absent; third-party models are not part of this repository`, 3);
  const board = loadBoard('mps2-an386');
  const rows: PeerRow[] = [];
  for (const peer of PEERS) {
    const model = loadModel(join(folder, `${peer.model}.tflite`));
    const tensors = model.graph.inputs.map((id) => tensorOf(model.graph, id));
    const report = await runModel(model, lcgInputs(tensors, 1), {
      board,
      engine: 'unicorn',
      bare: true,
      perOp: false,
      prune,
      timingMode: 'exact',
      dir,
    });
    const tflmCycles = files === null ? null : peerCycles(join(files, `${peer.model}.elf`));
    const cycles = defined(report.cycles, 'the timing model of the board');
    const macs = report.ops.reduce((sum, op) => sum + op.macs, 0);
    rows.push({
      model: peer.model,
      cycles,
      cyclesPerMac: cycles / macs,
      tflmCycles,
      cyclesRatio: cycles / (tflmCycles ?? peer.tflmCycles),
      flashBytes: report.memory.flashBytes,
      flashRatio: report.memory.flashBytes / peer.cmsisFlashBytes,
      ramBytes: report.memory.ramBytes,
      ramRatio: report.memory.ramBytes / peer.cmsisRamBytes,
    });
  }
  return rows;
}

/** Cycles from the last entry of bench_invoke (caches and buffers warm) to bench_done. */
function peerCycles(path: string): number {
  const machine = createMachine({ board: loadBoard('mps2-an386'), image: readFileSync(path), imageName: path });
  try {
    let cycles = 0;
    machine.onMark('bench_done', (pass) => {
      cycles = pass.cycles;
      machine.exit(0, pass);
    });
    machine.onMark('bench_invoke');
    const { stop, fault } = machine.run();
    if (stop !== 'exit')
      throw new UserError(`${path}: ended with ${stop} (${fault?.cause ?? 'no fault'}) before bench_done`);
    const start = machine.markPasses('bench_invoke').at(-1);
    if (!start) throw new UserError(`${path}: bench_invoke was never reached`);
    return cycles - start.cycles;
  } finally {
    machine.close();
  }
}
