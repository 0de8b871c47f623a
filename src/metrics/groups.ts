import { LogoddsError } from '../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../bindings/names.ts';
import { auc, ece, logLoss, type Said } from './binary.ts';
import { checkArray, checkCodes, isArray, type Labels, type RowScores, type Weight } from './check.ts';
import { type Confusion, confusion } from './confusion.ts';
import { labelsOf, type Predictions } from './forms.ts';

/** The group of each row: row i belongs to `names[codes[i]]`. */
export interface Groups {
  readonly codes: ArrayLike<number>;
  readonly names: readonly string[];
}

/** The metrics of the rows of one group. A figure that does not exist there is null. */
export interface GroupMetrics {
  readonly name: string;
  /** weight of its rows; when it is 0 all other figures are null */
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
 * Gaps between groups. A difference is the greatest value less the least, among the groups that have one; null when fewer than two have.
 *
 *   demographicParity    selection rates; the ratio is the least over the greatest (the four-fifths rule asks for 0.8), 1 when both are 0
 *   equalOpportunity     true positive rates
 *   equalizedOdds        the greater of the differences of true and of false positive rates
 *   predictiveParity     precisions
 */
export interface FairnessGaps {
  readonly demographicParityDifference: number | null;
  readonly demographicParityRatio: number | null;
  readonly equalOpportunityDifference: number | null;
  readonly equalizedOddsDifference: number | null;
  readonly predictiveParityDifference: number | null;
}

/**
 * Returns the metrics of each group of rows, in the order of the names, and the usual gaps between groups.
 *
 * @param predictions  as for `logLoss`, with two classes
 * @param y       length n, 0 or 1
 * @param groups  codes: length n, 0 to names.length − 1
 * @param weight  length n, finite and ≥ 0; default all 1. An integer weight is a repeated row, weight 0 is no row.
 * @param said    as for `evaluate`: threshold (called positive when p > threshold), or labels; scores for the areas
 * @throws ERR_SHAPE lengths that differ, values that are no array, no row of positive weight
 * @throws ERR_RANGE as `evaluate`, and a code outside its domain
 * @see fairlearn.metrics: demographic_parity_difference, demographic_parity_ratio, equal_opportunity_difference, equalized_odds_difference
 *   (method="between_groups", agg="worst_case"), MetricFrame(precision_score).difference(). Fairlearn counts a rate that does not exist as 0, which turns an
 *   unknown rate into a gap.
 * @example
 * const groups = { codes: [0, 0, 1, 1], names: ['north', 'south'] };
 * const found = groupMetrics({ probabilities: [0.9, 0.8, 0.7, 0.2] }, [1, 0, 1, 0], groups);
 * found.groups[1].selectionRate; // 0.5
 * found.gaps.demographicParityRatio; // 0.5
 */
export function groupMetrics(
  predictions: Predictions,
  y: Labels,
  groups: Groups,
  weight?: Weight,
  said: Said = {},
): { readonly groups: readonly GroupMetrics[]; readonly gaps: FairnessGaps } {
  refuseUnknown('said', said, { scores: true, labels: true, threshold: true });
  const called = labelsOf(predictions, y, weight, said);
  const n = called.length;
  const { codes, names } = checkGroups(groups, n);
  const scores = said.scores ?? predictions.logits ?? predictions.probabilities!;
  checkArray('scores', scores);
  if (scores.length !== n) throw new LogoddsError('ERR_SHAPE', `scores: expected length ${n}, got ${scores.length}`);
  const rows = names.map((): number[] => []);
  for (let i = 0; i < n; i++) if (!weight || weight[i] > 0) rows[codes[i]].push(i);
  const metrics = names.map((name, k) => {
    const pick = (values: ArrayLike<number>) => Float64Array.from(rows[k], (i) => values[i]);
    const mine = { y: pick(y), weight: weight ? pick(weight) : null };
    if (mine.y.length === 0) return { ...NOTHING, name };
    const part = predictions.logits
      ? { logits: pick(predictions.logits) }
      : { probabilities: pick(predictions.probabilities!) };
    return {
      name,
      ...rates(confusion(pick(called), mine.y, 0.5, mine.weight)),
      ...quality(part, mine.y, mine.weight, pick(scores)),
    };
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

/** @throws ERR_RANGE, ERR_SHAPE */
function checkGroups(groups: Groups, rows: number): Groups {
  if (typeof groups !== 'object' || groups === null || !isArray(groups.names)) {
    throw new LogoddsError('ERR_RANGE', `groups: expected { codes, names }, got ${tell(groups)}`);
  }
  checkCodes('group codes', groups.codes, rows, groups.names.length);
  return groups;
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

function quality(predictions: Predictions, y: Labels, weight: Weight, scores: RowScores) {
  return {
    auc: auc(scores, y, weight),
    logLoss: logLoss(predictions, y, weight),
    ece: ece(predictions, y, weight),
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
