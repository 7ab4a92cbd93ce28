/** The real OpenOCD with its stock target scripts against `sim --jtag`: its flash loader runs on the emulated core. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { entryPoint } from '../cli/support/cli.ts';
import { vectorsAndCode } from '../cli/support/elf-file.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();
const START = 0x0800_0000;
const IMAGE_BYTES = 6000;
const hasTool = spawnSync('openocd', ['--version']).error === undefined;

function programAt(...code: number[]): Uint8Array {
  const program = vectorsAndCode(...code);
  new DataView(program.buffer).setUint32(4, START + 9, true);
  return program;
}

/** Ends what openocd prints and with which code. */
function openocd(
  port: string,
  target: string,
  commands: readonly string[],
): Promise<{ code: number | null; said: string }> {
  const adapter = `adapter driver remote_bitbang; remote_bitbang host 127.0.0.1; remote_bitbang port ${port}`;
  const args = ['-c', adapter, '-c', 'gdb_port disabled; tcl_port disabled; telnet_port disabled', '-f', target];
  const child = spawn('openocd', [...args, ...commands.flatMap((text) => ['-c', text])]);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said })));
}

describe.skipIf(!hasTool)(`OpenOCD${hasTool ? '' : ' (skipped: not installed)'}`, () => {
  it.each([
    ['stm32f4-discovery', 'target/stm32f4x.cfg', '0x06413041'],
    ['nucleo-l4r5zi', 'target/stm32l4x.cfg', '0x06470041'],
  ])(
    'should probe, program, verify, read back and start %s',
    async (board, target, boundaryScan) => {
      // mov r0, #0x18; ldr r1, =0x20026; bkpt 0xab: semihosting SYS_EXIT
      const image = new Uint8Array(IMAGE_BYTES).map((_, index) => (index * 7 + (index >> 8)) & 255);
      image.set(programAt(0x2018, 0x4901, 0xbeab, 0x0000, 0x0026, 0x0002));
      const file = space.write(`${board}.bin`, image);
      const old = space.write(`${board}-old.bin`, programAt(0xe7fe));
      const args = ['sim', old, '--board', board, '--timing', 'flat', '--jtag', '0', '--json'];
      const sim = spawn(process.execPath, [entryPoint(), ...args]);
      try {
        let notes = '';
        let report = '';
        sim.stderr.on('data', (text: Buffer) => (notes += text.toString()));
        sim.stdout.on('data', (text: Buffer) => (report += text.toString()));
        const ended = new Promise((resolve) => sim.on('close', resolve));
        await expect.poll(() => notes, { timeout: 60_000 }).toMatch(/127\.0\.0\.1:\d+/);
        const port = /127\.0\.0\.1:(\d+)/.exec(notes)![1]!;
        const back = space.path(`${board}-back.bin`);
        const { code, said } = await openocd(port, target, [
          'init',
          'reset halt',
          `flash write_image erase {${file}} 0x08000000`,
          `verify_image {${file}} 0x08000000`,
          `dump_image {${back}} 0x08000000 ${IMAGE_BYTES}`,
          'reset run',
          'shutdown',
        ]);
        expect({ code, said }).toMatchObject({ code: 0 });
        expect(said).toContain(`bs tap/device found: ${boundaryScan}`);
        expect(said).toContain('Cortex-M4 r0p1 processor detected');
        expect(said).toContain('target has 6 breakpoints, 4 watchpoints');
        expect(readFileSync(back).equals(Buffer.from(image))).toBe(true);
        await ended;
        expect(JSON.parse(report)).toMatchObject({ stop: 'exit', exitCode: 0 });
      } finally {
        sim.kill();
      }
    },
    300_000,
  );
});
