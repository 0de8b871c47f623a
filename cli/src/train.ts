import type { CalibrationMethod } from '../../src/calibrate/fit.ts';
import { sliceTable, splitTable } from '../../src/encode/split.ts';
import {
  type BinaryMetrics,
  bootstrap,
  type Engine,
  type FitOptions,
  LogoddsError,
  loadModel,
  type Model,
  saveModel,
  type Table,
  type Warning,
} from '../../src/index.ts';
import { fitCalibrated, type Prior } from '../../src/train/calibrated.ts';
import { codingOf, fitAnd } from '../../src/train/fit.ts';
import { outOfFold } from '../../src/train/outOfFold.ts';
import type { Problem } from '../../src/train/prepare.ts';
import { openDatabase } from './database.ts';
import { type DecisionOptions, decided } from './decide.ts';
import { engineFor } from './engine.ts';
import { evaluate, planes } from './evaluate.ts';
import { randomHoldout } from './holdout.ts';
import { type Phase, startPhase, startRows } from './progress.ts';
import { ColumnSummaries } from './report/columns.ts';
import { type Evaluation, lazyEvaluation, type ScoredRows } from './report/evaluation.ts';
import { type ReportTarget, writeReport } from './report/write.ts';
import { fitFacts } from './report.ts';
import { readModel } from './score.ts';
import type { DataOptions } from './source.ts';
import { collect, readWithin } from './spill.ts';
import { assertWritable, OutputFile } from './temporary.ts';
import { type Roles, readTraining } from './training.ts';

/** Options of `logodds train`, as values. What concerns the fit alone is handed on to `fit`. */
export interface TrainOptions
  extends DataOptions,
    Omit<Roles, 'holdoutBy' | 'groups' | 'time'>,
    DecisionOptions,
    Pick<
      FitOptions,
      | 'positive'
      | 'C'
      | 'lambda'
      | 'penalty'
      | 'l1Ratio'
      | 'multiclass'
      | 'penaltyFactors'
      | 'bounds'
      | 'standardize'
      | 'coding'
      | 'references'
      | 'classWeight'
      | 'solver'
      | 'tol'
      | 'maxIter'
      | 'inference'
      | 'profile'
      | 'firth'
      | 'unseen'
      | 'engine'
    > {
  /** where the model goes */
  readonly out: string;
  /** a model file to begin at */
  readonly start?: string;
  /** for the fit and the scores, where no engine is given; 1 when absent. The numbers are the same for any. */
  readonly threads?: number;
  /** told when there are fewer threads than asked for, and what a limit of memory leaves out */
  readonly warn?: (message: string) => void;
  /** bytes that the run may take above those of the program: the encoded rows stay in a scratch file that each pass reads */
  readonly memory?: number;
  /** share of rows held out (0.2 when absent), or false for none */
  readonly holdout?: number | false;
  /** hold out the rows with the largest values of this column instead of random ones */
  readonly holdoutBy?: string;
  /** of the random holdout and of the bootstrap; 1 when absent */
  readonly seed?: number;
  /** robust standard errors; with `cluster` by cluster */
  readonly robust?: boolean;
  /** how logits become probabilities, by five folds of the training rows; none when absent */
  readonly calibrate?: 'none' | CalibrationMethod;
  /** true shares of the classes, where those of the rows are not */
  readonly prior?: Prior;
  /** fits to so many resampled sets of the rows */
  readonly bootstrap?: number;
  /** a page that shows the fit and what it is worth; made here because it needs the rows */
  readonly report?: ReportTarget;
}

export interface TrainResult {
  readonly model: Model;
  readonly rows: { readonly train: number; readonly holdout: number };
  /** of the held-out rows; null without any */
  readonly metrics: BinaryMetrics | null;
  /** share of their features that took a default: missing, unseen or out of range; null without any */
  readonly defaulted?: number | null;
  /** curves and more of the same rows, worked out when first asked for; absent or null without metrics */
  readonly evaluation?: (() => Evaluation) | null;
  readonly warnings: readonly Warning[];
  /** size of the model file */
  readonly bytes: number;
  /** wall time by phase: `fit` is encoding (with `memory` part of `read`) and fitting, `score` scoring the held-out rows (encoding included) */
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
  if (options.report) assertWritable(options.report.path);
  const engine = options.engine ?? engineFor(options.threads, options.warn);
  const clock = stopwatch();

  const split = await readSplit(options, engine);
  try {
    return await fitAndSave(split, options, engine, clock);
  } finally {
    split.close();
  }
}

