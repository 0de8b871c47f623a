import { type Engine, pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import { findColumns } from '../encode/columns.ts';
import { Encoder } from '../encode/encoder.ts';
import { inferSchema } from '../encode/infer.ts';
import { list, show } from '../encode/label.ts';
import type { Schema } from '../encode/schema.ts';
import type { Table } from '../encode/table.ts';
import { FORMAT, type Manifest, type Warning } from '../model/manifest.ts';
import { Model } from '../model/model.ts';
import { profileSlots } from './diagnose.ts';
import { foldParameters, standardisation } from './inference.ts';
import type { Progress } from './objective.ts';
import { type SolverChoice, solve } from './solve.ts';
import { classFactors, readOffset, readTarget, readWeight, type Target } from './target.ts';

/** What `fit` is told; everything but `target` may be absent. */
export interface FitOptions {
  /** the column to predict: two classes, as text or numbers */
  readonly target: string;
  /** the class whose probability the model gives; by default the one label among 1, true, yes, else the second of the two sorted */
  readonly positive?: string;
  /** feature columns; by default all but target, weight, offset and `exclude` */
  readonly features?: readonly string[];
  readonly exclude?: readonly string[];
  /** numeric columns to treat as categories */
  readonly categorical?: readonly string[];
  /** column of sample weights: weight 2 is a row seen twice, weight 0 a row left out */
  readonly weight?: string;
  /** column that is added to the logit */
  readonly offset?: string;
  /** inverse strength of the L2 penalty, > 0: C = 1/(λS); 1 unless `lambda` or `penalty` is given; Infinity is no penalty */
  readonly C?: number;
  /** strength λ ≥ 0 of the L2 penalty on the mean loss */
  readonly lambda?: number;
  readonly penalty?: 'none';
  /** α in [0, 1]: the share of the penalty on absolute values; 0 (default) is L2, 1 is L1, between them the elastic net */
  readonly l1Ratio?: number;
  /** true (default): the penalty acts on weights of standardised numeric features; false: on raw-scale weights */
  readonly standardize?: boolean;
  /** by default onehot with a penalty, treatment without */
  readonly coding?: 'onehot' | 'treatment';
  /** reference level by feature, under treatment coding; by default the first level */
  readonly references?: Readonly<Record<string, string>>;
  /** factors on the sample weights of each class; `balanced`: S / (2·S_c) */
  readonly classWeight?: 'balanced' | Readonly<Record<string, number>>;
  /** auto (default): coordinate descent (`cd`) where l1Ratio > 0, else Newton up to 1000 free parameters, else L-BFGS */
  readonly solver?: SolverChoice;
  /** converged when max |∂f/∂wⱼ| on standardised features is at most this; default 1e-8 */
  readonly tol?: number;
  /** default 100 for Newton, 1000 for L-BFGS */
  readonly maxIter?: number;
  /** covariance of the estimate, for standard errors; only without penalty */
  readonly inference?: boolean;
  readonly engine?: Engine;
  /** what an unseen category does at scoring: takes a slot of weight 0 (default), or is an error */
  readonly unseen?: 'slot' | 'error';
  /** what a missing cell takes: a slot of its own (default), or the most frequent level or the mean */
  readonly missing?: 'slot' | 'mode';
  /** called after every iteration of the solver, for a progress display */
  readonly onIteration?: (progress: Progress) => void;
  /** a clock in milliseconds, for `seconds` of the report */
  readonly now?: () => number;
}

const DEFAULT_TOL = 1e-8;
const PRODUCER = 'logodds 0.1.0';

/**
 * Fits a binary logistic regression to a table.
 *
 *   minimise  1/S · Σ sᵢ·cᵢ·(log(1 + exp(zᵢ)) − yᵢ·zᵢ) + λ·Σ ((1 − α)/2·wⱼ² + α·|wⱼ|),   zᵢ = xᵢ·w + b + offsetᵢ,   S = Σ sᵢ
 *
 * s are the sample weights, c the class weights, α is l1Ratio. Numeric features are standardised inside and w are their weights; with
 * `standardize: false` the penalty acts on raw-scale weights. The intercept is not penalised. The model holds weights for raw features.
 *
 * Not converging, separation, collinear and constant columns are results: fields of `model.manifest.fit`, and warnings that name the features:
 * CONSTANT_COLUMN, RANK_DEFICIENT, RANK_UNCHECKED, UNDERDETERMINED, SEPARATION, NOT_CONVERGED, INFERENCE_PENALIZED, INFERENCE_WEIGHTS,
 * INFERENCE_UNAVAILABLE.
 *
 * @throws ERR_RANGE options outside their domain; weights that are negative or all zero
 * @throws ERR_SCHEMA columns that are absent, duplicate, of the wrong type, or no feature at all
 * @throws ERR_TARGET a target with missing cells, or with other than two classes
 * @throws ERR_RECORD a cell that cannot be used
 * @throws ERR_DATA a table without rows
 * @see Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4; scikit-learn, LogisticRegression (for C and class weights)
 */
export function fit(table: Table, options: FitOptions): { model: Model; warnings: Warning[] } {
  checkOptions(options);
  if (table.rows === 0) {
    throw new LogoddsError('ERR_DATA', 'table: expected at least one row, got none; check the file or the query');
  }
  const started = options.now?.();
  const exclude = excludedColumns(table, options);
  const target = readTarget(table, options.target, options.positive);
  const weight = options.weight === undefined ? null : readWeight(table, options.weight);
  const offset = options.offset === undefined ? null : readOffset(table, options.offset);
  const share = classShare(target.y, weight, target, options);
  const totalWeight = share[0] + share[1];
  const { lambda, C } = penaltyStrength(options, totalWeight);
  const standardize = options.standardize ?? true;
  const schema = inferSchema(table, {
    exclude,
    coding: options.coding ?? (lambda > 0 ? 'onehot' : 'treatment'),
    categorical: options.categorical,
    references: options.references,
    weight,
    unseen: options.unseen,
    missing: options.missing,
  });
  const effective = effectiveWeight(target, weight, share, options);

  const encoder = new Encoder(tolerant(schema));
  const engine = options.engine ?? pickEngine();
  const batch = engine.columns(table.rows, encoder.specs, 'f64');
  try {
    encoder.encode(table, batch, { standardize: true });
    const likelihood = engine.likelihood(batch, { y: target.y, weight: effective, offset });
    try {
      const slots = encoder.slotNames;
      const standard = standardisation(schema.features, slots);
      const fitted = solve({
        likelihood,
        features: schema.features,
        slots,
        profile: profileSlots(batch, target.y, effective),
        standard,
        y: target.y,
        weight: effective,
        offset,
        totalWeight,
        lambda,
        l1Ratio: options.l1Ratio ?? 0,
        standardize,
        solver: options.solver ?? 'auto',
        tol: options.tol ?? DEFAULT_TOL,
        maxIter: options.maxIter,
        inference: options.inference ?? false,
        counts: options.classWeight === undefined && (weight?.every(Number.isInteger) ?? true),
        onIteration: options.onIteration,
      });
      const { weights, intercept } = foldParameters(fitted.params, standard);
      const manifest: Manifest = {
        format: FORMAT,
        producer: PRODUCER,
        classes: target.classes,
        positive: target.positive,
        target: options.target,
        schema,
        objective: { lambda, l1Ratio: lambda > 0 ? (options.l1Ratio ?? 0) : 0, C, standardize },
        decision: { threshold: 0.5 },
        offset: options.offset ?? null,
        weight: options.weight ?? null,
        fit: {
          ...fitted.report,
          rows: table.rows,
          totalWeight,
          seconds: started === undefined ? null : (options.now!() - started) / 1000,
        },
        aliased: fitted.aliased,
        warnings: fitted.warnings,
      };
      const model = new Model({ manifest, weights, intercept, covariance: fitted.covariance });
      return { model, warnings: fitted.warnings };
    } finally {
      likelihood.free();
    }
  } finally {
    batch.free();
  }
}

/** The schema with a slot for unseen values everywhere: rows of weight 0 may hold levels that no counted row has. */
function tolerant(schema: Schema): Schema {
  return {
    features: schema.features.map((feature) =>
      feature.kind === 'categorical' ? { ...feature, unseen: 'slot' as const } : feature,
    ),
  };
}

function excludedColumns(table: Table, { target, weight, offset, features, exclude = [] }: FitOptions): string[] {
  const roles = [target, weight, offset].filter((name) => name !== undefined);
  findColumns(table, [...roles, ...(features ?? []), ...exclude]);
  const used = features?.find((name) => roles.includes(name));
  if (used !== undefined) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `features: expected columns besides target, weight and offset, got ${show(used)}; leave it out`,
    );
  }
  const dropped = new Set([...roles, ...exclude]);
  const names = table.columns.map((column) => column.name);
  const excluded = names.filter((name) => dropped.has(name) || (features && !features.includes(name)));
  if (excluded.length === names.length) {
    throw new LogoddsError(
      'ERR_SCHEMA',
      `features: expected at least one column besides target, weight, offset and excluded ones, got none of ${list(names)}; keep one`,
    );
  }
  return excluded;
}

