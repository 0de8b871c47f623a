import type { Batch, ColumnsBatch, RowsBatch } from './batch.ts';
import { LogoddsError } from './errors.ts';
import type { Heap } from './heap.ts';
import { COLUMNS_BLOCK, HESSIAN_BLOCK, type Kernels, PANEL } from './kernels.ts';
import type { Likelihood } from './likelihood.ts';

/**
 * Rows whose sums are formed on their own before they are added, in order, to the total: the unit in which a reduction
 * may be handed to another thread without changing a bit of the result.
 */
export const REDUCTION_BLOCK = 65536;

export interface BinomialTarget {
  /** y in [0, 1], one a row */
  readonly y: ArrayLike<number>;
  /** sample weights s >= 0, one a row; absent: ones */
  readonly weight?: ArrayLike<number> | null;
  /** added to the logit, one a row; absent: zeros */
  readonly offset?: ArrayLike<number> | null;
}

/** The likelihood of an encoded batch on one engine; it does not own the batch. @see Likelihood */
export class BinomialLikelihood implements Likelihood {
  readonly rows: number;
  readonly parameters: number;
  readonly totalWeight: number;
  readonly #kernels: Kernels;
  readonly #heap: Heap;
  readonly #pass: Pass;
  readonly #blocks: number[] = [];
  /** addresses; 0 = absent */
  readonly #y: number;
  readonly #weight: number;
  readonly #offset: number;
  readonly #curvature: number;
  readonly #params: number;
  readonly #gradient: number;
  readonly #partial: number;
  readonly #scratch: number;
  #hessian = 0;
  /** length of a parameter vector in memory: slots padded to the stride, then the intercept */
  readonly #width: number;

  constructor(kernels: Kernels, heap: Heap, batch: Batch, target: BinomialTarget) {
    const { rows } = batch;
    this.#kernels = kernels;
    this.#heap = heap;
    this.rows = rows;
    this.parameters = batch.slots + 1;
    this.#pass = batch.layout === 'rows' ? rowsPass(kernels, batch) : columnsPass(kernels, batch);
    this.#width = this.#pass.width;
    for (const [name, values] of Object.entries(target) as [string, ArrayLike<number> | null | undefined][]) {
      if (values && values.length !== rows) {
        throw new LogoddsError(
          'ERR_SHAPE',
          `${name}: expected ${rows} values (rows of the batch), got ${values.length}`,
        );
      }
    }
    try {
      this.#y = this.#copy(target.y, 'the target');
      this.#weight = target.weight ? this.#copy(target.weight, 'sample weights') : 0;
      this.#offset = target.offset ? this.#copy(target.offset, 'offsets') : 0;
      this.#curvature = this.#allocate(rows, 'the curvature of every row');
      this.#params = this.#allocate(this.#width, 'parameters');
      this.#gradient = this.#allocate(this.#width, 'a gradient');
      this.#partial = this.#allocate(this.#width, 'a gradient');
      this.#scratch = this.#allocate(this.#pass.scratch, 'working space');
    } catch (error) {
      this.free();
      throw error;
    }
    let total = rows;
    if (target.weight) {
      total = 0;
      for (let i = 0; i < rows; i++) total += target.weight[i];
    }
    this.totalWeight = total;
  }

  loss(params: Float64Array): number {
    this.#load(params);
    let loss = 0;
    for (let first = 0; first < this.rows; first += REDUCTION_BLOCK) loss += this.#block(first, 0, 0);
    return loss;
  }

  lossGradient(params: Float64Array, gradient: Float64Array): number {
    this.#load(params);
    const at = this.#gradient >>> 3;
    const width = this.#width;
    this.#heap.f64.fill(0, at, at + width);
    let loss = 0;
    for (let first = 0; first < this.rows; first += REDUCTION_BLOCK) {
      const partial = this.#partial >>> 3;
      this.#heap.f64.fill(0, partial, partial + width);
      loss += this.#block(first, this.#partial, this.#curvature);
      this.#kernels.addF64(this.#partial, width, this.#gradient);
    }
    this.#unload(gradient);
    return loss;
  }

