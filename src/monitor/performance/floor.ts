import { normalQuantile } from '../../math/normal.ts';
import { quantile } from '../../math/quantile.ts';
import { splitmix32 } from '../../math/random.ts';
import { eceFloor, type FloorOptions } from '../../metrics/calibrated.ts';
import type { Probabilities, Weight } from '../../metrics/check.ts';

/** Rows above which outcomes are no longer drawn one by one. */
const MANY = 20_000;

/** A bin of probability: weight of its rows, and the variance of the sum of their outcomes, Σ s²·p·(1 − p). */
export interface FloorBin {
  readonly weight: number;
  readonly variance: number;
}

/**
 * What the calibration error of a calibrated model would be. Up to 20,000 rows outcomes are drawn, as by `eceFloor`; above, the share of positives of each bin is
 * drawn from the normal distribution with its variance, which takes replicates × bins steps.
 */
export function calibrationFloor(
  of: { readonly probabilities: Probabilities } | { readonly bins: readonly FloorBin[] },
  weight: Weight,
  { replicates = 200, seed = 1, level = 0.95, bins = 10 }: FloorOptions,
): { readonly median: number; readonly high: number } {
  if ('probabilities' in of && of.probabilities.length <= MANY)
    return eceFloor(of.probabilities, weight, { replicates, seed, level, bins });
  const table = 'bins' in of ? of.bins : binsOf(of.probabilities, weight, bins);
  const total = table.reduce((sum, bin) => sum + bin.weight, 0);
  const next = splitmix32(seed);
  const found = new Float64Array(replicates);
  for (let replicate = 0; replicate < replicates; replicate++) {
    let error = 0;
    for (const { variance } of table) if (variance > 0) error += Math.abs(normal(next)) * Math.sqrt(variance);
    found[replicate] = error / total;
  }
  found.sort();
  return { median: quantile(found, 0.5), high: quantile(found, level) };
}

function binsOf(probabilities: Probabilities, weight: Weight, count: number): FloorBin[] {
  const table = Array.from({ length: count }, () => ({ weight: 0, variance: 0 }));
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i];
    const share = weight ? weight[i] : 1;
    const bin = table[Math.min(count - 1, Math.max(0, Math.ceil(p * count) - 1))];
    bin.weight += share;
    bin.variance += share * share * p * (1 - p);
  }
  return table;
}

/** By the inverse of the distribution function, at the middle of each of 2³² parts. */
const normal = (next: () => number): number => normalQuantile(next() + 2 ** -33);
