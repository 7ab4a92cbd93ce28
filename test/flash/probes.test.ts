/** Probes among USB devices, from a folder like Linux' /sys/bus/usb/devices. */
import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listProbes } from '../../harness/flash/probes.ts';
import { workspace } from '../cli/support/workspace.ts';

const space = workspace();

function device(name: string, attributes: Readonly<Record<string, string>>): void {
  mkdirSync(space.path(`usb/${name}`), { recursive: true });
  for (const [file, text] of Object.entries(attributes)) space.write(`usb/${name}/${file}`, `${text}\n`);
}

describe('listProbes', () => {
  it('should find probes by vendor and product, and CMSIS-DAP by its name; nothing else', () => {
    device('1-1', { idVendor: '0483', idProduct: '374b', product: 'STM32 STLink', serial: '066BFF30' });
    device('1-2', { idVendor: '0483', idProduct: 'df11', product: 'STM32  BOOTLOADER' });
    device('1-3', { idVendor: '1366', idProduct: '1015', product: 'J-Link', serial: '000683' });
    device('1-4', { idVendor: '0d28', idProduct: '0204', product: 'BBC micro:bit CMSIS-DAP' });
    device('usb1', { idVendor: '1d6b', idProduct: '0002' });
    device('1-1:1.0', {});
    expect(listProbes(space.path('usb'))).toEqual([
      { kind: 'ST-Link', product: 'STM32 STLink', serialNumber: '066BFF30' },
      { kind: 'J-Link', product: 'J-Link', serialNumber: '000683' },
      { kind: 'CMSIS-DAP', product: 'BBC micro:bit CMSIS-DAP', serialNumber: null },
    ]);
    expect(listProbes(space.path('nothing'))).toBeNull();
  });
});
