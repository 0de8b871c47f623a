import { LogoddsError } from '../../bindings/errors.ts';
import { exp, log, log1pOfProduct, softplus } from '../../bindings/js/math.ts';
import { auc, type BinaryMetrics } from './binary.ts';
import { binRows, calibrationError } from './bins.ts';
import {
  checkLogits,
  checkPlanes,
  checkRows,
  checkScores,
  type Logits,
  mean,
  type RowScores,
  type Weight,
} from './check.ts';

/** `manifest.multiclass` of a model. */
type Multiclass = 'multinomial' | 'ovr';

/**
 * How well the logits of K classes agree with the classes of rows; what `evaluateMulticlass` returns.
 *
 *   logLoss   1/S · Σ sᵢ · −log p(yᵢ), from logits: nothing is clipped
 *   auc       mean over the classes, each with the same weight, of the area under the ROC curve of the class against the rest
 *             ("one-vs-rest", "macro"); null when a class has no row of positive weight
 *   brier     1/S · Σ sᵢ · Σₖ (pₖ − [yᵢ = k])², from 0 to 2: of two classes twice the figure of `brier`
 *   ece       of the label: 10 equal-width bins of the greatest probability, against the share of right labels
 *   accuracy  share of rows whose greatest logit is that of their class, the first class if several
 */
export type MulticlassMetrics = BinaryMetrics;

/**
 * All metrics of a classifier of two or more classes, one logit for each.
 *
 * @param logits  K ≥ 2 arrays of length n: of each class the logits of the rows, finite
 * @param y       length n, the class of each row, 0 to K − 1
 * @param weight  length n, finite and ≥ 0; absent or null: all 1. An integer weight is a repeated row, weight 0 is no row.
 * @param link    multinomial: p = softmax(z); ovr (one-vs-rest): pₖ = σ(zₖ)/Σ σ(zⱼ)
 * @throws ERR_SHAPE lengths that differ, fewer than two classes, no row of positive weight
 * @throws ERR_RANGE a logit that is not finite, a label that is no class, a weight that is negative or not finite
 * @see scikit-learn: log_loss, roc_auc_score(multi_class="ovr", average="macro"), brier_score_loss(scale_by_half=False)
 * @see Hand, Till, A simple generalisation of the area under the ROC curve, Machine Learning 45, 2001
 */
export function evaluateMulticlass(
  logits: readonly Logits[],
  y: ArrayLike<number>,
  weight?: Weight,
  link: Multiclass = 'multinomial',
): MulticlassMetrics {
  const total = check(logits, y, weight);
  const n = y.length;
  const k = logits.length;
  const odds = logits.map(() => new Float64Array(n));
  const confidence = new Float64Array(n);
  const right = new Uint8Array(n);
  const sums = { logLoss: 0, brier: 0, accuracy: 0 };
  const row = new RowOfLogits(k, link);
  for (let i = 0; i < n; i++) {
    row.read(logits, i);
    const { top } = row;
    const label = y[i];
    for (let j = 0; j < k; j++) odds[j][i] = row.logOdds(j);
    confidence[i] = 1 / (1 + row.rest);
    right[i] = top === label ? 1 : 0;
    const share = weight ? weight[i] : 1;
    sums.logLoss += share * row.loss(label);
    sums.accuracy += share * right[i];
    sums.brier += share * row.squares(label);
  }
  return {
    logLoss: sums.logLoss / total,
    auc: oneVsRestAuc(odds, y, weight).macro,
    brier: sums.brier / total,
    ece: calibrationError(binRows(confidence, right, weight, 10, 'uniform').table),
    accuracy: sums.accuracy / total,
  };
}

/**
 * Mean log loss of K classes, 1/S · Σ sᵢ · −log p(yᵢ). Parameters and errors as of `evaluateMulticlass`.
 * @returns nats per unit of weight
 */
export function multiclassLogLoss(
  logits: readonly Logits[],
  y: ArrayLike<number>,
  weight?: Weight,
  link: Multiclass = 'multinomial',
): number {
  const total = check(logits, y, weight);
  const row = new RowOfLogits(logits.length, link);
  let sum = 0;
  for (let i = 0; i < y.length; i++) {
    const share = weight ? weight[i] : 1;
    row.read(logits, i);
    sum += share * row.loss(y[i]);
  }
  return sum / total;
}

/** Areas under the ROC curves of each class against the rest. */
export interface OneVsRestAuc {
  /** null where the class, or the rest, has no weight */
  readonly classes: readonly (number | null)[];
  /** mean over the classes, each with the same weight; null when one has none */
  readonly macro: number | null;
  /** mean over the classes by their weight in y; null when a class of positive weight has none */
  readonly weighted: number | null;
}

/**
 * Area under the ROC curve of each class against the rest.
 *
 * @param scores  K ≥ 2 arrays of length n: of each class the scores of the rows, of any kind that ranks rows within a class; not NaN
 * @throws ERR_SHAPE, ERR_RANGE as `evaluateMulticlass`
 * @see scikit-learn: roc_auc_score(multi_class="ovr")
 */
