/** Decision systems whose encoder is in dynamic fixed point: deployed from a trained network, and what louder windows make of them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { realScale } from '../../firmware-gen/ir/dynamic.ts';
import { tensorOf } from '../../firmware-gen/ir/graph.ts';
import type { DecisionSystem } from '../../firmware-gen/ir/system.ts';
import { SystemReference } from '../../firmware-gen/reference/system.ts';
import { assembleSystem, parseSystem, systemJson } from '../../firmware-gen/system-file.ts';
import { QUANTIZATION_SCHEMES, type HeadKind, type QuantizationScheme } from '../../learn/deep/config.ts';
import { deploy, judge } from '../../learn/deep/deploy.ts';
import type { Network } from '../../learn/deep/network.ts';
import { train } from '../../learn/deep/trainer.ts';
import { gateScore, gateThreshold } from '../../learn/ood/system-scores.ts';
import { startTfjs } from '../../learn/tfjs/start.ts';
import { randomSystem, syntheticStream, withLatentFilter } from './support/random-system.ts';
import { toyConfig, toyDeployment, toyFloats, toySource, toyWindows } from './support/toy-motion.ts';

const networks = new Map<HeadKind, Network>();
const test = toyWindows(150, 77);
const louder = (gain: number): Int16Array[] => test.windows.map((window) => window.map((value) => gain * value));

beforeAll(async () => {
  await startTfjs();
  for (const kind of ['deconf-c', 'linear'] as const) {
    const config = toyConfig({ head: { kind } });
    networks.set(
      kind,
      train(config, toySource(config), { checkpoint: null, key: '', report: () => undefined }).network,
    );
  }
});

function deployed(
  kind: 'deconf-c' | 'linear',
  scheme: QuantizationScheme,
): { network: Network; system: DecisionSystem } {
  const network = networks.get(kind)!;
  const how = { ...toyDeployment(network.config), quantization: { scheme, granularity: 'channel' } as const };
  return { network, system: deploy(network, how) };
}

/** Length of the error of phi over that of phi, root of the mean over windows. */
function featureError(network: Network, system: DecisionSystem, windows: readonly Int16Array[]): number {
  const reference = new SystemReference(system);
  const output = tensorOf(system.encoder, system.encoder.outputs[0]!).quantization!;
  const exact = network.outputs(windows.map(toyFloats)).map(({ phi }) => phi);
  const [error, power] = [0, 0].map((_, which) =>
    windows.reduce((sum, window, i) => {
      const { phi, scale } = reference.features(window);
      const [step, zero] = scale ? [realScale(scale), scale.zeroPoint] : [output.scale[0]!, output.zeroPoint[0]!];
      return exact[i]!.reduce((s, value, d) => s + (which ? value : step * (phi[d]! - zero) - value) ** 2, sum);
    }, 0),
  );
  return Math.sqrt(error! / power!);
}

describe.each(['deconf-c', 'linear'] as const)('a deployed network with head %s', (kind) => {
  it.each(QUANTIZATION_SCHEMES)(
    'should classify as the float network does and accept the share it was told: %s',
    (scheme) => {
      const { network, system } = deployed(kind, scheme);
      const float = network
        .outputs(test.windows.map(toyFloats))
        .map(({ logits }) => logits[0]!.indexOf(Math.max(...logits[0]!)));
      const { labels } = judge(system, test.windows);
      expect(float.filter((label, i) => label === test.labels[i]).length).toBeGreaterThan(0.9 * float.length);
      expect(labels.filter((label, i) => label === float[i]).length).toBeGreaterThanOrEqual(0.97 * labels.length);
      const { windows } = toyDeployment(network.config).validation;
      const accepted = judge(system, windows).accepted.filter(Boolean).length;
      expect(accepted / windows.length).toBeGreaterThanOrEqual(0.9);
      expect(accepted / windows.length).toBeLessThan(0.93);
      // What is judged offline is what the system decides by.
      const reference = new SystemReference(system);
      const scores = windows.map((window) => gateScore(system, reference, window) >= gateThreshold(system));
      expect(scores).toEqual(judge(system, windows).accepted);
    },
  );

  it.each(['dynamic-q', 'dynamic-asym'] as const)('should come back from its file: %s', (scheme) => {
    const { system } = deployed(kind, scheme);
    const document = parseSystem(JSON.parse(systemJson(system, 'x.tflite')), 'x');
    expect(assembleSystem(document, system.encoder, 'x')).toEqual(system);
  });
});