/** S_c of the negative and the positive class, before class weights. */
function classShare(
  y: Float64Array,
  weight: Float64Array | null,
  target: Target,
  options: FitOptions,
): [number, number] {
  const share: [number, number] = [0, 0];
  for (let i = 0; i < y.length; i++) share[y[i]] += weight ? weight[i] : 1;
  const { classes, positive } = target;
  if (share[0] > 0 && share[1] > 0) return share;
  const label = share[1] > 0 ? positive : classes[0] === positive ? classes[1] : classes[0];
  throw new LogoddsError(
    'ERR_TARGET',
    `target ${show(options.target)}: expected two classes with positive weight, got only ${show(label)}; give rows of both outcomes a weight above 0`,
  );
}

function effectiveWeight(
  target: Target,
  weight: Float64Array | null,
  share: readonly [number, number],
  { classWeight }: FitOptions,
): Float64Array | null {
  if (classWeight === undefined) return weight;
  const factor = classFactors(classWeight, target, share);
  return target.y.map((y, i) => factor[y] * (weight ? weight[i] : 1));
}

/** λ and C = 1/(λS); without a penalty 0 and null. */
function penaltyStrength(
  { C = 1, lambda, penalty }: FitOptions,
  totalWeight: number,
): { lambda: number; C: number | null } {
  if (penalty === 'none' || lambda === 0 || C === Number.POSITIVE_INFINITY) return { lambda: 0, C: null };
  return lambda === undefined ? { lambda: 1 / (C * totalWeight), C } : { lambda, C: 1 / (lambda * totalWeight) };
}

