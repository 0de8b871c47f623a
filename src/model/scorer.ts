import type { Precision } from '../../bindings/batch.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { asNumeric, findColumns } from '../encode/columns.ts';
import { type Encoder, writeNumbers } from '../encode/encoder.ts';
import { sliceTable } from '../encode/split.ts';
import type { Table } from '../encode/table.ts';
import type { Manifest } from './manifest.ts';

/** How a scorer of tables computes. */
export interface ScorerOptions {
  /** "f64" (when absent) gives the bits of `Model.score`; "f32" rounds weights and cells and halves the memory read */
  readonly precision?: Precision;
  /** rows encoded and scored at a time; 8192 when absent, which stays in the caches. It bounds the memory, not the tables. */
  readonly capacity?: number;
}

/** Scores of one table. The arrays are valid until the next call of the scorer. */
export interface Scores {
  readonly rows: number;
  /** length rows, offset included */
  readonly logits: Float64Array | Float32Array;
  /** length rows, of the positive class */
  readonly probabilities: Float64Array | Float32Array;
  /** length rows, 1 = the label is the positive class (probability > threshold) */
  readonly positive: Uint8Array;
}

/** Scores tables on an engine, in parts of bounded size. */
export interface Scorer {
  /**
   * @param firstRow  number of the table's first row in the whole input, for error messages; 0 when absent
   * @throws as Encoder.encode, and for the offset column as for a numeric feature that must not be missing
   */
  score(table: Table, firstRow?: number): Scores;
  /** Gives the memory back to the engine; `score` must not be called afterwards. */
  free(): void;
}

/** The parts of a model that scoring reads. */
interface Scored {
  readonly manifest: Manifest;
  readonly encoder: Encoder;
  readonly weights: Float64Array;
  readonly intercept: number;
}

/** `Model.scorer`, as a function of the model. */
export function tableScorer(model: Scored, engine: ScoringEngine, options: ScorerOptions = {}): Scorer {
  const { precision = 'f64', capacity = 8192 } = options;
  if (!Number.isInteger(capacity) || capacity < 1) {
    throw new LogoddsError('ERR_RANGE', `capacity: expected an integer >= 1, got ${capacity}`);
  }
  const { encoder, manifest } = model;
  const { offset } = manifest;
  const { threshold } = manifest.decision;
  const batch = engine.columns(capacity, encoder.specs, precision);
  const weights = engine.weights(batch, 1);
  const parameters = new Float64Array(encoder.slots + 1);
  parameters.set(model.weights);
  parameters[encoder.slots] = model.intercept;
  weights.set(0, parameters);
  const z = engine.vector(capacity, precision);
  const p = engine.vector(capacity, precision);
  const Numbers = precision === 'f64' ? Float64Array : Float32Array;
  const offsets = new Float64Array(offset === null ? 0 : capacity);
  let logits = new Numbers(0);
  let probabilities = new Numbers(0);
  let positive = new Uint8Array(0);

  const score = (table: Table, firstRow = 0): Scores => {
    if (table.rows > positive.length) {
      logits = new Numbers(table.rows);
      probabilities = new Numbers(table.rows);
      positive = new Uint8Array(table.rows);
    }
    let start = 0;
    do {
      const part = sliceTable(table, start, Math.min(start + capacity, table.rows));
      const { rows } = part;
      batch.setRows(rows);
      encoder.encode(part, batch, { standardize: false, firstRow: firstRow + start });
      engine.logits(batch, weights, z);
      if (offset !== null) {
        const column = asNumeric(findColumns(part, [offset])[0], rows, firstRow + start);
        writeNumbers(column, rows, firstRow + start, offsets, null, Number.NaN);
        const { view } = z;
        for (let i = 0; i < rows; i++) view[i] += offsets[i];
      }
      engine.sigmoid(z, p, rows);
      const { view } = p;
      logits.set(z.view.subarray(0, rows), start);
      probabilities.set(view.subarray(0, rows), start);
      for (let i = 0; i < rows; i++) positive[start + i] = view[i] > threshold ? 1 : 0;
      start += rows;
    } while (start < table.rows);
    return {
      rows: table.rows,
      logits: logits.subarray(0, start),
      probabilities: probabilities.subarray(0, start),
      positive: positive.subarray(0, start),
    };
  };

  const free = (): void => {
    for (const part of [batch, weights, z, p]) part.free();
  };
  return { score, free };
}
