/** Rows of CSV and JSON lines for a model, or for columns of none. */
import type { Table } from '../../../src/index.ts';
import { list, show } from '../../../src/internal.ts';
import { likelyTexts, sameMeaning, spellingOf, type TableScanner } from '../../../src/text.ts';
import { fileCellError } from './place.ts';
import { FILL } from './roles.ts';
import type { TextSource } from './source.ts';
import { RowsAhead } from './text/ahead.ts';
import { type ColumnPlan, TableBuilder } from './text/builder.ts';
import { KIND } from './text/facts.ts';
import { NOTE, Notes } from './text/judge.ts';
import { labelling } from './text/labels.ts';
import { type RecordUse, Slots, scanning, sizeOf } from './text/source.ts';
import { type ReadColumns, refuseAbsent, requirement, sayExtra, type UseShare, type Wanted } from './wanted.ts';

/** Streams the rows of text files. @param isAhead  false: our scanners read all rows, for tests */
export async function streamText(
  source: TextSource,
  { wanted, known, capacity }: ReadColumns,
  use: UseShare,
  isAhead: boolean,
): Promise<number> {
  const { typing, reading } = source;
  const csv = typing === 'csv';
  const names = source.columns.map(({ name }) => name);
  if (csv) {
    refuseAbsent(source.label, names, wanted, known !== null);
    sayExtra(source, names, known, wanted);
  }
  const notes = new Notes();
  const met = new Map<string, Map<string, string>>();
  const plans = wanted.map((one) =>
    textPlan(one, source, (from, to) => {
      const pairs = met.get(one.name) ?? new Map<string, string>();
      met.set(one.name, pairs.set(from, to));
    }),
  );
  const slots = new Slots(wanted.map(({ name }) => name));
  let label = source.label;
  const builder = new TableBuilder(plans, capacity, reading, (row, line, ...cell) => {
    throw fileCellError(label, line, row, ...cell);
  });
  const size = sizeOf(source);
  let bytes = 0;
  let firstRow = 0;
  let row = 0;
  let seen: readonly string[] = names;
  let full: Table[] = [];
  const cut = () => {
    full.push(builder.table());
    builder.clear();
  };
  const flush = async () => {
    const tables = full;
    full = [];
    for (const table of tables) {
      await use(table, firstRow, bytes / size);
      firstRow += table.rows;
    }
  };
  const add: RecordUse = (record, file) => {
    if (builder.rows === builder.capacity) cut();
    label = file.label;
    seen = file.names();
    builder.add(record, slots.of(file), row++);
  };
  const take = (table: TableScanner, from: number, to: number) => {
    for (let at = from; at < to; ) {
      if (builder.rows === builder.capacity) cut();
      const next = Math.min(to, at + builder.capacity - builder.rows);
      builder.addRows(table, at, next);
      row += next - at;
      at = next;
    }
  };
  const ahead = isAhead ? RowsAhead.of(plans, reading, !csv, take) : null;
  try {
    for await (const read of scanning(source, add, undefined, ahead)) {
      bytes = read;
      await flush();
    }
  } catch (error) {
    // the first error is about the first rows
    await flush();
    throw error;
  }
  // a field of JSON lines may come late: its absence is known only after all rows
  if (!csv && row > 0) {
    const all = new Set([...names, ...seen]);
    refuseAbsent(source.label, [...all], wanted, known !== null);
    sayExtra(source, [...all], known, wanted);
  }
  if (builder.rows > 0) {
    cut();
    await flush();
  }
  for (const [column, pairs] of met)
    notes.add(NOTE.meaning, `${column} (${[...pairs].map(([from, to]) => `${show(from)} as ${show(to)}`).join(', ')})`);
  notes.say(reading.warn);
  return row;
}

/** Levels of a column whose texts are listed. */
const MOST_LEVELS = 2 ** 16;

/** How a column of a text file is read for the model. @param heard  called with texts that were read as the label with the same meaning */
function textPlan(one: Wanted, source: TextSource, heard: (from: string, to: string) => void): ColumnPlan {
  const { reading, typing } = source;
  const json = typing === 'jsonl';
  const { name, levels, needs, role, unseen } = one;
  const required = requirement(role);
  const numbers = levels === null || needs?.has('number');
  if (numbers) return { name, levels: null, required, least: role === 'weight' ? 0 : undefined };
  const spelling = json ? 'plain' : spellingOf(levels, reading.style);
  // texts that mean a missing cell if the others are numbers
  const missing = levels.length > 0 && spellingOf(levels, reading.style) === 'number' ? reading.tokens : reading.na;
  const kept = new Set([...missing].filter((text) => !levels.includes(text)));
  const label = labelling(json, reading, kept, spelling);
  if (needs) return { name, levels: null, open: true, label, advice: 'correct it with --query' };
  const known = new Set(levels);
  const alike = sameMeaning(levels);
  const rule = role === 'target' ? `a class of the model (${list(levels)})` : 'a category seen in training';
  const next = role === 'target' ? FILL : 'correct it, or train with --unseen slot';
  const codes = new Map(levels.map((level, code) => [level, code]));
  const texts = new Map<string, number | null>();
  for (const text of json ? levels : [...(spelling === 'plain' ? levels : likelyTexts(levels)), ...kept]) {
    const own = label(text, KIND.text);
    if (own === null) texts.set(text, null);
    else if (own !== undefined && codes.has(own)) texts.set(text, codes.get(own)!);
  }
  // another text may be a label in one more spelling; in JSON some are missing as texts only
  const areAll = spelling === 'plain' && alike('yes') === null && !(json && kept.size > 0);
  return {
    name,
    levels,
    required,
    texts: levels.length <= MOST_LEVELS ? { codes: texts, areAll } : undefined,
    strict: unseen === 'error' ? { rule, next } : undefined,
    label(text, kind) {
      // of JSON; text and tags have a plan of their own
      const own = kind === KIND.list ? undefined : label(text, kind);
      if (typeof own !== 'string' || known.has(own)) return own;
      const meant = kind === KIND.text || kind === KIND.number || kind === KIND.boolean ? alike(own) : null;
      if (meant !== null) heard(text, meant);
      return meant ?? own;
    },
  };
}
