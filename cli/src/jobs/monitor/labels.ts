/** Labels of a log of labels, or of any file with the same columns. */
import { LogoddsError } from '../../../../src/index.ts';
import { type Line, labelLog, labelOf, type OutcomeLabel } from '../../../../src/monitor.ts';
import { type Database, dataError, openDatabase, rowsOf, streamChunks } from '../../read/database.ts';
import { filesOf, formatOf } from '../../read/paths.ts';
import { openSource } from '../../read/source.ts';
import { name } from '../../read/sql.ts';
import type { LogCounts } from './counts.ts';
import { readLines, type TakeLabel, tellFaults } from './lines.ts';

/** Memory of DuckDB before it spills. */
export const MEMORY = '512MB';

/** Reads all labels of the files that a path stands for. @returns how many were read @throws ERR_DATA, ERR_SCHEMA */
export async function readLabels(path: string, take: TakeLabel, counts: LogCounts): Promise<number> {
  let read = 0;
  const taken: TakeLabel = (label) => {
    read++;
    take(label);
  };
  for (const file of filesOf(path)) {
    const format = formatOf(file);
    if (format === 'jsonl') {
      const reader = labelLog();
      for await (const labels of readLines<OutcomeLabel>(file, reader)) for (const label of labels) taken(label);
      tellFaults(reader, 'line of labels', counts);
    } else if (format === null)
      throw new LogoddsError(
        'ERR_DATA',
        `--labels: expected .jsonl, .csv or .parquet, got ${JSON.stringify(file)}; rename it`,
      );
    else await readTable(file, format, taken, counts);
  }
  return read;
}

const COLUMNS = ['id', 'entity', 'label', 'at', 'outcomeAt'];

async function readTable(file: string, format: 'csv' | 'parquet', take: TakeLabel, counts: LogCounts): Promise<void> {
  const database = await openDatabase(MEMORY);
  try {
    const relation =
      format === 'parquet'
        ? await parquet(database, file)
        : `read_csv(${quoted(file)}, all_varchar = true, header = true)`;
    const found = await rowsOf(database.connection, `describe from ${relation}`);
    const types = new Map(found.map((row) => [String(row['column_name']), String(row['column_type'])]));
    const has = COLUMNS.filter((column) => types.has(column));
    if (!has.includes('label') || !(has.includes('id') || has.includes('entity')) || !has.includes('at'))
      throw new LogoddsError(
        'ERR_SCHEMA',
        `--labels ${file}: expected columns label, at and id or entity, got ${[...types.keys()].slice(0, 12).join(', ')}; rename them`,
      );
    const time = (column: string): string =>
      /^(TIMESTAMP|DATE)/.test(types.get(column)!)
        ? `epoch_ms(cast(${name(column)} as timestamp))::double as ${name(column)}`
        : `cast(${name(column)} as varchar) as ${name(column)}`;
    const cells = has.map((column) =>
      column === 'at' || column === 'outcomeAt' ? time(column) : `cast(${name(column)} as varchar) as ${name(column)}`,
    );
    const sql = `select ${cells.join(', ')} from ${relation}`;
    for await (const chunk of streamChunks(database.connection, sql)) {
      const columns = has.map((_, k) => chunk.getColumnValues(k));
      for (let i = 0; i < chunk.rowCount; i++) {
        const value = Object.fromEntries(has.map((column, k) => [column, timeOrText(column, columns[k][i])]));
        const { row, fault }: Line<OutcomeLabel> = labelOf(value);
        if (row) take(row);
        else counts.note(`labels of another schema, ${fault!.field ?? 'row'}: expected ${fault!.rule}: left out`, 1);
      }
    }
  } catch (error) {
    throw dataError(`--labels ${file}`, error);
  } finally {
    database.close();
  }
}

/** Times of CSV are in ISO 8601, or milliseconds since 1970. */
function timeOrText(column: string, value: unknown): unknown {
  const isTime = column === 'at' || column === 'outcomeAt';
  return isTime && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

async function parquet(database: Database, file: string): Promise<string> {
  const source = await openSource(async () => database, { data: file });
  if (source.typing !== 'typed') throw new LogoddsError('ERR_DATA', `${file}: expected Parquet, got text; rename it`);
  return source.relation;
}

const quoted = (file: string): string => `'${file.replaceAll("'", "''").replace(/[[*?]/g, '[$&]')}'`;
