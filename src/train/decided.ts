import { LogoddsError } from '../../bindings/errors.ts';
import { exp, sigmoid, softmax } from '../../bindings/js/math.ts';
import { applyCalibration } from '../calibrate/apply.ts';
import { abstainByShare } from '../decide/abstain.ts';
import { type Criterion, chooseThreshold, type JudgedRows } from '../decide/choose.ts';
import { type Costs, costsOfMatrix, decisionByCosts } from '../decide/costs.ts';
import type { Decision } from '../decide/decision.ts';
import { list } from '../messages.ts';
import type { FittedModel } from '../model/fittedModel.ts';
import type { Model } from '../model/model.ts';
import type { DecideOption, ReviewOption } from './fitOptions.ts';
import type { OutOfFold } from './outOfFold.ts';

/**
 * The model with the decision and the band that were asked for.
 * @param rows  of `outOfFold`, computed when they are first needed
 * @throws ERR_RANGE, ERR_SHAPE, ERR_TARGET a decision that is none, or none of these classes; ERR_DATA what no threshold reaches
 */
export function decided(
  model: FittedModel,
  { decide, review }: { readonly decide?: DecideOption; readonly review?: ReviewOption },
  rows: () => OutOfFold,
): FittedModel {
  const chosen = decide ? model.with({ decision: decisionOf(model, decide, rows) }) : model;
  if (!review) return chosen;
  const band = 'share' in review ? chooseReview(chosen, rows(), review.share) : review;
  return chosen.with({ review: band });
}

function decisionOf(model: Model, asked: DecideOption, rows: () => OutOfFold): Decision {
  if ('threshold' in asked) return { threshold: asked.threshold };
  const { classes, positive } = model.manifest;
  if (asked.by !== 'cost') return chooseDecision(model, rows(), asked);
  const matrix = Array.isArray(asked.costs) ? (asked.costs as readonly (readonly number[])[]) : null;
  const decision = matrix && decisionByCosts(matrix, classes, positive);
  if (decision && positive === null) return decision;
  const costs = matrix ? costsOfMatrix(matrix, classes.indexOf(positive!)) : (asked.costs as Costs | undefined);
  const found = chooseDecision(model, rows(), { by: 'cost', costs });
  return found.chosen ? { ...found, chosen: { ...found.chosen, costs } } : found;
}

/**
 * Chooses the threshold of a model of two classes by `chooseThreshold`, on its (calibrated) probabilities of rows it was not fitted to.
 *
 * The model's own calibrator is used. It never falls in the logit, so a threshold on its probabilities is one on the logits out of fold. For a model
 * with a prior each row is weighted by the true share of its class divided by the share in the rows.
 *
 * @param rows  as `outOfFold` or `fit` returns them; rows that no fold scored are left out
 * @throws ERR_TARGET for more than two classes; others as `chooseThreshold`
 * @example
 * const rows = outOfFold(records, { target: 'late', folding: { folds: 3 } });
 * const decision = chooseDecision(model, rows, { by: 'cost', costs: { fp: 1, fn: 4 } });
 * decision.threshold; // 0.2531
 * model.with({ decision }).score(flight).label; // 'yes'
 */
export function chooseDecision(model: Model, rows: OutOfFold, criterion: Criterion): Decision {
  const { classes, positive } = model.manifest;
  if (positive === null) refuseThreshold(classes);
  return chooseThreshold(criterion, judgedFolds(probabilitiesOf(model, rows)[0], rows, trueWeights(model, rows)));
}

/**
 * Returns the band of the given share of rows, those that the model decides with the least margin, by its probabilities of rows it was not fitted to.
 * Rows are weighted as in `chooseDecision`.
 * @throws ERR_RANGE as `abstainByShare`
 * @example
 * const rows = outOfFold(records, { target: 'late', folding: { folds: 3 } });
 * const review = chooseReview(model, rows, 0.2);
 * review.low; // 0.4482
 * model.with({ review }).score(flight).review; // false
 */
