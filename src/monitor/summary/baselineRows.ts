import { refuse } from '../../../bindings/errors.ts';
import type { CheckedTable } from '../../encode/checkedTable.ts';
import { asCoded } from '../../encode/columns.ts';
import { selectRows } from '../../encode/split.ts';
import type { Table } from '../../encode/table.ts';
import { splitmix32 } from '../../math/random.ts';
import { show } from '../../messages.ts';
import type { Model } from '../../model/model.ts';

/** Rows of a baseline: those of a class, or of all. */
export interface BaselineRows {
  /** null: of all classes */
  readonly label: string | null;
  /** numbers of the rows, rising */
  readonly rows: Uint32Array;
}

/**
 * A sample of rows: one at random of each of as many stretches of the same length, so that it is spread like the rows. It reads no row.
 * @returns numbers of rows, rising, each once; all where there are no more than `most`
 */
export function sampleRows(rows: number, most: number, seed: number): Uint32Array {
  const out = new Uint32Array(Math.min(rows, most));
  const random = splitmix32(seed);
  const step = rows / out.length;
  for (let k = 0; k < out.length; k++) {
    const place = step > 1 ? Math.floor((k + random()) * step) : k;
    // of neighbouring stretches the shared row once
    out[k] = k > 0 ? Math.max(out[k - 1] + 1, place) : place;
  }
  return out;
}

/** These rows of each class; of a table without the target together, of no class. @throws ERR_TARGET a label that is no class of the model */
export function rowsByClass({ manifest }: Model, table: CheckedTable, rows: Uint32Array): BaselineRows[] {
  const { target, classes } = manifest;
  if (!table.names.includes(target)) return [{ label: null, rows }];
  const { codes, levels, missing } = asCoded(table.column(target), table.rows, 0);
  const parts = classes.map((): number[] => []);
  const partOf = levels.map((label) => parts[classes.indexOf(label)]);
  for (const row of rows) {
    const part = missing?.[row] ? undefined : partOf[codes[row]];
    if (!part) {
      const got = missing?.[row] ? 'a missing cell' : 'another label';
      const next = 'leave these rows out';
      refuse('ERR_TARGET', `target ${show(target)}`, `classes of the model in every row`, `${got} in row ${row}`, next);
    }
    part.push(row);
  }
  return parts.map((part, k) => ({ label: classes[k], rows: Uint32Array.from(part) }));
}

/** The columns that a model scores by, of these rows. */
export function scoredColumns({ encoder, manifest }: Model, table: Table, rows: Uint32Array): Table {
  const names = new Set<string | null>([...encoder.turns.map(({ field }) => field), manifest.offset]);
  const columns = table.columns.filter(({ name }) => names.has(name));
  return rows.length === table.rows ? { rows: table.rows, columns } : selectRows({ rows: table.rows, columns }, rows);
}
