import type { Precision, RowsBatch } from '../../bindings/batch.ts';
import { type Engine, pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import type { SparseBatch } from '../../bindings/sparse.ts';
import type { SlotName } from '../encode/encoder.ts';
import type { FitReport, Warning } from '../model/manifest.ts';
import type { SlotProfile } from './diagnose.ts';
import { checkOptions, isPenalized, type PenaltyOptions, type SolverOptions, settingsOf } from './fit.ts';
import { foldParameters, type Standardisation, unfoldParameters } from './inference.ts';
import { type Penalty, solve, type Task } from './solve.ts';

/** Numbers, row-major without gaps; stored for the fit in the type of the array. */
export interface DenseMatrix {
  readonly layout: 'rows';
  readonly rows: number;
  readonly columns: number;
  /** length rows · columns */
  readonly values: Float64Array | Float32Array;
}

/** Compressed sparse rows. @see SparseRows */
export interface SparseMatrix {
  readonly layout: 'sparse';
  readonly rows: number;
  readonly columns: number;
  readonly rowPtr: Uint32Array;
  readonly colIdx: Uint32Array;
  /** null: all are one */
  readonly values: Float64Array | Float32Array | null;
}

/** What `fitMatrix` is told; all of it may be absent. */
export interface MatrixOptions extends Omit<PenaltyOptions, 'penaltyFactors' | 'bounds'>, Omit<SolverOptions, 'start'> {
  /** default 2; more are a multinomial fit */
  readonly classes?: number;
  /** sample weights, finite and ≥ 0 */
  readonly weight?: ArrayLike<number> | null;
  /** added to the logit; for two classes */
  readonly offset?: ArrayLike<number> | null;
  /** f ≥ 0, one a column: factors on the penalty */
  readonly penaltyFactors?: ArrayLike<number>;
  /** one a column, ≤ 0 */
  readonly lower?: ArrayLike<number>;
  /** one a column, ≥ 0 */
  readonly upper?: ArrayLike<number>;
  /** where to start: weights and intercepts as in the result */
  readonly start?: Pick<MatrixFit, 'weights' | 'intercept'>;
  readonly inference?: boolean;
  /** of the batch, when x is one */
  readonly engine?: Engine;
}

export interface MatrixFit {
  /** K × columns, K = 1 for two classes, else the number of classes */
  readonly weights: Float64Array;
  /** length K */
  readonly intercept: Float64Array;
  /** of each class the columns, then the intercept; null without inference or where it does not exist */
  readonly covariance: Float64Array | null;
  readonly report: FitReport;
  readonly warnings: Warning[];
}

/**
 * `fit` for numbers without names: a matrix and the class of each row.
 *
 * Formula, penalties, solvers and warnings as of `fit`; columns are called x0, x1, …. `standardize` is false unless given: the penalty acts on
 * the weights as they are returned. A dense matrix is copied and standardised inside. A batch (of rows, or sparse) is used where it lies: the
 * fit then takes 16 to 32 bytes a row beside it.
 *
 * @param x  of a batch's engine `options.engine` must be given
 * @param y  length rows: classes 0 to K − 1; for two classes also shares of class 1 between them
 * @throws ERR_SHAPE for lengths that do not fit, ERR_RANGE for values outside their domain, ERR_TARGET when a class has no row
 */
export function fitMatrix(
  x: DenseMatrix | SparseMatrix | RowsBatch | SparseBatch,
  y: ArrayLike<number>,
  options: MatrixOptions = {},
): MatrixFit {
  const { penaltyFactors, lower, upper, start, ...plain } = options;
  checkOptions({ ...plain, start: undefined });
  const { rows } = x;
  const columns = widthOf(x);
  const weight = vector('weight', options.weight, rows, 0, 'a finite number >= 0');
  const offset = vector('offset', options.offset, rows, Number.NEGATIVE_INFINITY, 'a finite number');
  const classes = options.classes ?? 2;
  const target = readClasses(y, rows, classes, weight, offset);
  const loaded = load(options.engine, x, weight);
  const { engine, batch, standard, spread } = loaded;
  try {
    const likelihood =
      classes === 2
        ? engine.likelihood(batch, { y: target, weight, offset })
        : engine.multinomial(batch, { y: target, classes, weight });
    try {
      const totalWeight = weight ? weight.reduce((sum, s) => sum + s, 0) : rows;
      const penalized = isPenalized(plain);
      const penalty: Penalty = {
        lambda: penalized ? (options.lambda ?? 1 / ((options.C ?? 1) * totalWeight)) : 0,
        l1Ratio: penalized ? (options.l1Ratio ?? 0) : 0,
        unit: options.standardize ? spread : standard.scale.map((scale) => 1 / scale),
        factors: vector('penaltyFactors', penaltyFactors, columns, 0, 'a finite number >= 0'),
        lower: vector('lower', lower, columns, Number.NEGATIVE_INFINITY, 'a number <= 0', 0),
        upper: vector('upper', upper, columns, 0, 'a number >= 0', Number.POSITIVE_INFINITY),
      };
      const labels = Array.from({ length: columns }, (_, j) => `x${j}`);
      const task: Task = {
        likelihood,
        features: labels.map((name) => ({
          kind: 'numeric',
          name,
          mean: 0,
          scale: 1,
          min: 0,
          max: 0,
          indicator: false,
        })),
        slots: labels.map((name, feature): SlotName => ({ feature, name, level: null, role: 'number' })),
        profile: profile(batch, spread, classes === 2 && !penalized ? target : null, weight),
        standard,
        y: target,
        weight,
        offset,
        totalWeight,
        cells: 'entries' in batch ? batch.entries / rows : columns,
        unit: weight && !weight.every(Number.isInteger) ? weight : null,
      };
      const from = start && unfoldParameters(start.weights, start.intercept, standard);
      const fitted = solve(
        task,
        penalty,
        settingsOf({
          solver: plain.solver,
          tol: plain.tol,
          maxIter: plain.maxIter,
          inference: plain.inference,
          onIteration: plain.onIteration,
        }),
        from,
      );
      const { weights, intercept } = foldParameters(fitted.params, standard);
      return {
        weights,
        intercept,
        covariance: fitted.covariance,
        report: { ...fitted.report, rows, totalWeight },
        warnings: fitted.warnings,
      };
    } finally {
      likelihood.free();
    }
  } finally {
    loaded.free();
  }
}

const widthOf = (x: DenseMatrix | SparseMatrix | RowsBatch | SparseBatch) => ('slots' in x ? x.slots : x.columns);

/** @throws ERR_SHAPE, ERR_RANGE naming the first entry that is not as the rule says */
function vector(
  what: string,
  values: ArrayLike<number> | null | undefined,
  length: number,
  least: number,
  rule: string,
  greatest = Number.MAX_VALUE,
): Float64Array | null {
  if (!values) return null;
  if (values.length !== length) {
    throw new LogoddsError('ERR_SHAPE', `${what}: expected ${length} values, got ${values.length}`);
  }
  const out = Float64Array.from(values);
  const bad = out.findIndex(
    (value) => !(value >= least && value <= greatest) || (least < 0 && greatest > 0 && !Number.isFinite(value)),
  );
  if (bad >= 0) throw new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${out[bad]} at ${bad}; correct it`);
  return out;
}

function readClasses(
  y: ArrayLike<number>,
  rows: number,
  classes: number,
  weight: Float64Array | null,
  offset: Float64Array | null,
): Float64Array {
  if (!(Number.isInteger(classes) && classes >= 2)) {
    throw new LogoddsError('ERR_RANGE', `classes: expected a whole number >= 2, got ${classes}; 2 is the default`);
  }
  if (y.length !== rows) throw new LogoddsError('ERR_SHAPE', `y: expected ${rows} values (rows of x), got ${y.length}`);
  if (offset && classes > 2) {
    throw new LogoddsError('ERR_RANGE', `offset: expected none with ${classes} classes, got one; leave it out`);
  }
  const target = Float64Array.from(y);
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
  if (absent >= 0) {
    throw new LogoddsError(
      'ERR_TARGET',
      `y: expected rows of positive weight in each of ${classes} classes, got none in class ${absent}; give it rows, or fewer classes`,
    );
  }
  return target;
}

interface Loaded {
  readonly engine: Engine;
  readonly batch: RowsBatch | SparseBatch;
  readonly standard: Standardisation;
  /** standard deviation of each column of the batch; 0 for one that has a single value */
  readonly spread: Float64Array;
  free(): void;
}

/** The numbers in memory of an engine: where they are a batch already, as it is; else a copy, standardised when dense. */
function load(
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
    const spread = 'view' in x ? wanted.moments(x, weight).deviation : sparseDeviation(x, columns, weight);
    return { engine: wanted, batch: x, standard: identity, spread, free() {} };
  }
  const engine = wanted ?? pickEngine();
  const { rows, values } = x;
  const precision: Precision = values instanceof Float32Array ? 'f32' : 'f64';
  if (x.layout === 'sparse') {
    const batch = engine.sparse(x, columns, precision);
    const spread = sparseDeviation(x, columns, weight);
    return { engine, batch, standard: identity, spread, free: () => batch.free() };
  }
  if (x.values.length !== rows * columns) {
    throw new LogoddsError('ERR_SHAPE', `x: expected ${rows} × ${columns} values, got ${x.values.length}`);
  }
  const batch = engine.rows(rows, columns, precision);
  try {
    batch.set(x.values);
    const { mean, deviation } = engine.moments(batch, weight);
    const bad = deviation.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw refuseColumn(x, bad);
    const scale = deviation.map((value) => (value > 0 ? value : 1));
    engine.scale(
      batch,
      mean,
      scale.map((value) => 1 / value),
    );
    const spread = deviation.map((value) => Number(value > 0));
    return { engine, batch, standard: { shift: mean, scale }, spread, free: () => batch.free() };
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
  return new LogoddsError(
    'ERR_RANGE',
    `x, column ${column}: expected a spread below 1e154, got more; rescale the column`,
  );
}

/** √(Σ sᵢ(xᵢ − mean)²/Σ sᵢ) of each column. @throws ERR_RANGE for a value that is not finite */
function sparseDeviation(
  { rowPtr, colIdx, values }: Pick<SparseMatrix, 'rowPtr' | 'colIdx' | 'values'>,
  columns: number,
  weight: Float64Array | null,
): Float64Array {
  const rows = rowPtr.length - 1;
  const sum = new Float64Array(columns);
  const square = new Float64Array(columns);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    const s = weight ? weight[i] : 1;
    total += s;
    for (let e = rowPtr[i]; e < rowPtr[i + 1]; e++) {
      const v = values ? values[e] : 1;
      sum[colIdx[e]] += s * v;
      square[colIdx[e]] += s * v * v;
    }
  }
  const bad = square.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const e = colIdx.findIndex((column, k) => column === bad && !Number.isFinite(values?.[k] ?? 1));
    throw new LogoddsError(
      'ERR_RANGE',
      `x, entry ${e}, column ${bad}: expected a finite number, got ${values?.[e]}; correct it`,
    );
  }
  return square.map((value, j) => Math.sqrt(Math.max(0, value / total - (sum[j] / total) ** 2)));
}

/** @param y  where separating columns are looked for, else null */
function profile(
  batch: RowsBatch | SparseBatch,
  spread: Float64Array,
  y: Float64Array | null,
  weight: Float64Array | null,
): SlotProfile {
  const { rows, slots } = batch;
  const square = new Float64Array(slots);
  const separates = new Uint8Array(slots);
  const constant = Uint8Array.from(spread, (value) => Number(value === 0));
  const total = weight ? weight.reduce((sum, s) => sum + s, 0) : rows;
  if ('view' in batch) {
    spread.forEach((value, j) => {
      square[j] = total * value ** 2;
    });
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
    return { square, constant, separates };
  }
  const { rowPtr, colIdx, values } = batch;
  for (let i = 0; i < rows; i++) {
    const s = weight ? weight[i] : 1;
    for (let e = rowPtr[i]; e < rowPtr[i + 1]; e++) square[colIdx[e]] += s * (values ? values[e] ** 2 : 1);
  }
  return { square, constant, separates };
}
