import { slotNames } from '../../encode/slots.ts';
import type { Model } from '../../model/model.ts';
import { DEFAULTED, MISSING } from '../summary/cells.ts';
import { quotient, unitsOf } from '../summary/exactSum.ts';
import { type FeaturePlan, isHidden } from '../summary/layout.ts';
import type { Summary } from '../summary/summary.ts';

/** What one slot of a feature adds to the shift. */
export interface SlotShift {
  /** level, role or term of the slot; null: the number itself */
  readonly level: string | null;
  /** change of the mean of the slot */
  readonly mean: number;
  /** weight·change, in logits */
  readonly shift: number;
}

/** What one feature adds to the shift of the mean logit. */
export interface FeatureShift {
  readonly feature: string;
  /** logits; positive: towards the class */
  readonly shift: number;
  /** the label that it moves decisions to; null: it moves none, or there are more than two classes and it moves away from this one */
  readonly towards: string | null;
  /** its slots that moved, the greatest first */
  readonly slots: readonly SlotShift[];
}

/** The shift of the mean logit of one class, split by feature. */
export interface LogitShift {
  /** the class whose logit it is: with two classes the positive one */
  readonly class: string;
  /** Σ of the shifts of the features, added exactly and rounded once */
  readonly total: number;
  /** difference of the mean logits of the rows, offsets included; null: there are no scores on a side, or more than two classes */
  readonly observed: number | null;
  /** the greatest first */
  readonly features: readonly FeatureShift[];
}

/** Σ of a column of the encoder over the rows as units of 2^−1074, and the rows. */
interface Total {
  readonly over: bigint;
  readonly under: bigint;
}

/**
 * Splits the difference of the mean logits of two summaries by feature, exactly.
 *
 *   mean(z) − mean(z)ʳᵉᶠ = Σ βⱼ·(mean(xⱼ) − mean(xⱼ)ʳᵉᶠ),   over all slots j; a missing cell counts as the value it takes
 *
 * Means are quotients of exact sums, and each slot's share is rounded once, so the shares add up to the total within one unit in the last place each. With
 * sampling the means are those of the sampled rows.
 */
export function logitShifts(model: Model, reference: Summary, current: Summary): LogitShift[] {
  const { encoder, weights, intercept, manifest } = model;
  const { classes, positive } = manifest;
  const names = slotNames(encoder);
  const changes = slotChanges(model, reference, current);
  return Array.from(intercept, (_, k) => {
    const label = positive ?? classes[k];
    const other = classes.find((one) => one !== positive)!;
    let sum: [bigint, bigint] = [0n, 1n];
    const features = reference.plan.map(({ feature, index }): FeatureShift => {
      const slots: SlotShift[] = [];
      let own: [bigint, bigint] = [0n, 1n];
      for (let j = 0; j < names.length; j++) {
        if (names[j].feature !== index) continue;
        const [over, under] = changes[j];
        const weight = unitsOf(weights[k * encoder.slots + j]);
        if (over === 0n || weight === 0n) continue;
        own = added(own, [over * weight, under]);
        slots.push({
          level: names[j].level,
          mean: quotient(over, under),
          shift: quotient(over * weight, under, -1074),
        });
      }
      sum = added(sum, own);
      const shift = quotient(own[0], own[1], -1074);
      slots.sort((a, b) => Math.abs(b.shift) - Math.abs(a.shift));
      const towards = shift > 0 ? label : shift < 0 && positive !== null ? other : null;
      return { feature: feature.name, shift, towards, slots };
    });
    const total = quotient(sum[0], sum[1], -1074);
    features.sort((a, b) => Math.abs(b.shift) - Math.abs(a.shift));
    return { class: label, total, observed: positive === null ? null : observed(reference, current), features };
  });
}

const added = ([a, n]: readonly [bigint, bigint], [b, m]: readonly [bigint, bigint]): [bigint, bigint] =>
  n === m ? [a + b, n] : [a * m + b * n, n * m];

/** Of each slot the change of its mean: over·2^−1074/under. */
function slotChanges(model: Model, reference: Summary, current: Summary): [bigint, bigint][] {
  const out: [bigint, bigint][] = [];
  const hides = reference.hides || current.hides;
  for (const plan of reference.plan)
    for (const own of plan.columns) {
      const column = hides && isHidden(plan) ? { ...own, kept: 'none' as const } : own;
      const [before, after] = [totals(reference, plan, column), totals(current, plan, column)];
      before.forEach(({ over, under }, slot) => {
        const now = after[slot];
        // all with one denominator: sums of a feature stay short
        out.push([now.over * under - over * now.under, under * now.under]);
      });
    }
  return out.length === model.encoder.slots ? out : [];
}

/** The totals of the slots of a column. */
function totals(
  summary: Summary,
  { index, fill }: FeaturePlan,
  { at, kept, slots }: FeaturePlan['columns'][number],
): Total[] {
  const rows = BigInt(summary.rows);
  if (kept === 'none') return new Array<Total>(slots || 1).fill({ over: 0n, under: rows });
  if (kept === 'codes') {
    const from = summary.codesAt[at];
    return Array.from(summary.codes.subarray(from, from + slots), (count) => ({
      over: BigInt(count) << 1074n,
      under: rows,
    }));
  }
  const column = summary.numbers[at];
  if (!column) return [{ over: 0n, under: rows }];
  const n = BigInt(column.finite);
  const sum = column.units[0] + n * unitsOf(column.bins.centre);
  if (kept === 'sum')
    return [
      {
        over: sum,
        under: BigInt(Math.max(1, summary.sampled)),
      },
    ];
  // cells without a number of their own take the fill; the share of rows is that of all, the mean that of the sampled
  const filled = summary.rows - (summary.sample === 1 ? column.finite : presentRows(summary, index));
  const filledSum = BigInt(filled) * unitsOf(fill ?? 0);
  if (summary.sample === 1 || n === 0n) return [{ over: sum + filledSum, under: rows }];
  return [{ over: (rows - BigInt(filled)) * sum + n * filledSum, under: n * rows }];
}

const presentRows = (summary: Summary, index: number): number => {
  const { feature } = summary.plan[index];
  const taken = (feature as { readonly range?: string }).range === 'clip' || feature.kind === 'target' ? 0 : DEFAULTED;
  return summary.rows - summary.counts[4 * index + MISSING] - (taken ? summary.counts[4 * index + DEFAULTED] : 0);
};

/** Difference of the mean logits. */
function observed(reference: Summary, current: Summary): number | null {
  const [a, b] = [reference.planes[0], current.planes[0]];
  const [n, m] = [BigInt(a.finite), BigInt(b.finite)];
  if (!n || !m) return null;
  // the centre is the same
  return quotient(b.units[0] * n - a.units[0] * m, n * m);
}
