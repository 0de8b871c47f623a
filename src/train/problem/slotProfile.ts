import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import { dictionaryOf } from '../../../bindings/dictionaryColumns.ts';
import { isConstant } from '../../encode/infer.ts';
import { countCodes, countPairs } from '../../encode/tally.ts';
import type { Standardisation } from './standardise.ts';
import type { TargetNumbers } from './target.ts';

/**
 * Facts about each slot in the rows of positive weight, from one pass over a standardised batch.
 * For a coded slot x is 0 or 1.
 */
export interface SlotProfile {
  /** Σ sᵢxᵢ² */
  readonly square: Float64Array;
  /** Σ sᵢxᵢ / Σ sᵢ; absent: not known */
  readonly mean?: Float64Array;
  /**
   * 1: the slot has the same value in every row (a numeric column), or no row at all (a coded one); 2: its values differ by rounding only
   * (`isConstant`)
   */
  readonly constant: Uint8Array;
  /**
   * 1: the slot separates the classes on its own: a numeric column whose classes do not overlap, a level that only one class has. The
   * likelihood then has no maximum in the slot's coefficient (or, for a reference level, in all others and the intercept). 2: it separates them
   * completely: no value of the numeric column, or no level of the category, has both.
   */
  readonly separates: Uint8Array;
}

/**
 * @param y  share of the positive class in each row, 0 to 1; null for a target of several classes, where `separates` is 0
 * @param standard  standardisation of the batch; absent: none
 */
export function profileSlots(
  batch: ColumnsBatch,
  y: TargetNumbers | null,
  weight: Float64Array | null,
  standard?: Standardisation,
): SlotProfile {
  const tally = new SlotTally(batch, standard);
  tally.add(batch, y, weight);
  return tally.profile(y !== null);
}

/** Adds Σ sᵢdᵢ, Σ sᵢdᵢ² and Σ sᵢxᵢ² of the numbers x to one place each; d is the distance from `base`. */
function addSums(
  x: Float64Array | Float32Array,
  weight: Float64Array | null,
  base: number,
  ofDistances: Float64Array,
  ofTheirSquares: Float64Array,
  ofSquares: Float64Array,
  at: number,
): void {
  let apart = ofDistances[at];
  let spread = ofTheirSquares[at];
  let square = ofSquares[at];
  if (weight) {
    for (let i = 0; i < x.length; i++) {
      const s = weight[i];
      const d = x[i] - base;
      apart += s * d;
      spread += s * d * d;
      square += s * x[i] * x[i];
    }
  } else {
    for (let i = 0; i < x.length; i++) {
      const d = x[i] - base;
      apart += d;
      spread += d * d;
      square += x[i] * x[i];
    }
  }
  ofDistances[at] = apart;
  ofTheirSquares[at] = spread;
  ofSquares[at] = square;
}

/** Rows of positive weight, and their weight. */
function positive(weight: Float64Array): { cells: number; total: number } {
  let cells = 0;
  let total = 0;
  for (let i = 0; i < weight.length; i++) {
    cells += Number(weight[i] > 0);
    total += weight[i];
  }
  return { cells, total };
}

/** `profileSlots` for rows that arrive batch by batch. */
export class SlotTally {
  readonly #columns: Pick<ColumnsBatch, 'specs' | 'offsets' | 'slots'>;
  /** Σ sᵢxᵢ² of a numeric slot */
  readonly #square: Float64Array;
  /** of each class: least and greatest value of a numeric slot, Σ sᵢ of a coded one */
  readonly #min: readonly Float64Array[];
  readonly #max: readonly Float64Array[];
  readonly #share: readonly Float64Array[];
  readonly #standard: Standardisation | null;
  /** of a numeric slot its first value, and of the distances from it Σ sᵢdᵢ and Σ sᵢdᵢ² */
  readonly #first: Float64Array;
  readonly #sum: Float64Array;
  readonly #spread: Float64Array;
  /** rows of positive weight, and their weight */
  #rows = 0;
  #total = 0;

  constructor(columns: Pick<ColumnsBatch, 'specs' | 'offsets' | 'slots'>, standard?: Standardisation) {
    this.#columns = columns;
    this.#standard = standard ?? null;
    this.#first = new Float64Array(columns.slots);
    this.#sum = new Float64Array(columns.slots);
    this.#spread = new Float64Array(columns.slots);
    const ofClasses = (value: number) => [0, 1].map(() => new Float64Array(columns.slots).fill(value));
    this.#square = new Float64Array(columns.slots);
    this.#min = ofClasses(Number.POSITIVE_INFINITY);
    this.#max = ofClasses(Number.NEGATIVE_INFINITY);
    this.#share = ofClasses(0);
  }

