/** What a model reads of DATA: its columns, and what is said of others. */

import { LogoddsError, type Model, type Table } from '../../../src/index.ts';
import { list, show } from '../../../src/internal.ts';
import { type Need, needsOf } from '../../../src/text.ts';
import { counted } from '../figures/wording.ts';
import { FILL } from './roles.ts';
import { nearest, type Source, shorten } from './source.ts';

/** The uses of one column. */
export interface Wanted {
  readonly name: string;
  /** known labels; null: numbers, or decided by the needs */
  readonly levels: readonly string[] | null;
  readonly role: 'feature' | 'offset' | 'target' | 'weight';
  readonly unseen: 'slot' | 'error';
  /** set for a column whose labels the model does not list, or which features read in several ways */
  readonly needs?: ReadonlySet<Need>;
  /** the column of DATA; absent: it has the same name. Of Parquet that is read without DuckDB alone, as is `read` */
  readonly column?: string;
  /** `text`: texts as they are, whatever they may mean, with the levels as they occur where `levels` are empty; `time`: milliseconds since 1970 */
  readonly read?: 'text' | 'time';
}

/** Columns to read of DATA, and how many rows at a time. */
export interface ReadColumns {
  readonly wanted: readonly Wanted[];
  /** null: of no model; else what is not said to be ignored beside the wanted columns */
  readonly known: readonly (string | null)[] | null;
  readonly capacity: number;
}

/** Columns that `eval` reads beside those of the model. */
export interface FurtherColumns {
  readonly target?: string;
  readonly weight?: string;
}

/** The next step for a missing cell. The caller leaves out rows without a target. */
export const requirement = (role: Wanted['role']) => (role === 'feature' || role === 'target' ? undefined : FILL);

/** Takes a block of rows; it is valid during the call. A promise asks for a pause. */
export type Use = (table: Table, firstRow: number) => Promise<void> | void;

/** As `Use`, with the share of DATA that is read. */
export type UseShare = (table: Table, firstRow: number, share: number) => Promise<void> | void;

export function wantedColumns(model: Model, { target, weight }: FurtherColumns): Wanted[] {
  const { schema, offset, classes } = model.manifest;
  const numeric = (column: string, role: Wanted['role']): Wanted => ({
    name: column,
    levels: null,
    role,
    unseen: 'slot',
  });
  const columns = [...needsOf(schema.features)].map(([column, needs]): Wanted => {
    if (needs.size === 1 && needs.has('number')) return numeric(column, 'feature');
    const listed = schema.features.flatMap((feature) =>
      (feature.kind === 'categorical' || feature.kind === 'target') && (feature.column ?? feature.name) === column
        ? [feature]
        : [],
    );
    const levels = [
      ...new Set(listed.flatMap((feature) => [...feature.levels, ...('rare' in feature ? (feature.rare ?? []) : [])])),
    ];
    const unseen = listed.some((feature) => feature.unseen === 'error') ? 'error' : 'slot';
    return {
      name: column,
      levels,
      role: 'feature',
      unseen,
      ...(!(needs.size === 1 && needs.has('level')) && { needs }),
    };
  });
  if (offset !== null) columns.push(numeric(offset, 'offset'));
  if (target !== undefined) columns.push({ name: target, levels: classes, role: 'target', unseen: 'error' });
  if (weight !== undefined) columns.push(numeric(weight, 'weight'));
  return columns;
}

/** @throws ERR_SCHEMA naming all absent columns */
export function refuseAbsent(
  label: string,
  names: readonly string[],
  wanted: readonly Wanted[],
  ofModel: boolean,
): void {
  const absent = wanted.filter((one) => !names.includes(one.name));
  if (absent.length === 0) return;
  const guess = absent.length === 1 ? nearest(absent[0].name, names) : null;
  const next = guess
    ? `did you mean ${show(guess)}? rename it`
    : 'add them (empty cells are missing values), or rename the columns that hold them';
  const what =
    absent.length === 1 ? `column ${show(absent[0].name)}` : `columns ${list(absent.map((one) => one.name))}`;
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${label}: expected ${what}${ofModel ? ' of the model' : ''}, got ${shorten(names)}; ${next}`,
    { problems: absent.map(({ name: field }) => ({ field, rule: 'a column that is there' })) },
  );
}

/** Notes the columns that a model does not use. @param known  other columns that it knows; null: there is no model */
export function sayExtra(
  source: Pick<Source, 'reading'>,
  names: readonly string[],
  known: readonly (string | null)[] | null,
  wanted: readonly Wanted[],
): void {
  if (!known) return;
  const used = new Set([...wanted.map((one) => one.name), ...known]);
  const extra = names.filter((column) => !used.has(column));
  if (extra.length === 0) return;
  source.reading.warn(
    `ignored ${extra.length === 1 ? 'a column' : counted(extra.length, 'column')} the model does not use: ${shorten(extra)}`,
  );
}
