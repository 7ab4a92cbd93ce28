/**
 * Random sequences on our engine and on QEMU: both run the image of runner/ with the same data and must write the same results. One start of
 * QEMU executes thousands of sequences; one that differs is run again alone, in full.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBoard } from '../../boards/load.ts';
import { assert } from '../../common/errors.ts';
import { packageRoot } from '../../common/package-root.ts';
import { coreOf } from '../../emulator/cores/core.ts';
import { WasmCpu } from '../../emulator/cpu/wasm/wasm-cpu.ts';
import { createMachine } from '../../emulator/create-machine.ts';

/** Where the runner expects its data: behind its code in flash. */
const DATA = 0x10_0000;
const DATA_BYTES_MAX = 3 << 20;
const PIECE_WORDS = 49;

export const PIECES_MAX = 8000;
const SUPERVISOR_CALL = 0xdf00;
const NO_VERBOSE = 0xffff_ffff;
const MAX_CYCLES = 1e10;

const STATE_NAMES = [
  ...Array.from({ length: 13 }, (_, number) => `r${number}`),
  ...['lr', 'pc', 'xpsr', 'exception', 'faultStatus', 'fpscr', 'window'],
  ...Array.from({ length: 32 }, (_, number) => `s${number}`),
];

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

/** A core as QEMU emulates it, and how the runner is built for it. */
export interface QemuTarget {
  readonly machine: string;
  readonly board: string;
  readonly flags: readonly string[];
}

export const m4Target: QemuTarget = {
  machine: 'mps2-an386',
  board: 'mps2-an386',
  flags: ['-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=softfp', '-DHAS_FPU', '-DHAS_FAULT_STATUS', '-DHAS_DSP'],
};

export function hasQemu(): boolean {
  return spawnSync('qemu-system-arm', ['--version']).status === 0;
}

export class QemuBatch {
  private readonly folder = mkdtempSync(join(tmpdir(), 'thumbelina-fuzz-'));
  private readonly target: QemuTarget;
  private readonly elf: string;
  private readonly image: Uint8Array;

  constructor(target: QemuTarget) {
    this.target = target;
    this.elf = join(this.folder, 'runner.elf');
    const source = join(packageRoot(), 'bench', 'fuzz', 'runner');
    const options = ['-mthumb', '-masm-syntax-unified', '-O1', '-ffreestanding', '-fno-tree-loop-distribute-patterns'];
    const linking = ['-nostdlib', '-T', join(source, 'runner.ld'), '-Wl,--defsym=FLASH=0', `-DDATA=${DATA}`];
    const args = [...target.flags, ...options, ...linking, join(source, 'runner.c'), '-o', this.elf];
    const built = spawnSync('arm-none-eabi-gcc', args, { encoding: 'utf8' });
    assert(built.status === 0, `arm-none-eabi-gcc: ${built.stderr}`);
    this.image = new Uint8Array(readFileSync(this.elf));
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  /** Numbers of the pieces whose results differ. */
  differing(pieces: readonly Piece[], hotPasses: number): number[] {
    const data = layOut(pieces, NO_VERBOSE);
    const [ours, theirs] = [this.onOurs(data, hotPasses), this.onQemu(data)];
    assert(ours.length === pieces.length * 4, `our run ended with ${ours.length} bytes of results`);
    assert(theirs.length === ours.length, `QEMU's run ended with ${theirs.length} bytes of results`);
    return pieces.flatMap((_, index) => (wordAt(ours, index) === wordAt(theirs, index) ? [] : [index]));
  }

  /** Names of what differs after one piece, `ours/theirs`. */
  explain(piece: Piece, hotPasses: number): string[] {
    const data = layOut([piece], 0);
    const [ours, theirs] = [this.onOurs(data, hotPasses), this.onQemu(data)];
    return STATE_NAMES.flatMap((name, at) => {
      const [a, b] = [wordAt(ours, 1 + at), wordAt(theirs, 1 + at)];
      return a === b ? [] : [`${name} ${hex(a)}/${hex(b)}`];
    });
  }

  private onQemu(data: Uint8Array): Uint8Array {
    const blob = join(this.folder, 'data.bin');
    writeFileSync(blob, data);
    const quiet = ['-display', 'none', '-monitor', 'none', '-serial', 'none'];
    const semihosting = ['-semihosting-config', 'enable=on,target=native'];
    const loader = ['-device', `loader,file=${blob},addr=${DATA},force-raw=on`];
    const args = ['-M', this.target.machine, ...quiet, ...semihosting, ...loader, '-kernel', this.elf];
    const { stdout, stderr } = spawnSync('qemu-system-arm', args, { timeout: 300_000, maxBuffer: 1 << 26 });
    assert(stdout.length > 0, `qemu-system-arm: ${stderr.toString()}`);
    return new Uint8Array(stdout);
  }

  private onOurs(data: Uint8Array, hotPasses: number): Uint8Array {
    const chunks: Uint8Array[] = [];
    const board = loadBoard(this.target.board);
    const machine = createMachine({
      board,
      image: this.image,
      engine: new WasmCpu(coreOf(board), hotPasses),
      onConsole: (bytes) => chunks.push(bytes.slice()),
    });
    machine.writeMemory(DATA, data);
    const result = machine.run({ maxCycles: MAX_CYCLES });
    machine.close();
    assert(result.stop === 'exit', `our run of the runner ended with ${result.stop}: ${result.fault?.cause ?? ''}`);
    return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
  }
}

function layOut(pieces: readonly Piece[], verbose: number): Uint8Array {
  assert(pieces.length <= PIECES_MAX, 'pieces of one batch');
  const codeBytes = pieces.map(({ code }) => Math.ceil((code.length + 1) / 2) * 4);
  const tableBytes = 8 + pieces.length * 4;
  const total = tableBytes + pieces.length * PIECE_WORDS * 4 + codeBytes.reduce((sum, bytes) => sum + bytes, 0);
  assert(total <= DATA_BYTES_MAX, `${total} bytes of pieces fit`);
  const view = new DataView(new ArrayBuffer(total));
  view.setUint32(0, pieces.length, true);
  view.setUint32(4, verbose, true);
  let at = tableBytes;
  for (const [index, piece] of pieces.entries()) {
    view.setUint32(8 + index * 4, DATA + at, true);
    const code = at + PIECE_WORDS * 4;
    const words = [...piece.registers, piece.flags, piece.fpscr, piece.seed, ...piece.singles, (DATA + code) | 1];
    assert(words.length === PIECE_WORDS, 'words of a piece');
    for (const [word, value] of words.entries()) view.setUint32(at + word * 4, value >>> 0, true);
    for (const [half, value] of [...piece.code, SUPERVISOR_CALL].entries())
      view.setUint16(code + half * 2, value, true);
    at = code + codeBytes[index]!;
  }
  return new Uint8Array(view.buffer);
}

function wordAt(bytes: Uint8Array, index: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(index * 4, true);
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');
