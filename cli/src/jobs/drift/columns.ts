import {
  type CategoricalFeature,
  type Column,
  LogoddsError,
  Model,
  type NumericFeature,
  type Table,
} from '../../../../src/index.ts';
import { counted } from '../../figures/wording.ts';
import type { Part } from '../../read/roles.ts';
import { isText, lazyDatabase, openSource, type SourceOptions } from '../../read/source.ts';
import { planText } from '../../read/text/plan.ts';
import type { Wanted } from '../../read/wanted.ts';
import type { Skipped } from './options.ts';

/** What a column holds. */
export type ColumnKind = 'number' | 'category';

/** Kinds of the columns of a source, and why others have none. */
export interface Looked {
  readonly kinds: ReadonlyMap<string, ColumnKind>;
  readonly others: ReadonlyMap<string, string>;
}

/** Looks at the columns of a source: at their types, or at all cells of text. @throws the errors of reading that are about no column */
export async function lookAt(options: SourceOptions): Promise<Looked> {
  const database = lazyDatabase('512MB');
  const [kinds, others] = [new Map<string, ColumnKind>(), new Map<string, string>()];
  try {
    const source = await openSource(database.get, { ...options, warn: () => {} });
    try {
      if (!isText(source)) {
        for (const { name, kind, type } of source.columns) {
          if (kind === 'integer' || kind === 'float') kinds.set(name, 'number');
          else if (kind === 'text' || kind === 'boolean') kinds.set(name, 'category');
          else others.set(name, `its type is ${type}; derive a number or a text with a query`);
        }
        return { kinds, others };
      }
      const parts = source.columns.map(
        ({ name }): Part => ({ name, role: 'feature', read: 'infer', needs: null, gaps: 'keep' }),
      );
      const { plans } = await planText(source, parts, undefined, ({ name }, error) => {
        others.set(name, error instanceof LogoddsError ? error.detail : String(error));
        return true;
      });
      for (const { name, levels } of plans) if (!others.has(name)) kinds.set(name, levels ? 'category' : 'number');
      return { kinds, others };
    } finally {
      source.close();
    }
  } finally {
    await database.close();
  }
}

/** The columns that both sides have and that are of one kind; the others by name. */
export function commonColumns(
  reference: Looked,
  current: Looked,
): { readonly kinds: ReadonlyMap<string, ColumnKind>; readonly skipped: readonly Skipped[] } {
  const kinds = new Map<string, ColumnKind>();
  const skipped: Skipped[] = [];
  const names = [reference, current].flatMap((one) => [...one.kinds.keys(), ...one.others.keys()]);
  const words = { number: 'numbers', category: 'categories' };
  for (const name of new Set(names)) {
    const [was, is] = [reference.kinds.get(name), current.kinds.get(name)];
    const other = reference.others.get(name) ?? current.others.get(name);
    const whyOf = (): string | null => {
      if (other !== undefined) return other;
      if (was === undefined) return 'only CURRENT has it';
      if (is === undefined) return 'only REFERENCE has it';
      return was === is ? null : `${words[was]} in REFERENCE and ${words[is]} in CURRENT`;
    };
    const why = whyOf();
    if (why === null) kinds.set(name, was!);
    else skipped.push({ name, why });
  }
  return { kinds, skipped };
}

/** How the columns of these kinds are read before their levels are known. */
export const openColumns = (kinds: ReadonlyMap<string, ColumnKind>): Wanted[] =>
  [...kinds].map(([name, kind]) => ({
    name,
    levels: kind === 'number' ? null : [],
    role: 'feature',
    unseen: 'slot',
    ...(kind === 'category' && { needs: new Set(['level'] as const) }),
  }));

/** Levels that are told apart; the others are one. */
const MOST_LEVELS = 1000;
/** A column with this share of distinct values identifies rows, from this many rows on. */
const IDENTIFIER = { rows: 100, share: 0.5 };

/**
 * A model of columns as they are: its weights are 0. So columns are summed up, streamed and compared as the features of any model.
 * @param sample  rows of the reference
 */
export function modelOfColumns(sample: Table): { readonly model: Model; readonly skipped: readonly Skipped[] } {
  const skipped: Skipped[] = [];
  const features = sample.columns.flatMap((column) => {
    const made = column.kind === 'numeric' ? numberOf(column, sample.rows) : levelsOf(column, sample.rows);
    if (typeof made !== 'string') return [made];
    skipped.push({ name: column.name, why: made });
    return [];
  });
  if (features.length === 0)
    throw new LogoddsError(
      'ERR_SCHEMA',
      `drift: expected a column that both sides have, got none that can be compared (${skipped.map(({ name, why }) => `${name}: ${why}`).join('; ') || 'no name is the same'}); check the two`,
    );
  const slots = features.reduce((sum, one) => sum + (one.kind === 'numeric' ? 1 : one.levels.length + 2), 0);
  const model = new Model({
    manifest: {
      ...{ format: 1, producer: 'logodds', classes: ['0', '1'], positive: '1', multiclass: null, reference: null },
      ...{ target: '', schema: { features }, decision: { threshold: 0.5 }, offset: null, weight: null },
      objective: { lambda: 0, l1Ratio: 0, C: null, standardize: false },
      fit: {
        ...{ solver: 'newton', choice: '', converged: true, reason: 'converged', iterations: 0, gradNorm: 0 },
        ...{ objective: 0, logLik: 0, nullLogLik: 0, rows: sample.rows, totalWeight: sample.rows },
      },
      ...{ aliased: [], warnings: [] },
    },
    weights: new Float64Array(slots),
    intercept: new Float64Array(1),
    covariance: null,
  });
  return { model, skipped };
}

function numberOf({ name, values, missing }: Column & { kind: 'numeric' }, rows: number): NumericFeature | string {
  let [n, mean, squares, min, max] = [0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < rows; i++) {
    if (missing?.[i]) continue;
    const x = values[i];
    const d = x - mean;
    mean += d / ++n;
    squares += d * (x - mean);
    min = Math.min(min, x);
    max = Math.max(max, x);
  }
  if (n === 0) return 'REFERENCE has no value in it';
  const scale = Math.sqrt(squares / n);
  return {
    name,
    kind: 'numeric',
    mean,
    scale: scale > 0 && Number.isFinite(scale) ? scale : 1,
    min,
    max,
    indicator: false,
  };
}

function levelsOf(
  { name, codes, levels, missing }: Column & { kind: 'coded' },
  rows: number,
): CategoricalFeature | string {
  const counts = new Float64Array(levels.length + 1);
  for (let i = 0; i < rows; i++) counts[missing?.[i] ? levels.length : Math.min(codes[i], levels.length)]++;
  const present = levels.map((_, k) => k).filter((k) => counts[k] > 0);
  const there = rows - counts[levels.length];
  if (present.length === 0) return 'REFERENCE has no value in it';
  if (there >= IDENTIFIER.rows && present.length > IDENTIFIER.share * there)
    return `it looks like an identifier: ${counted(present.length, 'value')} in ${counted(there, 'row')}`;
  const kept = present.sort((a, b) => counts[b] - counts[a] || (levels[a] < levels[b] ? -1 : 1)).slice(0, MOST_LEVELS);
  kept.sort((a, b) => (levels[a] < levels[b] ? -1 : 1));
  return {
    ...{ name, kind: 'categorical', levels: kept.map((k) => levels[k]), coding: 'onehot', reference: null },
    counts: [...kept.map((k) => counts[k]), counts[levels.length]],
    ...{ missing: 'slot', unseen: 'slot' },
  } as CategoricalFeature;
}
