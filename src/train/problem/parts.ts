import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import type { Engine } from '../../../bindings/engine.ts';
import { LogoddsError } from '../../../bindings/errors.ts';
import { CheckedTable } from '../../encode/checkedTable.ts';
import type { Encoder } from '../../encode/encoder.ts';
import { SchemaDraft } from '../../encode/infer.ts';
import type { Schema } from '../../encode/schema.ts';
import type { Table } from '../../encode/table.ts';
import { Chunks, cellsOf, type RowStore } from './chunks.ts';
import type { DataOptions } from './options.ts';
import { schemaOptions } from './prepare.ts';
import { Problem, trainingEncoder } from './problem.ts';
import { type RowVectors, readRows } from './rows.ts';
import { frequencies } from './target.ts';

/**
 * `prepare` for a table that does not fit into memory. Its features arrive in parts, twice in the same order, and the encoded rows go to a
 * store.
 *
 *   learn(part) …  →  encode(part, store) …  →  problem(store)
 *
 * One window on the store and vectors over the rows stay in memory: 8 bytes a row for the class (16 if the first class is the positive one),
 * and 8 each for weight, offset, trials and class weights.
 */
export class TableInParts {
  readonly rows: RowVectors;
  readonly #frequencies: Float64Array | null;
  readonly #engine: Engine;
  readonly #draft: SchemaDraft;
  #encoding: { readonly schema: Schema; readonly encoder: Encoder; batch: ColumnsBatch } | null = null;
  #learnt = 0;
  #encoded = 0;

  /**
   * @param table  target, weight, offset and trials of all rows
   * @param otherwise  coding of categories if the options do not set it
   * @throws as `prepare`
   */
  constructor(table: Table, options: DataOptions, otherwise: 'onehot' | 'treatment', engine: Engine) {
    if (options.schema) {
      throw new LogoddsError(
        'ERR_RANGE',
        'schema: expected none where rows stay in a file (quantiles and knots need them all), got one; fit with all rows in memory',
      );
    }
    this.rows = readRows(CheckedTable.of(table), options);
    this.#frequencies = frequencies(this.rows.sampleWeight, this.rows);
    this.#engine = engine;
    this.#draft = new SchemaDraft({ ...schemaOptions(options, otherwise), exclude: [] });
  }

  /** Takes the next rows of the features in the first pass. @throws as `inferSchema` */
  learn(part: Table): void {
    const first = this.#learnt;
    this.#learnt += part.rows;
    this.#draft.add(part, this.#frequencies?.subarray(first, this.#learnt) ?? null, first);
  }

  /**
   * Ends learning.
   * @param most  largest number of rows in a part to encode
   * @returns the schema, and the bytes of a cell of each column of the store
   */
  open(most: number): { readonly schema: Schema; readonly widths: readonly number[] } {
    const schema = this.#draft.finish();
    const encoder = trainingEncoder(schema);
    const batch = this.#engine.columns(most, encoder.specs, 'f64');
    this.#encoding = { schema, encoder, batch };
    return { schema, widths: batch.specs.map((_, j) => cellsOf(batch, j).BYTES_PER_ELEMENT) };
  }

  /** Takes the next rows of the features in the second pass. @throws as `Encoder.encode` */
  encode(part: Table, store: RowStore): void {
    const { encoder, batch } = this.#encoding!;
    const first = this.#encoded;
    this.#encoded += part.rows;
    batch.setRows(part.rows);
    encoder.encode(part, batch, { standardize: true, firstRow: first });
    for (let j = 0; j < batch.specs.length; j++) store.write(j, first, cellsOf(batch, j));
  }

  /** @param capacity  rows in memory at a time; if that is all of them, the problem has one batch */
  problem(store: RowStore, capacity: number): Problem {
    const { schema, encoder, batch: stage } = this.#encoding!;
    stage.free();
    const rows = this.#encoded;
    const batch = this.#engine.columns(Math.min(rows, capacity), encoder.specs, 'f64');
    const chunks = new Chunks(store, rows, batch);
    if (rows > capacity) return new Problem(this.#engine, batch, chunks, schema, this.rows);
    chunks.load(
      0,
      rows,
      batch.specs.map((_, j) => j),
    );
    return new Problem(this.#engine, batch, null, schema, this.rows);
  }
}
