/** Reads a text file once to judge its columns, and plans how to read them. */
import { LogoddsError } from '../../../../src/index.ts';
import { parseDate, show } from '../../../../src/internal.ts';
import { sortLabels } from '../../../../src/kernels.ts';
import { NUMBER } from '../../../../src/text.ts';
import { fileCellError, placeOf } from '../place.ts';
import { adviceOf, type Part, refuseEmpty, refuseManyClasses, requirement, type Unreadable } from '../roles.ts';
import type { ColumnPlan } from './builder.ts';
import { Facts, KIND } from './facts.ts';
import { type BadCell, firstNoNumber, judge, NOTE, Notes, noteLabels, noteNotation } from './judge.ts';
import { labelling, spellingOf } from './labels.ts';
import { type Reading, readerOf } from './options.ts';
import { type RecordUse, Slots, scanning, type TextSource } from './source.ts';

/**
 * Facts of columns over the whole file.
 * @param all  columns whose every cell is needed as a text
 * @param looked  receives the progress after each piece of the input
 */
export async function gatherFacts(
  source: TextSource,
  columns: readonly string[],
  all: (index: number) => boolean,
  looked: (rows: number, bytes: number) => void = () => {},
): Promise<{ facts: Facts[]; rows: number }> {
  const facts = columns.map((_, i) => new Facts(source.reading, all(i)));
  const slots = new Slots(columns);
  const quote = source.reading.quote ?? '"';
  let rows = 0;
  const use: RecordUse = (record, file) => {
    const places = slots.of(file);
    for (let j = 0; j < facts.length; j++) if (places[j] >= 0) facts[j].add(record, places[j], rows, quote);
    rows++;
  };
  for await (const bytes of scanning(source, use)) looked(rows, bytes);
  return { facts, rows };
}

/** How to read a text file, and the facts about it. */
export interface TextPlan {
  /** the columns that are read: all of them, or those that can be */
  readonly parts: readonly Part[];
  readonly plans: ColumnPlan[];
  readonly rows: number;
}

/**
 * Judges the columns in use over the whole file.
 * @throws ERR_DATA, ERR_RECORD naming the cell, ERR_SCHEMA, ERR_TARGET
 */
export async function planText(
  source: TextSource,
  all: readonly Part[],
  looked?: (rows: number, bytes: number) => void,
  unreadable?: Unreadable,
): Promise<TextPlan> {
  let parts = all;
  let names = parts.map(({ name }) => name);
  let { facts, rows } = await gatherFacts(source, names, (i) => wantsTexts(parts[i], source), looked);
  if (rows === 0) {
    throw new LogoddsError(
      'ERR_DATA',
      `${source.label}: expected rows, got none (a header only, or an empty result); check how it was made`,
    );
  }
  const notes = new Notes();
  let drafts: ('numeric' | 'coded' | 'order')[] = [];
  const left = new Set<number>();
  for (const [i, part] of parts.entries()) {
    try {
      drafts.push(await draft(source, part, facts[i], notes));
      if (unreadable && drafts[i] === 'numeric') refuseBeyond(source.label, part.name, facts[i]);
    } catch (error) {
      if (!unreadable?.(part, error)) throw error;
      drafts[i] = 'coded';
      left.add(i);
    }
  }
  if (left.size > 0) {
    const stays = (_: unknown, i: number) => !left.has(i);
    [parts, names, facts, drafts] = [
      parts.filter(stays),
      names.filter(stays),
      facts.filter(stays),
      drafts.filter(stays),
    ];
  }
  // numbers before the first text were not counted
  const lost = names.flatMap((_, i) => (facts[i].numbers > 0 && drafts[i] === 'coded' ? [i] : []));
  if (lost.length > 0) {
    const columns = lost.map((i) => names[i]);
    const again = await gatherFacts(source, columns, () => true, looked);
    facts = facts.map((one, i) => (lost.includes(i) ? again.facts[lost.indexOf(i)] : one));
  }
  const planOf = (part: Part, i: number) => {
    if (drafts[i] === 'numeric') return numericPlan(part);
    if (drafts[i] === 'order') return orderPlan(part, facts[i]);
    return part.read === 'needs' ? neededPlan(source, part, facts[i]) : codedPlan(source, part, facts[i], notes);
  };
  const plans = parts.flatMap((part, i) => {
    try {
      return [planOf(part, i)];
    } catch (error) {
      if (!unreadable?.(part, error)) throw error;
      return [];
    }
  });
  parts = parts.filter(({ name, role }) => role !== 'feature' || plans.some((plan) => plan.name === name));
  notes.say(source.reading.warn);
  return { parts, plans, rows };
}

