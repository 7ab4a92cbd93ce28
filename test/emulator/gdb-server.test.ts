/** The gdb server packet by packet, without a socket: every command, malformed ones, and single steps against an uninterrupted run. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadBoard } from '../../boards/load.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import { bytesOf, encodePacket, hexOf, parseHex, textOf } from '../../emulator/debug/gdb/packets.ts';
import { targetRegisters, targetXml } from '../../emulator/debug/gdb/target-description.ts';
import { conditionHolds } from '../../emulator/debug/gdb/watch.ts';
import { hasCompiler } from './support/assemble.ts';
import { Client, elf, engines } from './support/gdb-client.ts';

describe.skipIf(!hasCompiler)('gdb server (needs arm-none-eabi-gcc)', () => {
  it('acknowledges, asks again, repeats, and stops acknowledging when told to', () => {
    const client = new Client();
    expect(client.raw('$?#3f')).toBe('+');
    expect(client.lastPacket()).toBe('T05thread:1;');
    expect(client.raw('$?#40')).toBe('-');
    expect(client.lastPacket()).toBeNull();
    expect(client.raw('-')).toBe('');
    expect(client.lastPacket()).toBe('T05thread:1;');
    expect(client.raw(textOf(encodePacket(bytesOf('QStartNoAckMode'))))).toBe('+');
    expect(client.lastPacket()).toBe('OK');
    expect(client.raw('$?#3f')).toBe('');
    expect(client.raw('$?#40')).toBe('');
    client.machine.close();
  });

  it('describes itself in parts', () => {
    const client = new Client();
    expect(client.ask('qSupported:swbreak+;xmlRegisters=arm')).toContain('PacketSize=4000;');
    const xml = targetXml(targetRegisters(client.machine.board));
    expect(client.ask('qXfer:features:read:target.xml:0,10')).toBe(`m${xml.slice(0, 16)}`);
    expect(client.ask(`qXfer:features:read:target.xml:${(xml.length - 5).toString(16)},fff`)).toBe(`l${xml.slice(-5)}`);
    expect(client.ask('qXfer:features:read:target.xml:ffffff,10')).toBe('l');
    expect(client.ask('qXfer:features:read:other.xml:0,10')).toBe('E00');
    expect(client.ask('qXfer:memory-map:read::0,1000')).toContain(
      '<memory type="flash" start="0x0" length="0x400000"><property name="blocksize">0x1000</property></memory>',
    );
    expect(client.ask('vCont?')).toBe('vCont;c;C;s;S;r');
    expect(client.ask('qSomething')).toBe('');
    expect(client.ask('vMustReplyEmpty')).toBe('');
    client.machine.close();
  });

  it('leaves the FPU out of a core without one', () => {
    const board = loadBoard('core-m4');
    expect(targetXml(targetRegisters(board))).toContain('org.gnu.gdb.arm.vfp');
    expect(targetXml(targetRegisters({ ...board, fpu: 'none' }))).not.toContain('vfp');
  });

  it('has the special registers of each architecture', () => {
    const special = (name: string): string[] =>
      targetRegisters(loadBoard(name))
        .filter(({ feature }) => feature === 'm-system')
        .map(({ name: register }) => register);
    const mainline = ['msp', 'psp', 'primask', 'basepri', 'faultmask', 'control'];
    expect(special('core-m0plus')).toEqual(['msp', 'psp', 'primask', 'control']);
    expect(special('core-m23')).toEqual(['msp', 'psp', 'primask', 'control']);
    expect(special('core-m7')).toEqual(mainline);
    expect(special('core-m33')).toEqual([...mainline, 'msplim', 'psplim']);
    const doubles = targetXml(targetRegisters(loadBoard('core-m7')));
    expect(doubles).toContain('name="d15" bitsize="64"');
  });

  it.each(engines)('reads and writes all registers (%s)', (engine) => {
    const client = new Client(engine);
    const registers = targetRegisters(client.machine.board);
    const bytes = registers.reduce((sum, register) => sum + register.bytes, 0);
    const before = client.ask('g') ?? '';
    expect(before).toHaveLength(bytes * 2);
    for (const [index, { number, parts }] of registers.entries()) {
      if (index < 13 || parts.length === 2)
        expect(client.ask(`P${number.toString(16)}=${'0'.repeat(parts.length * 6)}${'41'.repeat(parts.length)}`)).toBe(
          'OK',
        );
    }
    const changed = client.ask('g') ?? '';
    expect(changed).not.toBe(before);
    expect(client.ask(`G${before}`)).toBe('OK');
    expect(client.ask('g')).toBe(before);
    expect(client.ask(`Pd=00000120`)).toBe('OK');
    expect([client.register(13), client.register(26)]).toEqual([0x2001_0000, 0x2001_0000]);
    client.machine.close();
  });

  it('reads and writes memory, and refuses what is none', () => {
    const client = new Client();
    expect(client.ask('M20000100,4:01020304')).toBe('OK');
    expect(client.ask('X20000104,3:a#b')).toBe('OK');
    expect(client.ask('m20000100,7')).toBe(`01020304${hexOf(bytesOf('a#b'))}`);
    expect(client.ask('mfffffffc,4')).toBe('E0e');
    expect(client.ask('mffffffff,ffffffff')).toBe('E0e');
    expect(client.ask('m10000000,4')).toBe('E0e');
    expect(client.ask('M10000000,1:00')).toBe('E0e');
    expect(client.ask('me000ed00,4')).toBe('41c20f41'); // CPUID
    expect(client.ask('M20000100,2:01')).toBe('E16');
    client.machine.close();
  });

  it('programs flash only where it was erased', () => {
    const client = new Client();
    expect(client.ask('vFlashErase:100000,2000')).toBe('OK');
    expect(client.ask('vFlashWrite:100010:abc')).toBe('OK');
    expect(client.ask('vFlashDone')).toBe('OK');
    expect(client.ask('m10000f,5')).toBe('ff616263ff');
    expect(client.ask('vFlashWrite:100012:x')).toBe('E05');
    expect(client.ask('vFlashErase:100010,1000')).toBe('E16');
    expect(client.ask('vFlashErase:20000000,1000')).toBe('E.memtype');
    expect(client.ask('vFlashWrite:20000000:a')).toBe('E.memtype');
    expect(client.ask('qCRC:100010,3')).toBe('C' + crc('abc').toString(16));
    expect(client.ask('qCRC:10000000,3')).toBe('E0e');
    client.machine.close();
  });

  it.each(engines)('single steps as it runs (%s)', (engine) => {
    const straight = createMachine({ board: loadBoard('core-m4'), image: elf, imageName: 'a.elf', engine });
    const whole = straight.run();
    expect(whole).toMatchObject({ stop: 'exit', exitCode: 0 });
    const client = new Client(engine);
    let steps = 0;
    let reply: string | null = null;
    do reply = client.ask(steps++ % 2 === 0 ? 's' : 'vCont;s:1;c');
    while (reply === 'T05thread:1;' && steps < 1000);
    expect(reply).toBe('W00');
    expect(client.machine.cpu.counters().instructions).toBe(whole.instructions);
    for (let register = 0; register < 15; register++)
      expect(client.machine.cpu.readRegister(register)).toBe(straight.cpu.readRegister(register));
    expect(client.machine.readWord(client.machine.symbol('cell').address)).toBe(15);
    // libunicorn passes an IT block as a whole, and what follows a write to CPACR in the same straight run of code.
    if (engine === 'wasm') expect(steps).toBe(whole.instructions + 1);
    else expect(steps).toBeGreaterThan(whole.instructions - 16);
    straight.close();
    client.machine.close();
  });

  it.each(engines)('stops at breakpoints, in ranges and at watched cells (%s)', (engine) => {
    const client = new Client(engine);
    const main = client.machine.symbol('main').address;
    const cell = client.address('cell');
    client.ask('qSupported:swbreak+;hwbreak+');
    expect(client.ask(`Z1,${main.toString(16)},2`)).toBe('OK');
    expect(client.ask('c')).toBe('T05hwbreak:;thread:1;');
    expect(client.register(15)).toBe(main);
    expect(client.ask(`z1,${main.toString(16)},2`)).toBe('OK');
    // The loop of three instructions, five times.
    expect(client.ask(`vCont;r${main.toString(16)},${(main + 10).toString(16)}:1`)).toBe('T05thread:1;');
    expect(client.register(15)).toBe(main + 10);
    expect(client.register(4)).toBe(15);
    const seesReads = engine === 'wasm';
    expect(client.ask(`Z3,${cell},4`)).toBe(seesReads ? 'OK' : '');
    expect(client.ask(`Z2,${cell},4`)).toBe('OK');
    if (seesReads) expect(client.ask('c')).toBe(`T05rwatch:${cell};thread:1;`);
    expect(client.ask('c')).toBe(`T05watch:${cell};thread:1;`);
    expect(client.ask(`m${cell},4`)).toBe('0b000000'); // not written yet
    expect(client.ask('s')).toBe('T05thread:1;');
    expect(client.ask(`m${cell},4`)).toBe('0f000000');
    client.ask(`z3,${cell},4`);
    expect(client.ask(`z2,${cell},4`)).toBe('OK');
    expect(client.ask(`Z0,${client.address('last')},2`)).toBe('OK');
    expect(client.ask('c')).toBe('T05swbreak:;thread:1;');
    expect(client.ask('vCont;c')).toBe('W00');
    expect(client.ask('c')).toBe('W00');
    expect(client.ask('Z0,10000000,2')).toBe('E0e');
    expect(client.ask('Z7,0,2')).toBe('');
    client.machine.close();
  });

  it('runs code that was written while it was halted', () => {
    for (const engine of engines) {
      const client = new Client(engine);
      const main = client.address('main');
      client.ask(`Z0,${main},2`);
      client.ask('c');
      expect(client.ask(`M${main},2:2a20`)).toBe('OK'); // movs r0, #42
      client.ask('s');
      expect(client.register(0)).toBe(42);
      client.machine.close();
    }
  });

  it('resets and counts on monitor commands', () => {
    const client = new Client();
    const monitor = (line: string): string =>
      textOf(parseHex(client.ask(`qRcmd,${hexOf(bytesOf(line))}`) ?? '') ?? new Uint8Array());
    client.ask('s');
    expect(monitor('cycles')).toMatch(/^1 cycles, 1 instructions since reset\n1 cycles, 1 instructions since last/);
    expect(monitor('reset')).toContain('reset and halted');
    expect(monitor('cycles')).toMatch(/^0 cycles, 0 instructions/);
    expect(client.register(15)).toBe(client.machine.symbol('reset').address);
    expect(monitor('reset run')).toContain('not supported');
    expect(monitor('reset twice')).toContain('unknown mode "twice"');
    expect(monitor('halt')).toContain('halted');
    expect(monitor('help')).toContain('monitor cycles');
    expect(monitor('dance')).toContain('unknown command "dance"');
    expect(client.ask('qRcmd,zz')).toBe('E05');
    client.machine.close();
  });

  it('keeps to a cycle budget, ends when killed, runs on when detached', () => {
    const limited = new Client('unicorn', 20);
    expect(limited.ask('c')).toBe('T18thread:1;');
    expect(limited.ask('k')).toBeNull();
    expect(limited.gdb.state).toBe('killed');
    limited.machine.close();
    const detached = new Client();
    expect(detached.ask('D')).toBe('OK');
    expect(detached.gdb).toMatchObject({ state: 'detached', running: false, result: { stop: 'exit', exitCode: 0 } });
    detached.machine.close();
  });

  it('survives any packet', () => {
    const client = new Client('unicorn', 100_000);
    const heads = [
      '',
      'g',
      'G',
      'p',
      'P',
      'm',
      'M',
      'X',
      'c',
      's',
      'vCont;',
      'vCont;r',
      'Z',
      'z',
      'Z0,',
      'Z2,',
      'q',
      'qXfer:features:read:',
      'qCRC:',
      'qRcmd,',
      'vFlashErase:',
      'vFlashWrite:',
      'H',
      'T',
      'D',
      'v',
    ];
    const tail = fc.oneof(
      fc.string({ maxLength: 20 }),
      fc.stringMatching(/^[0-9a-f]{0,9},[0-9a-f]{0,9}(:[0-9a-f]{0,9})?$/),
    );
    fc.assert(
      fc.property(fc.constantFrom(...heads), tail, (head, rest) => {
        client.gdb.state = 'attached';
        client.ask(head + rest);
        expect(client.ask('?')).toMatch(/^[TW]/);
      }),
      { numRuns: 1500 },
    );
    client.machine.close();
  });
});

describe('conditions', () => {
  it('hold as the architecture has them', () => {
    const z = 0x4000_0000;
    const c = 0x2000_0000;
    const n = 0x8000_0000;
    const v = 0x1000_0000;
    const holding = (xpsr: number): number[] =>
      Array.from({ length: 15 }, (_, index) => index).filter((one) => conditionHolds(one, xpsr));
    expect(holding(0)).toEqual([1, 3, 5, 7, 9, 10, 12, 14]);
    expect(holding(z + c)).toEqual([0, 2, 5, 7, 9, 10, 13, 14]);
    expect(holding(n)).toEqual([1, 3, 4, 7, 9, 11, 13, 14]);
    expect(holding(n + v + c)).toEqual([1, 2, 4, 6, 8, 10, 12, 14]);
  });
});

/** CRC-32 of text, most significant bit first, not inverted. */
function crc(text: string): number {
  let value = 0xffff_ffff;
  for (const byte of bytesOf(text))
    for (let bit = 7; bit >= 0; bit--) {
      const top = ((value >>> 31) ^ (byte >> bit)) & 1;
      value = ((value << 1) ^ (top === 1 ? 0x04c1_1db7 : 0)) >>> 0;
    }
  return value;
}
