/** Framing of the gdb protocol under everything a connection can deliver: pieces, junk, damage, excess. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, encodePacket, PACKET_BYTES_MAX, PacketReader, textOf } from '../../emulator/debug/gdb/packets.ts';

const kinds = (bytes: Uint8Array): string[] => new PacketReader().push(bytes).map(({ kind }) => kind);

describe('packet framing', () => {
  it('frames with a checksum and escapes what is reserved', () => {
    expect(textOf(encodePacket(bytesOf('OK')))).toBe('$OK#9a');
    expect(textOf(encodePacket(bytesOf('')))).toBe('$#00');
    expect(textOf(encodePacket(bytesOf('$#}*')))).toBe('$}\x04}\x03}]}\n#62');
  });

  it('reads any data back, whatever the pieces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 9 }),
        (list, size) => {
          const reader = new PacketReader();
          const stream = Uint8Array.from(list.flatMap((data) => [...encodePacket(data)]));
          const read: number[][] = [];
          for (let at = 0; at < stream.length; at += size)
            for (const event of reader.push(stream.subarray(at, at + size)))
              if (event.kind === 'packet') read.push([...event.data]);
          expect(read).toEqual(list.map((data) => [...data]));
        },
      ),
    );
  });

  it('survives any bytes and reads the packet after them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => {
        const reader = new PacketReader();
        reader.push(junk);
        // Two packets: the junk may end inside one, whose checksum digits the first `$g` can then be.
        const events = [...reader.push(bytesOf('$g#67')), ...reader.push(bytesOf('$?#3f'))];
        expect(events.at(-1)).toEqual({ kind: 'packet', data: bytesOf('?') });
      }),
      { numRuns: 2000 },
    );
  });

  it('tells acknowledgements, interrupts and damage apart', () => {
    expect(kinds(bytesOf('+-\x03'))).toEqual(['ack', 'nak', 'interrupt']);
    expect(kinds(bytesOf('$OK#9b'))).toEqual(['badChecksum']);
    expect(kinds(bytesOf('$OK#zz'))).toEqual(['badChecksum']);
    expect(kinds(bytesOf('$m0,4$OK#9a'))).toEqual(['packet']); // the first was cut off
    expect(kinds(bytesOf('$OK#9'))).toEqual([]);
    expect(kinds(encodePacket(bytesOf('X0,1:\x03')))).toEqual(['packet']); // data, no interrupt
  });

  it('keeps no more than the longest packet', () => {
    const longest = new Uint8Array(PACKET_BYTES_MAX).fill(0x61);
    expect(kinds(encodePacket(longest))).toEqual(['packet']);
    expect(kinds(encodePacket(new Uint8Array(PACKET_BYTES_MAX + 1).fill(0x61)))).toEqual(['oversized']);
    expect(kinds(encodePacket(new Uint8Array(1_000_000)))).toEqual(['oversized']);
  });
});
