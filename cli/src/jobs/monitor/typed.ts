/** Logs whose columns have types: Parquet files and queries. Rows go from DuckDB's columns into the watch, none becomes an object. */
import { type Engine, LogoddsError, type Model } from '../../../../src/index.ts';
import { list, show } from '../../../../src/internal.ts';
import type { ModelWatch } from '../../../../src/monitor.ts';
import { openDatabase, patternOf, rowsOf } from '../../read/database.ts';
import { streamColumns } from '../../read/scoring.ts';
import { name, text } from '../../read/sql.ts';
import { readingOf } from '../../read/text/options.ts';
import { openQuery } from '../../read/typed.ts';
import { type Wanted, wantedColumns } from '../../read/wanted.ts';
import type { LogCounts } from './counts.ts';
import { MEMORY, plainNumber } from './labels.ts';
import type { KeyedLog } from './resolve.ts';
import { BLOCK, FaultyRow, type Outcomes, OWN, refuseFaulty, take, timeName } from './rows.ts';
import type { LogColumn, MonitorSettings } from './settings.ts';

/** A log of typed columns. */
export interface TypedLog {
  /** for messages */
  readonly label: string;
  /** rows, as an SQL table expression */
  readonly relation: string;
  readonly types: ReadonlyMap<string, string>;
  readonly columns: MonitorSettings['columns'];
}

/** Runs a query of ours over relations of the user, with the rules of `--query`. */
async function ask<T>(sql: string, use: (rows: Record<string, unknown>[]) => T): Promise<T> {
  const database = await openDatabase(MEMORY);
  try {
    const { relation } = await openQuery(database.connection, sql, readingOf({}));
    return use(await rowsOf(database.connection, `from ${relation}`));
  } finally {
    database.close();
  }
}

/** @throws ERR_SCHEMA a log without times */
export async function openLog(label: string, relation: string, columns: MonitorSettings['columns']): Promise<TypedLog> {
  const database = await openDatabase(MEMORY);
  try {
    const source = await openQuery(database.connection, `from ${relation}`, readingOf({}));
    const types = new Map(source.columns.map((column) => [column.name, column.type]));
    const log = { label, relation, types, columns };
    if (!has(log, 'at'))
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${label}: expected a column ${show(columns.at)} with the time of each score, got ${list([...types.keys()].slice(0, 12))}; name it in --config under columns`,
      );
    return log;
  } finally {
    database.close();
  }
}

/** A Parquet file as an SQL table expression. */
export const parquetOf = (file: string): string =>
  `read_parquet([${text(patternOf(file))}], hive_partitioning = false)`;
/** A query as one. */
export const queryOf = (sql: string): string => `(${sql.replace(/[;\s]+$/, '')}\n)`;

const has = ({ types, columns }: TypedLog, column: LogColumn): boolean => types.has(columns[column]);

const cell = ({ columns }: TypedLog, column: LogColumn): string => name(columns[column]);

/** The time of a row in milliseconds since 1970, as SQL. */
function timeOf(log: TypedLog, own = log.columns.at): string {
  const type = log.types.get(own)!;
  if (/^(TIMESTAMP|DATE)/.test(type)) return `epoch_us(cast(${name(own)} as timestamp)) / 1000.0`;
  if (type === 'VARCHAR') return `epoch_us(try_cast(${name(own)} as timestamp)) / 1000.0`;
  return `try_cast(${name(own)} as double)`;
}

/** Its rows by id, entity and time, without those from after `until`. */
export function keyed(log: TypedLog, model: Model, until: number): KeyedLog {
  if (!has(log, 'id'))
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${log.label}: expected a column ${show(log.columns.id)}, by which labels are joined, got none; name it in --config under columns, or give --target`,
    );
  const hasEntity = has(log, 'entity');
  const entity = hasEntity ? `, cast(${cell(log, 'entity')} as varchar) as entity` : '';
  return {
    sql: `select cast(${cell(log, 'id')} as varchar) as id${entity}, ${timeOf(log)} as "at" from ${log.relation} where ${isOfModel(log, model)} and not coalesce(${timeOf(log)} > ${until}, false)`,
    hasEntity,
  };
}

const isOfModel = (log: TypedLog, { sha256 }: Model): string =>
  has(log, 'sha256') && sha256 !== null ? `${cell(log, 'sha256')} = ${text(sha256)}` : 'true';

