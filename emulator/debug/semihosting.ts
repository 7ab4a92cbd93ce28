/**
 * Semihosting for AArch32 (Arm IHI 0095): BKPT 0xAB with the operation in r0 and its argument in r1. The console is served; the
 * host's files, commands and clock are not, so that a run can neither touch the host nor depend on it.
 */
import type { Machine, StopHandler } from '../machine.ts';
import type { Stateful } from '../state/stateful.ts';

const BKPT_SEMIHOSTING = 0xbeab;

const op = {
  open: 0x01,
  close: 0x02,
  writec: 0x03,
  write0: 0x04,
  write: 0x05,
  read: 0x06,
  readc: 0x07,
  iserror: 0x08,
  istty: 0x09,
  seek: 0x0a,
  flen: 0x0c,
  tmpnam: 0x0d,
  remove: 0x0e,
  rename: 0x0f,
  clock: 0x10,
  time: 0x11,
  system: 0x12,
  errno: 0x13,
  getCmdline: 0x15,
  heapinfo: 0x16,
  exit: 0x18,
  synccache: 0x19,
  exitExtended: 0x20,
  elapsed: 0x30,
  tickfreq: 0x31,
} as const;

const ADP_STOPPED_APPLICATION_EXIT = 0x20026;
const FAILED = 0xffff_ffff;
const EACCES = 13;
const EBADF = 9;
/** Longest string or transfer believed; more is a wild pointer. */
const BYTES_MAX = 1 << 20;

/** `SHFB`, then the two extensions a library asks for: SYS_EXIT_EXTENDED and a separate stderr. */
const FEATURES = Uint8Array.of(0x53, 0x48, 0x46, 0x42, 0x03);

export interface SemihostingOptions {
  /** Console output, stdout and stderr alike. */
  readonly onOutput: (bytes: Uint8Array, stream: 'stdout' | 'stderr') => void;
  /** What the program reads from its console. */
  readonly input?: Uint8Array;
  readonly commandLine?: string;
}

type Handle = { readonly kind: 'stdin' | 'stdout' | 'stderr' } | { readonly kind: 'features'; position: number };

interface SemihostingSnapshot {
  readonly handles: ReadonlyMap<number, Handle>;
  readonly nextHandle: number;
  readonly input: Uint8Array;
  readonly inputPosition: number;
  readonly errno: number;
}

export class Semihosting implements Stateful {
  private readonly options: SemihostingOptions;
  private input: Uint8Array;
  /** Output is shown to nobody: it has been shown before. */
  muted = false;
  private readonly handles = new Map<number, Handle>();
  private nextHandle = 1;
  private inputPosition = 0;
  private errno = 0;

  constructor(options: SemihostingOptions) {
    this.options = options;
    this.input = options.input ?? new Uint8Array();
  }

