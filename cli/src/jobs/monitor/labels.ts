/** Labels of a log of labels, or of any file with the same columns. */
import { LogoddsError } from '../../../../src/index.ts';
import { list } from '../../../../src/internal.ts';
import { labelLog, type OutcomeLabel } from '../../../../src/monitor.ts';
import { type Database, dataError, openDatabase, rowsOf, streamChunks } from '../../read/database.ts';
import { formatOf } from '../../read/paths.ts';
import { name } from '../../read/sql.ts';
import type { LogCounts } from './counts.ts';
import { type CleanLabels, cleanCsv, hasLabels, LABEL_COLUMNS, linesAsText } from './csvLabels.ts';
import { readLines, type TakeLabel, tellFaults } from './lines.ts';

/** Memory of DuckDB before it spills. */
export const MEMORY = '512MB';

/** Bytes of a line that DuckDB takes; `cleanCsv` leaves out longer ones. */
const MOST_LINE = 16_000_000;

/** Whether a file of labels is a table, which DuckDB reads. @throws ERR_DATA another format */
export function isTable(file: string): boolean {
  const format = formatOf(file);
  if (format === null)
    throw new LogoddsError(
      'ERR_DATA',
      `--labels: expected .jsonl, .csv or .parquet, got ${JSON.stringify(file)}; rename it`,
    );
  return format !== 'jsonl';
}

/** @throws ERR_SCHEMA always: its labels are what the model said, so that it would never be wrong */
function refuseScores(file: string): never {
  throw new LogoddsError(
    'ERR_SCHEMA',
    `--labels ${file}: expected what became true, got a prediction log, whose label is what the model said; name the log of labels`,
  );
}

/** Reads all labels of some files. A file of scores alone is refused. @throws ERR_DATA, ERR_SCHEMA */
export async function readLabels(files: readonly string[], take: TakeLabel, counts: LogCounts): Promise<void> {
  for (const file of files) {
    if (isTable(file)) {
      await readTable(file, take, counts);
      continue;
    }
    const reader = labelLog();
    for await (const labels of readLines<OutcomeLabel>(file, reader)) for (const label of labels) take(label);
    const hasScores = reader.faults.some(({ field, rule }) => field === 'label' && rule.includes('prediction log'));
    if (hasScores && reader.counts.read === 0) refuseScores(file);
    tellFaults(reader, 'label line', counts);
  }
}

/**
 * The labels of a table as SQL, and those that are none.
 * @returns a query of id, entity, label, and of `at` and `time`, when it was known and when it happened, in milliseconds
 * @throws ERR_SCHEMA other columns
 */
export async function labelsOfTable(database: Database, file: string, counts: LogCounts): Promise<string> {
  const { connection } = database;
  const [{ own }] = await rowsOf(connection, "select current_setting('temp_directory') as own");
  const clean = formatOf(file) === 'parquet' ? null : await cleanCsv(file, String(own), counts);
  const relation = clean ? readClean(clean) : `read_parquet(${quoted(file)})`;
  const found = await rowsOf(connection, `describe from ${relation}`);
  const types = new Map(
    clean
      ? clean.columns.map((column) => [column, 'VARCHAR'])
      : found.map((row) => [String(row['column_name']), String(row['column_type'])]),
  );
  const has = (column: string): boolean => types.has(column);
  if (!hasLabels([...types.keys()]))
    throw new LogoddsError(
      'ERR_SCHEMA',
      `--labels ${file}: expected columns label, at and id or entity, got ${list([...types.keys()].slice(0, 12))}; rename them`,
    );
  if (has('probability') && (has('logit') || has('sha256'))) refuseScores(file);
  const text = (column: string): string =>
    has(column) ? `nullif(cast(${name(column)} as varchar), '')` : 'null::varchar';
  const time = (column: string): string => {
    if (!has(column)) return 'null::double';
    const own = name(column);
    if (/^(TIMESTAMP|DATE)/.test(types.get(column)!)) return `epoch_us(cast(${own} as timestamp)) / 1000.0`;
    // of UTC where there is no zone, or milliseconds since 1970
    return `coalesce(try_cast(${own} as double), epoch_us(try_cast(${own} as timestamp)) / 1000.0)`;
  };
  const read = `select ${text('id')} as id, ${text('entity')} as entity, ${plainNumber(text('label'), types.get('label')!)} as label, ${time('at')} as "at", ${time('outcomeAt')} as happened${clean ? ', line' : ''} from ${relation}`;
  const faults: readonly (readonly [what: string, sql: string])[] = [
    ['id: expected the id of a score, or the entity that it was of', 'id is null and entity is null'],
    ['label: expected one', 'label is null'],
    ['at: expected a time', '"at" is null or not isfinite("at")'],
  ];
  const isIt = (k: number): string =>
    [faults[k][1], ...faults.slice(0, k).map(([, other]) => `not (${other})`)].join(' and ');
  const bad = faults.map(
    (_, k) => `count(*) filter (${isIt(k)}) as f${k}${clean ? `, min(line, 5) filter (${isIt(k)}) as l${k}` : ''}`,
  );
  const [row] = await rowsOf(connection, `select ${bad.join(', ')} from (${read})`);
  faults.forEach(([what], k) => {
    const count = Number(row[`f${k}`]);
    const lines = ((row[`l${k}`] ?? []) as unknown[]).map(Number);
    const where = lines.length > 0 ? ` (${linesAsText(lines, count)} of ${file})` : '';
    counts.note(`labels of another schema, ${what}: left out${where}`, count);
  });
  const fine = faults.map(([, sql]) => `not (${sql})`).join(' and ');
  return `select id, case when id is null then entity end as entity, label, "at", coalesce(happened, "at") as time from (${read}) where ${fine}`;
}

async function readTable(file: string, take: TakeLabel, counts: LogCounts): Promise<void> {
  const database = await openDatabase(MEMORY);
  try {
    const sql = await labelsOfTable(database, file, counts);
    for await (const chunk of streamChunks(database.connection, sql)) {
      const [ids, entities, labels, ats, times] = [0, 1, 2, 3, 4].map((k) => chunk.getColumnValues(k));
      for (let i = 0; i < chunk.rowCount; i++)
        take({
          ...(ids[i] !== null ? { id: String(ids[i]) } : { entity: String(entities[i]) }),
          label: String(labels[i]),
          at: Number(ats[i]),
          outcomeAt: Number(times[i]),
        });
    }
  } catch (error) {
    throw dataError(`--labels ${file}`, error);
  } finally {
    database.close();
  }
}

/** The text of a cell without the zero that a float gets: 1.0 is 1, as in JSON. */
export const plainNumber = (text: string, type: string): string =>
  /^(FLOAT|DOUBLE|DECIMAL)/.test(type) ? `regexp_replace(${text}, '\\.0+$', '')` : text;

/** A table of clean labels as SQL: nothing of it is left to a guess. */
const readClean = ({ file }: CleanLabels): string =>
  `read_csv(${quoted(file)}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '', max_line_size = ${MOST_LINE}, columns = {line: 'BIGINT', ${LABEL_COLUMNS.map((column) => `"${column}": 'VARCHAR'`).join(', ')}})`;

const quoted = (file: string): string => `'${file.replaceAll("'", "''").replace(/[[*?]/g, '[$&]')}'`;
