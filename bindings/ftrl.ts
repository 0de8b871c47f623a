import { placeOf } from './blocks.ts';
import { numbersIn, size, told } from './check.ts';
import type { ColumnsBatch } from './columnsBatch.ts';
import { type Engine, engineOf } from './engine.ts';
import { LogoddsError } from './errors.ts';
import { Handle, refuseFreed } from './handle.ts';
import { FTRL_PAIR_BYTES, type Kernels } from './kernels.ts';
import { numbersTogether } from './lent.ts';
import type { SparseBatch } from './sparseBatch.ts';
import type { Vector } from './vector.ts';

/** Learning rates and penalties of FTRL-Proximal. The penalties act on the sum of the losses, not on their mean. */
export interface FtrlOptions {
  /** α, from 1e-6 to 1e6: scale of a coordinate's learning rate, α/(β + √Σ gᵢ²); default 0.1 */
  readonly alpha?: number;
  /** β, from 1e-6 to 1e6: damps the first steps; default 1 */
  readonly beta?: number;
  /** λ₁ ≥ 0 on absolute weights: weights with little evidence are exactly 0; default 0 */
  readonly l1?: number;
  /** λ₂ ≥ 0 on squared weights; default 0 */
  readonly l2?: number;
}

/** The whole state of an `Ftrl`. Coordinates are the slots, then the intercept. */
export interface FtrlState {
  /** zᵢ, length slots + 1 */
  readonly z: Float64Array;
  /** nᵢ = Σ gᵢ², length slots + 1; kept as its root, so that `restore` and `state` may round another number than `state` gave */
  readonly n: Float64Array;
  readonly rows: number;
  /** Σ s */
  readonly totalWeight: number;
  /** Σ s·(log loss of each row before it was learnt), nats */
  readonly loss: number;
}

/** Values, weights and offsets up to here leave every sum of the state finite, whatever the number of rows. */
const LARGEST = 1e60;

const DEFAULTS = { alpha: 0.1, beta: 1, l1: 0, l2: 0 } as const;

/** name → least and greatest value */
const RANGES: Readonly<Record<keyof FtrlOptions, readonly [number, number]>> = {
  alpha: [1e-6, 1e6],
  beta: [1e-6, 1e6],
  l1: [0, LARGEST],
  l2: [0, LARGEST],
};

/** The options with their defaults. @throws ERR_RANGE */
export function ftrlOptions(options: FtrlOptions): Required<FtrlOptions> {
  const { alpha, beta, l1, l2 } = { ...DEFAULTS, ...definedOnly(options) };
  const all = { alpha, beta, l1, l2 };
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = all[name as keyof FtrlOptions];
    if (typeof value === 'number' && value >= least && value <= most) continue;
    throw new LogoddsError(
      'ERR_RANGE',
      `${name}: expected a number from ${least} to ${most}, got ${told(value)}; the default is ${DEFAULTS[name as keyof FtrlOptions]}`,
    );
  }
  return all;
}

const definedOnly = (options: FtrlOptions): FtrlOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

/**
 * Learns a logistic regression online by FTRL-Proximal, with a learning rate for every coordinate. Rows are learnt one after another, each once, in
 * the order they are given. The state is two numbers for each coordinate. For each coordinate i of a row:
 *
 *   wᵢ = 0 if |zᵢ| ≤ λ₁, else −(zᵢ − sgn(zᵢ)·λ₁)/((β + √nᵢ)/α + λ₂)
 *   gᵢ = s·(σ(w·x + b + offset) − y)·xᵢ,   zᵢ ← zᵢ + gᵢ − (√(nᵢ + gᵢ²) − √nᵢ)/α·wᵢ,   nᵢ ← nᵢ + gᵢ²
 *
 * The intercept is a coordinate of every row and is not penalised. Entries of a row in the same column are added up first. A sample weight s
 * scales the gradient, as for subsampled rows (section 4.5 of the paper). A row of weight 2 is close to, but not the same as, the row twice, since the
 * second time it would meet other weights. Weight 0 leaves no trace.
 *
 * The same rows in the same order give the same bits, however they are cut into batches and on either engine. It runs on one thread, since every row
 * needs the result of the one before. **It holds memory of the engine until `free`.**
 * @see McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1
 * @example
 * const learner = new Ftrl(engine, { slots: 10 });
 * const batch = engine.sparse({ rowPtr: [0, 2, 3], colIdx: [0, 7, 7], values: [1, 2, 3] }, 10);
 * learner.learn(batch, [1, 0]); // 0.7411
 * learner.rows; // 2
 * learner.weights()[7]; // -0.0061
 */
