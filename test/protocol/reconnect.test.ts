/** A line that goes away and comes back: what is lost is only what was on it. */
import { describe, expect, it } from 'vitest';
import type { Link } from '../../harness/protocol/link.ts';
import { openPatiently, reconnectingLink } from '../../harness/protocol/reconnecting-link.ts';

interface Line extends Link {
  readonly written: number[];
  closed: boolean;
}

function line(): Line {
  const written: number[] = [];
  const made: Line = {
    name: 'line',
    written,
    closed: false,
    onData: () => undefined,
    onLost: () => undefined,
    write: (bytes) => void written.push(...bytes),
    close: () => {
      made.closed = true;
      return Promise.resolve();
    },
  };
  return made;
}

describe('a line that goes away', () => {
  it('should be opened anew, after tries that fail, and go on both ways', async () => {
    const [first, second] = [line(), line()];
    let tries = 0;
    const link = reconnectingLink(
      first,
      () => (++tries < 3 ? Promise.reject(new Error('not there')) : Promise.resolve(second)),
      10,
    );
    const got: number[] = [];
    link.onData = (bytes) => void got.push(...bytes);
    link.write(Uint8Array.of(1));
    first.onData(Uint8Array.of(10));
    first.onLost('pulled');
    link.write(Uint8Array.of(2));
    await expect.poll(() => link.reconnections(), { timeout: 10_000 }).toBe(1);
    link.write(Uint8Array.of(3));
    second.onData(Uint8Array.of(30));
    expect({ tries, first: first.written, second: second.written, got, closed: first.closed }).toEqual({
      ...{ tries: 3, first: [1], second: [3], got: [10, 30], closed: true },
    });
    await link.close();
    expect(second.closed).toBe(true);
  });

  it('should be lost in the end when it does not come back, with both reasons', async () => {
    const first = line();
    const link = reconnectingLink(first, () => Promise.reject(new Error('no such port')), 0.3);
    const reason = new Promise((resolve) => (link.onLost = resolve));
    first.onLost('pulled');
    expect(await reason).toBe('pulled, and it did not come back: no such port');
  });

  it('should stay closed when it is closed meanwhile', async () => {
    const [first, second] = [line(), line()];
    const link = reconnectingLink(first, () => Promise.resolve(second), 10);
    let lost = false;
    link.onLost = () => (lost = true);
    first.onLost('pulled');
    await link.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect({ lost, closed: second.closed, reconnections: link.reconnections() }).toEqual({
      ...{ lost: false, closed: true, reconnections: 0 },
    });
    await expect(openPatiently(() => Promise.reject(new Error('gone')), 0)).rejects.toThrow('gone');
  });
});
