/**
 * Fault injection: single bits flipped at single cycles of one inference on the emulated board, each from the same saved state, and what
 * became of it. The same seed gives the same campaign.
 */
import { assert, defined, UserError } from '../../common/errors.ts';
import type { Board } from '../../boards/schema.ts';
import { reg } from '../../emulator/cpu/cpu.ts';
import { createMachine } from '../../emulator/create-machine.ts';
import type { Machine, Pause, RunResult } from '../../emulator/machine.ts';
import type { MachineState } from '../../emulator/state/machine-state.ts';
import { tensorBytes, tensorOf } from '../../firmware-gen/ir/graph.ts';
import type { CompiledModel } from '../compile.ts';

export const INJECT_REGIONS = ['flash', 'data', 'stack', 'registers'] as const;
export type InjectRegion = (typeof INJECT_REGIONS)[number];

/**
 * masked: the right answer all the same. silent: another answer, and nothing noticed. detected: the firmware's own checks stopped it. crash: a
 * fault of the core. hang: not finished after twice the time.
 */
export const INJECT_OUTCOMES = ['masked', 'silent', 'detected', 'crash', 'hang'] as const;
export type InjectOutcome = (typeof INJECT_OUTCOMES)[number];

export interface Injection {
  readonly region: InjectRegion;
  /** Byte address, or register number 0..14. */
  readonly address: number;
  /** 0..7, or 0..31 in a register. */
  readonly bit: number;
  /** Of the inference, at which it happens. */
  readonly cycle: number;
  readonly outcome: InjectOutcome;
}

export interface CampaignRow {
  readonly region: InjectRegion;
  readonly injections: number;
  readonly outcomes: Readonly<Record<InjectOutcome, number>>;
}

/** What a campaign needs of a compiled model; plain data, for worker threads. */
export interface InjectionTarget {
  readonly elf: Uint8Array;
  /** C identifier of the model. */
  readonly identifier: string;
  /** Offsets in the arena. */
  readonly inputs: readonly number[];
  readonly outputs: readonly { readonly offset: number; readonly bytes: number }[];
}

/** Injections first, first + step, first + 2 step ... of a campaign, which is the same however it is divided. */
export interface CampaignPart {
  readonly first: number;
  readonly step: number;
}

export interface CampaignOptions {
  readonly board: Board;
  readonly seed: number;
  readonly count: number;
  readonly regions: readonly InjectRegion[];
}

/** The injections of a part. */
export interface PartResult {
  readonly cycles: number;
  readonly injections: readonly Injection[];
}

export interface Campaign {
  readonly cycles: number;
  readonly rows: readonly CampaignRow[];
  readonly injections: readonly Injection[];
}

interface Range {
  readonly start: number;
  readonly bytes: number;
}

const REGISTERS = 15;
/** Of the fault-free run: what takes longer hangs. */
const HANG_FACTOR = 2;

/** @param compiled a bare image, whose main() infers once and sleeps */
export function injectionTarget({ image, identifier, schedule: { graph }, plan }: CompiledModel): InjectionTarget {
  const offsetOf = (id: number): number => {
    const offset = plan.tensorOffset[id];
    assert(offset !== undefined && offset !== null, 'the tensor lies in the arena');
    return offset;
  };
  return {
    elf: image.elf,
    identifier,
    inputs: graph.inputs.map(offsetOf),
    outputs: graph.outputs.map((id) => ({ offset: offsetOf(id), bytes: tensorBytes(tensorOf(graph, id)) })),
  };
}

/**
 * @param inputs little-endian bytes of every input tensor
 * @throws UserError when the image does not run without faults
 */
export function runPart(
  target: InjectionTarget,
  inputs: readonly Uint8Array[],
  { board, seed, count, regions }: CampaignOptions,
  { first, step }: CampaignPart,
): PartResult {
  const machine = createMachine({ board, image: target.elf, imageName: 'firmware.elf', engine: 'wasm' });
  try {
    const bench = new InjectionBench(machine, target, inputs);
    const random = seededWords(seed);
    const injections: Injection[] = [];
    for (let index = 0; index < count; index++) {
      const flip = bench.choose(defined(regions[index % regions.length], 'region'), random);
      if (index % step === first) injections.push({ ...flip, outcome: bench.inject(flip) });
    }
    return { cycles: bench.cycles, injections };
  } finally {
    machine.close();
  }
}

/** Parts 0 .. parts.length - 1 put together, injections in the order in which they were drawn. */
export function joinParts(parts: readonly PartResult[], regions: readonly InjectRegion[]): Campaign {
  const count = parts.reduce((sum, part) => sum + part.injections.length, 0);
  const injections = Array.from({ length: count }, (_, index) =>
    defined(parts[index % parts.length]?.injections[Math.floor(index / parts.length)], 'an injection'),
  );
  const cycles = defined(parts[0], 'a part').cycles;
  return { cycles, rows: regions.map((region) => summarise(region, injections)), injections };
}

function summarise(region: InjectRegion, all: readonly Injection[]): CampaignRow {
  const injections = all.filter((injection) => injection.region === region);
  const outcomes = Object.fromEntries(
    INJECT_OUTCOMES.map((outcome) => [outcome, injections.filter((one) => one.outcome === outcome).length]),
  ) as Record<InjectOutcome, number>;
  return { region, injections: injections.length, outcomes };
}

