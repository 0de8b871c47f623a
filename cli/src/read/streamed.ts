/** Turns rows of a stream into tables, with a plan for each column. */
import { type Column, LogoddsError, type OnlineLearner, type Table } from '../../../src/index.ts';
import { LABEL_RULE, list, show } from '../../../src/internal.ts';
import { sortLabels } from '../../../src/kernels.ts';
import { NUMBER, spellingOf } from '../../../src/text.ts';
import { nearest, shorten } from './names.ts';
import { fileCellError } from './place.ts';
import { namedAmong, type Roles, refuseContradictions } from './roles.ts';
import type { RowStream, StreamRow } from './stream.ts';
import { Facts, KIND } from './text/facts.ts';
import { judge, Notes, noteLabels, noteNotation, shownValue } from './text/judge.ts';
import { labelling } from './text/labels.ts';
import { readerOf } from './text/options.ts';

/** How the cells of a column are read. */
export interface StreamedColumn {
  readonly name: string;
  readonly stream: RowStream;
  /** null: numeric */
  readonly levels: string[] | null;
  readonly codes: Map<string, number>;
  /** true: a label that is not a level becomes one; false: it is unseen */
  readonly open: boolean;
  /** the label of a text; null: missing; undefined: not a label */
  readonly label: (text: string, kind: number) => string | null | undefined;
  /** next step for a cell that is not a number */
  readonly advice: string;
}

/** Roles of a stream, and the classes of its target if the first rows may lack some. */
export interface StreamRoles extends Omit<Roles, 'holdoutBy'> {
  readonly classes?: readonly string[];
}

/** A number without marks between its digits. */
const PLAIN = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;

/**
 * @param known  texts or labels that determine the spelling of the column's labels
 * @param role  weight or offset, which must be numbers; undefined for other columns
 */
function planOf(
  stream: RowStream,
  name: string,
  levels: readonly string[] | null,
  known: readonly string[],
  open: boolean,
  role?: string,
): StreamedColumn {
  const json = stream.format === 'jsonl';
  const { reading } = stream;
  const numbers = spellingOf(known, reading.style) === 'number';
  const missing = new Set([...(numbers ? reading.tokens : reading.na)].filter((text) => !levels?.includes(text)));
  return {
    name,
    stream,
    levels: levels && [...levels],
    codes: new Map(levels?.map((level, code) => [level, code])),
    open,
    label: labelling(json, reading, missing, json ? 'plain' : spellingOf(known, reading.style)),
    advice: role ? `correct the cell, or name another ${role} column` : textAdvice(name),
  };
}

/** The columns in use of the first rows, each numeric or with the levels that occur. */
export function warmUpPlan(stream: RowStream, rows: readonly StreamRow[], given: StreamRoles): StreamedColumn[] {
  const names = stream.names();
  const options = namedAmong(given, names);
  const { target, weight, offset, features, drop = [], categorical = [], numeric = [], classes } = options;
  const roles = [target, weight, offset].filter((name) => name !== undefined);
  for (const name of [...roles, ...(features ?? []), ...drop, ...categorical, ...numeric])
    requireColumn(stream, names, name);
  refuseContradictions(options);
  const isFeature = (name: string) => (features ? features.includes(name) : !drop.includes(name));
  const numbers = [weight, offset, ...numeric];
  const notes = new Notes();
  const plans = names
    .filter((name) => roles.includes(name) || isFeature(name))
    .map((name) => {
      const facts = factsOf(stream, rows, name, name === target || categorical.includes(name));
      const coded =
        name === target ||
        categorical.includes(name) ||
        !(numbers.includes(name) || isNumeric(stream, rows, name, facts, notes));
      const role = name === weight ? 'weight' : name === offset ? 'offset' : undefined;
      if (!coded) return planOf(stream, name, null, [], false, role);
      const full = facts.numbers > 0 ? factsOf(stream, rows, name, true) : facts;
      const { tokens, na } = stream.reading;
      const texts = [...full.texts()].filter(({ text, kind }) => kind !== KIND.text || !na.has(text));
      // missing cells among numbers do not affect the spelling
      const known = texts.filter(({ text, kind }) => kind !== KIND.text || !tokens.has(text)).map(({ text }) => text);
      const plan = planOf(stream, name, [], known.length > 0 ? known : texts.map(({ text }) => text), true, role);
      const labels = texts.flatMap(({ text, kind }) => plan.label(text, kind) ?? []);
      noteLabels(name, [...new Set(labels)], notes);
      if (name === target) noteNotation(name, [...new Set(labels)], notes);
      if (name !== target || classes === undefined) return plan;
      return { ...withLevels(plan, sortLabels([...new Set(classes)])), open: false };
    });
  notes.say(stream.reading.warn);
  return plans;
}

const withLevels = (plan: StreamedColumn, levels: string[]): StreamedColumn => ({
  ...plan,
  levels,
  codes: new Map(levels.map((level, code) => [level, code])),
});

