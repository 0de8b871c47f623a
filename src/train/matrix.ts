import type { Engine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { type OptionRule, refuseUnknown } from '../../bindings/names.ts';
import type { RowsBatch } from '../../bindings/rowsBatch.ts';
import type { SparseBatch } from '../../bindings/sparseBatch.ts';
import type { NumericFeature } from '../encode/schema.ts';
import { show } from '../messages.ts';
import { FittedModel } from '../model/fittedModel.ts';
import { type FitReport, FORMAT, type ObjectiveReport, PRODUCER, type Warning } from '../model/manifest.ts';
import { allStages } from '../stages.ts';
import { checkSolver, type SolverOptions, settingsOf } from './fitOptions.ts';
import { estimate } from './inference/estimate.ts';
import {
  checkMatrix,
  type DenseMatrix,
  F32_TOLERANCE,
  load,
  profile,
  readClasses,
  type SparseMatrix,
  vector,
  widthOf,
} from './matrixData.ts';
import {
  type GivenPenalty,
  kindRules,
  type PenaltyKind,
  type PenaltySpec,
  penaltySettings,
  readStrength,
  refuse,
  type Strength,
  strengthRules,
} from './penaltyOptions.ts';
import { WEIGHT_KINDS, type WeightKind } from './problem/options.ts';
import { columnSlots, type Slots } from './problem/slots.ts';
import { foldExactly, unfoldParameters } from './problem/standardise.ts';
import type { Task } from './problem/task.ts';
import type { Penalty } from './solve/types.ts';

/** Factors and bounds of single columns. */
export interface PenaltyByColumn {
  /** one for each column, ≥ 0: multiplies the penalty of its weight; default all 1 */
  readonly factors?: ArrayLike<number>;
  /** one for each column, ≤ 0: least raw-scale weight; default no bounds */
  readonly lower?: ArrayLike<number>;
  /** one for each column, ≥ 0: greatest raw-scale weight; default no bounds */
  readonly upper?: ArrayLike<number>;
}

/** The penalty of `fitMatrix`, as `PenaltyOptions`; factors and bounds are arrays with one entry a column. */
export type MatrixPenaltyOptions =
  | ({ readonly penalty?: 'none' | (Strength & PenaltyKind & PenaltyByColumn) } & {
      readonly [setting in 'C' | 'lambda' | keyof PenaltyKind]?: undefined;
    })
  | ({ readonly penalty?: undefined } & Strength & PenaltyKind);

/** Weights, offsets, names and other data about the rows and columns of a matrix. */
export interface MatrixDataOptions {
  /** names of the columns; default x0, x1, … */
  readonly names?: readonly string[];
  /** number of classes K; default 2; with more the fit is multinomial */
  readonly classes?: number;
  /** sample weights, one for each row, finite and ≥ 0; default all 1 */
  readonly weight?: ArrayLike<number> | null;
  /** `sampling` (default): how much a row stands for, at any scale; `count`: how many rows it stands for */
  readonly weightKind?: WeightKind;
  /** one for each row, added to the logit; for two classes only */
  readonly offset?: ArrayLike<number> | null;
  /** weights and intercepts that the solver starts from, in the form of the result; default intercepts alone */
  readonly start?: Pick<MatrixFit, 'weights' | 'intercept'>;
  /** true computes the covariance of the estimates; needs a fit without a penalty; default false */
  readonly inference?: boolean;
  /** the engine that computes; for a batch it must be the engine of the batch; default a new one */
  readonly engine?: Engine;
}

/** Options of `fitMatrix`. All of them have defaults. */
export type MatrixOptions = MatrixDataOptions & MatrixPenaltyOptions & SolverOptions;

/** The names of these options; the compiler misses one that is not here. */
const matrixOptions = (): Readonly<Record<keyof MatrixOptions, OptionRule>> => ({
  ...strengthRules,
  ...kindRules,
  penalty: true,
  solver: true,
  tol: 'a number',
  maxIter: 'a number',
  onIteration: 'a function',
  names: 'a list of names',
  classes: true,
  weight: true,
  weightKind: true,
  offset: true,
  start: 'an object',
  inference: 'true or false',
  engine: true,
});

/** The result of `fitMatrix`. */
export interface MatrixFit {
  /**
   * a model that scores, explains and saves like one of `fit`; its classes are "0", "1", …, its offset is `offset` (`offset_` where a column
   * has that name); it is built when first read
   */
  readonly model: FittedModel;
  /** K × columns, row after row; K is 1 for two classes, else the number of classes */
  readonly weights: Float64Array;
  /** length K */
  readonly intercept: Float64Array;
  /** row-major, for each class its columns, then its intercept; null without inference, or where it does not exist */
  readonly covariance: Float64Array | null;
  readonly report: FitReport;
  readonly warnings: Warning[];
}

/**
 * Fits a logistic regression to a matrix of numbers and the class of each row.
 *
 * Formula, penalties, solvers and warnings are those of `fit`. A dense matrix is copied and standardised. A batch (`rows` or `sparse`) is used
 * where it lies, and the fit then takes 16 to 32 bytes a row of its own. Dense and sparse matrices may hold numbers of any size, as long as the
 * spread of each column is finite. In a batch numbers range from 1e-150 to 1e150 in size.
 *
 * @param given    the matrix; for a batch `options.engine` must be the engine of the batch
 * @param y        one for each row: classes 0 to K − 1; for two classes also shares of class 1, between 0 and 1
 * @param options  all have defaults; columns are called x0, x1, … unless `names` says otherwise
 * @throws ERR_SHAPE for lengths that do not fit; ERR_RANGE for values outside their domain; ERR_TARGET when a class has no row
 * @example
 * const x = { layout: 'rows', rows: 6, columns: 1, values: Float64Array.of(0, 1, 2, 3, 4, 5) };
 * const { weights, intercept, model } = fitMatrix(x, [0, 0, 1, 0, 1, 1], { penalty: 'none' });
 * weights; // [1.2140]
 * intercept; // [-3.0351]
 * model.score({ x0: 2.5 }).probability; // 0.5
 */
export function fitMatrix(
  given: DenseMatrix | SparseMatrix | RowsBatch | SparseBatch,
  y: ArrayLike<number>,
  options: MatrixOptions = {},
): MatrixFit {
  refuseUnknown('fitMatrix', options, matrixOptions());
  const { start, weightKind = 'sampling', inference = false } = options;
  const { strength, factors, lower, upper } = readMatrixPenalty(options);
  checkSolver(options, strength);
  const x = checkMatrix(given);
  const { rows } = x;
  const columns = widthOf(x);
  const slots = columnSlots(columns, namesOf(options.names, columns));
  const weight = vector('weight', options.weight, rows, 0, 'a finite number >= 0');
  if (!WEIGHT_KINDS.includes(weightKind)) {
    throw new LogoddsError('ERR_RANGE', `weightKind: expected sampling or count, got ${show(weightKind)}`);
  }
  const part = weightKind === 'count' ? (weight?.findIndex((s) => !Number.isInteger(s)) ?? -1) : -1;
  if (part >= 0) {
    throw new LogoddsError(
      'ERR_RANGE',
      `weight: expected whole numbers (they count rows), got ${weight![part]} at ${part}; use weightKind "sampling" for weights of a sample`,
    );
  }
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
      const { penalized, C = 1, lambda, l1Ratio, standardize } = strength;
      const penalty: Penalty = {
        lambda: penalized ? (lambda ?? 1 / (C * totalWeight)) : 0,
        l1Ratio: penalized ? l1Ratio : 0,
        unit: standardize ? spread : standard.scale.map((scale) => 1 / scale),
        factors: vector('factors', factors, columns, 0, 'a finite number >= 0'),
        lower: vector('lower', lower, columns, Number.NEGATIVE_INFINITY, 'a number <= 0', 0),
        upper: vector('upper', upper, columns, 0, 'a number >= 0', Number.POSITIVE_INFINITY),
      };
      const task: Task = {
        likelihood,
        slots,
        profile: profile(loaded, classes === 2 && !penalized ? target : null, weight),
        standard,
        y: target,
        weight,
        offset,
        totalWeight,
        cells: 'entries' in batch ? batch.entries / rows : columns,
        // weights of 0 and 1 say which rows there are
        unit: weightKind === 'count' || (weight?.every((s) => s === 0 || s === 1) ?? true) ? null : weight,
        copies: weightKind === 'count' ? weight : null,
        ...(batch.precision === 'f32' && { rankTolerance: F32_TOLERANCE }),
      };
      const k = likelihood.classes;
      const from =
        start &&
        unfoldParameters(
          vector('weights of start', start.weights ?? [], k * columns, Number.NEGATIVE_INFINITY, 'a finite number')!,
          vector('intercept of start', start.intercept ?? [], k, Number.NEGATIVE_INFINITY, 'a finite number')!,
          standard,
        );
      const fitted = estimate(task, penalty, { ...settingsOf(options), inference }, from);
      const { weights, intercept } = foldExactly(fitted.params, standard, slots);
      const { covariance, warnings, aliased } = fitted;
      const objective: ObjectiveReport = {
        lambda: penalty.lambda,
        l1Ratio: penalty.l1Ratio,
        C: penalized ? (lambda === undefined ? C : 1 / (lambda * totalWeight)) : null,
        standardize,
      };
      const result = { weights, intercept, covariance, report: { ...fitted.report, rows, totalWeight }, warnings };
      const about = {
        slots,
        classes,
        aliased,
        objective,
        offset: offset !== null,
        mean: loaded.mean,
        scale: spread.map((value, j) => value * standard.scale[j] || 1),
      };
      let model: FittedModel | null = null;
      return {
        ...result,
        get model() {
          model ??= matrixModel(result, about);
          return model;
        },
      };
    } finally {
      likelihood.free();
    }
  } finally {
    loaded.free();
  }
}

