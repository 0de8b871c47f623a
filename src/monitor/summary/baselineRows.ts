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
  const isKnown = table.names.includes(target);
  const labels = isKnown ? classes : [null];
  const { codes, classOf } = isKnown ? classCodes(table, target, classes) : { codes: null, classOf: NO_CLASS };
  const rows = new Float64Array(labels.length + 1);
  if (codes) for (let i = 0; i < table.rows; i++) rows[classOf[codes[i]] ?? labels.length]++;
  else rows[0] = table.rows;
  if (rows[labels.length] > 0) refuseLabel(table, target, classes);
  const share = Math.min(1, most / table.rows);
  const parts = labels.map((label, k) => {
    const kept = Math.min(rows[k], Math.max(1, Math.round(share * rows[k])));
    return { label, rows: new Uint32Array(kept) };
  });
  const random = splitmix32(seed);
  // one row at random of each of as many stretches of the class, so that the sample is spread like the rows
  const places = parts.map(({ rows: kept }, k) => {
    let last = -1;
    return kept.map((_, j) => {
      const place = kept.length === rows[k] ? j : Math.floor(((j + random()) * rows[k]) / kept.length);
      last = Math.max(last + 1, place);
      return last;
    });
  });
  const [met, found] = [new Uint32Array(labels.length), new Uint32Array(labels.length)];
  for (let i = 0; i < table.rows; i++) {
    const code = codes ? classOf[codes[i]] : 0;
    const next = found[code];
    if (places[code][next] === met[code]++) {
      parts[code].rows[next] = i;
      found[code] = next + 1;
    }
  }
  return parts;
}

const NO_CLASS = Int32Array.of(0);

/** The codes of the target, and the class of each; one more than the classes: none. @throws ERR_TARGET a missing cell */
function classCodes(table: CheckedTable, target: string, classes: readonly string[]) {
  const { codes, levels, missing } = asCoded(table.column(target), table.rows, 0);
  if (missing?.subarray(0, table.rows).includes(1)) refuseLabel(table, target, classes);
  const places = levels.map((label) => classes.indexOf(label));
  return { codes, classOf: Int32Array.from(places, (place) => (place < 0 ? classes.length : place)) };
}

function refuseLabel(table: CheckedTable, target: string, classes: readonly string[]): never {
  const { codes, levels, missing } = asCoded(table.column(target), table.rows, 0);
  const isWrong = (code: number, row: number): boolean => Boolean(missing?.[row]) || !classes.includes(levels[code]);
  const row = codes.findIndex(isWrong);
  return refuse(
    'ERR_TARGET',
    `target ${show(target)}`,
    'classes of the model in every row',
    `${missing?.[row] ? 'a missing cell' : 'another label'} in row ${row}`,
    'leave these rows out',
  );
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