function factsOf(stream: RowStream, rows: readonly StreamRow[], name: string, all: boolean): Facts {
  const facts = new Facts(stream.reading, all);
  const place = stream.place(name);
  rows.forEach(({ cells, kinds }, row) => {
    const text = cells[place];
    if (text !== null && text !== undefined) facts.addText(text, kinds[place], row, stream.format === 'jsonl');
  });
  return facts;
}

/** Whether a column has only numbers, by the rule for files applied to the first rows. @throws ERR_RECORD, ERR_SCHEMA */
function isNumeric(stream: RowStream, rows: readonly StreamRow[], name: string, facts: Facts, notes: Notes): boolean {
  const verdict = judge(name, facts, stream.reading, stream.format === 'jsonl', notes);
  if (verdict.kind === 'cell') {
    const { row, rule, value, next } = verdict.cell;
    throw fileCellError(stream.label, rows[row].line, row, name, rule, value, next);
  }
  if (verdict.kind === 'column') {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${stream.label}, column ${show(name)}: expected numbers, text or booleans, got ${verdict.got}; read it with --categorical ${name}, or leave it out with --drop ${name}`,
    );
  }
  return verdict.kind === 'numeric';
}

const textAdvice = (name: string) =>
  `correct the cell, leave it empty if the value is missing (or say --na), or say --categorical ${name}`;

/** The columns that a learner reads, with its levels. */
export function learningPlan(stream: RowStream, learner: OnlineLearner): StreamedColumn[] {
  const { schema, target, classes, weight, offset } = learner;
  const numbers = [weight, offset].filter((name) => name !== null);
  const all = [...schema.features.map(({ name }) => name), target, ...numbers];
  // the first JSON objects may lack a column; a row without the field has a missing cell
  if (stream.format === 'csv') for (const name of all) requireColumn(stream, stream.names(), name);
  return [
    ...schema.features.map((feature) => {
      const levels = feature.kind === 'categorical' ? feature.levels : null;
      return planOf(stream, feature.name, levels, levels ?? [], false);
    }),
    planOf(stream, target, classes, classes, true),
    ...numbers.map((name) => planOf(stream, name, null, [], false, name === weight ? 'weight' : 'offset')),
  ];
}

function requireColumn(stream: RowStream, names: readonly string[], name: string): void {
  if (names.includes(name)) return;
  const guess = nearest(name, names);
  throw new LogoddsError(
    'ERR_SCHEMA',
    `${stream.label}: expected column ${show(name)}, got no column of that name; ` +
      (guess ? `did you mean ${show(guess)}?` : `the columns are ${shorten(names) || list(names)}`),
  );
}

/** @throws ERR_RECORD naming line, row and column of a cell that cannot be used */
export function tableOf(plans: readonly StreamedColumn[], rows: readonly StreamRow[], firstRow: number): Table {
  return { rows: rows.length, columns: plans.map((plan) => columnOf(plan, rows, firstRow)) };
}

function columnOf(plan: StreamedColumn, rows: readonly StreamRow[], firstRow: number): Column {
  const { name, stream, levels, codes: codeOf, open } = plan;
  const { reading, label } = stream;
  const place = stream.place(name);
  const reader = readerOf(reading);
  const simple = reading.style.decimal === '.' && reading.style.thousands === null;
  const missing = new Uint8Array(rows.length);
  const values = new Float64Array(levels ? 0 : rows.length);
  const codes = new Uint32Array(levels ? rows.length : 0);
  rows.forEach(({ cells, kinds, line }, i) => {
    const text = cells[place] ?? null;
    const kind = text === null ? KIND.text : kinds[place];
    const refuse = (rule: string, value: unknown, next: string): never => {
      throw fileCellError(label, line, firstRow + i, name, rule, value, next);
    };
    if (text === null) missing[i] = 1;
    else if (!levels) {
      if (simple && (kind === KIND.number || (kind === KIND.text && PLAIN.test(text)))) values[i] = Number(text);
      else if (!simple && kind <= KIND.number && reader.readText(text) !== NUMBER.none) values[i] = reader.value;
      else if (kind === KIND.text ? reading.tokens.has(text) : kind === KIND.special && reading.na.has(text))
        missing[i] = 1;
      else refuse('a number', shownValue({ text, kind }), plan.advice);
    } else {
      const own = plan.label(text, kind);
      if (own === null) missing[i] = 1;
      else if (own === undefined || kind === KIND.list)
        refuse(LABEL_RULE, shownValue({ text, kind }), 'use null for a missing value');
      else {
        let code = codeOf.get(own) ?? levels.length;
        if (open && code === levels.length) {
          code = levels.push(own) - 1;
          codeOf.set(own, code);
        }
        codes[i] = code;
      }
    }
  });
  return levels ? { name, kind: 'coded', codes, levels, missing } : { name, kind: 'numeric', values, missing };
}
