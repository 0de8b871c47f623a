import { sliceTable, splitTable } from '../../src/encode/split.ts';
import {
  type BinaryMetrics,
  type Engine,
  evaluateBinary,
  type FitOptions,
  fit,
  LogoddsError,
  type Model,
  saveModel,
  type Table,
  type Warning,
} from '../../src/index.ts';
import { openDatabase } from './database.ts';
import { engineFor } from './engine.ts';
import { randomHoldout } from './holdout.ts';
import { startPhase, startRows } from './progress.ts';
import type { DataOptions } from './source.ts';
import { assertWritable, OutputFile } from './temporary.ts';
import { type Roles, readTraining } from './training.ts';

/** Options of `logodds train`, as values. What concerns the fit alone is handed on to `fit`. */
export interface TrainOptions
  extends DataOptions,
    Omit<Roles, 'holdoutBy'>,
    Pick<
      FitOptions,
      | 'positive'
      | 'C'
      | 'lambda'
      | 'penalty'
      | 'l1Ratio'
      | 'standardize'
      | 'coding'
      | 'references'
      | 'classWeight'
      | 'solver'
      | 'tol'
      | 'maxIter'
      | 'inference'
      | 'unseen'
      | 'engine'
    > {
  /** where the model goes */
  readonly out: string;
  /** for the fit and the scores, where no engine is given; 1 when absent. The numbers are the same for any. */
  readonly threads?: number;
  /** told when there are fewer threads than asked for */
  readonly warn?: (message: string) => void;
  /** share of rows held out (0.2 when absent), or false for none */
  readonly holdout?: number | false;
  /** hold out the rows with the largest values of this column instead of random ones */
  readonly holdoutBy?: string;
  /** of the random holdout; 1 when absent */
  readonly seed?: number;
}

export interface TrainResult {
  readonly model: Model;
  readonly rows: { readonly train: number; readonly holdout: number };
  /** of the held-out rows; null without any */
  readonly metrics: BinaryMetrics | null;
  readonly warnings: readonly Warning[];
  /** size of the model file */
  readonly bytes: number;
  /** wall time by phase: `fit` is encoding and fitting, `score` scoring the held-out rows (encoding included) */
  readonly seconds: {
    readonly read: number;
    readonly fit: number;
    readonly score: number;
    readonly evaluate: number;
    readonly write: number;
  };
}

/**
 * Reads, splits, fits, evaluates on the held-out rows and saves.
 * @throws the errors of reading (ERR_DATA, ERR_SCHEMA, ERR_RECORD), of `fit`, and ERR_OUTPUT
 */
export async function trainCommand(options: TrainOptions): Promise<TrainResult> {
  assertWritable(options.out);
  const engine = options.engine ?? engineFor(options.threads, options.warn);
  const clock = stopwatch();

  const { train, holdout, features } = await readSplit(options);
  const read = clock();

  const { model, warnings } = fitWithProgress(train, features, options, engine);
  const fitted = clock();

  const scored = holdout && scoreTable(model, engine, holdout);
  const score = clock();
  const evaluated = scored && evaluate(model, scored, holdout!, options.weight);
  const evaluated_ = clock();

  const bytes = saveModel(model);
  const file = new OutputFile(options.out);
  file.write(bytes);
  file.commit();
  const seconds = { read, fit: fitted, score, evaluate: evaluated_, write: clock() };
  const noAuc: Warning = {
    code: 'HOLDOUT_ONE_CLASS',
    message: 'the held-out rows have one class only, so there is no AUC; hold out more rows, or other ones',
    features: [],
  };
  return {
    model,
    rows: { train: train.rows, holdout: holdout?.rows ?? 0 },
    metrics: evaluated,
    warnings: evaluated?.auc === null ? [...warnings, noAuc] : warnings,
    bytes: bytes.length,
    seconds,
  };
}

