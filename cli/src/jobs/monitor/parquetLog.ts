/** Logs in Parquet that are read without DuckDB, by the codes of their dictionaries. What is unusual in one is left to `watchTyped`, as a whole. */
import { closeSync } from 'node:fs';
import {
  type CodedColumn,
  type Engine,
  LogoddsError,
  type Model,
  type NumericColumn,
  type Table,
} from '../../../../src/index.ts';
import { selectRows } from '../../../../src/internal.ts';
import type { ModelWatch } from '../../../../src/monitor.ts';
import { openParquetFile } from '../../read/parquet/footer.ts';
import { ParquetRows } from '../../read/parquet/rows.ts';
import { readingOf } from '../../read/text/options.ts';
import { type Wanted, wantedColumns } from '../../read/wanted.ts';
import { startRows } from '../../terminal/progress.ts';
import type { LogCounts } from './counts.ts';
import { BLOCK, FaultyRow, OWN, refuseFaulty, take, timeName } from './rows.ts';
import type { MonitorSettings } from './settings.ts';

/** A log, and what it is watched with. */
export interface ParquetLog {
  readonly path: string;
  readonly columns: MonitorSettings['columns'];
  readonly model: Model;
  /** the column with what became true; undefined: there is none */
  readonly target: string | undefined;
}

/** What says who scored a row. */
const ORIGIN = ['model', 'version', 'sha256', 'route'] as const;
const originName = (column: (typeof ORIGIN)[number]): string => `logodds origin ${column}`;

/**
 * Adds the rows of a file that are of the model.
 * @returns the watch of this log alone; null: the file is left to DuckDB, and nothing was counted
 */
export async function watchParquet(
  log: ParquetLog,
  start: () => ModelWatch,
  counts: LogCounts,
  engine: Engine,
): Promise<ModelWatch | null> {
  const { path, model, target } = log;
  const watched = start();
  const found = wantedOf(log, watched.settings.eventTimes ?? {});
  const rows =
    found && (await ParquetRows.open([path], { wanted: found.wanted, known: null, capacity: BLOCK }, readingOf({})));
  if (!rows) return null;
  const { inputs, isNamed } = found;
  const origins = new Origins();
  const phase = startRows('score');
  let mine = 0;
  try {
    const read = await rows.stream((table, first, share) => {
      origins.add(table);
      phase.update(first + table.rows, share);
      const part = isNamed ? ofModel(table, model.sha256) : table;
      mine += part.rows;
      if (part.rows === 0) return;
      refuseFaulty(part, inputs, model.manifest.classes.length);
      take({ ...part, columns: part.columns.map(withoutGaps) }, inputs, watched, target !== undefined, engine);
    });
    if (read < rows.rows) return null;
  } catch (error) {
    // what reads through DuckDB counts and names such rows
    if (error instanceof FaultyRow || (error instanceof LogoddsError && error.code === 'ERR_RECORD')) return null;
    throw error;
  } finally {
    phase.end();
  }
  origins.tell(counts);
  if (!isNamed) counts.note('rows without the digest of a model: taken as those of this one', mine);
  return mine > 0 ? watched : start();
}