export class Ftrl extends Handle {
  readonly engine: Engine;
  readonly slots: number;
  readonly options: Required<FtrlOptions>;
  readonly #kernels: Kernels;
  /** z and √n of every coordinate in turn */
  readonly #state: number;
  #rows = 0;
  #totalWeight = 0;
  #loss = 0;

  /**
   * @param options  `slots` is the number of columns of the batches; learning rates and penalties have defaults
   * @throws ERR_RANGE; ERR_MEMORY; ERR_ENGINE when the engine has no training
   */
  constructor(engine: Engine, options: FtrlOptions & { readonly slots: number }) {
    super(engineOf(engine).heap, 'learner');
    const { slots, ...rates } = options ?? {};
    const kernels = engine.kernels as Kernels;
    this.engine = engine;
    this.slots = size('slots', slots);
    this.options = Object.freeze(ftrlOptions(rates));
    this.#kernels = kernels;
    const values = 2 * (this.slots + 2);
    this.#state = this.allocate(8 * values, `the state of ${slots} slots`);
    Object.freeze(this);
  }

  /** Number of rows learnt so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Σ s of the rows learnt so far. */
  get totalWeight(): number {
    return this.#totalWeight;
  }

  /**
   * Σ s·(log loss of each row before it was learnt), in nats. This is progressive validation: an estimate from rows never seen before.
   */
  get loss(): number {
    return this.#loss;
  }

