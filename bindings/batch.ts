import type { ColumnsBatch } from './columnsBatch.ts';
import type { RowsBatch } from './rowsBatch.ts';
import type { SparseBatch } from './sparseBatch.ts';

/**
 * Rows in linear memory, in one of three layouts: `rows` (dense, row-major), `columns` (numbers and integer codes by column) or `sparse`
 * (compressed sparse rows).
 */
export type Batch = RowsBatch | ColumnsBatch | SparseBatch;
