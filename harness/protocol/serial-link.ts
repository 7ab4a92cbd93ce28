/** A serial port as a link, through the serialport package; and how ports are found. */
import { SerialPort } from 'serialport';
import { UserError } from '../../common/errors.ts';
import type { Link } from './link.ts';

const EXIT_MISSING = 3;

export interface PortInfo {
  readonly path: string;
  /** Of the USB adapter or probe; null when there is none. */
  readonly serialNumber: string | null;
  readonly manufacturer: string | null;
}

/** Serial ports of this computer; null where they cannot be listed (Linux without udev). */
export async function listPorts(): Promise<readonly PortInfo[] | null> {
  try {
    const ports = await SerialPort.list();
    return ports.map(({ path, serialNumber = null, manufacturer = null }) => ({ path, serialNumber, manufacturer }));
  } catch {
    return null;
  }
}

/** Path of the port with a USB serial number, which stays when the system numbers ports anew. Null: not plugged in. */
export async function findPort(serialNumber: string): Promise<string | null> {
  const ports = await listPorts();
  if (ports === null)
    throw new UserError(
      `USB serial number ${serialNumber}: ports cannot be listed without udevadm; install udev, or name the port by its path`,
      EXIT_MISSING,
    );
  return ports.find((port) => port.serialNumber === serialNumber)?.path ?? null;
}

/** @throws UserError (exit 3) when it cannot be opened */
export async function openSerial(path: string, baud: number): Promise<Link> {
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => {
      if (error === null) resolve();
      else reject(new UserError(`${path}: ${reasonOf(error)}`, EXIT_MISSING));
    });
  });
  let closing = false;
  const link: Link = {
    name: path,
    onData: () => undefined,
    onLost: () => undefined,
    write: (bytes) => {
      if (port.isOpen) port.write(Buffer.from(bytes));
    },
    close: () =>
      new Promise((resolve) => {
        closing = true;
        if (port.isOpen) port.close(() => resolve());
        else resolve();
      }),
  };
  port.on('data', (bytes: Buffer) => link.onData(bytes));
  port.on('close', () => {
    if (!closing) link.onLost('the port is gone');
  });
  port.on('error', (error: Error) => link.onLost(error.message));
  return link;
}

function reasonOf({ message }: Error): string {
  if (/No such file|cannot find/i.test(message)) return 'no such port; check the path and that the board is plugged in';
  if (/lock/i.test(message)) return 'another program has the port open; close it';
  if (/denied|EACCES/i.test(message)) return 'no permission; add yourself to the group that owns it (dialout)';
  return `${message.replace(/^Error:?\s*/i, '')}; check the port`;
}
