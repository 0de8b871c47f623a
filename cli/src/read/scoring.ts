import type { Model } from '../../../src/index.ts';
import { startRows } from '../terminal/progress.ts';
import { readRows } from './scoringRows.ts';
import type { SourceOptions } from './source.ts';
import { type FurtherColumns, type Use, type UseShare, type Wanted, wantedColumns } from './wanted.ts';

/** Rows in one block: a few of DuckDB's chunks, small enough for the caches; one chunk if there are many classes. */
const blockRows = (classes: number): number => (classes <= 16 ? 16_384 : 2048);

/** How rows are read, for tests. */
export interface ReadAs {
  /** false: our scanners read all rows of text */
  readonly isAhead?: boolean;
}

/**
 * Streams the rows of DATA in blocks of typed arrays that fit the model: bounded memory whatever the size of DATA.
 * @param use  called with each block in order; the table is valid during the call
 * @param warn  called once with the unused columns of DATA, and with notes on cells that needed interpretation
 * @returns rows read
 * @throws ERR_SCHEMA absent columns (all named) or columns of a wrong type; ERR_RECORD for a cell that cannot be used
 */
export async function streamTable(
  model: Model,
  data: SourceOptions,
  further: FurtherColumns,
  use: Use,
  warn: (message: string) => void,
  as?: ReadAs,
): Promise<number> {
  const capacity = blockRows(model.manifest.classes.length);
  return streamColumns(data, { wanted: wantedColumns(model, further), model, capacity }, use, warn, as);
}

/**
 * Checks that the columns of DATA are those of a model, before its rows: names, and types where the file says some. Of JSON lines nothing is known.
 * @throws ERR_SCHEMA as `streamTable`; ERR_DATA for a file that cannot be read
 */
export async function checkTable(model: Model, data: SourceOptions): Promise<void> {
  const wanted = wantedColumns(model, {});
  const known = [model.manifest.target, model.manifest.weight];
  await readRows(data, { wanted, known, capacity: 1 }, () => {}, { isCheck: true });
}

/** Columns to read of DATA, and how many rows at a time. */
export interface Columns {
  readonly wanted: readonly Wanted[];
  /** the model they are of, whose unused columns are said; null: of none */
  readonly model: Model | null;
  readonly capacity?: number;
}

/** Streams some columns of DATA, as `streamTable` those of a model. */
export async function streamColumns(
  data: SourceOptions,
  { wanted, model, capacity = blockRows(2) }: Columns,
  use: Use,
  warn: (message: string) => void,
  as: ReadAs = {},
): Promise<number> {
  const known = model && [model.manifest.target, model.manifest.weight];
  const columns = { wanted, known, capacity };
  const phase = startRows('score');
  const showing: UseShare = async (table, firstRow, share) => {
    await use(table, firstRow);
    phase.update(firstRow + table.rows, share);
  };
  try {
    return await readRows({ ...data, warn }, columns, showing, as);
  } finally {
    phase.end();
  }
}
