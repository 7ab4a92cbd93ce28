/**
 * Snapshots of a whole machine: the engine's registers and counters, every memory, and every named part (devices, exceptions, lines to the
 * host). What is saved is plain data with a version; it can be cloned, stored and restored into another machine of the same kind.
 */
import { UserError } from '../../common/errors.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { PageSnapshots, type Pages } from './page-snapshots.ts';
import type { Stateful } from './stateful.ts';

/** Raised whenever a part changes what it saves. */
const STATE_VERSION = 1;

export interface MachineState {
  readonly version: typeof STATE_VERSION;
  readonly board: string;
  readonly engine: string;
  /** Digest of the image. */
  readonly image: string;
  readonly cpu: unknown;
  /** In the order of the board's memories. */
  readonly memories: readonly Pages[];
  readonly parts: ReadonlyMap<string, unknown>;
}

export interface SnapshotSources {
  readonly board: string;
  readonly image: string;
  readonly cpu: Cpu;
  /** Whole pages each, as mapped into the engine. */
  readonly memories: readonly { readonly bytes: Uint8Array; readonly readOnly: boolean }[];
  /** By a name that is unique in the machine. */
  readonly parts: ReadonlyMap<string, Stateful>;
}

export class MachineSnapshots {
  private readonly sources: SnapshotSources;
  private readonly memories: readonly { readonly pages: PageSnapshots; readonly readOnly: boolean }[];

  constructor(sources: SnapshotSources) {
    this.sources = sources;
    this.memories = sources.memories.map(({ bytes, readOnly }) => ({ pages: new PageSnapshots(bytes), readOnly }));
  }

  /** @throws UserError when the engine cannot give its state. */
  save(): MachineState {
    const { board, image, cpu, parts } = this.sources;
    if (cpu.save === undefined) throw new UserError(noStates(cpu.name));
    return {
      version: STATE_VERSION,
      board,
      engine: cpu.name,
      image,
      cpu: cpu.save(),
      memories: this.memories.map(({ pages }) => pages.save()),
      parts: new Map([...parts].map(([name, part]) => [name, part.save()])),
    };
  }

  /** @throws UserError when the state is another machine's; then nothing has changed. */
  restore(state: MachineState): void {
    const { board, image, cpu, parts } = this.sources;
    if (cpu.restore === undefined) throw new UserError(noStates(cpu.name));
    const wrong = mismatch(state, { version: STATE_VERSION, board, engine: cpu.name, image });
    if (wrong !== null) throw new UserError(`the saved state does not fit this machine: ${wrong}`);
    for (const [index, { pages, readOnly }] of this.memories.entries()) {
      const changed = pages.restore(state.memories[index] ?? []);
      // Code in writable memory is compared with what was translated at every entry; that in flash is not.
      if (changed && readOnly) cpu.forgetCode();
    }
    cpu.restore(state.cpu);
    for (const [name, part] of parts) part.restore(state.parts.get(name));
  }
}

type Identity = Pick<MachineState, 'version' | 'board' | 'engine' | 'image'>;

function mismatch(state: Identity, own: Identity): string | null {
  for (const key of ['version', 'board', 'engine', 'image'] as const)
    if (state[key] !== own[key]) return `its ${key} is ${state[key]}, not ${own[key]}`;
  return null;
}

function noStates(engine: string): string {
  return `the ${engine} engine cannot save its state; use --engine wasm`;
}
