/** Which blocks run as translated code: those passed often enough, in one set of translations for each state of the FPU. */
import type { Block } from './block.ts';
import type { BlockCache } from './block-cache.ts';
import type { CoreState } from './core-state.ts';
import { Translations } from './translate/translations.ts';

type Passage = NonNullable<ReturnType<Translations['enter']>>;

export class HotCode {
  private readonly blocks: BlockCache;
  private readonly hotPasses: number;
  /** For when the FPU may not be used, and for when it may: an exception handler must not throw the other away. */
  private readonly byFpu: readonly [Translations, Translations];
  private fpuEnabled = false;
  private translations: Translations;

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

  clear(): void {
    for (const translations of this.byFpu) translations.clear();
  }

  /** The block there if it is translated; the pass that makes it hot translates it. */
  at(pc: number): Block | undefined {
    return this.translations.find(pc) ?? this.translateIfHot(pc);
  }

  enter(address: number, cycles: number): Passage | null {
    return this.translations.enter(address, cycles);
  }

  /** Code that was left for the interpreter may be worth a new translation. */
  noteBail(translation: Passage['translation']): void {
    if (this.translations.isOutdated(translation)) translation.start.passes = 0;
  }

  private translateIfHot(pc: number): Block | undefined {
    if (this.hotPasses === Infinity) return undefined;
    const block = this.blocks.at(pc, 0);
    if (block === null || ++block.passes % this.hotPasses !== 0) return undefined;
    if (this.blocks.translatable(pc) === null) return undefined;
    this.translations.translate(block, this.blocks, this.fpuEnabled);
    return this.translations.find(pc);
  }
}
