import type { Model } from '../../../src/index.ts';
import { accuracy, auc, brier, ece, evaluateClasses, logLoss, type Metrics } from '../../../src/metrics.ts';
import { rankedRows, type ScoredRows } from './ranked.ts';

/** Metrics of a model's scores: of its probabilities (calibrated if the model is), and the accuracy of its decisions. */
export function metricsOf(model: Model, rows: ScoredRows): Metrics {
  const { logits, probabilities, labels, codes, weight } = rows;
  const { classes, positive, multiclass, calibration } = model.manifest;
  const right = marks(codes, (i) => codes[i] === labels[i]);
  const decided = accuracy({ probabilities: new Float64Array(right.length).fill(1) }, right, weight);
  // without calibration, logits are more exact
  if (multiclass !== null) {
    const predictions = calibration ? { probabilities } : { logits, link: multiclass };
    return { ...evaluateClasses(predictions, codes, weight), accuracy: decided };
  }
  const code = classes.indexOf(positive!);
  const y = marks(codes, (i) => codes[i] === code);
  const predictions = calibration ? { probabilities: probabilities[0] } : { logits: logits[0] };
  const ranked = rankedRows(rows, code, 0);
  return {
    logLoss: logLoss(predictions, y, weight),
    auc: auc(calibration ? ranked.ordered(probabilities[0]) : ranked.scores, ranked.y, ranked.weight),
    brier: brier(predictions, y, weight),
    ece: ece(predictions, y, weight),
    accuracy: decided,
  };
}

/** 1 where it is so, for each of the rows. */
function marks(rows: ArrayLike<number>, isSo: (row: number) => boolean): Uint8Array {
  const found = new Uint8Array(rows.length);
  for (let i = 0; i < found.length; i++) found[i] = isSo(i) ? 1 : 0;
  return found;
}
