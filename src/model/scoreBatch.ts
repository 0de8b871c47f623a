import type { ColumnSpec, ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { type Engine, engineOf } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { Handle, refuseFreed } from '../../bindings/handle.ts';
import { type NumbersOf, type Precision, planeStride } from '../../bindings/layout.ts';
import { type Lent, numbersTogether } from '../../bindings/lent.ts';
import type { RowsBatch } from '../../bindings/rowsBatch.ts';
import type { Vector } from '../../bindings/vector.ts';
import { lostLogit } from '../encode/lostLogit.ts';
import type { Model } from './model.ts';
import type { Scores } from './scores.ts';
import { needsOutcomes } from './stages.ts';

/**
 * Scores a batch in linear memory, through calibration and decision. It gives the bits of a table with the same cells.
 *
 * Make the batch with `engine.columns(rows, model.encoder.specs)`: numbers as they are, categories as the codes of their slots. Where all
 * features are numbers, `engine.rows(rows, model.encoder.slots)` works as well.
 * @param engine  the engine of the batch
 * @param given   offsets, one for each row; required if and only if the model has an offset
 * @returns as `scoreTable`; no row counts as defaulted or out of range
 * @throws ERR_SHAPE a batch with other columns, or another number of offsets; ERR_RECORD a row whose logit is not a number
 * @example
 * const batch = engine.columns(2, model.encoder.specs);
 * batch.numeric(0).set([300, 1200]);
 * batch.codes(1).set([0, 1]);
 * scoreBatch(model, engine, batch).probabilities; // [0.0477, 0.9114]
 */
export function scoreBatch<P extends Precision>(
  model: Model,
  engine: Engine,
  batch: ColumnsBatch<P> | RowsBatch<P>,
  given?: ArrayLike<number>,
): Scores<P> {
  const { manifest, encoder, intercept, weights, stages } = model;
  const { offset, classes, positive, decision } = manifest;
  checkOwn(engineOf(engine), batch);
  checkColumns(model, batch);
  const { rows, precision } = batch;
  if ((offset === null) !== (given === undefined)) {
    const [expected, got] = offset === null ? ['none', 'some'] : [`one a row (${offset})`, 'none'];
    throw new LogoddsError(
      'ERR_SHAPE',
      `offsets: expected ${expected}, got ${got}; the model says whether it has an offset`,
    );
  }
  const lent: Lent = ['offsets', given, rows, -Number.MAX_VALUE, Number.MAX_VALUE];
  const [offsets] = given === undefined ? [null] : numbersTogether(engine.heap, [lent]);
  const vectors = intercept.length;
  const { slots } = encoder;
  const parameters = Array.from(intercept, (b, k) => {
    const one = new Float64Array(slots + 1).fill(b);
    one.set(weights.subarray(k * slots, (k + 1) * slots));
    return one;
  });
  if (precision === 'f32') checkNarrow(model, parameters);
  const plane = planeStride(rows);
  const z = engine.vector(vectors * plane, precision);
  try {
    if (batch.layout === 'columns') logitsOf(engine, batch, parameters, z);
    else logitsOfRows(engine, encoder.specs, batch, parameters, z);
    const { view } = z;
    if (offsets) for (let i = 0; i < rows; i++) view[i] += offsets[i];
    const planes = () => {
      const out = new (precision === 'f32' ? Float32Array : Float64Array)(vectors * rows);
      for (let k = 0; k < vectors; k++) out.set(view.subarray(k * plane, k * plane + rows), k * rows);
      return out;
    };
    const logits = planes();
    const labels = new Uint32Array(rows);
    const review = decision.abstain ? new Uint8Array(rows) : null;
    if (needsOutcomes(manifest)) stages.outcomes!.finish(manifest, view, plane, rows, labels, review, engine, z);
    else {
      const one = classes.indexOf(positive!);
      engine.sigmoid(z, z, rows);
      for (let i = 0; i < rows; i++) labels[i] = view[i] > decision.threshold ? one : 1 - one;
    }
    const lost = view.subarray(0, rows).findIndex(Number.isNaN);
    if (lost >= 0) throw lostLogit(model, lost, (j) => cellOf(batch, j, lost));
    const none = () => new Float64Array(rows);
    const probabilities = planes() as NumbersOf<P>;
    return {
      rows,
      logits: logits as NumbersOf<P>,
      probabilities,
      labels,
      defaulted: none(),
      outOfRange: none(),
      review,
    };
  } finally {
    z.free();
  }
}

/** Logits of columns, a plane for each weight vector. */
function logitsOf(engine: Engine, batch: ColumnsBatch, parameters: readonly Float64Array[], out: Vector): void {
  const weights = engine.weights(batch, parameters.length);
  try {
    parameters.forEach((one, k) => {
      weights.set(k, one);
    });
    engine.logits(batch, weights, out);
  } finally {
    weights.free();
  }
}

/** Rows that are turned into columns at a time. */
const PART = 8192;

/** Logits of rows, summed in the order of columns as those of a table: parts of them are turned into columns. */
function logitsOfRows(
  engine: Engine,
  specs: readonly ColumnSpec[],
  batch: RowsBatch,
  parameters: readonly Float64Array[],
  out: Vector,
): void {
  const { rows, precision, stride } = batch;
  const plane = planeStride(rows);
  const columns = engine.columns(Math.min(rows, PART), specs, precision);
  try {
    const some = engine.vector(parameters.length * planeStride(columns.rows), precision);
    try {
      for (let start = 0; start < rows; start += PART) {
        const count = Math.min(PART, rows - start);
        columns.setRows(count);
        const { view } = batch;
        for (let j = 0; j < specs.length; j++) {
          const cells = columns.numeric(j);
          for (let i = 0; i < count; i++) cells[i] = view[(start + i) * stride + j];
        }
        logitsOf(engine, columns, parameters, some);
        const own = planeStride(count);
        parameters.forEach((_, k) => {
          out.view.set(some.view.subarray(k * own, k * own + count), k * plane + start);
        });
      }
    } finally {
      some.free();
    }
  } finally {
    columns.free();
  }
}

/** @throws ERR_RANGE where f32 cells as they are would lose the logit */
function checkNarrow({ encoder, stages }: Model, parameters: readonly Float64Array[]): void {
  const copies = parameters.map((one) => one.slice());
  if (!stages.f32!.standardize(encoder, copies)) return;
  throw new LogoddsError(
    'ERR_RANGE',
    'batch: expected "f64", got "f32", which loses the logits of numbers that are not standardised; make it in f64, or score the table',
  );
}

/** The number of column j in a row. */
const cellOf = (batch: ColumnsBatch | RowsBatch, j: number, row: number): number =>
  batch.layout === 'rows' ? batch.view[row * batch.stride + j] : batch.numeric(j)[row];

/** @throws ERR_ENGINE for a batch of another engine, one that was freed, and what is none */
function checkOwn({ heap }: Engine, batch: ColumnsBatch | RowsBatch): void {
  const where = Handle.heapOf(batch, 'batch');
  if (where === null) refuseFreed('batch');
  if (where !== heap) throw new LogoddsError('ERR_ENGINE', 'batch: expected one of this engine, got something else');
}

/** @throws ERR_SHAPE unless the columns are those of the encoder */
function checkColumns({ encoder: { specs, slots } }: Model, batch: ColumnsBatch | RowsBatch): void {
  const say = (expected: string, got: string): LogoddsError =>
    new LogoddsError('ERR_SHAPE', `batch: expected ${expected}, got ${got}; make it with model.encoder.specs`);
  if (batch?.layout === 'rows') {
    if (specs.some(({ kind }) => kind === 'coded')) throw say('columns (the model has categories)', 'rows');
    if (batch.slots !== slots) throw say(`${slots} columns`, String(batch.slots));
    return;
  }
  if (batch?.layout !== 'columns') throw say('a batch of columns or rows', 'something else');
  if (batch.specs.length !== specs.length) throw say(`${specs.length} columns`, String(batch.specs.length));
  specs.forEach(({ kind, slots: width = 0 }, j) => {
    const found = batch.specs[j];
    if (found.kind === kind && (found.slots ?? 0) === width) return;
    const word = (one: string, n: number) => (one === 'coded' ? `a category of ${n} slots` : 'a number');
    throw say(`${word(kind, width)} in column ${j}`, word(found.kind, found.slots ?? 0));
  });
}
