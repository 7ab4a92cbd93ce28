/** The parts of a decision system's C that an encoder in dynamic fixed point asks for: scales that are found anew for every window. */
import { defined } from '../../common/errors.ts';
import type { GraphDynamics } from '../ir/graph.ts';
import type { DecisionSystem, SystemHead } from '../ir/system.ts';

/** Scale 2^6, with which sums of a layer count in steps of its input: FRACTION_BITS of tl_dynamic_begin.c. */
const UNIT_WEIGHT = [2 ** 30, 7] as const;

/** Features as stages take them: with the scale they have now, where it is found at run time. */
export const phiParameters = ({ encoder }: DecisionSystem): string =>
  encoder.dynamics ? 'const int8_t *phi, const int32_t *phi_scale' : 'const int8_t *phi';
export const phiArguments = ({ encoder }: DecisionSystem): string => (encoder.dynamics ? 'phi, phi_scale' : 'phi');

export function dynamicConstants({ frontEnd, encoder: { dynamics } }: DecisionSystem): string[] {
  if (!dynamics || frontEnd.kind === 'image') return [];
  const { multiplier, shift } = defined(frontEnd.unit, 'unit of a dynamic front end');
  const least = dynamics.leastInput ?? { multiplier: 0, shift: 0 };
  const fields = ['TL_DYNAMIC_FULL', dynamics.scheme === 'asym' ? 1 : 0, 0, 0, 0, ...UNIT_WEIGHT];
  return [
    `/* How a window becomes int8: finest scale last. */\nstatic const tl_dynamic_params window_range = {${fields.join(', ')}, ${least.multiplier}, ${least.shift}};\n`,
    `static const int32_t window_unit[TL_SCALE_WORDS] = {${multiplier}, ${shift}, 0};\n`,
  ];
}

export function dynamicFront({ stream: { channels, frames } }: DecisionSystem, encoder: string): string {
  const input = (index: number, type: string): string => `(${type} *)${encoder}_input_at(arena, ${index})`;
  return `    tl_standardise_dynamic_s16_s8(channels, ${channels}, &window_range, window_unit, window, ${frames}, ${input(0, 'int8_t')},
                                  ${input(1, 'int32_t')});
`;
}

export interface HeadNow {
  /** Statements that make the head for phi_scale. */
  readonly locals: string;
  /** Names of the head and of a linear head's exponents. */
  readonly head: string;
  readonly exponents: string;
}

export function headNow(head: SystemHead, dynamics: GraphDynamics | undefined): HeadNow {
  if (!dynamics) return { locals: '', head: 'head', exponents: 'exponents' };
  if (head.kind === 'linear') {
    const locals = `    int32_t bias[${head.head.classes}];
    tl_linear_params now;
    tl_exponent_scale exponents_now;
    tl_linear_at_scale(&head, &exponents, ${defined(head.phiShift, 'scale of phi')}, phi_scale, bias, &now, &exponents_now);
`;
    return { locals, head: 'now', exponents: 'exponents_now' };
  }
  // A cosine has no unit: the zero point is all that it takes.
  const locals = `    tl_cosine_params now = head;
    now.offset = -phi_scale[2];
`;
  return { locals, head: 'now', exponents: 'exponents' };
}
