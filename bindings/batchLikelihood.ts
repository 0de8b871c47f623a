import type { Batch } from './batch.ts';
import {
  blockRows,
  type Crew,
  decode,
  decodedIn,
  decodedLength,
  logits,
  REDUCTION_BLOCK,
  type Reduction,
  type RowData,
  reductionRows,
  scratchLength,
  transpose,
} from './blocks.ts';
import { index, size, told } from './check.ts';
import { LogoddsError } from './errors.ts';
import { Handle } from './handle.ts';
import type { Kernels } from './kernels.ts';
import { type BatchPlace, planeStride } from './layout.ts';
import { numbersOf, ofTyped } from './lent.ts';
import type { Likelihood, LikelihoodPoint } from './likelihood.ts';
import { sampleRows, spreadRows } from './sample.ts';
import { type Shape, select } from './select.ts';

/** The outcomes of two classes: a share y in [0, 1] for each row, with optional weights and offsets. */
export interface BinomialTarget {
  readonly y: ArrayLike<number>;
  /** sample weights s ≥ 0; default all 1 */
  readonly weight?: ArrayLike<number> | null;
  /** added to the logit; default all 0 */
  readonly offset?: ArrayLike<number> | null;
}

/** The class of each row, 0 to classes − 1, with optional weights. */
export interface MultinomialTarget {
  readonly y: ArrayLike<number>;
  readonly classes: number;
  /** sample weights s ≥ 0; default all 1 */
  readonly weight?: ArrayLike<number> | null;
}

/**
 * The likelihood of a batch on one engine: sums over its rows, block by block, blocks added in order. One class means the
 * binomial likelihood, more classes the multinomial one. It owns the memory of the target and of its working space. It does
 * not own the batch, and refuses once the batch is freed. @see Likelihood
 */
export class BatchLikelihood extends Handle implements Likelihood {
  readonly rows: number;
  readonly classes: number;
  readonly parameters: number;
  readonly totalWeight: number;
  /** slots of the batch without padding */
  readonly #slots: number;
  readonly #kernels: Kernels;
  readonly #crew: Crew;
  readonly #batch: Batch;
  readonly #shape: Shape;
  readonly #place: BatchPlace;
  /** the curvature of two classes is allocated at the first evaluation: a sample that comes before it may have the memory until then */
  #data: RowData;
  /** whether each evaluation writes a curvature of two classes: where not, a Hessian computes it again, block by block */
  readonly #keeps: boolean;
  /** number of block results in memory: one for a single thread, else two for each thread, so that no thread waits */
  readonly #window: number;
  readonly #operand: number;
  /** a gradient, followed by those of the blocks in progress */
  readonly #total: number;
  readonly #scratch: number;
  /** the same for Hessians, allocated at the first use */
  #hessian = 0;
  /** a factor for every row, allocated at the first use */
  #factors = 0;
  /** number of evaluations; the curvature of every row belongs to the last one */
  #turn = 0;
  /** the evaluation whose curvature is in memory */
  #kept = 0;