describe('windows eight times louder than those trained with', () => {
  it.each([
    ['static', 0.5, Infinity],
    ['dynamic-q', 0, 0.1],
    ['dynamic-asym', 0, 0.05],
  ] as const)('should be clipped by static scales alone: %s', (scheme, atLeast, atMost) => {
    const { network, system } = deployed('deconf-c', scheme);
    expect(featureError(network, system, test.windows)).toBeLessThan(0.1);
    const error = featureError(network, system, louder(8));
    expect(error).toBeGreaterThan(atLeast);
    expect(error).toBeLessThan(atMost);
  });
});

describe('what cannot be in dynamic fixed point', () => {
  const stream = syntheticStream(12, 3);
  const plain = randomSystem({ kind: 'raw' }, 'max-softmax', stream, 'dynamic-asym');
  const parse = (system: DecisionSystem): unknown => parseSystem(JSON.parse(systemJson(system, 'x.tflite')), 'x');

  it('should be refused with the reason', () => {
    const distance = randomSystem({ kind: 'raw' }, 'mahalanobis', stream, 'dynamic-q');
    expect(() => parse(distance)).toThrow('x: gate.kind mahalanobis needs an encoder of static scales');
    const taught = randomSystem({ kind: 'raw' }, 'unknown-class', stream, 'dynamic-q');
    expect(() => parse(taught)).toThrow('x: gate.kind unknown-class needs an encoder of static scales');
    expect(() => parse(withLatentFilter(plain))).toThrow('x: latentFilter needs an encoder of static scales');
    expect(() => toyConfig({ frontEnd: { kind: 'image' }, quantization: { scheme: 'dynamic-q' } })).toThrow(
      'quantization.scheme of an image front end is static alone',
    );
    const { head } = plain;
    if (head.kind !== 'linear') throw new Error('a linear head');
    expect(() => parse({ ...plain, head: { ...head, phiShift: undefined } })).toThrow('head.phiShift is missing');
    const full = { ...head.head, weights: head.head.weights.map(() => 32767), size: 129 };
    const weights = new Int16Array(129 * 3).fill(32767);
    expect(() => parse({ ...plain, head: { ...head, head: { ...full, weights } } })).toThrow('no room for a bias');
    expect(() => parse({ ...plain, head: { ...head, head: { ...head.head, offset: 3 } } })).toThrow('offset is not 0');
    const fixed = randomSystem({ kind: 'raw' }, 'cosine', stream);
    const found = randomSystem({ kind: 'raw' }, 'cosine', stream, 'dynamic-q');
    const document = (system: DecisionSystem) => parseSystem(JSON.parse(systemJson(system, 'x.tflite')), 'x');
    expect(() => assembleSystem(document(fixed), found.encoder, 'x')).toThrow('frontEnd.unit is missing');
    expect(() => assembleSystem(document(found), fixed.encoder, 'x')).toThrow('the encoder has static scales');
    const predicted = { ...found.encoder, dynamics: { ...found.encoder.dynamics!, form: 'predicted' as const } };
    expect(() => assembleSystem(document(found), predicted, 'x')).toThrow('form predicted');
    const odd = { ...document(found), frontEnd: { ...found.frontEnd, unit: { multiplier: 2 ** 30 + 1, shift: 0 } } };
    expect(() => assembleSystem(odd as ReturnType<typeof document>, found.encoder, 'x')).toThrow('no power of two');
  });
});
