/**
 * Converters write a flatten with an open batch size as SHAPE -> STRIDED_SLICE -> PACK -> RESHAPE. Shapes are known here, so what such
 * integer chains compute is a constant: they are carried out at import and need no code.
 */
import { RANK_MAX } from '../../ir/verify.ts';
import type { OpSource } from './op-source.ts';
import { importStridedSlice } from './strided-slice.ts';

/** Values of the op's output when it only computes on shapes; null for every other op. Throws UserError as importers do. */
export function foldedShapeValues(op: OpSource): readonly number[] | null {
  switch (op.name) {
    case 'SHAPE':
      op.requireInputs(1);
      op.options('ShapeOptions');
      return op.inputShape(0);
    case 'PACK':
      return packedValues(op);
    case 'STRIDED_SLICE':
      return slicedValues(op);
    default:
      return null;
  }
}

function packedValues(op: OpSource): readonly number[] {
  const { axis, valuesCount } = op.options('PackOptions');
  if (op.inputCount !== valuesCount || valuesCount > RANK_MAX)
    throw op.fail(`packs ${valuesCount} values from ${op.inputCount} inputs`);
  const scalars = Array.from({ length: op.inputCount }, (_, i) => op.constantInts(i, 'value'));
  if (axis !== 0 || scalars.some((values) => values.length !== 1))
    throw op.fail('only packing of single numbers (a shape) is supported');
  return scalars.flat();
}

/** Only a constant list of integers is sliced here; data is sliced at run time. */
function slicedValues(op: OpSource): readonly number[] | null {
  const index = op.inputIndex(0);
  if (index === null || op.tensors.data(index) === null) return null;
  const type = op.tensors.typeName(index);
  if (type !== 'INT32' && type !== 'INT64') return null;
  const values = op.constantInts(0, 'input');
  if (op.tensors.shape(index).length !== 1)
    throw op.fail('only a list is sliced at import, this constant has more dimensions');
  const slice = importStridedSlice(op);
  const [first, step, count] =
    slice.kind === 'STRIDED_SLICE' ? [slice.begin[0], slice.step[0], slice.outputExtent[0]] : [];
  return Array.from({ length: count ?? 0 }, (_, i) => values[(first ?? 0) + i * (step ?? 1)] ?? 0);
}
