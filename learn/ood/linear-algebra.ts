/** The little linear algebra that Mahalanobis distances need; matrices are row-major. */
import { assert } from '../../common/errors.ts';

/** L^-1 (lower triangular) of a symmetric positive definite matrix L L^T given by its lower triangle. */
export function choleskyFactor(matrix: Float64Array, size: number): Float64Array {
  const factor = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k += 1) sum -= factor[i * size + k]! * factor[j * size + k]!;
      if (i === j) assert(sum > 0, 'a positive definite matrix');
      factor[i * size + j] = i === j ? Math.sqrt(sum) : sum / factor[j * size + j]!;
    }
  }
  const inverse = new Float64Array(size * size);
  for (let column = 0; column < size; column += 1) {
    for (let i = column; i < size; i += 1) {
      let sum = i === column ? 1 : 0;
      for (let k = column; k < i; k += 1) sum -= factor[i * size + k]! * inverse[k * size + column]!;
      inverse[i * size + column] = sum / factor[i * size + i]!;
    }
  }
  return inverse;
}

/** |M x|^2 for a lower triangular M. */
export function whitenedSquare(matrix: Float64Array, x: ArrayLike<number>): number {
  const size = x.length;
  let total = 0;
  for (let i = 0; i < size; i += 1) {
    let sum = 0;
    for (let j = 0; j <= i; j += 1) sum += matrix[i * size + j]! * x[j]!;
    total += sum * sum;
  }
  return total;
}
