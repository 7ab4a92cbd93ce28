import { describe, expect, it } from 'vitest';
import { boardNames, loadBoard, parseBoard } from '../../boards/load.ts';
import { UserError } from '../../common/errors.ts';

/** A sound board; each test breaks one thing, and never in the first region. */
function boardJson(change: (board: Record<string, unknown>, memory: Record<string, unknown>[]) => void): string {
  const memory: Record<string, unknown>[] = [
    { name: 'FLASH', kind: 'flash', start: '0x08000000', bytes: 1024 },
    { name: 'RAM', kind: 'ram', start: '0x20000000', bytes: 1024 },
    { name: 'RAM2', kind: 'ram', start: '0x20001000', bytes: 1024 },
  ];
  const board: Record<string, unknown> = {
    name: 'test-board',
    description: 'for tests',
    core: 'cortex-m4',
    fpu: 'none',
    clockHz: 1e6,
    memory,
    uart: { kind: 'cmsdk-uart', base: '0x40004000' },
    peripherals: [
      { name: 'UART0', kind: 'cmsdk-uart', base: '0x40004000' },
      { name: 'TIM2', kind: 'stm32-timer32', base: '0x40000000' },
      { name: 'TIM3', kind: 'stm32-timer16', base: '0x40000400' },
    ],
    oscillators: { hse: 8e6, lse: 32768 },
    constants: [
      { name: 'UID', start: '0x1fff7590', words: ['0x00000001'] },
      { name: 'SIZE', start: '0x1fff75e0', words: ['0x00000001'] },
    ],
    timing: { memory: 'zero-wait' },
    sources: ['none'],
  };
  change(board, memory);
  return JSON.stringify(board);
}

const peripheral = (board: Record<string, unknown>, index: number): Record<string, unknown> =>
  (board['peripherals'] as Record<string, unknown>[])[index]!;

const ART = {
  instructionCacheBytes: 1024,
  instructionCacheWays: 4,
  dataCacheBytes: 256,
  dataCacheWays: 4,
  slaves: [],
};

const L1 = { instructionCacheBytes: 4096, dataCacheBytes: 4096, tightlyCoupled: [], busCycles: 6 };
const CACHE = { cacheBytes: 2048, ways: 2, lineBytes: 16, slaves: [] };

