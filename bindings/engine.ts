import { type Batch, index, type Precision, planeStride, type Vector } from './batch.ts';
import { BatchLikelihood, type BinomialTarget, type MultinomialTarget } from './batchLikelihood.ts';
import { type Crew, placeOf, solo } from './blocks.ts';
import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';
import { jsKernels } from './js/kernels.ts';
import type { Kernels } from './kernels.ts';
import type { Likelihood } from './likelihood.ts';
import { trainingModule } from './modules/training.ts';
import { checkOut, type EngineName, pick, ScoringEngine } from './scoring.ts';
import { SparseBatch, type SparseRows } from './sparse.ts';

const shapeOf = (batch: Batch) => ({ rows: batch.rows, slots: batch.slots, place: placeOf(batch) });

/** A scoring engine that also has the kernels of training. */
export class Engine extends ScoringEngine {
  readonly #kernels: Kernels;
  readonly #crew: Crew;

  /** @internal use `pickEngine` or `threadedEngine` */
  constructor(name: 'wasm' | 'js', why: string, kernels: Kernels, heap: Heap, crew: Crew = solo(kernels)) {
    super(name, why, kernels, heap);
    this.#kernels = kernels;
    this.#crew = crew;
  }

  /** threads that take part, this one included */
  get threads(): number {
    return this.#crew.threads;
  }

  /** A `sparse` batch from compressed sparse rows. @throws ERR_SHAPE, ERR_RANGE, ERR_MEMORY */
  sparse(data: SparseRows, columns: number, precision: Precision = 'f64'): SparseBatch {
    return new SparseBatch(this.heap, data, columns, precision);
  }

  /** The binomial likelihood of a batch of this engine; the batch must outlive it. @throws ERR_SHAPE, ERR_MEMORY, ERR_ENGINE */
  likelihood(batch: Batch, target: BinomialTarget): Likelihood {
    this.own('batch', batch);
    return new BatchLikelihood(this.#kernels, this.#crew, this.heap, shapeOf(batch), target, 1);
  }

  /**
   * The multinomial likelihood of a batch of this engine, every class with weights of its own; the batch must outlive it.
   * @throws ERR_RANGE for a class that is not 0 to classes − 1, ERR_SHAPE, ERR_MEMORY, ERR_ENGINE
   */
  multinomial(batch: Batch, target: MultinomialTarget): Likelihood {
    this.own('batch', batch);
    const { y, classes, weight } = target;
    if (!(Number.isInteger(classes) && classes >= 2)) {
      throw new LogoddsError('ERR_RANGE', `classes: expected a whole number of at least 2, got ${classes}`);
    }
    for (let i = 0; i < y.length; i++) {
      if (!(Number.isInteger(y[i]) && y[i] >= 0 && y[i] < classes)) {
        throw new LogoddsError('ERR_RANGE', `y: expected classes from 0 to ${classes - 1}, got ${y[i]} at row ${i}`);
      }
    }
    return new BatchLikelihood(this.#kernels, this.#crew, this.heap, shapeOf(batch), { y, weight }, classes);
  }

  /**
   * Softmax of the logits of k classes, in place: z[j · planeStride(rows) + i] becomes the probability of class j of row i.
   * @param z  as `logits` wrote it for k weight vectors
   * @throws ERR_SHAPE, ERR_RANGE, ERR_ENGINE
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

  /** out[i] = exp(z[i]); `out` may be `z`. @param count  how many, from the start @throws ERR_SHAPE, ERR_RANGE, ERR_ENGINE */
  exp(z: Vector, out: Vector, count: number = z.length): void {
    this.elementwise(z, out, count, this.#kernels.expF32, this.#kernels.expF64);
  }

  /** out[i] = log(1 + exp(z[i])), accurate in both tails. @see exp */
  softplus(z: Vector, out: Vector, count: number = z.length): void {
    this.elementwise(z, out, count, this.#kernels.softplusF32, this.#kernels.softplusF64);
  }
}

/**
 * A new engine for scoring and training, with a memory of its own.
 * @param wanted  'auto' (WebAssembly SIMD where the host has it, else JavaScript), or the engine that must be taken
 * @throws ERR_ENGINE when 'wasm' is wanted and the host cannot run it
 */
export function pickEngine(wanted: EngineName = 'auto'): Engine {
  return pick({ module: trainingModule, js: jsKernels }, wanted, Engine);
}
