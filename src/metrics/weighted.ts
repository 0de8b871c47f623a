import { sortTagged } from '../math/sort.ts';
import { binRows } from './bins.ts';
import type { Labels, RowScores, Weight } from './check.ts';
import { type ClassPredictions, isOfClasses, readClasses } from './classForms.ts';
import { figuresOfRows, type Predictions } from './forms.ts';

/** The figures that are compared. */
export const COMPARED = ['logLoss', 'auc', 'brier', 'ece'] as const;
/** The name of a figure that is compared. */
export type Compared = (typeof COMPARED)[number];
export type Figures = Record<Compared, number>;

/**
 * Prepares predictions so that their metrics under any weights take one pass over the rows.
 * @returns metrics under weights whose sum is positive, as `evaluate` or `evaluateClasses` has them; auc is NaN where a class has no weight
 * @throws as `evaluate`, `evaluateClasses`
 */
export function prepare(
  predictions: Predictions | ClassPredictions,
  y: Labels,
  weight: Weight,
): (weights: Float64Array) => Figures {
  const { losses, squares, areas, confidence, right } = isOfClasses(predictions)
    ? ofClasses(predictions, y, weight)
    : ofTwo(predictions as Predictions, y, weight);
  const { of, table } = binRows(confidence, right, weight, BINS);
  const apart = new Float64Array(table.length);
  return (weights) => {
    let total = 0;
    let logLoss = 0;
    let brier = 0;
    apart.fill(0);
    for (let i = 0; i < weights.length; i++) {
      const share = weights[i];
      // the loss of a row of weight 0 may be infinite
      if (share === 0) continue;
      total += share;
      logLoss += share * losses[i];
      brier += share * squares[i];
      apart[of[i]] += share * (confidence[i] - right[i]);
    }
    let ece = 0;
    for (const one of apart) ece += Math.abs(one) / total;
    let auc = 0;
    for (const area of areas) auc += area(weights) / areas.length;
    return { logLoss: logLoss / total, auc, brier: brier / total, ece };
  };
}

/** bins of the calibration error, of equal width */
const BINS = 10;

interface Rows {
  readonly losses: Float64Array;
  readonly squares: Float64Array;
  /** areas under ROC curves, of which the mean is the area of the predictions */
  readonly areas: readonly ((weights: Float64Array) => number)[];
  /** of each row the probability that is held against what happened, and whether it did */
  readonly confidence: Float64Array;
  readonly right: ArrayLike<number>;
}

function ofTwo(predictions: Predictions, y: Labels, weight: Weight): Rows {
  const { losses, squares, probabilities } = figuresOfRows(predictions, y, weight);
  const scores = predictions.logits ?? predictions.probabilities!;
  return { losses, squares, areas: [areaUnder(scores, y, 1)], confidence: probabilities, right: y };
}

function ofClasses(predictions: ClassPredictions, y: Labels, weight: Weight): Rows {
  const { row, classes, rows } = readClasses(predictions, y, weight);
  const [losses, squares, confidence] = [0, 0, 0].map(() => new Float64Array(rows));
  const ranks = Array.from({ length: classes }, () => new Float64Array(rows));
  const right = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    row.read(i);
    losses[i] = row.loss(y[i]);
    squares[i] = row.squares(y[i]);
    confidence[i] = row.probability(row.top);
    right[i] = row.top === y[i] ? 1 : 0;
    for (let j = 0; j < classes; j++) ranks[j][i] = row.rank(j);
  }
  return { losses, squares, areas: ranks.map((scores, j) => areaUnder(scores, y, j)), confidence, right };
}

/** The area of one class against the others, as a function of the weights. */
function areaUnder(scores: RowScores, y: Labels, label: number): (weights: Float64Array) => number {
  const { values, tags: rows } = sortTagged(scores, (row) => row);
  // the next score is another one
  const ends = Uint8Array.from(values, (value, k) => (value === values[k + 1] ? 0 : 1));
  const mine = Uint8Array.from(rows, (row) => (y[row] === label ? 1 : 0));
  return (weights) => {
    let sum = 0;
    let positive = 0;
    let negative = 0;
    let positives = 0;
    let negatives = 0;
    for (let k = 0; k < rows.length; k++) {
      if (mine[k] === 1) positives += weights[rows[k]];
      else negatives += weights[rows[k]];
      if (ends[k] === 0) continue;
      sum += positives * (negative + negatives / 2);
      positive += positives;
      negative += negatives;
      positives = 0;
      negatives = 0;
    }
    return sum / (positive * negative);
  };
}
