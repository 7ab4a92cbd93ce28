/** An emulated board's UART as a serial port and as a TCP port: real bytes through the operating system, in both directions. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { runLive } from '../../harness/live-session.ts';
import { ptyEndpoint, tcpEndpoint, type SerialEndpoint } from '../../harness/serial-endpoint.ts';
import { buildProgram, hasCompiler } from '../emulator/support/assemble.ts';

/** Answers every line with its letters in upper case; ends with exit code 5 after "quit". Sleeps a second of SysTick time on "wait". */
const source = `
#include <stdint.h>
#include <string.h>
#define REG(address) (*(volatile uint32_t *)(address))
static void put(char c) { REG(0x40004000) = (uint32_t)c; }
static int next(void) { while ((REG(0x40004004) & 2) == 0) { } return (int)REG(0x40004000); }
static void wait_a_second(void) { REG(0xE000E014) = 250000 - 1; REG(0xE000E018) = 0; REG(0xE000E010) = 5; for (int i = 0; i < 100; i++) while ((REG(0xE000E010) & 0x10000) == 0) { } }
int main(void) {
  REG(0x40004008) = 3;
  for (;;) {
    char line[40]; unsigned n = 0;
    for (int c = next(); c != '\\n' && n < 39; c = next()) line[n++] = (char)c;
    line[n] = 0;
    if (strcmp(line, "wait") == 0) wait_a_second();
    for (unsigned i = 0; i < n; i++) put(line[i] >= 'a' && line[i] <= 'z' ? (char)(line[i] - 32) : line[i]);
    put('\\n');
    if (strcmp(line, "quit") == 0) {
      register uint32_t operation __asm("r0") = 0x20;
      static const uint32_t block[2] = {0x20026, 5};
      register const uint32_t *parameter __asm("r1") = block;
      __asm volatile("bkpt #0xab" : : "r"(operation), "r"(parameter) : "memory");
    }
  }
}
size_t strlen(const char *s) { size_t n = 0; while (s[n]) n++; return n; }
int strcmp(const char *a, const char *b) { while (*a && *a == *b) { a++; b++; } return *a - *b; }
`;

describe.skipIf(!hasCompiler)('live sessions (needs arm-none-eabi-gcc)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'thumbelina-live-'));
  let firmware: Uint8Array;
  beforeAll(() => {
    firmware = buildProgram({ files: { 'main.c': source }, flags: ['-fno-builtin'] });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (endpoint: SerialEndpoint | null, realtime = false, maxCycles?: number) =>
    runLive(
      {
        board: loadBoard('mps2-an386'),
        firmware,
        firmwareName: 'echo.elf',
        realtime,
        ...(maxCycles === undefined ? {} : { maxCycles }),
      },
      endpoint,
    );

  it('TCP: what is sent comes back in upper case; the firmware ends the session', async () => {
    const endpoint = await tcpEndpoint(0);
    const running = run(endpoint);
    const socket = connect(Number(endpoint.address.split(':')[1]), '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.write('hello\nwörld\nquit\n');
    const report = await running;
    await new Promise((resolve) => setTimeout(resolve, 50));
    endpoint.close();
    socket.destroy();
    expect(answer).toBe('HELLO\nWöRLD\nQUIT\n');
    expect(report).toMatchObject({ stop: 'exit', exitCode: 5, fault: null });
  });

  it('pty: a program opens the link as a serial port, closes it, opens it again', async () => {
    const link = join(folder, 'tty');
    const endpoint = ptyEndpoint(link);
    const running = run(endpoint);
    const first = await exchange(link, 'abc\n', 4);
    const second = await exchange(link, 'xyz\nquit\n', 9);
    const report = await running;
    endpoint.close();
    expect([first, second]).toEqual(['ABC\n', 'XYZ\nQUIT\n']);
    expect(report.stop).toBe('exit');
    expect(existsSync(link)).toBe(false);
  });

  it('real time: a second of the board takes no less than a second on the clock', { timeout: 60_000 }, async () => {
    const endpoint = await tcpEndpoint(0);
    const running = run(endpoint, true);
    const socket = connect(Number(endpoint.address.split(':')[1]), '127.0.0.1');
    const started = performance.now();
    socket.write('wait\nquit\n');
    await running;
    const seconds = (performance.now() - started) / 1000;
    endpoint.close();
    socket.destroy();
    expect(seconds).toBeGreaterThan(0.99);
  });

  it('ends at its limit of cycles, exactly as without an endpoint', async () => {
    const endpoint = await tcpEndpoint(0);
    const report = await run(endpoint, false, 1_000_000);
    endpoint.close();
    const alone = await run(null, false, 1_000_000);
    expect(report.stop).toBe('limit');
    expect({ ...report, wallSeconds: 0 }).toEqual({ ...alone, wallSeconds: 0 });
  });

  it('what stands in the way of the link is kept; an old link to a terminal is not', () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    expect(() => ptyEndpoint(file)).toThrow(/something is there that is no link to a terminal; choose another path/);
    const link = join(folder, 'old');
    symlinkSync('/dev/pts/99999', link);
    const endpoint = ptyEndpoint(link);
    expect(readlinkSync(link)).not.toBe('/dev/pts/99999');
    endpoint.close();
  });

  it('a port that is taken is named', async () => {
    const endpoint = await tcpEndpoint(0);
    const port = Number(endpoint.address.split(':')[1]);
    await expect(tcpEndpoint(port)).rejects.toThrow(`--uart tcp:${port}: the port is in use`);
    endpoint.close();
  });
});

/** Opens the terminal, writes, and reads so many bytes, without blocking the emulation in this process. */
async function exchange(path: string, text: string, bytes: number): Promise<string> {
  const NON_BLOCKING = 0o4000;
  const READ_WRITE = 2;
  const port = openSync(path, READ_WRITE | NON_BLOCKING);
  writeSync(port, text);
  let answer = '';
  const buffer = Buffer.alloc(64);
  while (answer.length < bytes) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    try {
      answer += buffer.toString('utf8', 0, readSync(port, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
  closeSync(port);
  return answer;
}
