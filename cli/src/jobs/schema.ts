import type { DuckDBConnection } from '@duckdb/node-api';
import { type DatePart, type Declaration, type DeclaredFeature, LogoddsError } from '../../../src/index.ts';
import { show } from '../../../src/internal.ts';
import { counted } from '../figures/wording.ts';
import { rowsOf } from '../read/database.ts';
import { Names } from '../read/names.ts';
import {
  isText,
  lazyDatabase,
  openSource,
  requireColumns,
  type Source,
  type SourceColumn,
  type SourceOptions,
  type TextSource,
  type TypedSource,
} from '../read/source.ts';
import { type Facts, KIND } from '../read/text/facts.ts';
import { judge, Notes } from '../read/text/judge.ts';
import { gatherFacts } from '../read/text/plan.ts';
import { startPhase } from '../terminal/progress.ts';
import { assertWritable, OutputFile } from '../write/temporary.ts';

/** Options of `logodds schema`, as values. */
export interface SchemaOptions extends SourceOptions {
  readonly target: string;
  /** columns that are not features */
  readonly drop?: readonly string[];
  readonly weight?: string;
  readonly offset?: string;
  /** file to write; absent: none */
  readonly out?: string;
}

export interface SchemaResult {
  readonly declaration: Declaration;
  /** a sentence about each feature */
  readonly notes: readonly string[];
}

/** Where an installed package has the JSON Schema of declarations. */
const PUBLISHED = './node_modules/logodds/dist/schema.json';

/** More levels than this are hashed. */
const MANY_LEVELS = 1000;
/** Levels with fewer rows than this share a slot. */
const RARE = 10;
/** With at least this many rows, a column with a different value in each (or in this share of them) identifies rows. */
const IDENTIFIER = { rows: 20, share: 0.9 };
const named = (why: string): Guess => ({
  feature: null,
  note: `left out, it looks like an identifier: ${why}; add it if its values are meaningful for new rows`,
});

/** Mostly distinct values with this average length, or number of words, are texts rather than categories. */
const LONG = 40;
const WORDS = 4;

/**
 * Proposes a declaration of the columns of DATA from their values, for the user to edit.
 * @throws the errors of reading; ERR_OUTPUT
 */
