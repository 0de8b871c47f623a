import { LogoddsError } from '../../bindings/errors.ts';
import { tell } from '../../bindings/names.ts';

/** The logit of each row, z = x·w + intercept + offset, as a scorer gives it. */
export type Logits = ArrayLike<number>;

/** The probability of each row, from 0 to 1; with two classes that of the positive one. */
export type Probabilities = ArrayLike<number>;

/** Real numbers that rank rows: logits, probabilities, or any others. A greater score speaks for the positive class. */
export type RowScores = ArrayLike<number>;

/** The class of each row: with two classes 1 for the positive one, else 0; with K classes 0 to K − 1. */
export type Labels = ArrayLike<number>;

/**
 * The meaning of weights: `sampling`, how much of a population a row stands for, at any scale; `count`, how many rows it stands for, as whole numbers.
 */
export type WeightKind = 'sampling' | 'count';

/**
 * Sample weights; null and undefined mean all 1. A row of weight 0 does not count. See `WeightKind` for metrics that depend on a number of rows.
 */
export type Weight = ArrayLike<number> | null | undefined;

/** Pairs of rows weigh the product of their weights, which must be a number. */
export const LARGEST_TOTAL = 1e150;

/** Whether a value is a number and not NaN. */
export const isNumber = (value: unknown): boolean => typeof value === 'number' && !Number.isNaN(value);

/** @throws ERR_RANGE naming the first row that is not valid */
export function checkLogits(logits: Logits, rule: string, valid: (z: number) => boolean): void {
  for (let i = 0; i < logits.length; i++) if (!valid(logits[i])) throw rangeError('logits', rule, i, logits[i]);
}

/** @throws ERR_SHAPE when scores are no array; ERR_RANGE when one is no number */
export function checkScores(scores: RowScores): void {
  checkArray('scores', scores);
  for (let i = 0; i < scores.length; i++) {
    if (!isNumber(scores[i])) throw rangeError('scores', 'numbers', i, scores[i]);
  }
}

/** @throws ERR_RANGE when a probability is not one */
export function checkProbabilities(probabilities: Probabilities): void {
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i];
    if (!(typeof probability === 'number' && probability >= 0 && probability <= 1)) {
      throw rangeError('probabilities', 'numbers from 0 to 1', i, probability);
    }
  }
}

/**
 * The number of rows that planes of K classes have in common.
 * @throws ERR_SHAPE fewer than two classes, planes of different lengths
 */
export function checkPlanes(planes: readonly RowScores[], what: string): number {
  if (!Array.isArray(planes)) {
    const got = isArray(planes) ? 'one array of numbers' : tell(planes);
    throw new LogoddsError('ERR_SHAPE', `${what}: expected a list of arrays, one for each class, got ${got}`);
  }
  for (const [k, plane] of planes.entries()) checkArray(`${what} of class ${k}`, plane);
  const [first, ...others] = planes;
  if (others.length === 0) {
    throw new LogoddsError('ERR_SHAPE', `${what}: expected those of at least two classes, got ${planes.length}`);
  }
  const odd = others.find(({ length }) => length !== first.length);
  if (odd)
    throw new LogoddsError('ERR_SHAPE', `${what}: expected length ${first.length} for every class, got ${odd.length}`);
  return first.length;
}

/**
 * @param length  of what the metric is of
 * @param y  codes 0 to classes − 1
 * @param what  the name of what the metric is of
 * @returns Σ sᵢ
 * @throws ERR_SHAPE, ERR_RANGE
 */
export function checkRows(length: number, y: Labels, classes: number, weight: Weight, what: string): number {
  checkArray('labels', y);
  if (weight !== null && weight !== undefined) checkArray('weights', weight);
  if (y.length !== length || (weight && weight.length !== length)) {
    const got = weight ? `${y.length} and ${weight.length}` : y.length;
    throw new LogoddsError('ERR_SHAPE', `labels and weights: expected length ${length} (as the ${what}), got ${got}`);
  }
  checkCodes('labels', y, length, classes);
  let total = 0;
  for (let i = 0; i < length; i++) {
    const share = weight ? weight[i] : 1;
    if (!(Number.isFinite(share) && share >= 0)) throw rangeError('weights', 'finite numbers >= 0', i, share);
    total += share;
  }
  if (!(total > 0))
    throw new LogoddsError('ERR_SHAPE', 'weights: expected at least one row of positive weight, got none');
  if (total > LARGEST_TOTAL)
    throw new LogoddsError(
      'ERR_RANGE',
      `weights: expected a sum up to ${LARGEST_TOTAL}, got ${total}; divide them all by one number`,
    );
  return total;
}

/**
 * @param codes  expected to be 0 to count − 1, `length` of them
 * @throws ERR_SHAPE, ERR_RANGE
 */
export function checkCodes(what: string, codes: ArrayLike<number>, length: number, count: number): void {
  checkArray(what, codes);
  if (codes.length !== length) {
    throw new LogoddsError('ERR_SHAPE', `${what}: expected length ${length} (as the labels), got ${codes.length}`);
  }
  for (let i = 0; i < length; i++) {
    const code = codes[i];
    if (!(Number.isInteger(code) && code >= 0 && code < count)) {
      throw rangeError(what, count === 2 ? '0 or 1' : `whole numbers from 0 to ${count - 1}`, i, code);
    }
  }
}

/**
 * Whether weights count rows, as the caller says; the scale of others means nothing.
 * @throws ERR_RANGE for another kind, and for weights that count rows and are no whole numbers
 */
export function areCounts(weight: Weight, kind: WeightKind = 'sampling'): boolean {
  if (kind !== 'sampling' && kind !== 'count') {
    throw new LogoddsError('ERR_RANGE', `weightKind: expected sampling or count, got ${String(kind)}`);
  }
  if (!weight) return true;
  if (kind === 'sampling') return false;
  for (let i = 0; i < weight.length; i++) {
    if (!Number.isInteger(weight[i])) throw rangeError('weights', 'whole numbers (they count rows)', i, weight[i]);
  }
  return true;
}

/** Σ sᵢ·value(i) / total; a row of weight 0 is no row, even where its value is infinite. */
export function mean(length: number, weight: Weight, total: number, value: (row: number) => number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const share = weight ? weight[i] : 1;
    if (share > 0) sum += share * value(i);
  }
  return sum / total;
}

/** Whether a value has a length and so can have elements: a plain array, a typed one, or what is like them. */
export const isArray = (value: unknown): value is ArrayLike<unknown> =>
  typeof value === 'object' && value !== null && Number.isInteger((value as ArrayLike<unknown>).length);

/** @throws ERR_SHAPE when values are no array */
export function checkArray(what: string, values: unknown): void {
  if (!isArray(values))
    throw new LogoddsError('ERR_SHAPE', `${what}: expected an array of numbers, got ${tell(values)}`);
}

export function rangeError(what: string, rule: string, row: number, got: unknown): LogoddsError {
  return new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${tell(got)} at row ${row}`);
}
