import type { Batch } from './batch.ts';
import {
  type BatchPlace,
  hessian,
  hessianVector,
  logits,
  lossGradient,
  type RowData,
  scratchLength,
} from './blocks.ts';
import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';
import type { Kernels } from './kernels.ts';
import type { BinaryLikelihood } from './likelihood.ts';

/**
 * Rows whose sums are formed on their own before they are added, in order, to the total: the unit in which a reduction
 * may be handed to another thread without changing a bit of the result.
 */
export const REDUCTION_BLOCK = 65536;

/** y in [0, 1], one a row, with optional sample weights and offsets. */
export interface BinomialTarget {
  readonly y: ArrayLike<number>;
  /** sample weights s >= 0; absent: ones */
  readonly weight?: ArrayLike<number> | null;
  /** added to the logit; absent: zeros */
  readonly offset?: ArrayLike<number> | null;
}

/** Class of each row, 0 to classes − 1, with optional sample weights. */
export interface MultinomialTarget {
  readonly y: ArrayLike<number>;
  readonly classes: number;
  readonly weight?: ArrayLike<number> | null;
}

/**
 * The likelihood of a batch on one engine: sums over its rows, block by block, blocks added in order. One class is the
 * binomial likelihood, more are the multinomial one. It owns the memory of the target and of its working space, not the
 * batch. @see Likelihood
 */
export class BatchLikelihood implements BinaryLikelihood {
  readonly rows: number;
  readonly parameters: number;
  readonly totalWeight: number;
  /** slots of the batch as callers count them, without padding */
  readonly #slots: number;
  readonly #classes: number;
  readonly #kernels: Kernels;
  readonly #heap: Heap;
  readonly #place: BatchPlace;
  readonly #data: RowData;
  readonly #blocks: number[] = [];
  readonly #operand: number;
  readonly #total: number;
  readonly #partial: number;
  readonly #scratch: number;
  #hessian = 0;

  constructor(kernels: Kernels, heap: Heap, batch: Batch, vectors: BinomialTarget, classes: number) {
    const { rows, slots } = batch;
    this.#kernels = kernels;
    this.#heap = heap;
    this.#place = batch.place;
    this.rows = rows;
    this.#slots = slots;
    this.#classes = classes;
    this.parameters = classes * (slots + 1);
    for (const [name, values] of Object.entries(vectors) as [string, ArrayLike<number> | null | undefined][]) {
      if (values && values.length !== rows) {
        throw new LogoddsError(
          'ERR_SHAPE',
          `${name}: expected ${rows} values (rows of the batch), got ${values.length}`,
        );
      }
    }
    const length = classes * (this.#place.slots + 1);
    // planes of whole vectors
    const plane = rows + (rows & 1);
    try {
      this.#data = {
        y: this.#copy(vectors.y, 'the target'),
        s: vectors.weight ? this.#copy(vectors.weight, 'sample weights') : 0,
        offset: vectors.offset ? this.#copy(vectors.offset, 'offsets') : 0,
        curvature: this.#allocate(classes * plane, 'the curvature of every row'),
        classes,
        plane,
      };
      this.#operand = this.#allocate(length, 'parameters');
      this.#total = this.#allocate(length, 'a gradient');
      this.#partial = this.#allocate(length, 'a gradient');
      this.#scratch = this.#allocate(scratchLength(this.#place, classes), 'working space');
    } catch (error) {
      this.free();
      throw error;
    }
    let total = rows;
    if (vectors.weight) {
      total = 0;
      for (let i = 0; i < rows; i++) total += vectors.weight[i];
    }
    this.totalWeight = total;
  }

