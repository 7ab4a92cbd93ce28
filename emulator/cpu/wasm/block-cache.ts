/** Blocks built so far, by address and IT state, and which of them may be translated. */
import {
  buildBlock,
  costsIn,
  isCurrent,
  isTranslatable,
  overlaps,
  type Block,
  type Step,
  type StepCosts,
} from './block.ts';
import type { CodeRange } from '../cpu.ts';
import type { CoreState } from './core-state.ts';
import type { Part } from './guest-memory.ts';
import type { CodeSource } from './translate/region.ts';

const IT_STATE_KEY = 2 ** 32;

export class BlockCache implements CodeSource {
  private readonly core: CoreState;
  private readonly isMarked: (address: number) => boolean;
  private readonly passesMin: number;
  private readonly blocks = new Map<number, Block>();

  /** @param passesMin passes of a block before it is translated together with others */
  constructor(core: CoreState, isMarked: (address: number) => boolean, passesMin: number) {
    this.core = core;
    this.isMarked = isMarked;
    this.passesMin = passesMin;
  }

  /** Blocks that reach into the range; without one, all. */
  forget(range?: CodeRange): void {
    if (range === undefined) this.blocks.clear();
    else for (const [key, block] of this.blocks) if (overlaps(block, range)) this.blocks.delete(key);
  }

  /** The block that control comes to now, or null where there is no memory. */
  at(pc: number, itState: number): Block | null {
    const key = pc + itState * IT_STATE_KEY;
    const known = this.blocks.get(key);
    if (known !== undefined && isCurrent(known, this.core)) return known;
    const built = buildBlock(this.core, pc, itState, this.isMarked);
    if (built !== null) this.blocks.set(key, built);
    return built;
  }

  /** Not marked, and fit for translation; or null. */
  translatable(address: number): Block | null {
    if (this.isMarked(address)) return null;
    const block = this.blocks.get(address) ?? buildBlock(this.core, address, 0, this.isMarked);
    if (block === null || !isTranslatable(block)) return null;
    this.blocks.set(address, block);
    return block;
  }

  blockAt(address: number): Block | null {
    const block = this.translatable(address);
    return block === null || block.passes < this.passesMin ? null : block;
  }

  costsIn(state: number, step: Step, slave: number): StepCosts {
    return costsIn(state, step, this.core.model, slave);
  }

  get parts(): readonly Part[] {
    const parts = this.core.memory.regions.flatMap((region) => region.parts);
    return parts.sort((a, b) => Number(b.writable) - Number(a.writable));
  }
}
