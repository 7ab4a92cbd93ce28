/** Which kernel a depthwise layer in dynamic fixed point gets, and its scratch. */
import { defined } from '../../../common/errors.ts';
import { isStripDepthwise, type DynamicWeightedOp } from '../../ir/dynamic-ops.ts';
import type { Graph } from '../../ir/graph.ts';
import { elementCount } from '../../ir/graph.ts';
import { outputTensor } from './call.ts';

/** Per column of the strip kernels' scratch: 16 int16 values of the strip and 2 int32 sums. */
const STRIP_COLUMN_BYTES = 40;
/** What walks of the full form write in front of the first sum, and behind each channel's last. */
const LEADING_SUMS = 4;
const GAP_SUMS = 2;

interface DepthwisePlan {
  readonly function: string;
  readonly scratchBytes: number;
  readonly isStrip: boolean;
  readonly isUpright: boolean;
}

export function depthwisePlan(
  op: DynamicWeightedOp & { readonly kind: 'DEPTHWISE_CONV_2D' },
  graph: Graph,
): DepthwisePlan {
  const output = outputTensor(op, graph);
  const [, outputH = 1, outputW = 1, channels = 1] = output.shape;
  const { scheme, form } = defined(op.dynamic, 'dynamics');
  const outputs = elementCount(output.shape);
  const isUpright = outputH > outputW;
  const run = Math.max(outputH, outputW);
  const biases = 4 * channels;
  if (!isStripDepthwise(op, graph)) {
    const sums = 4 * (form === 'full' ? outputs : channels);
    const shared = { function: 'tl_depthwise_conv_dynamic_s8', isStrip: false, isUpright };
    return { ...shared, scratchBytes: (scheme === 'asym' ? 2 : 1) * biases + sums };
  }
  const isHalved = op.strideH === 2;
  const columns = isHalved ? 2 * run + 2 : run + 2 + (run % 2);
  const strip = columns * STRIP_COLUMN_BYTES;
  if (form === 'full') {
    const sums = LEADING_SUMS + outputs + GAP_SUMS * (outputs / (outputH * outputW));
    const shared = { function: 'tl_depthwise_conv_3x3_full_dynamic_s8', isStrip: true, isUpright };
    return { ...shared, scratchBytes: strip + biases + 4 * sums };
  }
  const scratchBytes = strip + biases + (form === 'recompute' ? 4 : 0);
  return { function: 'tl_depthwise_conv_3x3_dynamic_s8', scratchBytes, isStrip: true, isUpright };
}
