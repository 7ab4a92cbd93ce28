/** The RP2040 models beyond what our own firmware uses: boot ROM, second boot stage, flash commands, watchdog, pulls, frequency counter. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import type { Machine } from '../../emulator/machine.ts';
import { bootRom } from '../../emulator/peripherals/rp2040/boot-rom.ts';
import { arithmetic } from '../../emulator/peripherals/rp2040/boot-rom-arithmetic.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

const prelude = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define SSI 0x18000000
#define SS_CTRL 0x4001800c
#define WATCHDOG 0x40058000
static void *rom(int table, const char *code) {
  void *(*lookup)(void *, uint32_t) = (void *(*)(void *, uint32_t))(uint32_t)*(volatile uint16_t *)0x18;
  return lookup((void *)(uint32_t)*(volatile uint16_t *)table, code[0] | code[1] << 8);
}
#define FUNCTION(code) rom(0x14, code)
#define DATA(code) rom(0x16, code)
static void wait(int n) { for (int i = 0; i < n; i++) __asm volatile("nop"); }
static void release(int block) { REG(0x4000f000) = 1u << block; while (!(REG(0x4000c008) & 1u << block)) { } }
volatile uint32_t seen[8];
#define SLEEP for (;;) __asm volatile("wfi")
`;

/** As the boot ROM computes it (RP2040 data sheet 2.8.1.3.1), bit by bit. */
function crcOf(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit--) crc = (crc << 1) ^ (((crc >>> 31) ^ (byte >> bit)) & 1 ? 0x04c1_1db7 : 0);
  return crc;
}

function imageOf(main: string, files: Readonly<Record<string, string>> = {}): Uint8Array {
  return buildProgram({
    files: { 'main.c': prelude + main, ...files },
    cpu: ['-mcpu=cortex-m0plus', '-mthumb'],
    ...(files['stage.s'] === undefined ? {} : { flags: ['-Wl,--section-start=.stage=0x10000000'] }),
    flashStart: 0x1000_0100,
  });
}

function machineOf(main: string): Machine {
  return createMachine({ board: loadBoard('rpi-pico'), image: imageOf(main), strict: true });
}

function seenBy(machine: Machine, maxCycles = 1e7): number[] {
  const result = machine.run({ maxCycles });
  expect(result.fault).toBeNull();
  const { address } = machine.symbol('seen');
  const values = Array.from({ length: 8 }, (_, index) => machine.readWord(address + 4 * index));
  machine.close();
  return values;
}

