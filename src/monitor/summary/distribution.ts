import { levelSlots } from '../../encode/slots.ts';
import type { NumberColumn } from './numberColumn.ts';
import type { Summary } from './summary.ts';

/** How often a number lies in each bin. */
export interface NumberDistribution {
  readonly kind: 'number';
  /** rising; bin k is (edges[k − 1], edges[k]], the first and the last are open */
  readonly edges: readonly number[];
  /** one more than edges */
  readonly counts: readonly number[];
  /** least and greatest value of training */
  readonly low: number;
  readonly high: number;
}

/** How often each level occurs; the last two are missing and unseen cells. */
export interface LevelDistribution {
  readonly kind: 'levels';
  readonly levels: readonly string[];
  readonly counts: readonly number[];
}

/** The distribution of a feature. */
export type Distribution = NumberDistribution | LevelDistribution;

/**
 * Returns the distribution of each feature of a summary, in the order of the schema: for drawing. Null: a feature without one, as tokens of a text, or one that
 * a baseline leaves out.
 * @example
 * const [distance, origin] = distributionsOf(summarise(model, records));
 * distance.counts.reduce((sum, count) => sum + count); // 30
 * origin.levels.at(-1); // '(unseen)'
 */
export function distributionsOf(summary: Summary): (Distribution | null)[] {
  const { coders } = summary.of.encoder;
  return summary.plan.map(({ feature, index, columns: [first] }): Distribution | null => {
    if (first.kept === 'number') return distributionOf(summary.numbers[first.at]!);
    if (first.kept !== 'codes') return null;
    const from = summary.codesAt[first.at];
    const slots = feature.kind === 'categorical' ? levelSlots(feature) : coders[index]!.slots();
    const levels = slots.slice(0, first.slots).map(([role, level]) => level ?? role);
    return { kind: 'levels', levels, counts: [...summary.codes.subarray(from, from + first.slots)] };
  });
}

/**
 * Returns the distribution of the scores of a summary: of the logit, or with more than two classes of the probability of one.
 * @param k  index of the class, with more than two
 * @example
 * scoreDistribution(summarise(model, records)).kind; // 'number'
 */
export const scoreDistribution = (summary: Summary, k = 0): NumberDistribution => distributionOf(summary.planes[k]);

const distributionOf = ({ bins: { edges, low, high }, counts }: NumberColumn): NumberDistribution => ({
  kind: 'number',
  ...{ edges, low, high },
  counts: [...counts],
});
