/** No image reaches another board: the chip's id is read back before anything is written; UF2 drives say which board they are. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { checkChip } from '../../harness/flash/chip-identity.ts';
import { flashTool, type FlashRequest, type FlashTool } from '../../harness/flash/tools.ts';
import { encodeUf2 } from '../../harness/flash/uf2.ts';
import { thumbelina } from '../cli/support/cli.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();
const board = loadBoard('nucleo-l4r5zi');
const request: FlashRequest = { board, elf: 'a.elf', bin: null, probe: null, port: null, uartMode: '8e1' };

/** A tool that says `text` whatever it is asked. */
const saying = (text: string): FlashTool => ({
  name: 'tool',
  program: process.execPath,
  fix: '',
  versionArgs: [],
  args: () => [],
  chipId: { args: () => ['-e', `console.log(${JSON.stringify(text)})`], pattern: /^id ([0-9a-f]{8})$/m },
});

describe('the id of the chip', () => {
  it("should be the one of the board's description, whatever its revision", async () => {
    expect(await checkChip(saying('hello\nid 10036470'), request)).toBe(0x1003_6470);
    expect(await checkChip(saying('id 20016470'), request)).toBe(0x2001_6470);
  });

  it.each([
    ['id 10076413', /the chip says 0x00000413, a nucleo-l4r5zi says 0x00000470: another board; .*nothing was written/],
    ['Error: no device found', /could not be read \(exit code 0: Error: no device found\); nothing was written/],
  ])('should stop the flashing when the tool says %s', async (text, message) => {
    await expect(checkChip(saying(text), request)).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
      exitCode: 4,
    });
  });

  it('should be unknown where the description or the tool has none', async () => {
    expect(await checkChip(saying('id 10076413'), { ...request, board: loadBoard('mps2-an386') })).toBeNull();
    expect(await checkChip(flashTool('dfu-util'), request)).toBeNull();
  });

  // What the tools print for a word of memory; the last three after their manuals, for they are not at hand.
  it.each([
    ['openocd', '0xe0042000: 10036470 \n', 0x1003_6470],
    ['gdb', '0xe0042000:\t0x10036470\n', 0x1003_6470],
    ['stm32flash', 'Device ID    : 0x0470 (STM32L4Rxx/4Sxx)\n', 0x470],
    ['pyocd', 'e0042000:  10036470    |..dp|\n', 0x1003_6470],
    ['stm32cubeprogrammer', '\n0xE0042000 : 10036470\n', 0x1003_6470],
    ['jlink', 'J-Link>mem32 0xE0042000 1\nE0042000 = 10036470 \n', 0x1003_6470],
  ])('should be found in what %s says', (tool, text, id) => {
    expect(parseInt(flashTool(tool).chipId!.pattern.exec(text)![1]!, 16)).toBe(id);
  });
});

describe('UF2', () => {
  it('should have a block for every page of 256 bytes that is touched, in order, each with its number', () => {
    const pieces = [
      { address: 0x1000_0300, bytes: Uint8Array.of(7) },
      { address: 0x1000_00fe, bytes: Uint8Array.of(1, 2, 3) },
    ];
    const file = encodeUf2(pieces, 0xe48b_ff56);
    expect(file.length).toBe(3 * 512);
    const words = [0, 1, 2].map((block) => {
      const view = new DataView(file.buffer, 512 * block, 512);
      return [0, 4, 8, 12, 16, 20, 24, 28, 508].map((at) => view.getUint32(at, true));
    });
    const fixed = [0x0a32_4655, 0x9e5d_5157, 0x2000] as const;
    expect(words).toEqual(
      [0x1000_0000, 0x1000_0100, 0x1000_0300].map((address, number) => [
        ...[...fixed, address, 256, number, 3, 0xe48b_ff56, 0x0ab1_6f30],
      ]),
    );
    expect([...file.subarray(32 + 0xfd, 32 + 0x100)]).toEqual([0, 1, 2]);
    expect([...file.subarray(512 + 32, 512 + 34)]).toEqual([3, 0]);
    expect(file[2 * 512 + 32]).toBe(7);
  });

  const flashUf2 = (port: string) => {
    const image = space.write('pico.bin', new Uint8Array(300).fill(9));
    return thumbelina(['flash', image, '--board', 'rpi-pico', '--tool', 'uf2', '--port', port, '--json']);
  };

  it('should be written to the drive of the right board', async () => {
    const drive = space.path('drive');
    mkdirSync(drive);
    space.write('drive/INFO_UF2.TXT', 'UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n');
    const { code, stdout, stderr } = await flashUf2(drive);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'ok', tool: 'uf2', said: 'Board-ID RPI-RP2' });
    expect(readFileSync(space.path('drive/THUMBELINA.UF2')).length).toBe(2 * 512);
  });

  it('should not be written to the drive of another board, or to a folder that is no such drive', async () => {
    const drive = space.path('other');
    mkdirSync(drive);
    expect(await flashUf2(drive)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no INFO_UF2.TXT; hold BOOTSEL') as string,
    });
    space.write('other/INFO_UF2.TXT', 'Board-ID: nRF52840-Feather\n');
    expect(await flashUf2(drive)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("the drive's Board-ID is nRF52840-Feather, a rpi-pico has RPI-RP2") as string,
    });
    expect(readdirSync(drive)).toEqual(['INFO_UF2.TXT']);
  });
});
