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
import { tensorBytes, tensorOf, type TensorId } from '../../firmware-gen/ir/graph.ts';
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

export interface CampaignOptions {
  readonly board: Board;
  readonly seed: number;
  readonly count: number;
  readonly regions: readonly InjectRegion[];
  readonly onProgress?: (done: number) => void;
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

/**
 * @param compiled a bare image, whose main() infers once and sleeps. @param inputs little-endian bytes of every input tensor
 * @throws UserError when the image does not run without faults
 */
export function runCampaign(
  compiled: CompiledModel,
  inputs: readonly Uint8Array[],
  { board, seed, count, regions, onProgress }: CampaignOptions,
): Campaign {
  const machine = createMachine({ board, image: compiled.image.elf, imageName: 'firmware.elf', engine: 'wasm' });
  try {
    const bench = new InjectionBench(machine, compiled, inputs);
    const random = seededWords(seed);
    const injections: Injection[] = [];
    for (let done = 0; done < count; done++) {
      const region = defined(regions[done % regions.length], 'region');
      injections.push(bench.inject(region, random));
      onProgress?.(done + 1);
    }
    return { cycles: bench.cycles, rows: regions.map((region) => summarise(region, injections)), injections };
  } finally {
    machine.close();
  }
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

class InjectionBench {
  /** Of the fault-free inference, to where the firmware sleeps. */
  readonly cycles: number;
  private readonly machine: Machine;
  private readonly compiled: CompiledModel;
  private readonly before: MachineState;
  private readonly start: number;
  private readonly expected: readonly Uint8Array[];
  private readonly ranges: Readonly<Record<Exclude<InjectRegion, 'registers'>, readonly Range[]>>;

  constructor(machine: Machine, compiled: CompiledModel, inputs: readonly Uint8Array[]) {
    this.machine = machine;
    this.compiled = compiled;
    const { graph } = compiled.schedule;
    const invoke = `${compiled.identifier}_invoke`;
    machine.onMark(invoke, () => machine.pause());
    const begin = machine.start();
    const atInvoke = typeof begin === 'number' ? machine.resume(begin, { cyclesMax: 1e9 }) : begin;
    machine.removeMark(invoke);
    if (atInvoke.stop !== 'paused') throw new UserError(`firmware: ended before the inference: ${atInvoke.stop}`, 7);
    for (const [index, id] of graph.inputs.entries()) machine.writeMemory(this.addressOf(id), inputs[index]!);
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

  inject(region: InjectRegion, random: (bound: number) => number): Injection {
    const { machine } = this;
    machine.restore(this.before);
    const cycle = random(this.cycles);
    const pc = machine.cpu.readRegister(reg.pc);
    let run: RunResult | Pause = machine.resume(pc, { cyclesMax: this.start + cycle });
    const [address, bit] =
      region === 'registers' ? [random(REGISTERS), random(32)] : [this.pick(region, random), random(8)];
    if (run.stop === 'limit') {
      this.flip(region, address, bit);
      run = machine.resume(run.pc, { cyclesMax: this.start + HANG_FACTOR * this.cycles });
    }
    return { region, address, bit, cycle, outcome: this.judge(run) };
  }

  private flip(region: InjectRegion, address: number, bit: number): void {
    const { cpu } = this.machine;
    if (region === 'registers') {
      cpu.writeRegister(address, (cpu.readRegister(address) ^ (1 << bit)) >>> 0);
      return;
    }
    const [byte] = this.machine.readMemory(address, 1);
    this.machine.writeMemory(address, Uint8Array.of(byte! ^ (1 << bit)));
    if (region === 'flash') cpu.forgetCode();
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
    const { graph } = this.compiled.schedule;
    return graph.outputs.map((id) => this.machine.readMemory(this.addressOf(id), tensorBytes(tensorOf(graph, id))));
  }

  private addressOf(id: TensorId): number {
    const offset = this.compiled.plan.tensorOffset[id];
    assert(offset !== undefined && offset !== null, 'the tensor lies in the arena');
    return this.machine.symbol('tl_arena').address + offset;
  }
}
