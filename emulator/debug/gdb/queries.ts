/** q packets (GDB manual E.4): what the stub can do, what the target is made of, checksums, monitor commands. */
import { PACKET_BYTES_MAX, parseRange } from './packets.ts';
import { ERROR_ARGUMENT, ERROR_MEMORY } from './replies.ts';

export interface QueryContext {
  readonly targetXml: string;
  readonly memoryMapXml: string;
  /** Reverse execution is possible. */
  readonly canGoBack: boolean;
  /** Null outside memory. */
  crc(address: number, bytes: number): number | null;
  setBreakReasons(understood: boolean): void;
  /** Runs a monitor command given in hex; returns its output in hex. */
  monitor(hexLine: string): string;
}

const FEATURES = [
  `PacketSize=${PACKET_BYTES_MAX.toString(16)}`,
  'QStartNoAckMode+',
  'qXfer:features:read+',
  'qXfer:memory-map:read+',
  'swbreak+',
  'hwbreak+',
  'vContSupported+',
].join(';');

/** The reply, or null for a query that is not known. */
export function answerQuery(text: string, context: QueryContext): string | null {
  switch (text) {
    case 'qAttached':
      return '1';
    case 'qC':
      return 'QC1';
    case 'qfThreadInfo':
      return 'm1';
    case 'qsThreadInfo':
      return 'l';
    default:
      break;
  }
  if (text === 'qSupported' || text.startsWith('qSupported:')) {
    context.setBreakReasons(text.includes('swbreak+'));
    return context.canGoBack ? `${FEATURES};ReverseContinue+;ReverseStep+` : FEATURES;
  }
  if (text.startsWith('qRcmd,')) return context.monitor(text.slice('qRcmd,'.length));
  if (text.startsWith('qCRC:')) {
    const range = parseRange(text.slice('qCRC:'.length));
    if (range === null) return ERROR_ARGUMENT;
    const crc = context.crc(range.address, range.bytes);
    return crc === null ? ERROR_MEMORY : `C${crc.toString(16)}`;
  }
  const transfer = /^qXfer:(features|memory-map):read:([^:]*):(.*)$/.exec(text);
  if (transfer === null) return null;
  const [, object, annex, window] = transfer;
  if (object === 'features') return annex === 'target.xml' ? part(context.targetXml, window) : 'E00';
  return annex === '' ? part(context.memoryMapXml, window) : 'E00';
}

/** `offset,length` of a document: `m` and a part that more follows, or `l` and the last one. */
function part(document: string, window: string | undefined): string {
  const range = parseRange(window);
  if (range === null) return ERROR_ARGUMENT;
  const end = range.address + Math.min(range.bytes, PACKET_BYTES_MAX / 2);
  return `${end < document.length ? 'm' : 'l'}${document.slice(range.address, end)}`;
}
