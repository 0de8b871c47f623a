import {
  type Engine,
  type FitOptions,
  fit,
  LogoddsError,
  loadModel,
  type Model,
  saveModel,
  sliceTable,
  type Table,
  type Warning,
} from '../../../src/index.ts';
import {
  decided,
  fitProblem,
  type RemoteProblem,
  readOptions,
  readWeight,
  type TrainingProblem,
} from '../../../src/internal.ts';
import type { Metrics } from '../../../src/metrics.ts';
import { ColumnSummaries } from '../figures/columns.ts';
import { type Evaluation, lazyEvaluation } from '../figures/evaluation.ts';
import { warningsInFlags } from '../figures/flags.ts';
import { fitFacts } from '../figures/model.ts';
import type { ScoredRows } from '../figures/ranked.ts';
import { refuseStrangers, strangerWarnings } from '../figures/strangers.ts';
import { significant } from '../figures/wording.ts';
import { missingFacts } from '../read/gaps.ts';
import { findModel } from '../read/models.ts';
import { type ReportTarget, writeReport } from '../report/write.ts';
import { startPhase } from '../terminal/progress.ts';
import { assertWritable, OutputFile } from '../write/temporary.ts';
import { based } from './baseline.ts';
import { noteMulticlass, noteOneAndTwo } from './classes.ts';
import { checkDecision, decideOptionOf } from './decide.ts';
import { engineFor } from './engine.ts';
import { fitOptionsOf, penaltyOptionOf } from './fitOptions.ts';
import { evaluateHeldOut, numbersOf, ruledOut, scoreRows } from './heldOut.ts';
import { readSplit, SLICE_ROWS, type Split } from './split.ts';
import type { TrainOptions, TrainResult } from './trainOptions.ts';

/** Whether all rows are fitted because inference is asked for and no holdout option is given. */
const fitsAllRows = ({
  inference,
  robust,
  cluster,
  profile,
  bootstrap: fits,
  holdout,
  holdoutBy,
}: TrainOptions): boolean =>
  holdout === undefined && holdoutBy === undefined && Boolean(inference || robust || cluster || profile || fits);

/**
 * Reads, splits, fits, evaluates on the held-out rows and saves.
 * @throws the errors of reading (ERR_DATA, ERR_SCHEMA, ERR_RECORD), of `fit`, and ERR_OUTPUT
 */