  loss(params: Float64Array): number {
    this.#load(params);
    let loss = 0;
    this.#eachBlock((first, n) => {
      loss += lossGradient(this.#kernels, this.#place, this.#data, first, n, this.#operand, 0, this.#scratch);
    });
    return loss;
  }

  lossGradient(params: Float64Array, gradient: Float64Array): number {
    this.#load(params);
    let loss = 0;
    this.#sum(gradient, (first, n, partial) => {
      loss += lossGradient(this.#kernels, this.#place, this.#data, first, n, this.#operand, partial, this.#scratch);
    });
    return loss;
  }

  hessianVector(v: Float64Array, out: Float64Array): void {
    this.#load(v);
    this.#sum(out, (first, n, partial) =>
      hessianVector(this.#kernels, this.#place, this.#data, first, n, this.#operand, partial, this.#scratch),
    );
  }

  hessian(out: Float64Array): void {
    const width = this.#place.slots + 1;
    // rows of whole vectors
    const ld = width + (width & 1);
    const length = width * ld;
    if (!this.#hessian) this.#hessian = this.#allocate(2 * length, `two Hessians of ${width} × ${width}`);
    const total = this.#hessian;
    const partial = total + length * 8;
    this.#clear(total, length);
    this.#eachBlock((first, n) => {
      this.#clear(partial, length);
      hessian(this.#kernels, this.#place, this.#data, first, n, partial, ld, this.#scratch);
      this.#kernels.addF64(partial, length, total);
    });
    const f64 = this.#heap.f64;
    const p = this.#slots + 1;
    // the intercept is last in `out` and at width - 1 in memory; padded slots are dropped
    const at = (i: number) => (i === p - 1 ? width - 1 : i);
    for (let a = 0; a < p; a++) {
      const row = (total >>> 3) + at(a) * ld;
      for (let b = 0; b <= a; b++) {
        const value = f64[row + at(b)];
        out[a * p + b] = value;
        out[b * p + a] = value;
      }
    }
  }

  logits(params: Float64Array, out: Float64Array): void {
    this.#load(params);
    const z = this.#heap.allocate((this.rows + (this.rows & 1)) * 8, 'logits');
    try {
      logits(this.#kernels, this.#place, 0, this.rows, this.#operand, 1, z, this.rows);
      if (this.#data.offset) this.#kernels.addF64(this.#data.offset, this.rows, z);
      out.set(this.#heap.f64.subarray(z >>> 3, (z >>> 3) + this.rows));
    } finally {
      this.#heap.release(z);
    }
  }

  free(): void {
    for (const address of this.#blocks) this.#heap.release(address);
    this.#blocks.length = 0;
  }

  #eachBlock(work: (first: number, n: number) => void): void {
    for (let first = 0; first < this.rows; first += REDUCTION_BLOCK) {
      work(first, Math.min(REDUCTION_BLOCK, this.rows - first));
    }
  }

  /** adds up vectors of the parameters' shape, block by block */
  #sum(out: Float64Array, work: (first: number, n: number, partial: number) => void): void {
    const length = this.#classes * (this.#place.slots + 1);
    this.#clear(this.#total, length);
    this.#eachBlock((first, n) => {
      this.#clear(this.#partial, length);
      work(first, n, this.#partial);
      this.#kernels.addF64(this.#partial, length, this.#total);
    });
    const f64 = this.#heap.f64;
    const slots = this.#slots;
    for (let j = 0; j < this.#classes; j++) {
      const from = (this.#total >>> 3) + j * (this.#place.slots + 1);
      const to = j * (slots + 1);
      out.set(f64.subarray(from, from + slots), to);
      out[to + slots] = f64[from + this.#place.slots];
    }
  }

  #clear(address: number, length: number): void {
    this.#heap.f64.fill(0, address >>> 3, (address >>> 3) + length);
  }

  #allocate(length: number, what: string): number {
    // padded: vector kernels touch the whole last vector
    const address = this.#heap.allocate((length + (length & 1)) * 8, what);
    this.#blocks.push(address);
    return address;
  }

  #copy(values: ArrayLike<number>, what: string): number {
    const address = this.#allocate(values.length, what);
    this.#heap.f64.set(values, address >>> 3);
    return address;
  }

  /** parameters into memory: the slots of every class, padded, then the intercepts */
  #load(params: Float64Array): void {
    if (params.length !== this.parameters) {
      throw new LogoddsError('ERR_SHAPE', `parameters: expected ${this.parameters} values, got ${params.length}`);
    }
    const slots = this.#slots;
    const classes = this.#classes;
    const f64 = this.#heap.f64;
    const at = this.#operand >>> 3;
    const padded = this.#place.slots;
    for (let j = 0; j < classes; j++) {
      const from = j * (slots + 1);
      f64.set(params.subarray(from, from + slots), at + j * padded);
      f64.fill(0, at + j * padded + slots, at + (j + 1) * padded);
      f64[at + classes * padded + j] = params[from + slots];
    }
  }
}
