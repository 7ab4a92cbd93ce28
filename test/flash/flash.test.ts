/** Flashing: the command lines as arrays, names that would be code refused, and gdb's `load` against the emulated board. */
import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { FLASH_TOOLS, flashTool, type FlashRequest } from '../../harness/flash/tools.ts';
import { entryPoint, thumbelina } from '../cli/support/cli.ts';
import { vectorsAndCode, writeElf } from '../cli/support/elf-file.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();
const board = loadBoard('nucleo-l4r5zi');
const base: FlashRequest = { board, elf: 'a b.elf', bin: null, probe: null, port: null, uartMode: '8e1' };
const raw: FlashRequest = { ...base, elf: null, bin: { path: 'a.bin', address: 0x0800_0000 }, port: '/dev/ttyACM0' };

describe('flash tools', () => {
  it('should be given every name as one argument', () => {
    const alone = ['-c', 'gdb_port disabled; tcl_port disabled; telnet_port disabled'];
    expect(flashTool('openocd').args({ ...base, probe: '066B' })).toEqual([
      ...alone,
      ...['-f', 'interface/stlink.cfg', '-c', 'adapter serial 066B', '-f', 'target/stm32l4x.cfg'],
      ...['-c', 'program {a b.elf} verify reset exit'],
    ]);
    expect(
      flashTool('openocd')
        .args({ ...base, port: '127.0.0.1:9900' })
        .slice(2, 4),
    ).toEqual(['-c', 'adapter driver remote_bitbang; remote_bitbang host 127.0.0.1; remote_bitbang port 9900']);
    expect(flashTool('stm32flash').args(raw)).toEqual([
      ...['-m', '8e1', '-w', 'a.bin', '-v', '-g', '0x08000000', '/dev/ttyACM0'],
    ]);
    expect(flashTool('dfu-util').args(raw).slice(-4)).toEqual(['-s', '0x08000000:leave', '-D', 'a.bin']);
    for (const { name, args, input } of FLASH_TOOLS) {
      const request = ['stm32flash', 'dfu-util'].includes(name) ? raw : { ...base, port: '127.0.0.1:1' };
      const all = [...args(request), ...(input === undefined ? [] : [input(request)])];
      expect(all.every((part) => typeof part === 'string' && part !== '')).toBe(true);
      expect(all.join(' ')).toContain(request === raw ? 'a.bin' : 'a b.elf');
    }
  });

  it.each<[string, string, Partial<FlashRequest>, RegExp]>([
    ['openocd', 'a name with Tcl in it', { elf: 'x}[exec rm].elf' }, /OpenOCD cannot be given this name/],
    ['openocd', 'a probe with a command in it', { probe: '1; shutdown' }, /--probe 1; shutdown: letters/],
    ['pyocd', 'a probe that is an option', { probe: '--help' }, /--probe --help/],
    ['gdb', 'a port with a new line', { port: 'x\nshell rm' }, /cannot be given this name/],
    ['openocd', 'a port with a command in it', { port: '127.0.0.1:1; shutdown' }, /HOST:PORT of sim --jtag/],
    ['jlink', 'a name with a command in it', { elf: 'a"\nexec.elf' }, /cannot be given this name/],
    ['gdb', 'no port', {}, /needs --port/],
    ['stm32flash', 'an ELF', { port: '/dev/x' }, /writes raw images only/],
    ['stm32flash', 'a port that is an option', { ...raw, port: '-h' }, /begins with a minus/],
    ['openocd', 'a board nothing is known about', { board: loadBoard('mps2-an386') }, /no "debug.openocdInterface"/],
  ])('%s should refuse %s', (tool, _, change, message) => {
    const { args, input } = flashTool(tool);
    expect(() => [args({ ...base, ...change }), input?.({ ...base, ...change })]).toThrow(message);
  });
});

describe('thumbelina flash', () => {
  it('should name the tool that is missing', async () => {
    const image = space.write('a.bin', new Uint8Array(16));
    const args = ['flash', image, '--board', 'nucleo-l4r5zi', '--tool', 'stm32flash', '--port', '/dev/null'];
    const { code, stderr } = await thumbelina(args, { env: { PATH: '/nowhere' } });
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: 'thumbelina: stm32flash: stm32flash not found; apt-get install stm32flash\n',
    });
  });

  const hasGdb = spawnSync('gdb-multiarch', ['--version']).status === 0;
  it.skipIf(!hasGdb).each([
    ['mps2-an386', 0, null, 'mps2-an386: which chip it is was not checked: its description has no "chipId"\n'],
    ['stm32f4-discovery', 0x0800_0000, 0x1007_6413, ''],
  ])(
    `should write to %s and verify with gdb${hasGdb ? '' : ' (skipped: no gdb-multiarch)'}`,
    async (board, start, chipId, note) => {
      const program = vectorsAndCode(0xe7fe);
      new DataView(program.buffer).setUint32(4, start + 9, true);
      const segments = [{ vaddr: start, bytes: program }];
      const elf = space.write(`${board}.elf`, writeElf({ programs: segments, entry: start + 9 }).bytes);
      const sim = spawn(process.execPath, [entryPoint(), 'sim', elf, '--board', board, '--gdb', '0'], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      sim.stderr.on('data', (text: Buffer) => (said += text.toString()));
      await expect.poll(() => said, { timeout: 30_000 }).toMatch(/127\.0\.0\.1:\d+/);
      const port = `127.0.0.1:${/127\.0\.0\.1:(\d+)/.exec(said)![1]}`;
      const args = ['flash', elf, '--board', board, '--tool', 'gdb', '--port', port, '--json'];
      const { code, stdout, stderr } = await thumbelina(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: note });
      expect(JSON.parse(stdout)).toMatchObject({ outcome: 'ok', tool: 'gdb', chipId });
      sim.kill();
    },
    60_000,
  );
});