async function fitAndSave(
  split: Split,
  options: TrainOptions,
  engine: Engine,
  clock: () => number,
): Promise<TrainResult> {
  const { holdout } = split;
  const read = clock();

  const { model, warnings } = fitWithProgress(split, options, engine);
  const fitted = clock();
  await split.tidy();

  const scores = holdout && scoreRows(model, engine, split.part, split.partRows, holdout.rows);
  await split.tidy();
  const score = clock();
  const { metrics, scored, unknown } = scores
    ? evaluateHeldOut(model, scores, holdout!, options)
    : { metrics: null, scored: null, unknown: 0 };
  const evaluated = clock();

  const bytes = saveModel(model);
  const file = new OutputFile(options.out);
  file.write(bytes);
  file.commit();
  const seconds = { read, fit: fitted, score, evaluate: evaluated, write: clock() };
  const result: TrainResult = {
    model,
    rows: { train: split.rows, holdout: holdout?.rows ?? 0 },
    metrics,
    defaulted: scores?.defaulted ?? null,
    evaluation: scored && lazyEvaluation(model, scored, metrics!),
    warnings: [...warnings, ...holdoutWarnings(model, metrics, unknown)],
    bytes: bytes.length,
    seconds,
  };
  if (options.report) await writeTrainReport(options.report, result, bytes, split, options, engine);
  return result;
}

/** The page of `--report`: figures of the held-out rows; without any those of the fitted ones, where they are in memory. */
async function writeTrainReport(
  to: ReportTarget,
  { model, evaluation, warnings }: TrainResult,
  bytes: Uint8Array,
  { train, holdout }: Split,
  options: TrainOptions,
  engine: Engine,
): Promise<void> {
  const table = 'columns' in train ? train : null;
  const judge = (): Evaluation | null => {
    if (evaluation) return evaluation();
    if (holdout || !table) return null;
    const scores = scoreRows(model, engine, (start, end) => sliceTable(table, start, end), SLICE_ROWS, table.rows);
    const own = evaluateHeldOut(model, scores, table, options);
    return own.scored && lazyEvaluation(model, own.scored, own.metrics!)();
  };
  const columns =
    table && new ColumnSummaries([options.target, options.weight, options.offset, options.trials, options.cluster]);
  columns?.add(table!, numbersOf(table!, options.weight));
  await writeReport(to, {
    model,
    sample: holdout ? 'held-out' : 'fitted',
    evaluation: judge(),
    columns: columns?.finish() ?? null,
    warnings,
    facts: fitFacts(model),
    modelPath: options.out,
    sha256: loadModel(bytes).sha256,
    data: options,
    seed: options.holdout === false || options.holdoutBy !== undefined ? null : (options.seed ?? 1),
  });
}

function holdoutWarnings({ manifest }: Model, metrics: BinaryMetrics | null, unknown: number): Warning[] {
  const warnings: Warning[] = [];
  if (unknown > 0) {
    const message = `${unknown} held-out rows have a class that no fitted row has, and are left out of the metrics; hold out other rows`;
    warnings.push({ code: 'HOLDOUT_UNSEEN_CLASS', message, features: [] });
  }
  if (metrics?.auc === null) {
    const what = manifest.multiclass === null ? 'have one class only' : 'lack a class';
    const message = `the held-out rows ${what}, so there is no AUC; hold out more rows, or other ones`;
    warnings.push({ code: 'HOLDOUT_ONE_CLASS', message, features: [] });
  }
  return warnings;
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
  /** a table, or the rows as they are encoded in a file */
  readonly train: Table | Problem;
  readonly rows: number;
  /** held-out rows, at least the columns that are no features */
  readonly holdout: Table | null;
  /** held-out rows from start to end − 1, all columns */
  readonly part: (start: number, end: number) => Table;
  /** rows of a part at most */
  readonly partRows: number;
  readonly features: readonly string[];
  /** frees what nobody refers to, where memory is limited */
  tidy(): Promise<void>;
  close(): void;
}