/** @throws ERR_RANGE for settings that do not exist, or lie outside their domain */
function readMatrixPenalty(options: MatrixOptions): PenaltyByColumn & { readonly strength: PenaltySpec } {
  type Settings = GivenPenalty & PenaltyByColumn;
  const rules = { ...strengthRules, ...kindRules, factors: true, lower: true, upper: true } as const;
  const { form, settings } = penaltySettings<Settings>(options as GivenPenalty, rules);
  if (form === 'firth') refuse('penalty', 'none or an object of settings', 'firth', 'use fit with a table for Firth');
  const { factors, lower, upper } = settings;
  return { strength: { ...readStrength(settings, form === 'settings'), firth: false }, factors, lower, upper };
}

/** @throws ERR_SHAPE unless there is a name of its own for each column */
function namesOf(names: readonly string[] | undefined, columns: number): readonly string[] | null {
  if (!names) return null;
  const different = new Set(names).size;
  if (names.length !== columns || different !== columns) {
    throw new LogoddsError(
      'ERR_SHAPE',
      `names: expected ${columns} different names (columns of x), got ${different} of ${names.length}; give each column its own name`,
    );
  }
  return [...names];
}

/** A name that no column has: this, or with as many _ as it takes. */
const free = (name: string, features: readonly NumericFeature[]): string =>
  features.some((feature) => feature.name === name) ? free(`${name}_`, features) : name;

