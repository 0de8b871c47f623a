import { LogoddsError } from '../../../bindings/errors.ts';
import type { Likelihood } from '../../../bindings/likelihood.ts';
import { type Curvature, coordinateDescent } from './coordinate.ts';
import { Objective, type Solution, type SolveOptions } from './objective.ts';

/** Coordinates whose slope is at least this fraction of their l1 join the part, because the next strengths of a path will need them. */
const AHEAD = 0.75;
/** A part with more than this fraction of the coordinates saves no time. */
const WORTH = 0.6;
/** Largest number of coordinates in a Hessian. */
const MOST = 4000;

interface Part {
  readonly likelihood: Likelihood;
  /** which coordinates of the whole objective it has, ascending */
  readonly coordinates: Int32Array;
  /** the parameters of `likelihood` that these are */
  readonly active: Int32Array;
  readonly curvature: Curvature;
}

/**
 * Coordinate descent on the coordinates that may leave 0 (the part), so that a pass over the data reads only their columns.
 *
 * The part has the coordinates that are not 0 or have no l1, and those that the sequential strong rule keeps: |gⱼ| ≥ 2·l1ⱼ − l1ⱼ of the last
 * strength. That rule can fail. So after every solution the gradient over all coordinates is checked, and coordinates that violate their
 * optimality condition join the part, until no coordinate does. The part, its Hessian and the last gradient are kept for the next strength of
 * a path.
 *
 * @see Tibshirani, Bien, Friedman, Hastie, Simon, Taylor, Tibshirani, Strong rules for discarding predictors in lasso-type problems, JRSS-B 74 (2012)
 */