/** Reads the table and splits it; DuckDB and its memory are gone when this returns. */
async function readSplit(options: TrainOptions, engine: Engine): Promise<Split> {
  const fraction = options.holdout ?? 0.2;
  const holdoutBy = fraction === false ? undefined : options.holdoutBy;
  const { memory } = options;
  if (memory !== undefined) {
    const { penalty, inference, profile, firth, robust } = options;
    const asked = inference || profile || robust;
    const split = await readWithin(memory, engine, {
      data: options,
      roles: { ...options, holdoutBy },
      fraction: fraction || 0,
      flags: (table) => (fraction === false ? null : randomRows(table, options.target, fraction, options.seed ?? 1)),
      columns: options,
      coding: codingOf(options),
      // logits to look for separation, weights of one; probabilities, sorted; those of Firth's leverages
      vectors: (classes) =>
        (penalty === 'none' || firth ? classes + 1 : 0) + (asked ? classes + 3 : 0) + (firth ? 3 : 0),
    });
    options.warn?.(
      'rows stay in a file, so missing cells, leakage, influential rows and the like are not looked for; run doctor on a sample',
    );
    return { ...split, rows: split.train.y.length, tidy: collect };
  }
  const database = await openDatabase();
  try {
    const { table, features, largest } = await readTraining(
      database.connection,
      options,
      { ...options, holdoutBy },
      fraction || 0,
    );
    if (fraction === false) return inMemory(table, null, features);
    const heldOut = largest ?? randomRows(table, options.target, fraction, options.seed ?? 1);
    const { train, holdout } = splitTable(table, heldOut);
    return inMemory(train, holdout.rows > 0 ? holdout : null, features);
  } finally {
    database.close();
  }
}

function inMemory(train: Table, holdout: Table | null, features: readonly string[]): Split {
  const part = (start: number, end: number) => sliceTable(holdout!, start, end);
  return { train, rows: train.rows, holdout, part, partRows: SLICE_ROWS, features, tidy: async () => {}, close() {} };
}

function randomRows(table: Table, target: string, fraction: number, seed: number): Uint8Array {
  const column = table.columns.find((one) => one.name === target)!;
  // counts of successes are no classes: all rows are of one kind
  return column.kind === 'coded'
    ? randomHoldout(column.codes, column.levels.length, fraction, seed)
    : randomHoldout(new Uint8Array(table.rows), 1, fraction, seed);
}

function fitWithProgress({ train, features }: Split, options: TrainOptions, engine: Engine) {
  const phase = startPhase('fit', false);
  try {
    const fitOptions: FitOptions = {
      target: options.target,
      positive: options.positive,
      schema: options.schema,
      features: [...features],
      weight: options.weight,
      offset: options.offset,
      trials: options.trials,
      multiclass: options.multiclass,
      penaltyFactors: options.penaltyFactors,
      bounds: options.bounds,
      start: options.start === undefined ? undefined : readModel(options.start),
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
      profile: options.profile,
      firth: options.firth,
      covariance: options.cluster !== undefined ? { cluster: options.cluster } : options.robust ? 'robust' : undefined,
      unseen: options.unseen,
      engine,
      diagnose: true,
      now: () => performance.now(),
      onIteration: ({ iteration, objective, gradNorm }) =>
        phase.update(
          null,
          `iteration ${iteration}, objective ${objective.toFixed(6)}, gradient ${gradNorm.toExponential(1)}`,
        ),
    };
    const { bootstrap: replicates, seed } = options;
    if (replicates === undefined) return fitAndDecide(train, fitOptions, options, phase);
    if ('batch' in train) {
      throw new LogoddsError('ERR_RANGE', 'bootstrap: expected all rows in memory, got a limit; leave out memory');
    }
    return bootstrap(train, fitOptions, { replicates, seed });
  } finally {
    phase.end();
  }
}

/** Fits, calibrates and decides; what needs rows that the model was not fitted to takes those of the same five folds. */
function fitAndDecide(
  train: Split['train'],
  fitOptions: FitOptions,
  options: TrainOptions,
  phase: Phase,
): { model: Model; warnings: Warning[] } {
  const { calibrate = 'none', prior, seed, cluster } = options;
  if ('batch' in train) {
    const refuse = (): never => {
      throw new LogoddsError(
        'ERR_RANGE',
        'cross-validation: expected all rows in memory, got a limit; leave out memory, or give a threshold',
      );
    };
    if (calibrate !== 'none' || prior !== undefined) refuse();
    const { model, warnings } = fitAnd(train, fitOptions);
    return { model: decided(model, options, refuse), warnings };
  }
  const folding = { seed, groups: cluster };
  // without either the model has no calibration at all
  const { model, warnings, ...fitted } =
    calibrate === 'none' && prior === undefined
      ? { ...fitAnd(train, fitOptions), outOfFold: null }
      : fitCalibrated(train, {
          ...fitOptions,
          prior,
          calibrate: calibrate === 'none' ? undefined : { method: calibrate, ...folding },
        });
  let rows = fitted.outOfFold;
  const outOfFoldRows = () => {
    phase.update(null, 'cross-validation');
    rows ??= outOfFold(train, { ...fitOptions, inference: false, profile: false, diagnose: false }, folding);
    return rows;
  };
  return { model: decided(model, options, outOfFoldRows), warnings };
}