/** @throws ERR_RECORD for a number beyond 64 bits; not needed for a reading that ends at the first one */
function refuseBeyond(label: string, name: string, { least, most }: Facts): void {
  if (least >= -Number.MAX_VALUE && most <= Number.MAX_VALUE) return;
  const next = 'correct it, or leave the cell empty if the value is missing';
  throw new LogoddsError(
    'ERR_RECORD',
    `${label}, column ${show(name)}: expected numbers below 1.8e308, got one beyond; ${next}`,
  );
}

/** Whether every cell is needed as a text, numbers too. */
const wantsTexts = ({ read, needs }: Part, { typing }: TextSource) =>
  read === 'coded' || (read === 'needs' && typing === 'csv' && needs!.has('level') && !needs!.has('number'));

/** Whether the column is numbers or categories. @throws ERR_RECORD, ERR_SCHEMA */
async function draft(
  source: TextSource,
  part: Part,
  facts: Facts,
  notes: Notes,
): Promise<'numeric' | 'coded' | 'order'> {
  const { name, read, needs } = part;
  const { reading, typing, label } = source;
  const json = typing === 'jsonl';
  if (read === 'numeric' || (read === 'needs' && needs!.has('number'))) {
    await refuse(source, name, firstNoNumber(name, facts, reading, notes, adviceOf(part)));
    return 'numeric';
  }
  if (read === 'needs') {
    // dates that are numbers are milliseconds; of CSV they are text
    const numbers =
      json && needs!.has('date') && facts.numbers > 0 && firstNoNumber(name, facts, reading, notes, '') === null;
    if (json && !numbers && !needs!.has('date')) refuseObjects(label, name, facts);
    return numbers ? 'numeric' : 'coded';
  }
  if (read === 'order') {
    await refuse(source, name, noOrder(name, facts, reading));
    return 'order';
  }
  if (read === 'coded') return 'coded';
  const verdict = judge(name, facts, reading, json, notes);
  if (verdict.kind === 'cell') await refuse(source, name, verdict.cell);
  if (verdict.kind === 'column') {
    const what = `${label}, column ${show(name)}: expected numbers, text or booleans, got ${verdict.got}`;
    throw new LogoddsError(
      'ERR_SCHEMA',
      verdict.date
        ? `${what}; say what it means in a --schema (logodds schema writes one), read it with --categorical ${name}, or leave it out with --drop ${name}`
        : `${what}; derive a column from it with --query, or leave it out with --drop ${name}`,
    );
  }
  return verdict.kind === 'numeric' ? 'numeric' : 'coded';
}

