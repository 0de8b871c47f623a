import { precisionOf, size } from '../../bindings/check.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { type Handle, refuseFreed } from '../../bindings/handle.ts';
import { type Precision, planeStride } from '../../bindings/layout.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { missingStage } from '../encode/coder.ts';
import { asNumeric, findColumns } from '../encode/columns.ts';
import { type Encoder, writeNumbers } from '../encode/encoder.ts';
import { lostLogit } from '../encode/lostLogit.ts';
import { sliceTable } from '../encode/split.ts';
import type { Table } from '../encode/table.ts';
import type { Manifest } from './manifest.ts';
import type { Scores } from './scores.ts';
import type { OutcomeStage, Stages } from './stages.ts';

/** How a scorer of tables computes. */
export interface ScorerOptions<P extends Precision = Precision> {
  /**
   * `f64` (default) gives the bits of `Model.score`. `f32` rounds weights and cells, and halves the memory that is read. It needs an engine of `logodds`
   * and the stage `f32`, which models of `logodds` have. Where rounding raw cells would lose the logit (times in milliseconds) it rounds standardised
   * cells; where that would lose it too, ERR_RANGE names the feature.
   */
  readonly precision?: P;
  /**
   * number of rows encoded and scored at a time; default 8192, which stays in the caches. It bounds the memory, not the tables.
   */
  readonly capacity?: number;
  /**
   * true keeps memory of the engine and the arrays of the scores from call to call, for streams of tables. **The scores of a call are then valid until
   * the next call, and the scorer must be freed.** By default every call gives its memory back, and its scores belong to the caller.
   */
  readonly reuse?: boolean;
}

/** How `scoreTable` computes. */
export interface TableOptions<P extends Precision = Precision> extends Omit<ScorerOptions<P>, 'reuse'> {
  /** default the JavaScript engine, which gives the same bits */
  readonly engine?: ScoringEngine;
}

/** Scores tables on an engine, a bounded number of rows at a time. */
export interface Scorer<P extends Precision = Precision> {
  /**
   * Scores the rows of a table.
   * @param firstRow  number of the table's first row in the whole input, for error messages; default 0
   * @throws as `Encoder.encode`; the offset column is checked like a numeric feature that must not be missing
   */
  score(table: Table, firstRow?: number): Scores<P>;
  /**
   * Gives back the memory that `reuse` keeps; without `reuse` there is nothing to free. **Every later `score` throws ERR_ENGINE.**
   */
  free(): void;
  /** Calls `free`, at the end of a block that began with `using`. */
  [Symbol.dispose](): void;
}

/** The parts of a model that scoring reads. */
interface Scored {
  readonly manifest: Manifest;
  readonly encoder: Encoder;
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly stages: Stages;
}

/** `length` of the values, from `start` on: a view, unless these are all. */
const cut = <T extends Float64Array | Float32Array | Uint32Array | Uint8Array>(
  values: T,
  start: number,
  length: number,
): T => (length === values.length ? values : values.subarray(start, start + length)) as T;

