/** A layer of a quantized model beside the float one, as cells of a table. */
import type { LayerError } from '../learn/evaluate/layers.ts';

export const layerHeader = ['op', 'kind', 'SQNR dB', 'float range', 'integers hold', 'clipped'] as const;

export function layerCells(layer: LayerError): (string | number)[] {
  return [
    layer.index,
    layer.opcode,
    layer.sqnrDb === null ? '-' : layer.sqnrDb.toFixed(1),
    `${layer.floatMin.toPrecision(4)} .. ${layer.floatMax.toPrecision(4)}`,
    `${layer.rangeMin.toPrecision(4)} .. ${layer.rangeMax.toPrecision(4)}`,
    `${(100 * layer.clippedShare).toFixed(3)} %`,
  ];
}
