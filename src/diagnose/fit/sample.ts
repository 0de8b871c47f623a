import { exp } from '../../../bindings/js/math.ts';
import type { Problem } from '../../train/problem/problem.ts';
import type { SlotProfile } from '../../train/problem/slotProfile.ts';
import { CERTAIN } from '../separation.ts';
import { SlotRow } from '../slotRow.ts';
import { type Examined, factored, SINGULAR } from './state.ts';

/** Fewest and most rows of a sample for each column. */
const ROWS = { few: 8, many: 64 };
/** Rows of each level that a sample has, if there are as many. */
const OF_LEVEL = 8;
/** How many times the tolerance a pivot of the sample must be, so that no rounding can have made it so large. */
const CLEAR = 1000;

/** What a sample of the rows proves of all of them. */
export interface Proved {
  /** no column is a combination of others */
  readonly independent: boolean;
  /** the classes overlap, so that the likelihood has a maximum */
  readonly overlap: boolean;
}

/**
 * Proves by a sample of the rows what holds for all of them, two classes.
 *
 * Columns are independent if they are so in the sample, because pivots of XᵀWX only grow with the rows.
 *
 * The classes overlap if a positive combination of all signed rows is 0 (Stiemke's lemma). With p at the end of a fit, π the probability of the
 * class that a row is not in, the combination Σ sᵢπᵢ·aᵢ = −Xᵀ(s(p − y)) is nearly 0, and the sample takes the rest away:
 *
 *   Σ sᵢπᵢ·aᵢ − Σ_sample wᵢ(xᵢ·c)·xᵢ = 0,   w = s·p(1 − p),   (XᵀWX of the sample)·c = −gradient
 *
 * The factors stay positive while |xᵢ·c| < 1 in every row of the sample.
 *
 * @param columns   slots, ascending, then the intercept
 * @param params    of the fit
 * @param gradient  Xᵀ(s(p − y)) of all rows at `params`; null: overlap is not looked for
 */
export function proveBySample(
  problem: Problem,
  { profile, likelihood }: Examined,
  columns: readonly number[],
  params: Float64Array,
  gradient: Float64Array | null,
): Proved {
  const { batch, slots, rows } = problem;
  const { weight, offset } = rows;
  const size = columns.length;
  const every = new SlotRow(
    batch,
    Array.from(params, (_, j) => j),
  );
  const row = new SlotRow(batch, columns);
  const least = Float64Array.from(columns, (id) => {
    const square = id < slots.length ? profile.square[id] : likelihood.totalWeight;
    // w is at most a quarter of s
    return (CLEAR * SINGULAR * square) / 4;
  });
  let [independent, overlap] = [false, false];
  // as many as cost what the factor does
  const cells = batch.specs.length + 1;
  const each = Math.min(ROWS.many, Math.max(ROWS.few, Math.round(size ** 2 / (3 * cells ** 2))));
  for (const rows of new Set([each * size, ROWS.many * size])) {
    if (2 * rows > batch.rows) break;
    const sample = sampleOf(problem, profile, rows);
    const matrix = new Float64Array(size * size);
    for (const i of sample) {
      const z = every.dot(every.read(i), params) + (offset ? offset[i] : 0);
      const odds = exp(-Math.abs(z));
      const w = ((weight ? weight[i] : 1) * odds) / (1 + odds) ** 2;
      row.addSquare(row.read(i), w, matrix, size);
    }
    const { factor } = factored(problem, columns, matrix, true);
    if (!factor) continue;
    independent ||= factor.pivots().every((pivot, j) => pivot > least[j]);
    if (gradient) {
      const c = factor.solve(Float64Array.from(columns, (id) => -gradient[id]));
      overlap = sample.every((i) => Math.abs(row.dot(row.read(i), c)) <= CERTAIN);
    }
    if (independent && (overlap || !gradient)) break;
  }
  return { independent, overlap };
}

/** Rows of positive weight: about `most`, evenly spaced, and the first ones of each level that these have too few of. */
function sampleOf({ batch, rows: { weight } }: Problem, { square }: SlotProfile, most: number): number[] {
  const { rows, specs, offsets } = batch;
  const present = (i: number) => !weight || weight[i] > 0;
  const sample = new Set<number>();
  for (let k = 0; k < most; k++) {
    const i = Math.floor((k * rows) / most);
    if (present(i)) sample.add(i);
  }
  specs.forEach((spec, c) => {
    if (spec.kind === 'numeric') return;
    const codes = batch.codes(c);
    // without weights, Σ sᵢxᵢ² of a level is the number of its rows
    const wanted = Int32Array.from({ length: spec.slots }, (_, k) => {
      const size = square[offsets[c] + k];
      return weight && size > 0 ? OF_LEVEL : Math.min(OF_LEVEL, size);
    });
    for (const i of sample) wanted[codes[i]]--;
    let left = wanted.reduce((sum, missing) => sum + Math.max(0, missing), 0);
    for (let i = 0; i < rows && left > 0; i++) {
      if (wanted[codes[i]] <= 0 || !present(i) || sample.has(i)) continue;
      sample.add(i);
      wanted[codes[i]]--;
      left--;
    }
  });
  return [...sample];
}
