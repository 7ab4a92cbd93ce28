/**
 * A device that speaks the framed protocol: requests that are repeated until their answer comes, and errors that say what went wrong. Every
 * request is safe to repeat (docs/protocol.md).
 */
import { crc32 } from 'node:zlib';
import { encodeFrame, FrameReader, type Frame } from './frame.ts';
import type { Link } from './link.ts';
import { parseFault, parseIdentity, parseInference, parseMemory, words, type Identity } from './messages.ts';
import type { DeviceMemory, InferenceReport } from './messages.ts';

export const request = { identify: 1, write: 2, infer: 3, read: 4, ops: 5, memory: 6, reset: 7 } as const;
const ANSWER = 0x80;
const EVENT_HELLO = 0xc0;
const EVENT_FAULT = 0xc1;
const ANSWER_ERROR = 0xff;
const ERRORS = [
  '',
  'the request is unknown',
  'offset or size is out of range',
  'the input is not what was sent',
  "the label is none of the model's classes",
  'there is no driver for the flash of this board',
  'writing to flash failed; what was committed before is still there',
];

/** Why a request did not succeed; what the harness calls the outcome follows from it. */
export type DeviceErrorKind = 'silent' | 'lost' | 'refused' | 'restarted' | 'faulted';

export class DeviceError extends Error {
  readonly kind: DeviceErrorKind;

  constructor(kind: DeviceErrorKind, message: string) {
    super(message);
    this.name = 'DeviceError';
    this.kind = kind;
  }
}

export interface ClientOptions {
  /** Characters per second are a tenth of it: how long a frame takes to travel. */
  readonly baud: number;
  /** For an answer that needs no inference, beyond the time on the wire. */
  readonly answerSeconds?: number;
  readonly attempts?: number;
}

/** An emulated board on a busy computer answers late; a lost frame costs this much. */
const ANSWER_SECONDS = 1;
const ATTEMPTS = 8;
/** Longest wait before a request is sent again. */
const WAIT_SECONDS_MAX = 8;

const DELAYS_PATIENT = 4;
const PATIENCE_SECONDS_MIN = 0.1;
/** The wait doubles so often. */
const BACKOFF_MAX = 3;
const WORD_BYTES = 4;
const PIECE_BYTES_MIN = 32;
const PIECE_BYTES_FIRST = 256;

interface Waiting {
  readonly sequence: number;
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: DeviceError) => void;
}

export class DeviceClient {
  private readonly link: Link;
  private readonly options: Required<ClientOptions>;
  private readonly reader = new FrameReader();
  private sequence = Math.floor(Math.random() * 0x10000);
  private waiting: Waiting | null = null;
  private lost: DeviceError | null = null;
  private identity: Identity | null = null;
  /** Of the next piece of an input or output. */
  private pieceBytes = PIECE_BYTES_FIRST;
  /** Of answers of late; null before the first. */
  private delaySeconds: number | null = null;
  /** Requests sent again. */
  retransmissions = 0;

  constructor(link: Link, { baud, answerSeconds = ANSWER_SECONDS, attempts = ATTEMPTS }: ClientOptions) {
    this.link = link;
    this.options = { baud, answerSeconds, attempts };
    link.onData = (bytes) => {
      for (const frame of this.reader.push(bytes)) this.receive(frame);
    };
    link.onLost = (reason) => this.fail(new DeviceError('lost', `${link.name}: ${reason}`));
  }

  /** Damaged frames seen. */
  get brokenFrames(): number {
    return this.reader.broken;
  }

  async identify(): Promise<Identity> {
    // Until the answer, a greeting is welcome: the board may just be starting.
    this.identity = null;
    const { payload } = await this.ask(request.identify, new Uint8Array());
    this.identity = parseIdentity(payload, this.link.name);
    return this.identity;
  }

