/** The built-in model through the whole path; needs nothing from outside the repository. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boardNames, loadBoard } from '../../boards/load.ts';
import { packageRoot } from '../../common/package-root.ts';
import { simulate } from '../../emulator/sim.ts';
import { runReference } from '../../firmware-gen/reference/index.ts';
import { compileModel, type CompiledModel } from '../../harness/compile.ts';
import { crc32Hex } from '../../harness/crc32.ts';
import { loadModel } from '../../harness/model.ts';
import { runModel } from '../../harness/run-model.ts';
import { applyPipeline, loadPipeline } from '../../learn/pipeline.ts';
import { syntheticWindow, type MotionKind } from '../../learn/synthetic-motion.ts';

const folder = join(packageRoot(), 'models');
const model = loadModel(join(folder, 'har_wisdm_watch.tflite'));
const pipeline = loadPipeline(join(folder, 'har_wisdm_watch.pipeline.json'));
const board = loadBoard('mps2-an386');
const dir = mkdtempSync(join(tmpdir(), 'thumbelina-built-in-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function windowOf(kind: MotionKind): Uint8Array {
  return new Uint8Array(applyPipeline(syntheticWindow(kind, pipeline, 3), pipeline).buffer);
}

describe('the built-in model', () => {
  it.each(boardNames())('should give the bits of the reference kernels on %s', async (name) => {
    const input = windowOf('walking');
    const onBoard = loadBoard(name);
    // Every board on the one engine it is not the default of, where there is one.
    const engine = onBoard.core === 'cortex-m3' || onBoard.core === 'cortex-m4' ? 'unicorn' : 'wasm';
    const options = { board: onBoard, engine, prune: true, timingMode: 'flat', dir } as const;
    const report = await runModel(model, [input], { ...options, bare: name === 'core-m4', perOp: true });
    const reference = runReference(model.graph, [input]);
    expect(report.ops.map((op) => op.outputCrc32)).toEqual(reference.opOutputs.map((bytes) => crc32Hex(bytes)));
    expect(report.output.crc32).toBe(crc32Hex(reference.outputs[0]!));
    expect(report.memory.ramBytes).toBeGreaterThan(report.memory.arenaBytes + report.memory.stackBytes - 1);
  });

  it('should give the same output with its weights in RAM, in fewer cycles where they waited for the flash', async () => {
    const onBoard = loadBoard('nucleo-l4r5zi');
    const options = {
      board: onBoard,
      engine: 'wasm',
      prune: true,
      timingMode: 'exact',
      bare: true,
      perOp: false,
      dir,
    } as const;
    const flash = await runModel(model, [windowOf('walking')], options);
    const ram = await runModel(model, [windowOf('walking')], { ...options, weightsInRam: true });
    expect(ram.output.crc32).toBe(flash.output.crc32);
    expect(ram.cycles).toBeLessThan(flash.cycles!);
    const weightBytes = ram.memory.ramBytes - flash.memory.ramBytes;
    expect(weightBytes).toBeGreaterThanOrEqual(flash.ops.reduce((sum, op) => sum + op.weightBytes, 0));
    expect(ram.memory.flashBytes).toBeLessThan(flash.memory.flashBytes + 64);
  });

  it('should give instructions but no cycles on a core without a timing model, and say so', async () => {
    const options = { engine: 'wasm', prune: true, timingMode: 'exact', dir, bare: true, perOp: false } as const;
    const report = await runModel(model, [windowOf('walking')], { ...options, board: loadBoard('core-m23') });
    expect(report).toMatchObject({ cycles: null, coldCycles: null, latencyMs: null, core: 'cortex-m23' });
    expect(report.timing).toMatchObject({ model: null, assumedCount: 0 });
    expect(report.timing.note).toBe('no timing model for cortex-m23: instructions are counted, cycles are not');
    expect(report.instructions).toBeGreaterThan(1e5);
    expect(new Set(report.ops.map((op) => op.cycles))).toEqual(new Set([null]));
    const { firmware, firmwareName } = {
      firmware: readFileSync(join(dir, 'firmware.elf')),
      firmwareName: 'firmware.elf',
    };
    const sim = simulate({ board: loadBoard('core-m23'), firmware, firmwareName });
    expect(sim).toMatchObject({ stop: 'idle', cycles: null });
    expect(sim.instructions).toBeGreaterThan(1e5);
  });

  it('should take the same cycles every time, and report both inferences', async () => {
    const options = {
      board,
      engine: 'unicorn',
      prune: true,
      timingMode: 'exact',
      dir,
      bare: true,
      perOp: false,
    } as const;
    const first = await runModel(model, [windowOf('jogging')], options);
    const second = await runModel(model, [windowOf('jogging')], options);
    expect(second).toEqual(first);
    expect(first.coldCycles).toBe(first.cycles);
  });
});

describe('sim on generated firmware', () => {
  let compiled: CompiledModel;
  beforeAll(async () => {
    compiled = await compileModel(model, dir, { board, bare: false, hooks: false, prune: true });
  });

  it('should introduce itself on the UART and come to rest', () => {
    const report = simulate({ board, firmware: readFileSync(compiled.image.elfPath), firmwareName: 'firmware.elf' });
    expect(report.stop).toBe('idle');
    expect(report.uart).toMatch(
      /^thumbelina: model har_wisdm_watch, arena \d+ bytes\ncycles: \d+ cold, \d+ warm\noutput 0:( -?\d+){6}\nready\n$/,
    );
  });

  it('should give a called function its buffers although the stack lies below the data', () => {
    const report = simulate({
      board,
      firmware: compiled.image.elf,
      firmwareName: 'firmware.elf',
      call: {
        symbol: 'memset',
        args: [
          { kind: 'buffer', bytes: 1e6 },
          { kind: 'integer', value: 7 },
          { kind: 'integer', value: 1e6 },
        ],
      },
    });
    expect(report.stop).toBe('return');
    expect(report.cycles).toBeGreaterThan(1e6 / 4);
  });
});
