import { among, size, told } from '../../bindings/check.ts';
import { type Engine, engineOf, pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { Handle, refuseFreed } from '../../bindings/handle.ts';
import type { Precision } from '../../bindings/layout.ts';
import { numbersOf, ofTyped } from '../../bindings/lent.ts';
import type { RowsBatch } from '../../bindings/rowsBatch.ts';
import type { SparseBatch } from '../../bindings/sparseBatch.ts';
import { isConstant, momentsOf } from '../encode/infer.ts';
import type { SlotProfile } from './problem/slotProfile.ts';
import type { Standardisation } from './problem/standardise.ts';

/** A dense matrix, row-major and without gaps. The fit stores it in the precision of the array. */
export interface DenseMatrix {
  readonly layout: 'rows';
  readonly rows: number;
  readonly columns: number;
  /** length rows · columns */
  readonly values: Float64Array | Float32Array;
}

/** A sparse matrix by compressed rows: row i has the entries rowPtr[i] to rowPtr[i + 1] − 1. */
export interface SparseMatrix {
  readonly layout: 'sparse';
  readonly rows: number;
  readonly columns: number;
  /** length rows + 1, from 0, never falling */
  readonly rowPtr: Uint32Array;
  /** column of each entry, below `columns` */
  readonly colIdx: Uint32Array;
  /** value of each entry; null: all are 1 */
  readonly values: Float64Array | Float32Array | null;
}

/** A batch that is in use, or a copy of what is told of a matrix, with all its numbers. @throws ERR_SHAPE, ERR_RANGE, ERR_ENGINE */
export function checkMatrix<T extends DenseMatrix | SparseMatrix | RowsBatch | SparseBatch>(x: T): T {
  const heap = Handle.heapOf(x as unknown as Handle, 'batch');
  if (heap === null) refuseFreed('batch');
  if (!heap && x instanceof Handle) {
    throw new LogoddsError('ERR_ENGINE', 'x: expected a matrix or a batch of rows, got another object of an engine');
  }
  const { layout, rows, columns, values, rowPtr, colIdx } = Object(x);
  among('layout of x', layout, 'rows', 'sparse');
  if (heap) return x;
  size('rows of x', rows);
  size('columns of x', columns);
  if (layout === 'rows') {
    const found = told(values?.length);
    if (found !== rows * columns) {
      throw new LogoddsError('ERR_SHAPE', `x: expected ${rows} × ${columns} values, got ${found}`);
    }
    return { layout, rows, columns, values: numbersOf('x', values, rows * columns) } as T;
  }
  const entries = size('entries of x', colIdx?.length);
  return {
    layout,
    rows,
    columns,
    rowPtr: numbersOf('rowPtr', rowPtr, rows + 1),
    colIdx: numbersOf('colIdx', colIdx, entries),
    values: values === null || values === undefined ? null : numbersOf('values', values, entries),
  } as unknown as T;
}

export const widthOf = (x: DenseMatrix | SparseMatrix | RowsBatch | SparseBatch) =>
  'slots' in x ? x.slots : x.columns;

/** @throws ERR_SHAPE, ERR_RANGE naming the first entry that is not as the rule says */
export function vector(
  what: string,
  values: ArrayLike<number> | null | undefined,
  length: number,
  least: number,
  rule: string,
  greatest = Number.MAX_VALUE,
): Float64Array | null {
  if (values === undefined || values === null) return null;
  const found = told(values.length);
  if (found !== length) throw new LogoddsError('ERR_SHAPE', `${what}: expected ${length} values, got ${found}`);
  const out = new Float64Array(numbersOf(what, values, length));
  const bad = out.findIndex(
    (value) => !(value >= least && value <= greatest) || (least < 0 && greatest > 0 && !Number.isFinite(value)),
  );
  if (bad >= 0) throw new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${out[bad]} at ${bad}; correct it`);
  return out;
}

export function readClasses(
  y: ArrayLike<number>,
  rows: number,
  classes: number,
  weight: Float64Array | null,
  offset: Float64Array | null,
): Float64Array {
  if (!(Number.isInteger(classes) && classes >= 2)) {
    throw new LogoddsError(
      'ERR_RANGE',
      `classes: expected a whole number >= 2, got ${told(classes)}; 2 is the default`,
    );
  }
  const found = told(y?.length);
  if (found !== rows) throw new LogoddsError('ERR_SHAPE', `y: expected ${rows} values (rows of x), got ${found}`);
  if (offset && classes > 2) {
    throw new LogoddsError('ERR_RANGE', `offset: expected none with ${classes} classes, got one; leave it out`);
  }
  const none = (got: string): LogoddsError =>
    new LogoddsError(
      'ERR_TARGET',
      `y: expected rows of positive weight in each of ${classes} classes, got ${got}; add rows of it, or use fewer classes`,
    );
  if (classes > Math.max(2, rows)) throw none(`${rows} rows`);
  const target = new Float64Array(numbersOf('y', y, rows));
  const share = new Float64Array(classes);
  target.forEach((value, i) => {
    const valid = classes === 2 ? value >= 0 && value <= 1 : Number.isInteger(value) && value >= 0 && value < classes;
    if (!valid) {
      const rule = classes === 2 ? 'a number from 0 to 1' : `a class from 0 to ${classes - 1}`;
      throw new LogoddsError('ERR_RANGE', `y: expected ${rule}, got ${value} at row ${i}; correct it`);
    }
    const s = weight ? weight[i] : 1;
    if (classes === 2) {
      share[0] += s * (1 - value);
      share[1] += s * value;
    } else share[value] += s;
  });
  const absent = share.findIndex((s) => !(s > 0));
  if (absent >= 0) throw none(`none in class ${absent}`);
  return target;
}

export interface Loaded {
  readonly engine: Engine;
  readonly batch: RowsBatch | SparseBatch;
  readonly standard: Standardisation;
  /** standard deviation of each column of the batch; 0 for one that is constant, or but for rounding */
  readonly spread: Float64Array;
  /** of each column: 0, or 1 for one value in all rows, 2 for values that differ by rounding */
  readonly constant: Uint8Array;
  /** mean of each column as it was given */
  readonly mean: Float64Array;
  free(): void;
}

/** The numbers in memory of an engine: where they are a batch already, as it is; else a copy, standardised when dense. */
export function load(
  wanted: Engine | undefined,
  x: DenseMatrix | SparseMatrix | RowsBatch | SparseBatch,
  weight: Float64Array | null,
): Loaded {
  const columns = widthOf(x);
  const identity = { shift: new Float64Array(columns), scale: new Float64Array(columns).fill(1) };
  if ('heap' in x) {
    if (!wanted) {
      throw new LogoddsError(
        'ERR_ENGINE',
        'engine: expected the engine of the batch, got none; pass it in the options',
      );
    }
    engineOf(wanted);
    const found = 'view' in x ? rowsMoments(wanted, x, weight) : sparseMoments(x, columns, weight);
    refuseExtreme(found);
    return { engine: wanted, batch: x, standard: identity, ...found, free() {} };
  }
  const engine = engineOf(wanted ?? pickEngine());
  const { rows, values } = x;
  const precision: Precision = ofTyped(values, Symbol.toStringTag) === 'Float32Array' ? 'f32' : 'f64';
  if (x.layout === 'sparse') {
    let batch = engine.sparse(x, columns, precision);
    try {
      const { mean, spread, constant } = sparseMoments(x, columns, weight);
      if (!spread.some(isExtreme) || precision === 'f32') {
        refuseExtreme({ spread });
        return { engine, batch, standard: identity, mean, spread, constant, free: () => batch.free() };
      }
      // by powers of two, which round nothing
      const scale = spread.map((value) => (isExtreme(value) ? 2 ** Math.floor(Math.log2(value)) : 1));
      const scaled = values!.map((value, entry) => value / scale[x.colIdx[entry]]);
      const first = batch;
      batch = engine.sparse({ ...x, values: scaled }, columns, precision);
      first.free();
      return {
        engine,
        batch,
        standard: { shift: new Float64Array(columns), scale },
        mean,
        spread: spread.map((value, j) => value / scale[j]),
        constant,
        free: () => batch.free(),
      };
    } catch (error) {
      batch.free();
      throw error;
    }
  }
  const batch = engine.rows(rows, columns, precision);
  try {
    batch.set(x.values);
    const { mean, spread: deviation, constant } = rowsMoments(engine, batch, weight);
    const bad = deviation.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw refuseColumn(x, bad);
    const scale = deviation.map((value) => (value > 0 ? value : 1));
    const factor = scale.map((value) => 1 / value);
    const tiny = factor.findIndex((value) => !Number.isFinite(value));
    if (tiny >= 0) throw tinyColumn(tiny, scale[tiny]);
    engine.scale(batch, mean, factor);
    const spread = deviation.map((value) => Number(value > 0));
    const standard = { shift: mean, scale };
    return { engine, batch, standard, spread, constant, mean, free: () => batch.free() };
  } catch (error) {
    batch.free();
    throw error;
  }
}

function refuseColumn({ values, rows, columns }: DenseMatrix, column: number): LogoddsError {
  for (let i = 0; i < rows; i++) {
    const value = values[i * columns + column];
    if (!Number.isFinite(value)) {
      return new LogoddsError(
        'ERR_RANGE',
        `x, row ${i}, column ${column}: expected a finite number, got ${value}; correct it`,
      );
    }
  }
  return wideColumn(column, '1.8e308');
}

type Entries = Pick<SparseMatrix, 'rowPtr' | 'colIdx' | 'values'>;

type ColumnMoments = Pick<Loaded, 'mean' | 'spread' | 'constant'>;

/** As `RANK_TOLERANCE`, for matrices whose products are rounded to f32, which is an error of 1e-6 of the diagonal. */
export const F32_TOLERANCE = 1e-5;
/** Below this spread its square underflows. */
const TINY = 1e-150;
/** Above this spread its square may overflow. */
const HUGE = 1e150;

const isExtreme = (spread: number): boolean => spread > 0 && (spread < TINY || spread > HUGE);

/** √(Σ sᵢ(xᵢ − mean)²/Σ sᵢ) of each column of a batch of rows; 0 where it is constant by `isConstant`. */
function rowsMoments(engine: Engine, batch: RowsBatch, weight: Float64Array | null): ColumnMoments {
  const { mean, deviation: spread } = engine.moments(batch, weight);
  const { rows, stride, view } = batch;
  const counted = countRows(rows, weight);
  const constant = new Uint8Array(spread.length);
  spread.forEach((value, j) => {
    // squares may have vanished, and sums of them have rounding
    if (value <= HUGE && !(value < TINY || isConstant(counted, mean[j], value / 2))) return;
    const values = Float64Array.from({ length: rows }, (_, i) => view[i * stride + j]);
    if (!values.every(Number.isFinite)) return;
    const found = momentsOf({ name: `x${j}`, kind: 'numeric', values }, rows, weight, 0);
    mean[j] = found.mean;
    constant[j] = found.min === found.max ? 1 : 2 * Number(isConstant(counted, found.mean, found.spread));
    spread[j] = constant[j] ? 0 : found.spread;
  });
  return { mean, spread, constant };
}

const countRows = (rows: number, weight: Float64Array | null): number =>
  weight ? weight.reduce((count, s) => count + Number(s > 0), 0) : rows;

/** Throws ERR_RANGE if a column of a batch is so small that its gradient underflows, or so large that its products overflow: a batch is fitted unscaled. */
function refuseExtreme({ spread }: Pick<ColumnMoments, 'spread'>): void {
  const wide = spread.findIndex((value) => value > HUGE);
  if (wide >= 0) throw wideColumn(wide, String(HUGE));
  const tiny = spread.findIndex((value) => value > 0 && value < TINY);
  if (tiny >= 0) throw tinyColumn(tiny, spread[tiny]);
}

const tinyColumn = (column: number, spread: number): LogoddsError =>
  new LogoddsError(
    'ERR_RANGE',
    `x, column ${column}: expected a spread that gives a finite weight, got ${Number(spread.toPrecision(4))}; rescale the column`,
  );

/**
 * √(Σ sᵢ(xᵢ − mean)²/Σ sᵢ) of each column, x the sum of the entries that a row has of it; 0 where it is constant by `isConstant`.
 * From Σ sᵢxᵢ and Σ sᵢxᵢ², which lose nothing where many rows do not have the column; `preciseMoments` for the other columns.
 * @throws ERR_RANGE for a value that is not finite
 */
function sparseMoments(from: Entries, columns: number, weight: Float64Array | null): ColumnMoments {
  // a batch copies them each time it is asked
  const given = { rowPtr: from.rowPtr, colIdx: from.colIdx, values: from.values };
  // of a row of weight 0 no sum would tell
  if (weight) refuseInfinite(given);
  const x = withoutRepeats(given, columns);
  const { rowPtr, colIdx, values } = x;
  const rows = rowPtr.length - 1;
  /** of each column Σ sᵢxᵢ and Σ sᵢxᵢ², side by side */
  const sums = new Float64Array(2 * columns);
  const filled = new Uint32Array(columns);
  for (let i = 0; i < rows; i++) {
    const s = weight ? weight[i] : 1;
    if (s === 0) continue;
    const end = rowPtr[i + 1];
    for (let e = rowPtr[i]; e < end; e++) {
      const column = colIdx[e];
      const value = values ? values[e] : 1;
      sums[2 * column] += s * value;
      sums[2 * column + 1] += s * value * value;
      filled[column]++;
    }
  }
  const total = weight ? weight.reduce((sum, s) => sum + s, 0) : rows;
  const mean = new Float64Array(columns);
  const spread = new Float64Array(columns);
  const constant = new Uint8Array(columns);
  const others: number[] = [];
  for (let j = 0; j < columns; j++) {
    mean[j] = sums[2 * j] / total;
    const square = sums[2 * j + 1] / total;
    const variance = square - mean[j] ** 2;
    spread[j] = Math.sqrt(variance);
    constant[j] = Number(filled[j] === 0);
    if (filled[j] > 0 && !(variance >= square / 2 && spread[j] > TINY && spread[j] < HUGE)) others.push(j);
  }
  const found = { mean, spread, constant };
  if (others.length > 0) {
    refuseInfinite(given);
    preciseMoments(x, weight, total, others, found);
  }
  return found;
}

/** Finds the moments of some columns in two passes; the squares of each are in a unit near its range, so that none overflows or vanishes. */
function preciseMoments(
  x: Entries,
  weight: Float64Array | null,
  total: number,
  some: readonly number[],
  { mean, spread, constant }: ColumnMoments,
): void {
  const { rowPtr, colIdx, values } = x;
  const rows = rowPtr.length - 1;
  const counted = countRows(rows, weight);
  const place = new Int32Array(mean.length).fill(-1);
  some.forEach((j, k) => {
    place[j] = k;
  });
  /** of the rows that have an entry: how many they are, their weight, and mean, least and greatest value there */
  const filled = new Uint32Array(some.length);
  const present = new Float64Array(some.length);
  const centre = new Float64Array(some.length);
  const low = new Float64Array(some.length).fill(Number.POSITIVE_INFINITY);
  const high = new Float64Array(some.length).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < rows; i++) {
    const s = weight ? weight[i] : 1;
    if (s === 0) continue;
    for (let e = rowPtr[i]; e < rowPtr[i + 1]; e++) {
      const k = place[colIdx[e]];
      if (k < 0) continue;
      const value = values ? values[e] : 1;
      filled[k]++;
      present[k] += s;
      centre[k] += (value - centre[k]) * (s / present[k]);
      if (value < low[k]) low[k] = value;
      if (value > high[k]) high[k] = value;
    }
  }
  const unit = new Float64Array(some.length);
  some.forEach((j, k) => {
    mean[j] = centre[k];
    if (filled[k] < counted) {
      low[k] = Math.min(low[k], 0);
      high[k] = Math.max(high[k], 0);
      mean[j] *= present[k] / total;
    }
    const range = high[k] - low[k];
    if (!Number.isFinite(range)) throw wideColumn(j, '1.8e308');
    // a power of two near the spread rounds nothing
    unit[k] = range > 0 ? 2 ** Math.floor(Math.log2(range)) : 1;
  });
  const square = new Float64Array(some.length);
  for (let i = 0; i < rows; i++) {
    const s = weight ? weight[i] : 1;
    for (let e = rowPtr[i]; e < rowPtr[i + 1]; e++) {
      const k = place[colIdx[e]];
      if (k >= 0) square[k] += s * (((values ? values[e] : 1) - mean[colIdx[e]]) / unit[k]) ** 2;
    }
  }
  some.forEach((j, k) => {
    const without = filled[k] < counted ? Math.max(0, total - present[k]) * (mean[j] / unit[k]) ** 2 : 0;
    const deviation = Math.sqrt((square[k] + without) / total) * unit[k];
    constant[j] = low[k] === high[k] ? 1 : 2 * Number(isConstant(counted, mean[j], deviation));
    spread[j] = constant[j] ? 0 : deviation;
  });
}

/** @throws ERR_RANGE for a value that is not finite */
function refuseInfinite({ colIdx, values }: Entries): void {
  const bad = values ? values.findIndex((value) => !Number.isFinite(value)) : -1;
  if (bad < 0) return;
  throw new LogoddsError(
    'ERR_RANGE',
    `x, entry ${bad}, column ${colIdx[bad]}: expected a finite number, got ${values![bad]}; correct it`,
  );
}

const wideColumn = (column: number, most: string): LogoddsError =>
  new LogoddsError('ERR_RANGE', `x, column ${column}: expected a spread below ${most}, got more; rescale the column`);

/** The same rows with at most one entry in a column: the sum of those that were there. */
function withoutRepeats(x: Entries, columns: number): Entries {
  if (ascends(x)) return x;
  const { rowPtr, colIdx, values } = x;
  const rows = rowPtr.length - 1;
  const offsets = new Uint32Array(rows + 1);
  const indices = new Uint32Array(colIdx.length);
  const sums = new Float64Array(colIdx.length);
  /** of a column, where its last entry was put */
  const place = new Uint32Array(columns);
  let count = 0;
  for (let i = 0; i < rows; i++) {
    for (let e = rowPtr[i]; e < rowPtr[i + 1]; e++) {
      const column = colIdx[e];
      const value = values ? values[e] : 1;
      const at = place[column];
      if (at >= offsets[i] && at < count && indices[at] === column) sums[at] += value;
      else {
        place[column] = count;
        indices[count] = column;
        sums[count++] = value;
      }
    }
    offsets[i + 1] = count;
  }
  return { rowPtr: offsets, colIdx: indices.subarray(0, count), values: sums.subarray(0, count) };
}

/** Whether the columns of each row ascend, so that none repeats. */
function ascends({ rowPtr, colIdx }: Entries): boolean {
  for (let i = 0; i + 1 < rowPtr.length; i++) {
    const end = rowPtr[i + 1];
    for (let e = rowPtr[i] + 1; e < end; e++) if (colIdx[e] <= colIdx[e - 1]) return false;
  }
  return true;
}

/** @param y  where separating columns are looked for, else null */
export function profile(
  { batch, spread, mean, constant, standard: { shift, scale } }: Loaded,
  y: Float64Array | null,
  weight: Float64Array | null,
): SlotProfile {
  const { rows, slots } = batch;
  const square = new Float64Array(slots);
  const separates = new Uint8Array(slots);
  const total = weight ? weight.reduce((sum, s) => sum + s, 0) : rows;
  spread.forEach((value, j) => {
    square[j] = total * (value ** 2 + ((mean[j] - shift[j]) / scale[j]) ** 2);
  });
  if ('view' in batch) {
    const { view, stride } = batch;
    const low = [
      new Float64Array(slots).fill(Number.POSITIVE_INFINITY),
      new Float64Array(slots).fill(Number.POSITIVE_INFINITY),
    ];
    const high = low.map((values) => values.map((value) => -value));
    for (let i = 0; y && i < rows; i++) {
      if (weight && weight[i] === 0) continue;
      for (let k = y[i] === 1 ? 1 : 0; k < (y[i] > 0 ? 2 : 1); k++) {
        for (let j = 0; j < slots; j++) {
          const v = view[i * stride + j];
          if (v < low[k][j]) low[k][j] = v;
          if (v > high[k][j]) high[k][j] = v;
        }
      }
    }
    for (let j = 0; y && j < slots; j++) {
      separates[j] = Number(!constant[j] && (high[0][j] <= low[1][j] || high[1][j] <= low[0][j]));
    }
  }
  return { square, constant, separates };
}
