/** Labels made ready for a join by id: read once, resolved for entities, duplicates and corrections, in a file of their own. */
import { join } from 'node:path';
import { type Database, dataError, openDatabase, rowsOf } from '../../read/database.ts';
import { loadDuckDB, text } from '../../read/sql.ts';
import { runFolder } from '../../write/temporary.ts';
import type { LogCounts } from './counts.ts';
import { isTable, labelsOfTable, MEMORY, readLabels } from './labels.ts';
import { RESPELT, spellerOf } from './spelling.ts';

/** What decides between labels of one score by an entity: when it was known, when it happened, its text. */
const BEST = 'struct_pack(a := given."at", b := given.time, c := given.label)';
/** What decides between labels of one id. */
const BEST_OF_ID = 'struct_pack(a := "at", c := label)';
/** What labels are of: an id, or an entity and when it happened. */
const KEYS = [
  ['id', 'id is not null'],
  ['entity, time', 'id is null'],
] as const;

/** A log in SQL: its rows, with `id`, `entity` and `at` in milliseconds as they are found. */
export interface KeyedLog {
  readonly sql: string;
  readonly hasEntity: boolean;
}

/** Labels by id, as an SQL table: `id, label, at, only`: where `only` is not null, of the score of that time alone. */
export interface ResolvedLabels {
  readonly sql: string;
}

/** How labels are resolved. */
interface ResolveOptions {
  /** labels from later than this, in milliseconds, are left out */
  readonly latest: number;
  readonly withinMs: number | null;
  /** of the model */
  readonly classes: readonly string[];
}

/** Spellings of labels that are looked at: of a million labels that are no class none is one. */
const SPELLINGS = 1000;

/**
 * Resolves labels as `labelJoin` does: by id the label known last, else by entity that of the last score before the outcome; of several scores of an id the last one.
 */
export async function resolveLabels(
  files: readonly string[],
  logs: readonly KeyedLog[],
  { latest, withinMs, classes }: ResolveOptions,
  counts: LogCounts,
): Promise<ResolvedLabels> {
  const database = await openDatabase(MEMORY);
  const { connection } = database;
  const one = async (sql: string): Promise<Record<string, number>> => {
    const [row] = await rowsOf(connection, sql);
    return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Number(value)]));
  };
  try {
    await connection.run(
      'create temp table given (id varchar, entity varchar, label varchar, "at" double, time double)',
    );
    await append(database, files, counts);
    const spell = spellerOf(classes);
    const others = await rowsOf(
      connection,
      `select label, count(*) as n from given where label not in (${classes.map(text).join(', ')}) group by label order by n desc, label limit ${SPELLINGS}`,
    );
    for (const { label, n } of others) {
      const own = spell(String(label));
      if (own === label) continue;
      counts.note(RESPELT, Number(n));
      await connection.run(`update given set label = ${text(own)} where label = ${text(String(label))}`);
    }
    const keyed = logs.map(
      ({ sql, hasEntity }) => `select id, ${hasEntity ? 'entity' : 'null::varchar as entity'}, "at" from (${sql})`,
    );
    const all = keyed.join(' union all ');
    const facts = await one(
      `select count(*) as n, count(*) filter ("at" > ${latest}) as later, count(*) filter (id is null) as entities from given`,
    );
    counts.note('labels from after now: left out', facts['later']);
    await connection.run(`delete from given where "at" > ${latest}`);
    await connection.run(
      `create temp table twice as select id, max("at") as "only", count(*) as n from (${all}) group by id having count(*) > 1`,
    );
    const copies = await one('select coalesce(sum(n - 1), 0) as n from twice');
    counts.note('scores whose id came before: each counts in drift, the last one for its label', copies['n']);
    // few come again: only those are compared
    await connection.run(
      'create temp table again as select id, count(*) as n from given where id is not null group by id having count(*) > 1',
    );
    await connection.run(
      `create temp table known as select id, label, "at" from given anti join again using (id) where id is not null
       union all select id, best.c, best.a from (select id, max(${BEST_OF_ID}) as best from given semi join again using (id) group by id)`,
    );
    const lost = await one(`select count(*) as n from known anti join (select distinct id from (${all})) using (id)`);
    let without = lost['n'];
    let by = 'select id, label, "at" from known';
    if (facts['entities'] > 0) {
      const within = withinMs === null ? '' : `and given.time - p."at" <= ${withinMs}`;
      await connection.run(
        `create temp table of_entities as select p.id, max(${BEST}) as best, count(*) as n
         from (select * from given where id is null) as given asof join (select * from (${all}) where entity is not null) p
         on given.entity = p.entity and given.time >= p."at" where true ${within} group by p.id`,
      );
      const matched = await one('select coalesce(sum(n), 0) as n from of_entities');
      const entities = await one('select count(*) as n from given where id is null');
      without += entities['n'] - matched['n'];
      by += ' union all select id, best.c, best.a from of_entities anti join known using (id)';
    }
    counts.note('labels without a score', without);
    for (const [key, own] of KEYS) {
      const same = await one(
        `select coalesce(sum(n - 1), 0) as again, count(*) filter (differ and not tied) as changed, count(*) filter (tied) as tied
         from (select count(*) as n, min(label) <> max(label) as differ,
           max(struct_pack(a := "at", c := label)).c <> min(struct_pack(a := -"at", c := label)).c as tied
         from given semi join (select ${key} from given where ${own} group by all having count(*) > 1) using (${key}) where ${own} group by ${key})`,
      );
      counts.note('labels that came again', same['again']);
      counts.note('labels that were another one before: the latest counts', same['changed']);
      counts.note('scores with different labels from one time: the one whose text is greater counts', same['tied']);
    }
    const file = join(runFolder(), 'labels.parquet');
    await connection.run(
      `copy (select id, label, "at", "only" from (${by}) left join twice using (id)) to ${text(file)} (format parquet)`,
    );
    return { sql: `read_parquet(${text(file)})` };
  } finally {
    database.close();
  }
}

async function append(database: Database, files: readonly string[], counts: LogCounts): Promise<void> {
  const { connection } = database;
  for (const file of files.filter(isTable)) {
    try {
      await connection.run(`insert into given ${await labelsOfTable(database, file, counts)}`);
    } catch (error) {
      throw dataError(`--labels ${file}`, error);
    }
  }
  const lines = files.filter((file) => !isTable(file));
  if (lines.length === 0) return;
  const { DuckDBDataChunk, DOUBLE, VARCHAR } = await loadDuckDB();
  const appender = await connection.createAppender('given');
  const types = [VARCHAR, VARCHAR, VARCHAR, DOUBLE, DOUBLE];
  let rows: (string | number | null)[][] = [];
  const flush = (): void => {
    if (rows.length === 0) return;
    const chunk = DuckDBDataChunk.create(types, rows.length);
    chunk.setRows(rows);
    appender.appendDataChunk(chunk);
    rows = [];
  };
  try {
    await readLabels(
      lines,
      ({ id, entity, label, at, outcomeAt }) => {
        rows.push([id ?? null, entity ?? null, label, at, outcomeAt ?? at]);
        if (rows.length === 2048) flush();
      },
      counts,
    );
    flush();
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}