export async function trainCommand(given: TrainOptions): Promise<TrainResult> {
  const all = fitsAllRows(given);
  const options: TrainOptions = all ? { ...given, holdout: false } : given;
  const { out, data, start, costs } = options;
  const matrix = costs && 'file' in costs ? costs.file : undefined;
  if (out !== undefined) assertWritable(out, data, matrix);
  if (options.report) assertWritable(options.report.path, out, data, start, matrix);
  const engine = options.engine ?? engineFor(options.threads, options.warn);
  const clock = stopwatch();

  const split = await readSplit(options, engine);
  try {
    return { ...(await fitAndSave(split, options, engine, clock)), all };
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
  const placing = async <T>(work: () => T, which?: 'train' | 'holdout'): Promise<T> => {
    try {
      return work();
    } catch (error) {
      throw await split.placed(error, which);
    }
  };
  const { classes } = split;
  await placing(() => {
    checkDecision(options, classes);
    noteMulticlass(options, classes);
    noteOneAndTwo(options, classes);
  });
  // the fit itself examines the fitted rows
  if (holdout && options.weightKind === 'count') await placing(() => refuseParts(holdout, options.weight), 'holdout');
  const read = clock();

  const start = options.start === undefined ? undefined : await findModel(options.start, options);
  const iterations: NonNullable<TrainResult['iterations']>[number][] = [];
  const {
    model: plain,
    warnings: found,
    diagnose,
  } = await placing(() => fitWithProgress(split, options, engine, start, (step) => iterations.push(step)));
  const warnings = [...split.leftOut, ...warningsInFlags(found).map(withMissing), ...reviewWarnings(plain)];
  const fitted = clock() - (diagnose ?? 0);
  await split.tidy();
  // last of all that makes the model: it has the scores of the model as it is
  const { model, notes } = based(plain, split.sample, options);
  warnings.push(...notes);
  const summed = clock();

  const scores =
    holdout && (await placing(() => scoreRows(model, engine, split.part, split.partRows, holdout.rows), 'holdout'));
  await split.tidy();
  const unseen = scores?.unseen ?? null;
  refuseStrangers(unseen ?? [], options.maxUnseen);
  const score = clock();
  const { metrics, scored, unknown } = scores
    ? await placing(() => evaluateHeldOut(model, scores, holdout!, options), 'holdout')
    : { metrics: null, scored: null, unknown: 0 };
  const evaluated = clock();

  const bytes = saveModel(model);
  if (options.out !== undefined) {
    const file = new OutputFile(options.out);
    file.write(bytes);
    file.commit();
  }
  split.done?.();
  const seconds = {
    read,
    fit: fitted,
    ...(diagnose !== undefined && { diagnose }),
    ...(options.baseline !== false && { baseline: summed }),
    score,
    evaluate: evaluated,
    write: clock(),
  };
  const result: TrainResult = {
    model,
    rows: { train: split.rows, holdout: holdout?.rows ?? 0 },
    metrics,
    defaulted: scores?.defaulted ?? null,
    unseen,
    evaluation: scored && lazyEvaluation(model, scored, metrics!),
    warnings: [
      ...warnings,
      ...holdoutWarnings(model, metrics, scored, unknown),
      ...strangerWarnings(unseen ?? [], 'held-out rows'),
    ],
    iterations,
    bytes: bytes.length,
    seconds,
  };
  if (options.report) await writeTrainReport(options.report, result, bytes, split, options, engine);
  return result;
}

/** The page of `--report`, with figures of the held-out rows, or of the fitted rows if none are held out and they are in memory. */
async function writeTrainReport(
  to: ReportTarget,
  { model, evaluation, warnings }: TrainResult,
  bytes: Uint8Array,
  { train: { table }, holdout }: Split,
  options: TrainOptions,
  engine: Engine,
): Promise<void> {
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
    facts: [...fitFacts(model), ...missingFacts(options.missing, model)],
    modelPath: options.out ?? NOT_SAVED,
    sha256: loadModel(bytes).sha256,
    data: options,
    seed: options.holdout === false || options.holdoutBy !== undefined ? null : (options.seed ?? 1),
  });
}

/** @throws ERR_RANGE for a weight that is not a whole number */
function refuseParts(table: Table, weight: string | undefined): void {
  if (numbersOf(table, weight)?.some((value) => !Number.isInteger(value))) readWeight(table, weight!, 'count');
}

/** Shown for a model without a path. */
export const NOT_SAVED = 'not saved (--out FILE saves it)';

/** Warns about a review band without the threshold: the least certain rows would not be reviewed. */
function reviewWarnings({ manifest: { decision, positive } }: Model): Warning[] {
  const { threshold, abstain } = decision;
  if (positive === null || !abstain || (abstain.low <= threshold && threshold <= abstain.high)) return [];
  const message = `the review band ${significant(abstain.low, 4)} … ${significant(abstain.high, 4)} does not contain the threshold ${significant(threshold, 4)}, so the least certain rows are not marked; give --review a band around the threshold, or a share such as 5%`;
  return [{ code: 'REVIEW_BAND', message, features: [] }];
}