export async function schemaCommand(options: SchemaOptions): Promise<SchemaResult> {
  const { out, target, weight, offset } = options;
  if (out !== undefined) assertWritable(out, options.data);
  const database = lazyDatabase();
  const phase = startPhase('look', false);
  let source: Source | null = null;
  try {
    source = await openSource(database.get, options);
    const drop =
      Names.among(
        options.drop,
        source.columns.map(({ name }) => name),
      ) ?? [];
    const named = (role: string, column: string | undefined) => (column === undefined ? [] : [{ name: column, role }]);
    requireColumns(source, [
      ...named('target column', target),
      ...named('weight column', weight),
      ...named('offset column', offset),
      ...drop.flatMap((column) => named('column to drop', column)),
    ]);
    const isFeature = ({ name }: { readonly name: string }) => ![target, weight, offset, ...drop].includes(name);
    const found: (Guess & { readonly column: string })[] = [];
    if (isText(source)) {
      const names = source.columns.filter(isFeature).map(({ name }) => name);
      const { facts } = await gatherFacts(source, names, () => false);
      for (const [i, column] of names.entries()) found.push({ column, ...guessText(source, column, facts[i]) });
    } else {
      const { connection } = await database.get();
      for (const column of source.columns.filter(isFeature)) {
        phase.update(null, column.name);
        found.push({ column: column.name, ...(await guess(connection, source, column)) });
      }
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
    await database.close();
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

const DATE_PARTS: readonly DatePart[] = ['year', 'month', 'weekday'];

/** Facts about a column of categories from its texts. */
interface TextFigures {
  /** cells that are there */
  readonly cells: number;
  /** distinct texts */
  readonly levels: number;
  /** number of levels with few cells */
  readonly few: number;
  /** characters and words on average */
  readonly size: number;
  readonly words: number;
  readonly lists: boolean;
}

function guessTexts(name: string, { cells, levels, few, size, words, lists }: TextFigures): Guess {
  const feature = { name };
  if (lists) return { feature: { ...feature, kind: 'tags', minCount: RARE }, note: 'lists of tags' };
  if ((size > LONG || words > WORDS) && levels > cells / 2)
    return { feature: { ...feature, kind: 'text', buckets: 256 }, note: 'texts, by their words' };
  if (cells >= IDENTIFIER.rows && levels >= IDENTIFIER.share * cells)
    return named(`${counted(levels, 'level')} in ${counted(cells, 'cell')}`);
  if (levels > MANY_LEVELS) {
    // as many buckets as levels, up to a power of two
    const buckets = 2 ** Math.min(16, Math.ceil(Math.log2(levels)));
    const note = `${counted(levels, 'level')}, hashed; leave it out if it identifies rows, or use "encoding": "target"`;
    return { feature: { ...feature, kind: 'categorical', encoding: 'hash', buckets }, note };
  }
  const folded = few > 0 && few < levels;
  return {
    feature: { ...feature, kind: 'categorical', ...(folded && { minCount: RARE }) },
    note: folded ? `${counted(levels, 'level')}, ${few} of them rare: they share a weight` : counted(levels, 'level'),
  };
}

/** A column of a file of text, by its facts over the whole file. */
function guessText({ reading, typing }: TextSource, name: string, facts: Facts): Guess {
  const feature = { name };
  if (facts.cells === 0) return { feature: null, note: 'left out, all its cells are missing' };
  const verdict = judge(name, facts, reading, typing === 'jsonl', new Notes());
  if (verdict.kind === 'cell') {
    const { row, rule, value, next } = verdict.cell;
    return { feature: null, note: `left out, row ${row} (from 0): expected ${rule}, got ${show(value)}; ${next}` };
  }
  const texts = [...facts.texts()].filter(
    ({ text }) => !(verdict.kind === 'numeric' ? reading.tokens : reading.na).has(text),
  );
  if (facts.least < facts.most || texts.length > 1 || (texts.length === 1 && facts.numbers > 0)) {
    if (verdict.kind === 'numeric') {
      if (facts.beyond > 0) return named(`whole numbers beyond 2^53 in ${counted(facts.beyond, 'cell')}`);
      if (facts.rising && facts.numbers >= IDENTIFIER.rows && texts.length === 0)
        return named(`a greater whole number in each row, from ${facts.least} to ${facts.most}`);
      return { feature: { ...feature, kind: 'numeric' }, note: 'numbers' };
    }
  } else return { feature: null, note: 'left out, it has only one value' };
  if (texts.every(({ text, kind }) => kind === KIND.boolean || /^(true|false)$/i.test(text)))
    return { feature: { ...feature, kind: 'boolean' }, note: 'true and false' };
  const lists = texts.every(({ text, kind }) => kind === KIND.list || (kind === KIND.text && /^\[.*\]$/s.test(text)));
  if (verdict.kind === 'column') {
    if (!verdict.date) return { feature: null, note: `left out, ${verdict.got} cannot be a feature` };
    if (!lists) {
      const parts: DatePart[] = [
        ...DATE_PARTS,
        ...(texts.some(({ text }) => text.length > 10) ? (['hour'] as const) : []),
      ];
      return { feature: { ...feature, kind: 'date', parts }, note: 'dates, taken apart' };
    }
    const tags = new Set(texts.flatMap(({ text }) => JSON.parse(text) as unknown[]));
    const rare = tags.size > MANY_LEVELS ? { buckets: 256 } : { minCount: RARE };
    return { feature: { ...feature, kind: 'tags', ...rare }, note: 'lists of tags' };
  }
  const total = texts.reduce((sum, { count }) => sum + count, 0);
  const mean = (of: (text: string) => number) =>
    texts.reduce((sum, { text, count }) => sum + count * of(text), 0) / total;
  return guessTexts(name, {
    cells: facts.cells,
    // numbers before the first text may all be distinct
    levels: texts.length + facts.numbers,
    few: texts.filter(({ count }) => count < RARE).length,
    size: mean((text) => text.length),
    words: mean((text) => text.split(' ').length),
    lists,
  });
}

/** A column that DuckDB reads. */
async function guess(connection: DuckDBConnection, source: TypedSource, column: SourceColumn): Promise<Guess> {
  const { kind, type, name, sql: cell } = column;
  const feature = { name };
  const from = source.relation;
  const one = async (sql: string) => (await rowsOf(connection, `select ${sql} from ${from}`))[0];
  if (kind === 'other') return { feature: null, note: `left out, ${type} cannot be a feature` };
  const { n, least, most } = await one(
    `count(${cell}) as n, cast(min(${cell}) as varchar) as least, cast(max(${cell}) as varchar) as most`,
  );
  if (Number(n) === 0) return { feature: null, note: 'left out, all its cells are missing' };
  if (least === most) return { feature: null, note: 'left out, it has only one value' };
  if (kind === 'integer') {
    // a different number in each row with few gaps; or too long for a number
    const dense = `count(distinct ${cell}) = count(*) and max(${cell}) - min(${cell}) < 2 * count(*)`;
    const { ids, beyond } = await one(
      `${dense} as ids, max(abs(cast(${cell} as double))) >= 9007199254740992 as beyond`,
    );
    if (beyond === true) return named('whole numbers beyond 2^53');
    if (ids === true && Number(n) >= IDENTIFIER.rows)
      return named(`a different whole number in each row, from ${least} to ${most}`);
  }
  if (kind === 'integer' || kind === 'float') return { feature: { ...feature, kind: 'numeric' }, note: 'numbers' };
  if (kind === 'boolean') return { feature: { ...feature, kind: 'boolean' }, note: 'true and false' };
  if (kind === 'date') {
    const parts: DatePart[] = [...DATE_PARTS, ...(type === 'DATE' ? [] : (['hour'] as const))];
    return { feature: { ...feature, kind: 'date', parts }, note: 'dates, taken apart' };
  }
  if (kind === 'list') {
    const { tags } = await one(`count(distinct unnest(${cell})) as tags`).catch(() => ({ tags: 0 }));
    const rare = Number(tags) > MANY_LEVELS ? { buckets: 256 } : { minCount: RARE };
    return { feature: { ...feature, kind: 'tags', ...rare }, note: 'lists of tags' };
  }
  const counted = `select cast(${cell} as varchar) as t, count(*) as n from ${from} where ${cell} is not null group by 1`;
  const [found] = await rowsOf(
    connection,
    `select count(*) as levels, count(*) filter (n < ${RARE}) as few, sum(n * length(t)) / sum(n) as size, sum(n * (length(t) - length(replace(t, ' ', '')) + 1)) / sum(n) as words, bool_and(t like '[%]') as lists from (${counted})`,
  );
  const [levels, few, size, words] = ['levels', 'few', 'size', 'words'].map((key) => Number(found[key]));
  return guessTexts(name, { cells: Number(n), levels, few, size, words, lists: found['lists'] === true });
}