describe.skipIf(!hasCompiler)('RP2040 peripherals (needs arm-none-eabi-gcc)', () => {
  it('has a boot ROM that is its source, assembled', () => {
    const folder = mkdtempSync(join(tmpdir(), 'thumbelina-rom-'));
    const source = new URL('../../emulator/peripherals/rp2040/boot-rom.S', import.meta.url).pathname;
    const [elf, bin] = [join(folder, 'rom.elf'), join(folder, 'rom.bin')];
    execFileSync('arm-none-eabi-gcc', ['-nostdlib', '-Wl,-Ttext=0,-e0', '-x', 'assembler', source, '-o', elf]);
    execFileSync('arm-none-eabi-objcopy', ['-O', 'binary', elf, bin]);
    expect(Buffer.from(bootRom()).equals(readFileSync(bin))).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it('finds the ROM functions by their codes, and what they do', () => {
    const values = seenBy(
      machineOf(`int main(void) {
        uint32_t (*count)(uint32_t) = FUNCTION("P3"), (*reverse)(uint32_t) = FUNCTION("R3");
        uint32_t (*clz)(uint32_t) = FUNCTION("L3"), (*ctz)(uint32_t) = FUNCTION("T3");
        seen[0] = count(0xf00f0003) << 16 | count(0xffffffff);
        seen[1] = reverse(0x80000006);
        seen[2] = clz(0) << 24 | clz(1) << 16 | clz(0x00012345) << 8 | clz(0x80000000);
        seen[3] = ctz(0) << 24 | ctz(1) << 16 | ctz(0x00012000) << 8 | ctz(0x80000000);
        static uint8_t from[70], to[70];
        void *(*set)(void *, int, uint32_t) = FUNCTION("MS"), *(*copy)(void *, const void *, uint32_t) = FUNCTION("MC");
        int good = set(from + 1, 0xa5, 66) == from + 1 && from[0] == 0 && from[67] == 0;
        for (int i = 1; i < 67; i++) good &= from[i] == 0xa5;
        for (int i = 0; i < 70; i++) from[i] = i;
        good &= copy(to, from, 69) == to && to[68] == 68 && to[69] == 0 && copy(to, from + 1, 68) == to;
        for (int i = 0; i < 68; i++) good &= to[i] == i + 1;
        seen[4] = good; seen[5] = FUNCTION("??") == 0; seen[6] = *(volatile uint8_t *)0x13;
        SLEEP; }`),
    );
    expect(values.slice(0, 7)).toEqual([0x000a_0020, 0x6000_0001, 0x201f_0f00, 0x2000_0d1f, 1, 1, 3]);
  });

  it('adds, divides and takes sines through its float tables, in about the time of the real ROM', () => {
    const [sum, quotient, sine, cosine, high, integer, cycles] = seenBy(
      machineOf(`
      static uint32_t bits(float x) { union { float f; uint32_t u; } v = { x }; return v.u; }
      int main(void) {
        void **table = DATA("SF"), **doubles = DATA("SD");
        uint32_t (*add)(uint32_t, uint32_t) = table[0], (*divide)(uint32_t, uint32_t) = table[3];
        uint64_t (*sine)(uint32_t) = table[16], (*dsqrt)(uint64_t) = doubles[6];
        uint32_t (*d2i)(uint64_t) = doubles[7];
        seen[0] = add(bits(1.25f), bits(3.5f)); seen[1] = divide(bits(1.0f), bits(3.0f));
        uint64_t both = sine(bits(1.0f)); seen[2] = both; seen[3] = both >> 32;
        seen[4] = dsqrt(0x4000000000000000ull) >> 32; seen[5] = d2i(0xc002000000000000ull);
        REG(0xe000e014) = 0xffffff; REG(0xe000e018) = 0; REG(0xe000e010) = 5;
        uint32_t from = REG(0xe000e018); for (int i = 0; i < 16; i++) add(1, 2); seen[6] = from - REG(0xe000e018);
        SLEEP; }`),
    );
    expect([sum, quotient, sine, cosine]).toEqual([0x4098_0000, 0x3eaa_aaab, 0x3f57_6aa4, 0x3f0a_5140]);
    expect([high, integer! | 0]).toEqual([0x3ff6_a09e, -3]);
    // 71 by the data sheet, and the call.
    expect(cycles! / 16).toBeGreaterThan(71);
    expect(cycles! / 16).toBeLessThan(85);
  });

  it('rounds numbers of 64 bits once, clamps, and takes denormals as zero', () => {
    const float = (service: number, ...words: number[]): number => arithmetic(service, [...words, 0, 0, 0, 0])![0];
    // 2^53 + 1, 2^24 + 1 and a little: up, where two roundings would go down to the even one.
    expect(float(23, 0x2000_0001, 0x20_0000)).toBe(0x5a00_0001);
    expect(float(7, 0xff80_0000)).toBe(0x8000_0000);
    expect(float(9, 0x4f80_0000)).toBe(0xffff_ffff);
    expect(float(0, 1, 1)).toBe(0);
    expect(arithmetic(4, [0, 0, 0, 0])).toBeNull();
  });

  it('runs the second boot stage of the image from RAM where its CRC is right', () => {
    const stage = `
.syntax unified
.thumb
.section .stage, "a"
stage:
  ldr r0, =0x20020000
  mov r1, pc
  str r1, [r0]
  ldr r0, =0x10000100
  ldr r1, [r0]
  msr msp, r1
  ldr r0, [r0, #4]
  bx r0
  .ltorg
  .space 252 - (. - stage)
  .word 0x5eedc0de
`;
    const image = imageOf('int main(void) { seen[0] = REG(0x20020000); SLEEP; }', { 'stage.s': stage });
    const placeAt = Buffer.from(image).indexOf(Buffer.from([0xde, 0xc0, 0xed, 0x5e]));
    const run = (): number => seenBy(createMachine({ board: loadBoard('rpi-pico'), image, strict: true }))[0]!;
    expect(run()).not.toBe(0x2004_1f06);
    new DataView(image.buffer).setInt32(placeAt, crcOf(image.subarray(placeAt - 252, placeAt)), true);
    expect(run()).toBe(0x2004_1f06);
  });

  it('reads the unique id and the JEDEC id of the flash by commands, and writes it through the ROM', () => {
    const values = seenBy(
      machineOf(`
      /* From RAM, as XIP is off meanwhile. */
      __attribute__((section(".data"), noinline)) static void command(uint8_t *bytes, int count) {
        REG(SS_CTRL) = 2 << 8;
        for (int i = 0; i < count; i++) { REG(SSI + 0x60) = bytes[i]; while (!(REG(SSI + 0x28) & 8)) { } bytes[i] = REG(SSI + 0x60); }
        REG(SS_CTRL) = 3 << 8;
      }
      int main(void) {
        void (*off)(void) = FUNCTION("EX"), (*flush)(void) = FUNCTION("FC"), (*on)(void) = FUNCTION("CX");
        void (*erase)(uint32_t, uint32_t, uint32_t, uint8_t) = FUNCTION("RE");
        void (*program)(uint32_t, const uint8_t *, uint32_t) = FUNCTION("RP");
        static uint8_t id[13] = { 0x4b }, jedec[4] = { 0x9f }, page[256] = { 1, 2, 3 };
        off(); command(id, 13); command(jedec, 4); erase(0x10000, 4096, 65536, 0xd8); program(0x10000, page, 256); flush(); on();
        seen[0] = id[5] << 24 | id[6] << 16 | id[11] << 8 | id[12]; seen[1] = jedec[1] << 16 | jedec[2] << 8 | jedec[3];
        seen[2] = REG(0x10010000); seen[3] = REG(0x10010100); seen[4] = REG(SSI + 0xf4);
        SLEEP; }`),
    );
    expect(values.slice(0, 5)).toEqual([0xe661_4c2d, 0xef_4015, 0x0003_0201, 0xffff_ffff, 0x0300_0218]);
  });

  it('counts clocks, pulls pins up, and says how long a division is dirty', () => {
    const values = seenBy(
      machineOf(`int main(void) {
        REG(0x40024000) = 0xfabaa0; REG(0x40008030) = 2; /* XOSC, CLK_REF from it */
        REG(0x40008094) = 8; while (!(REG(0x40008098) & 16)) { } seen[0] = REG(0x4000809c) >> 5;
        release(8); REG(0x4001c004 + 4 * 4) = 1 << 3 | 1 << 6; seen[1] = REG(0xd0000004) >> 4 & 1;
        REG(0xd0000060) = 7; REG(0xd0000064) = 2; seen[2] = REG(0xd0000078); seen[3] = REG(0xd0000074) << 8 | REG(0xd0000070); seen[4] = REG(0xd0000078);
        seen[5] = REG(0x40000000); seen[6] = REG(0x40064000) >> 12 & 1;
        SLEEP; }`),
    );
    expect(values.slice(0, 7)).toEqual([12000, 1, 3, 0x103, 1, 0x2000_2927, 1]);
  });

  it('resets by the watchdog unless it is loaded, and keeps the reason and the scratch registers', () => {
    const [reason, scratch, left] = seenBy(
      machineOf(`int main(void) {
        if (REG(WATCHDOG + 8)) { seen[0] = REG(WATCHDOG + 8); seen[1] = REG(WATCHDOG + 12); SLEEP; }
        REG(0x40024000) = 0xfabaa0; REG(0x40008030) = 2; REG(WATCHDOG + 0x2c) = 12 | 1 << 9;
        REG(WATCHDOG + 12) = 77; REG(WATCHDOG + 4) = 2000; REG(WATCHDOG) = 1u << 30; /* 1 ms */
        for (int i = 0; i < 10; i++) { wait(2000); REG(WATCHDOG + 4) = 2000; }
        seen[2] = REG(WATCHDOG) & 0xffffff;
        SLEEP; }`), // from which only the watchdog wakes it
    );
    expect([reason, scratch]).toEqual([1, 77]);
    expect(left).toBeLessThanOrEqual(2000);
  });

  it('ends the run where the second core is asked for', () => {
    const machine = machineOf('int main(void) { REG(0xd0000054) = 0; SLEEP; }');
    expect(machine.run({ maxCycles: 1e6 }).fault?.cause).toContain('second core');
    machine.close();
  });
});
