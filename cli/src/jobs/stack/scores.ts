import { type Declaration, LogoddsError, type Model, type NumericColumn, type Table } from '../../../../src/index.ts';
import { list, show } from '../../../../src/internal.ts';

/** Least probability that is taken as it is, where nobody says. */
export const CLIP = 1e-6;

export type ScoreKind = 'probability' | 'logit';

/** A column of scores of a model of any origin. */
export interface ScoreColumn {
  readonly name: string;
  readonly kind: ScoreKind;
  /** true: nobody said the kind; all numbers are from 0 to 1, or not */
  readonly guessed: boolean;
  /** rows whose probability is beyond the ends */
  readonly clipped: number;
}

/**
 * Looks at a column of scores: of which kind they are, and how many are clipped.
 * @param clip  least probability that is taken as it is; 1 − clip the greatest
 * @throws ERR_DATA for what is no number, or no probability where that is said
 */
export function lookAtScores(table: Table, name: string, said: ScoreKind | undefined, clip: number): ScoreColumn {
  const { values, missing } = numbersIn(table, name);
  let [outside, clipped] = [-1, 0];
  for (let i = 0; i < table.rows; i++) {
    if (missing?.[i]) continue;
    if (!(values[i] >= 0 && values[i] <= 1)) outside = i;
    else if (values[i] < clip || values[i] > 1 - clip) clipped++;
  }
  if (said === 'probability' && outside >= 0)
    throw new LogoddsError(
      'ERR_DATA',
      `column ${show(name)}: expected probabilities from 0 to 1, got another number; give --score-kind logit`,
    );
  const kind = said ?? (outside < 0 ? 'probability' : 'logit');
  return { name, kind, guessed: said === undefined, clipped: kind === 'probability' ? clipped : 0 };
}

/** @throws ERR_DATA for a column that is not of numbers */
export function numbersIn(table: Table, name: string): NumericColumn {
  const column = table.columns.find((one) => one.name === name)!;
  if (column.kind === 'numeric') return column;
  const text = column.levels.find((level) => !Number.isFinite(Number(level.trim() || Number.NaN)));
  throw new LogoddsError(
    'ERR_DATA',
    `column ${show(name)}: expected scores, got text${text === undefined ? '' : ` such as ${show(text)}`}; correct the cells, or name another column`,
  );
}

/** The logits of a column of scores; NaN where a cell is missing. */
export function logitsIn(table: Table, { name, kind }: Pick<ScoreColumn, 'name' | 'kind'>, clip: number): Float64Array {
  const { values, missing } = numbersIn(table, name);
  return Float64Array.from({ length: table.rows }, (_, i) => {
    if (missing?.[i]) return Number.NaN;
    if (kind === 'logit') return values[i];
    const p = Math.min(Math.max(values[i], clip), 1 - clip);
    return Math.log(p / (1 - p));
  });
}

/** The logits of the stack's positive class by a model of these two classes. */
export function logitsBy(model: Model, table: Table, positive: string): Float64Array {
  const { logits } = model.scoreTable(table);
  return model.manifest.positive === positive ? logits : logits.map((z) => -z);
}

export const probabilityOf = (logits: Float64Array): Float64Array => logits.map((z) => 1 / (1 + Math.exp(-z)));

/** @throws ERR_TARGET unless a model has these two classes */
export function refuseClasses(name: string, { manifest }: Model, classes: readonly string[]): void {
  if (manifest.positive !== null && manifest.classes.every((one) => classes.includes(one))) return;
  throw new LogoddsError(
    'ERR_TARGET',
    `base ${show(name)}: expected the classes ${list(classes)}, got ${list(manifest.classes)}; name a model of the same two`,
  );
}

/** How columns of scores become logits. */
export const schemaOf = (columns: readonly ScoreColumn[], clip: number): Declaration => ({
  features: columns.map(({ name, kind }) =>
    kind === 'logit'
      ? { name, kind: 'numeric' as const }
      : { name, kind: 'numeric' as const, transform: 'logit' as const, low: clip, high: 1 - clip },
  ),
  others: 'infer',
});
