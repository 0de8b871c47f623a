import { dirname, join } from 'node:path';
import { LogoddsError } from '../../../../src/index.ts';
import { list } from '../../../../src/internal.ts';
import { type OutcomeLabel, type Prediction, predictionLog, predictionOf } from '../../../../src/monitor.ts';
import { oneLine, whole } from '../../figures/wording.ts';
import { dataError, openDatabase, patternOf, rowsOf, streamChunks } from '../../read/database.ts';
import { filesOf, formatOf } from '../../read/paths.ts';
import { name, text } from '../../read/sql.ts';
import { LogCounts } from '../monitor/counts.ts';
import { MEMORY, readLabels } from '../monitor/labels.ts';
import { readLines, tellFaults } from '../monitor/lines.ts';
import { COLUMNS } from '../monitor/settings.ts';
import type { Policy } from './policy.ts';
import type { LogSource } from './trainingSet.ts';

/** How much later than now a score or a label may be: clocks differ. */
const AHEAD_MS = 60_000;

/**
 * The logs of a policy. What cannot be read of them, and what is from later than now, is said once, with its count: one label of a time to come would stand
 * for what is known of its score.
 * @param now  milliseconds since 1970
 */
export function logSource({ logs, labels }: Policy, now: number, warn: (message: string) => void): LogSource {
  const said = new Set<string>();
  const tell = (message: string) => {
    if (!said.has(message)) warn(message);
    said.add(message);
  };
  const tellAll = ({ notes }: LogCounts) => {
    for (const { what, count } of notes) tell(oneLine(count === undefined ? what : `${what} (${whole(count)})`));
  };
  const known = <One extends { readonly at: number }>(all: readonly One[], what: string, counts: LogCounts) => {
    const own = all.filter(({ at }) => at <= now + AHEAD_MS);
    counts.note(`${what} from after now: left out`, all.length - own.length);
    return own;
  };
  const places = labels ?? [...new Set(logs.map((path) => join(dirname(path), 'labels-*')))];
  return {
    async *predictions() {
      const counts = new LogCounts();
      const files = logs.flatMap((path) => filesOf(path, counts.empty));
      const odd = files.filter((file) => !['jsonl', 'parquet'].includes(formatOf(file) ?? ''));
      if (odd.length > 0)
        throw new LogoddsError(
          'ERR_DATA',
          `logs: expected .jsonl, .jsonl.gz or .parquet, got ${list(odd)}; correct the policy`,
        );
      for (const file of files)
        if (formatOf(file) === 'jsonl') {
          const reader = predictionLog();
          for await (const rows of readLines<Prediction>(file, reader)) yield known(rows, 'scores', counts);
          tellFaults(reader, 'line', counts);
        } else for await (const rows of rowsOfParquet(file, counts)) yield known(rows, 'scores', counts);
      tellAll(counts);
    },
    async *labels() {
      const counts = new LogCounts();
      const found: OutcomeLabel[] = [];
      for (const place of places) {
        try {
          await readLabels(filesOf(place, counts.empty), (label) => found.push(label), counts);
        } catch (error) {
          const isAbsent = error instanceof LogoddsError && error.detail.includes('got none of that name');
          if (labels || !isAbsent) throw error;
          tell(`there are no labels (${place}): only drift can be seen`);
        }
        yield known(found.splice(0), 'labels', counts);
      }
      tellAll(counts);
    },
  };
}

/** Columns that are read as they are; several logits are a JSON text. */
const PLAIN: readonly string[] = [...COLUMNS.filter((column) => column !== 'inputs'), 'logits'];

/** The scores of a file as the service writes it: inputs are a JSON text, or a struct. @throws ERR_DATA, ERR_SCHEMA */
async function* rowsOfParquet(file: string, counts: LogCounts): AsyncGenerator<readonly Prediction[]> {
  const database = await openDatabase(MEMORY);
  const { connection } = database;
  try {
    const relation = `read_parquet([${text(patternOf(file))}], hive_partitioning = false)`;
    const types = new Map(
      (await rowsOf(connection, `describe from ${relation}`)).map((row) => [
        String(row['column_name']),
        String(row['column_type']),
      ]),
    );
    const columns = PLAIN.filter((column) => types.has(column));
    const cells = columns.map((column) =>
      column === 'at' && /^(TIMESTAMP|DATE)/.test(types.get('at')!)
        ? 'epoch_ms(cast("at" as timestamp))::double as "at"'
        : name(column),
    );
    const inputs = types.get('inputs');
    if (inputs !== undefined)
      cells.push(inputs === 'VARCHAR' ? 'inputs' : 'cast(to_json(inputs) as varchar) as inputs');
    for await (const chunk of streamChunks(connection, `select ${cells.join(', ')} from ${relation}`)) {
      const values = cells.map((_, k) => chunk.getColumnValues(k));
      const rows: Prediction[] = [];
      for (let i = 0; i < chunk.rowCount; i++) {
        const { logits, ...cell } = Object.fromEntries(columns.map((column, k) => [column, values[k][i]]));
        const { row, fault } = predictionOf({
          ...cell,
          ...(typeof logits === 'string' && { logit: JSON.parse(logits) }),
          inputs:
            inputs === undefined || values[columns.length][i] === null
              ? null
              : JSON.parse(String(values[columns.length][i])),
        });
        if (row) rows.push(row);
        else counts.note(`rows of another schema, ${fault!.field ?? 'row'}: expected ${fault!.rule}: left out`, 1);
      }
      yield rows;
    }
  } catch (error) {
    throw dataError(file, error);
  } finally {
    database.close();
  }
}
