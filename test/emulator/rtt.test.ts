/** SEGGER RTT: a firmware with an implementation of its own against the host's side. */
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { simulate, type SimOptions, type SimReport } from '../../emulator/sim.ts';
import { buildProgram, hasCompiler } from './support/assemble.ts';

/** @param name of the control block @param size of its two rings @param setUp after the block has been set up, before it is shown to the host */
const source = (name: string, size: number, body: string, setUp = ''): string => `
#include <stdint.h>
typedef struct { const char *name; volatile uint8_t *buffer; uint32_t size; volatile uint32_t write, read; uint32_t flags; } ring_t;
typedef struct { volatile char id[16]; uint32_t ups, downs; ring_t up, down; } block_t;
block_t ${name};
static uint8_t up_bytes[${size}], down_bytes[${size}];
static void start(void) {
  block_t *b = &${name};
  b->ups = 1; b->downs = 1;
  b->up = (ring_t){ "out", up_bytes, sizeof up_bytes, 0, 0, 2 };
  b->down = (ring_t){ "in", down_bytes, sizeof down_bytes, 0, 0, 0 };
  ${setUp}
  __asm volatile("" ::: "memory");
  /* From its end, and never whole in flash: the host must see it last. */
  for (int i = 15; i >= 0; i--) b->id[i] = i == 0 ? 'S' : i < 10 ? "XEGGER RTT"[i] : 0;
}
static void put(char c) {
  ring_t *r = &${name}.up;
  const uint32_t next = (r->write + 1) % r->size;
  while (next == r->read) { }
  r->buffer[r->write] = (uint8_t)c;
  r->write = next;
}
static int get(void) {
  ring_t *r = &${name}.down;
  while (r->read == r->write) { }
  const uint8_t c = r->buffer[r->read];
  r->read = (r->read + 1) % r->size;
  return c;
}
int main(void) {
  start();
  (void)put; (void)get;
  ${body}
  for (;;) __asm volatile("wfi");
}`;

const LONG = 'The quick brown fox jumps over the lazy dog. '.repeat(5);
const say = (text: string): string => `for (const char *t = "${text}"; *t; t++) put(*t);`;

describe.skipIf(!hasCompiler)('RTT (needs arm-none-eabi-gcc)', () => {
  const notes: string[] = [];
  let console = '';
  const run = (program: string, options: Partial<SimOptions> = {}): SimReport => {
    notes.length = 0;
    console = '';
    return simulate({
      board: loadBoard('core-m4'),
      firmware: buildProgram({ files: { 'main.c': program } }),
      firmwareName: 'rtt.elf',
      maxCycles: 5e7,
      onNote: (text) => notes.push(text),
      onConsole: (bytes) => {
        console += new TextDecoder().decode(bytes);
      },
      ...options,
    });
  };

  it('up-buffer 0 goes to the console; a full ring is emptied while the firmware waits', () => {
    const report = run(source('_SEGGER_RTT', 16, say(LONG)));
    expect(report).toMatchObject({ stop: 'idle', fault: null, rtt: LONG });
    expect(console).toBe(LONG);
    expect(notes).toEqual([]);
    const { wallSeconds: first, ...rest } = report;
    const { wallSeconds: second, ...again } = run(source('_SEGGER_RTT', 16, say(LONG)));
    expect(first).not.toBe(second);
    expect(again).toEqual(rest);
  });

  it('costs no cycle of a firmware that need not wait', () => {
    // Long enough for some polls in between.
    const body = `for (volatile int i = 0; i < 200000; i++) { } ${say('hello')} for (volatile int i = 0; i < 200000; i++) { }`;
    const polled = run(source('_SEGGER_RTT', 64, body));
    const alone = run(source('another_name', 64, body));
    expect(polled.rtt).toBe('hello');
    expect(alone.rtt).toBe('');
    expect(polled.cycles).toBeGreaterThan(1e6);
    expect([polled.cycles, polled.instructions]).toEqual([alone.cycles, alone.instructions]);
  });

  it('down-buffer 0 is fed, round its end, and the block is found without its symbol', () => {
    const body = 'for (;;) { const int c = get(); put((char)(c + 1)); if (c == 10) break; }';
    const rttInput = new TextEncoder().encode('HAL'.repeat(20) + '\n');
    const report = run(source('another_name', 8, body), { rttInput });
    expect(report).toMatchObject({ stop: 'idle', rtt: 'IBM'.repeat(20) + '\v' });
  });

  it('what is left at the end of a run is shown, on Unicorn too', () => {
    expect(run(source('_SEGGER_RTT', 64, `${say('end')} __asm volatile("udf #0");`)).rtt).toBe('end');
    expect(run(source('_SEGGER_RTT', 64, say('end')), { engine: 'unicorn' }).rtt).toBe('end');
    expect(
      run(source('_SEGGER_RTT', 64, `${say('end')} for (volatile int i = 0;; i++) { }`), { maxCycles: 5000 }),
    ).toMatchObject({ stop: 'limit', rtt: 'end' });
  });

  it.each([
    ['b->up.buffer = (uint8_t *)0xFFFFFFF0;', /up-buffer 0 \(16 bytes at 0xfffffff0\) lies outside the RAM/],
    ['b->up.buffer = (uint8_t *)0x20; b->up.read = 4;', /up-buffer 0 \(16 bytes at 0x00000020\) lies outside the RAM/],
    ['b->up.size = 0xFFFFFFFF;', /up-buffer 0 \(4294967295 bytes at 0x2000\w+\) lies outside the RAM/],
    ['b->up.size = 0;', /up-buffer 0 has the size 0/],
    ['b->up.write = 16;', /up-buffer 0 of 16 bytes has offsets beyond its end: 16 and 0/],
    ['b->up.read = 0x80000000;', /up-buffer 0 of 16 bytes has offsets beyond its end: 0 and 2147483648/],
    ['b->ups = 0x7fffffff;', /it has 2147483647 up-buffers and 1 down-buffers, more than 64/],
    ['b->down.size = 0;', /down-buffer 0 has the size 0/],
    ['b->down.buffer = (uint8_t *)0xE0000000;', /down-buffer 0 \(16 bytes at 0xe0000000\) lies outside the RAM/],
  ])('refuses a damaged control block with one note: %s', (setUp, expected) => {
    const body = 'for (volatile int i = 0; i < 100000; i++) { }';
    const report = run(source('_SEGGER_RTT', 16, body, setUp), { rttInput: Uint8Array.of(1, 2, 3) });
    expect(report).toMatchObject({ stop: 'idle', rtt: '', fault: null });
    expect(notes).toEqual([expect.stringMatching(expected) as string]);
    expect(notes[0]).toMatch(/^the RTT control block at 0x2000\w+ is not used: /);
  });
});
