import type { Batch } from './batch.ts';
import { BatchLikelihood, type BinomialTarget, type MultinomialTarget } from './batchLikelihood.ts';
import { type Crew, placeOf, solo } from './blocks.ts';
import { index, told } from './check.ts';
import type { ColumnSpec, ColumnsBatch } from './columnsBatch.ts';
import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';
import { jsKernels } from './js/kernels.ts';
import type { Kernels } from './kernels.ts';
import { type Precision, planeStride } from './layout.ts';
import { numbersTogether } from './lent.ts';
import type { Likelihood } from './likelihood.ts';
import { trainingModule } from './modules/training.ts';
import { OpenColumns } from './openColumns.ts';
import type { RowsBatch } from './rowsBatch.ts';
import { checkOut, type EngineName, pick, ScoringEngine } from './scoring.ts';
import { SparseBatch, type SparseRows } from './sparseBatch.ts';
import type { Vector } from './vector.ts';

const shapeOf = (batch: Batch) => ({ rows: batch.rows, slots: batch.slots, place: placeOf(batch) });

/**
 * An engine for scoring and training: kernels over a linear memory of its own. `pickEngine` makes one.
 *
 * Beyond the engine of `logodds/score` it has single precision (f32), column batches that the caller fills, sparse rows, and the sums that
 * training needs. Every method is synchronous. WebAssembly and JavaScript give the same bits.
 * @example
 * const engine = pickEngine();
 * const z = engine.vector(2);
 * z.view.set([0, 2]);
 * engine.sigmoid(z, z);
 * z.view; // [0.5, 0.8808]
 */
export class Engine extends ScoringEngine {
  readonly #kernels: Kernels;
  readonly #crew: Crew;

  /** @internal use `pickEngine` or `threadedEngine` */
  constructor(name: 'wasm' | 'js', why: string, kernels: Kernels, heap: Heap, crew: Crew = solo(kernels)) {
    super(name, why, kernels, heap);
    this.#kernels = kernels;
    this.#crew = crew;
    heap.precisions = ['f32', 'f64'];
  }

  /** Number of threads that compute, the calling thread included. */
  get threads(): number {
    return this.#crew.threads;
  }

  /**
   * Makes a `columns` batch of zeros. Fill it through `numeric(j)` and `codes(j)`.
   * @throws ERR_RANGE a number of rows or slots outside its domain; ERR_SHAPE a column of an unknown kind; ERR_MEMORY
   */
  columns<P extends Precision = 'f64'>(
    rows: number,
    specs: readonly ColumnSpec[],
    precision = 'f64' as P,
  ): ColumnsBatch<P> {
    return new OpenColumns(this.heap, rows, specs, precision);
  }

  /**
   * Copies compressed sparse rows into a `sparse` batch.
   * @param columns  number of columns; every `colIdx` is below it
   * @throws ERR_SHAPE arrays that do not fit together; ERR_RANGE an entry outside the columns; ERR_MEMORY
   */
  sparse(data: SparseRows, columns: number, precision: Precision = 'f64'): SparseBatch {
    return new SparseBatch(this.heap, data, columns, precision);
  }

