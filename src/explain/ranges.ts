import { asNumeric, findColumns } from '../encode/columns.ts';
import type { Table } from '../encode/table.ts';
import { type Explained, sourcesOf } from './explained.ts';

/** What training saw of a column of numbers. */
export interface ColumnRange {
  readonly column: string;
  /** least and greatest number of the training rows */
  readonly min: number;
  readonly max: number;
}

/** Numbers of a column beyond its range. */
export interface OutOfRange extends ColumnRange {
  /** numbers that there are, missing cells not counted */
  readonly numbers: number;
  /** how many of these lie below min, and above max */
  readonly below: number;
  readonly above: number;
  /** least and greatest number; null where there is none */
  readonly least: number | null;
  readonly greatest: number | null;
}

/**
 * The columns that a model reads numbers from, and the least and greatest number that training saw in each: of numeric features, curves (splines
 * and transforms, before the transform) and bins. Dates are not among them.
 */
export function rangesOf(model: Explained): ColumnRange[] {
  return sourcesOf(model).sources.flatMap(({ name, columns, features }) => {
    const ends = features.flatMap((feature): [number, number][] => {
      if ('part' in feature && feature.part !== undefined) return [];
      if (feature.kind === 'numeric' || feature.kind === 'curve') return [[feature.min, feature.max]];
      return feature.kind === 'binned' ? [[feature.edges[0], feature.edges[feature.edges.length - 1]]] : [];
    });
    if (columns.length > 1 || ends.length === 0) return [];
    return [{ column: name, min: Math.min(...ends.map(([min]) => min)), max: Math.max(...ends.map(([, max]) => max)) }];
  });
}

/**
 * Counts, column by column of `rangesOf`, the numbers of a table beyond the range of training: what `Scores.outOfRange` has row by row, and what
 * the schema clips or gives a default as well.
 * @param firstRow  number of the first row in the whole input, for error messages
 * @throws ERR_SCHEMA absent columns; ERR_RECORD text in a column of numbers
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
