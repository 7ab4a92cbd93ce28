/** Debug probes at this computer's USB ports, as Linux lists them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ProbeInfo {
  readonly kind: 'ST-Link' | 'J-Link' | 'CMSIS-DAP';
  readonly product: string;
  /** What --probe takes; null: the probe has none. */
  readonly serialNumber: string | null;
}

const ST_VENDOR = '0483';
const SEGGER_VENDOR = '1366';
/** ST-Link V2, V2-1 and V3 in their forms with and without a drive or a bridge. */
const ST_LINK_PRODUCT = /^37(44|48|4b|4d|4e|4f|52|53|54)$/;

/** Null where USB devices cannot be listed (not Linux). @param devices folder with one sub-folder per device */
export function listProbes(devices = '/sys/bus/usb/devices'): readonly ProbeInfo[] | null {
  if (!existsSync(devices)) return null;
  return readdirSync(devices)
    .sort()
    .flatMap((name): ProbeInfo[] => {
      const attribute = (file: string): string | null => {
        const path = join(devices, name, file);
        return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
      };
      const product = attribute('product') ?? '';
      const kind = kindOf(attribute('idVendor'), attribute('idProduct'), product);
      return kind === null ? [] : [{ kind, product, serialNumber: attribute('serial') }];
    });
}

/** A CMSIS-DAP probe is known by its product text (CMSIS-DAP manual, "USB product string"). */
function kindOf(vendor: string | null, id: string | null, product: string): ProbeInfo['kind'] | null {
  if (vendor === ST_VENDOR && ST_LINK_PRODUCT.test(id ?? '')) return 'ST-Link';
  if (vendor === SEGGER_VENDOR) return 'J-Link';
  return product.includes('CMSIS-DAP') ? 'CMSIS-DAP' : null;
}