/** Whether a row can be taken, by what is wrong with it. */
function faultsOf(log: TypedLog, { manifest: { classes } }: Model): [what: string, sql: string][] {
  const faults: [string, string][] = [
    ['rows without a time: left out', `${timeOf(log)} is null or not isfinite(${timeOf(log)})`],
  ];
  if (has(log, 'probability'))
    faults.push([
      'rows whose probability is no number from 0 to 1: left out',
      `${cell(log, 'probability')} is null or not (${cell(log, 'probability')} between 0 and 1)`,
    ]);
  if (has(log, 'probability') && has(log, 'label'))
    faults.push([
      'scores whose label is no class of the model: left out',
      `${cell(log, 'label')} is null or cast(${cell(log, 'label')} as varchar) not in (${classes.map(text).join(', ')})`,
    ]);
  return faults;
}

/** Counts rows by who scored them. @returns rows of the model */
async function survey(log: TypedLog, model: Model, counts: LogCounts): Promise<number> {
  const parts = (['model', 'version', 'sha256', 'route'] as const).map((column) =>
    has(log, column) ? `cast(${cell(log, column)} as varchar) as ${column}` : `null::varchar as ${column}`,
  );
  const mine = isOfModel(log, model);
  const sql = `select ${parts.join(', ')}, count(*) as n, count(*) filter (${mine}) as mine from ${log.relation} group by all`;
  let rows = 0;
  await ask(sql, (found) => {
    for (const row of found) {
      const said = (key: string): string => String(row[key] ?? '');
      if (row['sha256'] !== null || row['model'] !== null)
        counts.origin({
          model: said('model'),
          version: said('version'),
          sha256: said('sha256'),
          route: (row['route'] as string) ?? null,
          rows: Number(row['n']),
        });
      rows += Number(row['mine']);
    }
  });
  return rows;
}

/** Counts the rows of the model that cannot be taken. @returns how many they are */
async function countFaults(log: TypedLog, model: Model, counts: LogCounts): Promise<number> {
  const faults = faultsOf(log, model);
  const first = faults.map(([, sql], k) => {
    const before = faults.slice(0, k).map(([, other]) => `and not coalesce(${other}, true)`);
    return `count(*) filter ((${sql}) ${before.join(' ')}) as f${k}`;
  });
  let left = 0;
  await ask(`select ${first.join(', ')} from ${log.relation} where ${isOfModel(log, model)}`, ([row]) => {
    faults.forEach(([what], k) => {
      counts.note(what, Number(row[`f${k}`]));
      left += Number(row[`f${k}`]);
    });
  });
  return left;
}

const NUMBERS = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL.*)$/;

/** The type in SQL of a field. */
const shapeOf = ({ type }: Model['fields'][number]): string =>
  type === 'number' ? 'DOUBLE' : type === 'tags' ? 'VARCHAR[]' : 'VARCHAR';

/** The inputs of the model as SQL, by the way in which the log has them; null: it has none. */
function inputsOf(
  log: TypedLog,
  model: Model,
): {
  readonly cells: readonly (readonly [field: string, sql: string, isFloat: boolean])[];
  readonly from: string;
} | null {
  const type = has(log, 'inputs') ? log.types.get(log.columns.inputs)! : null;
  const { fields } = model;
  if (type === null) {
    const isThere = ({ name: own, private: isPrivate }: (typeof fields)[number]): boolean =>
      log.types.has(own) || isPrivate === true;
    const absent = fields.filter((field) => !isThere(field));
    if (absent.length > 0 && absent.length < fields.filter((field) => !field.private).length)
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${log.label}: expected the inputs of the model, or inputs, got no ${list(absent.map((field) => field.name))}; add them`,
      );
    if (absent.length > 0) return null;
    return {
      cells: fields.map((field) => {
        const type = log.types.get(field.name);
        // a private one may be absent, as it is from the logs of the service
        return [field.name, type ? name(field.name) : `null::${shapeOf(field)}`, /^(FLOAT|DOUBLE)/.test(type ?? '')];
      }),
      from: log.relation,
    };
  }
  if (type.startsWith('STRUCT')) {
    const inside = cell(log, 'inputs');
    return {
      cells: fields.map((field) => [field.name, `${inside}.${name(field.name)}`, field.type === 'number']),
      from: log.relation,
    };
  }
  const shape = Object.fromEntries(fields.map((field) => [field.name, shapeOf(field)]));
  const read = `json_transform(cast(${cell(log, 'inputs')} as json), ${text(JSON.stringify(shape))})`;
  return {
    cells: fields.map((field) => [field.name, `"logodds inputs".${name(field.name)}`, field.type === 'number']),
    from: `(select *, ${read} as "logodds inputs" from ${log.relation})`,
  };
}

/** The time of the value of a feature in milliseconds since 1970, as SQL. @throws ERR_SCHEMA nothing has it */
function eventTimeOf(log: TypedLog, feature: string, source: string): string {
  if (log.types.has(source)) return timeOf(log, source);
  const type = log.types.get(log.columns.inputs);
  const inputs = cell(log, 'inputs');
  const value = type?.startsWith('STRUCT')
    ? type.includes(`${name(source)} `) || type.includes(`${source} `)
      ? `cast(${inputs}.${name(source)} as varchar)`
      : null
    : type && `json_extract_string(cast(${inputs} as json), ${text(`$.${JSON.stringify(source)}`)})`;
  if (!value)
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${log.label}: expected a column or an input ${show(source)} with the time of ${show(feature)}, got none; correct eventTimes in --config`,
    );
  return `coalesce(try_cast(${value} as double), epoch_us(try_cast(${value} as timestamp)) / 1000.0)`;
}

