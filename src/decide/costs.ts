import { LogoddsError } from '../../bindings/errors.ts';
import type { Decision } from './decision.ts';

/** The cost of each outcome of a decision between two classes. A gain is negative. Hits cost 0 by default. */
export interface Costs {
  /** a negative row called positive */
  readonly fp: number;
  /** a positive row called negative */
  readonly fn: number;
  /** a positive row called positive */
  readonly tp?: number;
  /** a negative row called negative */
  readonly tn?: number;
}

/** Costs of each outcome, each one number for all rows, or one number for each row. */
export type RowCosts = { readonly [outcome in keyof Costs]: number | ArrayLike<number> };

/**
 * Returns the threshold with the least expected cost, for calibrated probabilities:
 *
 *   p* = (fp − tn)/((fp − tn) + (fn − tp))
 *
 * At p = p* both decisions cost the same; probabilities above it are positive.
 * @throws ERR_RANGE costs that are not finite, a mistake that is cheaper than a hit, mistakes that cost nothing
 * @see Elkan, The foundations of cost-sensitive learning, IJCAI 2001
 * @example
 * costThreshold({ fp: 1, fn: 4 }); // 0.2
 */
export function costThreshold(costs: Costs): number {
  const { fp, fn, tp = 0, tn = 0 } = costs;
  checkOutcomes(fp, fn, tp, tn, '');
  if (fp === tn && fn === tp) {
    throw new LogoddsError(
      'ERR_RANGE',
      'costs: expected a mistake that costs more than a hit, got none; raise fp or fn',
    );
  }
  return thresholdOf(fp, fn, tp, tn);
}

/** p*, between 0 and 1; NaN where nothing depends on the decision */
function thresholdOf(fp: number, fn: number, tp: number, tn: number): number {
  return (fp - tn) / (fp - tn + (fn - tp));
}

/** @throws ERR_RANGE */
function checkOutcomes(fp: number, fn: number, tp: number, tn: number, where: string): void {
  if (!Number.isFinite(fp + fn + tp + tn)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `costs${where}: expected finite numbers, got fp ${fp}, fn ${fn}, tp ${tp}, tn ${tn}; correct them`,
    );
  }
  const cheaper = fp < tn ? `fp ${fp} below tn ${tn}` : fn < tp ? `fn ${fn} below tp ${tp}` : null;
  if (cheaper) {
    throw new LogoddsError(
      'ERR_RANGE',
      `costs${where}: expected no mistake to be cheaper than the hit (fp >= tn, fn >= tp), got ${cheaper}; write a gain as a negative cost of the hit`,
    );
  }
}

/** One cost of a row. */
export function costAt(cost: number | ArrayLike<number> | undefined, row: number): number {
  return cost === undefined ? 0 : typeof cost === 'number' ? cost : cost[row];
}

/** @throws ERR_SHAPE a cost of each row that has not as many as there are rows; ERR_RANGE as of `costThreshold` */
export function checkRowCosts(costs: RowCosts, rows: number): void {
  for (const [name, cost] of Object.entries(costs)) {
    if (typeof cost !== 'number' && cost.length !== rows) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `costs, ${name}: expected a number or one for each of ${rows} rows, got ${cost.length}; pass costs in the order of the rows`,
      );
    }
  }
  const { fp, fn, tp, tn } = costs;
  for (let i = 0; i < rows; i++) {
    checkOutcomes(costAt(fp, i), costAt(fn, i), costAt(tp, i), costAt(tn, i), ` of row ${i} (from 0)`);
  }
}

/** The result of `decideByRowCosts`. */
export interface RowDecisions {
  /** one for each row: 1 = positive */
  readonly positive: Uint8Array;
  /** Σ sᵢ·(expected cost of the decision), by the probabilities */
  readonly expectedCost: number;
  /** Σ sᵢ·(cost of the decision), by the labels; null without labels */
  readonly cost: number | null;
}

/**
 * Decides each row by its own costs: positive when p > p* of its costs, negative where the decision changes no cost.
 *
 *   expected cost of positive  p·tp + (1 − p)·fp,   of negative  p·fn + (1 − p)·tn
 *
 * For one threshold for all rows use `chooseThreshold({ by: 'cost' }, [{ probabilities, y, costs }])`.
 * @param y  length n, 0 or 1 (positive); default none: the result then has no cost
 * @param weight  s, length n; default all 1
 * @throws ERR_SHAPE lengths that differ; ERR_RANGE a probability, label or weight outside its domain, costs as `costThreshold`
 * @example
 * const { positive, expectedCost } = decideByRowCosts(Float64Array.of(0.3, 0.3), { fp: 1, fn: [1, 4] });
 * positive; // [0, 1]
 * expectedCost; // 1
 */
