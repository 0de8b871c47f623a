import { LogoddsError } from '../../bindings/errors.ts';
import { findColumns } from '../encode/columns.ts';
import type { Table } from '../encode/table.ts';
import { list, show } from '../messages.ts';
import { explainClasses } from './contributions.ts';
import {
  cellOf,
  type Explained,
  joinedValue,
  type Row,
  type Source,
  sourcesOf,
  sourceValue,
  UNSEEN,
} from './explained.ts';

/** One reason of a decision, in words. */
export interface Reason {
  /** source column, or cross */
  readonly feature: string;
  /** its value in the record */
  readonly value: unknown;
  /** how far it pushed towards the class, in log-odds; > 0 */
  readonly push: number;
  /** the feature's `reason` of the schema with the value filled in, else "feature is value" */
  readonly text: string;
}

/** Options of `reasons`. */
export interface ReasonOptions {
  /** greatest number of reasons; default 4, the usual number in notices of adverse action */
  readonly k?: number;
  /** the class that the reasons push towards; default the label of the record */
  readonly toward?: string;
}

/**
 * Returns the sources that pushed a decision most towards a class, against the training baseline.
 *
 *   two classes   push = φ_f towards the positive class, −φ_f towards the other
 *   several       push = φ_{f,class} − mean of φ_{f,j} over the other classes;   φ as in `explain`
 *
 * Sources that pushed the other way, or not at all, are no reasons, so there may be fewer than k. For a notice of adverse action set `toward` to
 * the class that the person did not want.
 * @throws ERR_RANGE for k, or for a class that the model does not have; ERR_SCHEMA, ERR_RECORD as `Model.score`
 * @example
 * const [first, second] = reasons(model, flight);
 * first.text; // 'origin is LAS'
 * first.push; // 1.9626
 * second.text; // 'distance is 1200'
 */
export function reasons(model: Explained, record: Row, options: ReasonOptions = {}): Reason[] {
  const { classes, positive } = model.manifest;
  const { k = 4, toward = model.score(record).label } = options ?? {};
  if (!(Number.isInteger(k) && k >= 1)) {
    throw new LogoddsError('ERR_RANGE', `k: expected an integer >= 1, got ${k}; leave it out for the default`);
  }
  const own = classes.indexOf(toward);
  if (own < 0) {
    throw new LogoddsError(
      'ERR_RANGE',
      `toward: expected one of the classes ${list(classes)}, got ${show(toward)}; name one of them`,
    );
  }
  const { sources } = sourcesOf(model);
  const explanations = explainClasses(model, record);
  const pushOf = (f: number): number => {
    const phi = explanations.map(({ contributions }) => contributions[f].contribution);
    if (positive !== null) return toward === positive ? phi[0] : -phi[0];
    const others = phi.reduce((sum, one, j) => (j === own ? sum : sum + one), 0);
    return phi[own] - others / (phi.length - 1);
  };
  return explanations[0].contributions
    .map(({ feature, value }, f) => {
      return { feature, value, push: pushOf(f), text: reasonText(sources[f], record) };
    })
    .filter(({ push }) => push > 0)
    .sort((a, b) => b.push - a.push)
    .slice(0, k);
}

/** The schema's `reason` of a source with the value of the record filled in, else "feature is value". */
export function reasonText(source: Source, record: Row): string {
  return wordsOf(source).join(say(sourceValue(source, record)));
}

/** What stands around the value. */
function wordsOf({ name, features }: Source): string[] {
  const words = features.find(({ reason }) => reason !== undefined)?.reason;
  return words === undefined ? [`${name} is `, ''] : words.split('{value}');
}

/**
 * `reasonText` for the rows of a table: of a source by its index, and a row. What is said of a level is made once.
 * @throws ERR_SCHEMA absent columns
 */
export function tableReasons(sources: readonly Source[], table: Table): (source: number, row: number) => string {
  const texts = sources.map((source) => {
    const words = wordsOf(source);
    const columns = findColumns(table, source.columns);
    if (columns.length > 1)
      return (row: number): string => words.join(say(joinedValue(columns.map((column) => cellOf(column, row)))));
    const [column] = columns;
    const textAt = (row: number): string => words.join(say(cellOf(column, row)));
    if (column.kind === 'numeric') return textAt;
    const { codes, levels, missing } = column;
    const known: string[] = [];
    return (row: number): string => {
      if (missing && missing[row] !== 0) return textAt(row);
      const code = Math.min(codes[row], levels.length);
      known[code] ??= textAt(row);
      return known[code];
    };
  });
  return (source, row) => texts[source](row);
}

/** A value as a sentence has it: text without quotes, cut after 40 characters. */
function say(value: unknown): string {
  if (value === null || value === undefined) return 'missing';
  if (value === UNSEEN) return 'not seen in training';
  if (Array.isArray(value)) return value.map(say).join(', ');
  if (value instanceof Date && Number.isFinite(value.getTime())) return value.toISOString();
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.length > 40 ? `${value.slice(0, 40)}…` : value;
  return show(value);
}
