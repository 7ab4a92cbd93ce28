/** What the tests of import errors share: a model whose operator 0 is right, so that the one at fault is never the first. */
import { importGraph } from '../../firmware-gen/passes/import.ts';
import type { BuiltinOperatorName } from '../../firmware-gen/tflite/enums.ts';
import { ModelBuilder, userErrorOf } from '../tflite/model-builder.ts';

/** Input x int8 [1,4,4,2], operator 0 a valid RELU of it to y; the case adds operator 1. */
export interface Start {
  readonly b: ModelBuilder;
  readonly x: number;
  readonly y: number;
}

export function messageFor(add: (start: Start) => void): string {
  const b = new ModelBuilder();
  const x = b.tensor({ shape: [1, 4, 4, 2] });
  const y = b.tensor({ shape: [1, 4, 4, 2] });
  b.op('RELU', [x], [y]);
  add({ b, x, y });
  return userErrorOf(() => importGraph(b.model([x], [y]), 'm'));
}

export const stride1 = { strideW: 1, strideH: 1 };
export const pool2 = { ...stride1, padding: 1, filterWidth: 2, filterHeight: 2 };
export const same = (b: ModelBuilder): number => b.tensor({ shape: [1, 4, 4, 2] });
export const filter = (b: ModelBuilder, changes: Partial<Parameters<ModelBuilder['tensor']>[0]> = {}): number =>
  b.tensor({ shape: [2, 1, 1, 2], data: new Int8Array(4), ...changes });

export type Case = readonly [title: string, kind: BuiltinOperatorName, message: RegExp, add: (start: Start) => void];