  /**
   * Learns the rows of a batch in order. **Changes the state.** All input is checked first: when it throws, nothing was learnt.
   * @param batch  a batch of this engine, `slots` wide, with values up to 1e60 in size
   * @param y  0 to 1 for each row
   * @param weight  s for each row, 0 to 1e60; default all 1
   * @param offset  added to the logit of each row, up to 1e60 in size; default all 0
   * @returns mean log loss of the rows before each was learnt, in nats per unit of weight; null when all weights are 0
   * @throws ERR_SHAPE, ERR_RANGE, ERR_ENGINE, ERR_MEMORY
   */
  learn(
    batch: ColumnsBatch | SparseBatch,
    y: ArrayLike<number>,
    weight?: ArrayLike<number> | null,
    offset?: ArrayLike<number> | null,
  ): number | null {
    this.#own(batch);
    const { rows } = batch;
    const columns = numbersTogether(this.heap, [
      ['y', y ?? undefined, rows, 0, 1],
      ['weight', weight ?? null, rows, 0, LARGEST],
      ['offset', offset ?? null, rows, -LARGEST, LARGEST],
    ]);
    // when nothing of the caller is read any more, which may free and change what was checked
    this.#checkBatch(batch, rows);
    const before = { weight: this.#totalWeight, loss: this.#loss };
    const held: Vector[] = [];
    const hold = (length: number) => {
      held.push(this.engine.vector(length));
      return held[held.length - 1];
    };
    try {
      const put = (numbers?: ArrayLike<number> | null): number => {
        if (!numbers) return 0;
        const vector = hold(rows);
        vector.view.set(numbers);
        return vector.address;
      };
      const target = [put(columns[0]), put(columns[1]), put(columns[2])] as const;
      const { layout, address, extent, values, wide } = placeOf(batch);
      const longest = batch.layout === 'columns' ? extent : longestRow(batch);
      // of the row at work: what is kept of its entries, and the entries of a row of columns
      const scratch = hold((FTRL_PAIR_BYTES / 8) * (longest / 2 + 1) + 2 * longest + 1).address;
      const { alpha, beta, l1, l2 } = this.options;
      const rest = [...target, this.#state, this.slots, alpha, beta, l1, l2, this.#loss, scratch] as const;
      this.#loss =
        layout === 'columns'
          ? this.#kernels.ftrlColumns(address, extent, rows, ...rest)
          : this.#kernels.ftrlSparse(address, extent, values, wide ? 1 : 0, rows, ...rest);
    } finally {
      for (const vector of held) vector.free();
    }
    this.#rows += rows;
    const [, s] = columns;
    for (let i = 0; i < rows; i++) this.#totalWeight += s ? s[i] : 1;
    const share = this.#totalWeight - before.weight;
    return share > 0 ? (this.#loss - before.loss) / share : null;
  }

  /** Returns the current weights of all slots, then the intercept, for values on the scale of the batches. */
  weights(): Float64Array {
    const view = this.#view();
    const { alpha, beta, l1, l2 } = this.options;
    const rate = 1 / alpha;
    const weights = new Float64Array(this.slots + 1);
    for (let i = 0; i <= this.slots; i++) {
      const free = i === this.slots;
      const z = view[2 * i];
      const over = Math.abs(z) - (free ? 0 : l1);
      if (over > 0) weights[i] = (z < 0 ? over : -over) / (view[2 * i + 1] * rate + (beta * rate + (free ? 0 : l2)));
    }
    return weights;
  }

  /** Returns a copy of the whole state, which `restore` takes. */
  state(): FtrlState {
    const view = this.#view();
    const z = new Float64Array(this.slots + 1);
    const n = new Float64Array(this.slots + 1);
    for (let i = 0; i < z.length; i++) {
      z[i] = view[2 * i];
      const root = view[2 * i + 1];
      // whose root is again the one that was kept
      n[i] = root * root;
    }
    return { z, n, rows: this.#rows, totalWeight: this.#totalWeight, loss: this.#loss };
  }

  /**
   * Continues from a state as if its rows had been learnt here: further rows give the same bits. **Replaces the current state.**
   * @throws ERR_SHAPE for another number of slots; ERR_RANGE for numbers that no rows can have left
   */
  restore(state: FtrlState): void {
    const { z, n, rows, totalWeight, loss } = state ?? {};
    const length = this.slots + 1;
    const [sums, squares, [seen, weight, total]] = numbersTogether(this.heap, [
      ['z', z ?? undefined, length, -Number.MAX_VALUE],
      ['n', n ?? undefined, length, 0],
      ['rows, weight and loss', [rows, totalWeight, loss], 3, 0],
    ]) as number[][];
    const view = this.#view();
    for (let i = 0; i < length; i++) {
      view[2 * i] = sums[i];
      view[2 * i + 1] = Math.sqrt(squares[i]);
    }
    this.#rows = seen;
    this.#totalWeight = weight;
    this.#loss = total;
  }

  #view(): Float64Array {
    const at = this.#state / 8;
    return this.heap.f64.subarray(at, at + 2 * (this.slots + 2));
  }

  #own(batch: ColumnsBatch | SparseBatch): void {
    const { heap } = this;
    const where = Handle.heapOf(batch, 'batch');
    if (where === null) refuseFreed('batch');
    if (where !== heap) {
      throw new LogoddsError('ERR_ENGINE', 'batch: expected one of this engine, got something else');
    }
    if ((batch.layout !== 'columns' && batch.layout !== 'sparse') || batch.slots !== this.slots) {
      const { layout, slots } = batch as { layout: string; slots: number };
      throw new LogoddsError(
        'ERR_SHAPE',
        `batch: expected columns or sparse, ${this.slots} slots, got ${layout}, ${slots} slots`,
      );
    }
  }

  #checkBatch(batch: ColumnsBatch | SparseBatch, rows: number): void {
    this.#own(batch);
    const { heap } = this;
    if (batch.rows !== rows) {
      throw new LogoddsError('ERR_SHAPE', `batch: expected ${rows} rows (as y), got ${batch.rows}`);
    }
    if (batch.layout === 'columns') {
      batch.check(this.#kernels, batch.rows);
      batch.specs.forEach(({ kind }, j) => {
        if (kind === 'numeric') numbersIn(`column ${j}`, batch.numeric(j), batch.rows, -LARGEST, LARGEST);
      });
      return;
    }
    const { values, wide } = placeOf(batch);
    if (values) {
      const memory = wide ? heap.f64 : heap.f32;
      const at = values / memory.BYTES_PER_ELEMENT;
      numbersIn('values', memory.subarray(at, at + batch.entries), batch.entries, -LARGEST, LARGEST);
    }
  }
}

function longestRow(batch: SparseBatch): number {
  const { u32 } = batch.heap;
  const at = placeOf(batch).address / 4;
  let longest = 0;
  for (let i = at; i < at + batch.rows; i++) longest = Math.max(longest, u32[i + 1] - u32[i]);
  return longest;
}
