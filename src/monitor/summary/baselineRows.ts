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
 * The rows of each class, sampled in proportion where there are too many; of a table without the target all of them, of no class.
 * @param most  rows of all classes together, but each class that has rows keeps one
 * @throws ERR_TARGET a label that is no class of the model
 */
export function rowsByClass({ manifest }: Model, table: CheckedTable, most: number, seed: number): BaselineRows[] {
  const { target, classes } = manifest;
  const known = table.names.includes(target);
  const codes = known ? classCodes(table, target, classes) : new Uint8Array(table.rows);
  const labels = known ? classes : [null];
  const left = new Float64Array(labels.length);
  for (let i = 0; i < codes.length; i++) left[codes[i]]++;
  const wanted = left.map((rows) =>
    table.rows <= most ? rows : Math.min(rows, Math.max(1, Math.round((most / table.rows) * rows))),
  );
  const parts = labels.map((label, k) => ({ label, rows: new Uint32Array(wanted[k]) }));
  const found = new Uint32Array(labels.length);
  const random = splitmix32(seed);
  const isWhole = table.rows <= most;
  // Knuth 2, 3.4.2, algorithm S
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (isWhole || random() * left[code]-- < wanted[code] - found[code]) parts[code].rows[found[code]++] = i;
  }
  return parts;
}

function classCodes(table: CheckedTable, target: string, classes: readonly string[]): Uint32Array {
  const { codes, levels, missing } = asCoded(table.column(target), table.rows, 0);
  const places = levels.map((label) => classes.indexOf(label));
  return Uint32Array.from({ length: table.rows }, (_, row) => {
    const place = missing?.[row] ? -1 : (places[codes[row]] ?? -1);
    if (place >= 0) return place;
    const got = missing?.[row] ? 'a missing cell' : 'another label';
    return refuse(
      'ERR_TARGET',
      `target ${show(target)}`,
      'classes of the model in every row',
      `${got} in row ${row}`,
      'leave these rows out',
    );
  });
}

/** All rows of several parts, rising; at most this many, evenly spaced. */
export function someRows(parts: readonly BaselineRows[], most: number): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, { rows }) => sum + rows.length, 0));
  let at = 0;
  for (const { rows } of parts) {
    all.set(rows, at);
    at += rows.length;
  }
  if (parts.length > 1) all.sort();
  const step = Math.ceil(all.length / most);
  return step > 1 ? all.filter((_, i) => i % step === 0) : all;
}

/** The columns that a model scores by, of these rows. */
export function scoredColumns({ encoder, manifest }: Model, table: Table, rows: Uint32Array): Table {
  const names = new Set<string | null>([...encoder.turns.map(({ field }) => field), manifest.offset]);
  const columns = table.columns.filter(({ name }) => names.has(name));
  return rows.length === table.rows ? { rows: table.rows, columns } : selectRows({ rows: table.rows, columns }, rows);
}
