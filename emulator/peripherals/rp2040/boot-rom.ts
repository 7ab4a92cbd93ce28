/**
 * The device behind the emulated boot ROM (boot-rom.S), which the chip does not have: what the ROM's code cannot do, it asks here. Arithmetic is that of the
 * host, rounded once, with denormals as zero as in the real ROM (RP2040 data sheet 2.8.3.2); sine and the like may differ from it in the last bits.
 */
import type { DeviceContext, PeripheralSpec } from '../device-context.ts';
import { RegisterDevice, storage } from '../register-device.ts';
import { arithmetic, cyclesOf } from './boot-rom-arithmetic.ts';
import { bootRomCode } from './boot-rom-code.ts';

export const bootRom = (): Uint8Array => Uint8Array.from(atob(bootRomCode), (character) => character.charCodeAt(0));

const SERVICE = { bootStageValid: 0x40, erase: 0x41, program: 0x42, usbBoot: 0x43 } as const;
const XIP = 0x1000_0000;
const STAGE_BYTES = 256;
const SECTOR_BYTES = 4096;
/** Of the code around a service, and of one turn of its loop that lets time pass. */
const SERVICE_CYCLES = 38;
const TURN_CYCLES = 3;

export class Rp2040BootRom extends RegisterDevice {
  private readonly context: DeviceContext;

  constructor(spec: PeripheralSpec, context: DeviceContext) {
    super(spec.name, spec.base, {
      bytes: 0x1000,
      registers: storage('ARGUMENT0 ARGUMENT1 ARGUMENT2 ARGUMENT3 SERVICE TURNS'),
    });
    this.context = context;
  }

  protected override onWrite(register: string, value: number): void {
    if (register !== 'SERVICE') return;
    this.set('TURNS', 0);
    const arguments_ = [0, 1, 2, 3].map((index) => this.get(`ARGUMENT${index}`));
    if (value < SERVICE.bootStageValid) this.calculate(value, arguments_);
    else this.serve(value, arguments_);
  }

  private calculate(service: number, arguments_: readonly number[]): void {
    const result = arithmetic(service, arguments_);
    if (result === null) {
      this.context.host.fail(`${this.name}: function ${service} of its float tables is not modelled`);
      return;
    }
    this.set('ARGUMENT0', result[0]);
    this.set('ARGUMENT1', result[1]);
    this.set('TURNS', Math.max(0, Math.round((cyclesOf(service) - SERVICE_CYCLES) / TURN_CYCLES)));
  }

  private serve(service: number, [first = 0, second = 0, third = 0]: readonly number[]): void {
    const { host, flashArray } = this.context;
    switch (service) {
      case SERVICE.bootStageValid:
        this.set('ARGUMENT0', isBootStage(host.readMemory(XIP, STAGE_BYTES)) ? 1 : 0);
        break;
      case SERVICE.erase:
        for (let offset = first; offset < first + second; offset += SECTOR_BYTES)
          host.writeFlash(flashArray.start + offset, new Uint8Array(SECTOR_BYTES).fill(0xff));
        break;
      case SERVICE.program: {
        const bytes = host.readMemory(second, third);
        const old = host.readMemory(flashArray.start + first, third);
        if (bytes === null || old === null)
          host.fail(`${this.name}: flash_range_program(0x${first.toString(16)}) reaches past RAM or flash`);
        else
          host.writeFlash(
            flashArray.start + first,
            old.map((byte, index) => byte & bytes[index]!),
          );
        break;
      }
      default:
        host.fail(`${this.name}: the firmware asked for the USB boot loader, which is not modelled`);
    }
  }
}

/** 2.8.1.3.1: CRC-32 of 252 bytes, without reflection, behind them. */
function isBootStage(bytes: Uint8Array | null): boolean {
  if (bytes === null) return false;
  let crc = 0xffff_ffff;
  for (const byte of bytes.subarray(0, STAGE_BYTES - 4)) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  }
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(STAGE_BYTES - 4, true) === crc;
}
