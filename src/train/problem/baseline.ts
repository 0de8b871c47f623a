import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import { countCodes, sumOf } from '../../encode/tally.ts';
import type { Chunks } from './chunks.ts';
import type { Standardisation } from './standardise.ts';

/** Σ sᵢxᵢ */
function weightedSum(x: Float64Array | Float32Array, s: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += s[i] * x[i];
  return sum;
}

/**
 * Weighted mean of each slot over the training rows, on the scale of the raw features. Explanations are relative to it.
 *
 *   E xⱼ = shiftⱼ + scaleⱼ · Σ sᵢxᵢⱼ / Σ sᵢ;   for a slot of a coded column it is the share of its rows
 *
 * @param weight  sample weights; null: ones
 * @returns length slots
 */
export function slotMeans(
  batch: ColumnsBatch,
  chunks: Chunks | null,
  standard: Standardisation,
  weight: Float64Array | null,
): Float64Array {
  const sums = new Float64Array(batch.slots);
  let total = 0;
  const add = (first: number): void => {
    const { rows } = batch;
    const s = weight?.subarray(first, first + rows) ?? null;
    total += s ? sumOf(s) : rows;
    batch.specs.forEach((spec, column) => {
      const slot = batch.offsets[column];
      if (spec.kind === 'numeric') {
        const x = batch.numeric(column);
        sums[slot] += s ? weightedSum(x, s) : sumOf(x);
      } else {
        const codes = batch.codes(column);
        if (s) for (let i = 0; i < rows; i++) sums[slot + codes[i]] += s[i];
        else {
          countCodes(codes, spec.slots).forEach((count, code) => {
            sums[slot + code] += count;
          });
        }
      }
    });
  };
  if (chunks) {
    const all = batch.specs.map((_, j) => j);
    chunks.each((first, count) => {
      chunks.load(first, count, all);
      add(first);
    });
  } else add(0);
  const mean = (sum: number) => sum / total;
  return rawMeans(sums.map(mean), standard);
}

/** Means of the raw features from those of the standardised ones. */
export function rawMeans(means: Float64Array, { shift, scale }: Standardisation): Float64Array {
  return means.map((mean, j) => shift[j] + scale[j] * mean);
}
