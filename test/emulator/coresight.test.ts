/** The debug port: halt, step, breakpoints, registers, resets, and the flash controllers behind it. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { DebugPort } from '../../emulator/debug/coresight/debug-port.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { vectorsAndCode } from '../cli/support/elf-file.ts';

const START = 0x0800_0000;
const DHCSR = 0xe000_edf0;
const DCRSR = DHCSR + 4;
const DCRDR = DHCSR + 8;
const DEMCR = DHCSR + 12;
const DFSR = 0xe000_ed30;
const KEY = 0xa05f_0000;
const halted = 1 << 17;

/** movs r0, #1; adds r0, #1; b .-2 */
const counting = [0x2001, 0x3001, 0xe7fd];

function bench(board: string, code: readonly number[] = counting) {
  const image = vectorsAndCode(...code);
  new DataView(image.buffer).setUint32(4, START + 9, true);
  const machine = createMachine({ board: loadBoard(board), image, imageName: 'test.bin', strict: false });
  const port = new DebugPort(machine, machine.start() as number, 'jtag');
  port.writePort(4, 0x5000_0000);
  const at = (address: number): void => port.writeAccess(4, address);
  const read = (address: number): number => {
    at(address);
    return port.readAccess(12);
  };
  const write = (address: number, value: number): void => {
    at(address);
    port.writeAccess(12, value);
  };
  const register = (number: number): number => {
    write(DCRSR, number);
    return read(DCRDR);
  };
  const run = (): void => {
    port.core.run(machine.cpu.counters().cycles + 1000);
  };
  return { machine, port, read, write, register, run };
}

describe('debug port', () => {
  it('should halt, show and set registers, step one instruction and run on', () => {
    const { read, write, register, run } = bench('stm32f4-discovery');
    run();
    expect(read(DHCSR) & halted).toBe(0);
    write(DHCSR, KEY | 3);
    expect(read(DHCSR) & halted).toBe(halted);
    const before = register(0);
    run();
    expect(register(0)).toBe(before);
    write(DCRDR, 41);
    write(DCRSR, (1 << 16) | 0);
    write(DCRDR, START + 10);
    write(DCRSR, (1 << 16) | 15);
    write(DHCSR, KEY | 5);
    run();
    expect([register(0), register(15), read(DHCSR) & halted]).toEqual([42, START + 12, halted]);
    write(DHCSR, KEY | 1);
    run();
    write(DHCSR, KEY | 3);
    expect(register(0)).toBeGreaterThan(100);
  });

  it('should not be halted without the key', () => {
    const { read, write } = bench('stm32f4-discovery');
    write(DHCSR, 3);
    expect(read(DHCSR) & halted).toBe(0);
  });

  it('should halt at a breakpoint of the FPB, at BKPT, and at reset with the vector catch', () => {
    const { read, write, register, run } = bench('stm32f4-discovery', [0x2001, 0x3001, 0xbe00]);
    write(DHCSR, KEY | 3);
    write(0xe000_2000, 3);
    write(0xe000_2008, ((START + 8) | (2 << 30) | 1) >>> 0);
    write(DHCSR, KEY | 1);
    run();
    expect([register(15), register(0), read(DFSR) & 2]).toEqual([START + 10, 1, 2]);
    write(0xe000_2008, 0);
    write(DFSR, 31);
    write(DHCSR, KEY | 1);
    run();
    expect([register(15), register(0), read(DFSR) & 2]).toEqual([START + 12, 2, 2]);
    write(DEMCR, 1);
    write(0xe000_ed0c, 0x05fa_0004);
    expect([read(DHCSR) & halted, register(15), read(DFSR) & 8, read(DEMCR) & 1]).toEqual([halted, START + 8, 8, 1]);
  });

  it('should give a transfer that fails back as STICKYERR until it is cleared, and wrap TAR at 4 KiB', () => {
    const { port, read, write } = bench('stm32f4-discovery');
    write(0x2000_0ffc, 0x1234);
    read(0x6000_0000);
    expect(port.readPort(4) & 32).toBe(32);
    expect(read(0x2000_0ffc)).toBe(0);
    port.writePort(4, 0x5000_0020);
    port.writeAccess(0, 0x2300_0052);
    port.writeAccess(4, 0x2000_0ffc);
    expect(port.readAccess(12)).toBe(0x1234);
    expect(port.readAccess(4)).toBe(0x2000_0000);
  });

  it.each([
    ['stm32f4-discovery', { key: 0x4002_3c04, cr: 0x4002_3c10, erase: 0x1_0002, program: 0x201 }],
    ['nucleo-l4r5zi', { key: 0x4002_2008, cr: 0x4002_2014, erase: 0x1_0002, program: 0x1 }],
  ])('should program the flash of %s only unlocked', (board, { key, cr, erase, program }) => {
    const { port, read, write } = bench(board);
    write(cr, erase);
    expect(read(START)).not.toBe(0xffff_ffff);
    write(START, 0);
    expect(port.readPort(4) & 32).toBe(32);
    port.writePort(4, 0x5000_0020);
    write(key, 0x4567_0123);
    write(key, 0xcdef_89ab);
    write(cr, erase);
    expect(read(START)).toBe(0xffff_ffff);
    write(cr, program);
    write(START, 0x1234_5678);
    write(START + 4, 0x9abc_def0);
    expect([read(START), read(START + 4)]).toEqual([0x1234_5678, 0x9abc_def0]);
    write(cr, (1 << 31) >>> 0);
    write(cr, erase);
    expect(read(START)).toBe(0x1234_5678);
  });
});
