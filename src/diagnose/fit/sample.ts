import { exp } from '../../../bindings/js/math.ts';
import type { Problem } from '../../train/problem/problem.ts';
import { CERTAIN } from '../separation.ts';
import { SlotRow } from '../slotRow.ts';
import { type Examined, factored, type Weighted } from './state.ts';

/** Rows of a sample for each column. */
const ROWS = 32;
/** Neighbouring rows that are taken together: cells of f64 in a line of the cache. */
const RUN = 8;
/** How many times the work of a sample and its factor the sums over all rows must be, so that a sample is worth its while. */
const WORTH = 10;
/** How far Σ sᵢxᵢ² of a column in the sample may be from that of all rows, as a factor. */
const ALIKE = 2;

/** Rows of a problem, and its columns by these rows at the end of a fit of two classes. */
export interface Sample extends Weighted {
  readonly rows: Int32Array;
  /** Whether Σ sᵢxᵢ² of each column is about what all rows have. Where it is not, a few rows have most of a column. */
  readonly alike: boolean;
}

/**
 * Evenly spaced runs of rows, and XᵀWX of them.
 * @param columns  slots, ascending, then the intercept
 * @param params   of the fit
 * @returns null where sums over all rows cost about as much
 */
export function sampleOf(
  problem: Problem,
  { likelihood, profile }: Examined,
  columns: readonly number[],
  params: Float64Array,
): Sample | null {
  const { batch, rows: vectors } = problem;
  const { weight, offset } = vectors;
  const size = columns.length;
  const most = ROWS * size;
  const cells = (batch.specs.length + 1) ** 2 / 2;
  if (batch.rows * cells < WORTH * (most * cells + size ** 3)) return null;
  const every = new SlotRow(
    batch,
    Array.from(params, (_, j) => j),
  );
  const row = new SlotRow(batch, columns);
  const rows = new Int32Array(most);
  for (let k = 0; k < most; k++) rows[k] = Math.floor(((k - (k % RUN)) * batch.rows) / most) + (k % RUN);
  const matrix = new Float64Array(size * size);
  const square = new Float64Array(size);
  let total = 0;
  for (const i of rows) {
    const s = weight ? weight[i] : 1;
    const z = every.dot(every.read(i), params) + (offset ? offset[i] : 0);
    const odds = exp(-Math.abs(z));
    const count = row.read(i);
    row.addSquare(count, (s * odds) / (1 + odds) ** 2, matrix, size);
    for (let k = 0; k < count; k++) square[row.at[k]] += s * row.x[k] * row.x[k];
    total += s;
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[j * size + i] = matrix[i * size + j];
  const share = total / likelihood.totalWeight;
  const alike = columns.slice(0, -1).every((id, j) => {
    const ratio = square[j] / (share * profile.square[id]);
    return ratio > 1 / ALIKE && ratio < ALIKE;
  });
  return { ...factored(problem, columns, matrix, true), rows, alike };
}

/**
 * Whether the classes overlap, proved by a sample at the end of a fit of two classes.
 *
 * They do if a positive combination of all signed rows is 0 (Stiemke's lemma). With π the probability of the class that a row is not in, the
 * combination Σ sᵢπᵢ·aᵢ = −Xᵀ(s(p − y)) is nearly 0 at the end of a fit, and rows of the sample take away the rest:
 *
 *   Σ sᵢπᵢ·aᵢ − Σ_sample wᵢ(xᵢ·c)·xᵢ = 0,   w = s·p(1 − p),   (XᵀWX of the sample)·c = −gradient
 *
 * The factors stay positive while |xᵢ·c| < 1 in every row of the sample.
 *
 * @param gradient  Xᵀ(s(p − y)) of all rows
 */
export function sampleOverlaps({ batch }: Problem, sample: Sample, gradient: Float64Array): boolean {
  const { rows, columns, factor } = sample;
  if (!factor) return false;
  const c = factor.solve(Float64Array.from(columns, (id) => -gradient[id]));
  const row = new SlotRow(batch, columns);
  return rows.every((i) => Math.abs(row.dot(row.read(i), c)) <= CERTAIN);
}
