import { classWeights } from '../../encode/tally.ts';
import { list, show } from '../../messages.ts';
import type { Problem } from '../../train/problem/problem.ts';
import type { Finding } from '../finding.ts';
import type { Examined } from './state.ts';

// Findings about the number of parameters.

/** Largest number of parameters for which columns are compared by square matrices. */
export const MATRIX_LIMIT = 500;

/** With fewer events for each parameter than this, estimates are biased and intervals too short. */
const EVENTS = 10;

/** More parameters than rows. All other findings about columns would follow from it. */
export function underdetermined(
  { batch, rows: { weight } }: Problem,
  { likelihood }: Examined,
  columns: number,
): Finding[] {
  const parameters = (columns + 1) * Math.max(1, likelihood.classes - 1);
  const rows = weight ? weight.reduce((sum, s) => sum + Number(s > 0), 0) : batch.rows;
  if (parameters <= rows) return [];
  return [
    {
      code: 'UNDERDETERMINED',
      severity: 'error',
      features: [],
      evidence: `${parameters} parameters for ${rows} rows have no unique estimate without a penalty`,
      advice: 'penalise (C or lambda) or use fewer features',
    },
  ];
}

/** Too few rows of the rarest class for the number of parameters. */
export function lowEvents({ likelihood, y }: Examined, count: Float64Array | null, columns: number): Finding[] {
  const { classes } = likelihood;
  const tally = classWeights(Math.max(2, classes), y, count);
  const fewest = Math.min(...tally);
  if (columns === 0 || fewest / columns >= EVENTS) return [];
  return [
    {
      code: 'LOW_EVENTS',
      severity: 'warning',
      features: [],
      evidence: `${(fewest / columns).toFixed(1)} events for ${columns === 1 ? 'the one weight' : `each of ${columns} weights`} (the rarest class has ${Number(fewest.toFixed(1))} rows); ${EVENTS} are recommended`,
      advice: 'use fewer features, penalise (C or lambda), or distrust small p-values',
    },
  ];
}

/** Too many parameters to form matrices; names the columns without which there would be few enough. */
export function tooWide({ slots, schema }: Problem, parameters: number): Finding {
  const sizes = schema.features.map(() => 0);
  for (const { feature } of slots) sizes[feature]++;
  const share = parameters / (slots.length + 1);
  const widest = sizes.map((size, k) => ({ size, name: schema.features[k].name })).sort((a, b) => b.size - a.size);
  const features: string[] = [];
  for (let left = parameters; left > MATRIX_LIMIT && features.length < widest.length; ) {
    left -= share * widest[features.length].size;
    features.push(widest[features.length].name);
  }
  const named = features.length > 12 ? `${features.length} columns, the widest ${show(features[0])}` : list(features);
  return {
    code: 'NOT_CHECKED',
    severity: 'info',
    features,
    evidence: `collinear columns, variance inflation, condition number, influential rows and separation by several columns were not looked for: ${parameters} parameters are more than ${MATRIX_LIMIT} (too many with ${named})`,
    advice: 'merge levels, or check again without these columns',
  };
}
