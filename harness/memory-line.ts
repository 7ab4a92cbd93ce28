/** Both ends of one serial line within this process: an emulated board's UART, and a client. */
import type { Link } from './protocol/link.ts';
import type { SerialEndpoint } from './serial-endpoint.ts';

export function memoryLine(): { endpoint: SerialEndpoint; link: Link } {
  const endpoint: SerialEndpoint = {
    address: 'memory',
    onData: () => undefined,
    write: (bytes) => link.onData(bytes),
    close: () => undefined,
  };
  const link: Link = {
    name: 'emulated board',
    onData: () => undefined,
    onLost: () => undefined,
    write: (bytes) => endpoint.onData(bytes),
    close: () => Promise.resolve(),
  };
  return { endpoint, link };
}
