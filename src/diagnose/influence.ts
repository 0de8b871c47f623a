import type { ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { exp } from '../../bindings/js/math.ts';
import { SlotRow } from './slotRow.ts';

/** A row whose removal would move the estimates. */
export interface InfluentialRow {
  /** number of the row, from 0 */
  readonly row: number;
  /** Cook's distance */
  readonly distance: number;
  readonly leverage: number;
}

/**
 * Cook's distance of every row: how far the estimates move, in units of their confidence region, when the row is removed. It is approximated by
 * one Newton step from the fit.
 *
 *   D = r²·h / (p·(1 − h)²),   r² = u·(y − π)² / (π(1 − π)),   h = u·π(1 − π)·xᵀ(XᵀWX)⁻¹x,   p parameters
 *
 * For a row that represents several, D is that of one of them, with weight u. Rows of weight 0 and rows with 0 < y < 1 have none.
 *
 * @param logits   of all rows
 * @param unit     u, the weight of each observation that a row represents; null: ones
 * @param inverse  (XᵀWX)⁻¹ of the active parameters
 * @param active   slots, ascending, then the intercept (batch.slots)
 * @param least    smallest distance to report
 * @returns rows by distance, the largest first
 * @see Pregibon, Logistic regression diagnostics, Annals of Statistics 9(4), 1981
 */
export function influentialRows(
  batch: ColumnsBatch,
  logits: Float64Array,
  y: ArrayLike<number>,
  weight: Float64Array | null,
  unit: Float64Array | null,
  inverse: Float64Array,
  active: ArrayLike<number>,
  least: number,
): InfluentialRow[] {
  const size = active.length;
  const row = new SlotRow(batch, active);
  const { at, x } = row;
  const root = Float64Array.from({ length: size }, (_, j) => Math.sqrt(inverse[j * size + j]));
  const found: InfluentialRow[] = [];
  const far = (odds: number, h: number) => (odds * h) / (size * (1 - h) ** 2);
  for (let i = 0; i < logits.length; i++) {
    if ((weight && weight[i] === 0) || (y[i] > 0 && y[i] < 1)) continue;
    const count = row.read(i);
    let bound = 0;
    for (let k = 0; k < count; k++) bound += Math.abs(x[k]) * root[at[k]];
    // r², and π(1 − π) from it
    const odds = exp(y[i] === 1 ? -logits[i] : logits[i]);
    const u = unit ? unit[i] : 1;
    const curvature = u / (odds + 2 + 1 / odds);
    // xᵀCx ≤ (Σ |xⱼ|·√Cⱼⱼ)² settles most rows
    const most = curvature * bound * bound;
    if (most < 1 && far(u * odds, most) < least) continue;
    let form = 0;
    for (let a = 0; a < count; a++) {
      const row = at[a] * size;
      let sum = 0;
      for (let b = 0; b < count; b++) sum += inverse[row + at[b]] * x[b];
      form += x[a] * sum;
    }
    const leverage = Math.min(curvature * form, 1 - Number.EPSILON);
    const distance = far(u * odds, leverage);
    if (distance >= least) found.push({ row: i, distance, leverage });
  }
  return found.sort((a, b) => b.distance - a.distance || a.row - b.row);
}
