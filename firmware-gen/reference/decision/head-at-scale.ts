/** A head for features whose scale is found at run time: the twin of tl_linear_at_scale, bit for bit. */
import { defined } from '../../../common/errors.ts';
import { bitLength, rescaleUnits, type RunScale } from '../../ir/dynamic.ts';
import { INT32_MAX, type QuantizedMultiplier } from '../../ir/quantized-math.ts';
import type { SystemHead } from '../../ir/system.ts';

/** The head as static features would have it. @param scale of phi; null: it is static */
export function headAtScale<Head extends SystemHead>(head: Head, scale: RunScale | null): Head {
  if (scale === null) return head;
  const offset = -scale.zeroPoint || 0;
  // A cosine has no unit: what phi counts in is none of its business.
  if (head.kind === 'cosine') return { ...head, head: { ...head.head, offset } };
  const phiShift = defined(head.phiShift, 'scale of phi in a linear head');
  const own: RunScale = { multiplier: 2 ** 30, shift: phiShift, zeroPoint: 0 };
  const bias = head.head.bias.map((value) => rescaleUnits(value, own, scale));
  return { ...head, head: { ...head.head, offset, bias }, scale: exponentScale(head.scale, phiShift, scale) };
}

/** scale * (scale of phi) / 2^(phiShift - 1), within what requantization takes: at most one, below 2^-32 nothing. */
function exponentScale(
  { multiplier, shift }: QuantizedMultiplier,
  phiShift: number,
  phi: RunScale,
): QuantizedMultiplier {
  const product = BigInt(multiplier) * BigInt(phi.multiplier);
  const bits = bitLength(product);
  const scaled = shift + phi.shift - phiShift + bits - 61;
  if (product === 0n || scaled < -31) return { multiplier: 0, shift: 0 };
  if (scaled > 0) return { multiplier: INT32_MAX, shift: 0 };
  return { multiplier: Number(product >> BigInt(bits - 31)), shift: scaled };
}