/** The columns to read, the inputs first; null: the file is left to DuckDB. */
function wantedOf(
  { path, columns, model, target }: ParquetLog,
  eventTimes: Readonly<Record<string, string>>,
): { readonly wanted: readonly Wanted[]; readonly inputs: number; readonly isNamed: boolean } | null {
  const file = openParquetFile(path);
  if (!file) return null;
  closeSync(file.fd);
  const kinds = new Map(file.columns.map(({ name, kind }) => [name, kind]));
  const has = (column: string): boolean => kinds.has(column);
  if (has(columns.inputs) || !has(columns.at) || !model.fields.every(({ name }) => has(name))) return null;
  if (has(columns.probability) && !has(columns.label)) return null;
  const inputs = wantedColumns(model, {}).map((one): Wanted => ({ ...one, unseen: 'slot' }));
  const further: Wanted[] = [];
  let isFine = true;
  const want = (
    name: string,
    column: string,
    kind: 'number' | 'time' | 'text',
    levels: readonly string[] | null,
    read?: Wanted['read'],
  ): void => {
    const own = kinds.get(column);
    const isNumber = own === 'integer' || own === 'float';
    isFine &&= kind === 'text' ? own === 'text' : isNumber || (kind === 'time' && own === 'date');
    further.push({ name, column, levels, role: 'feature', unseen: 'slot', ...(read && { read }) });
  };
  const { classes, positive } = model.manifest;
  want(OWN.at, columns.at, 'time', null, 'time');
  if (has(columns.probability) && has(columns.label)) {
    want(OWN.probability, columns.probability, 'number', null);
    want(OWN.label, columns.label, 'text', classes, 'text');
    if (positive !== null && has(columns.logit)) want(OWN.logit, columns.logit, 'number', null);
  }
  if (target !== undefined) want(OWN.outcome, target, 'text', classes);
  for (const [feature, source] of Object.entries(eventTimes)) want(timeName(feature), source, 'time', null, 'time');
  for (const one of ORIGIN) if (has(columns[one])) want(originName(one), columns[one], 'text', [], 'text');
  if (!isFine) return null;
  return { wanted: [...inputs, ...further], inputs: inputs.length, isNamed: has(columns.sha256) };
}

/** Rows by who scored them. */
class Origins {
  readonly #rows = new Map<string, { readonly texts: readonly (string | null)[]; rows: number }>();

  add({ rows, columns }: Table): void {
    const parts = ORIGIN.map(
      (one) => columns.find(({ name }) => name === originName(one)) as CodedColumn | undefined,
    ).map((column) => column && { codes: column.codes, levels: column.levels, missing: column.missing });
    const textAt = (k: number, row: number): string | null => {
      const part = parts[k];
      return !part || part.missing?.[row] ? null : part.levels[part.codes[row]];
    };
    const differing = parts.filter((part) => part && !isConstant(part));
    const isAs = (row: number, other: number): boolean =>
      differing.every(
        (part) => part!.codes[row] === part!.codes[other] && part!.missing?.[row] === part!.missing?.[other],
      );
    // most rows are of the same as the row before
    for (let from = 0; from < rows; ) {
      let to = differing.length > 0 ? from + 1 : rows;
      while (to < rows && isAs(to, from)) to++;
      const texts = parts.map((_, k) => textAt(k, from));
      const key = JSON.stringify(texts);
      const found = this.#rows.get(key);
      if (found) found.rows += to - from;
      else this.#rows.set(key, { texts, rows: to - from });
      from = to;
    }
  }

  tell(counts: LogCounts): void {
    for (const { texts, rows } of this.#rows.values()) {
      const [model, version, sha256, route] = texts;
      if (sha256 === null && model === null) continue;
      counts.origin({ model: model ?? '', version: version ?? '', sha256: sha256 ?? '', route, rows });
    }
  }
}

/** Whether all rows have the same, and no more need be known than the first. */
function isConstant({ codes, levels, missing }: Pick<CodedColumn, 'codes' | 'levels' | 'missing'>): boolean {
  if (levels.length <= 1 && !missing) return true;
  const cells = missing ?? codes;
  const first = missing ? 1 : codes[0];
  let same = 0;
  for (let i = 0; i < cells.length; i++) same += cells[i] === first ? 1 : 0;
  return same === cells.length;
}

/** The rows of the model, or all when it has no digest. */
function ofModel(table: Table, sha256: string | null): Table {
  if (sha256 === null) return table;
  const column = table.columns.find(({ name }) => name === originName('sha256')) as CodedColumn;
  const own = column.levels.indexOf(sha256);
  if (isConstant(column)) return column.missing || column.codes[0] !== own ? { rows: 0, columns: [] } : table;
  const rows: number[] = [];
  for (let i = 0; i < table.rows; i++) if (column.codes[i] === own && !column.missing?.[i]) rows.push(i);
  return rows.length === table.rows ? table : selectRows(table, Uint32Array.from(rows));
}

/** A missing logit counts as 0, whatever is in its place. */
function withoutGaps<T extends Table['columns'][number]>(column: T): T {
  const { name, missing } = column;
  if (name !== OWN.logit || !missing) return column;
  const values = (column as unknown as NumericColumn).values.map((value, i) => (missing[i] ? 0 : value));
  return { ...column, values, missing: null };
}
