/**
 * ROM table and identification registers of the core's debug components (IHI 0029E B2, DDI 0439D 3.3.1 and table 3-1): from these a debugger
 * finds out what there is.
 */
import type { Core } from '../../cores/core.ts';
import { isMainline } from '../../cores/core-facts.ts';

export const ROM_TABLE = 0xe00f_f000;
const COMPONENT_BYTES = 0x1000;
/** PIDR4 to 7, PIDR0 to 3, CIDR0 to 3. */
const FIRST_ID = 0xfd0;
const DESIGNER_ARM = 0x4b;
/** Bits of PIDR: continuation code 4 of Arm, a JEDEC number is used. */
const ARM_PIDR4 = 4;
const JEDEC = 8;

/** Class of CIDR1: 1 ROM table, 9 CoreSight, 0xe generic. */
type ComponentClass = 0x1 | 0xe;

interface Component {
  readonly base: number;
  readonly kind: ComponentClass;
  /** By architecture: Armv7-M with FPU as Cortex-M4, and Armv6-M. */
  readonly partV7: number;
  readonly partV6: number;
}

const components: readonly Component[] = [
  { base: 0xe000_e000, kind: 0xe, partV7: 0x00c, partV6: 0x008 },
  { base: 0xe000_1000, kind: 0xe, partV7: 0x002, partV6: 0x00a },
  { base: 0xe000_2000, kind: 0xe, partV7: 0x003, partV6: 0x00b },
  { base: ROM_TABLE, kind: 0x1, partV7: 0x4c4, partV6: 0x4c0 },
];

/** Entries of the ROM table: SCS, DWT and FPB, each present; 0 ends it. Null outside of the table. */
export function romTableWord(address: number): number | null {
  const offset = address - ROM_TABLE;
  if (offset < 0 || offset >= FIRST_ID) return null;
  if (offset === 0xfcc) return 1; // MEMTYPE: the system's memory can be reached
  const component = components[offset / 4];
  return component === undefined || component.base === ROM_TABLE ? 0 : ((component.base - ROM_TABLE) | 3) >>> 0;
}

/** A word of a component's identification, or null. */
export function identityWord(address: number, core: Core): number | null {
  const offset = address % COMPONENT_BYTES;
  const component = components.find(({ base }) => base === address - offset);
  if (component === undefined || offset < FIRST_ID) return null;
  const part = isMainline(core) ? component.partV7 : component.partV6;
  const words = [
    ...[ARM_PIDR4, 0, 0, 0],
    ...[part & 0xff, ((DESIGNER_ARM & 0xf) << 4) | (part >>> 8), JEDEC | ((DESIGNER_ARM >>> 4) & 7), 0],
    ...[0x0d, component.kind << 4, 0x05, 0xb1],
  ];
  return words[(offset - FIRST_ID) / 4] ?? null;
}
