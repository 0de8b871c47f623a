import type { ColumnSpec, ColumnsBatch } from '../../../bindings/columnsBatch.ts';

/** A batch of arrays: nothing computes with it. */
export function plainBatch(specs: readonly ColumnSpec[], rows: number): ColumnsBatch {
  const columns = specs.map(({ kind }) => (kind === 'numeric' ? new Float64Array(rows) : new Uint32Array(rows)));
  const of = (at: number) => columns[at];
  return { rows, numeric: of, codes: of } as unknown as ColumnsBatch;
}
