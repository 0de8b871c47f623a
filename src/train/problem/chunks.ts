import { type BinomialTarget, SAMPLES, sampledRows } from '../../../bindings/batchLikelihood.ts';
import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import type { Engine } from '../../../bindings/engine.ts';
import { LogoddsError } from '../../../bindings/errors.ts';
import type { Likelihood, LikelihoodPoint } from '../../../bindings/likelihood.ts';
import { type SlotProfile, SlotTally } from './slotProfile.ts';
import type { Standardisation } from './standardise.ts';
import type { TargetNumbers } from './target.ts';

/** Cells of a column of a batch: numbers or codes. */
export type Cells = Float64Array | Float32Array | Uint8Array | Uint16Array | Uint32Array;

/** Encoded rows outside linear memory, e.g. in a file: column by column, with cells as in the batch. */
export interface RowStore {
  /** Stores `cells` as rows first, first + 1, … of a column. */
  write(column: number, first: number, cells: Cells): void;
  /** Fills `cells` with rows first, first + 1, …, which were stored before. */
  read(column: number, first: number, cells: Cells): void;
}

/** The cells of column j of a batch, a view. */
export const cellsOf = (batch: ColumnsBatch, j: number): Cells =>
  batch.specs[j].kind === 'numeric' ? batch.numeric(j) : batch.codes(j);

/** Rows of a store, seen through a window: a batch that holds some of them at a time. */
export class Chunks {
  readonly rows: number;
  readonly batch: ColumnsBatch;
  readonly #store: RowStore;
  /** the rows in the window, for each column */
  readonly #first: Float64Array;
  readonly #count: Float64Array;

  /** @param batch  the window: it holds up to its capacity, which is at least 1 */
  constructor(store: RowStore, rows: number, batch: ColumnsBatch) {
    this.rows = rows;
    this.batch = batch;
    this.#store = store;
    this.#first = new Float64Array(batch.specs.length);
    this.#count = new Float64Array(batch.specs.length);
  }

  /** Loads `count` rows from `first` on into the batch. @param columns  the columns to load; the others are undefined */
  load(first: number, count: number, columns: readonly number[]): void {
    this.batch.setRows(count);
    for (const j of columns) {
      if (this.#first[j] === first && this.#count[j] >= count) continue;
      this.#store.read(j, first, cellsOf(this.batch, j));
      this.#first[j] = first;
      this.#count[j] = count;
    }
  }

  /** Calls `use` for windows over the rows [from, to), in order. */
  each(use: (first: number, count: number) => void, from = 0, to = this.rows): void {
    const { capacity } = this.batch;
    for (let first = from; first < to; first += capacity) use(first, Math.min(capacity, to - first));
  }
}

/** `profileSlots` over chunks: the same bits. */
export function profileChunks(
  chunks: Chunks,
  y: TargetNumbers | null,
  weight: Float64Array | null,
  standard?: Standardisation,
): SlotProfile {
  const { batch } = chunks;
  const tally = new SlotTally(batch, standard);
  const all = batch.specs.map((_, j) => j);
  chunks.each((first, count) => {
    chunks.load(first, count, all);
    const end = first + count;
    tally.add(batch, y?.subarray(first, end) ?? null, weight?.subarray(first, end) ?? null);
  });
  return tally.profile(y !== null);
}

/** y, sample weights and offsets of all rows. */
export interface ChunkedTarget extends BinomialTarget {
  readonly y: TargetNumbers;
  readonly weight: Float64Array | null;
  readonly offset: Float64Array | null;
}

/**
 * The likelihood of rows that do not fit into memory: the sum, in order, of the likelihoods of the windows. Every method reads the store
 * once. It differs from the likelihood of one batch only by the rounding of sums; a sampled Hessian uses the same rows.
 *
 * The window does not keep the curvature of rows that have left it, so the Hessian of a point computes it again. A point therefore stays valid
 * when the likelihood is evaluated at another one.
 */
export class ChunkedLikelihood implements Likelihood {
  readonly rows: number;
  readonly classes: number;
  readonly parameters: number;
  readonly totalWeight: number;
  readonly #engine: Engine;
  readonly #chunks: Chunks;
  readonly #target: ChunkedTarget;
  /** slots of the batch that it has, ascending */
  readonly #slots: Int32Array;
  readonly #columns: readonly number[];
  readonly #vector: Float64Array;

  /**
   * @param classes  1 for the binomial
   * @param wanted  slots, ascending: only columns with one of them are read; absent: all
   * @throws ERR_SHAPE when a vector has another length than the rows
   */
  constructor(engine: Engine, chunks: Chunks, target: ChunkedTarget, classes: number, wanted?: Int32Array) {
    const { rows, batch } = chunks;
    for (const [name, values] of Object.entries(target) as [string, Float64Array | null][]) {
      if (values && values.length !== rows) {
        throw new LogoddsError('ERR_SHAPE', `${name}: expected ${rows} values (rows), got ${values.length}`);
      }
    }
    this.#engine = engine;
    this.#chunks = chunks;
    this.#target = target;
    const widths = batch.specs.map((spec) => (spec.kind === 'numeric' ? 1 : spec.slots));
    const all = batch.specs.map((_, j) => j);
    const has = (j: number) => wanted!.some((slot) => slot >= batch.offsets[j] && slot < batch.offsets[j] + widths[j]);
    this.#columns = wanted ? all.filter(has) : all;
    this.#slots = Int32Array.from(
      this.#columns.flatMap((j) => Array.from({ length: widths[j] }, (_, k) => batch.offsets[j] + k)),
    );
    this.rows = rows;
    this.classes = classes;
    this.parameters = classes * (this.#slots.length + 1);
    this.totalWeight = target.weight ? target.weight.reduce((sum, s) => sum + s, 0) : rows;
    this.#vector = new Float64Array(this.parameters);
  }

