/**
 * What gdb is told about the target: registers (GDB manual G.5.3, "ARM Features"; numbering as gdb itself has it for the M profile, xPSR
 * being 25) and the memory map (E.10). Values cross the protocol in target byte order, little endian.
 */
import type { Board } from '../../../boards/schema.ts';
import { coreOf } from '../../cores/core.ts';
import { isMainline, isV8 } from '../../cores/core-facts.ts';
import { reg, type Cpu } from '../../cpu/cpu.ts';

/** Smallest unit `load` erases. Boards do not state theirs; 4 KiB is a page of the engines and divides every board's flash. */
export const FLASH_BLOCK_BYTES = 0x1000;

const XPSR_NUMBER = 25;

export interface TargetRegister {
  readonly name: string;
  /** In `p`, `P` and the order of `g`. */
  readonly number: number;
  readonly bytes: 4 | 8;
  readonly feature: 'm-profile' | 'm-system' | 'vfp';
  /** Numbers of cpu.ts that make it up, low word first. */
  readonly parts: readonly number[];
  readonly type?: 'data_ptr' | 'code_ptr' | 'ieee_double' | 'int';
}

/** Registers of a board's core in ascending number. The special ones follow xPSR, then the FPU's, if there is one. */
export function targetRegisters(board: Board): TargetRegister[] {
  const list: TargetRegister[] = [];
  const add = (name: string, feature: TargetRegister['feature'], number: number, part: number): void => {
    list.push({ name, number, bytes: 4, feature, parts: [part], ...typeOf(name) });
  };
  for (let number = 0; number <= 12; number++) add(`r${number}`, 'm-profile', number, number);
  add('sp', 'm-profile', 13, reg.sp);
  add('lr', 'm-profile', 14, reg.lr);
  add('pc', 'm-profile', 15, reg.pc);
  add('xpsr', 'm-profile', XPSR_NUMBER, reg.xpsr);
  const special = specialRegisters(board);
  for (const [index, name] of special.entries()) add(name, 'm-system', XPSR_NUMBER + 1 + index, reg[name]);
  if (board.fpu === 'none') return list;
  const first = XPSR_NUMBER + 1 + special.length;
  for (let number = 0; number < 16; number++) {
    const parts = [reg.s0 + number * 2, reg.s0 + number * 2 + 1];
    list.push({ name: `d${number}`, number: first + number, bytes: 8, feature: 'vfp', parts, type: 'ieee_double' });
  }
  add('fpscr', 'vfp', first + 16, reg.fpscr);
  return list;
}

/** DDI 0403E B1.4.3; Armv6-M and Armv8-M Baseline have PRIMASK only, Armv8-M Mainline has stack limits. */
function specialRegisters(board: Board): readonly (keyof typeof reg)[] {
  const core = coreOf(board);
  if (!isMainline(core)) return ['msp', 'psp', 'primask', 'control'];
  const limits = isV8(core) ? (['msplim', 'psplim'] as const) : [];
  return ['msp', 'psp', 'primask', 'basepri', 'faultmask', 'control', ...limits];
}

function typeOf(name: string): Pick<TargetRegister, 'type'> {
  if (name === 'pc') return { type: 'code_ptr' };
  if (/^(sp|[mp]sp(lim)?)$/.test(name)) return { type: 'data_ptr' };
  return name === 'fpscr' ? { type: 'int' } : {};
}

export function targetXml(registers: readonly TargetRegister[]): string {
  const features = [...new Set(registers.map(({ feature }) => feature))].map((feature) => {
    const lines = registers
      .filter((register) => register.feature === feature)
      .map(({ name, bytes, number, type }) => {
        const typed = type === undefined ? '' : ` type="${type}"`;
        return `<reg name="${name}" bitsize="${bytes * 8}" regnum="${number}"${typed}/>`;
      });
    return `<feature name="org.gnu.gdb.arm.${feature}">\n${lines.join('\n')}\n</feature>`;
  });
  return `<?xml version="1.0"?>
<!DOCTYPE target SYSTEM "gdb-target.dtd">
<target version="1.0">
<architecture>arm</architecture>
${features.join('\n')}
</target>
`;
}

/** Flash and RAM of the board, and the device spaces as RAM: gdb does not touch what the map leaves out. */
export function memoryMapXml(board: Board): string {
  const memories = board.memory.map(({ kind, start, bytes }) =>
    kind === 'flash'
      ? `${memoryTag('flash', start, bytes)}><property name="blocksize">0x${FLASH_BLOCK_BYTES.toString(16)}</property></memory>`
      : `${memoryTag('ram', start, bytes)}/>`,
  );
  const devices = [memoryTag('ram', 0x4000_0000, 0x2000_0000), memoryTag('ram', 0xe000_0000, 0x10_0000)];
  return `<?xml version="1.0"?>
<!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd">
<memory-map>
${[...memories, ...devices.map((tag) => `${tag}/>`)].join('\n')}
</memory-map>
`;
}

function memoryTag(type: 'flash' | 'ram', start: number, bytes: number): string {
  return `<memory type="${type}" start="0x${start.toString(16)}" length="0x${bytes.toString(16)}"`;
}

/** The register's bytes; pc is the debugger's own, because an engine's may have moved on. */
export function readTargetRegister(register: TargetRegister, cpu: Cpu, pc: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(register.bytes));
  for (const [index, part] of register.parts.entries())
    view.setUint32(index * 4, part === reg.pc ? pc : cpu.readRegister(part), true);
  return new Uint8Array(view.buffer);
}

/** Writes all but pc, which is the debugger's own. */
export function writeTargetRegister(register: TargetRegister, cpu: Cpu, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, register.bytes);
  for (const [index, part] of register.parts.entries()) cpu.writeRegister(part, view.getUint32(index * 4, true));
}