  /**
   * @param batch  owner of the rows
   * @param shape  layout of the rows: the batch, or a selection of its columns
   * @param vectors  checked target, sample weights and offsets of these rows
   */
  constructor(
    kernels: Kernels,
    crew: Crew,
    batch: Batch,
    shape: Shape,
    [y, s, offset]: readonly (ArrayLike<number> | null)[],
    classes: number,
  ) {
    const { rows, slots, place } = shape;
    super(batch.heap, 'likelihood');
    this.#kernels = kernels;
    this.#crew = crew;
    this.#batch = batch;
    this.#place = place;
    this.#shape = shape;
    this.rows = rows;
    this.#slots = slots;
    this.classes = classes;
    this.parameters = classes * (slots + 1);
    // omit weights that are all 1: the kernels are faster without weights
    const weight = s && someNotOne(s, rows) ? s : null;
    const { threads } = crew;
    this.#window = Math.max(1, Math.min(threads > 1 ? 2 * threads : 1, Math.ceil(rows / REDUCTION_BLOCK)));
    const plane = even(rows);
    const bytes = areBytes(y!, rows);
    this.#keeps = place.layout !== 'columns' || rows <= KEPT;
    try {
      this.#data = {
        y: bytes ? this.#copyBytes(y!, 'the target') : this.#copy(y!, 'the target'),
        bytes,
        s: weight ? this.#copy(weight, 'sample weights') : 0,
        offset: offset ? this.#copy(offset, 'offsets') : 0,
        curvature: classes > 1 ? this.#allocate(classes * plane, CURVATURE, false) : 0,
        classes,
        plane,
      };
      this.#operand = this.#allocate(this.#length, 'parameters');
      this.#total = this.#allocate((this.#window + 1) * even(this.#length), 'gradients');
      this.#scratch = this.#allocate(threads * this.#scratchLength, 'working space');
    } catch (error) {
      this.free();
      throw error;
    }
    let total = rows;
    if (weight) {
      total = 0;
      for (let i = 0; i < rows; i++) total += weight[i];
    }
    this.totalWeight = total;
    Object.freeze(this);
  }

  loss(params: Float64Array): number {
    this.#load(params);
    this.#enter();
    return this.#sum('loss', 0, 0);
  }

  at(params: Float64Array, gradient: Float64Array): LikelihoodPoint {
    this.#load(params);
    this.#enter();
    checkOut('gradient', gradient, this.parameters);
    if (this.#keeps) this.#keep();
    const turn = ++this.#turn;
    if (this.#data.curvature) this.#kept = turn;
    // a caller may change its own before it asks for a Hessian
    const point = this.#data.curvature ? params : params.slice();
    const loss = this.#sum('lossGradient', this.#total, this.#length);
    this.#read(gradient);
    return {
      loss,
      hessian: (out, most) => this.#hessianAt(turn, point, out, most),
      classHessian: (j, out, most) => this.#classHessianAt(turn, point, j, out, most),
      hessianVector: (v, out) => this.#hessianVectorAt(turn, point, v, out),
    };
  }

  /** Allocates the curvature of two classes. */
  #keep(): void {
    if (this.#data.curvature) return;
    const curvature = this.#allocate(this.#data.plane, CURVATURE, false);
    this.#data = { ...this.#data, curvature };
  }

  #hessianVectorAt(turn: number, point: Float64Array, v: Float64Array, out: Float64Array): void {
    this.#enter(turn);
    if (this.#kept !== turn) {
      // of many products each would compute it again
      this.#keep();
      this.#load(point);
      this.#sum('curvature', 0, 0);
      this.#kept = turn;
    }
    this.#load(v);
    this.#enter(turn);
    checkOut('out', out, this.parameters);
    this.#sum('hessianVector', this.#total, this.#length);
    this.#read(out);
  }

  #hessianAt(turn: number, point: Float64Array, out: Float64Array, most = Number.POSITIVE_INFINITY): void {
    this.#enter(turn);
    if (this.#kept !== turn) this.#load(point);
    const { classes, parameters } = this;
    const rows = checkMost(most);
    for (let j = 0; j < classes; j++) {
      for (let k = 0; k <= j; k++) this.#gram(this.#curvatureOf(j, k), out, parameters, j, k, rows);
    }
  }

  #classHessianAt(
    turn: number,
    point: Float64Array,
    j: number,
    out: Float64Array,
    most = Number.POSITIVE_INFINITY,
  ): void {
    this.#enter(turn);
    if (this.#kept !== turn) this.#load(point);
    const of = index('class', j, this.classes - 1);
    this.#gram(this.#curvatureOf(of, of), out, this.#slots + 1, 0, 0, checkMost(most));
  }

  /** The address of a factor for every row: its part of block (j, k) of the Hessian is that times xᵢxᵢᵀ. */
  #curvatureOf(j: number, k: number): number {
    const { curvature, plane, s } = this.#data;
    if (this.classes === 1) return this.#kept === this.#turn ? curvature : 0;
    const c = this.#rowFactors();
    const { rows } = this;
    const { f64 } = this.heap;
    const [to, p, q] = [c >>> 3, (curvature >>> 3) + j * plane, (curvature >>> 3) + k * plane];
    const own = j === k ? 1 : 0;
    for (let i = 0; i < rows; i++) f64[to + i] = f64[p + i] * (own - f64[q + i]);
    if (s) this.#kernels.multiplyF64(s, rows, c);
    return c;
  }

  gram(c: Float64Array | null, out: Float64Array, most = Number.POSITIVE_INFINITY): void {
    this.#enter();
    const sample = checkMost(most);
    const { s } = this.#data;
    const address = c === null && s ? s : this.#rowFactors();
    const factors = c === null ? null : numbersOf('c', c, this.rows);
    const { heap } = this.#enter();
    if (factors) heap.f64.set(factors, address >>> 3);
    else if (!s) heap.f64.fill(1, address >>> 3, (address >>> 3) + this.rows);
    this.#gram(address, out, this.#slots + 1, 0, 0, sample);
  }

  transpose(r: Float64Array, out: Float64Array): void {
    this.#enter();
    const address = this.#rowFactors();
    const own = numbersOf('r', r, this.rows);
    const { heap, rows } = this.#enter();
    const place = this.#place;
    checkOut('out', out, this.#slots + 1);
    heap.f64.set(own, address >>> 3);
    this.#clear(this.#total, place.slots + 1);
    const block = blockRows(place);
    const part = decodedIn(this.#scratch, place);
    for (let row = 0; row < rows; row += block) {
      const m = Math.min(block, rows - row);
      const from = decode(this.#kernels, place, row, m, part);
      transpose(this.#kernels, part, from, m, address + row * 8, block, 1, this.#total);
    }
    this.#read(out, 1);
  }

  squares(vectors: Float64Array, out: Float64Array): void {
    const width = this.#slots + 1;
    const count = size('number of vectors', size('length of vectors', vectors?.length) / width);
    const own = numbersOf('vectors', vectors, count * width);
    const { heap, rows } = this.#enter();
    const place = this.#place;
    const sums = this.#rowFactors();
    checkOut('out', out, rows);
    const block = blockRows(place);
    const group = Math.min(count, GROUP);
    const operand = even(group * (place.slots + 1));
    const space = heap.allocate((operand + group * block + decodedLength(place)) * 8, 'working space');
    const w = space.address;
    const z = w + operand * 8;
    const part = decodedIn(z + group * block * 8, place);
    try {
      this.#clear(sums, even(rows));
      for (let j = 0; j < count; j += group) {
        const k = Math.min(group, count - j);
        this.#write(w, k, (at) => own[j * width + at]);
        for (let row = 0; row < rows; row += block) {
          const m = Math.min(block, rows - row);
          const from = decode(this.#kernels, place, row, m, part);
          logits(this.#kernels, part, from, m, w, k, z, block);
          for (let plane = z; plane < z + k * block * 8; plane += block * 8) {
            this.#kernels.multiplyF64(plane, m, plane);
            this.#kernels.addF64(plane, m, sums + row * 8);
          }
        }
      }
      out.set(heap.f64.subarray(sums >>> 3, (sums >>> 3) + rows));
    } finally {
      heap.release(space);
    }
  }

  /** Writes XᵀCX to block (j, k) of `out`, a matrix of `width` columns, and its transpose to block (k, j). */
  #gram(curvature: number, out: Float64Array, width: number, j: number, k: number, most: number): void {
    const side = this.#place.slots + 1;
    const ld = even(side);
    const length = side * ld;
    if (!this.#hessian) {
      const count = this.#window + 1;
      this.#hessian = this.#allocate(count * length, `${count} Hessians of ${side} × ${side}`);
    }
    checkOut('out', out, width ** 2);
    const total = this.#hessian;
    this.#sum('hessian', total, length, ld, { ...this.#data, curvature }, most);
    const { f64 } = this.heap;
    const p = this.#slots + 1;
    const scale = this.rows > most ? this.rows / sampledRows(this.rows, most) : 1;
    // the intercept is last in `out` and at side - 1 in memory; padded slots are dropped
    const at = (i: number) => (i === p - 1 ? side - 1 : i);
    for (let a = 0; a < p; a++) {
      const row = (total >>> 3) + at(a) * ld;
      for (let b = 0; b <= a; b++) {
        const value = scale * f64[row + at(b)];
        out[(j * p + a) * width + k * p + b] = value;
        out[(k * p + b) * width + j * p + a] = value;
        if (j === k) continue;
        out[(j * p + b) * width + k * p + a] = value;
        out[(k * p + a) * width + j * p + b] = value;
      }
    }
  }

  logits(params: Float64Array, out: Float64Array): void {
    this.#load(params);
    const { heap } = this.#enter();
    const { rows, classes } = this;
    const { offset } = this.#data;
    const plane = planeStride(rows);
    const block = heap.allocate(classes * plane * 8, 'logits');
    const z = block.address;
    try {
      checkOut('out', out, rows * classes);
      // dictionaries are decoded block by block
      const place = this.#place;
      const most = place.dictionaries ? blockRows(place) : rows;
      const part = decodedIn(this.#scratch, place);
      for (let row = 0; row < rows; row += most) {
        const m = Math.min(most, rows - row);
        const from = decode(this.#kernels, place, row, m, part);
        logits(this.#kernels, part, from, m, this.#operand, classes, z + row * 8, plane);
      }
      if (offset) this.#kernels.addF64(offset, rows, z);
      for (let j = 0; j < classes; j++) {
        const from = (z >>> 3) + j * plane;
        for (let i = 0; i < rows; i++) out[j * rows + i] = heap.f64[from + i];
      }
    } finally {
      heap.release(block);
    }
  }

  select(slots: Int32Array): { readonly likelihood: Likelihood; readonly from: Int32Array } {
    const length = size('length of slots', slots?.length);
    const wanted = new Float64Array(numbersOf('slots', slots, length));
    for (let k = 0; k < length; k++) index('slots', wanted[k], this.#slots - 1, k === 0 ? 0 : wanted[k - 1] + 1);
    const { heap } = this.#enter();
    const { rows, classes } = this;
    const { y, bytes, s, offset } = this.#data;
    const selection = select(heap, this.#shape, Int32Array.from(wanted));
    // copy, because the memory may move when it grows
    const vector = (address: number) => (address ? heap.f64.slice(address >>> 3, (address >>> 3) + rows) : null);
    const vectors = [bytes ? heap.u8.slice(y, y + rows) : vector(y), vector(s), vector(offset)];
    try {
      const likelihood = new BatchLikelihood(this.#kernels, this.#crew, this.#batch, selection, vectors, classes);
      likelihood.keep(selection.allocated);
      return { likelihood, from: selection.from };
    } catch (error) {
      for (const block of selection.allocated) heap.release(block);
      throw error;
    }
  }

  sample(most: number): Likelihood {
    const { heap } = this.#enter();
    const { classes } = this;
    const { y, bytes, s, offset } = this.#data;
    const numbers = spreadRows(this.rows, Math.min(this.rows, Math.ceil(checkMost(most))));
    const sample = sampleRows(heap, this.#shape, numbers);
    const vector = (address: number) => (address ? rowsOf(heap.f64, address >>> 3, numbers) : null);
    const vectors = [bytes ? rowsOf(heap.u8, y, numbers) : vector(y), vector(s), vector(offset)];
    try {
      const likelihood = new BatchLikelihood(this.#kernels, this.#crew, this.#batch, sample, vectors, classes);
      likelihood.keep(sample.allocated);
      return likelihood;
    } catch (error) {
      for (const block of sample.allocated) heap.release(block);
      throw error;
    }
  }

  /** Refuses freed memory, codes out of range, and a curvature of another point. @throws ERR_ENGINE, ERR_RANGE */
  #enter(turn = this.#turn): this {
    if (turn !== this.#turn) {
      throw new LogoddsError(
        'ERR_RANGE',
        'Hessian: expected the point of the last evaluation, got an earlier one; call `at` again',
      );
    }
    const batch = this.#batch;
    if (batch.heap === this.heap && batch.layout === 'columns') batch.check(this.#kernels, this.rows);
    return this;
  }

  /** number of weight vectors in one result; Hessians are summed for one pair of classes at a time */
  #classesOf(kind: Reduction['kind']): number {
    return kind === 'hessian' ? 1 : this.classes;
  }

  #rowFactors(): number {
    this.#factors ||= this.#allocate(this.rows, 'a factor of every row');
    return this.#factors;
  }

  /** length of parameters or of a gradient in memory: padded slots and an intercept for every class */
  get #length(): number {
    return this.classes * (this.#place.slots + 1);
  }

  get #scratchLength(): number {
    return even(scratchLength(this.#place, this.classes));
  }

  /**
   * Adds the results of the blocks in their order.
   * @param total  `length` f64, overwritten with the sum, followed by space for the results of `window` blocks; 0 = none
   * @param most  number of rows to use, evenly spaced, if there are more
   * @returns the sum of the losses
   */
  #sum(
    kind: Reduction['kind'],
    total: number,
    length: number,
    ld = 0,
    data: RowData = this.#data,
    most = Number.POSITIVE_INFINITY,
  ): number {
    const padded = even(length);
    const partialBytes = padded * 8;
    const partial = total + partialBytes;
    const window = this.#window;
    if (total) this.#clear(total, (window + 1) * padded);
    const { rows } = this;
    const sampled = rows > most;
    const spacing = sampled ? Math.ceil(rows / SAMPLES) : reductionRows(kind, this.#place, this.#classesOf(kind), rows);
    const task: Reduction = {
      kind,
      batch: this.#place,
      data,
      rows,
      spacing,
      block: sampled ? Math.ceil(most / SAMPLES) : spacing,
      operand: this.#operand,
      partial,
      partialBytes,
      window,
      ld,
      scratch: this.#scratch,
      scratchBytes: this.#scratchLength * 8,
    };
    let loss = 0;
    this.#crew.run(task, Math.ceil(rows / spacing), (block, value) => {
      loss += value;
      if (!total) return;
      const done = partial + (block % window) * partialBytes;
      // for a Hessian, the lower triangle row by row
      const lines = ld ? length / ld : 1;
      for (let a = 0; a < lines; a++) {
        this.#kernels.addF64(done + a * ld * 8, ld ? a + 1 : length, total + a * ld * 8);
      }
      this.#clear(done, padded);
    });
    return loss;
  }

  /** reads a sum of vectors from memory: for each class its slots, then its intercept */
  #read(out: Float64Array, classes = this.classes): void {
    const { f64 } = this.heap;
    const slots = this.#slots;
    const padded = this.#place.slots;
    const at = this.#total >>> 3;
    for (let j = 0; j < classes; j++) {
      const from = at + j * (padded + 1);
      const to = j * (slots + 1);
      for (let i = 0; i < slots; i++) out[to + i] = f64[from + i];
      out[to + slots] = f64[from + padded];
    }
  }

  #clear(address: number, length: number): void {
    this.heap.f64.fill(0, address >>> 3, (address >>> 3) + length);
  }

  #allocate(length: number, what: string, clear = true): number {
    // padded, because vector kernels touch the whole last vector
    return this.allocate(even(length) * 8, what, clear);
  }

  #copy(values: ArrayLike<number>, what: string): number {
    const address = this.#allocate(this.rows, what, false);
    this.heap.f64.set(values, address >>> 3);
    return address;
  }

  #copyBytes(values: ArrayLike<number>, what: string): number {
    // padded, because it is widened four at a time
    const address = this.allocate(Math.ceil(this.rows / 4) * 4, what, false);
    this.heap.u8.set(values, address);
    return address;
  }

  /** writes parameters to memory: the padded slots of every class, then the intercepts */
  #load(params: Float64Array): void {
    const own = numbersOf('parameters', params, this.parameters);
    this.#write(this.#operand, this.classes, (at) => own[at]);
  }

  /** the same of `count` vectors anywhere */
  #write(address: number, count: number, param: (at: number) => number): void {
    const slots = this.#slots;
    const { f64 } = this.heap;
    const at = address >>> 3;
    const padded = this.#place.slots;
    for (let j = 0; j < count; j++) {
      const from = j * (slots + 1);
      for (let i = 0; i < slots; i++) f64[at + j * padded + i] = param(from + i);
      f64.fill(0, at + j * padded + slots, at + (j + 1) * padded);
      f64[at + count * padded + j] = param(from + slots);
    }
  }
}

const CURVATURE = 'the curvature of every row';

/**
 * Most rows of columns whose curvature is kept from an evaluation to its Hessian. Of more rows the bytes count, and the optimum is reached with
 * one Hessian or a few; computed again, it has the same bits.
 */
const KEPT = 262144;

/** vectors whose logits of a block of rows are in the caches together */
const GROUP = 32;

/** number of blocks in a sample of the rows, so that a sample of sorted data has all their parts */
export const SAMPLES = 64;

/** The number of rows in a sample of about `most` rows: whole blocks. */
export function sampledRows(rows: number, most: number): number {
  if (rows <= most) return rows;
  const spacing = Math.ceil(rows / SAMPLES);
  const block = Math.min(spacing, Math.ceil(most / SAMPLES));
  const whole = Math.floor(rows / spacing);
  return whole * block + Math.min(block, rows - whole * spacing);
}

/** @throws ERR_RANGE unless it is a number of rows */
function checkMost(most: number): number {
  if (typeof most === 'number' && most > 0) return most;
  throw new LogoddsError('ERR_RANGE', `most: expected a number of rows above 0, got ${told(most)}`);
}

/** @throws ERR_SHAPE unless it is a Float64Array of at least that length */
function checkOut(what: string, out: Float64Array, length: number): void {
  // neither instanceof nor `length`: a user's class may override both
  const found = ofTyped(out, Symbol.toStringTag) === 'Float64Array' ? ofTyped(out, 'length') : -1;
  if (found >= length) return;
  const got = found >= 0 ? `one of length ${found}` : 'something else';
  throw new LogoddsError('ERR_SHAPE', `${what}: expected a Float64Array of length ${length} at least, got ${got}`);
}

/** The values of these rows, the first row being at `from`. */
function rowsOf<T extends Float64Array | Uint8Array>(values: T, from: number, numbers: Uint32Array): T {
  const out = values.slice(0, numbers.length) as T;
  for (let i = 0; i < numbers.length; i++) out[i] = values[from + numbers[i]];
  return out;
}

/** Whether all are whole numbers that a byte holds, as codes of classes are. */
function areBytes(values: ArrayLike<number>, rows: number): boolean {
  if (ofTyped(values, Symbol.toStringTag) === 'Uint8Array') return true;
  for (let i = 0; i < rows; i++) if (!(Number.isInteger(values[i]) && values[i] >= 0 && values[i] <= 255)) return false;
  return true;
}

function someNotOne(values: ArrayLike<number>, rows: number): boolean {
  for (let i = 0; i < rows; i++) if (values[i] !== 1) return true;
  return false;
}

/** rounds a length in f64 up to whole vectors */
function even(length: number): number {
  return length + (length & 1);
}
