import { asNumeric, cellError, MEND } from '../columns.ts';
import { parseDate, partOf } from '../date.ts';
import { recordNumber } from '../encoder.ts';
import type { DatePart } from '../schema.ts';
import type { Column, NumericColumn } from '../table.ts';

/** A feature that reads numbers, or takes them out of dates. */
interface NumberSource {
  readonly name: string;
  readonly column?: string;
  readonly part?: DatePart;
}

const DATE_RULE = 'an ISO 8601 date such as "2024-05-03" or "2024-05-03T12:30Z"';

/** Milliseconds of the last day that a Date can be */
const LAST_DATE = 8.64e15;

/** The numbers that a feature reads from a column. @throws ERR_RECORD for a cell that is none */
export function numbersOf({ part }: NumberSource, column: Column, rows: number, firstRow: number): NumericColumn {
  if (part !== undefined) return datesOf(column, part, rows, firstRow);
  const numbers = asNumeric(column, rows, firstRow);
  const { name, values, missing } = numbers;
  for (let i = 0; i < rows; i++) {
    if (!Number.isFinite(values[i]) && !missing?.[i])
      throw cellError(firstRow + i, name, 'a finite number', values[i], MEND);
  }
  return numbers;
}

/** The number that a feature reads from a value of a record. @throws ERR_RECORD */
export function recordNumberOf({ name, column = name, part }: NumberSource, value: unknown): number {
  return part === undefined ? recordNumber(column, value) : partOf(recordDate(column, value), part);
}

/** A column of dates as numbers: text is parsed level by level or row by row, numbers are milliseconds. */
function datesOf(column: Column, part: DatePart, rows: number, firstRow: number): NumericColumn {
  const { name, missing } = column;
  const values = new Float64Array(rows);
  if (column.kind === 'numeric') {
    for (let i = 0; i < rows; i++) {
      if (missing?.[i]) continue;
      const ms = column.values[i];
      if (!(Math.abs(ms) <= LAST_DATE)) throw cellError(firstRow + i, name, DATE_RULE, ms, MEND);
      values[i] = partOf(ms, part);
    }
  } else {
    const { codes, levels } = column;
    const partIn = (level: string | undefined): number => {
      const ms = level === undefined ? null : parseDate(level);
      return ms === null ? Number.NaN : partOf(ms, part);
    };
    // a part of a table has the levels of the whole: never more are parsed than it has rows
    const parts = levels.length <= rows ? levels.map(partIn) : null;
    for (let i = 0; i < rows; i++) {
      if (missing?.[i]) continue;
      values[i] = parts ? (parts[codes[i]] ?? Number.NaN) : partIn(levels[codes[i]]);
      if (Number.isNaN(values[i])) throw cellError(firstRow + i, name, DATE_RULE, levels[codes[i]], MEND);
    }
  }
  return { name, kind: 'numeric', values, missing };
}

/** Milliseconds of a date in a record. @throws ERR_RECORD */
function recordDate(name: string, value: unknown): number {
  const ms =
    value instanceof Date
      ? value.getTime()
      : typeof value === 'string'
        ? (parseDate(value) ?? Number.NaN)
        : recordNumber(name, value);
  if (!(Math.abs(ms) <= LAST_DATE)) throw cellError(null, name, DATE_RULE, value, 'use null for a missing value');
  return ms;
}