/** The model of a fitted matrix. */
function matrixModel(
  { weights, intercept, covariance, report, warnings }: Omit<MatrixFit, 'model'>,
  about: {
    readonly slots: Slots;
    readonly classes: number;
    readonly aliased: readonly number[];
    readonly objective: ObjectiveReport;
    readonly offset: boolean;
    readonly mean: Float64Array;
    readonly scale: Float64Array;
  },
): FittedModel {
  const { slots, classes, aliased, objective, mean, scale } = about;
  const features = Array.from(mean, (value, j): NumericFeature => {
    const { name } = slots.at(j);
    // the range of a column is not known
    const range = { min: -Number.MAX_VALUE, max: Number.MAX_VALUE };
    return { kind: 'numeric', name, mean: value, scale: scale[j], ...range, indicator: false };
  });
  return new FittedModel({
    manifest: {
      format: FORMAT,
      producer: PRODUCER,
      classes: Array.from({ length: classes }, (_, k) => String(k)),
      positive: classes === 2 ? '1' : null,
      multiclass: classes === 2 ? null : 'multinomial',
      reference: classes > 2 && objective.lambda === 0 ? '0' : null,
      target: free('y', features),
      schema: { features },
      objective,
      decision: { threshold: 0.5 },
      offset: about.offset ? free('offset', features) : null,
      weight: null,
      fit: report,
      aliased,
      warnings,
    },
    weights,
    intercept,
    covariance,
    baseline: mean,
    stages: allStages,
  });
}