export function chooseReview(model: Model, rows: OutOfFold, share: number): NonNullable<Decision['abstain']> {
  const { classes, decision } = model.manifest;
  const planes = probabilitiesOf(model, rows);
  const kept = Uint32Array.from(rows.weight.keys()).filter((i) => rows.fold[i] >= 0 && rows.weight[i] > 0);
  const probabilities = Float64Array.from({ length: kept.length * planes.length }, (_, at) => {
    return planes[Math.floor(at / kept.length)][kept[at % kept.length]];
  });
  const factor = trueWeights(model, rows);
  const weight = Float64Array.from(kept, (i) => rows.weight[i] * shareOf(factor, rows.y[i]));
  return abstainByShare(probabilities, share, { classes: classes.length, threshold: decision.threshold, weight });
}

/** Only two classes have a threshold to choose. @throws ERR_TARGET */
export function refuseThreshold(classes: readonly string[]): never {
  throw new LogoddsError(
    'ERR_TARGET',
    `threshold: expected a model of two classes, got ${classes.length} (${list(classes)}); decide by a matrix of costs instead`,
  );
}

/** Calibrated probabilities of the logits: of two classes those of the positive one, of more those of each. */
function probabilitiesOf({ manifest: { calibration, multiclass } }: Model, { planes, y }: OutOfFold): Float64Array[] {
  const rows = y.length;
  const count = planes.length;
  const logits = new Float64Array(rows * count);
  planes.forEach((plane, k) => {
    logits.set(plane, k * rows);
  });
  const ovr = multiclass === 'ovr';
  if (calibration) applyCalibration(calibration, logits, logits, count, ovr);
  else if (count === 1)
    logits.forEach((z, i) => {
      logits[i] = sigmoid(z);
    });
  else softmax(logits, 0, rows, count, rows, exp, ovr);
  return planes.map((_, k) => logits.subarray(k * rows, (k + 1) * rows));
}

/**
 * What the weight of a row is multiplied with, by its class as in `OutOfFold.y` (of two classes the negative one first), so that the classes
 * have their true shares; ones without a prior.
 */
function trueWeights(
  { manifest: { calibration, classes, positive } }: Model,
  { y, weight, fold }: OutOfFold,
): number[] {
  const prior = calibration?.prior;
  const found = classes.map(() => 0);
  if (prior === undefined) return found.fill(1);
  for (let i = 0; i < y.length; i++) {
    if (fold[i] < 0) continue;
    if (positive === null) found[y[i]] += weight[i];
    else {
      found[0] += weight[i] * (1 - y[i]);
      found[1] += weight[i] * y[i];
    }
  }
  return trueFactors(found, positive === classes[0] ? [...prior].reverse() : prior);
}

/**
 * What the weight of a row is multiplied with, by its class, so that the classes that occur have their true shares and the total is as it was.
 *
 *   factor_k = τ_k·S/(S_k·T),   S = Σ S_k,   T = Σ τ_k of the classes with S_k > 0
 *
 * @param found  S_k, the weight of the rows of each class
 * @param shares  τ_k, the true share of each class, in the same order
 */
export function trueFactors(found: readonly number[], shares: readonly number[]): number[] {
  const total = found.reduce((sum, one) => sum + one, 0);
  const present = shares.reduce((sum, share, k) => (found[k] > 0 ? sum + share : sum), 0);
  return found.map((one, k) => (one > 0 ? (shares[k] * total) / (one * present) : 1));
}

/** The factor of a row: of its class, or of the shares of two. */
const shareOf = (factor: readonly number[], y: number): number =>
  factor.length > 2 ? factor[y] : factor[0] * (1 - y) + factor[1] * y;

/** Rows by fold; one that counts successes is a positive row and a negative one. */
function judgedFolds(
  probabilities: Float64Array,
  { y, weight, fold, folds }: OutOfFold,
  factor: readonly number[],
): JudgedRows[] {
  const found = Array.from({ length: folds }, () => ({
    probabilities: [] as number[],
    y: [] as number[],
    weight: [] as number[],
  }));
  for (let i = 0; i < y.length; i++) {
    if (fold[i] < 0 || weight[i] === 0) continue;
    for (const label of [1, 0]) {
      const share = label === 1 ? y[i] : 1 - y[i];
      if (share === 0) continue;
      const into = found[fold[i]];
      into.probabilities.push(probabilities[i]);
      into.y.push(label);
      into.weight.push(weight[i] * share * factor[label]);
    }
  }
  return found
    .filter((rows) => rows.y.length > 0)
    .map((rows) => ({ ...rows, probabilities: Float64Array.from(rows.probabilities) }));
}
