import type { Scores } from '../../../src/index.ts';

/** The logits or probabilities of each weight vector, from the arrays of a scorer. */
export function planes<T extends Float64Array | Float32Array>({ rows }: Scores, values: T): T[] {
  return Array.from({ length: values.length / rows }, (_, k) => values.subarray(k * rows, (k + 1) * rows) as T);
}
