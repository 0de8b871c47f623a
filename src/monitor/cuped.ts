import { LogoddsError } from '../../bindings/errors.ts';
import { show } from '../messages.ts';
import { finite } from './check.ts';
import { Moments, slopeOf } from './moments.ts';

/** The result of `cuped`. */
export interface Cuped {
  /** slope of the values on the covariate, within the arms */
  readonly theta: number;
  /** share of the variance of the values that the covariate removes, 0 to 1 */
  readonly removed: number;
  /** yᵢ − θ·(xᵢ − x̄) */
  readonly values: Float64Array;
}

/**
 * Adjusts the outcomes of an experiment by a covariate that was known before, for example the score of a model (CUPED): their difference between the arms keeps
 * its expectation and loses variance.
 *
 *   y′ᵢ = yᵢ − θ·(xᵢ − x̄),   θ = Σ (xᵢ − x̄ₐ)(yᵢ − ȳₐ) / Σ (xᵢ − x̄ₐ)²,   removed = correlation² of x and y within the arms
 *
 * Means are those of the arm a of a row; x̄ is over all rows. The covariate must not depend on the arm: a score that the challenger alone computes does. A
 * constant covariate removes nothing, θ = 0.
 * @param y    n outcomes
 * @param x    n covariates
 * @param arm  n labels of the arms; absent: one arm
 * @throws ERR_SHAPE lengths that differ; ERR_RANGE a number that is not finite
 * @see Deng, Xu, Kohavi, Walker, WSDM 2013
 * @example
 * const { theta, removed, values } = cuped([1, 2, 4, 5], [1, 2, 3, 4], ['a', 'a', 'b', 'b']);
 * theta; // 1
 * removed; // 1
 * values; // [2.5, 2.5, 3.5, 3.5]
 */
export function cuped(y: ArrayLike<number>, x: ArrayLike<number>, arm?: ArrayLike<string | number>): Cuped {
  for (const [what, list] of [['x', x] as const, ['arm', arm] as const]) {
    if (list !== undefined && list?.length !== y?.length)
      throw new LogoddsError(
        'ERR_SHAPE',
        `${what}: expected ${y?.length} of them, one a row, got ${show(list?.length)}`,
      );
  }
  const arms = new Map<string | number | undefined, Moments>();
  const all = new Moments();
  for (let i = 0; i < y.length; i++) {
    const [outcome, covariate] = [finite('y', y[i]), finite('x', x[i])];
    let moments = arms.get(arm?.[i]);
    if (!moments) {
      moments = new Moments();
      arms.set(arm?.[i], moments);
    }
    moments.add(outcome, covariate);
    all.add(outcome, covariate);
  }
  const { theta, removed } = slopeOf([...arms.values()]);
  return { theta, removed, values: Float64Array.from({ length: y.length }, (_, i) => y[i] - theta * (x[i] - all.x)) };
}
