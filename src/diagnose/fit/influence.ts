import { factorCholesky, invertCholesky } from '../../math/cholesky.ts';
import type { Problem } from '../../train/problem/problem.ts';
import type { Finding } from '../finding.ts';
import { influentialRows } from '../influence.ts';
import type { Examined, State } from './state.ts';

/** z of the 10 % quantile of the normal distribution: a row should not move the estimates out of a 10 % confidence region (Cook 1977). */
const REGION = -1.2815515655446004;

/** Cook's distance that always deserves attention (Cook & Weisberg 1982). */
const STRONG_DISTANCE = 1;

/** Rows that move the estimates. */
export function influence(
  { batch, rows: { weight, sampleWeight, counts, unit } }: Problem,
  { likelihood, y }: Examined,
  state: State,
): Finding[] {
  const size = state.columns.length;
  if (!state.factor || size < 2) return [];
  // χ²/p of p parameters at 10 %, by Wilson and Hilferty's cube
  const least = (1 - 2 / (9 * size) + REGION * Math.sqrt(2 / (9 * size))) ** 3;
  const logits = new Float64Array(likelihood.rows);
  likelihood.logits(state.objective.expand(state.w), logits);
  const sum = (values: Float64Array | null) => values?.reduce((total, s) => total + s, 0) ?? batch.rows;
  // the scale of sampling weights has no meaning, so scale them to a mean of 1
  const scale = unit ? sum(counts) / sum(sampleWeight) : 1;
  const each = unit?.map((s) => s * scale) ?? null;
  const factor = state.information.map((value) => value * scale);
  factorCholesky(factor, size);
  const inverse = invertCholesky(factor, size);
  const rows = influentialRows(batch, logits, y, weight, each, inverse, state.columns, least);
  if (rows.length === 0) return [];
  const figures = rows
    .slice(0, 10)
    .map(({ row, distance, leverage }) => `${row} (${distance.toPrecision(2)}, leverage ${leverage.toPrecision(2)})`);
  return [
    {
      code: 'INFLUENTIAL_ROWS',
      severity: rows[0].distance >= STRONG_DISTANCE ? 'warning' : 'info',
      features: [],
      evidence: `Cook's distance above ${least.toFixed(2)} (outside the 10 % confidence region) in ${rows.length} ${rows.length === 1 ? 'row' : 'rows'} (counted from 0): ${figures.join(', ')}${rows.length > 10 ? ', …' : ''}`,
      advice: 'check these rows for errors, and fit without them to see what changes',
    },
  ];
}