  /** All input tensors, or the bytes that the device makes them of. */
  async writeInput(bytes: Uint8Array): Promise<void> {
    await this.inPieces(bytes.length, async (at, count, tries) => {
      const payload = new Uint8Array(4 + count);
      payload.set(words(at));
      payload.set(bytes.subarray(at, at + count), 4);
      await this.ask(request.write, payload, 0, tries);
    });
  }

  /** @param input what was written: the device compares. @param secondsMax for all inferences together */
  async infer(count: number, input: Uint8Array, secondsMax: number): Promise<InferenceReport> {
    const { payload } = await this.ask(request.infer, words(count, crc32(input)), secondsMax);
    const report = parseInference(payload, this.link.name);
    if (report.status === 0) return report;
    throw new DeviceError('faulted', `${this.link.name}: the model returned ${report.status}, 0 expected`);
  }

  /** Bytes of all output tensors. @param report of the inference they belong to */
  async readOutput(report: InferenceReport): Promise<Uint8Array> {
    const output = new Uint8Array(this.known().outputBytes);
    await this.inPieces(output.length, async (at, count, tries) => {
      const { payload } = await this.ask(request.read, words(at, count), 0, tries);
      output.set(payload.subarray(0, count), at);
    });
    if (crc32(output) === report.outputCrc32) return output;
    throw new DeviceError(
      'restarted',
      `${this.link.name}: the output changed while it was read; the board has restarted`,
    );
  }

  /** Cycles of every op of the last inference; empty when the image has no hooks. */
  async opCycles(): Promise<number[]> {
    const { payload } = await this.ask(request.ops, new Uint8Array());
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    return Array.from({ length: payload.length >> 2 }, (_, index) => view.getUint32(4 * index, true));
  }

  async memory(): Promise<DeviceMemory> {
    const { payload } = await this.ask(request.memory, new Uint8Array());
    return parseMemory(payload, this.link.name);
  }

  /** Another request. @throws DeviceError, also for an answer that is shorter than answerBytes */
  async request(
    kind: number,
    payload: Uint8Array,
    { answerBytes, workSeconds = 0 }: { answerBytes: number; workSeconds?: number },
  ): Promise<DataView> {
    const answer = (await this.ask(kind, payload, workSeconds)).payload;
    if (answer.length < answerBytes)
      throw new DeviceError(
        'refused',
        `${this.link.name}: an answer of ${answer.length} bytes, ${answerBytes} expected`,
      );
    return new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  }

  /** The board starts anew and greets. */
  async reset(): Promise<void> {
    await this.ask(request.reset, new Uint8Array());
    this.identity = null;
  }

  close(): Promise<void> {
    return this.link.close();
  }

  /**
   * Long frames are quick on a good line and never arrive whole on a bad one: a piece that is not answered is halved before it is sent
   * again, one that is lets the next ones grow. The smallest is repeated for as long as any request.
   */
  private async inPieces(
    total: number,
    transfer: (at: number, count: number, tries: number) => Promise<void>,
  ): Promise<void> {
    const largest = this.known().payloadBytesMax - WORD_BYTES;
    for (let at = 0; at < total;) {
      const count = Math.min(this.pieceBytes, largest, total - at);
      const before = this.retransmissions;
      try {
        await transfer(at, count, count > PIECE_BYTES_MIN ? 1 : Infinity);
      } catch (error) {
        if (!(error instanceof DeviceError && error.kind === 'silent') || count <= PIECE_BYTES_MIN) throw error;
        this.retransmissions++;
        this.pieceBytes = Math.max(PIECE_BYTES_MIN, count >> 1);
        continue;
      }
      at += count;
      const grown = this.retransmissions === before ? this.pieceBytes + PIECE_BYTES_MIN : this.pieceBytes >> 1;
      this.pieceBytes = Math.min(largest, Math.max(PIECE_BYTES_MIN, grown));
    }
  }

  private known(): Identity {
    if (this.identity === null)
      throw new DeviceError('restarted', `${this.link.name}: the board has not been identified`);
    return this.identity;
  }