  /** More for the program to read from its console. */
  feed(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.input.length + bytes.length);
    joined.set(this.input);
    joined.set(bytes, this.input.length);
    this.input = joined;
  }

  save(): SemihostingSnapshot {
    const { nextHandle, input, inputPosition, errno } = this;
    return { handles: copyOf(this.handles), nextHandle, input, inputPosition, errno };
  }

  restore(state: unknown): void {
    const { handles, nextHandle, input, inputPosition, errno } = state as SemihostingSnapshot;
    this.handles.clear();
    for (const [number, handle] of copyOf(handles)) this.handles.set(number, handle);
    Object.assign(this, { nextHandle, input, inputPosition, errno });
  }

  /** For MachineParts.stopHandlers: takes BKPT 0xAB and nothing else. */
  readonly handler: StopHandler = (stop, machine) => {
    if (stop.kind !== 'breakpoint' || halfword(machine, stop.pc) !== BKPT_SEMIHOSTING) return null;
    const operation = machine.cpu.readRegister(0);
    const argument = machine.cpu.readRegister(1);
    if (operation === op.exit) return { exit: argument === ADP_STOPPED_APPLICATION_EXIT ? 0 : 1 };
    if (operation === op.exitExtended) return this.exitExtended(machine, argument);
    machine.cpu.writeRegister(0, this.serve(operation, argument, machine) >>> 0);
    return 'step-over';
  };

  private output(bytes: Uint8Array, stream: 'stdout' | 'stderr'): void {
    if (!this.muted) this.options.onOutput(bytes, stream);
  }

  private exitExtended(machine: Machine, argument: number): { exit: number } {
    const [reason, code] = block(machine, argument, 2) ?? [0, 1];
    return { exit: reason === ADP_STOPPED_APPLICATION_EXIT ? (code ?? 1) : 1 };
  }

  private serve(operation: number, argument: number, machine: Machine): number {
    switch (operation) {
      case op.writec: {
        const byte = memory(machine, argument, 1);
        if (byte !== null) this.output(byte.slice(), 'stdout');
        return 0;
      }
      case op.write0:
        this.output(zeroTerminated(machine, argument), 'stdout');
        return 0;
      case op.readc:
        return this.inputPosition < this.input.length ? (this.input[this.inputPosition++] ?? 0) : FAILED;
      case op.iserror:
        return ((block(machine, argument, 1)?.[0] ?? 0) & 0x8000_0000) !== 0 ? 1 : 0;
      case op.clock:
        return Math.floor((machine.cpu.counters().cycles * 100) / machine.board.clockHz);
      case op.time: // seconds since 1970: always 0, or runs would differ
      case op.synccache:
        return 0;
      case op.errno:
        return this.errno;
      case op.elapsed:
        return this.elapsed(argument, machine);
      case op.tickfreq:
        return machine.board.clockHz;
      case op.heapinfo:
        return heapInfo(argument, machine);
      case op.getCmdline:
        return this.commandLine(argument, machine);
      case op.tmpnam:
      case op.remove:
      case op.rename:
      case op.system:
        return this.refuse(EACCES);
      default:
        return this.serveFile(operation, argument, machine);
    }
  }

  private serveFile(operation: number, argument: number, machine: Machine): number {
    const words = block(machine, argument, operation === op.seek ? 2 : operation === op.open ? 3 : 1);
    if (words === null) return this.refuse(EBADF);
    if (operation === op.open) return this.open(machine, words[0] ?? 0, words[1] ?? 0, words[2] ?? 0);
    const handle = this.handles.get(words[0] ?? 0);
    if (handle === undefined) return this.refuse(EBADF);
    switch (operation) {
      case op.close:
        this.handles.delete(words[0] ?? 0);
        return 0;
      case op.write:
        return this.write(handle, argument, machine);
      case op.read:
        return this.read(handle, argument, machine);
      case op.istty:
        return handle.kind === 'features' ? 0 : 1;
      case op.flen:
        return handle.kind === 'features' ? FEATURES.length : 0;
      case op.seek:
        if (handle.kind !== 'features') return this.refuse(EBADF);
        handle.position = Math.min(words[1] ?? 0, FEATURES.length);
        return 0;
      default:
        return this.refuse(EBADF);
    }
  }

  private open(machine: Machine, nameAddress: number, mode: number, length: number): number {
    const nameBytes = memory(machine, nameAddress, Math.min(length, BYTES_MAX));
    const name = nameBytes === null ? '' : new TextDecoder().decode(nameBytes);
    if (name === ':tt') return this.newHandle({ kind: mode < 4 ? 'stdin' : mode < 8 ? 'stdout' : 'stderr' });
    if (name === ':semihosting-features' && mode < 4) return this.newHandle({ kind: 'features', position: 0 });
    return this.refuse(EACCES);
  }

  private newHandle(handle: Handle): number {
    const number = this.nextHandle++;
    this.handles.set(number, handle);
    return number;
  }

  /** Both return the number of bytes not transferred. */
  private write(handle: Handle, argument: number, machine: Machine): number {
    const [, address = 0, length = 0] = block(machine, argument, 3) ?? [];
    const bytes = memory(machine, address, length);
    if (bytes === null || (handle.kind !== 'stdout' && handle.kind !== 'stderr')) {
      this.errno = EBADF;
      return length;
    }
    this.output(bytes.slice(), handle.kind);
    return 0;
  }

  private read(handle: Handle, argument: number, machine: Machine): number {
    const [, address = 0, length = 0] = block(machine, argument, 3) ?? [];
    const target = memory(machine, address, length);
    if (target === null) return length;
    if (handle.kind === 'features') {
      const part = FEATURES.subarray(handle.position, handle.position + length);
      handle.position += part.length;
      target.set(part);
      return length - part.length;
    }
    if (handle.kind !== 'stdin') return length;
    const part = this.input.subarray(this.inputPosition, this.inputPosition + length);
    this.inputPosition += part.length;
    target.set(part);
    return length - part.length;
  }

  private elapsed(argument: number, machine: Machine): number {
    const target = memory(machine, argument, 8);
    if (target === null) return FAILED;
    const view = new DataView(target.buffer, target.byteOffset, 8);
    view.setBigUint64(0, BigInt(machine.cpu.counters().cycles), true);
    return 0;
  }

  private commandLine(argument: number, machine: Machine): number {
    const [address = 0, length = 0] = block(machine, argument, 2) ?? [];
    const text = new TextEncoder().encode(this.options.commandLine ?? '');
    const target = memory(machine, address, text.length + 1);
    const lengthField = memory(machine, argument + 4, 4);
    if (target === null || lengthField === null || text.length + 1 > length) return FAILED;
    target.set(text);
    target[text.length] = 0;
    new DataView(lengthField.buffer, lengthField.byteOffset, 4).setUint32(0, text.length, true);
    return 0;
  }

  private refuse(errno: number): number {
    this.errno = errno;
    return FAILED;
  }
}

function copyOf(handles: ReadonlyMap<number, Handle>): Map<number, Handle> {
  return new Map([...handles].map(([number, handle]) => [number, { ...handle }]));
}

/** SYS_HEAPINFO: heap from the end of the image up to the stack's share, stack from the top of RAM. */
function heapInfo(argument: number, machine: Machine): number {
  const pointer = block(machine, argument, 1)?.[0];
  const target = pointer === undefined ? null : memory(machine, pointer, 16);
  if (target === null) return FAILED;
  const top = machine.stack.top();
  const heapStart = (machine.stack.bottom(top) + 7) & ~7;
  const heapEnd = (heapStart + Math.max(0, Math.floor((top - heapStart) / 2))) & ~7;
  const view = new DataView(target.buffer, target.byteOffset, 16);
  for (const [index, value] of [heapStart, heapEnd, top, heapEnd].entries())
    view.setUint32(index * 4, value >>> 0, true);
  return 0;
}

/** Guest memory, or null where the program passed a pointer to none. */
function memory(machine: Machine, address: number, bytes: number): Uint8Array | null {
  return machine.memory.tryView(address, bytes);
}

function block(machine: Machine, address: number, words: number): number[] | null {
  const bytes = memory(machine, address, words * 4);
  if (bytes === null) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: words }, (_, index) => view.getUint32(index * 4, true));
}

function halfword(machine: Machine, address: number): number | null {
  const bytes = memory(machine, address, 2);
  return bytes === null ? null : (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
}

function zeroTerminated(machine: Machine, address: number): Uint8Array {
  const bytes: number[] = [];
  for (let at = address; bytes.length < BYTES_MAX; at++) {
    const byte = memory(machine, at, 1)?.[0] ?? 0;
    if (byte === 0) break;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