function checkOptions({ C, lambda, penalty, l1Ratio, tol, maxIter, solver = 'auto' }: FitOptions): void {
  const refuse = (what: string, rule: string, got: unknown, next: string): never => {
    throw new LogoddsError('ERR_RANGE', `${what}: expected ${rule}, got ${String(got)}; ${next}`);
  };
  if (C !== undefined && !(C > 0)) refuse('C', 'a number > 0', C, 'smaller values penalise more');
  if (lambda !== undefined && !(lambda >= 0 && lambda < Number.POSITIVE_INFINITY))
    refuse('lambda', 'a finite number >= 0', lambda, '0 is no penalty');
  if (C !== undefined && lambda !== undefined)
    refuse('penalty', 'C or lambda', `both (C ${C}, lambda ${lambda})`, 'leave one out');
  if (penalty !== undefined && penalty !== 'none')
    refuse('penalty', '"none" or nothing', penalty, 'use C or lambda for its strength');
  if (penalty === 'none' && (C !== undefined || lambda !== undefined)) {
    refuse(
      'penalty',
      'no C and no lambda beside "none"',
      C !== undefined ? `C ${C}` : `lambda ${lambda}`,
      'leave one out',
    );
  }
  if (l1Ratio !== undefined && !(l1Ratio >= 0 && l1Ratio <= 1))
    refuse('l1Ratio', 'a number from 0 (L2) to 1 (L1)', l1Ratio, '0.5 is half of each');
  if (l1Ratio && (penalty === 'none' || lambda === 0 || C === Number.POSITIVE_INFINITY))
    refuse('l1Ratio', '0 without a penalty', l1Ratio, 'give a strength (C or lambda), or leave it out');
  if (!['auto', 'newton', 'lbfgs', 'cd'].includes(solver))
    refuse('solver', 'auto, newton, lbfgs or cd', solver, 'leave it out for auto');
  if (l1Ratio && (solver === 'newton' || solver === 'lbfgs'))
    refuse('solver', 'auto or cd with an l1Ratio above 0', solver, 'absolute values are not smooth; leave it out');
  if (tol !== undefined && !(tol > 0 && tol < Number.POSITIVE_INFINITY))
    refuse('tol', 'a finite number > 0', tol, `the default is ${DEFAULT_TOL}`);
  if (maxIter !== undefined && !(Number.isInteger(maxIter) && maxIter > 0))
    refuse('maxIter', 'a whole number > 0', maxIter, 'leave it out for the default');
}
