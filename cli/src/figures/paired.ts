import { Z95 } from '../../../src/internal.ts';
import { evaluate } from '../../../src/metrics.ts';
import type { Estimate } from './evaluation.ts';

/** Scores of the positive class of the same rows, by one way of scoring. */
export interface Candidate {
  readonly name: string;
  readonly probabilities: Float64Array;
}

/** How a way of scoring does on held-out rows, and how much better the first one is. */
export interface Compared {
  readonly name: string;
  readonly logLoss: number;
  readonly brier: number;
  /** null: the rows have one class */
  readonly auc: number | null;
  /** how much lower the log loss and the Brier score, and how much higher the AUC, of the first one are; null for the first itself */
  readonly gain: { readonly logLoss: Estimate; readonly brier: Estimate; readonly auc: Estimate | null } | null;
}

/**
 * Compares ways of scoring with the first one on the same rows. Intervals are of 95 %, of the mean of paired differences by the normal distribution
 *
 *   d ± 1.96·√(n/(n − 1)·Σ wᵢ²(dᵢ − d)²)/Σ wᵢ
 *
 * and for the AUC DeLong's for two curves of the same rows. They hold for these models; that other training rows would give other models they do not say.
 * @param y  1 for the positive class
 * @see DeLong, DeLong, Clarke-Pearson, Biometrics 44, 1988
 */
export function compare(candidates: readonly Candidate[], y: ArrayLike<number>, weight?: Float64Array): Compared[] {
  const [first] = candidates;
  const losses = candidates.map(({ probabilities: p }) => ({
    logLoss: p.map((one, i) => -Math.log(y[i] === 1 ? one : 1 - one)),
    brier: p.map((one, i) => (one - y[i]) ** 2),
    places: placements(p, y, weight),
  }));
  return candidates.map(({ name, probabilities }, k) => {
    const { logLoss, brier, auc } = evaluate({ probabilities }, y as Uint8Array, weight);
    if (candidates[k] === first) return { name, logLoss, brier, auc, gain: null };
    const paired = (of: 'logLoss' | 'brier'): Estimate =>
      meanOf(
        losses[k][of].map((loss, i) => loss - losses[0][of][i]),
        weight,
      );
    return {
      name,
      logLoss,
      brier,
      auc,
      gain: {
        logLoss: paired('logLoss'),
        brier: paired('brier'),
        auc: areaGain(losses[0].places, losses[k].places, y, weight),
      },
    };
  });
}

/** The mean of differences with its interval. */
function meanOf(differences: Float64Array, weight?: Float64Array): Estimate {
  const { mean, variance } = spread(differences, weight);
  return around(mean, variance);
}

const around = (value: number, variance: number): Estimate => {
  const half = Z95 * Math.sqrt(variance);
  return { value, interval: { low: value - half, high: value + half } };
};

/** The weighted mean of values and its variance. */
function spread(values: Float64Array, weight?: ArrayLike<number>): { mean: number; variance: number } {
  let [total, mean, squares, rows] = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const w = weight ? weight[i] : 1;
    if (!(w > 0)) continue;
    rows++;
    total += w;
    mean += w * values[i];
  }
  mean /= total;
  for (let i = 0; i < values.length; i++) {
    const w = weight ? weight[i] : 1;
    if (w > 0) squares += (w * (values[i] - mean)) ** 2;
  }
  return { mean, variance: ((rows / (rows - 1)) * squares) / total ** 2 };
}

/** Of each row the share of the other class that it is right about, ties counting half. */
function placements(p: Float64Array, y: ArrayLike<number>, weight?: Float64Array): Float64Array {
  const order = Uint32Array.from(p, (_, i) => i).sort((a, b) => p[a] - p[b]);
  const of = (i: number): number => (weight ? weight[i] : 1);
  const totals = [0, 0];
  for (const i of order) totals[y[i]] += of(i);
  const out = new Float64Array(p.length);
  const below = [0, 0];
  for (let start = 0; start < order.length; ) {
    let end = start;
    const here = [0, 0];
    while (end < order.length && p[order[end]] === p[order[start]]) here[y[order[end]]] += of(order[end++]);
    for (; start < end; start++) {
      const i = order[start];
      const other = 1 - y[i];
      const share = (below[other] + here[other] / 2) / totals[other];
      out[i] = y[i] === 1 ? share : 1 - share;
    }
    below[0] += here[0];
    below[1] += here[1];
  }
  return out;
}

/** How much greater the area of the first one is. */
function areaGain(
  first: Float64Array,
  other: Float64Array,
  y: ArrayLike<number>,
  weight?: Float64Array,
): Estimate | null {
  const sides = [1, 0].map((label) => {
    const own = Float64Array.from(first, (_, i) => (y[i] === label ? (weight ? weight[i] : 1) : 0));
    return own.reduce((rows, w) => rows + Number(w > 0), 0) < 2
      ? null
      : spread(
          first.map((place, i) => place - other[i]),
          own,
        );
  });
  const [positive, negative] = sides;
  return positive && negative ? around(positive.mean, positive.variance + negative.variance) : null;
}
