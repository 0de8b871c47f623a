import type { Batch } from '../../bindings/batch.ts';
import type { Engine } from '../../bindings/engine.ts';
import type { Precision } from '../../bindings/layout.ts';
import type { SparseRows } from '../../bindings/sparseBatch.ts';
import { numbers } from './engines.ts';

export const LAYOUTS = ['rows', 'columns', 'sparse'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** features of `mixed` */
export const FEATURES = 9;

/**
 * The same data as every layout: a number, codes of 3, a number of which half are zero, codes of 4, spelled out where the
 * layout knows no codes. All values are f32, so both storages hold the same. Weights are 0 to 3, classes 0 to 2.
 * @param from  number of the first row, for a part of a longer table
 */
export function mixed(rows: number, from = 0) {
  const dense = new Float64Array(rows * FEATURES);
  const codes = [new Uint8Array(rows), new Uint8Array(rows)];
  const y = new Float64Array(rows);
  const weight = new Float64Array(rows);
  const classes = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    // every row has a seed of its own; the first draws of a small seed are much alike
    const next = numbers(Math.imul(from + i + 1, 2654435761));
    next();
    const x = dense.subarray(i * FEATURES, (i + 1) * FEATURES);
    x[0] = Math.fround(next());
    codes[0][i] = Math.floor((next() + 1) * 1.5);
    x[1 + codes[0][i]] = 1;
    x[4] = next() > 0 ? Math.fround(3 * next()) : 0;
    codes[1][i] = Math.floor((next() + 1) * 2);
    x[5 + codes[1][i]] = 1;
    y[i] = next() > 0 ? 1 : 0;
    weight[i] = Math.floor((next() + 1) * 2);
    classes[i] = Math.floor((next() + 1) * 1.5);
  }
  return { rows, dense, codes, y, weight, classes };
}

export type Mixed = ReturnType<typeof mixed>;

/** the data as a batch of one layout */
export function batch(engine: Engine, data: Mixed, layout: Layout, precision: Precision = 'f64'): Batch {
  const { rows, dense, codes } = data;
  if (layout === 'sparse') return engine.sparse(compress(dense, FEATURES), FEATURES, precision);
  if (layout === 'rows') {
    const out = engine.rows(rows, FEATURES, precision);
    out.set(dense);
    return out;
  }
  const numeric = { kind: 'numeric' } as const;
  const out = engine.columns(
    rows,
    [numeric, { kind: 'coded', slots: 3 }, numeric, { kind: 'coded', slots: 4 }],
    precision,
  );
  for (let i = 0; i < rows; i++) {
    out.numeric(0)[i] = dense[i * FEATURES];
    out.numeric(2)[i] = dense[i * FEATURES + 4];
  }
  out.codes(1).set(codes[0]);
  out.codes(3).set(codes[1]);
  return out;
}

/** what is not zero of dense rows */
export function compress(dense: Float64Array, columns: number): Required<SparseRows> {
  const rowPtr = [0];
  const colIdx: number[] = [];
  const values: number[] = [];
  for (let from = 0; from < dense.length; from += columns) {
    for (let j = 0; j < columns; j++) {
      if (dense[from + j] === 0) continue;
      colIdx.push(j);
      values.push(dense[from + j]);
    }
    rowPtr.push(colIdx.length);
  }
  return { rowPtr, colIdx, values };
}
