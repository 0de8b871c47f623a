import { log, log1p, sigmoid, softplus } from '../../bindings/js/math.ts';
import { type Binned, type Binning, binRows } from './bins.ts';
import { checkLogits, checkProbabilities, checkRows, type Logits, mean, type RowScores, type Weight } from './check.ts';

type Labels = ArrayLike<number>;

/** A figure of each row. */
type OfRow = (row: number) => number;

/** What the prediction for a row of two classes is written in, and how metrics read it: each as exactly as the form allows. */
interface Form<Values extends RowScores> {
  readonly name: string;
  /** @throws ERR_RANGE naming the first row whose value is none */
  check(values: Values): void;
  /** −log of the probability of what happened */
  surprise(values: Values, y: Labels): OfRow;
  /** (p − y)² */
  squaredError(values: Values, y: Labels): OfRow;
  /** 1 where p > threshold says what happened, else 0 */
  hit(values: Values, y: Labels, threshold: number): OfRow;
  /** p, a new array */
  probabilities(values: Values): Float64Array;
}

export const LOGITS: Form<Logits> = {
  name: 'logits',
  check: (logits) => checkLogits(logits, 'numbers', (z) => !Number.isNaN(z)),
  surprise: (logits, y) => (i) => softplus(y[i] === 1 ? -logits[i] : logits[i]),
  squaredError: (logits, y) => (i) => sigmoid(y[i] === 1 ? -logits[i] : logits[i]) ** 2,
  hit: (logits, y, threshold) => (i) => (sigmoid(logits[i]) > threshold === (y[i] === 1) ? 1 : 0),
  probabilities: (logits) => new Float64Array(logits).map((z) => sigmoid(z)),
};

export const PROBABILITIES: Form<RowScores> = {
  name: 'probabilities',
  check: checkProbabilities,
  surprise: (probabilities, y) => (i) =>
    y[i] === 1 ? surprise(probabilities[i], 1 - probabilities[i]) : surprise(1 - probabilities[i], probabilities[i]),
  squaredError: (probabilities, y) => (i) => (probabilities[i] - y[i]) ** 2,
  hit: (probabilities, y, threshold) => (i) => (probabilities[i] > threshold === (y[i] === 1) ? 1 : 0),
  probabilities: (probabilities) => new Float64Array(probabilities),
};

export const meanLogLoss = <V extends RowScores>(form: Form<V>, values: V, y: Labels, weight: Weight): number =>
  meanOf(form, values, y, weight, form.surprise(values, y));

export const meanSquaredError = <V extends RowScores>(form: Form<V>, values: V, y: Labels, weight: Weight): number =>
  meanOf(form, values, y, weight, form.squaredError(values, y));

export const shareOfHits = <V extends RowScores>(
  form: Form<V>,
  values: V,
  y: Labels,
  weight: Weight,
  threshold: number,
): number => meanOf(form, values, y, weight, form.hit(values, y, threshold));

/** Σ sᵢ·figure(i)/S of rows that are checked. */
function meanOf<V extends RowScores>(form: Form<V>, values: V, y: Labels, weight: Weight, figure: OfRow): number {
  const total = checkForm(form, values, y, weight);
  return mean(values.length, weight, total, figure);
}

/** The bins of rows, and their probabilities. @throws also as `binRows` */
export function binForm<V extends RowScores>(
  form: Form<V>,
  values: V,
  y: Labels,
  weight: Weight,
  binning: Binning,
): { readonly binned: Binned; readonly probabilities: Float64Array } {
  checkForm(form, values, y, weight);
  const probabilities = form.probabilities(values);
  return { binned: binRows(probabilities, y, weight, ...binning), probabilities };
}

/** @returns Σ sᵢ @throws ERR_SHAPE, ERR_RANGE */
export function checkForm<V extends RowScores>(form: Form<V>, values: V, y: Labels, weight: Weight): number {
  form.check(values);
  return checkRows(values.length, y, 2, weight, form.name);
}

/** −log of the probability of what happened; `wrong` is 1 less it, the more exact of the two where it is the smaller. Infinity at 0. */
export function surprise(right: number, wrong: number): number {
  if (right >= 0.5) return log1p(wrong / right);
  // 1/right is at most 2¹⁰²², and below that right is subnormal
  if (right >= 2 ** -1022) return log(1 / right);
  return right > 0 ? log(1 / (right * 2 ** 100)) + 69.31471805599453 : Number.POSITIVE_INFINITY;
}
