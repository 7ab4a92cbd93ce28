/**
 * A line that is opened anew when it goes away: cables slip, and a board that resets is numbered anew. What was written meanwhile is lost,
 * as on any line; requests are repeated anyway.
 */
import type { Link } from './link.ts';

const PAUSE_SECONDS = 0.25;

export interface ReconnectingLink extends Link {
  /** How often it was opened anew. Another board may have come: who cares must ask it again. */
  readonly reconnections: () => number;
}

/** Tries until it succeeds or so many seconds are over; then it throws what the last try did. */
export async function openPatiently(
  open: () => Promise<Link>,
  seconds: number,
  isOver: () => boolean = () => false,
): Promise<Link> {
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (performance.now() >= end || isOver()) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_SECONDS * 1000));
  }
}

/** @param first open. @param seconds in which it must come back; then it counts as lost */
export function reconnectingLink(first: Link, open: () => Promise<Link>, seconds: number): ReconnectingLink {
  let current: Link | null = first;
  let closing = false;
  let count = 0;
  const link: ReconnectingLink = {
    name: first.name,
    reconnections: () => count,
    onData: () => undefined,
    onLost: () => undefined,
    write: (bytes) => current?.write(bytes),
    close: async () => {
      closing = true;
      await current?.close();
    },
  };
  const comeBack = async (lost: Link, reason: string): Promise<void> => {
    current = null;
    await lost.close();
    try {
      const opened = await openPatiently(open, seconds, () => closing);
      if (closing) return await opened.close();
      count++;
      use(opened);
    } catch (error) {
      if (!closing) link.onLost(`${reason}, and it did not come back: ${(error as Error).message}`);
    }
  };
  const use = (opened: Link): void => {
    current = opened;
    opened.onData = (bytes) => link.onData(bytes);
    opened.onLost = (reason) => void comeBack(opened, reason);
  };
  use(first);
  return link;
}
