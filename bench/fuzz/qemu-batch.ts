/**
 * Random sequences on our engine and on QEMU: both run the image of runner/ with the same data and must write the same results. One start of
 * QEMU executes thousands of sequences; one that differs is run again alone, in full.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { WasmCpu } from '../../emulator/cpu/wasm/wasm-cpu.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import type { FuzzCore } from './fuzz-cores.ts';

/** Where the runner expects its data: behind its code, from the start of flash. */
const DATA_OFFSET = 0x8000;
/** Registers, flags, seed, address of the code. */
const PIECE_WORDS = 16;
const FPU_WORDS = 33;

/** Of one batch, while there is room for their results in the smallest RAM: 16 KiB. */
const PIECES_MAX = 8000;
/** An access relative to the pc reaches no farther. */
const NEARBY_BYTES = 4096;
const SMALL_PIECES_MAX = 1500;
const SMALL_FLASH = 1 << 20;
const SUPERVISOR_CALL = 0xdf00;
const NO_VERBOSE = 0xffff_ffff;
const MAX_CYCLES = 1e10;

const CORE_STATE = [
  ...Array.from({ length: 13 }, (_, number) => `r${number}`),
  ...['lr', 'pc', 'xpsr', 'exception', 'faultStatus', 'hardFaultStatus', 'sp', 'fpscr', 'window'],
];
const SINGLES = Array.from({ length: 32 }, (_, number) => `s${number}`);

/** A start state and the code to run from it; SVC is added. */
export interface Piece {
  readonly registers: readonly number[];
  /** APSR. */
  readonly flags: number;
  readonly fpscr: number;
  readonly singles: readonly number[];
  /** Of the window's contents. */
  readonly seed: number;
  readonly code: readonly number[];
}

export function hasQemu(): boolean {
  return spawnSync('qemu-system-arm', ['--version']).status === 0;
}

export class QemuBatch {
  readonly target: FuzzCore;
  readonly piecesMax: number;
  private readonly folder = mkdtempSync(join(tmpdir(), 'thumbelina-fuzz-'));
  private readonly elf: string;
  private readonly image: Uint8Array;
  private readonly data: number;
  private readonly hasFpu: boolean;