function refuseObjects(label: string, name: string, facts: Facts): void {
  let [objects, others] = [0, 0];
  for (const { kind } of facts.texts()) kind === KIND.object ? objects++ : others++;
  if (objects === 0 || others > 0) return;
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${label}, column ${show(name)}: expected text, numbers, booleans, dates or lists, got objects; convert it with --query, or correct the schema`,
  );
}

/** Finds the first cell of an ordering column that is neither a number nor a date, or differs from the others in type. */
function noOrder(name: string, facts: Facts, reading: Reading): BadCell | null {
  const reader = readerOf(reading);
  const found = [...facts.texts()].filter(({ text, kind }) => !(kind === KIND.text && reading.tokens.has(text)));
  const isNumber = ({ text, kind }: (typeof found)[number]) =>
    kind === KIND.number || (kind === KIND.text && reader.readText(text) !== NUMBER.none);
  const numbers = facts.numbers > 0 || found.some(isNumber);
  const bad = found.filter((one) =>
    numbers ? !isNumber(one) : one.kind !== KIND.text || parseDate(one.text) === null,
  );
  if (bad.length === 0) return null;
  const worst = bad.reduce((a, b) => (b.row < a.row ? b : a));
  const rule = numbers
    ? 'a number, as in the other rows'
    : 'a number, or a date as in ISO 8601 (2024-05-03, 2024-05-03T12:30)';
  return {
    row: worst.row,
    rule,
    value: worst.text,
    next: `text has no order in time; write ${name} so, or derive a number with --query`,
    cells: bad.reduce((sum, { count }) => sum + count, 0),
  };
}

/** @throws ERR_RECORD with file and line */
async function refuse(source: TextSource, name: string, cell: BadCell | null): Promise<void> {
  if (cell === null) return;
  const place = await placeOf(source, cell.row);
  const { row, rule, value, next, cells } = cell;
  throw Object.assign(fileCellError(place?.label ?? source.label, place?.line ?? 0, row, name, rule, value, next), {
    cells,
  });
}

function numericPlan(part: Part): ColumnPlan {
  const { name, role } = part;
  return {
    name,
    levels: null,
    required: requirement(part),
    least: role === 'weight' ? 0 : undefined,
    advice: adviceOf(part),
  };
}

function orderPlan(part: Part, facts: Facts): ColumnPlan {
  return { name: part.name, levels: null, required: requirement(part), instant: facts.numbers === 0 };
}

/** Texts that mean a missing cell in a column of categories: the built-in list if the others are numbers, else those of --na. */
export function missingTexts(
  texts: readonly { text: string; kind: number }[],
  reading: Reading,
  json: boolean,
): ReadonlySet<string> {
  const reader = readerOf(reading);
  let numbers = 0;
  for (const { text, kind } of texts) {
    if (kind === KIND.text && reading.tokens.has(text)) continue;
    if (kind === KIND.special || kind === KIND.number) numbers++;
    // a string of JSON is no number
    else if (json || kind !== KIND.text || reader.readText(text) === NUMBER.none) return reading.na;
    else numbers++;
  }
  return numbers > 0 ? reading.tokens : reading.na;
}

function codedPlan(source: TextSource, part: Part, facts: Facts, notes: Notes): ColumnPlan {
  const { name, role, read } = part;
  const { reading, typing, label } = source;
  const json = typing === 'jsonl';
  const texts = [...facts.texts()];
  const missing = missingTexts(texts, reading, json);
  const kept = texts.filter(({ text, kind }) => !((kind === KIND.text || kind === KIND.special) && missing.has(text)));
  const spelling = json
    ? 'plain'
    : spellingOf(
        kept.map(({ text }) => text),
        reading.style,
      );
  const labelOf = labelling(json, reading, missing, spelling);
  const labels = new Set<string>();
  for (const { text, kind } of kept) {
    const found = labelOf(text, kind);
    if (typeof found === 'string') labels.add(found);
    if (role === 'target') refuseManyClasses(name, labels.size);
  }
  if (labels.size === 0) refuseEmpty(label, name);
  if (read === 'coded') {
    const tokens = texts.filter(({ text, kind }) => kind === KIND.text && reading.tokens.has(text) && text !== '');
    const shown = tokens.map(({ text, count }) => `${count} × ${text}`).join(' + ');
    if (shown !== '') notes.add(missing === reading.tokens ? NOTE.missing : NOTE.tokens, `${name} (${shown})`);
  }
  const levels = sortLabels([...labels]);
  noteLabels(name, levels, notes);
  if (role === 'target') noteNotation(name, levels, notes);
  return { name, levels, label: labelOf, required: requirement(part) };
}

/** Columns that features of a schema read: texts in the order of their first occurrence. */
function neededPlan(source: TextSource, { name, needs }: Part, facts: Facts): ColumnPlan {
  const { reading, typing } = source;
  const json = typing === 'jsonl';
  const texts = [...facts.texts()];
  const level = !json && needs!.has('level');
  const missing = level ? missingTexts(texts, reading, json) : reading.na;
  const kept = level ? texts.filter(({ text }) => !missing.has(text)) : [];
  const spelling = level
    ? spellingOf(
        kept.map(({ text }) => text),
        reading.style,
      )
    : 'plain';
  return {
    name,
    levels: null,
    open: true,
    label: labelling(json, reading, missing, spelling),
    advice: 'correct it with --query',
  };
}
