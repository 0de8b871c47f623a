import { cellError, MEND } from '../columns.ts';
import { DAY, parseDate, partOf } from '../date.ts';
import type { Dated, DatePart } from '../schema.ts';
import type { Column, NumericColumn } from '../table.ts';
import { recordNumber } from '../turn.ts';
import { isText } from './valid.ts';

/** A feature that reads numbers from dates. */
export interface DateSource extends Dated {
  readonly name: string;
  readonly column?: string;
}

const YEAR = 365.25 * DAY;
/** Milliseconds of the last day that a Date can represent */
const LAST_DATE = 8.64e15;
/** a number in JSON notation, because cells of CSV are text */
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/**
 * Milliseconds of a number that is a date in the unit of the feature (default `ms`); NaN for any other number.
 *
 * A date lies 1 to 1000 years from 1970-01-01, and no more than 100 years outside the dates of training. So no number is a date both in
 * milliseconds and in seconds, and years (2024) or the digits of a date (20240312) are dates in neither. If the schema sets the unit and
 * training has dates on both sides of 1970, times within a year of 1970 are dates, too.
 */
function timeOf({ unit, dates }: Dated, x: number): number {
  const ms = unit === 's' ? x * 1000 : x;
  const distance = Math.abs(ms);
  const [first, last] = dates ?? [ms, ms];
  const known = distance < YEAR && unit !== undefined && first < -YEAR && last > YEAR;
  const plausible = distance >= YEAR && distance <= 1000 * YEAR && ms >= first - 100 * YEAR && ms <= last + 100 * YEAR;
  return known || plausible ? ms : Number.NaN;
}

/** Milliseconds of a date given as text or as a number in text; NaN for anything else. */
function timeIn(source: Dated, text: string): number {
  return parseDate(text) ?? (NUMBER.test(text) ? timeOf(source, Number(text)) : Number.NaN);
}

/** Milliseconds of the cells of a column, read row by row; NaN for a cell that is not a date. Values of missing cells are undefined. */
export function timesOf(source: Dated, column: Column, rows: number): (row: number) => number {
  if (column.kind === 'numeric') return (row) => timeOf(source, column.values[row]);
  const { codes, levels } = column;
  const read = (level: string | undefined): number => (level === undefined ? Number.NaN : timeIn(source, level));
  // a part of a table has the levels of the whole, so at most as many levels as rows are parsed
  if (levels.length > rows) return (row) => read(levels[codes[row]]);
  const times = levels.map(read);
  return (row) => times[codes[row]] ?? Number.NaN;
}

/** One part of the dates in a column. @throws ERR_RECORD for a cell that is not a date */
export function datePartsOf(
  source: DateSource & { readonly part: DatePart },
  column: Column,
  rows: number,
  firstRow: number,
): NumericColumn {
  const { name, missing } = column;
  const times = timesOf(source, column, rows);
  const values = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    if (missing?.[i]) continue;
    const ms = times(i);
    if (Number.isNaN(ms)) {
      const value = column.kind === 'numeric' ? column.values[i] : column.levels[column.codes[i]];
      throw dateError(firstRow + i, name, source, value, MEND);
    }
    values[i] = partOf(ms, source.part);
  }
  return { name, kind: 'numeric', values, missing };
}

/** Milliseconds of a date in a record. @throws ERR_RECORD */
export function recordTime(source: DateSource, name: string, value: unknown): number {
  const ms =
    value instanceof Date
      ? value.getTime()
      : isText(value)
        ? timeIn(source, value)
        : timeOf(source, recordNumber(name, value));
  if (Math.abs(ms) <= LAST_DATE) return ms;
  throw dateError(null, name, source, value, 'use null for a missing value');
}

function dateError(row: number | null, name: string, { unit, dates }: Dated, value: unknown, next: string) {
  const isNumber = typeof value !== 'object' && (!isText(value) || NUMBER.test(value));
  if (!isNumber)
    return cellError(row, name, `an ISO 8601 date such as "2024-05-03" or "2024-05-03T12:30Z"`, value, next);
  const range = dates ? ` and within 100 years of the dates of training` : '';
  const rule = `an ISO 8601 date such as "2024-05-03", or a number of ${unit === 's' ? '' : 'milli'}seconds 1 to 1000 years from 1970${range}`;
  return cellError(row, name, rule, value, 'convert it, or say its unit in the schema ("unit": "ms" or "s")');
}

/**
 * The first and the last date of a column, in milliseconds, among rows of positive weight. Numbers within a year of 1970 do not count, because
 * `timeOf` judges them by the other dates. Undefined if there are none.
 */
export function datesOf(
  source: Dated,
  column: Column,
  rows: number,
  weight: Float64Array | null,
): readonly [number, number] | undefined {
  const times = timesOf({ unit: source.unit }, column, rows);
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows; i++) {
    if (column.missing?.[i] || weight?.[i] === 0) continue;
    const ms = times(i);
    if (ms < first) first = ms;
    if (ms > last) last = ms;
  }
  return first <= last ? [first, last] : undefined;
}