/** Rows scored between two updates of the bar. */
const SLICE_ROWS = 65_536;

/** What the model says of rows: of each weight vector logits and probabilities, and the labels. */
function scoreRows(
  model: Model,
  engine: Engine,
  part: Split['part'],
  partRows: number,
  rows: number,
): Omit<ScoredRows, 'codes'> & { readonly defaulted: number } {
  let defaulted = 0;
  const logits = Array.from(model.intercept, () => new Float64Array(rows));
  const probabilities = Array.from(model.intercept, () => new Float64Array(rows));
  const labels = new Uint32Array(rows);
  const scorer = model.scorer(engine);
  const phase = startRows('evaluate');
  try {
    for (let start = 0; start < rows; start += partRows) {
      const end = Math.min(start + partRows, rows);
      const scores = scorer.score(part(start, end), start);
      planes(scores, scores.logits).forEach((plane, k) => {
        logits[k].set(plane, start);
      });
      planes(scores, scores.probabilities).forEach((plane, k) => {
        probabilities[k].set(plane, start);
      });
      labels.set(scores.labels, start);
      defaulted += sum(scores.defaulted);
      phase.update(end, end / rows);
    }
  } finally {
    phase.end();
    scorer.free();
  }
  return { logits, probabilities, labels, defaulted: defaulted / rows };
}

const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

const numbersOf = (table: Table, name: string | undefined) => {
  const column = table.columns.find((one) => one.name === name);
  return column?.kind === 'numeric' ? (column.values as Float64Array) : undefined;
};

/**
 * Metrics of held-out rows, the rows they are of, and how many of them are left out (of weight 0) because the model does not
 * have their class.
 */
function evaluateHeldOut(
  model: Model,
  scores: Omit<ScoredRows, 'codes'>,
  table: Table,
  { weight, trials }: Pick<TrainOptions, 'weight' | 'trials'>,
): { metrics: BinaryMetrics | null; scored: ScoredRows | null; unknown: number } {
  const { target, classes, positive } = model.manifest;
  const column = table.columns.find((one) => one.name === target)!;
  const given = numbersOf(table, weight);
  if (column.kind !== 'coded') {
    // counts: a row is its successes, and its failures
    const tries = numbersOf(table, trials)!;
    const shares = [1, 0].flatMap((label) =>
      Array.from(column.values, (hits, i) => (given?.[i] ?? 1) * (label === 1 ? hits : tries[i] - hits)),
    );
    const code = classes.indexOf(positive!);
    const scored: ScoredRows = {
      logits: scores.logits.map(twice),
      probabilities: scores.probabilities.map(twice),
      labels: Array.from(shares, (_, i) => scores.labels[i % table.rows]),
      codes: Uint8Array.from(shares, (_, i) => (i < table.rows ? code : 1 - code)),
      weight: Float64Array.from(shares),
    };
    return { metrics: evaluate(model, scored), scored, unknown: 0 };
  }
  const order = column.levels.map((label) => classes.indexOf(label));
  const codes = new Uint32Array(table.rows);
  const known = new Uint8Array(table.rows);
  for (let i = 0; i < table.rows; i++) {
    codes[i] = Math.max(0, order[column.codes[i]]);
    known[i] = order[column.codes[i]] < 0 ? 0 : 1;
  }
  const unknown = known.reduce((rows, one) => rows - one, table.rows);
  const shares = unknown > 0 ? Float64Array.from(known, (one, i) => one * (given?.[i] ?? 1)) : given;
  if (unknown === table.rows) return { metrics: null, scored: null, unknown };
  const scored: ScoredRows = { ...scores, codes, weight: shares };
  return { metrics: evaluate(model, scored), scored, unknown };
}

function twice(values: Float64Array): Float64Array {
  const out = new Float64Array(2 * values.length);
  out.set(values);
  out.set(values, values.length);
  return out;
}

/** The object of `train --json`. */
export function trainJson(out: string, { model, rows, metrics, defaulted = null, warnings }: TrainResult): object {
  const { classes, calibration = null, decision, fit: report } = model.manifest;
  const { converged, reason, iterations, gradNorm, objective, logLik, seconds } = report;
  return {
    model: out,
    classes,
    rows,
    fit: { converged, reason, iterations, gradNorm, objective, logLik, seconds },
    holdout: metrics,
    defaulted,
    calibration,
    decision,
    warnings,
  };
}