export class Screen {
  #part: Part | null = null;
  #whole: Curvature | null = null;
  /** the last solution: its weights, the mean loss and its slopes there, and its l1 */
  #last: {
    readonly w: Float64Array;
    readonly loss: number;
    readonly slopes: Float64Array;
    readonly l1: Float64Array;
  } | null = null;

  /**
   * As `coordinateDescent`. The objectives of one screen differ in their penalty only.
   * @param options  with the number of stored cells of a row
   */
  descend(objective: Objective, start: Float64Array, options: SolveOptions & { readonly cells: number }): Solution {
    const { size, l1, l2 } = objective;
    const { tol, maxIter, onIteration, cells } = options;
    let gradient = new Float64Array(size);
    let w: Float64Array = start.slice();
    let value: number;
    const last = this.#last;
    if (last && same(last.w, w)) {
      for (let j = 0; j < size; j++) gradient[j] = last.slopes[j] + l2[j] * w[j];
      value = last.loss + halfSquares(l2, w);
    } else value = objective.at(w, gradient).value;
    const before = last?.l1 ?? l1;
    const keep = (j: number) => w[j] !== 0 || l1[j] === 0 || Math.abs(gradient[j]) >= 2 * l1[j] - before[j];
    let iterations = 0;
    for (;;) {
      const wanted = indices(size, (j) => keep(j) || objective.violation(j, w[j], gradient[j]) > tol);
      const ahead = (j: number) => Math.abs(gradient[j]) >= AHEAD * l1[j];
      if (!this.#covers(wanted))
        this.#open(
          objective,
          indices(size, (j) => keep(j) || ahead(j) || wanted.includes(j)),
        );
      const part = this.#part;
      const inner = part ? narrow(objective, part) : objective;
      const from = part ? part.coordinates : null;
      const solution = coordinateDescent(inner, from ? gather(w, from) : w, {
        tol,
        maxIter: maxIter - iterations,
        passes: Math.min(cells, inner.size) / 8,
        curvature: part ? part.curvature : (this.#whole ?? undefined),
        known: { value, gradient: from ? gather(gradient, from) : gradient },
        onIteration: onIteration && ((step) => onIteration({ ...step, iteration: iterations + step.iteration })),
      });
      iterations += solution.iterations;
      if (from) {
        w = w.slice();
        from.forEach((j, k) => {
          w[j] = solution.w[k];
        });
        value = objective.at(w, gradient).value;
      } else {
        ({ w, value } = solution);
        gradient = solution.gradient.slice();
      }
      const worst = objective.worst(w, gradient);
      const done = worst <= Math.max(tol, solution.gradNorm);
      if (!done && solution.converged && iterations < maxIter) continue;
      const slopes = gradient.map((g, j) => g - l2[j] * w[j]);
      this.#last = { w: w.slice(), loss: value - halfSquares(l2, w), slopes, l1 };
      const reason = done || !solution.converged ? solution.reason : 'max_iter';
      const total = value + objective.absolute(w);
      return { w, converged: reason === 'converged', reason, iterations, objective: total, gradNorm: worst };
    }
  }

  free(): void {
    this.#part?.likelihood.free();
    this.#part = null;
  }

  /** whether the coordinates are in the part; true if there is no part, because then all are used */
  #covers(wanted: readonly number[]): boolean {
    if (this.#whole) return true;
    if (!this.#part) return false;
    const has = new Set(this.#part.coordinates);
    return wanted.every((j) => has.has(j));
  }

  /** Adds these coordinates to the part. */
  #open(objective: Objective, wanted: readonly number[]): void {
    const coordinates = Int32Array.from(new Set([...(this.#part?.coordinates ?? []), ...wanted])).sort();
    this.free();
    const { likelihood, active, size } = objective;
    const whole = coordinates.length > WORTH * size;
    if ((whole ? size : coordinates.length) > MOST) {
      throw new LogoddsError(
        'ERR_RANGE',
        `penalty: expected at most ${MOST} weights that are not 0 (coordinate descent has a matrix with that many rows and columns), got ${coordinates.length} candidates; penalise more (C or lambda), or use l1Ratio 0`,
      );
    }
    if (whole) {
      this.#whole = { matrix: new Float64Array(size * size), l2: null };
      return;
    }
    const width = likelihood.parameters / likelihood.classes;
    const slots = new Set<number>();
    for (const j of coordinates) if (active[j] % width < width - 1) slots.add(active[j] % width);
    const { likelihood: part, from } = likelihood.select(Int32Array.from(slots).sort());
    const place = new Map(Array.from(from, (slot, k) => [slot, k]));
    place.set(width - 1, from.length);
    this.#part = {
      likelihood: part,
      coordinates,
      active: coordinates.map((j) => Math.floor(active[j] / width) * (from.length + 1) + place.get(active[j] % width)!),
      curvature: { matrix: new Float64Array(coordinates.length ** 2), l2: null },
    };
  }
}

/** The objective with all coordinates outside the part at 0. */
function narrow(objective: Objective, { likelihood, coordinates, active }: Part): Objective {
  const spread = (values: Float64Array) => {
    const out = new Float64Array(likelihood.parameters);
    active.forEach((id, k) => {
      out[id] = values[coordinates[k]];
    });
    return out;
  };
  const { totalWeight, l1, l2, lower, upper } = objective;
  return new Objective(likelihood, {
    active,
    totalWeight,
    l1: spread(l1),
    l2: spread(l2),
    lower: spread(lower),
    upper: spread(upper),
  });
}

/** ½ · Σ l2ⱼ·wⱼ² */
function halfSquares(l2: Float64Array, w: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < w.length; j++) sum += l2[j] * w[j] * w[j];
  return sum / 2;
}

const indices = (size: number, test: (j: number) => boolean): number[] => {
  const out: number[] = [];
  for (let j = 0; j < size; j++) if (test(j)) out.push(j);
  return out;
};
const gather = (values: Float64Array, from: Int32Array) => Float64Array.from(from, (j) => values[j]);
const same = (a: Float64Array, b: Float64Array) => a.length === b.length && a.every((value, j) => value === b[j]);
