import { type BinaryMetrics, evaluateBinary, evaluateMulticlass, type Model, type Scores } from '../../src/index.ts';

/** The values of each weight vector, of logits or probabilities as a scorer gives them. */
export function planes<T extends Float64Array | Float32Array>({ rows }: Scores, values: T): T[] {
  return Array.from({ length: values.length / rows }, (_, k) => values.subarray(k * rows, (k + 1) * rows) as T);
}

/**
 * Metrics of the logits of a model.
 * @param logits  one array for each weight vector of the model
 * @param codes   class of each row, as an index into the classes of the model
 */
export function evaluate(
  model: Model,
  logits: readonly Float64Array[],
  codes: ArrayLike<number>,
  weight?: Float64Array,
): BinaryMetrics {
  const { classes, positive, multiclass } = model.manifest;
  if (multiclass !== null) return evaluateMulticlass(logits, codes, weight, multiclass);
  const code = classes.indexOf(positive!);
  const y = new Uint8Array(codes.length);
  for (let i = 0; i < y.length; i++) y[i] = codes[i] === code ? 1 : 0;
  return evaluateBinary(logits[0], y, weight);
}
