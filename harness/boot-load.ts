/** The boot loader of an emulated chip at the other side of its UART, until it starts a program. */
import { UserError } from '../common/errors.ts';
import { hex32 } from '../common/units.ts';
import { BootLoader, type BootLoaderTarget } from '../emulator/debug/boot-loader.ts';
import type { Machine } from '../emulator/machine.ts';
import type { SerialEndpoint } from './serial-endpoint.ts';

/** Resolves when the host says go. @throws UserError for a board whose chip has no such boot loader, or without an endpoint */
export async function bootLoad(
  machine: Machine,
  endpoint: SerialEndpoint | null,
  onNote: (text: string) => void,
): Promise<void> {
  const { board } = machine;
  if (endpoint === null)
    throw new UserError('--boot-uart needs the UART at a port; give --uart pty or --uart tcp:PORT');
  if (board.bootLoader === undefined || board.chipId === undefined)
    throw new UserError(`board ${board.name}: its chip has no UART boot loader; leave --boot-uart out`);
  const { pageBytes } = board.bootLoader;
  const productId = board.chipId.value;
  const address = await new Promise<number>((resolve) => {
    const loader = new BootLoader(targetOf(machine, productId, pageBytes, resolve), (bytes) => endpoint.write(bytes));
    endpoint.onData = (bytes) => loader.receive(bytes);
    onNote('boot loader: waiting');
  });
  const { start } = machine.memory.firstOf('flash');
  if (address !== start)
    throw new UserError(`boot loader: go to ${hex32(address)}; only programs at ${hex32(start)} are started`);
  onNote(`boot loader: starts the program at ${hex32(address)}`);
  machine.cpu.forgetCode();
}

function targetOf(
  machine: Machine,
  productId: number,
  pageBytes: number,
  go: (address: number) => void,
): BootLoaderTarget {
  const { start, bytes } = machine.memory.firstOf('flash');
  const inMemory = (address: number, count: number): boolean =>
    machine.board.memory.some((region) => address >= region.start && address + count <= region.start + region.bytes);
  const read = (address: number, count: number): Uint8Array | null =>
    inMemory(address, count) ? machine.readMemory(address, count) : null;
  return {
    productId,
    flash: { start, bytes, pageBytes },
    read,
    write: (address, data) => {
      const old = read(address, data.length);
      if (old === null) return false;
      const isFlash = address >= start && address < start + bytes;
      machine.writeMemory(address, isFlash ? data.map((byte, index) => byte & old[index]!) : data);
      return true;
    },
    erase: (address, count) => machine.writeMemory(address, new Uint8Array(count).fill(0xff)),
    go,
  };
}