/** `Model.scorer`, as a function of the model. */
export function tableScorer(
  model: Scored,
  outcomes: OutcomeStage | null,
  engine: ScoringEngine,
  options?: ScorerOptions,
): Scorer {
  const { precision = 'f64', capacity = 8192, reuse = false } = options ?? {};
  size('capacity', capacity, 1);
  if (typeof engine?.encoded !== 'function')
    throw new LogoddsError('ERR_ENGINE', 'scorer: expected an engine, got none; hand it pickEngine()');
  const { encoder, manifest } = model;
  const { offset, classes, decision } = manifest;
  const { threshold, abstain } = decision;
  const k = model.intercept.length;
  const positive = classes.indexOf(manifest.positive!);
  const { slots } = encoder;
  /** of each weight vector the weights, then the intercept */
  const parameters = Array.from(model.intercept, (b, j) => {
    const one = new Float64Array(slots + 1).fill(b);
    one.set(model.weights.subarray(j * slots, (j + 1) * slots));
    return one;
  });
  precisionOf(engine.heap, precision);
  const narrow = precision === 'f32';
  if (narrow && !model.stages.f32) throw missingStage('f32', 'for its precision');
  const standardize = narrow && model.stages.f32!.standardize(encoder, parameters);
  const Numbers = narrow ? Float32Array : Float64Array;

  /** What scores that many rows at a time, with room for the scores of `total`. */
  const open = (rows: number, total: number) => {
    const held: Handle[] = [];
    const free = (): void => {
      for (const part of held) part.free();
    };
    // what the end of the call frees need not be watched
    engine.heap.watching = reuse;
    try {
      const batch = engine.encoded(rows, encoder.specs, precision);
      held.push(batch);
      const weights = engine.weights(batch, k);
      held.push(weights);
      for (let j = 0; j < k; j++) weights.set(j, parameters[j]);
      const z = engine.vector(k * planeStride(rows), precision);
      held.push(z);
      const offsets = new Float64Array(offset === null ? 0 : rows);
      return { batch, weights, z, free, offsets, ...scores(total) };
    } catch (error) {
      free();
      throw error;
    } finally {
      engine.heap.watching = true;
    }
  };
  const scores = (rows: number) => ({
    logits: new Numbers(k * rows),
    probabilities: new Numbers(k * rows),
    labels: new Uint32Array(rows),
    defaulted: new Float64Array(rows),
    outOfRange: new Float64Array(rows),
    review: new Uint8Array(abstain ? rows : 0),
  });

  const sources = encoder.sources || 1;
  let freed = false;
  /** kept for the next call */
  let spare: ReturnType<typeof open> | null = null;

  const score = (table: Table, firstRow = 0): Scores => {
    if (freed) refuseFreed('scorer');
    const total = size('rows of the table', table?.rows);
    size('number of the first row', firstRow);
    const room = spare ?? open(reuse ? capacity : Math.max(1, Math.min(capacity, total)), total);
    // a getter of the table may score
    spare = null;
    try {
      if (total > room.labels.length) Object.assign(room, scores(total));
      return scoreIn(room, table, firstRow);
    } finally {
      if (!reuse || freed || spare) room.free();
      else spare = room;
    }
  };

  const scoreIn = (room: ReturnType<typeof open>, table: Table, firstRow: number): Scores => {
    const { batch, weights, z, offsets, logits, probabilities, labels, review } = room;
    const total = table.rows;
    let start = 0;
    do {
      const part = sliceTable(table, start, Math.min(start + capacity, total));
      const { rows } = part;
      const plane = planeStride(rows);
      batch.setRows(rows);
      const first = firstRow + start;
      const defaulted = cut(room.defaulted, start, rows);
      const outOfRange = cut(room.outOfRange, start, rows);
      let memory: unknown;
      do {
        // written to memory that a getter of the table has made grow, rows are lost
        memory = engine.heap.u8;
        defaulted.fill(0);
        outOfRange.fill(0);
        encoder.encode(part, batch, { standardize, firstRow: first, defaulted, outOfRange });
        if (offset !== null) {
          const column = asNumeric(findColumns(part, [offset], first)[0], rows, first);
          writeNumbers(column, rows, first, offsets, null, Number.NaN);
        }
      } while (engine.heap.u8 !== memory);
      engine.logits(batch, weights, z);
      const { view } = z;
      if (offset !== null) for (let i = 0; i < rows; i++) view[i] += offsets[i];
      const keep = (to: Float64Array | Float32Array): void => {
        for (let j = 0; j < k; j++) to.set(cut(view, j * plane, rows), j * total + start);
      };
      keep(logits);
      const own = cut(labels, start, rows);
      if (outcomes)
        outcomes.finish(manifest, view, plane, rows, own, abstain ? cut(review, start, rows) : null, engine, z);
      else {
        engine.sigmoid(z, z, rows);
        for (let i = 0; i < rows; i++) own[i] = view[i] > threshold ? positive : 1 - positive;
      }
      // one logit that is NaN makes all probabilities of its row NaN, and NaN is above no threshold
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        sum += view[i];
        defaulted[i] /= sources;
        outOfRange[i] /= sources;
      }
      if (!(sum >= 0)) {
        const row = view.subarray(0, rows).findIndex(Number.isNaN);
        throw lostLogit(model, first + row, (j) => batch.numeric(j)[row]);
      }
      keep(probabilities);
      start += rows;
    } while (start < total);
    return {
      rows: total,
      logits: cut(logits, 0, k * total),
      probabilities: cut(probabilities, 0, k * total),
      labels: cut(labels, 0, total),
      defaulted: cut(room.defaulted, 0, total),
      outOfRange: cut(room.outOfRange, 0, total),
      review: abstain ? cut(review, 0, total) : null,
    };
  };

  const free = (): void => {
    freed = true;
    spare?.free();
    spare = null;
  };
  return { score, free, [Symbol.dispose ?? Symbol.for('Symbol.dispose')]: free } as Scorer;
}
