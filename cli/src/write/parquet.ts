/** Scores as Parquet: DuckDB reads them block by block and writes the file. */
import { rmSync } from 'node:fs';
import { loadDuckDB, name, SEALED, text } from '../read/sql.ts';
import { type FurtherCells, ofClasses, type ScoreBlock, type ScoreLayout } from './block.ts';
import { standIns } from './parquetNames.ts';

/** Where a Parquet file is written, before its columns get their true names. */
export interface ParquetPlace {
  /** a private folder */
  readonly folder: string;
  /** a file in it */
  readonly file: string;
}

/** The columns, and what they are called while DuckDB writes them. */
export function parquetNames({ classes, further = [] }: ScoreLayout): { readonly names: string[]; written: string[] } {
  const names = ['row', ...classes.map((label) => `p_${label}`), 'label', ...further.map((column) => column.name)];
  return { names, written: standIns(names) };
}

interface WritableVector {
  readonly items: Float64Array | Float32Array | Uint8Array | Uint16Array | Uint32Array;
  setItem(index: number, value: string | boolean): void;
  flush(): void;
}

/** Rows of one chunk of DuckDB. */
const CHUNK_ROWS = 2048;

/**
 * Copies blocks into a Parquet file; memory is bounded.
 * @param next  the next block, null at the end. It is called without pause, so it waits for the block or throws.
 */
export async function copyParquet(
  { folder, file }: ParquetPlace,
  layout: ScoreLayout,
  next: () => ScoreBlock | null,
): Promise<void> {
  const { classes, precision, further = [] } = layout;
  const { BOOLEAN, DOUBLE, DuckDBInstance, DuckDBTableFunction, ENUM, FLOAT, VARCHAR } = await loadDuckDB();
  const types = { number: DOUBLE, text: VARCHAR, flag: BOOLEAN };
  const columns = [
    { cell: 'row', type: DOUBLE, sql: 'cast(row as bigint)' },
    ...classes.map((_, k) => ({ cell: `p${k}`, type: precision === 'f32' ? FLOAT : DOUBLE, sql: `p${k}` })),
    { cell: 'label', type: ENUM(classes), sql: 'cast(label as varchar)' },
    ...further.map(({ type }, k) => ({ cell: `f${k}`, type: types[type], sql: `f${k}` })),
  ];
  const { written } = parquetNames(layout);
  let failure: unknown = null;
  let block: ScoreBlock | null = null;
  let cells: readonly FurtherCells[] = [];
  let at = 0;
  let ended = false;
  const left = () => (block === null ? 0 : block.rows - at);
  /** @returns whether there are rows */
  const refill = (): boolean => {
    if (left() > 0) return true;
    if (!ended) block = next();
    at = 0;
    ended = block === null;
    if (block === null) return false;
    const { firstRow, rows, labels, further } = block;
    const row = new Float64Array(rows);
    for (let i = 0; i < rows; i++) row[i] = firstRow + i;
    cells = [row, ...ofClasses(layout, block), labels, ...further];
    return true;
  };
  const scores = DuckDBTableFunction.create({
    name: 'scores',
    bindFunction(info) {
      for (const { cell, type } of columns) info.addResultColumn(cell, type);
    },
    initFunction() {},
    mainFunction(info, chunk) {
      try {
        chunk.rowCount = CHUNK_ROWS;
        const vectors = columns.map((_, k) => chunk.getColumnVector(k) as unknown as WritableVector);
        let filled = 0;
        // chunks are full whatever the blocks are, so the row groups of the file are the same for all sources
        while (filled < CHUNK_ROWS && refill()) {
          const rows = Math.min(CHUNK_ROWS - filled, left());
          for (const [k, vector] of vectors.entries()) fill(vector, filled, cells[k], at, rows);
          at += rows;
          filled += rows;
        }
        for (const vector of vectors) vector.flush();
        chunk.rowCount = filled;
      } catch (error) {
        failure = error;
        info.setError('stopped');
      }
    },
  });
  const instance = await DuckDBInstance.create(':memory:', {
    ...SEALED,
    temp_directory: folder,
    memory_limit: '256MB',
    threads: '1',
  });
  try {
    const connection = await instance.connect();
    connection.registerTableFunction(scores);
    const list = columns.map(({ sql }, k) => `${sql} as ${name(written[k])}`).join(', ');
    await connection.run(`copy (select ${list} from scores()) to ${text(file)} (format parquet, use_tmp_file false)`);
    connection.closeSync();
  } catch (error) {
    rmSync(file, { force: true });
    throw failure ?? error;
  } finally {
    instance.closeSync();
  }
}

function fill(vector: WritableVector, to: number, cells: FurtherCells, from: number, rows: number): void {
  if (ArrayBuffer.isView(cells)) vector.items.set((cells as Float64Array).subarray(from, from + rows), to);
  else for (let i = 0; i < rows; i++) vector.setItem(to + i, (cells as readonly (string | boolean)[])[from + i]);
}
