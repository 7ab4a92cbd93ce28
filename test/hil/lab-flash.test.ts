/** A lab from flashing to the answer: the real OpenOCD writes to an emulated board by JTAG, whose firmware then answers at its pty. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../common/package-root.ts';
import { graphToTflite } from '../../firmware-gen/passes/export.ts';
import { writeTflite } from '../../firmware-gen/tflite/writer.ts';
import { quantizeStatic, STATIC_DEFAULTS } from '../../learn/quantize/static.ts';
import { entryPoint, thumbelina } from '../cli/support/cli.ts';
import { vectorsAndCode } from '../cli/support/elf-file.ts';
import { workspace } from '../cli/support/workspace.ts';
import { hasCompiler } from '../emulator/support/assemble.ts';
import { floatNetwork, floatSamples } from '../learn/support/float-network.ts';

const space = workspace();
const START = 0x0800_0000;
const hasOpenocd = spawnSync('openocd', ['--version']).error === undefined;
const hasPty = existsSync(join(packageRoot(), 'build', 'addon', 'thumbelina_pty.node'));
const possible = hasCompiler && hasOpenocd && hasPty;

describe.skipIf(!possible)(
  `flashing in a lab${possible ? '' : ' (skipped: no compiler, openocd or pty addon)'}`,
  () => {
    const children: ChildProcess[] = [];
    afterAll(() => {
      for (const child of children) child.kill();
    });

    /** Where the debug port of a new board, with a program that does nothing, listens. */
    async function startBoard(board: string, port: string): Promise<string> {
      const idle = vectorsAndCode(0xe7fe);
      new DataView(idle.buffer).setUint32(4, START + 9, true);
      const image = space.write(`${board}.bin`, idle);
      const args = ['sim', image, '--board', board, '--timing', 'flat', '--uart', `pty:${port}`, '--jtag', '0'];
      const child = spawn(process.execPath, [entryPoint(), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
      children.push(child);
      let notes = '';
      child.stderr.on('data', (text: Buffer) => (notes += text.toString()));
      await expect.poll(() => notes, { timeout: 60_000 }).toMatch(/127\.0\.0\.1:\d+/);
      return /127\.0\.0\.1:\d+/.exec(notes)![0];
    }

    async function runLab(board: string, port: string, debugPort: string) {
      const { quantized } = quantizeStatic(floatNetwork(), floatSamples(40, 1), STATIC_DEFAULTS);
      space.write('net.tflite', writeTflite(graphToTflite(quantized)));
      const flash = { tool: 'openocd', port: debugPort };
      const lab = {
        schemaVersion: 1,
        boards: [{ name: 'desk', board, port, flash }],
        jobs: [{ model: 'net.tflite' }],
        attempts: 1,
      };
      const path = space.write('lab.json', JSON.stringify(lab));
      const { code, stdout } = await thumbelina(['hil', path, '--json', '-o', space.path('build')]);
      return { code, document: JSON.parse(stdout) as { outcome: string; results: { reasons: string[] }[] } };
    }

    it('should flash, verify, start and ask the board, and refuse a chip that is another one', async () => {
      const port = space.path('f4');
      const debugPort = await startBoard('stm32f4-discovery', port);
      const right = await runLab('stm32f4-discovery', port, debugPort);
      expect(right.document).toMatchObject({
        outcome: 'ok',
        results: [{ outcome: 'ok', source: 'emulated', reasons: [] }],
      });
      expect(right.code).toBe(0);
      const wrong = await runLab('nucleo-l4r5zi', port, debugPort);
      expect(wrong.document.outcome).toBe('flash-failed');
      expect(wrong.document.results[0]!.reasons[0]).toMatch(
        /the chip says 0x00000413, a nucleo-l4r5zi says 0x00000470/,
      );
      expect(wrong.code).toBe(4);
    }, 300_000);
  },
);