  /** Adds the rows of a batch; y and weight are of these rows. */
  add(batch: ColumnsBatch, y: TargetNumbers | null, weight: Float64Array | null): void {
    const { specs, offsets } = this.#columns;
    const { rows } = batch;
    const start = weight ? weight.findIndex((s) => s > 0) : 0;
    const fresh = this.#rows === 0 && start >= 0;
    const { cells, total } = weight ? positive(weight) : { cells: rows, total: rows };
    this.#rows += cells;
    this.#total += total;
    specs.forEach((spec, column) => {
      const first = offsets[column];
      if (spec.kind === 'numeric') {
        // a row of counts may be in both classes
        let [min0, min1] = this.#min.map((values) => values[first]);
        let [max0, max1] = this.#max.map((values) => values[first]);
        const found = weight ? null : dictionaryOf(batch, column);
        const x = found ? found.places : batch.numeric(column);
        const numberAt = found && ((place: number) => found.values[place]);
        if (fresh) this.#first[first] = numberAt ? numberAt(x[start]) : x[start];
        // once the classes are known to overlap, only sums are needed
        for (let i = 0; i < rows && !(y ? max0 > min1 && max1 > min0 : min0 < max0); i++) {
          if (weight && weight[i] === 0) continue;
          const value = numberAt ? numberAt(x[i]) : x[i];
          const share = y ? y[i] : 0;
          if (share < 1) {
            if (value < min0) min0 = value;
            if (value > max0) max0 = value;
          }
          if (share > 0) {
            if (value < min1) min1 = value;
            if (value > max1) max1 = value;
          }
        }
        // of a dictionary each value once, weighed by its rows
        const numbers = found ? found.values : (x as Float64Array);
        const times = found ? countCodes(found.places, found.values.length) : weight;
        addSums(numbers, times, this.#first[first], this.#sum, this.#spread, this.#square, first);
        this.#min.forEach((values, k) => {
          values[first] = k === 0 ? min0 : min1;
        });
        this.#max.forEach((values, k) => {
          values[first] = k === 0 ? max0 : max1;
        });
      } else {
        const codes = batch.codes(column);
        const [negatives, positives] = this.#share;
        if (!weight && y instanceof Uint8Array) {
          countPairs(codes, y, spec.slots).forEach((count, at) => {
            this.#share[at & 1][first + (at >> 1)] += count;
          });
          return;
        }
        for (let i = 0; i < rows; i++) {
          const s = weight ? weight[i] : 1;
          const positive = y ? s * y[i] : 0;
          negatives[first + codes[i]] += s - positive;
          positives[first + codes[i]] += positive;
        }
      }
    });
  }

  #isRounding(slot: number): boolean {
    const shift = this.#standard?.shift[slot] ?? 0;
    const scale = this.#standard?.scale[slot] ?? 1;
    const apart = this.#sum[slot] / this.#total;
    const spread = Math.sqrt(Math.max(0, this.#spread[slot] / this.#total - apart * apart));
    // for the raw column: both are multiples of its scale
    return isConstant(this.#rows, (this.#first[slot] + apart) * scale + shift, spread * scale);
  }

  /** @param binary  whether the target has two classes; with more, slots are not checked for separation */
  profile(binary: boolean): SlotProfile {
    const { specs, offsets, slots } = this.#columns;
    const square = this.#square.slice();
    const mean = new Float64Array(slots);
    const constant = new Uint8Array(slots);
    const separates = new Uint8Array(slots);
    specs.forEach((spec, column) => {
      const first = offsets[column];
      if (spec.kind === 'numeric') {
        mean[first] = this.#first[first] + this.#sum[first] / this.#total;
        const min = this.#min.map((values) => values[first]);
        const max = this.#max.map((values) => values[first]);
        constant[first] = Math.min(...min) === Math.max(...max) ? 1 : 2 * Number(this.#isRounding(first));
        if (binary && !constant[first])
          separates[first] = max[0] < min[1] || max[1] < min[0] ? 2 : Number(max[0] === min[1] || max[1] === min[0]);
        return;
      }
      for (let slot = first; slot < first + spec.slots; slot++) {
        const [negative, positive] = this.#share.map((values) => values[slot]);
        square[slot] = negative + positive;
        mean[slot] = square[slot] / this.#total;
        constant[slot] = Number(negative + positive === 0);
        separates[slot] = Number(binary && negative > 0 !== positive > 0);
      }
      const own = separates.subarray(first, first + spec.slots);
      if (own.every((pure, k) => pure || constant[first + k]))
        own.forEach((pure, k) => {
          own[k] = 2 * pure;
        });
    });
    return { square, mean, constant, separates };
  }
}