  constructor(target: FuzzCore) {
    this.target = target;
    this.piecesMax = target.flashBytes < SMALL_FLASH ? SMALL_PIECES_MAX : PIECES_MAX;
    this.data = target.flash + DATA_OFFSET;
    this.hasFpu = target.core.fpu !== 'none';
    this.elf = join(this.folder, 'runner.elf');
    const source = join(packageRoot(), 'bench', 'fuzz', 'runner');
    const options = ['-mthumb', '-masm-syntax-unified', '-O1', '-ffreestanding', '-fno-tree-loop-distribute-patterns'];
    const values = { DATA: this.data, RAM: target.ram, PIECES_MAX: this.piecesMax };
    const definitions = Object.entries(values).map(([name, value]) => `-D${name}=${value}u`);
    const symbols = `-Wl,--defsym=FLASH=${target.flash},--defsym=RAM=${target.ram}`;
    const linking = ['-nostdlib', '-T', join(source, 'runner.ld'), symbols];
    const args = [...target.flags, ...options, ...definitions, ...linking, join(source, 'runner.c'), '-o', this.elf];
    const built = spawnSync('arm-none-eabi-gcc', args, { encoding: 'utf8' });
    assert(built.status === 0, `arm-none-eabi-gcc: ${built.stderr}`);
    this.image = new Uint8Array(readFileSync(this.elf));
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Bytes of a piece among the data, with its place in the table. */
  bytesOf({ code }: Piece): number {
    return 4 + this.pieceWords() * 4 + codeBytes(code);
  }

  /** Bytes there are for pieces. */
  bytesMax(): number {
    return this.target.flashBytes - DATA_OFFSET - 8;
  }

  /** Numbers of the pieces whose results differ. */
  differing(pieces: readonly Piece[], hotPasses: number): number[] {
    const data = this.layOut(pieces, NO_VERBOSE);
    const [ours, theirs] = [this.onOurs(data, hotPasses), this.onQemu(data)];
    assert(ours.length === pieces.length * 4, `our run ended with ${ours.length} bytes of results`);
    assert(theirs.length === ours.length, `QEMU's run ended with ${theirs.length} bytes of results`);
    return pieces.flatMap((_, index) => (wordAt(ours, index) === wordAt(theirs, index) ? [] : [index]));
  }

  /** Names of what differs after one piece, `ours/theirs`. */
  explain(piece: Piece, hotPasses: number): string[] {
    const data = this.layOut([piece], 0);
    const [ours, theirs] = [this.onOurs(data, hotPasses), this.onQemu(data)];
    return [...CORE_STATE, ...(this.hasFpu ? SINGLES : [])].flatMap((name, at) => {
      const [a, b] = [wordAt(ours, 1 + at), wordAt(theirs, 1 + at)];
      return a === b ? [] : [`${name} ${hex(a)}/${hex(b)}`];
    });
  }

  private onQemu(data: Uint8Array): Uint8Array {
    const blob = join(this.folder, 'data.bin');
    writeFileSync(blob, data);
    const quiet = ['-display', 'none', '-monitor', 'none', '-serial', 'none'];
    const semihosting = ['-semihosting-config', 'enable=on,target=native'];
    const loader = ['-device', `loader,file=${blob},addr=${this.data},force-raw=on`];
    const args = ['-M', this.target.machine, ...quiet, ...semihosting, ...loader, '-kernel', this.elf];
    const { stdout, stderr } = spawnSync('qemu-system-arm', args, { timeout: 300_000, maxBuffer: 1 << 26 });
    assert(stdout.length > 0, `qemu-system-arm: ${stderr.toString()}`);
    return new Uint8Array(stdout);
  }

  private onOurs(data: Uint8Array, hotPasses: number): Uint8Array {
    const chunks: Uint8Array[] = [];
    const { board, core } = this.target;
    const machine = createMachine({
      board,
      image: this.image,
      engine: new WasmCpu(core, hotPasses),
      onConsole: (bytes) => chunks.push(bytes.slice()),
    });
    // What literals can reach around the data is not erased flash but zeros, as on QEMU.
    machine.writeMemory(this.data - NEARBY_BYTES, new Uint8Array(NEARBY_BYTES));
    machine.writeMemory(this.data, data);
    machine.writeMemory(this.data + data.length, new Uint8Array(Math.min(NEARBY_BYTES, this.bytesMax() - data.length)));
    const result = machine.run({ maxCycles: MAX_CYCLES });
    machine.close();
    assert(result.stop === 'exit', `our run of the runner ended with ${result.stop}: ${result.fault?.cause ?? ''}`);
    return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
  }

  private pieceWords(): number {
    return PIECE_WORDS + (this.hasFpu ? FPU_WORDS : 0);
  }

  private layOut(pieces: readonly Piece[], verbose: number): Uint8Array {
    const pieceBytes = this.pieceWords() * 4;
    const total = pieces.reduce((sum, piece) => sum + this.bytesOf(piece), 8);
    assert(
      pieces.length <= this.piecesMax && total <= this.bytesMax() + 8,
      `${pieces.length} pieces, ${total} bytes fit`,
    );
    const view = new DataView(new ArrayBuffer(total));
    view.setUint32(0, pieces.length, true);
    view.setUint32(4, verbose, true);
    let at = 8 + pieces.length * 4;
    for (const [index, piece] of pieces.entries()) {
      view.setUint32(8 + index * 4, this.data + at, true);
      const code = at + pieceBytes;
      const fpu = this.hasFpu ? [piece.fpscr, ...piece.singles] : [];
      const words = [...piece.registers, piece.flags, piece.seed, (this.data + code) | 1, ...fpu];
      assert(words.length === this.pieceWords(), 'words of a piece');
      for (const [word, value] of words.entries()) view.setUint32(at + word * 4, value >>> 0, true);
      for (const [half, value] of [...piece.code, SUPERVISOR_CALL].entries())
        view.setUint16(code + half * 2, value, true);
      at = code + codeBytes(piece.code);
    }
    return new Uint8Array(view.buffer);
  }
}

/** With the SVC behind it, in words. */
const codeBytes = (code: readonly number[]): number => Math.ceil((code.length + 1) / 2) * 4;

function wordAt(bytes: Uint8Array, index: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(index * 4, true);
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');