/** Adds the rows of a log that are of the model. @returns the watch of this log alone */
export async function watchTyped(
  log: TypedLog,
  model: Model,
  start: () => ModelWatch,
  outcomes: Outcomes,
  counts: LogCounts,
  engine: Engine,
  warn: (message: string) => void,
): Promise<ModelWatch> {
  const rows = await survey(log, model, counts);
  if (rows === 0) return start();
  const begun = (left: number): void => {
    if (has(log, 'probability') && !isScoredBy(log, model))
      counts.note('rows with a probability and without the label that it is of: scored now', rows - left);
    if (!has(log, 'sha256')) counts.note('rows without the digest of a model: taken as those of this one', rows - left);
  };
  const isOdd = (error: unknown): boolean => error instanceof LogoddsError && error.code === 'ERR_RECORD';
  try {
    const watched = await read(log, model, start(), outcomes, { isTrusted: true, isGuarded: false }, engine, warn);
    begun(0);
    return watched;
  } catch (error) {
    // reading tells it as the cause of its own error
    if (!(isOdd(error) || (error as Error).cause instanceof FaultyRow)) throw error;
  }
  // what cannot be taken is counted when there is some of it
  const left = await countFaults(log, model, counts);
  begun(left);
  if (rows === left) return start();
  try {
    return await read(log, model, start(), outcomes, { isTrusted: false, isGuarded: false }, engine, warn);
  } catch (error) {
    // and so are numbers that are none
    if (!isOdd(error)) throw error;
    await tellOdd(log, model, counts);
    return read(log, model, start(), outcomes, { isTrusted: false, isGuarded: true }, engine, warn);
  }
}

/** Names the inputs that are NaN or infinite. */
async function tellOdd(log: TypedLog, model: Model, counts: LogCounts): Promise<void> {
  const inputs = inputsOf(log, model);
  const floats = inputs?.cells.filter(([, , isFloat]) => isFloat) ?? [];
  if (!inputs || floats.length === 0) return;
  const sums = floats.map(([, sql], k) => `count(*) filter (not isfinite(cast(${sql} as double))) as f${k}`);
  await ask(`select ${sums.join(', ')} from ${inputs.from} where ${isOfModel(log, model)}`, ([row]) => {
    floats.forEach(([field], k) => {
      counts.note(`cells of ${field} that are NaN or infinite: taken as missing`, Number(row[`f${k}`]));
    });
  });
}

/** What is taken of rows as it is. */
interface Trust {
  /** true: no row is left out, and one that should be is an error; false: a condition leaves out what cannot be taken */
  readonly isTrusted: boolean;
  /** true: numbers that are none are missing */
  readonly isGuarded: boolean;
}

