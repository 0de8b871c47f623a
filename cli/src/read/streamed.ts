/** Rows of a stream become tables, by a plan for each column. */
import { cellError } from '../../../src/encode/columns.ts';
import { labelOf, list, show } from '../../../src/encode/label.ts';
import { type Column, LogoddsError, type OnlineLearner, type Table } from '../../../src/index.ts';
import { type Spelling, spellingOf } from './levels.ts';
import { nearest, shorten } from './source.ts';
import type { RowStream, StreamRow } from './stream.ts';
import { type Roles, refuseContradictions } from './training.ts';

/** How the cells of a column are read. */
export interface StreamedColumn {
  readonly name: string;
  readonly cell: (row: StreamRow) => unknown;
  /** null: numeric */
  readonly levels: string[] | null;
  readonly codes: Map<string, number>;
  /** a label that is no level becomes one; else it is unseen */
  readonly open: boolean;
  readonly spelling: Spelling;
  /** cells are text */
  readonly text: boolean;
  /** what to do about a cell that is no number */
  readonly advice: string;
}

/** A number as a CSV file may write it. */
const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;
/** A fraction whose zeros are not part of its label. */
const FRACTION = /^-?(0|[1-9][0-9]*)\.[0-9]+$/;

const SPELL: Readonly<Record<Spelling, (text: string) => string>> = {
  number: (text) => (FRACTION.test(text) ? String(Number(text)) : text),
  boolean: (text) => text.toLowerCase(),
  plain: (text) => text,
};

const isMissing = (cell: unknown): boolean => cell === undefined || cell === null || cell === '';

/** @param role  weight or offset, which must be numbers; undefined of others */
function planOf(
  stream: RowStream,
  name: string,
  levels: readonly string[] | null,
  open: boolean,
  role?: string,
): StreamedColumn {
  const text = stream.format === 'csv';
  return {
    name,
    cell: stream.cell(name),
    levels: levels && [...levels],
    codes: new Map(levels?.map((level, code) => [level, code])),
    open,
    spelling: text && levels ? spellingOf(levels) : 'plain',
    text,
    advice: role ? `correct the cell, or name another ${role} column` : textAdvice(name),
  };
}

/** A table of the first rows with labels as its columns spell them. */
export function spelledTable(stream: RowStream, table: Table): Table {
  const columns = table.columns.map((column): Column => {
    if (column.kind === 'numeric' || stream.format !== 'csv') return column;
    const spelling = spellingOf(column.levels);
    return { ...column, levels: column.levels.map((level) => SPELL[spelling](level)) };
  });
  return { ...table, columns };
}

/** The columns in use of the first rows, each numeric or with the levels that occur. */
export function warmUpPlan(
  stream: RowStream,
  rows: readonly StreamRow[],
  options: Omit<Roles, 'holdoutBy'>,
): StreamedColumn[] {
  const { target, weight, offset, features, drop = [], categorical = [], numeric = [] } = options;
  const names = stream.names(rows);
  const roles = [target, weight, offset].filter((name) => name !== undefined);
  for (const name of [...roles, ...(features ?? []), ...drop, ...categorical, ...numeric])
    requireColumn(stream, names, name);
  refuseContradictions(options);
  const isFeature = (name: string) => (features ? features.includes(name) : !drop.includes(name));
  const numbers = [weight, offset, ...numeric];
  return names
    .filter((name) => roles.includes(name) || isFeature(name))
    .map((name) => {
      const coded =
        name === target || categorical.includes(name) || !(numbers.includes(name) || holdsNumbers(stream, rows, name));
      const role = name === weight ? 'weight' : name === offset ? 'offset' : undefined;
      return planOf(stream, name, coded ? [] : null, coded, role);
    });
}

/**
 * Whether a column has numbers alone. A column of text of which half the cells or more are numbers has a fault in it.
 * @throws ERR_RECORD naming the first cell that is none
 */
function holdsNumbers(stream: RowStream, rows: readonly StreamRow[], name: string): boolean {
  const cell = stream.cell(name);
  const isNumber = (value: unknown) =>
    stream.format === 'csv' ? NUMBER.test(value as string) : typeof value === 'number';
  let numbers = 0;
  let others = 0;
  let first = -1;
  rows.forEach((row, i) => {
    const value = cell(row);
    if (isMissing(value)) return;
    if (isNumber(value)) numbers++;
    else if (others++ === 0) first = i;
  });
  if (others === 0) return numbers > 0;
  if (numbers < others && stream.format === 'csv') return false;
  if (numbers === 0) return false;
  throw cellError(first, name, 'a number', cell(rows[first]), textAdvice(name));
}

const textAdvice = (name: string) =>
  `correct the cell, leave it empty if the value is missing, or say --categorical ${name}`;

/** The columns that a learner reads, with its levels. */
export function learningPlan(stream: RowStream, learner: OnlineLearner): StreamedColumn[] {
  const { schema, target, classes, weight, offset } = learner;
  const numbers = [weight, offset].filter((name) => name !== null);
  const all = [...schema.features.map(({ name }) => name), target, ...numbers];
  // the first JSON objects may lack a column; one that lacks it in a row has a missing cell there
  if (stream.format === 'csv') for (const name of all) requireColumn(stream, stream.names([]), name);
  return [
    ...schema.features.map((feature) =>
      planOf(stream, feature.name, feature.kind === 'categorical' ? feature.levels : null, false),
    ),
    planOf(stream, target, classes, true),
    ...numbers.map((name) => planOf(stream, name, null, false, name === weight ? 'weight' : 'offset')),
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

/** @throws ERR_RECORD naming row and column of a cell that cannot be used */
export function tableOf(plans: readonly StreamedColumn[], rows: readonly StreamRow[], firstRow: number): Table {
  return { rows: rows.length, columns: plans.map((plan) => columnOf(plan, rows, firstRow)) };
}

function columnOf(plan: StreamedColumn, rows: readonly StreamRow[], firstRow: number): Column {
  const { name, cell, levels, codes: codeOf, open, spelling, text } = plan;
  const missing = new Uint8Array(rows.length);
  const values = new Float64Array(levels ? 0 : rows.length);
  const codes = new Uint32Array(levels ? rows.length : 0);
  rows.forEach((row, i) => {
    const value = cell(row);
    if (isMissing(value)) missing[i] = 1;
    else if (!levels) {
      if (text ? !NUMBER.test(value as string) : typeof value !== 'number') {
        throw cellError(firstRow + i, name, 'a number', value, plan.advice);
      }
      values[i] = Number(value);
    } else {
      const label = labelOf(value);
      if (label === null)
        throw cellError(firstRow + i, name, 'text, a number or a boolean', value, 'use null for a missing value');
      const spelled = SPELL[spelling](label);
      let code = codeOf.get(spelled) ?? levels.length;
      if (open && code === levels.length) {
        code = levels.push(spelled) - 1;
        codeOf.set(spelled, code);
      }
      codes[i] = code;
    }
  });
  return levels ? { name, kind: 'coded', codes, levels, missing } : { name, kind: 'numeric', values, missing };
}
