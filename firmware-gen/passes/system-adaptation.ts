/**
 * The head of a decision system as a layer that learns on the device: softmax regression on the features that the encoder has just made. Its weights
 * are those of the head; its logits are what the head's likelihoods are made of, in nats.
 */
import { UserError, defined } from '../../common/errors.ts';
import { ADAPT_LAYERS, type AdaptationOptions, type HeadAdaptation, type HeadFeatures } from '../ir/adaptation.ts';
import { realScale, runScale } from '../ir/dynamic.ts';
import { tensorOf } from '../ir/graph.ts';
import type { DecisionSystem, SystemHead } from '../ir/system.ts';
import { STEPS, UNIT_LENGTH, weights16 } from '../reference/adaptation/layers.ts';
import { HEADROOM_STATIC, foldedWeights, learningLayer } from './adaptation.ts';

/** What of a system can learn. */
export const HEAD_LAYERS = ADAPT_LAYERS.filter((layers) => layers !== 'block');

/** Steps of int16 features per step of the finest int8 ones that were seen: 64 times louder windows still fit. */
const DYNAMIC_STEPS = 4;

/** Q10 exponents of two in a nat. */
const EXPONENTS = 1024 * Math.LOG2E;

interface RealHead {
  readonly features: HeadFeatures;
  /** Real step of the int16 features. */
  readonly step: number;
  /** [classes, size], of real features. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/**
 * A cosine head's likelihoods are a softmax of its cosines times an inverse temperature, so features are phi / (|phi| * temperature) and weights the unit
 * vectors; that weights keep their length is given up while learning, and a bias comes in, which begins at zero.
 */
function cosineHead({ head, sharpness }: Extract<SystemHead, { kind: 'cosine' }>): RealHead {
  const inverseTemperature = (sharpness * 2 ** 15) / 2 ** 8 / EXPONENTS;
  return {
    features: { kind: 'unit' },
    step: inverseTemperature / UNIT_LENGTH,
    weights: Float64Array.from(head.weights, (weight) => weight / 32768),
    bias: new Float64Array(head.classes),
  };
}

function linearHead(
  { head, scale, phiShift }: Extract<SystemHead, { kind: 'linear' }>,
  { encoder }: DecisionSystem,
): RealHead {
  const nats = (scale.multiplier * 2 ** (scale.shift - 31)) / EXPONENTS;
  const bias = Float64Array.from(head.bias, (value) => value * nats);
  const real = (phiStep: number): Float64Array => Float64Array.from(head.weights, (value) => (value * nats) / phiStep);
  if (phiShift !== undefined) {
    const finest = realScale({ multiplier: 2 ** 30, shift: phiShift });
    const step = finest / DYNAMIC_STEPS;
    return {
      features: { kind: 'scaled', scale: null, inverse: runScale(1 / step) },
      step,
      weights: real(finest),
      bias,
    };
  }
  const { scale: steps } = defined(tensorOf(encoder, encoder.outputs[0]!).quantization, 'quantization of the features');
  const step = steps[0]! / STEPS;
  return {
    features: { kind: 'scaled', scale: runScale(steps[0]!, -head.offset || 0), inverse: runScale(1 / step) },
    ...{ step, weights: real(steps[0]!), bias },
  };
}

/** @throws UserError for a system whose decisions a learned head would not change, and rates that its steps cannot hold */
export function systemAdaptation(system: DecisionSystem, options: AdaptationOptions): HeadAdaptation {
  const { name, head, latentFilter } = system;
  const { size, classes: outputs } = head.head;
  if (options.layers === 'block')
    throw new UserError(
      `${name}: a decision system's encoder has no dense layers of its own; choose --layers head or bias`,
    );
  if (latentFilter)
    throw new UserError(
      `${name}: its likelihoods are those of a filter over features, which no head changes; deploy it without that filter`,
    );
  if (size > 1023 || outputs > 64)
    throw new UserError(`${name}: its head has ${size} features and ${outputs} classes, 1023 and 64 can learn`);
  const real = head.kind === 'cosine' ? cosineHead(head) : linearHead(head, system);
  const steps = { input: real.step, output: 1 };
  const { layer, rate } = learningLayer({ size, outputs, isRelu: false }, steps, options);
  const headroom = options.arithmetic === 'static-16' ? HEADROOM_STATIC : 0;
  return {
    options,
    features: real.features,
    params: { layers: [layer], biasOnly: options.layers === 'bias', isDynamic: options.arithmetic === 'dynamic-16' },
    rates: [rate],
    initial: [weights16(foldedWeights({ size, outputs, ...real }, steps), headroom)],
  };
}
