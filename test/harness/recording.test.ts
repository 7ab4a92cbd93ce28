/** Record and replay: a session with a TCP client, repeated without one, is the same to the cycle; what does not fit is refused. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import type { SimReport } from '../../emulator/sim.ts';
import { runLive } from '../../harness/live-session.ts';
import { tcpEndpoint } from '../../harness/serial-endpoint.ts';
import { buildProgram, hasCompiler } from '../emulator/support/assemble.ts';

/** What it ends with depends on when each byte came: SysTick counts between them. */
const source = `
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
volatile uint32_t ticks;
void tick(void) { ticks++; }
extern void reset(void);
__attribute__((aligned(128))) void *const vectors[16] = {[0] = (void *)0x20040000, [1] = (void *)reset, [15] = (void *)tick};
static uint32_t hash;
static void put(char c) { REG(0x40004000) = (uint32_t)c; }
int main(void) {
  REG(0xe000ed08) = (uint32_t)vectors;
  REG(0xe000e014) = 999;
  REG(0xe000e018) = 0;
  REG(0xe000e010) = 7;
  REG(0x40004008) = 3;
  for (;;) {
    while ((REG(0x40004004) & 2) == 0) { }
    char c = (char)REG(0x40004000);
    hash = (hash ^ (uint32_t)c ^ ticks) * 16777619u;
    put((char)('a' + hash % 26));
    if (c == '!') {
      register uint32_t operation __asm("r0") = 0x20;
      uint32_t block[2] = {0x20026, hash & 0x7f};
      register const uint32_t *parameter __asm("r1") = block;
      __asm volatile("bkpt #0xab" : : "r"(operation), "r"(parameter) : "memory");
    }
  }
}`;

describe.skipIf(!hasCompiler)('recordings (need arm-none-eabi-gcc)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-record-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'run.jsonl');
  const firmware = hasCompiler ? buildProgram({ files: { 'main.c': source } }) : new Uint8Array();

  const options = (image: Uint8Array, uart: number[], board = 'mps2-an386') => ({
    board: loadBoard(board),
    firmware: image,
    firmwareName: 'main.elf',
    realtime: false,
    onUartByte: (byte: number) => void uart.push(byte),
  });
  const essence = ({ cycles, instructions, stop, exitCode }: SimReport) => ({ cycles, instructions, stop, exitCode });

  it('repeat a session to the cycle', async () => {
    const sent: number[] = [];
    const endpoint = await tcpEndpoint(0);
    const client = connect(Number(endpoint.address.split(':').at(-1)), '127.0.0.1');
    const letters = ['x', 'yz', 'w', '!'];
    // The next one after each answer: when it arrives is up to the operating system.
    client.on('data', () => void client.write(letters.shift() ?? ''));
    client.on('connect', () => void client.write(letters.shift() ?? ''));
    const recorded = await runLive({ ...options(firmware, sent), record: file }, endpoint);
    client.destroy();
    endpoint.close();
    expect(recorded.stop).toBe('exit');
    const again: number[] = [];
    const replayed = await runLive({ ...options(firmware, again), replay: file }, null);
    expect(essence(replayed)).toEqual(essence(recorded));
    expect(again).toEqual(sent);
  });

  it('break off like the run they are of', async () => {
    const path = join(folder, 'limit.jsonl');
    const input = { uartInput: Uint8Array.of(65, 66), maxCycles: 12_345 };
    const recorded = await runLive({ ...options(firmware, []), ...input, record: path }, null);
    expect(recorded.stop).toBe('limit');
    const replayed = await runLive({ ...options(firmware, []), replay: path }, null);
    expect(essence(replayed)).toEqual(essence(recorded));
  });

  it('are refused where they do not belong, and when damaged', async () => {
    const fails = async (image: Uint8Array, path: string, board?: string): Promise<string> =>
      runLive({ ...options(image, [], board), replay: path }, null).then(
        () => 'no error',
        (error: Error) => error.message,
      );
    const other = buildProgram({ files: { 'main.c': 'int main(void) { for (;;); }' } });
    expect(await fails(other, file)).toMatch(/the image it was recorded with is [0-9a-f]{8}, not [0-9a-f]{8}/);
    expect(await fails(firmware, file, 'core-m4')).toContain(
      'the board it was recorded with is mps2-an386, not core-m4',
    );
    const damaged = join(folder, 'damaged.jsonl');
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(damaged, [lines[0], '{"cycles":-1,"uart":"41"}'].join('\n'));
    expect(await fails(firmware, damaged)).toContain('damaged.jsonl:2: neither an input nor the end');
    writeFileSync(damaged, 'nonsense');
    expect(await fails(firmware, damaged)).toContain(':1: not JSON');
    writeFileSync(damaged, [lines[0], '{"end":{"stop":"exit","cycles":1,"instructions":1,"exitCode":0}}'].join('\n'));
    expect(await fails(firmware, damaged)).toContain('the replay ended with');
  });
});
