import { asNumeric, cellError, MEND } from '../columns.ts';
import { partOf } from '../date.ts';
import type { DatePart } from '../schema.ts';
import type { Column, NumericColumn } from '../table.ts';
import { recordNumber } from '../turn.ts';
import { type DateSource, datePartsOf, recordTime } from './dates.ts';

/** A feature that reads numbers, or parts of dates as numbers. */
interface NumberSource extends DateSource {
  readonly part?: DatePart;
}

/** The numbers that a feature reads from a column. @throws ERR_RECORD for a cell that is not a number */
export function numbersOf(source: NumberSource, column: Column, rows: number, firstRow: number): NumericColumn {
  const { part } = source;
  if (part !== undefined) return datePartsOf({ ...source, part }, column, rows, firstRow);
  const numbers = asNumeric(column, rows, firstRow);
  const { name, values, missing } = numbers;
  for (let i = 0; i < rows; i++) {
    if (!Number.isFinite(values[i]) && !missing?.[i])
      throw cellError(firstRow + i, name, 'a finite number', values[i], MEND);
  }
  return numbers;
}

/** The number that a feature reads from a value of a record. @throws ERR_RECORD */
export function recordNumberOf(source: NumberSource, value: unknown): number {
  const { name, column = name, part } = source;
  return part === undefined ? recordNumber(column, value) : partOf(recordTime(source, column, value), part);
}
