import { DIALECTS } from '../sql/dialects.ts';
import { sqlOf } from '../sql/print.ts';
import type { Target } from '../target.ts';

/** A query or a view for a database. */
export const sql: Target = {
  exact: 2e-15,
  print: (plan, { dialect = 'duckdb', ...options }) => [
    { ending: '.sql', text: sqlOf(plan(), DIALECTS[dialect], options) },
  ],
};
