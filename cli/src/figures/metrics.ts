import type { Model, Scores } from '../../../src/index.ts';
import {
  accuracyOfProbabilities,
  type BinaryMetrics,
  evaluateBinary,
  evaluateClassProbabilities,
  evaluateMulticlass,
  evaluateProbabilities,
} from '../../../src/metrics.ts';
import type { ScoredRows } from './evaluation.ts';

/** The values of each weight vector, of logits or probabilities as a scorer gives them. */
export function planes<T extends Float64Array | Float32Array>({ rows }: Scores, values: T): T[] {
  return Array.from({ length: values.length / rows }, (_, k) => values.subarray(k * rows, (k + 1) * rows) as T);
}

/** Metrics of what a model says of rows: of its probabilities, calibrated where it is, and the accuracy of its decisions. */
export function evaluate(model: Model, { logits, probabilities, labels, codes, weight }: ScoredRows): BinaryMetrics {
  const { classes, positive, multiclass, calibration } = model.manifest;
  const right = Uint8Array.from({ length: codes.length }, (_, i) => Number(codes[i] === labels[i]));
  const accuracy = accuracyOfProbabilities(new Float64Array(right.length).fill(1), right, weight);
  if (multiclass !== null) {
    const metrics = calibration
      ? evaluateClassProbabilities(probabilities, codes, weight)
      : evaluateMulticlass(logits, codes, weight, multiclass);
    return { ...metrics, accuracy };
  }
  const code = classes.indexOf(positive!);
  const y = Uint8Array.from({ length: codes.length }, (_, i) => Number(codes[i] === code));
  // without a calibration logits are the more exact
  const metrics = calibration
    ? evaluateProbabilities(probabilities[0], y, weight)
    : evaluateBinary(logits[0], y, weight);
  return { ...metrics, accuracy };
}
