/** Frames of the device protocol (docs/protocol.md): the host's side of kernels/runtime/tl_frame.c. */
import { crc32 } from 'node:zlib';
import { assert } from '../../common/errors.ts';

export const FRAME_VERSION = 1;
const HEADER_BYTES = 6;
const CRC_BYTES = 4;
export const PAYLOAD_BYTES_MAX = 65535;
const BLOCK_BYTES_MAX = 254;

export interface Frame {
  /** 0..255. */
  readonly kind: number;
  /** 0..65535. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Bytes for the line, the zeros around them included. */
export function encodeFrame({ kind, sequence, payload }: Frame): Uint8Array {
  assert(payload.length <= PAYLOAD_BYTES_MAX, `${payload.length} bytes fit a frame`);
  const plain = new Uint8Array(HEADER_BYTES + payload.length + CRC_BYTES);
  const view = new DataView(plain.buffer);
  view.setUint8(0, FRAME_VERSION);
  view.setUint8(1, kind);
  view.setUint16(2, sequence, true);
  view.setUint16(4, payload.length, true);
  plain.set(payload, HEADER_BYTES);
  const covered = plain.length - CRC_BYTES;
  view.setUint32(covered, crc32(plain.subarray(0, covered)), true);
  return stuff(plain);
}

/** COBS: blocks of up to 254 bytes that are not zero, each behind its length + 1; a zero stands between blocks that are not full. */
function stuff(plain: Uint8Array): Uint8Array {
  const out: number[] = [0];
  let block: number[] = [];
  const flush = (): void => {
    out.push(block.length + 1, ...block);
    block = [];
  };
  for (const byte of plain) {
    if (byte !== 0) block.push(byte);
    if (byte === 0 || block.length === BLOCK_BYTES_MAX) flush();
  }
  flush();
  out.push(0);
  return Uint8Array.from(out);
}

/** Null when the blocks are cut short. */
function unstuff(bytes: readonly number[]): Uint8Array | null {
  const out: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at]! - 1;
    if (at + 1 + length > bytes.length) return null;
    for (let i = at + 1; i <= at + length; i++) out.push(bytes[i]!);
    at += 1 + length;
    if (length < BLOCK_BYTES_MAX && at < bytes.length) out.push(0);
  }
  return Uint8Array.from(out);
}

function parseFrame(plain: Uint8Array): Frame | null {
  if (plain.length < HEADER_BYTES + CRC_BYTES) return null;
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
  const covered = plain.length - CRC_BYTES;
  const isWhole =
    view.getUint8(0) === FRAME_VERSION &&
    view.getUint16(4, true) === covered - HEADER_BYTES &&
    view.getUint32(covered, true) === crc32(plain.subarray(0, covered));
  if (!isWhole) return null;
  return {
    kind: view.getUint8(1),
    sequence: view.getUint16(2, true),
    payload: plain.slice(HEADER_BYTES, covered),
  };
}

/** More than the longest frame; beyond it, what comes is noise up to the next zero. */
const PENDING_BYTES_MAX = 2 * (PAYLOAD_BYTES_MAX + HEADER_BYTES + CRC_BYTES);

/** Finds frames in whatever comes in, in any pieces. */
export class FrameReader {
  private pending: number[] = [];
  private overlong = false;
  /** Runs of bytes between zeros that were no frame. */
  broken = 0;

  push(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    for (const byte of bytes) {
      if (byte !== 0) {
        if (this.pending.length < PENDING_BYTES_MAX) this.pending.push(byte);
        else this.overlong = true;
        continue;
      }
      if (this.pending.length === 0) continue;
      const plain = this.overlong ? null : unstuff(this.pending);
      const frame = plain === null ? null : parseFrame(plain);
      if (frame === null) this.broken++;
      else frames.push(frame);
      this.pending = [];
      this.overlong = false;
    }
    return frames;
  }
}
