import {
  type Batch,
  type ColumnSpec,
  ColumnsBatch,
  type Precision,
  planeStride,
  RowsBatch,
  Vector,
  Weights,
} from './batch.ts';
import { BinomialLikelihood, type BinomialTarget } from './binomial.ts';
import { LogoddsError } from './errors.ts';
import { Heap, PlainMemory } from './heap.ts';
import { jsKernels } from './js/kernels.ts';
import type { Kernels } from './kernels.ts';
import type { Likelihood } from './likelihood.ts';
import { inlinedModule, instantiate } from './wasm.ts';

/**
 * One set of kernels over one linear memory. Both engines give the same bits; they differ in speed.
 * Every method is synchronous.
 */
export class Engine {
  readonly name: 'wasm' | 'js';
  /** why this engine: one sentence */
  readonly reason: string;
  readonly #kernels: Kernels;
  readonly #heap: Heap;

  /** @internal use `pickEngine` */
  constructor(name: 'wasm' | 'js', reason: string, kernels: Kernels, heap: Heap) {
    this.name = name;
    this.reason = reason;
    this.#kernels = kernels;
    this.#heap = heap;
  }

  /** bytes of linear memory in use by batches, vectors and weights that were not freed */
  get bytesInUse(): number {
    return this.#heap.bytesInUse;
  }

  /** A `rows` batch of zeros: rows × features, to be filled through `view` or `set`. @throws ERR_RANGE, ERR_MEMORY */
  rows(rows: number, features: number, precision: Precision = 'f64'): RowsBatch {
    return new RowsBatch(this.#heap, rows, features, precision);
  }

  /** A `columns` batch, to be filled through `numeric(j)` and `codes(j)`. @throws ERR_RANGE, ERR_MEMORY */
  columns(rows: number, specs: readonly ColumnSpec[], precision: Precision = 'f64'): ColumnsBatch {
    return new ColumnsBatch(this.#heap, rows, specs, precision);
  }

  /** `length` numbers in linear memory, not cleared. @throws ERR_RANGE, ERR_MEMORY */
  vector(length: number, precision: Precision = 'f64'): Vector {
    return new Vector(this.#heap, length, precision);
  }

  /** `count` weight vectors of zeros for batches of this layout, width and precision. @throws ERR_RANGE, ERR_MEMORY */
  weights(shape: Pick<Batch, 'layout' | 'slots' | 'precision'>, count = 1): Weights {
    return new Weights(this.#heap, shape, count);
  }

  /**
   * out[j · planeStride(rows) + i] = xᵢ·wⱼ + interceptⱼ for every row i and weight vector j, in one pass over the data.
   * @param out  (weights.count − 1) · planeStride(rows) + rows values of the batch's precision, or more
   * @throws ERR_SHAPE when layout, width, precision or length do not fit
   */
  logits(batch: Batch, weights: Weights, out: Vector): void {
    const { layout, slots, precision } = batch;
    if (weights.layout !== layout || weights.slots !== slots || weights.precision !== precision) {
      throw new LogoddsError(
        'ERR_SHAPE',
        `weights: expected ${slots} slots, ${layout}, ${precision} (as the batch), got ${weights.slots}, ${weights.layout}, ${weights.precision}`,
      );
    }
    checkOut(out, (weights.count - 1) * planeStride(batch.rows) + batch.rows, precision);
    batch.logits(this.#kernels, weights, out);
  }

  /**
   * out[i] = σ(z[i]) = 1/(1 + exp(−z[i])); `out` may be `z`.
   * @param count  how many, from the start; all of z unless given
   * @throws ERR_SHAPE
   */
  sigmoid(z: Vector, out: Vector, count: number = z.length): void {
    if (count > z.length) throw new LogoddsError('ERR_SHAPE', `count: expected at most ${z.length}, got ${count}`);
    checkOut(out, count, z.precision);
    const kernel = z.precision === 'f32' ? this.#kernels.sigmoidF32 : this.#kernels.sigmoidF64;
    kernel(z.address, count, out.address);
  }

  /** The binomial likelihood of a batch; the batch must outlive it. @throws ERR_SHAPE, ERR_MEMORY */
  likelihood(batch: Batch, target: BinomialTarget): Likelihood {
    return new BinomialLikelihood(this.#kernels, this.#heap, batch, target);
  }
}

function checkOut(out: Vector, length: number, precision: Precision): void {
  if (out.precision !== precision || out.length < length) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `out: expected at least ${length} ${precision} values, got ${out.length} ${out.precision}`,
    );
  }
}

/**
 * A new engine with a memory of its own: WebAssembly SIMD where the host has it, else JavaScript.
 * @param wanted  'auto', or the engine that must be taken
 * @throws ERR_ENGINE when 'wasm' is wanted and the host cannot run it
 */
export function pickEngine(wanted: 'auto' | 'wasm' | 'js' = 'auto'): Engine {
  if (wanted === 'js') return javascriptEngine('the JavaScript engine was asked for');
  try {
    return wasmEngine(inlinedModule());
  } catch (cause) {
    const why = `WebAssembly SIMD is not available here (${cause instanceof Error ? cause.message : cause})`;
    if (wanted === 'auto') return javascriptEngine(why);
    throw new LogoddsError('ERR_ENGINE', `engine: expected a host with WebAssembly SIMD; ${why}; use engine "auto"`, {
      cause,
    });
  }
}

function javascriptEngine(reason: string): Engine {
  const heap = new Heap(new PlainMemory(), 16);
  return new Engine('js', reason, jsKernels(heap), heap);
}

function wasmEngine(module: WebAssembly.Module): Engine {
  const { kernels, heap } = instantiate(module);
  return new Engine('wasm', 'WebAssembly SIMD is available', kernels, heap);
}
