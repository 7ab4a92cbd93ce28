/** The contract's input generator: the same bytes from the same seed for everyone (CONTRACT.md, `--lcg`). */
import { UserError } from '../common/errors.ts';
import { bytesPerElement, elementCount, type Tensor } from '../firmware-gen/ir/graph.ts';

const MULTIPLIER = 1103515245;
const INCREMENT = 12345;
const MASK = 0x7fffffff;

/** Seed -> one byte value in -128..127 per call. */
export function lcg(seed: number): () => number {
  let x = seed | 0;
  return () => {
    x = (Math.imul(x, MULTIPLIER) + INCREMENT) & MASK;
    return ((x >> 16) & 0xff) - 128;
  };
}

/**
 * Little-endian bytes of every input tensor in order, from one running sequence over all of them in NHWC order.
 * int8: v, int16: v * 256, float32: v / 128.
 * @throws UserError for an input type the contract defines no sequence for
 */
export function lcgInputs(tensors: readonly Tensor[], seed: number): Uint8Array[] {
  const next = lcg(seed);
  return tensors.map((tensor) => {
    const count = elementCount(tensor.shape);
    const view = new DataView(new ArrayBuffer(count * bytesPerElement(tensor.dtype)));
    for (let i = 0; i < count; i++) {
      const v = next();
      if (tensor.dtype === 'int8') view.setInt8(i, v);
      else if (tensor.dtype === 'int16') view.setInt16(i * 2, v * 256, true);
      else if (tensor.dtype === 'float32') view.setFloat32(i * 4, v / 128, true);
      else
        throw new UserError(
          `--lcg: input ${tensor.name} is ${tensor.dtype}; only int8, int16 and float32 have a sequence; use --input FILE`,
        );
    }
    return new Uint8Array(view.buffer);
  });
}
