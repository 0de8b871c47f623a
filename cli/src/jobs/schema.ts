import type { DuckDBConnection } from '@duckdb/node-api';
import type { Declaration, DeclaredFeature } from '../../../src/encode/declare.ts';
import type { DatePart } from '../../../src/encode/schema.ts';
import { LogoddsError } from '../../../src/index.ts';
import { name, openDatabase, rowsOf } from '../read/database.ts';
import { textCells } from '../read/levels.ts';
import { type DataOptions, openSource, requireColumns, type Source, type SourceColumn } from '../read/source.ts';
import { startPhase } from '../terminal/progress.ts';
import { assertWritable, OutputFile } from '../write/temporary.ts';

/** Options of `logodds schema`, as values. */
export interface SchemaOptions extends DataOptions {
  readonly target: string;
  /** columns that are no features */
  readonly drop?: readonly string[];
  readonly weight?: string;
  readonly offset?: string;
  /** where it goes; absent: nowhere */
  readonly out?: string;
}

export interface SchemaResult {
  readonly declaration: Declaration;
  /** of each feature what was found: one sentence */
  readonly notes: readonly string[];
}

/** Where an installed package has the JSON Schema of declarations. */
const PUBLISHED = './node_modules/logodds/dist/schema.json';

/** More levels than this are hashed. */
const MANY_LEVELS = 1000;
/** Levels of fewer rows than this share a slot. */
const RARE = 10;
/** Texts this long on average, or of so many words, of which most are distinct, are texts rather than names. */
const LONG = 40;
const WORDS = 4;

/**
 * A declaration of the columns of DATA by what they hold, to be edited.
 * @throws the errors of reading; ERR_OUTPUT
 */
export async function schemaCommand(options: SchemaOptions): Promise<SchemaResult> {
  const { out, target, weight, offset, drop = [] } = options;
  if (out !== undefined) assertWritable(out, options.data);
  const database = await openDatabase();
  const phase = startPhase('look', false);
  let source: Source | null = null;
  try {
    source = await openSource(database.connection, options);
    const named = (role: string, column: string | undefined) => (column === undefined ? [] : [{ name: column, role }]);
    requireColumns(source, [
      ...named('target column', target),
      ...named('weight column', weight),
      ...named('offset column', offset),
      ...drop.flatMap((column) => named('column to drop', column)),
    ]);
    const columns = source.columns.filter((column) => ![target, weight, offset, ...drop].includes(column.name));
    const found: (Guess & { readonly column: string })[] = [];
    for (const column of columns) {
      phase.update(null, column.name);
      found.push({ column: column.name, ...(await guess(database.connection, source, column)) });
    }
    const features = found.flatMap(({ feature }) => (feature ? [feature] : []));
    if (features.length === 0) {
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${source.label}: expected a column besides the target that can be a feature, got none; check DATA`,
      );
    }
    const declaration: Declaration = { $schema: PUBLISHED, features };
    if (out !== undefined) {
      const file = new OutputFile(out);
      file.write(Buffer.from(schemaText(declaration)));
      file.commit();
    }
    return { declaration, notes: found.map(({ column, note }) => `${column}: ${note}`) };
  } finally {
    phase.end();
    source?.close();
    database.close();
  }
}

/** The file: a feature a line. */
export function schemaText({ $schema, features }: Declaration): string {
  const lines = features.map(
    (feature) => `    ${JSON.stringify(feature).replaceAll('":', '": ').replaceAll(',"', ', "')}`,
  );
  return `{\n  "$schema": ${JSON.stringify($schema)},\n  "features": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

interface Guess {
  readonly feature: DeclaredFeature | null;
  readonly note: string;
}

async function guess(connection: DuckDBConnection, source: Source, column: SourceColumn): Promise<Guess> {
  const { kind, type } = column;
  const feature = { name: column.name };
  const from = source.relation();
  const one = async (sql: string) => (await rowsOf(connection, `select ${sql} from ${from}`))[0];
  const cell = name(column.name);
  if (kind === 'other') return { feature: null, note: `left out, ${type} is no feature` };
  const { n, least, most } = await one(
    `count(${cell}) as n, cast(min(${cell}) as varchar) as least, cast(max(${cell}) as varchar) as most`,
  );
  if (Number(n) === 0) return { feature: null, note: 'left out, all its cells are missing' };
  if (least === most) return { feature: null, note: 'left out, it has one value' };
  if (kind === 'integer' || kind === 'float') return { feature: { ...feature, kind: 'numeric' }, note: 'numbers' };
  if (kind === 'boolean') return { feature: { ...feature, kind: 'boolean' }, note: 'true and false' };
  if (kind === 'date') {
    const parts: DatePart[] = ['year', 'month', 'weekday', ...(type === 'DATE' ? [] : (['hour'] as const))];
    return { feature: { ...feature, kind: 'date', parts }, note: 'dates, taken apart' };
  }
  if (kind === 'list') {
    const { tags } = await one(`count(distinct unnest(${cell})) as tags`).catch(() => ({ tags: 0 }));
    const rare = Number(tags) > MANY_LEVELS ? { buckets: 256 } : { minCount: RARE };
    return { feature: { ...feature, kind: 'tags', ...rare }, note: 'lists of tags' };
  }
  const { sql } = textCells(cell, kind, kind === 'json' ? 'jsonl' : 'typed', 'plain');
  const texts = `(select ${sql} as t from ${from}) where t is not null`;
  const [found] = await rowsOf(
    connection,
    `select count(distinct t) as levels, avg(length(t)) as size, avg(length(t) - length(replace(t, ' ', '')) + 1) as words, bool_and(t like '[%]') as lists from ${texts}`,
  );
  if (found['lists'] === true) return { feature: { ...feature, kind: 'tags', minCount: RARE }, note: 'lists of tags' };
  const levels = Number(found['levels']);
  const long = Number(found['size']) > LONG || Number(found['words']) > WORDS;
  if (long && levels > Number(n) / 2)
    return { feature: { ...feature, kind: 'text', buckets: 256 }, note: 'texts, by their words' };
  if (levels > MANY_LEVELS) {
    // as many buckets as levels, up to a power of two
    const buckets = 2 ** Math.min(16, Math.ceil(Math.log2(levels)));
    const note = `${levels} levels, hashed; leave it out if it names the rows, or use "encoding": "target"`;
    return { feature: { ...feature, kind: 'categorical', encoding: 'hash', buckets }, note };
  }
  const [rare] = await rowsOf(
    connection,
    `select count(*) as n from (select t from ${texts} group by t having count(*) < ${RARE})`,
  );
  const few = Number(rare['n']);
  const folded = few > 0 && few < levels;
  return {
    feature: { ...feature, kind: 'categorical', ...(folded && { minCount: RARE }) },
    note: folded ? `${levels} levels, ${few} of them rare: they share a weight` : `${levels} levels`,
  };
}