export function oneVsRestAuc(scores: readonly RowScores[], y: ArrayLike<number>, weight?: Weight): OneVsRestAuc {
  const n = checkPlanes(scores, 'scores');
  const total = checkRows(n, y, scores.length, weight, 'scores');
  const shares = new Float64Array(scores.length);
  for (let i = 0; i < n; i++) shares[y[i]] += (weight ? weight[i] : 1) / total;
  const classes = scores.map((values, j) => {
    const mine = new Uint8Array(n);
    for (let i = 0; i < n; i++) mine[i] = y[i] === j ? 1 : 0;
    return auc(values, mine, weight);
  });
  const average = (importance: (j: number) => number): number | null => {
    let sum = 0;
    for (const [j, area] of classes.entries()) {
      if (importance(j) === 0) continue;
      if (area === null) return null;
      sum += importance(j) * area;
    }
    return sum;
  };
  return { classes, macro: average(() => 1 / scores.length), weighted: average((j) => shares[j]) };
}

/**
 * Share of rows whose class is among the k of the greatest scores; of equal scores the earlier class is greater.
 * Other parameters and errors as of `oneVsRestAuc`.
 * @param k  an integer from 1 to K
 * @throws ERR_RANGE a k that is not
 */
export function topKAccuracy(scores: readonly RowScores[], y: ArrayLike<number>, k: number, weight?: Weight): number {
  const n = checkPlanes(scores, 'scores');
  scores.forEach(checkScores);
  const total = checkRows(n, y, scores.length, weight, 'scores');
  if (!(Number.isInteger(k) && k >= 1 && k <= scores.length)) {
    throw new LogoddsError('ERR_RANGE', `k: expected an integer from 1 to ${scores.length} (the classes), got ${k}`);
  }
  return mean(n, weight, total, (i) => {
    const label = y[i];
    const mine = scores[label][i];
    let ahead = 0;
    for (let j = 0; j < scores.length; j++) {
      if (scores[j][i] > mine || (scores[j][i] === mine && j < label)) ahead++;
    }
    return ahead < k ? 1 : 0;
  });
}

/**
 * The logits g of one row such that p = softmax(g), for one-vs-rest g = log σ(z), and what follows from them:
 *
 *   m = max g at `top`, m₂ = the greatest of the others,   R = Σ_{l ≠ top} exp(g_l − m₂) ≥ 1,   rest = exp(m₂ − m)·R = (1 − p_top)/p_top
 */
class RowOfLogits {
  readonly #g: Float64Array;
  readonly #powers: Float64Array;
  readonly #ovr: boolean;
  top = 0;
  rest = 0;
  #logRest = 0;

  constructor(k: number, link: Multiclass) {
    this.#g = new Float64Array(k);
    this.#powers = new Float64Array(k);
    this.#ovr = link === 'ovr';
  }

  read(logits: readonly Logits[], i: number): void {
    const g = this.#g;
    const powers = this.#powers;
    let top = 0;
    for (let j = 0; j < g.length; j++) {
      const z = logits[j][i];
      if (z > logits[top][i]) top = j;
      g[j] = this.#ovr ? -softplus(-z) : z;
    }
    let second = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < g.length; j++) if (j !== top && g[j] > second) second = g[j];
    let sum = 0;
    for (let j = 0; j < g.length; j++) {
      powers[j] = j === top ? 1 : exp(g[j] - second);
      if (j !== top) sum += powers[j];
    }
    const apart = exp(second - g[top]);
    for (let j = 0; j < g.length; j++) if (j !== top) powers[j] *= apart;
    this.top = top;
    this.rest = apart * sum;
    this.#logRest = second - g[top] + log(sum);
  }

  /** −log p of class j = m − g_j + log(1 + rest) */
  loss(j: number): number {
    return (j === this.top ? 0 : this.#g[this.top] - this.#g[j]) + log1pOfProduct(this.rest);
  }

  /** log(p/(1 − p)) of class j: it rises with p, and does not saturate where p does */
  logOdds(j: number): number {
    if (j === this.top) return -this.#logRest;
    const others = Math.max(0, this.rest - this.#powers[j]);
    return this.#g[j] - this.#g[this.top] - log1pOfProduct(others);
  }

  /** Σₖ (pₖ − [k = j])² */
  squares(j: number): number {
    let own = 0;
    let sum = 0;
    for (let l = 0; l < this.#powers.length; l++) {
      if (l === j) continue;
      own += this.#powers[l];
      sum += this.#powers[l] ** 2;
    }
    return (own ** 2 + sum) / (1 + this.rest) ** 2;
  }
}

function check(logits: readonly Logits[], y: ArrayLike<number>, weight: Weight): number {
  const n = checkPlanes(logits, 'logits');
  for (const one of logits) checkLogits(one, 'finite numbers', Number.isFinite);
  return checkRows(n, y, logits.length, weight, 'logits');
}