/** Seconds since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}

interface Split {
  readonly train: Table;
  readonly holdout: Table | null;
  readonly features: readonly string[];
}

/** Reads the table and splits it; DuckDB and its memory are gone when this returns. */
async function readSplit(options: TrainOptions): Promise<Split> {
  const fraction = options.holdout ?? 0.2;
  const holdoutBy = fraction === false ? undefined : options.holdoutBy;
  const database = await openDatabase();
  try {
    const { table, features, largest } = await readTraining(
      database.connection,
      options,
      { ...options, holdoutBy },
      fraction || 0,
    );
    if (fraction === false) return { train: table, holdout: null, features };
    const heldOut = largest ?? randomRows(table, options.target, fraction, options.seed ?? 1);
    const { train, holdout } = splitTable(table, heldOut);
    return { train, holdout: holdout.rows > 0 ? holdout : null, features };
  } finally {
    database.close();
  }
}

function randomRows(table: Table, target: string, fraction: number, seed: number): Uint8Array {
  const column = table.columns.find((one) => one.name === target)!;
  return column.kind === 'coded'
    ? randomHoldout(column.codes, column.levels.length, fraction, seed)
    : new Uint8Array(table.rows);
}

function fitWithProgress(train: Table, features: readonly string[], options: TrainOptions, engine: Engine) {
  const phase = startPhase('fit', false);
  try {
    return fit(train, {
      target: options.target,
      positive: options.positive,
      features: [...features],
      weight: options.weight,
      offset: options.offset,
      C: options.C,
      lambda: options.lambda,
      penalty: options.penalty,
      l1Ratio: options.l1Ratio,
      standardize: options.standardize,
      coding: options.coding,
      references: options.references,
      classWeight: options.classWeight,
      solver: options.solver,
      tol: options.tol,
      maxIter: options.maxIter,
      inference: options.inference,
      unseen: options.unseen,
      engine,
      now: () => performance.now(),
      onIteration: ({ iteration, objective, gradNorm }) =>
        phase.update(
          null,
          `iteration ${iteration}, objective ${objective.toFixed(6)}, gradient ${gradNorm.toExponential(1)}`,
        ),
    });
  } finally {
    phase.end();
  }
}

/** Rows scored between two updates of the bar. */
const SLICE_ROWS = 65_536;

/** Logits of a table in memory. */
function scoreTable(model: Model, engine: Engine, table: Table): Float64Array {
  const logits = new Float64Array(table.rows);
  const scorer = model.scorer(engine);
  const phase = startRows('evaluate');
  try {
    for (let start = 0; start < table.rows; start += SLICE_ROWS) {
      const end = Math.min(start + SLICE_ROWS, table.rows);
      logits.set(scorer.score(sliceTable(table, start, end), start).logits, start);
      phase.update(end, end / table.rows);
    }
  } finally {
    phase.end();
    scorer.free();
  }
  return logits;
}

function evaluate(model: Model, logits: Float64Array, table: Table, weight: string | undefined): BinaryMetrics {
  const { target, positive } = model.manifest;
  const column = table.columns.find((one) => one.name === target)!;
  if (column.kind !== 'coded')
    throw new LogoddsError('ERR_TARGET', `target "${target}": expected categories, got numbers`);
  const code = column.levels.indexOf(positive);
  const weights = table.columns.find((one) => one.name === weight);
  const y = Uint8Array.from(column.codes, (value) => (value === code ? 1 : 0));
  return evaluateBinary(logits, y, weights?.kind === 'numeric' ? (weights.values as Float64Array) : undefined);
}

/** The object of `train --json`. */
export function trainJson(out: string, { model, rows, metrics, warnings }: TrainResult): object {
  const { classes, fit: report } = model.manifest;
  const { converged, reason, iterations, gradNorm, objective, logLik, seconds } = report;
  return {
    model: out,
    classes,
    rows,
    fit: { converged, reason, iterations, gradNorm, objective, logLik, seconds },
    holdout: metrics,
    warnings,
  };
}