describe('board descriptions', () => {
  it('should load every built-in board', () => {
    expect(boardNames()).toEqual(expect.arrayContaining(['core-m4', 'mps2-an386', 'nucleo-l4r5zi']));
    for (const name of boardNames()) expect(loadBoard(name).name).toBe(name);
  });

  it('should accept the sound board that the failing cases start from', () => {
    expect(
      parseBoard(
        boardJson(() => undefined),
        'x.json',
      ).memory,
    ).toHaveLength(3);
  });

  const broken: [string, Parameters<typeof boardJson>[0], RegExp][] = [
    ['an unknown field', (board) => (board['clockHz2'] = 1), /clockHz2/],
    ['an unknown field in a region', (_, memory) => (memory[2]!['waits'] = 1), /memory\.2.*waits/],
    ['a malformed address', (_, memory) => (memory[2]!['start'] = '0x2000'), /memory\.2\.start/],
    ['accelerator without caches', (board) => (board['timing'] = { memory: 'stm32-art' }), /"stm32-art" needs "art"/],
    [
      'caches that nothing uses',
      (board) => (board['timing'] = { memory: 'zero-wait', art: ART }),
      /"zero-wait" has no "art"/,
    ],
    [
      'a cache of half a set',
      (board) => (board['timing'] = { memory: 'stm32-art', art: { ...ART, dataCacheBytes: 96 } }),
      /dataCacheBytes 96 with 4 ways of 8 bytes are 3 sets/,
    ],
    [
      'a cache without its geometry',
      (board) => (board['timing'] = { memory: 'flash-cache' }),
      /"flash-cache" needs "cache"/,
    ],
    [
      'a geometry that nothing uses',
      (board) => (board['timing'] = { memory: 'stm32-art', art: ART, cache: CACHE }),
      /"stm32-art" has no "cache"/,
    ],
    [
      'a line that is no power of two',
      (board) => (board['timing'] = { memory: 'flash-cache', cache: { ...CACHE, lineBytes: 24 } }),
      /timing\.cache\.lineBytes 24/,
    ],
    [
      'sets that are no power of two',
      (board) => (board['timing'] = { memory: 'flash-cache', cache: { ...CACHE, ways: 3 } }),
      /cacheBytes 2048 with 3 ways of 16 bytes/,
    ],
    [
      'a port without its line',
      (board) => (board['timing'] = { memory: 'shared-flash' }),
      /"shared-flash" needs "shared"/,
    ],
    [
      'a port with a line of three words',
      (board) => (board['timing'] = { memory: 'shared-flash', shared: { lineBytes: 12 } }),
      /timing\.shared\.lineBytes 12/,
    ],
    [
      'a port on a core whose fetches are not known',
      (board) => {
        board['core'] = 'cortex-m33';
        board['fpu'] = 'none';
        board['timing'] = { memory: 'shared-flash', shared: { lineBytes: 8 } };
      },
      /"shared-flash" is for Cortex-M3 and M4, not for a cortex-m33/,
    ],
    [
      'memories of the bus matrix that overlap',
      (board) =>
        (board['timing'] = {
          memory: 'flash-cache',
          cache: {
            ...CACHE,
            slaves: [
              { name: 'A', start: '0x10000000', bytes: 16 },
              { name: 'B', start: '0x20000000', bytes: 1025 },
              { name: 'C', start: '0x20000400', bytes: 16 },
            ],
          },
        }),
      /slaves B \(ends 0x20000401\) and C \(starts 0x20000400\) overlap/,
    ],
    ['a number as text, naming it', (board) => (board['clockHz'] = '1e6'), /clockHz: .*\(it is "1e6"\)/],
    ['half a hertz', (board) => (board['clockHz'] = 1000.5), /clockHz: .*\(it is 1000\.5\)/],
    ['a clock below any', (board) => (board['clockHz'] = 999), /clockHz 999 is outside/],
    [
      'a clock that its set-up does not reach',
      (board) => (board['clockSetup'] = 'stm32f4-168mhz'),
      /clockHz 1000000, but clockSetup "stm32f4-168mhz" reaches 168 MHz/,
    ],
    [
      'a clock set-up nobody has written',
      (board) => (board['clockSetup'] = 'stm32f4-180mhz'),
      /clockSetup: .*\(it is "stm32f4-180mhz"\)/,
    ],
    [
      'a chip id that no word can have',
      (board) => (board['chipId'] = { address: '0xe0042000', mask: '0x00000fff', value: '0x00001470' }),
      /chipId\.value 0x00001470 has bits that mask 0x00000fff clears/,
    ],
    ['a name that is no file name', (board) => (board['name'] = 'Test_board'), /name: .*\(it is "Test_board"\)/],
    ['a region of no bytes', (_, memory) => (memory[2]!['bytes'] = 0), /memory\.2\.bytes: .*\(it is 0\)/],
    ['a region of another kind', (_, memory) => (memory[2]!['kind'] = 'rom'), /memory\.2\.kind: .*\(it is "rom"\)/],
    ['an interrupt line past the NVIC', (board) => (peripheral(board, 2)['irq'] = 496), /irq: .*\(it is 496\)/],
    ['no source', (board) => (board['sources'] = []), /sources/],
    ['a memory timing nobody knows', (board) => (board['timing'] = { memory: 'fast' }), /timing\.memory: .*"fast"/],
    ['no flash', (_, memory) => memory.forEach((region) => (region['kind'] = 'ram')), /kind "flash"/],
    [
      'a crystal out of range',
      (board) => (board['oscillators'] = { hse: 8, lse: 32768 }),
      /oscillators\.hse 8 is outside/,
    ],
    [
      "another core's caches",
      (board) => (board['timing'] = { memory: 'l1', l1: L1 }),
      /timing\.memory "l1" is a Cortex-M7's, not a cortex-m4's/,
    ],
    [
      'an L1 cache of no size that exists',
      (board) =>
        Object.assign(board, { core: 'cortex-m7', timing: { memory: 'l1', l1: { ...L1, dataCacheBytes: 4097 } } }),
      /timing\.l1\.dataCacheBytes 4097 is none of 4096, 8192/,
    ],
    ['no ram', (_, memory) => memory.forEach((region) => (region['kind'] = 'flash')), /kind "ram"/],
    [
      'a region past the address space',
      (_, memory) => Object.assign(memory[2]!, { start: '0xfffffff0', bytes: 17 }),
      /RAM2.*0xfffffff0/,
    ],
    [
      'a region larger than can be emulated',
      (_, memory) => (memory[2]!['bytes'] = 2 ** 28 + 1),
      /RAM2 has 268435457 bytes/,
    ],
    [
      'a region that reaches into the peripherals',
      (_, memory) => Object.assign(memory[2]!, { start: '0x3fffffff', bytes: 2 }),
      /RAM2 \(0x3fffffff, 2 bytes\) reaches into the peripherals from 0x40000000/,
    ],
    [
      'a region among the core registers',
      (_, memory) => Object.assign(memory[2]!, { start: '0xe000e000', bytes: 16 }),
      /RAM2.*from 0xe0000000/,
    ],
    ['two regions of one name', (_, memory) => (memory[2]!['name'] = 'RAM'), /two memory regions are named RAM/],
    [
      'overlapping regions',
      (_, memory) => (memory[2]!['start'] = '0x200003ff'),
      /RAM \(ends 0x20000400\) overlaps RAM2/,
    ],
    ['a clock out of range', (board) => (board['clockHz'] = 2e9), /clockHz 2000000000/],
    [
      'a uart inside memory',
      (board) => (board['uart'] = { kind: 'cmsdk-uart', base: '0x20001000' }),
      /uart base 0x20001000.*RAM2/,
    ],
    [
      'an FPU on a core that never has one',
      (board) => Object.assign(board, { core: 'cortex-m0', fpu: 'fpv4-sp-d16' }),
      /a cortex-m0 has no fpv4-sp-d16; set "fpu" to "none"/,
    ],
    [
      'an FPU of another core',
      (board) => Object.assign(board, { core: 'cortex-m33', fpu: 'fpv5-d16' }),
      /a cortex-m33 has no fpv5-d16; set "fpu" to "none" or "fpv5-sp-d16"/,
    ],
    [
      'a multiplier where there is no choice',
      (board) => (board['multiplier'] = 'iterative'),
      /every cortex-m4 multiplies in one way; remove "multiplier"/,
    ],
    [
      'a peripheral of an unknown kind',
      (board) => (peripheral(board, 2)['kind'] = 'stm32-toaster'),
      /peripherals\.2\.kind/,
    ],
    [
      'an unknown field in a peripheral',
      (board) => (peripheral(board, 2)['interrupt'] = 3),
      /peripherals\.2.*interrupt/,
    ],
    [
      'two peripherals of one name',
      (board) => (peripheral(board, 2)['name'] = 'TIM2'),
      /two peripherals are named TIM2/,
    ],
    [
      'two peripherals at one address',
      (board) => (peripheral(board, 2)['base'] = '0x40000000'),
      /TIM2 and TIM3 share base 0x40000000/,
    ],
    [
      'a peripheral inside memory',
      (board) => (peripheral(board, 2)['base'] = '0x20001010'),
      /TIM3 \(0x20001010\) lies inside region RAM2/,
    ],
    [
      'a uart that is no peripheral',
      (board) => (board['uart'] = { kind: 'cmsdk-uart', base: '0x40005000' }),
      /uart base 0x40005000 is a cmsdk-uart.*no peripheral there/,
    ],
    [
      'a uart that is another peripheral',
      (board) => (board['uart'] = { kind: 'cmsdk-uart', base: '0x40000400' }),
      /uart base 0x40000400.*TIM3, a stm32-timer16/,
    ],
    [
      'an enable bit of nobody',
      (board) => (peripheral(board, 2)['enabledBy'] = 'RCC.AHB1ENR.3'),
      /TIM3 is enabled by RCC\.AHB1ENR\.3, but there is no other peripheral RCC/,
    ],
    [
      'a malformed enable bit',
      (board) => (peripheral(board, 2)['enabledBy'] = 'RCC.AHB1ENR.32'),
      /peripherals\.2\.enabledBy/,
    ],
    ['a vector table outside flash', (board) => (board['vectorTable'] = '0x08001000'), /vectorTable 0x08001000/],
    ['a vector table out of line', (board) => (board['vectorTable'] = '0x08000080'), /vectorTable 0x08000080/],
    ['a boot stage without a vector table', (board) => (board['boot'] = 'rp2040-boot2'), /boot "rp2040-boot2"/],
    [
      'an oscillator out of range',
      (board) => (board['oscillators'] = { hse: 8e6, lse: 32_768_000 }),
      /oscillators\.lse 32768000 is outside/,
    ],
    [
      'constants over memory',
      (board) => ((board['constants'] as Record<string, unknown>[])[1]!['start'] = '0x200013fc'),
      /constants SIZE \(0x200013fc\) overlap region RAM2/,
    ],
    [
      'a sleep current that is none',
      (board) =>
        (board['power'] = { activeUaPerMhz: 100, sleep: { microamps: -1, mode: 'x' }, supplyV: 3, source: 'x' }),
      /power\.sleep\.microamps/,
    ],
    ['a core that is not modelled', (board) => (board['core'] = 'cortex-m99'), /core/],
  ];
  it.each(broken)('should refuse %s', (_, change, message) => {
    expect(() => parseBoard(boardJson(change), 'x.json')).toThrow(UserError);
    expect(() => parseBoard(boardJson(change), 'x.json')).toThrow(message);
  });

  it('should refuse text that is not JSON, and a name it does not know', () => {
    expect(() => parseBoard('{', 'x.json')).toThrow(/x\.json: not valid JSON/);
    expect(() => loadBoard('nucleo-nowhere')).toThrow(/unknown board "nucleo-nowhere".*mps2-an386/);
  });
});
