/**
 * The scan chain of an STM32 (RM0090 38.6, RM0432 57.6): TDI, boundary scan TAP, debug port TAP, TDO. All TAPs follow the one state machine of
 * IEEE 1149.1; registers shift towards bit 0.
 */
import type { DebugPort } from './debug-port.ts';
import { dp, JTAG_IDCODE } from './debug-port.ts';

type State =
  | 'reset'
  | 'idle'
  | 'selectDr'
  | 'captureDr'
  | 'shiftDr'
  | 'exit1Dr'
  | 'pauseDr'
  | 'exit2Dr'
  | 'updateDr'
  | 'selectIr'
  | 'captureIr'
  | 'shiftIr'
  | 'exit1Ir'
  | 'pauseIr'
  | 'exit2Ir'
  | 'updateIr';

/** Next state at a rising TCK with TMS low and high. */
const next: Readonly<Record<State, readonly [State, State]>> = {
  reset: ['idle', 'reset'],
  idle: ['idle', 'selectDr'],
  selectDr: ['captureDr', 'selectIr'],
  captureDr: ['shiftDr', 'exit1Dr'],
  shiftDr: ['shiftDr', 'exit1Dr'],
  exit1Dr: ['pauseDr', 'updateDr'],
  pauseDr: ['pauseDr', 'exit2Dr'],
  exit2Dr: ['shiftDr', 'updateDr'],
  updateDr: ['idle', 'selectDr'],
  selectIr: ['captureIr', 'reset'],
  captureIr: ['shiftIr', 'exit1Ir'],
  shiftIr: ['shiftIr', 'exit1Ir'],
  exit1Ir: ['pauseIr', 'updateIr'],
  pauseIr: ['pauseIr', 'exit2Ir'],
  exit2Ir: ['shiftIr', 'updateIr'],
  updateIr: ['idle', 'selectDr'],
};

/** What an instruction selects between TDI and TDO. */
interface DataRegister {
  readonly bits: number;
  /** Low word, and what lies above it. */
  capture(): readonly [number, number];
  update?(low: number, high: number): void;
}

const bypass: DataRegister = { bits: 1, capture: () => [0, 0] };
const identity = (code: number): DataRegister => ({ bits: 32, capture: () => [code, 0] });

class Tap {
  private readonly irBits: number;
  private readonly afterReset: number;
  private readonly registers: ReadonlyMap<number, DataRegister>;
  private data: DataRegister = bypass;
  private low = 0;
  private high = 0;
  private bits = 1;

  /** @param afterReset the instruction IDCODE; @param registers by instruction; others are BYPASS */
  constructor(irBits: number, afterReset: number, registers: ReadonlyMap<number, DataRegister>) {
    this.irBits = irBits;
    this.afterReset = afterReset;
    this.registers = registers;
    this.select(afterReset);
  }

  /** What TDO shows. */
  get out(): number {
    return this.low & 1;
  }

  reset(): void {
    this.select(this.afterReset);
  }

  captureIr(): void {
    this.load(this.irBits, 1, 0);
  }

  updateIr(): void {
    this.select(this.low);
  }

  captureDr(): void {
    const [low, high] = this.data.capture();
    this.load(this.data.bits, low, high);
  }

  updateDr(): void {
    this.data.update?.(this.low >>> 0, this.high >>> 0);
  }

  shift(input: number): void {
    this.low = (this.low >>> 1) | ((this.high & 1) << 31);
    this.high >>>= 1;
    const top = this.bits - 1;
    if (top < 32) this.low |= input << top;
    else this.high |= input << (top - 32);
  }

  private load(bits: number, low: number, high: number): void {
    [this.bits, this.low, this.high] = [bits, low, high];
  }

  private select(instruction: number): void {
    this.data = this.registers.get(instruction) ?? bypass;
  }
}

/** IHI 0031C 3.4: answer to a transfer of JTAG-DP that needs no waiting. */
const ACK_OK = 2;
const dpInstruction = { abort: 0x8, dpAccess: 0xa, apAccess: 0xb, idCode: 0xe } as const;

/** DPACC and APACC: RnW, A[3:2] and data in, ACK and the result of the transfer before out (3.4.3). */
function debugTap(port: DebugPort): Tap {
  let result = 0;
  const access = (perform: (isRead: boolean, address: number, value: number) => number): DataRegister => ({
    bits: 35,
    capture: () => [(ACK_OK | (result << 3)) >>> 0, result >>> 29],
    update: (low, high) => {
      const value = ((low >>> 3) | (high << 29)) >>> 0;
      result = perform((low & 1) === 1, (low & 6) << 1, value);
    },
  });
  const dpAccess = access((isRead, address, value) => {
    // RDBUFF is how the result of the last transfer is fetched without another; it is shifted out with the next scan all the same.
    if (isRead) return address === dp.readBuffer ? 0 : port.readPort(address);
    port.writePort(address, value);
    return 0;
  });
  const apAccess = access((isRead, address, value) => {
    if (isRead) return port.readAccess(address);
    port.writeAccess(address, value);
    return 0;
  });
  const abort: DataRegister = {
    bits: 35,
    capture: () => [ACK_OK, 0],
    update: (low, high) => port.abort(((low >>> 3) | (high << 29)) >>> 0),
  };
  return new Tap(
    4,
    dpInstruction.idCode,
    new Map([
      [dpInstruction.abort, abort],
      [dpInstruction.dpAccess, dpAccess],
      [dpInstruction.apAccess, apAccess],
      [dpInstruction.idCode, identity(JTAG_IDCODE)],
    ]),
  );
}

const BOUNDARY_IR_BITS = 5;
const BOUNDARY_IDCODE = 1;

export class JtagChain {
  private state: State = 'reset';
  /** From TDI to TDO. */
  private readonly taps: readonly Tap[];

  /** @param boundaryScanIdCode of the TAP in front of the debug port's; its cells are not modelled */
  constructor(port: DebugPort, boundaryScanIdCode: number) {
    const boundary = new Tap(
      BOUNDARY_IR_BITS,
      BOUNDARY_IDCODE,
      new Map([[BOUNDARY_IDCODE, identity(boundaryScanIdCode)]]),
    );
    this.taps = [boundary, debugTap(port)];
  }

  /** TDO while TCK is low. */
  get out(): number {
    const isShifting = this.state === 'shiftDr' || this.state === 'shiftIr';
    return isShifting ? this.taps.at(-1)!.out : 1;
  }

  /** TRST. */
  reset(): void {
    this.state = 'reset';
    for (const tap of this.taps) tap.reset();
  }

  /** A rising edge of TCK. */
  clock(tms: number, tdi: number): void {
    switch (this.state) {
      case 'shiftDr':
      case 'shiftIr':
        this.shift(tdi);
        break;
      case 'captureDr':
        for (const tap of this.taps) tap.captureDr();
        break;
      case 'captureIr':
        for (const tap of this.taps) tap.captureIr();
        break;
      default:
        break;
    }
    this.state = next[this.state][tms & 1]!;
    if (this.state === 'updateDr') for (const tap of this.taps) tap.updateDr();
    else if (this.state === 'updateIr') for (const tap of this.taps) tap.updateIr();
    else if (this.state === 'reset') for (const tap of this.taps) tap.reset();
  }

  private shift(tdi: number): void {
    let input = tdi;
    for (const tap of this.taps) {
      const { out } = tap;
      tap.shift(input);
      input = out;
    }
  }
}
