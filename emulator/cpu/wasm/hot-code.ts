/** Which blocks run as translated code: those passed often enough, in one set of translations for each state of the FPU. */
import type { CodeRange } from '../cpu.ts';
import type { BlockCache } from './block-cache.ts';
import type { CoreState } from './core-state.ts';
import { REFILLED } from '../../timing/pipeline.ts';
import type { TimedMemory } from './translate/emit-timing.ts';
import { Translations, type Entry } from './translate/translations.ts';

export type Passage = NonNullable<ReturnType<Translations['enter']>>;

export class HotCode {
  private readonly blocks: BlockCache;
  private readonly hotPasses: number;
  /** For when the FPU may not be used, and for when it may: an exception handler must not throw the other away. */
  private readonly byFpu: readonly [Translations, Translations];
  private fpuEnabled = false;
  private translations: Translations;
  private timed: TimedMemory | null = null;

  /** @param hotPasses passes of a block after which it is translated; Infinity: never */
  constructor(core: CoreState, blocks: BlockCache, hotPasses: number) {
    this.blocks = blocks;
    this.hotPasses = hotPasses;
    this.byFpu = [new Translations(core), new Translations(core)];
    this.translations = this.byFpu[0];
  }

  setFpuEnabled(enabled: boolean): void {
    this.fpuEnabled = enabled;
    this.translations = this.byFpu[enabled ? 1 : 0];
  }

  setTimedMemory(timed: TimedMemory): void {
    this.timed = timed;
    for (const translations of this.byFpu) translations.setTimedMemory(timed);
  }

  /** What was made of code in the range; without one, all. */
  forget(range?: CodeRange): void {
    for (const translations of this.byFpu) {
      if (range === undefined) translations.clear();
      else translations.forget(range);
    }
    if (range === undefined) this.timed?.memo.clear();
    else this.timed?.memo.forgetSites();
  }

  /**
   * Runs translated code from an address. Null if there is none, or too few cycles are left for the limit to be kept exactly.
   * @param state of the pipeline @param cycles counter now @param cyclesMax its limit
   */
  run(pc: number, state: number, cycles: number, cyclesMax: number): Passage | null {
    const entry = this.at(pc, state);
    if (entry === undefined) return null;
    const cyclesLeft = Math.floor(cyclesMax - cycles);
    if (cyclesLeft <= entry.cyclesBound) return null;
    const memo = this.timed?.memo;
    memo?.enter(cycles);
    const passage = this.translations.enter(entry, cyclesLeft);
    if (passage?.site.bails === true) this.noteBail(passage.translation);
    if (memo === undefined) return passage;
    const extra = memo.leave(passage?.site.timing ?? null, cycles + (passage?.cycles ?? 0));
    return passage === null ? null : { ...passage, cycles: passage.cycles + extra };
  }

  private translateIfHot(pc: number, state: number): Entry | undefined {
    if (this.hotPasses === Infinity) return undefined;
    const block = this.blocks.at(pc, 0);
    if (block === null || ++block.passes % this.hotPasses !== 0) return undefined;
    if (this.blocks.translatable(pc) === null) return undefined;
    this.translations.translate(block, state, this.blocks, this.fpuEnabled);
    const made = this.translations.find(pc);
    return made?.state === state ? made : undefined;
  }

  /** Code that was left for the interpreter may be worth a new translation. */
  private noteBail(translation: Passage['translation']): void {
    if (this.translations.isOutdated(translation)) translation.start.passes = 0;
  }

  /** Translated code for this address and state of the pipeline; the pass that makes it hot translates it. */
  private at(pc: number, state: number): Entry | undefined {
    const known = this.translations.find(pc);
    if (known?.state === state) return known;
    // One entry an address: in the state that branches lead to, if it is ever reached by one.
    return known === undefined || state === REFILLED ? this.translateIfHot(pc, state) : undefined;
  }
}
