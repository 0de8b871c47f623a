import { LogoddsError } from '../../bindings/errors.ts';
import { auc, type Labels } from './binary.ts';
import { checkCodes, checkProbabilities, checkRows, type RowScores, type Weight } from './check.ts';
import { type Confusion, confusion } from './confusion.ts';
import { eceOfProbabilities, logLossOfProbabilities, type Probabilities, type Said } from './probabilities.ts';

/** Which group each row is of: `names[codes[i]]`. */
export interface Groups {
  readonly codes: ArrayLike<number>;
  readonly names: readonly string[];
}

/** Metrics of the rows of one group; a figure that does not exist there is null. */
export interface GroupMetrics {
  readonly name: string;
  /** weight of its rows; where it is 0 all else is null */
  readonly weight: number;
  /** share of positive rows */
  readonly baseRate: number | null;
  /** share of rows called positive */
  readonly selectionRate: number | null;
  /** true positive rate, false positive rate */
  readonly tpr: number | null;
  readonly fpr: number | null;
  readonly precision: number | null;
  readonly accuracy: number | null;
  readonly auc: number | null;
  readonly logLoss: number | null;
  /** 10 equal-width bins */
  readonly ece: number | null;
}

/**
 * How far the groups are apart: differences are the greatest value less the least, of the groups that have one; null when fewer than two have.
 *
 *   demographicParity    of selection rates; its ratio is the least over the greatest (the four-fifths rule asks for 0.8), 1 when both are 0
 *   equalOpportunity     of true positive rates
 *   equalizedOdds        the greater of the differences of true and of false positive rates
 *   predictiveParity     of precisions
 */
export interface FairnessGaps {
  readonly demographicParityDifference: number | null;
  readonly demographicParityRatio: number | null;
  readonly equalOpportunityDifference: number | null;
  readonly equalizedOddsDifference: number | null;
  readonly predictiveParityDifference: number | null;
}

/**
 * Metrics by group, and the usual gaps between groups.
 *
 * @param probabilities  of the positive class, length n, from 0 to 1
 * @param y       length n, 0 or 1
 * @param groups  codes: length n, 0 to names.length − 1
 * @param weight  length n, finite and ≥ 0; absent or null: all 1. An integer weight is a repeated row, weight 0 is no row.
 * @param said    as of `evaluateProbabilities`: threshold (called positive when p > threshold), or labels; scores for the areas
 * @returns a group for every name, in their order
 * @throws ERR_SHAPE lengths that differ, no row of positive weight
 * @throws ERR_RANGE a probability, label, code or weight that is none
 * @see fairlearn.metrics: demographic_parity_difference, demographic_parity_ratio, equal_opportunity_difference, equalized_odds_difference
 *   (method="between_groups", agg="worst_case"), MetricFrame(precision_score).difference(); it counts 0 where a rate does not exist, which makes a gap of
 *   what is not known
 */
export function groupMetrics(
  probabilities: Probabilities,
  y: Labels,
  groups: Groups,
  weight?: Weight,
  said: Said = {},
): { readonly groups: readonly GroupMetrics[]; readonly gaps: FairnessGaps } {
  const { scores = probabilities, labels, threshold = 0.5 } = said;
  const n = probabilities.length;
  checkProbabilities(probabilities);
  checkRows(n, y, 2, weight, 'probabilities');
  checkCodes('group codes', groups.codes, n, groups.names.length);
  if (labels) checkCodes('predicted labels', labels, n, 2);
  if (scores.length !== n) throw new LogoddsError('ERR_SHAPE', `scores: expected length ${n}, got ${scores.length}`);
  const rows = groups.names.map((): number[] => []);
  for (let i = 0; i < n; i++) if (!weight || weight[i] > 0) rows[groups.codes[i]].push(i);
  const called = Float64Array.from(probabilities, (p, i) => (labels ? labels[i] : p > threshold ? 1 : 0));
  const metrics = groups.names.map((name, k) => {
    const pick = (values: ArrayLike<number>) => Float64Array.from(rows[k], (i) => values[i]);
    const mine = { probabilities: pick(probabilities), y: pick(y), weight: weight ? pick(weight) : null };
    if (mine.y.length === 0) return { ...NOTHING, name };
    const { probabilities: p, y: truth, weight: share } = mine;
    return { name, ...rates(confusion(pick(called), truth, 0.5, share)), ...quality(p, truth, share, pick(scores)) };
  });
  const all = (key: keyof Omit<GroupMetrics, 'name'>) =>
    metrics.map((group) => group[key]).filter((value) => value !== null);
  return {
    groups: metrics,
    gaps: {
      demographicParityDifference: difference(all('selectionRate')),
      demographicParityRatio: ratio(all('selectionRate')),
      equalOpportunityDifference: difference(all('tpr')),
      equalizedOddsDifference: greater(difference(all('tpr')), difference(all('fpr'))),
      predictiveParityDifference: difference(all('precision')),
    },
  };
}

const NOTHING = {
  weight: 0,
  baseRate: null,
  selectionRate: null,
  tpr: null,
  fpr: null,
  precision: null,
  accuracy: null,
  auc: null,
  logLoss: null,
  ece: null,
};

function rates({ truePositives, falsePositives, falseNegatives, trueNegatives, ...rest }: Confusion) {
  const weight = truePositives + falsePositives + falseNegatives + trueNegatives;
  return {
    weight,
    baseRate: (truePositives + falseNegatives) / weight,
    selectionRate: (truePositives + falsePositives) / weight,
    tpr: rest.recall,
    fpr: falsePositives + trueNegatives > 0 ? falsePositives / (falsePositives + trueNegatives) : null,
    precision: rest.precision,
    accuracy: rest.accuracy,
  };
}

function quality(probabilities: Float64Array, y: Float64Array, weight: Weight, scores: RowScores) {
  return {
    auc: auc(scores, y, weight),
    logLoss: logLossOfProbabilities(probabilities, y, weight),
    ece: eceOfProbabilities(probabilities, y, weight),
  };
}

function difference(values: readonly number[]): number | null {
  return values.length < 2 ? null : values.reduce(maximum) - values.reduce(minimum);
}

function ratio(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const greatest = values.reduce(maximum);
  return greatest > 0 ? values.reduce(minimum) / greatest : 1;
}

const maximum = (a: number, b: number): number => Math.max(a, b);
const minimum = (a: number, b: number): number => Math.min(a, b);

/** the greater of two; where one does not exist neither does this */
function greater(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}
