import type { ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { dictionaryOf } from '../../bindings/dictionaryColumns.ts';
import { leastCombination } from '../math/simplex.ts';
import { SlotRow } from './slotRow.ts';

/** Margins below this are rounding errors, for rows with a largest entry of 1 along a direction within ±1. */
export const MARGIN = 1e-9;
/** Entries below this after elimination are rounding errors. */
const RESIDUE = 1e-9;
/** Largest rows · columns² of a linear program: 1e5 rows of 50 columns take seconds. */
export const SEPARATION_LIMIT = 2.5e8;
/** Newton steps that change no logit by this much prove overlap; by the theorem any number below 1 would do. */
export const CERTAIN = 0.5;

/** Whether the likelihood has a maximum. */
export type Separation =
  | {
      readonly kind: 'none';
      /** vᵢ > 0 of every row with Σ vᵢaᵢ = 0: the proof (Stiemke's lemma) */
      readonly weights: Float64Array;
    }
  | {
      /** `complete`: every row lies strictly on its side of a plane; `quasi`: some only on the plane */
      readonly kind: 'quasi' | 'complete';
      /** columns without a finite estimate, ascending; with `complete` all */
      readonly parameters: readonly number[];
      /** b with aᵢ·b ≥ 0 for every row, > 0 for as many as possible: along it the likelihood grows without limit */
      readonly direction: Float64Array;
      /** rows with aᵢ·b > 0 */
      readonly separated: number;
    };

/** Signed rows of a data set for `separation`, without duplicates. */
export interface SignedRows {
  /** rows × columns, row-major */
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Decides by linear programming whether a direction b has aᵢ·b ≥ 0 for all rows and > 0 for some: the likelihood of a binary or multinomial
 * logistic regression then has no maximum (Albert & Anderson). One program gives a direction; rows strictly above 0 leave, and the next
 * program looks among the others, until none is left (complete) or they overlap (quasi, or none). The rows left then span what has an
 * estimate: a column has none when some direction along which all of them are 0 moves it. Exact up to 1e-9 of a standardised column.
 *
 * @param signed  rows that are not 0; columns that are linearly independent
 * @returns null if a linear program did not terminate
 * @see Albert, Anderson, Biometrika 71(1), 1984; Konis, Linear programming algorithms for detecting separated data, 2007, 4.1; Geyer,
 * Electronic Journal of Statistics 3, 2009
 */
export function separation({ values, rows, columns }: SignedRows): Separation | null {
  const scales = largestEntries(values, rows, columns);
  let left: Float64Array = values.map((value, at) => value / scales[Math.floor(at / columns)]);
  let passed: Float64Array = new Float64Array(0);
  let direction: Float64Array = new Float64Array(columns);
  for (;;) {
    const count = left.length / columns;
    if (count === 0) {
      return {
        kind: 'complete',
        parameters: Array.from({ length: columns }, (_, j) => j),
        direction,
        separated: rows,
      };
    }
    const found = leastCombination(left, count, columns);
    if (!found) return null;
    const step = found.direction.map((value) => (Math.abs(value) <= MARGIN ? 0 : value));
    const above = Uint8Array.from({ length: count }, (_, i) => Number(margin(left, columns, i, step) > MARGIN));
    if (!above.includes(1)) {
      return count === rows
        ? { kind: 'none', weights: found.weights.map((value, i) => value / scales[i]) }
        : { kind: 'quasi', parameters: unbounded(left, columns), direction, separated: rows - count };
    }
    direction = advance(direction, step, passed, columns);
    passed = concatenate(passed, takeRows(left, columns, above, 1));
    left = takeRows(left, columns, above, 0);
  }
}

/**
 * Whether a Newton step proves that the classes overlap, so that the likelihood has a maximum, on data of any size. The step solves
 * H·step = score and must change no difference of a row's logits by 1 or more.
 *
 * The score is Σ vᵢₖ·aᵢₖ over rows i and the classes k they are not in, aᵢₖ the signed row and vᵢₖ = sᵢpᵢₖ > 0. Taking H·step from both sides leaves
 * 0 = Σ sᵢpᵢₖ(1 + zᵢₖ − z̄ᵢ)·aᵢₖ, z the change of the logits and z̄ its mean under p: with changes below 1 a positive combination of all rows that
 * is 0, which separated data do not have. Along a direction of separation the changes of Newton's steps stay near 1.
 *
 * @param change  z of each row, a plane a class (the reference class has none)
 */
export function certifiesOverlap(change: Float64Array, rows: number, weight: Float64Array | null): boolean {
  for (let i = 0; i < rows; i++) {
    if (weight && weight[i] === 0) continue;
    let low = 0;
    let high = 0;
    for (let at = i; at < change.length; at += rows) {
      low = Math.min(low, change[at]);
      high = Math.max(high, change[at]);
    }
    // nor where one is no number
    if (!(high - low <= CERTAIN)) return false;
  }
  return true;
}

/**
 * The distinct rows of positive weight, signed: (x, 1) of a row of the positive class, −(x, 1) of the other, and both where y lies between.
 * For several classes a row of class k gives one for every other class l: (x, 1) in the columns of k, −(x, 1) in those of l, the first class
 * having none.
 *
 * @param active  slots, ascending, then the intercept (batch.slots)
 * @param y       of two classes 0 … 1, of several the class
 * @param options.most  rows · columns²
 * @returns null if there are more
 */
export function signedRows(
  batch: ColumnsBatch,
  active: ArrayLike<number>,
  y: ArrayLike<number>,
  weight: Float64Array | null,
  { classes = 2, most: limit = SEPARATION_LIMIT } = {},
): SignedRows | null {
  const size = active.length;
  const columns = size * (classes - 1);
  if (batch.rows === 0) return { values: new Float64Array(0), rows: 0, columns };
  const representatives = distinctRows(cellsOf(batch, active), y, weight, batch.rows, mostRows(size, classes, limit));
  if (!representatives) return null;
  const shared = (i: number) => classes === 2 && y[i] > 0 && y[i] < 1;
  let rows = 0;
  for (const i of representatives) rows += shared(i) ? 2 : classes - 1;
  const values = new Float64Array(rows * columns);
  let row = 0;
  const x = new Float64Array(size);
  const entries = new SlotRow(batch, active);
  for (const i of representatives) {
    x.fill(0);
    const count = entries.read(i);
    for (let k = 0; k < count; k++) x[entries.at[k]] = entries.x[k];
    const own = shared(i) ? [0, 1] : [y[i]];
    for (const k of own) {
      for (let l = 0; l < classes; l++) {
        if (l === k) continue;
        for (let j = 0; j < size; j++) {
          if (k > 0) values[row * columns + (k - 1) * size + j] = x[j];
          if (l > 0) values[row * columns + (l - 1) * size + j] = -x[j];
        }
        row++;
      }
    }
  }
  return { values, rows, columns };
}

/** Whether `signedRows` of two classes returns null already by the first rows, as it does with numbers that seldom repeat. */
export function tooManyRows(
  batch: ColumnsBatch,
  active: ArrayLike<number>,
  y: ArrayLike<number>,
  weight: Float64Array | null,
  limit: number,
): boolean {
  const most = mostRows(active.length, 2, limit);
  const first = Math.min(batch.rows, Math.ceil(2 * most));
  const cells = cellsOf(batch, active);
  const exceeds = ({ values }: Cells): boolean => {
    const seen = new Set<number>();
    for (let i = 0; i < first && seen.size <= most + 1; i++) if (!weight || weight[i] > 0) seen.add(values[i]);
    return seen.size > most + 1;
  };
  // one column often has so many numbers
  return (
    cells.some((column) => !column.place && exceeds(column)) || distinctRows(cells, y, weight, first, most) === null
  );
}

const mostRows = (size: number, classes: number, limit: number) => limit / (size ** 2 * (classes - 1) ** 3);

function cellsOf(batch: ColumnsBatch, active: ArrayLike<number>): Cells[] {
  const { specs, offsets, slots } = batch;
  const place = new Int32Array(slots).fill(-1);
  for (let j = 0; j < active.length; j++) if (active[j] < slots) place[active[j]] = j;
  return specs.flatMap((spec, c): Cells[] => {
    const first = offsets[c];
    if (spec.kind !== 'numeric') return [{ values: batch.codes(c), place: place.subarray(first, first + spec.slots) }];
    if (place[first] < 0) return [];
    const found = dictionaryOf(batch, c);
    return [
      found ? { values: found.places, place: equalPlaces(found.values) } : { values: batch.numeric(c), place: null },
    ];
  });
}

/** For each value of a dictionary the first place of an equal one: 0 and -0 have two. */
function equalPlaces(values: Float64Array): Int32Array {
  const zero = values.indexOf(0);
  return Int32Array.from(values, (value, at) => (value === 0 ? zero : at));
}

/** A column of a batch; of codes only their place counts. */
interface Cells {
  readonly values: ArrayLike<number>;
  readonly place: Int32Array | null;
}

/**
 * The first of equal rows of positive weight, in their order. Rows of counts of both classes are alike. It ends as soon as it knows that there
 * are too many, which is often after a few rows.
 * @param most  the greatest number of them, apart from one
 * @returns null if there are more
 */
function distinctRows(
  cells: readonly Cells[],
  y: ArrayLike<number>,
  weight: Float64Array | null,
  rows: number,
  most: number,
): number[] | null {
  const value = ({ values, place }: Cells, i: number) => (place ? place[values[i]] : values[i]);
  const side = (i: number) => (y[i] > 0 && y[i] < 1 ? 0.5 : y[i]);
  const number = new Float64Array(1);
  const words = new Uint32Array(number.buffer);
  const mix = (hash: number, cell: number): number => {
    // 0 and -0 are equal
    number[0] = cell + 0;
    const mixed = Math.imul(hash ^ words[0], 0x9e3779b1);
    return Math.imul(mixed ^ (mixed >>> 15) ^ words[1], 0x85ebca6b);
  };
  const hashOf = (i: number): number => {
    let hash = mix(0, side(i));
    for (const column of cells) hash = mix(hash, value(column, i));
    return hash ^ (hash >>> 13);
  };
  const areEqual = (i: number, j: number) =>
    side(i) === side(j) && cells.every((column) => value(column, i) === value(column, j));
  const found: number[] = [];
  let table = new Int32Array(0);
  const placeOf = (i: number): number => {
    let at = hashOf(i) & (table.length - 1);
    while (table[at] >= 0 && !areEqual(table[at], i)) at = (at + 1) & (table.length - 1);
    return at;
  };
  let left = 0;
  for (let i = 0; i < rows; i++) {
    if (weight && weight[i] === 0) {
      left = 1;
      continue;
    }
    if (2 * found.length >= table.length) {
      table = new Int32Array(Math.max(1024, 2 * table.length)).fill(-1);
      for (const row of found) table[placeOf(row)] = row;
    }
    const at = placeOf(i);
    if (table[at] >= 0) continue;
    table[at] = i;
    found.push(i);
    if (found.length + left > most + 1) return null;
  }
  return found.length + left > most + 1 ? null : found;
}

function largestEntries(values: Float64Array, rows: number, columns: number): Float64Array {
  const largest = new Float64Array(rows);
  values.forEach((value, at) => {
    const i = Math.floor(at / columns);
    largest[i] = Math.max(largest[i], Math.abs(value));
  });
  return largest;
}

function margin(rows: Float64Array, columns: number, row: number, direction: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < columns; j++) sum += rows[row * columns + j] * direction[j];
  return sum;
}

/** direction + t·step, t ≤ 1 small enough that rows passed before keep half of their margin. */
function advance(direction: Float64Array, step: Float64Array, passed: Float64Array, columns: number): Float64Array {
  let t = 1;
  for (let i = 0; i < passed.length / columns; i++) {
    const change = margin(passed, columns, i, step);
    if (change < 0) t = Math.min(t, margin(passed, columns, i, direction) / (-2 * change));
  }
  return direction.map((value, j) => value + t * step[j]);
}

function takeRows(rows: Float64Array, columns: number, marks: Uint8Array, mark: number): Float64Array {
  const taken = new Float64Array(marks.reduce((sum, value) => sum + Number(value === mark), 0) * columns);
  let at = 0;
  marks.forEach((value, i) => {
    if (value !== mark) return;
    taken.set(rows.subarray(i * columns, (i + 1) * columns), at);
    at += columns;
  });
  return taken;
}

function concatenate(a: Float64Array, b: Float64Array): Float64Array {
  const joined = new Float64Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/**
 * Columns that some vector of the null space of the rows moves: after elimination with complete pivoting those without a pivot, and those
 * whose pivot row still holds one of them.
 */
function unbounded(rows: Float64Array, columns: number): number[] {
  const a = rows.slice();
  const count = a.length / columns;
  /** row of the pivot of a column; −1: none */
  const pivotRow = new Int32Array(columns).fill(-1);
  const used = new Uint8Array(count);
  for (let rank = 0; rank < Math.min(count, columns); rank++) {
    let best = RESIDUE;
    let [row, column] = [-1, -1];
    for (let i = 0; i < count; i++) {
      if (used[i]) continue;
      for (let j = 0; j < columns; j++) {
        if (Math.abs(a[i * columns + j]) <= best) continue;
        best = Math.abs(a[i * columns + j]);
        [row, column] = [i, j];
      }
    }
    if (row < 0) break;
    used[row] = 1;
    pivotRow[column] = row;
    const pivot = a[row * columns + column];
    for (let j = 0; j < columns; j++) a[row * columns + j] /= pivot;
    for (let i = 0; i < count; i++) {
      const factor = a[i * columns + column];
      if (i === row || factor === 0) continue;
      for (let j = 0; j < columns; j++) a[i * columns + j] -= factor * a[row * columns + j];
      a[i * columns + column] = 0;
    }
  }
  const all = Array.from({ length: columns }, (_, j) => j);
  const free = all.filter((j) => pivotRow[j] < 0);
  return all.filter((j) => pivotRow[j] < 0 || free.some((k) => Math.abs(a[pivotRow[j] * columns + k]) > RESIDUE));
}