/** Uniform in 0 .. bound-1: xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
function seededWords(seed: number): (bound: number) => number {
  let state = (seed | 0) === 0 ? 0x9e3779b9 : seed | 0;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * bound);
  };
}

type Flip = Omit<Injection, 'outcome'>;

class InjectionBench {
  /** Of the fault-free inference, to where the firmware sleeps. */
  readonly cycles: number;
  private readonly machine: Machine;
  private readonly target: InjectionTarget;
  private readonly before: MachineState;
  private readonly start: number;
  private readonly expected: readonly Uint8Array[];
  private readonly ranges: Readonly<Record<Exclude<InjectRegion, 'registers'>, readonly Range[]>>;

  constructor(machine: Machine, target: InjectionTarget, inputs: readonly Uint8Array[]) {
    this.machine = machine;
    this.target = target;
    const invoke = `${target.identifier}_invoke`;
    machine.onMark(invoke, () => machine.pause());
    const begin = machine.start();
    const atInvoke = typeof begin === 'number' ? machine.resume(begin, { cyclesMax: 1e9 }) : begin;
    machine.removeMark(invoke);
    if (atInvoke.stop !== 'paused') throw new UserError(`firmware: ended before the inference: ${atInvoke.stop}`, 7);
    const arena = machine.symbol('tl_arena').address;
    for (const [index, offset] of target.inputs.entries()) machine.writeMemory(arena + offset, inputs[index]!);
    this.start = machine.cpu.counters().cycles;
    this.before = machine.save();
    const top = machine.cpu.readRegister(reg.sp);
    const run = machine.resume(atInvoke.pc, { cyclesMax: this.start + 1e10 });
    if (run.stop !== 'idle') throw new UserError(`firmware: the inference ended with ${run.stop}`, 7);
    this.cycles = run.cycles - this.start;
    this.expected = this.outputs();
    this.ranges = {
      flash: machine.image.segments.map(({ loadAddress, bytes }) => ({ start: loadAddress, bytes: bytes.length })),
      data: this.dataRange(),
      stack: [
        {
          start: top - defined(machine.stack.usedBytes(), 'stack'),
          bytes: defined(machine.stack.usedBytes(), 'stack'),
        },
      ],
    };
  }

  /** What is drawn does not depend on what comes of it. */
  choose(region: InjectRegion, random: (bound: number) => number): Flip {
    const cycle = random(this.cycles);
    const [address, bit] =
      region === 'registers' ? [random(REGISTERS), random(32)] : [this.pick(region, random), random(8)];
    return { region, address, bit, cycle };
  }

  inject(flip: Flip): InjectOutcome {
    const { machine } = this;
    machine.restore(this.before);
    const pc = machine.cpu.readRegister(reg.pc);
    const run = machine.resume(pc, { cyclesMax: this.start + flip.cycle });
    if (run.stop !== 'limit') return this.judge(run);
    this.flip(flip);
    const outcome = this.judge(machine.resume(run.pc, { cyclesMax: this.start + HANG_FACTOR * this.cycles }));
    // Flash as it was: restoring finds nothing to do, and code that was translated stays.
    if (flip.region === 'flash') this.flip(flip);
    return outcome;
  }

  private flip({ region, address, bit }: Flip): void {
    const { cpu } = this.machine;
    if (region === 'registers') {
      cpu.writeRegister(address, (cpu.readRegister(address) ^ (1 << bit)) >>> 0);
      return;
    }
    const [byte] = this.machine.readMemory(address, 1);
    this.machine.writeMemory(address, Uint8Array.of(byte! ^ (1 << bit)));
    if (region === 'flash') cpu.forgetCode({ start: address, bytes: 1 });
  }

  private judge(run: RunResult | Pause): InjectOutcome {
    if (run.stop === 'limit') return 'hang';
    if (run.stop === 'fault') return 'crash';
    if (run.stop === 'breakpoint') return this.haltedBy(run.pc) === 'main' ? 'detected' : 'crash';
    if (run.stop !== 'idle') return 'crash';
    const outputs = this.outputs();
    const same = outputs.every((bytes, index) => Buffer.compare(bytes, this.expected[index]!) === 0);
    return same ? 'masked' : 'silent';
  }

  /** tl_halt is inlined: into main after a failed inference, into the handlers of faults. */
  private haltedBy(pc: number): string | null {
    return this.machine.symbols.functionAt(pc)?.name ?? null;
  }

  private pick(region: Exclude<InjectRegion, 'registers'>, random: (bound: number) => number): number {
    const ranges = this.ranges[region];
    let offset = random(ranges.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const { start, bytes } of ranges) {
      if (offset < bytes) return start + offset;
      offset -= bytes;
    }
    throw new Error('internal: an offset within the ranges');
  }

  private dataRange(): Range[] {
    const start = this.machine.symbol('__data_start').address;
    const end = this.machine.symbol('__bss_end').address;
    return [{ start, bytes: end - start }];
  }

  private outputs(): Uint8Array[] {
    const arena = this.machine.symbol('tl_arena').address;
    return this.target.outputs.map(({ offset, bytes }) => this.machine.readMemory(arena + offset, bytes));
  }
}