  hessian(out: Float64Array): void {
    const width = this.#width;
    // rows padded to whole vectors
    const ld = width + (width & 1);
    const length = width * ld;
    if (!this.#hessian) this.#hessian = this.#allocate(2 * length, `two Hessians of ${width} × ${width}`);
    const total = this.#hessian;
    const partial = total + length * 8;
    this.#heap.f64.fill(0, total >>> 3, (total >>> 3) + length);
    for (let first = 0; first < this.rows; first += REDUCTION_BLOCK) {
      const n = Math.min(REDUCTION_BLOCK, this.rows - first);
      this.#heap.f64.fill(0, partial >>> 3, (partial >>> 3) + length);
      this.#pass.hessian(first, n, this.#curvature, partial, ld, this.#scratch);
      this.#kernels.addF64(partial, length, total);
    }
    const f64 = this.#heap.f64;
    const p = this.parameters;
    // the intercept is last in `out` and at width - 1 in memory; padded slots are dropped
    const place = (i: number) => (i === p - 1 ? width - 1 : i);
    for (let a = 0; a < p; a++) {
      const row = (total >>> 3) + place(a) * ld;
      for (let b = 0; b <= a; b++) {
        const value = f64[row + place(b)];
        out[a * p + b] = value;
        out[b * p + a] = value;
      }
    }
  }

  logits(params: Float64Array, out: Float64Array): void {
    this.#load(params);
    const bytes = (this.rows + (this.rows & 1)) * 8;
    const z = this.#heap.allocate(bytes, 'logits');
    try {
      this.#pass.logits(this.#params, this.#offset, this.#y, z);
      out.set(this.#heap.f64.subarray(z >>> 3, (z >>> 3) + this.rows));
    } finally {
      this.#heap.release(z);
    }
  }

  free(): void {
    for (const address of this.#blocks) this.#heap.release(address);
    this.#blocks.length = 0;
  }

  #block(first: number, gradient: number, curvature: number): number {
    const n = Math.min(REDUCTION_BLOCK, this.rows - first);
    return this.#pass.lossGradient(
      first,
      n,
      this.#params,
      this.#offset,
      this.#y,
      this.#weight,
      gradient,
      curvature,
      this.#scratch,
    );
  }

  #allocate(length: number, what: string): number {
    // an odd length is padded: vector kernels touch the whole last vector
    const address = this.#heap.allocate((length + (length & 1)) * 8, what);
    this.#blocks.push(address);
    return address;
  }

  #copy(values: ArrayLike<number>, what: string): number {
    const address = this.#allocate(values.length, what);
    this.#heap.f64.set(values, address >>> 3);
    return address;
  }

  #load(params: Float64Array): void {
    if (params.length !== this.parameters) {
      throw new LogoddsError('ERR_SHAPE', `parameters: expected ${this.parameters} values, got ${params.length}`);
    }
    const f64 = this.#heap.f64;
    const at = this.#params >>> 3;
    f64.fill(0, at, at + this.#width);
    f64.set(params.subarray(0, this.parameters - 1), at);
    f64[at + this.#width - 1] = params[this.parameters - 1];
  }

  #unload(gradient: Float64Array): void {
    const f64 = this.#heap.f64;
    const at = this.#gradient >>> 3;
    const slots = this.parameters - 1;
    gradient.set(f64.subarray(at, at + slots));
    gradient[slots] = f64[at + this.#width - 1];
  }
}

/** The training kernels of a layout, with row numbers instead of addresses. */
interface Pass {
  /** values of a parameter vector: padded slots and the intercept */
  readonly width: number;
  /** working space in f64 values */
  readonly scratch: number;
  lossGradient(
    first: number,
    n: number,
    w: number,
    offset: number,
    y: number,
    s: number,
    g: number,
    curvature: number,
    scratch: number,
  ): number;
  hessian(first: number, n: number, c: number, h: number, ld: number, scratch: number): void;
  logits(w: number, offset: number, y: number, z: number): void;
}

function rowsPass(kernels: Kernels, batch: RowsBatch): Pass {
  const { address, stride, precision, rows } = batch;
  const wide = precision === 'f64';
  const lossGradient = wide ? kernels.lossGradientRowsF64 : kernels.lossGradientRowsF32;
  const hessian = wide ? kernels.hessianRowsF64 : kernels.hessianRowsF32;
  const rowBytes = stride * (wide ? 8 : 4);
  const at = (base: number, first: number) => (base ? base + first * 8 : 0);
  return {
    width: stride + 1,
    scratch: Math.max(REDUCTION_BLOCK, 2 * PANEL * stride),
    lossGradient: (first, n, w, offset, y, s, g, curvature, scratch) =>
      lossGradient(
        address + first * rowBytes,
        stride,
        n,
        w,
        at(offset, first),
        at(y, first),
        at(s, first),
        g,
        at(curvature, first),
        scratch,
      ),
    hessian: (first, n, c, h, ld, scratch) =>
      hessian(address + first * rowBytes, stride, n, at(c, first), h, ld, scratch),
    // without a gradient the kernel leaves the logits in z
    logits: (w, offset, y, z) => lossGradient(address, stride, rows, w, offset, y, 0, 0, 0, z),
  };
}

function columnsPass(kernels: Kernels, batch: ColumnsBatch): Pass {
  const { table, slots, rows } = batch;
  const columns = batch.specs.length;
  return {
    width: slots + 1,
    scratch: Math.max(COLUMNS_BLOCK, 1.5 * HESSIAN_BLOCK),
    lossGradient: (first, n, w, offset, y, s, g, curvature, scratch) =>
      kernels.lossGradientColumns(table, columns, first, n, w, slots, offset, y, s, g, curvature, scratch),
    hessian: (first, n, c, h, ld, scratch) =>
      kernels.hessianColumns(table, columns, first, n, c, h, slots, ld, scratch),
    logits(w, offset, _y, z) {
      kernels.logitsColumnsF64(table, columns, 0, rows, w, slots, w + slots * 8, 1, z, rows);
      if (offset) kernels.addF64(offset, rows, z);
    },
  };
}