export function decideByRowCosts(
  probabilities: Float64Array | Float32Array,
  costs: RowCosts,
  y: ArrayLike<number> | null = null,
  weight: ArrayLike<number> | null = null,
): RowDecisions {
  const { length } = probabilities;
  if ((y ?? probabilities).length !== length || (weight ?? probabilities).length !== length) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `labels and weights: expected length ${length} (as the probabilities), got ${y?.length ?? 'none'} and ${weight?.length ?? 'none'}; pass one for each row`,
    );
  }
  checkRowCosts(costs, length);
  const must = (valid: boolean, i: number, what: string, rule: string, got: number) => {
    if (valid) return;
    throw new LogoddsError('ERR_RANGE', `row ${i} (from 0), ${what}: expected ${rule}, got ${got}; correct it`);
  };
  const positive = new Uint8Array(length);
  let expectedCost = 0;
  let cost = 0;
  for (let i = 0; i < length; i++) {
    const p = probabilities[i];
    const [fp, fn, tp, tn] = [costs.fp, costs.fn, costs.tp, costs.tn].map((of) => costAt(of, i));
    const flagged = p > thresholdOf(fp, fn, tp, tn);
    const [onPositive, onNegative] = flagged ? [tp, fp] : [fn, tn];
    const share = weight ? weight[i] : 1;
    must(p >= 0 && p <= 1, i, 'probability', 'a number from 0 to 1', p);
    must(!y || y[i] === 0 || y[i] === 1, i, 'label', '0 or 1', y?.[i] ?? 0);
    must(share >= 0 && share < Number.POSITIVE_INFINITY, i, 'weight', 'a finite number >= 0', share);
    positive[i] = flagged ? 1 : 0;
    expectedCost += share * (p * onPositive + (1 - p) * onNegative);
    if (y) cost += share * (y[i] === 1 ? onPositive : onNegative);
  }
  return { positive, expectedCost, cost: y ? cost : null };
}

/**
 * Returns the decision with the least expected cost: with two classes its threshold, with more the costs themselves.
 * @param costs  costs[j][k] of deciding class k where class j is true, in the order of the classes
 * @param positive  with two classes the positive one; null with more
 * @throws ERR_SHAPE a matrix that is not classes × classes
 * @throws ERR_RANGE an entry that is not finite, a mistake that is cheaper than the hit of its class, two classes whose mistakes cost nothing
 * @example
 * const decision = decisionByCosts([[0, 1], [4, 0]], ['no', 'yes'], 'yes');
 * decision.threshold; // 0.2
 */
export function decisionByCosts(
  costs: readonly (readonly number[])[],
  classes: readonly string[],
  positive: string | null,
): Decision {
  const size = classes.length;
  const isMatrix: boolean = Array.isArray(costs);
  if (!isMatrix || costs.length !== size || costs.some((row) => row?.length !== size)) {
    const got = !isMatrix
      ? `a value of type ${typeof costs}`
      : `${costs.length} rows of ${[...new Set(costs.map((row) => row?.length))].join(', ') || 'no'} numbers`;
    throw new LogoddsError(
      'ERR_SHAPE',
      `costs: expected ${size} × ${size} numbers (true class × decided class), got ${got}; give one for every pair of classes`,
    );
  }
  costs.forEach((row, j) => {
    row.forEach((cost, k) => {
      const where = `costs, true ${JSON.stringify(classes[j])} decided ${JSON.stringify(classes[k])}`;
      if (!Number.isFinite(cost)) {
        throw new LogoddsError('ERR_RANGE', `${where}: expected a finite number, got ${cost}; correct it`);
      }
      if (cost < row[j]) {
        throw new LogoddsError(
          'ERR_RANGE',
          `${where}: expected at least ${row[j]} (the cost of the hit), got ${cost}; write a gain as a negative cost of the hit`,
        );
      }
    });
  });
  if (positive === null) return { threshold: 0.5, costs };
  return { threshold: costThreshold(costsOfMatrix(costs, classes.indexOf(positive))), costs };
}

/** Two classes: the costs of a 2 × 2 matrix (true × decided). */
export function costsOfMatrix(costs: readonly (readonly number[])[], positive: number): Required<Costs> {
  const negative = 1 - positive;
  return {
    fp: costs[negative][positive],
    fn: costs[positive][negative],
    tp: costs[positive][positive],
    tn: costs[negative][negative],
  };
}
