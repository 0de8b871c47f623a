import type { Likelihood } from '../../../bindings/likelihood.ts';
import { factorCholesky, solveCholesky } from '../../math/cholesky.ts';
import { show } from '../../messages.ts';
import type { Problem } from '../../train/problem/problem.ts';
import { slotsOf } from '../../train/problem/slots.ts';
import { gramOf, nameParameters } from '../../train/solve/untold.ts';
import { conditioning, inflation } from '../collinear.ts';
import type { Finding } from '../finding.ts';
import type { Sample } from './sample.ts';
import type { Weighted } from './state.ts';

/** Variance inflation above which a column is nearly a combination of others: R² = 0.9. */
const INFLATION = 10;

/** Condition numbers above which estimates suffer, and suffer strongly (Belsley, Kuh & Welsch 1980). */
const CONDITION = { moderate: 30, strong: 100 };

/** Coefficients of a combination below this are rounding errors, for columns scaled to unit length. */
const PART = 1e-6;

/** Columns that repeat others, with the columns they repeat: one finding for each feature. */
export function combinations(
  { slots, rows: { weight } }: Problem,
  likelihood: Likelihood,
  kept: readonly number[],
  dependent: readonly number[],
): Finding[] {
  const basis = [slots.length, ...kept];
  const order = [...basis, ...dependent];
  const gram = gramOf(likelihood, order, weight ?? new Float64Array(likelihood.rows).fill(1));
  const length = Float64Array.from(order, (_, j) => Math.sqrt(gram[j * (order.length + 1)]));
  const rowOf = (j: number) => gram.subarray(j * order.length, j * order.length + basis.length);
  const size = basis.length;
  const factor = new Float64Array(size * size);
  basis.forEach((_, j) => {
    factor.set(rowOf(j), j * size);
  });
  factorCholesky(factor, size);
  const partsOf = (slot: number): number[] => {
    const own = order.indexOf(slot);
    const part = rowOf(own).slice();
    solveCholesky(factor, size, part);
    return basis.filter((id, j) => id < slots.length && Math.abs(part[j]) * length[j] > PART * length[own]);
  };
  const byFeature = new Map<string, number[]>();
  for (const slot of dependent) byFeature.set(slots[slot].name, [...(byFeature.get(slots[slot].name) ?? []), slot]);
  return [...byFeature].map(([name, own]): Finding => {
    const parts = new Set(own.flatMap(partsOf));
    const others = nameParameters(parts, slotsOf(slots));
    const held = own.length === 1 ? 'the weight is' : `these ${own.length} weights are`;
    return {
      code: 'RANK_DEFICIENT',
      severity: 'warning',
      features: [name, ...others.features.filter((other) => other !== name)],
      evidence: `${nameParameters(own, slotsOf(slots)).text}: a linear combination of ${others.text || 'the intercept'}, so without a penalty ${held} held at 0`,
      advice: 'drop columns that repeat others, or penalise (C or lambda)',
    };
  });
}

/**
 * Whether a sample of the rows shows that there is nothing to say about collinear columns: all figures are below half of where they would be
 * reported, and no column has most of its length in a few rows. Figures of a sample are never shown.
 */
export function clearOfCollinearity(problem: Problem, sample: Sample): boolean {
  const { information, factor, alike } = sample;
  return (
    alike &&
    factor !== null &&
    conditioning(information, factor).number < CONDITION.moderate / 2 &&
    inflations(problem, sample).every(({ times }) => times < INFLATION / 2)
  );
}

/** Condition number and variance inflation. */
export function collinearity(problem: Problem, weighted: Weighted): Finding[] {
  const { slots } = problem;
  const { columns, information, factor } = weighted;
  if (!factor || columns.length < 3) return [];
  const found: Finding[] = [];
  const conditions = conditioning(information, factor);
  const condition = conditions.number;
  if (condition > CONDITION.moderate) {
    const { share } = conditions;
    const involved = columns.filter((_, j) => share[j] > 0.5);
    const { features, text } = nameParameters(involved, slotsOf(slots));
    found.push({
      code: 'CONDITION_NUMBER',
      severity: condition > CONDITION.strong ? 'warning' : 'info',
      features,
      evidence: `condition number ${condition.toPrecision(3)} of the weighted columns at unit length${text ? `, mostly by ${text}` : ''}; ${CONDITION.moderate} is moderate, ${CONDITION.strong} is strong`,
      advice: 'drop or combine redundant columns, or penalise (C or lambda)',
    });
  }
  const inflated = inflations(problem, weighted)
    .filter(({ times }) => times > INFLATION)
    .sort((a, b) => b.times - a.times);
  if (inflated.length > 0) {
    const figures = inflated
      .slice(0, 5)
      .map(
        ({ name, group, times }) =>
          `${show(name)} ${times.toPrecision(3)}${group.length > 1 ? ` (generalised, ${group.length} weights)` : ''}`,
      );
    const more = inflated.length > 5 ? ` and ${inflated.length - 5} more` : '';
    found.push({
      code: 'HIGH_VIF',
      severity: 'warning',
      features: inflated.map(({ name }) => name),
      evidence: `variance inflation above ${INFLATION}: ${figures.join(', ')}${more}`,
      advice: 'interpret single weights of these columns with care; drop or combine some, or penalise (C or lambda)',
    });
  }
  return found;
}

/** Variance inflation of each feature, with the places of its columns. */
function inflations(
  { slots }: Problem,
  { columns, information, factor, levels }: Weighted,
): { name: string; group: number[]; times: number }[] {
  const groups = new Map<string, number[]>();
  for (let j = 0; j < columns.length - 1; j++) {
    const { name } = slots[columns[j]];
    groups.set(name, [...(groups.get(name) ?? []), j]);
  }
  return [...groups].map(([name, group]) => ({ name, group, times: inflation(information, factor!, group, levels) }));
}
