/** What kernels/runtime/tl_learner.c is told about layers that learn, those of a model as of a decision system's head. */
import { UserError } from '../../common/errors.ts';
import { weightCount, type Adaptation } from '../ir/adaptation.ts';
import { constantTable as table, floatLiteral } from './c-writer.ts';
import { STORE_UNIT_BYTES } from './flash-store.ts';

type Learnable = Pick<Adaptation, 'params' | 'rates' | 'initial' | 'options'>;

/** Bytes of the record: identity, steps and exponents, then weights. */
export function recordBytesOf({ params, options }: Learnable): number {
  const each = options.arithmetic === 'float' ? 4 : 2;
  const weights = params.layers.reduce((sum, layer) => sum + each * weightCount(layer), 0);
  return Math.ceil((16 + weights) / STORE_UNIT_BYTES) * STORE_UNIT_BYTES;
}

/** Differs between models, layers and arithmetics: what another build has learned is not taken. */
export function identityOf({ options }: Learnable, modelSha256: string): number {
  const word = Number.parseInt(modelSha256.slice(0, 8), 16);
  if (Number.isNaN(word)) throw new UserError(`the model's hash "${modelSha256}" is none`);
  const kinds = ['head', 'bias', 'block', 'float', 'static-16', 'dynamic-16'];
  return (word ^ (8 * kinds.indexOf(options.layers) + kinds.indexOf(options.arithmetic) + 1)) >>> 0;
}

/** Definitions of `params`, `initial`, `exponents` and in float `rates`. */
export function learnedConstants({ params, rates, initial, options }: Learnable): string {
  const rows = params.layers.map((one) => {
    const { size, outputs, isRelu, rateMantissa, rateShift, gradientShift, deltaShift } = one;
    return `    {${[size, outputs, Number(isRelu), rateMantissa, rateShift, gradientShift, deltaShift].join(', ')}},`;
  });
  return [
    `static const tl_adapt_layer layers[] = {\n${rows.join('\n')}\n};
static const tl_adapt_params params = {layers, ${params.layers.length}, ${Number(params.biasOnly)}, ${Number(params.isDynamic)}};\n`,
    ...(options.arithmetic === 'float' ? [table('float', 'rates', rates.map(floatLiteral))] : []),
    ...initial.map(({ weights }, i) => table('int16_t', `initial${i}`, weights)),
    `static const int16_t *const initial[] = {${initial.map((_, i) => `initial${i}`).join(', ')}};\n`,
    table(
      'int32_t',
      'exponents',
      initial.map(({ exponent }) => exponent),
    ),
  ].join('\n');
}
