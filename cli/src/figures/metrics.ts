import type { Model } from '../../../src/index.ts';
import { accuracy, evaluate, evaluateClasses, type Metrics } from '../../../src/metrics.ts';
import type { ScoredRows } from './evaluation.ts';

/** Metrics of a model's scores: of its probabilities (calibrated if the model is), and the accuracy of its decisions. */
export function metricsOf(model: Model, { logits, probabilities, labels, codes, weight }: ScoredRows): Metrics {
  const { classes, positive, multiclass, calibration } = model.manifest;
  const right = Uint8Array.from({ length: codes.length }, (_, i) => Number(codes[i] === labels[i]));
  const decided = accuracy({ probabilities: new Float64Array(right.length).fill(1) }, right, weight);
  // without calibration, logits are more exact
  if (multiclass !== null) {
    const predictions = calibration ? { probabilities } : { logits, link: multiclass };
    return { ...evaluateClasses(predictions, codes, weight), accuracy: decided };
  }
  const code = classes.indexOf(positive!);
  const y = Uint8Array.from({ length: codes.length }, (_, i) => Number(codes[i] === code));
  const predictions = calibration ? { probabilities: probabilities[0] } : { logits: logits[0] };
  return { ...evaluate(predictions, y, weight), accuracy: decided };
}