/** Adds the option for separation by missing cells to its warning. */
function withMissing(warning: Warning): Warning {
  if (warning.code !== 'SEPARATION' || !/: \(missing\)"/.test(warning.message)) return warning;
  const next = '--missing drop leaves out rows with missing cells, --missing mean fills these cells with the mean';
  return { ...warning, message: `${warning.message}; ${next}` };
}

function holdoutWarnings(model: Model, metrics: Metrics | null, scored: ScoredRows | null, unknown: number): Warning[] {
  const { multiclass, calibration } = model.manifest;
  const warnings: Warning[] = [];
  if (unknown > 0) {
    const message = `${unknown} held-out rows have a class that no fitted row has, and are left out of the metrics; hold out other rows`;
    warnings.push({ code: 'HOLDOUT_UNSEEN_CLASS', message, features: [] });
  }
  if (metrics?.auc === null) {
    const what = multiclass === null ? 'have one class only' : 'lack a class';
    const message = `the held-out rows ${what}, so there is no AUC; hold out more rows, or other ones`;
    warnings.push({ code: 'HOLDOUT_ONE_CLASS', message, features: [] });
  }
  if (metrics?.logLoss === Number.POSITIVE_INFINITY && calibration?.method === 'isotonic') {
    const message = `isotonic calibration gives probability 0 to the true class of ${ruledOut(model, scored!)} held-out rows, so the log loss is Infinity; use --calibrate platt or temperature`;
    warnings.push({ code: 'HOLDOUT_RULED_OUT', message, features: [] });
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

function fitWithProgress(
  { train, features }: Split,
  options: TrainOptions,
  engine: Engine,
  start: Model | undefined,
  keep: (step: { readonly objective: number; readonly gradNorm: number }) => void,
): { model: Model; warnings: Warning[]; diagnose?: number } {
  const phase = startPhase('fit', false);
  try {
    let diagnosed = 0;
    const fitOptions: FitOptions = {
      ...fitOptionsOf(options, features),
      penalty: penaltyOptionOf(options),
      inference: inferenceOf(options),
      start,
      unseen: options.unseen,
      engine,
      diagnose: true,
      onPhase: (name) => {
        if (name === 'diagnose') diagnosed = performance.now();
        if (name === 'folds') phase.update(null, 'cross-validation');
      },
      onIteration: ({ iteration, objective, gradNorm }) => {
        keep({ objective, gradNorm });
        phase.update(
          null,
          `iteration ${iteration}, objective ${objective.toFixed(6)}, gradient ${gradNorm.toExponential(1)}`,
        );
      },
    };
    if (!train.table) return fitFromFile(train.problem, fitOptions, options);
    const { calibrate = 'none', prior, seed, cluster, review } = options;
    const { model, warnings } = fit(train.table, {
      ...fitOptions,
      calibrate: calibrate === 'none' ? undefined : calibrate,
      prior,
      decide: decideOptionOf(options),
      review,
      folding: { seed, groups: cluster },
    });
    return { model, warnings, ...(diagnosed > 0 && { diagnose: (performance.now() - diagnosed) / 1000 }) };
  } finally {
    phase.end();
  }
}

/** Fits rows that stay in a file. Folds and resampling need rows in memory, so they are refused. */
function fitFromFile(
  problem: TrainingProblem | RemoteProblem,
  fitOptions: FitOptions,
  options: TrainOptions,
): { model: Model; warnings: Warning[] } {
  const { calibrate = 'none', prior, bootstrap } = options;
  const refuse = (what: string, next: string): never => {
    const [got, step] =
      options.bridge === undefined ? ['a limit', 'leave out memory'] : ['rows on Spark', 'leave it out'];
    throw new LogoddsError('ERR_RANGE', `${what}: expected all rows in memory, got ${got}; ${step}${next}`);
  };
  if (bootstrap !== undefined) refuse('bootstrap', '');
  const folds = (): never => refuse('cross-validation', ', or give a threshold');
  if (calibrate !== 'none' || prior !== undefined) folds();
  try {
    const model = fitProblem(problem, readOptions(fitOptions));
    const told = decided(model, { decide: decideOptionOf(options), review: options.review }, folds);
    return { model: told, warnings: [...told.manifest.warnings] };
  } finally {
    // scoring may need the memory
    problem.free();
  }
}

/** The standard errors and intervals that were asked for. */
function inferenceOf(options: TrainOptions): FitOptions['inference'] {
  const { inference, profile, robust, cluster, firth, firthErrors, bootstrap: replicates, seed } = options;
  const covariance =
    cluster !== undefined
      ? { cluster }
      : robust
        ? 'robust'
        : firth && firthErrors === 'augmented'
          ? firthErrors
          : inference
            ? 'model'
            : undefined;
  const bootstrap = replicates === undefined ? undefined : { replicates, ...(seed !== undefined && { seed }) };
  if (!inference && !profile && !bootstrap && covariance === undefined) return false;
  return { ...(covariance && { covariance }), ...(profile && { profile }), ...(bootstrap && { bootstrap }) };
}