  /**
   * Returns the binomial likelihood of the rows of a batch. **The batch must outlive it.** Free it when done.
   * @throws ERR_RANGE for y outside [0, 1], negative weights and numbers that are not finite; ERR_SHAPE; ERR_MEMORY; ERR_ENGINE for a batch of another engine
   */
  likelihood(batch: Batch, target: BinomialTarget): Likelihood {
    this.own('batch', batch, 'batch');
    // before anything of the caller is read, which may set the rows of the batch
    const shape = shapeOf(batch);
    const { rows } = shape;
    const { y, weight = null, offset = null } = target ?? {};
    const vectors = numbersTogether(this.heap, [
      ['y', y ?? undefined, rows, 0, 1],
      ['weight', weight, rows, 0],
      ['offset', offset, rows, -Number.MAX_VALUE],
    ]);
    return new BatchLikelihood(this.#kernels, this.#crew, batch, shape, vectors, 1);
  }

  /**
   * Returns the multinomial likelihood of the rows of a batch: every class has its own weights. **The batch must outlive it.** Free it when done.
   * @throws ERR_RANGE for a class outside 0 … classes − 1 and for negative weights; ERR_SHAPE; ERR_MEMORY; ERR_ENGINE for a batch of another engine
   */
  multinomial(batch: Batch, target: MultinomialTarget): Likelihood {
    this.own('batch', batch, 'batch');
    const shape = shapeOf(batch);
    const { rows } = shape;
    const { y, classes, weight = null } = target ?? {};
    if (!(Number.isInteger(classes) && classes >= 2)) {
      throw new LogoddsError('ERR_RANGE', `classes: expected a whole number of at least 2, got ${told(classes)}`);
    }
    const [given, s] = numbersTogether(this.heap, [
      ['y', y ?? undefined, rows],
      ['weight', weight, rows, 0],
    ]);
    // copied before they are looked at: a kernel takes them for places
    const codes = new Float64Array(given!);
    for (let i = 0; i < rows; i++) {
      if (!(Number.isInteger(codes[i]) && codes[i] >= 0 && codes[i] < classes)) {
        throw new LogoddsError(
          'ERR_RANGE',
          `y: expected classes from 0 to ${classes - 1}, got ${codes[i]} at row ${i}`,
        );
      }
    }
    return new BatchLikelihood(this.#kernels, this.#crew, batch, shape, [codes, s, null], classes);
  }

  /**
   * Turns the logits of k classes into probabilities. **Overwrites z.** z[j · planeStride(rows) + i] becomes the probability of class j in row i.
   * @param z  logits as `logits` writes them for k weight vectors
   * @throws ERR_SHAPE when z is too short; ERR_RANGE; ERR_ENGINE for a vector of another engine
   */
  softmax(z: Vector, rows: number, k: number): void {
    this.own('z', z);
    index('rows', rows, z.length);
    index('k', k, z.length);
    const plane = planeStride(rows);
    checkOut(z, k > 0 ? (k - 1) * plane + rows : 0, z.precision, 'z');
    const kernel = z.precision === 'f32' ? this.#kernels.softmaxF32 : this.#kernels.softmaxF64;
    if (k > 0) kernel(z.address, plane, k, rows);
  }

  /**
   * Returns the weighted mean and standard deviation of every feature of a `rows` batch.
   *
   *   mean = Σ sᵢxᵢ / Σ sᵢ,   deviation = √(Σ sᵢ(xᵢ − mean)² / Σ sᵢ)
   *
   * Distances are taken from the first row of positive weight. A feature with one value therefore has deviation 0 exactly.
   * @param weight  s, one for each row, not all 0; null: all 1
   * @throws ERR_SHAPE; ERR_RANGE for negative weights or weights that are all 0; ERR_MEMORY; ERR_ENGINE
   */
  moments(batch: RowsBatch, weight: Float64Array | null): { mean: Float64Array; deviation: Float64Array } {
    this.#ownRows(batch);
    const { rows, slots, stride } = batch;
    const [lent] = numbersTogether(this.heap, [['weight', weight ?? null, rows, 0]]);
    const given = lent && new Float64Array(lent);
    // a getter of the weights may have freed it
    this.#ownRows(batch);
    const total = given ? given.reduce((sum, value) => sum + value, 0) : rows;
    const first = given ? given.findIndex((s) => s > 0) : 0;
    if (!(total > 0)) throw new LogoddsError('ERR_RANGE', 'weight: expected a row of positive weight, got none');
    const vectors = this.vector(3 * stride + (given ? rows : 0));
    try {
      if (given) vectors.view.set(given, 3 * stride);
      const { view } = vectors;
      for (let j = 0; j < slots; j++) view[j] = batch.view[first * stride + j];
      const kernel = this.#kernels[batch.precision === 'f32' ? 'momentsRowsF32' : 'momentsRowsF64'];
      const s = given ? vectors.address + 3 * stride * 8 : 0;
      kernel(batch.address, stride, rows, s, vectors.address, vectors.address + stride * 8);
      const mean = new Float64Array(slots);
      const deviation = new Float64Array(slots);
      for (let j = 0; j < slots; j++) {
        const shift = view[stride + j] / total;
        mean[j] = view[j] + shift;
        deviation[j] = Math.sqrt(Math.max(0, view[2 * stride + j] / total - shift ** 2));
      }
      return { mean, deviation };
    } finally {
      vectors.free();
    }
  }

  /**
   * Shifts and scales every row of a `rows` batch: x ← (x − shift)·factor. **Overwrites the batch.**
   * @param shift   one number for each feature
   * @param factor  one number for each feature
   * @throws ERR_SHAPE lengths that do not fit; ERR_MEMORY; ERR_ENGINE
   */
  scale(batch: RowsBatch, shift: Float64Array, factor: Float64Array): void {
    this.#ownRows(batch);
    const { rows, slots, stride } = batch;
    const [shifts, factors] = numbersTogether(this.heap, [
      ['shift', shift ?? undefined, slots],
      ['factor', factor ?? undefined, slots],
    ]);
    // a getter of theirs may have freed it
    this.#ownRows(batch);
    const vectors = this.vector(2 * stride);
    vectors.view.set(shifts!);
    vectors.view.set(factors!, stride);
    const kernel = this.#kernels[batch.precision === 'f32' ? 'scaleRowsF32' : 'scaleRowsF64'];
    kernel(batch.address, stride, rows, vectors.address, vectors.address + stride * 8);
    vectors.free();
  }

  #ownRows(batch: RowsBatch): void {
    this.own('batch', batch, 'batch');
    if (batch.layout === 'rows') return;
    throw new LogoddsError('ERR_SHAPE', `batch: expected layout rows, got ${told((batch as Batch).layout)}`);
  }

  /**
   * Writes out[i] = exp(z[i]). `out` may be `z`.
   * @param count  number of values, from the start; default all of z
   * @throws ERR_SHAPE when `out` does not fit; ERR_RANGE when z has fewer values; ERR_ENGINE
   */
  exp(z: Vector, out: Vector, count?: number): void {
    this.elementwise(z, out, count, this.#kernels.expF32, this.#kernels.expF64);
  }

  /**
   * Writes out[i] = log(1 + exp(z[i])), accurate in both tails. `out` may be `z`.
   * @param count  number of values, from the start; default all of z
   * @throws as `exp`
   */
  softplus(z: Vector, out: Vector, count?: number): void {
    this.elementwise(z, out, count, this.#kernels.softplusF32, this.#kernels.softplusF64);
  }
}

/** @throws ERR_ENGINE unless it is one that trains @internal */
export function engineOf(engine: Engine): Engine {
  if (typeof engine?.likelihood === 'function') return engine;
  throw new LogoddsError(
    'ERR_ENGINE',
    `engine: expected one with training, got ${typeof engine === 'object' ? 'another' : told(engine)}; take pickEngine()`,
  );
}

/**
 * Returns a new engine for scoring and training, with a memory of its own.
 * @param wanted  `auto` (default): WebAssembly SIMD where the host has it, else JavaScript. `wasm`, `js`: that engine and no other.
 * @throws ERR_ENGINE when `wasm` is wanted and the host cannot run it
 * @example
 * const engine = pickEngine('js');
 * engine.name; // 'js'
 * model.scorer(engine).score(table).rows; // 30
 */
export function pickEngine(wanted: EngineName = 'auto'): Engine {
  return pick({ module: trainingModule, js: jsKernels }, wanted, Engine);
}
