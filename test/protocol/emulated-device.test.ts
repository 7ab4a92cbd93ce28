/** Generated firmware with the framed protocol on an emulated board: the same answers and cycles as a direct run. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { compileModel } from '../../harness/compile.ts';
import { crc32Hex } from '../../harness/crc32.ts';
import { lcgInputs } from '../../harness/lcg.ts';
import { runLive } from '../../harness/live-session.ts';
import { memoryLine } from '../../harness/memory-line.ts';
import { loadModel } from '../../harness/model.ts';
import { DeviceClient } from '../../harness/protocol/device-client.ts';
import { runModel } from '../../harness/run-model.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();

describe.skipIf(!hasCompiler)(`firmware behind a UART${hasCompiler ? '' : ' (skipped: no arm-none-eabi-gcc)'}`, () => {
  it('should answer as a direct run does, say that it is emulated, and count its ops', async () => {
    const board = loadBoard('mps2-an386');
    const model = loadModel('models/har_wisdm_watch.tflite');
    const [input] = lcgInputs(
      model.graph.inputs.map((id) => tensorOf(model.graph, id)),
      1,
    );
    const harness = { protocol: 'device', mlperfId: 'har', input: 'raw' } as const;
    const options = { board, bare: false, prune: true, dir: space.folder('direct') };
    const direct = await runModel(model, [input!], { ...options, perOp: false, engine: 'wasm', timingMode: 'exact' });
    const { image } = await compileModel(model, space.folder('device'), { ...options, hooks: true, harness });
    const { endpoint, link } = memoryLine();
    const client = new DeviceClient(link, { baud: 115200, answerSeconds: 5 });
    const limits = { firmware: image.elf, firmwareName: 'firmware.elf', board, realtime: false, maxCycles: 40e6 };
    const run = runLive(limits, endpoint);
    const identity = await client.identify();
    expect(identity).toMatchObject({
      source: 'emulated',
      board: 'mps2-an386',
      model: 'har_wisdm_watch',
      clockHz: 25e6,
      modelSha256: model.sha256,
    });
    await client.writeInput(input!);
    const report = await client.infer(2, input!, 60);
    const output = await client.readOutput(report);
    expect(crc32Hex(output)).toBe(direct.output.crc32);
    const ops = await client.opCycles();
    expect(ops).toHaveLength(model.graph.ops.length);
    const total = ops.reduce((a, b) => a + b, 0);
    // Unfused and with a call after every op, so dearer than the image that figures come from, but not by much.
    expect(report.cycles).toBeGreaterThan(direct.cycles! * 0.99);
    expect(report.cycles).toBeLessThan(direct.cycles! * 1.1);
    expect(total / report.cycles).toBeGreaterThan(0.98);
    expect((await client.memory()).stackUsedBytes).toBeGreaterThan(100);
    await client.reset();
    expect((await client.identify()).model).toBe('har_wisdm_watch');
    expect((await run).stop).toBe('limit');
  }, 120_000);
});