/** @throws FaultyRow */
async function read(
  log: TypedLog,
  model: Model,
  watched: ModelWatch,
  outcomes: Outcomes,
  { isTrusted, isGuarded }: Trust,
  engine: Engine,
  warn: (message: string) => void,
): Promise<ModelWatch> {
  const { classes, positive } = model.manifest;
  const inputs = inputsOf(log, model);
  const cells = (inputs?.cells ?? []).map(
    ([field, sql, isFloat]) =>
      `${isGuarded && isFloat ? `case when isfinite(cast(${sql} as double)) then ${sql} end` : sql} as ${name(field)}`,
  );
  const isScored = isScoredBy(log, model);
  const number = (own: string): Wanted => ({ name: own, levels: null, role: 'feature', unseen: 'slot' });
  const coded = (own: string): Wanted => ({ ...number(own), levels: classes });
  const extra: (readonly [sql: string, wanted: Wanted])[] = [[timeOf(log), number(OWN.at)]];
  if (isScored) {
    extra.push(
      [`cast(${cell(log, 'probability')} as double)`, number(OWN.probability)],
      [labelOf(log, model), coded(OWN.label)],
    );
    if (positive !== null && has(log, 'logit') && NUMBERS.test(log.types.get(log.columns.logit)!))
      extra.push([`coalesce(cast(${cell(log, 'logit')} as double), 0)`, number(OWN.logit)]);
  }
  if (outcomes && 'target' in outcomes) {
    if (!log.types.has(outcomes.target))
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${log.label}: expected the column ${show(outcomes.target)} of --target, got ${list([...log.types.keys()].slice(0, 12))}; correct the name`,
      );
    const said = `cast(${name(outcomes.target)} as varchar)`;
    extra.push([plainNumber(said, log.types.get(outcomes.target)!), coded(OWN.outcome)]);
  }
  for (const [feature, source] of Object.entries(watched.settings.eventTimes ?? {}))
    extra.push([eventTimeOf(log, feature, source), number(timeName(feature))]);
  const where = [
    isOfModel(log, model),
    ...(isTrusted ? [] : faultsOf(log, model).map(([, one]) => `not coalesce(${one}, true)`)),
  ];
  const joined = outcomes && 'labels' in outcomes ? outcomes.labels : null;
  // a join turns rows about, which windows by rows must not see
  const isOrdered = joined !== null && 'rows' in watched.settings.every;
  const selected = [
    ...cells,
    ...extra.map(([one, { name: own }]) => `${one} as ${name(own)}`),
    ...(joined ? [`cast(${cell(log, 'id')} as varchar) as ${name(OWN.id)}`] : []),
    ...(isOrdered ? [`row_number() over () as ${name(OWN.row)}`] : []),
  ];
  let sql = `select ${selected.join(', ')} from ${inputs?.from ?? log.relation} where ${where.join(' and ')}`;
  if (joined) {
    const labels = `select id as "logodds key", label as "logodds said", "at" as "logodds then", "only" as "logodds only" from ${joined.sql}`;
    const isIts = `"logodds only" is null or "logodds only" = ${name(OWN.at)}`;
    const known = (cell: string, own: string) => `case when ${isIts} then ${cell} end as ${name(own)}`;
    sql = `select *, ${known('"logodds said"', OWN.outcome)}, ${known('"logodds then"', OWN.outcomeAt)} from (${sql}) left join (${labels}) on ${name(OWN.id)} = "logodds key"${isOrdered ? ` order by ${name(OWN.row)}` : ''}`;
    extra.push(['', coded(OWN.outcome)], ['', number(OWN.outcomeAt)]);
  }
  const features: Wanted[] = inputs ? wantedColumns(model, {}).map((one) => ({ ...one, unseen: 'slot' })) : [];
  const wanted = [...features, ...extra.map(([, one]) => one)];
  await streamColumns(
    { query: sql },
    { wanted, model: null, capacity: BLOCK },
    (table) => {
      if (isTrusted) refuseFaulty(table, features.length, classes.length);
      take(table, features.length, watched, outcomes !== null, engine);
    },
    warn,
  );
  return watched;
}

/** Texts that a column of labels may spell in another way than the model; others are what they are. */
const SPELT = /^(true|false|t|f|yes|no|y|n|[-\d.]+)$/i;

/** Whether the log has the scores of its rows: of two classes the probability alone says the label. */
const isScoredBy = (log: TypedLog, { manifest: { positive } }: Model): boolean =>
  has(log, 'probability') && (has(log, 'label') || positive !== null);

/** The label of a row as SQL: null where it is no class. */
function labelOf(log: TypedLog, { manifest }: Model): string {
  const { classes, positive, decision } = manifest;
  if (!has(log, 'label')) {
    const other = classes.find((one) => one !== positive)!;
    return `case when ${cell(log, 'probability')} > ${decision.threshold} then ${text(positive!)} else ${text(other)} end`;
  }
  const own = cell(log, 'label');
  if (log.types.get(log.columns.label) === 'VARCHAR' && !classes.some((one) => SPELT.test(one))) return own;
  return `case when cast(${own} as varchar) in (${classes.map(text).join(', ')}) then cast(${own} as varchar) end`;
}
