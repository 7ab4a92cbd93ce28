/** A decision system that is taught window by window beside its twin: every decision, every step and in the end every weight is compared. */
import type { HeadAdaptation } from '../firmware-gen/ir/adaptation.ts';
import type { DecisionSystem } from '../firmware-gen/ir/system.ts';
import { LearningHead } from '../firmware-gen/reference/adaptation/head.ts';
import { SystemReference, type Decision } from '../firmware-gen/reference/system.ts';
import { recordHeader, recordWeights } from './adaptation.ts';
import type { LearningTarget } from './learning-target.ts';
import { isEqualDecision, twinDecisions } from './system-run.ts';

export interface LabelledWindow {
  /** As it is pushed. */
  readonly window: Int16Array;
  /** Class. */
  readonly label: number;
}

/** Shares, 0..1; null of nothing. */
export interface Judged {
  /** Of known windows. */
  readonly accepted: number;
  /** Of the accepted, by the class of the window alone. */
  readonly right: number | null;
  /** Accepted and right, of known windows. */
  readonly useful: number;
  readonly unknownAccepted: number | null;
}

export interface TaughtOutcome {
  readonly isEqual: boolean;
  readonly steps: number;
  /** Nats, before each step. */
  readonly meanLoss: number;
  /** Of the last step. */
  readonly stepCycles: number | null;
  readonly comparedDecisions: number;
}

export class TaughtSystem {
  readonly #system: DecisionSystem;
  readonly #adaptation: HeadAdaptation;
  readonly #target: LearningTarget;
  readonly #onWindow: () => void;
  readonly #head: LearningHead;
  readonly #twin: SystemReference;
  #isEqual = true;
  #compared = 0;
  #loss = 0;
  #stepCycles: number | null = null;

  /** @param target with the head as trained @param onWindow after each window */
  constructor(system: DecisionSystem, adaptation: HeadAdaptation, target: LearningTarget, onWindow: () => void) {
    this.#system = system;
    this.#adaptation = adaptation;
    this.#target = target;
    this.#onWindow = onWindow;
    this.#head = new LearningHead(adaptation);
    this.#twin = new SystemReference(system, this.#head);
  }

  async judge(known: readonly LabelledWindow[], unknown: readonly Int16Array[]): Promise<Judged> {
    let [accepted, useful, unknownAccepted] = [0, 0, 0];
    for (const { window, label } of known) {
      const decision = await this.#decide(window);
      accepted += Number(decision.accepted);
      useful += Number(decision.accepted && decision.label === label);
    }
    for (const window of unknown) unknownAccepted += Number((await this.#decide(window)).accepted);
    return {
      accepted: accepted / known.length,
      right: accepted === 0 ? null : useful / accepted,
      useful: useful / known.length,
      unknownAccepted: unknown.length === 0 ? null : unknownAccepted / unknown.length,
    };
  }

  async learn({ window, label }: LabelledWindow): Promise<void> {
    const { decision, probability, cycles } = await this.#target.learn(window, label);
    this.#compare(decision, this.#expected(window));
    const expected = this.#twin.learn(label);
    this.#isEqual &&= probability === expected;
    this.#loss -= Math.log(Math.max(1, expected) / 32768);
    this.#stepCycles = cycles;
    this.#onWindow();
  }

  /** To flash; what is there after a reset is compared too. */
  async commit(): Promise<void> {
    await this.#target.commit();
    await this.#target.reset();
  }

  async outcome(): Promise<TaughtOutcome> {
    const record = await this.#target.record();
    const [kept] = this.#head.kept();
    const { steps, exponents } = recordHeader(record);
    const weights = recordWeights(this.#adaptation, record)[0]!;
    const isEqual =
      this.#isEqual &&
      steps === this.#head.steps &&
      exponents[0] === kept!.exponent &&
      weights.every((value, i) => value === kept!.weights[i]);
    const meanLoss = steps === 0 ? 0 : this.#loss / steps;
    return { isEqual, steps, meanLoss, stepCycles: this.#stepCycles, comparedDecisions: this.#compared };
  }

  async #decide(window: Int16Array): Promise<Decision> {
    const decision = await this.#target.decide(window);
    this.#compare(decision, this.#expected(window));
    this.#onWindow();
    return decision;
  }

  /** The twin's decision, of a new stream. */
  #expected(window: Int16Array): Decision | undefined {
    this.#twin.restart();
    return twinDecisions(this.#system, window, this.#twin).at(-1);
  }

  #compare(actual: Decision, expected: Decision | undefined): void {
    this.#compared += 1;
    this.#isEqual &&= expected !== undefined && isEqualDecision(actual, expected);
  }
}