  loss(params: Float64Array): number {
    let sum = 0;
    this.#each((part) => {
      sum += part.loss(params);
    });
    return sum;
  }

  at(params: Float64Array, gradient: Float64Array): LikelihoodPoint {
    const point = params.slice();
    gradient.fill(0);
    let loss = 0;
    this.#each((part) => {
      loss += part.at(point, this.#vector).loss;
      add(gradient, this.#vector);
    });
    return {
      loss,
      hessian: (out, most) => this.#sampled(out, most, (part, to) => part.at(point, this.#vector).hessian(to)),
      classHessian: (j, out, most) =>
        this.#sampled(out, most, (part, to) => part.at(point, this.#vector).classHessian(j, to)),
      hessianVector: (v, out) => {
        out.fill(0);
        this.#each((part) => {
          part.at(point, this.#vector).hessianVector(v, this.#vector);
          add(out, this.#vector);
        });
      },
    };
  }

  /** Writes the sum of a matrix of each window, over all rows or a sample of about `most`, which it scales. */
  #sampled(
    out: Float64Array,
    most = Number.POSITIVE_INFINITY,
    matrixOf: (part: Likelihood, to: Float64Array, first: number, count: number) => void,
  ): void {
    const { rows } = this;
    out.fill(0);
    const matrix = new Float64Array(out.length);
    const sum = (from: number, to: number) =>
      this.#each(
        (part, first, count) => {
          matrixOf(part, matrix, first, count);
          add(out, matrix);
        },
        from,
        to,
      );
    if (rows <= most) {
      sum(0, rows);
      return;
    }
    const spacing = Math.ceil(rows / SAMPLES);
    const block = Math.ceil(most / SAMPLES);
    for (let first = 0; first < rows; first += spacing) sum(first, Math.min(first + block, rows));
    const scale = rows / sampledRows(rows, most);
    for (let i = 0; i < out.length; i++) out[i] *= scale;
  }

  gram(c: Float64Array | null, out: Float64Array, most?: number): void {
    this.#sampled(out, most, (part, to, first, count) => part.gram(c?.subarray(first, first + count) ?? null, to));
  }

  transpose(r: Float64Array, out: Float64Array): void {
    const own = new Float64Array(this.#slots.length + 1);
    out.fill(0);
    this.#each((part, first, count) => {
      part.transpose(r.subarray(first, first + count), own);
      add(out, own);
    });
  }

  squares(vectors: Float64Array, out: Float64Array): void {
    this.#each((part, first, count) => part.squares(vectors, out.subarray(first, first + count)));
  }

  logits(params: Float64Array, out: Float64Array): void {
    const { rows, classes } = this;
    const planes = new Float64Array(classes * Math.min(rows, this.#chunks.batch.capacity));
    this.#each((part, first, count) => {
      part.logits(params, planes);
      for (let j = 0; j < classes; j++) out.set(planes.subarray(j * count, (j + 1) * count), j * rows + first);
    });
  }

  /** Reads the wanted columns only; the window is shared. */
  select(slots: Int32Array): { readonly likelihood: Likelihood; readonly from: Int32Array } {
    const wanted = slots.map((slot) => this.#slots[slot]);
    const likelihood = new ChunkedLikelihood(this.#engine, this.#chunks, this.#target, this.classes, wanted);
    const place = new Map(Array.from(this.#slots, (slot, k) => [slot, k]));
    return { likelihood, from: likelihood.#slots.map((slot) => place.get(slot)!) };
  }

  /** Releases nothing: the window belongs to the caller, and each method frees what it allocates. */
  free(): void {}

  [Symbol.dispose](): void {}

  /** The likelihood of each window over the rows [from, to), in order. */
  #each(use: (part: Likelihood, first: number, count: number) => void, from?: number, to?: number): void {
    const { batch } = this.#chunks;
    const { y, weight, offset } = this.#target;
    this.#chunks.each(
      (first, count) => {
        this.#chunks.load(first, count, this.#columns);
        const end = first + count;
        const target = {
          y: y.subarray(first, end),
          weight: weight?.subarray(first, end),
          offset: offset?.subarray(first, end),
        };
        const { classes } = this;
        const whole =
          classes === 1
            ? this.#engine.likelihood(batch, target)
            : this.#engine.multinomial(batch, { y: target.y, weight: target.weight, classes });
        try {
          if (this.#slots.length === batch.slots) {
            use(whole, first, count);
            return;
          }
          const { likelihood: part } = whole.select(this.#slots);
          try {
            use(part, first, count);
          } finally {
            part.free();
          }
        } finally {
          whole.free();
        }
      },
      from,
      to,
    );
  }
}

function add(sum: Float64Array, values: Float64Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] += values[i];
}