  /** @param workSeconds that the device may work before it answers. @param tries at most, also when there is time left */
  private async ask(kind: number, payload: Uint8Array, workSeconds = 0, tries = Infinity): Promise<Frame> {
    this.sequence = (this.sequence + 1) & 0xffff;
    const bytes = encodeFrame({ kind, sequence: this.sequence, payload });
    const { baud, answerSeconds, attempts } = this.options;
    const answerBytes = this.identity?.payloadBytesMax ?? 0;
    const wireSeconds = ((bytes.length + answerBytes) * 10) / baud;
    const deadline = performance.now() + 1000 * (workSeconds + attempts * (answerSeconds + 2 * wireSeconds));
    for (let attempt = 0; ; attempt++) {
      // What needs no work is answered soon or was lost, and a late answer counts all the same: noise is the likelier reason for silence.
      const longest = workSeconds > 0 ? WAIT_SECONDS_MAX : answerSeconds / 2;
      const patience = this.patience(answerSeconds) * 2 ** Math.min(attempt, BACKOFF_MAX);
      const wait = Math.min(longest, patience) + 2 * wireSeconds;
      const left = (deadline - performance.now()) / 1000;
      if (left <= 0 || attempt >= tries)
        throw new DeviceError('silent', `${this.link.name}: no answer after ${attempt} attempts`);
      if (attempt > 0) this.retransmissions++;
      const sent = performance.now();
      const frame = await this.exchange(bytes, Math.min(wait, left));
      if (frame === null) continue;
      // Of a request that was repeated nobody knows which one was answered.
      if (attempt === 0 && workSeconds === 0) this.noteDelay((performance.now() - sent) / 1000);
      if (frame.kind === (kind | ANSWER)) return frame;
      const code = frame.payload[0] ?? 0;
      throw new DeviceError(
        code === 3 ? 'restarted' : 'refused',
        `${this.link.name}: refused: ${ERRORS[code] ?? `error ${code}`}`,
      );
    }
  }

  /** Seconds after which an answer is taken to be lost: some times what answers have taken so far. Repeating is safe if one is only late. */
  private patience(answerSeconds: number): number {
    const usual = this.delaySeconds === null ? answerSeconds / 4 : DELAYS_PATIENT * this.delaySeconds;
    return Math.min(answerSeconds, Math.max(PATIENCE_SECONDS_MIN, usual));
  }

  private noteDelay(seconds: number): void {
    const before = this.delaySeconds ?? seconds;
    // A late answer counts at once, quick ones little by little.
    this.delaySeconds = Math.max(seconds, before + (seconds - before) / 8);
  }

  /** Null: no answer in time. */
  private exchange(bytes: Uint8Array, seconds: number): Promise<Frame | null> {
    return new Promise((resolve, reject) => {
      if (this.lost !== null) {
        reject(this.lost);
        return;
      }
      const end = (): void => {
        clearTimeout(timer);
        this.waiting = null;
      };
      const timer = setTimeout(() => {
        end();
        resolve(null);
      }, seconds * 1000);
      this.waiting = {
        sequence: this.sequence,
        resolve: (frame) => {
          end();
          resolve(frame);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      this.link.write(bytes);
    });
  }

  private receive(frame: Frame): void {
    const { waiting } = this;
    if (frame.kind === EVENT_FAULT) {
      this.identity = null;
      waiting?.reject(new DeviceError('faulted', `${this.link.name}: ${parseFault(frame.payload)}`));
    } else if (frame.kind === EVENT_HELLO) {
      if (this.identity === null) return;
      this.identity = null;
      waiting?.reject(new DeviceError('restarted', `${this.link.name}: the board has restarted`));
    } else if (waiting?.sequence === frame.sequence && (frame.kind & ANSWER) !== 0 && frame.kind !== ANSWER) {
      waiting.resolve(frame);
    }
  }

  private fail(error: DeviceError): void {
    this.lost = error;
    this.waiting?.reject(error);
  }
}

/** An error answer bears this kind. */
export const ERROR_KIND = ANSWER_ERROR;
