import { LogoddsError } from '../../bindings/errors.ts';
import { isNumber, rising } from './kinds/valid.ts';
import { weightedQuantile } from './quantile.ts';

/** A restricted cubic spline with precomputed values for each of its functions. */
export interface Spline {
  readonly knots: readonly number[];
  /** (t_K − t_j)/(t_K − t_(K−1)) */
  readonly ratio: Float64Array;
  /** value and slope at the last knot */
  readonly value: Float64Array;
  readonly slope: Float64Array;
  /** 1/(t_K − t_1)² */
  readonly unit: number;
}

/** Probabilities of the outer knots by their number. */
const OUTER: Readonly<Record<number, number>> = { 3: 0.1, 4: 0.05, 5: 0.05, 6: 0.05, 7: 0.025 };

/**
 * Knots of a restricted cubic spline at quantiles of the column, evenly spaced in probability:
 *
 *   3: .1 .5 .9   4: .05 .35 .65 .95   5: .05 .275 .5 .725 .95   6: .05 .23 .41 .59 .77 .95   7: .025 .1833 .3417 .5 .6583 .8167 .975
 *
 * Equal quantiles give one knot, so there may be fewer than asked for.
 *
 * @param values  NaN is left out
 * @param weights  null: all 1; rows of weight 0 are left out
 * @param count  3 to 7
 * @throws ERR_RANGE for another count; ERR_SCHEMA when fewer than three are distinct
 * @see Harrell, Regression Modeling Strategies, 2.4.6; Hmisc, rcspline.eval
 */
export function splineKnots(values: ArrayLike<number>, weights: ArrayLike<number> | null, count: number): number[] {
  const outer = OUTER[count];
  if (outer === undefined) {
    throw new LogoddsError('ERR_RANGE', `knots: expected 3 to 7, got ${count}; 5 is a good choice`);
  }
  const step = (1 - 2 * outer) / (count - 1);
  const probabilities = Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 - outer : outer + i * step));
  const knots = [...new Set(weightedQuantile(values, weights, probabilities))].filter((knot) => !Number.isNaN(knot));
  if (knots.length < 3) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `knots: expected at least 3 distinct quantiles, got ${knots.length}; name knots, or use bins or the number itself`,
    );
  }
  return knots;
}

/**
 * Prepares the basis of `splineBasis`.
 * @param knots  at least 3, finite and rising
 * @throws ERR_RANGE
 */
export function splineOf(knots: readonly number[]): Spline {
  if (knots.length < 3 || !knots.every(isNumber) || !rising(knots)) {
    throw new LogoddsError('ERR_RANGE', `knots: expected at least 3 rising numbers, got ${knots.join(', ') || 'none'}`);
  }
  const [beforeLast, last] = knots.slice(-2);
  const unit = 1 / ((last - knots[0]) * (last - knots[0]));
  const inner = Float64Array.from(knots.slice(0, -2));
  return {
    knots,
    ratio: inner.map((knot) => (last - knot) / (last - beforeLast)),
    value: inner.map((knot) => (last - knot) * (beforeLast - knot) * (last - knot + (last - beforeLast)) * unit),
    slope: inner.map((knot) => 3 * (last - knot) * (beforeLast - knot) * unit),
    unit,
  };
}

/**
 * The functions of a restricted (natural) cubic spline at x: x itself, then for j = 1 … K − 2
 *
 *   [ (x − t_j)³₊ − (x − t_(K−1))³₊·(t_K − t_j)/(t_K − t_(K−1)) + (x − t_K)³₊·(t_(K−1) − t_j)/(t_K − t_(K−1)) ] / (t_K − t_1)²
 *
 * They are linear outside the knots; above the last they are computed as a line, without cancellation.
 *
 * @param out  knots.length − 1 values are written from `at` on
 * @see Harrell, Regression Modeling Strategies, 2.4.5; Hmisc, rcspline.eval(norm = 2, inclx = TRUE)
 */
export function splineBasis(spline: Spline, x: number, out: Float64Array, at: number): void {
  const { knots, ratio, value, slope, unit } = spline;
  const functions = ratio.length;
  const last = knots[functions + 1];
  out[at] = x;
  if (x >= last) {
    for (let j = 0; j < functions; j++) out[at + 1 + j] = value[j] + slope[j] * (x - last);
    return;
  }
  const bent = cubeAbove(x - knots[functions]);
  for (let j = 0; j < functions; j++) out[at + 1 + j] = (cubeAbove(x - knots[j]) - bent * ratio[j]) * unit;
}

function cubeAbove(d: number): number {
  return d > 0 ? d * d * d : 0;
}
