import { asNumeric, findColumns } from '../encode/columns.ts';
import type { Table } from '../encode/table.ts';
import { type Explained, sourcesOf } from './explained.ts';
import { trainedEnds } from './trained.ts';

/** The range of a column of numbers in the training rows. */
export interface ColumnRange {
  readonly column: string;
  /** least and greatest number of the training rows */
  readonly min: number;
  readonly max: number;
}

/** How many numbers of a column lie beyond its training range. */
export interface OutOfRange extends ColumnRange {
  /** number of cells that are not missing */
  readonly numbers: number;
  /** number of cells below min */
  readonly below: number;
  /** number of cells above max */
  readonly above: number;
  /** least number of the table; null where all cells are missing */
  readonly least: number | null;
  /** greatest number of the table; null where all cells are missing */
  readonly greatest: number | null;
}

/**
 * Returns the columns that a model reads numbers from, each with its least and greatest number in training.
 *
 * They are those of numeric features, of curves (splines and transforms, before the transform) and of bins. Dates are not among them.
 * @example
 * rangesOf(model); // [{ column: 'distance', min: 200, max: 2159 }]
 */
export function rangesOf(model: Explained): ColumnRange[] {
  return sourcesOf(model).sources.flatMap(({ name, columns, features }) => {
    const ends = features.flatMap((feature) => {
      const own = 'part' in feature && feature.part !== undefined ? null : trainedEnds(feature);
      return own ? [own] : [];
    });
    if (columns.length > 1 || ends.length === 0) return [];
    return [{ column: name, min: Math.min(...ends.map(([min]) => min)), max: Math.max(...ends.map(([, max]) => max)) }];
  });
}

/**
 * Counts the numbers of a table beyond the range of training, for each column of `rangesOf`.
 *
 * It counts all such numbers: those that `Scores.outOfRange` has row by row, and those that the schema clips or gives a default.
 * @param firstRow  number of the first row in the whole input, for error messages
 * @throws ERR_SCHEMA absent columns; ERR_RECORD text in a column of numbers
 * @example
 * const [distance] = countOutOfRange(model, tableFromRecords([{ distance: 5000, origin: 'LAS' }]));
 * distance.max; // 2159
 * distance.above; // 1
 */
export function countOutOfRange(model: Explained, table: Table, firstRow = 0): OutOfRange[] {
  const ranges = rangesOf(model);
  const names = ranges.map(({ column }) => column);
  return findColumns(table, names).map((column, j) => {
    const { values, missing } = asNumeric(column, table.rows, firstRow);
    const { min, max } = ranges[j];
    const found = {
      numbers: 0,
      below: 0,
      above: 0,
      least: Number.POSITIVE_INFINITY,
      greatest: Number.NEGATIVE_INFINITY,
    };
    for (let i = 0; i < table.rows; i++) {
      if (missing && missing[i] !== 0) continue;
      const x = values[i];
      found.numbers++;
      if (x < min) found.below++;
      if (x > max) found.above++;
      if (x < found.least) found.least = x;
      if (x > found.greatest) found.greatest = x;
    }
    const none = found.numbers === 0;
    return { ...ranges[j], ...found, least: none ? null : found.least, greatest: none ? null : found.greatest };
  });
}
