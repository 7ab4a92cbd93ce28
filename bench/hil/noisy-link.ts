/** A line that damages bytes both ways and now and then goes away, as a bad cable does. */
import type { Link } from '../../harness/protocol/link.ts';

export interface Noise {
  /** Of all bytes, corrupted or dropped in equal parts. */
  readonly share: number;
  /** Mean time until the line goes away while it is open; Infinity: never. */
  readonly secondsBetweenLosses: number;
  /** 0 <= value < 1. */
  readonly random: () => number;
}

export interface NoiseCount {
  bytes: number;
  damaged: number;
  losses: number;
}

/** @param count what has happened is added to it */
export function noisyLink(link: Link, { share, secondsBetweenLosses, random }: Noise, count: NoiseCount): Link {
  let gone = false;
  const noisy: Link = {
    name: link.name,
    onData: () => undefined,
    onLost: () => undefined,
    write: (bytes) => {
      if (!gone) link.write(damage(bytes));
    },
    close: () => {
      gone = true;
      clearTimeout(timer);
      return link.close();
    },
  };
  const damage = (bytes: Uint8Array): Uint8Array => {
    const left: number[] = [];
    for (const byte of bytes) {
      const luck = random();
      if (luck >= share) left.push(byte);
      else if (luck >= share / 2) left.push(byte ^ (1 + Math.floor(random() * 255)));
      if (luck < share) count.damaged++;
    }
    count.bytes += bytes.length;
    return Uint8Array.from(left);
  };
  const lose = (reason: string): void => {
    if (gone) return;
    gone = true;
    clearTimeout(timer);
    count.losses++;
    noisy.onLost(reason);
  };
  const wait = -Math.log(1 - random()) * secondsBetweenLosses * 1000;
  const timer = wait < 2 ** 31 ? setTimeout(() => lose('the cable was pulled'), wait) : undefined;
  link.onData = (bytes) => {
    if (!gone) noisy.onData(damage(bytes));
  };
  link.onLost = lose;
  return noisy;
}
