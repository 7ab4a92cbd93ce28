/** The bus as DMA controllers see it: devices, and the memories of the board that are not for the core alone. */
import type { MemoryRegion } from '../../boards/schema.ts';
import type { DeviceCallbacks } from '../cpu/cpu.ts';
import type { DmaBus } from './dma.ts';
import type { PeripheralHost } from './peripheral.ts';

/** Registers of the core (DDI 0403E B3.1): no other master reaches them. */
const PRIVATE_BUS = 0xe000_0000;

/** @param isDevice whether an address belongs to the devices */
export function dmaBus(
  memory: readonly MemoryRegion[],
  devices: DeviceCallbacks,
  isDevice: (address: number) => boolean,
  host: PeripheralHost,
): DmaBus {
  const hidden = memory.filter(({ dma }) => dma === false);
  const isReachable = (address: number): boolean =>
    address < PRIVATE_BUS && !hidden.some(({ start, bytes }) => address >= start && address - start < bytes);
  return {
    read: (address, bytes) => {
      if (!isReachable(address)) return null;
      if (isDevice(address)) return devices.read(address, bytes);
      const data = host.readMemory(address, bytes);
      return data === null ? null : data.reduceRight((word, byte) => word * 256 + byte, 0);
    },
    write: (address, bytes, value) => {
      if (!isReachable(address)) return false;
      if (!isDevice(address))
        return host.writeMemory(
          address,
          Uint8Array.from({ length: bytes }, (_, index) => value >>> (8 * index)),
        );
      devices.write(address, bytes, value);
      return true;
    },
  };
}
