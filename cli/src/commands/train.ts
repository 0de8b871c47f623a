import type { Command } from 'commander';
import { evaluationJson } from '../figures/json.ts';
import { fitFacts, formula } from '../figures/model.ts';
import { strangerLines } from '../figures/strangers.ts';
import { bytes, roughPercent, TRUE_SHARES, whole, word } from '../figures/wording.ts';
import { BASELINE } from '../jobs/baseline.ts';
import { type OnlineTrainOptions, onlineCommand } from '../jobs/online.ts';
import { NOT_SAVED, trainCommand } from '../jobs/train.ts';
import type { TrainOptions, TrainResult } from '../jobs/trainOptions.ts';
import { DECISION_OPTIONS } from '../options/decision.ts';
import { READING } from '../options/reading.ts';
import {
  DATA,
  JSON_OUTPUT,
  MAX_UNSEEN,
  MODEL_OPTIONS,
  REGISTRY,
  REPORT,
  TARGET,
  THREADS,
  TRACK,
  VERBOSE,
} from '../options/shared.ts';
import { type OptionRow, optionNames } from '../options/table.ts';
import {
  fraction,
  integer,
  memorySize,
  names,
  notNegative,
  positiveInteger,
  positiveNumber,
  replicates,
  rowNumber,
} from '../options/values.ts';
import { missingFacts } from '../read/gaps.ts';
import type { MissingPolicy } from '../read/roles.ts';
import { summary } from '../terminal/coefficients.ts';
import { evaluationText, metricsLine } from '../terminal/evaluation.ts';
import { facts } from '../terminal/layout.ts';
import { refuseShared } from '../write/temporary.ts';
import type { CommandLine } from './command.ts';
import { note, optionsOf, print, printJson, reportTarget, type SpelledFlags, warnAll } from './common.ts';
import { type TrackFlags, tracked } from './tracked.ts';

const HELP = `
DATA is a .csv, .tsv, .parquet or .jsonl file, a pattern of such files, or - for CSV on standard input. A column is numeric when every
cell of the file that is not missing is a number. docs/FILES.md has the rules.

Examples:
  logodds train loans.csv --target default --out loans.safetensors
  logodds train "flights/*.parquet" --target late --drop id,date --holdout-by date --out late.safetensors
  logodds train loans.csv --target default --schema loans.schema.json --calibrate platt --costs FP=1,FN=5 --out loans.safetensors
  logodds train births.csv --target low --no-penalty --reference race=white --inference --no-holdout --out births.safetensors
  tail -n +1 -F clicks.csv | logodds train - --online --target click --checkpoint clicks.ckpt --out clicks.safetensors
  logodds train --query "select delay > 15 as late, origin, distance from 'flights.parquet'" --target late --out late.safetensors

Calibration is estimated on five folds of the fitted rows, and the threshold is chosen on their calibrated probabilities. The label in
every output follows that decision. Held-out metrics use the calibrated probabilities and the decision. With --prior the held-out
rows are weighted to the true class shares (holdoutShares of --json).

With --online each row is learnt once, in order, and the input may be endless. SIGINT and SIGTERM end the run: state and model are
saved and the exit status is 0. After any stop, even a kill, run the same command again: it continues from the checkpoint.
Restart with the same DATA from its beginning; rows already learnt are skipped. If your input starts later, pass its first row number
with --first-row. Log losses are progressive: each row is scored before it is learnt.

With --spark the rows stay on Spark, which answers sums over them: DATA is Parquet. It needs a Python with logodds[spark]: python3, or the one
that LOGODDS_PYTHON names. The model equals that of a fit in memory, up to rounding. Random held-out rows are chosen by a hash of their cells, so
they are others than in memory. With --checkpoint a run that was stopped goes on where it was. docs/SPARK.md has the rest.

With --memory the encoded rows go to a scratch file in TMPDIR, and each pass of the fit reads it. The scratch files, DuckDB's included,
take about 16 bytes a cell. The model equals that of a fit in memory, up to rounding. The limit must leave room for the class, weight
and offset of every row (24 bytes each while rows are read) and, for DuckDB, about 5 MB a column (more for CSV).`;

const PENALTY: readonly OptionRow[] = [
  ['--C <number>', 'inverse strength of the penalty (default: 1)', { parse: positiveNumber, conflicts: ['lambda'] }],
  ['--lambda <number>', 'strength of the penalty, added to the mean loss', { parse: notNegative }],
  [
    '--no-penalty',
    'maximum likelihood, without a penalty',
    { conflicts: ['C', 'lambda', 'l1Ratio', 'penaltyFactors'] },
  ],
];

const HOLDOUT: readonly OptionRow[] = [
  [
    '--memory <size>',
    'train within this much memory above that of the program (512MB, 2GB); the rows stay in a file that each pass reads',
    { parse: memorySize, conflicts: ['bootstrap', 'cluster', 'schema'] },
  ],
  ['--start <model>', 'warm-start from this model (a file, or models:/NAME@ALIAS), which must have the same features'],
  REGISTRY,
  [
    '--holdout <fraction>',
    'share of rows held out for evaluation (default: 0.2; 0 with --inference, --robust, --cluster, --profile or --bootstrap)',
    { parse: fraction },
  ],
  ['--holdout-by <col>', 'hold out the rows with the largest values of this column of numbers, dates or times'],
  ['--no-holdout', 'fit all rows; the default with --inference, --robust, --cluster, --profile and --bootstrap'],
  MAX_UNSEEN,
  BASELINE,
  ['--seed <n>', 'seed of the random holdout, folds and bootstrap (default: 1)', { parse: integer }],
];

const INFERENCE: readonly OptionRow[] = [
  [
    '--inference',
    'standard errors, z, p, confidence intervals, deviance, AIC and tests of fit (needs --no-penalty or --firth)',
  ],
  [
    '--robust',
    "robust (sandwich, HC0) standard errors: valid even if the model's variance is wrong; a row of --trials is one observation",
  ],
  [
    '--cluster <col>',
    'cluster-robust standard errors: rows with the same value of this column may depend on one another',
  ],
  ['--profile', 'profile-likelihood intervals and a likelihood-ratio test of each feature'],
  [
    '--firth',
    "Firth's penalised likelihood: estimates stay finite when the classes are separated",
    { conflicts: ['C', 'lambda', 'l1Ratio', 'penaltyFactors', 'bounds', 'robust', 'cluster'] },
  ],
  [
    '--firth-errors <kind>',
    'with --firth: standard errors from the information at the estimate (default), or from the augmented data as in logistf 1.24 and later',
    { choices: ['information', 'augmented'] },
  ],
  [
    '--bootstrap <n>',
    'standard errors and intervals from this many bootstrap fits; works with a penalty, too',
    { parse: replicates },
  ],
];

const ONLINE: readonly OptionRow[] = [
  ['--checkpoint <file>', 'with --online or --spark: save the state in this file, and continue from it if it exists'],
  [
    '--checkpoint-every <rows>',
    'with --checkpoint: save state and model after this many rows (default: 100000)',
    { parse: positiveInteger },
  ],
  [
    '--warmup <rows>',
    'with --online: number of first rows that set levels, means and scales (default: 10000)',
    { parse: positiveInteger },
  ],
  [
    '--first-row <n>',
    'with --online: number of the first row of DATA in the stream (default: 0)',
    { parse: rowNumber },
  ],
  [
    '--classes <list>',
    'with --online: classes of the target, needed if the first rows may lack some',
    { parse: names },
  ],
  ['--alpha <number>', 'with --online: learning rate (default: 0.1)', { parse: positiveNumber }],
  ['--beta <number>', 'with --online: larger values damp the first steps (default: 1)', { parse: positiveNumber }],
  ['--l1 <number>', 'with --online: L1 penalty on the sum of the losses (default: 0)', { parse: notNegative }],
  ['--l2 <number>', 'with --online: L2 penalty on the sum of the losses (default: 0)', { parse: notNegative }],
];

/** What needs all rows in memory, or says how DATA is read where Spark reads it. */
const NOT_ON_SPARK = [
  ...optionNames(READING),
  ...[
    'query',
    'online',
    'memory',
    'schema',
    'trials',
    'cluster',
    'firth',
    'profile',
    'bootstrap',
    'calibrate',
    'prior',
  ],
];

const OPTIONS: readonly OptionRow[] = [
  TARGET,
  ['--out <model>', 'model file to write (.safetensors); without it the model is fitted and shown but not saved'],
  ...MODEL_OPTIONS,
  ...PENALTY,
  ...DECISION_OPTIONS,
  ...HOLDOUT,
  ...INFERENCE,
  [
    '--unseen <policy>',
    'level of a category not seen in training: slot gives it a slot of its own, error refuses it (default: slot)',
    { choices: ['slot', 'error'] },
  ],
  ['--online', 'learn a stream of CSV or JSON lines row by row, by FTRL-Proximal'],
  ...ONLINE,
  [
    '--spark <master>',
    'let Spark hold the rows at this address: local[*], spark://HOST:PORT, yarn, k8s://..., or sc://HOST:PORT of Spark Connect',
    { conflicts: NOT_ON_SPARK },
  ],
  THREADS,
  REPORT,
  ...TRACK,
  VERBOSE,
  JSON_OUTPUT,
];

export const train: CommandLine = {
  name: 'train',
  description: 'fit a model, evaluate it on held-out rows, save it',
  takes: [DATA],
  options: OPTIONS,
  help: HELP,
  run,
};

/** Options as commander collects them: those of TrainOptions, and flags with other names. */
type TrainFlags = Omit<TrainOptions, 'data' | 'references' | 'penalty' | 'report' | 'schema'> &
  SpelledFlags &
  TrackFlags & {
    readonly report?: string;
    readonly penalty: boolean;
    readonly online?: boolean;
    readonly spark?: string;
  };

type OnlineFlags = Omit<OnlineTrainOptions, 'data'> & TrackFlags & { readonly json?: boolean };

/** Flags that need --online, and other flags that may be used with it. */
const NEED_ONLINE = optionNames(ONLINE);
const BESIDE_ONLINE = [
  ...[
    'online',
    'target',
    'out',
    'positive',
    'features',
    'drop',
    'categorical',
    'numeric',
    'weight',
    'offset',
    'baseline',
    'json',
  ],
  ...optionNames(READING),
  ...optionNames(TRACK),
];

async function trainOnline(data: string | undefined, flags: OnlineFlags, command: Command): Promise<void> {
  if (data === undefined) command.error('error: name DATA, - for standard input');
  if (flags.out === undefined) command.error("error: option '--online' needs --out");
  if (flags.checkpointEvery !== undefined && flags.checkpoint === undefined) {
    command.error("error: option '--checkpoint-every' needs --checkpoint");
  }
  const { track, experiment, runName, ...options } = flags;
  await tracked(command, { track, experiment, runName }, data, async (_, run) => {
    let more = {};
    if (run) {
      const { LearningCurve } = await import('../jobs/learningCurve.ts');
      const { learnt } = await import('../jobs/tracking/outcomes.ts');
      const curve = new LearningCurve();
      more = { curve, onSave: () => run.go(learnt(curve)) };
    }
    const result = await onlineCommand({ ...options, data: data!, warn: note, ...more });
    warnAll(result.warnings);
    if (flags.json) printJson(trainJson(flags.out, result));
    else print(trainReport(flags.out, result, undefined, null));
    return async () => (await import('../jobs/tracking/outcomes.ts')).onlineOutcome(result);
  });
}

async function run(data: string | undefined, flags: TrainFlags, command: Command): Promise<number | undefined> {
  const { spark, checkpoint } = flags;
  const bridge = process.env['LOGODDS_SPARK_PIPES'];
  const onSpark = spark !== undefined || bridge !== undefined;
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') continue;
    if (!flags.online && NEED_ONLINE.includes(name) && !(name === 'checkpoint' && onSpark))
      command.error(`error: option '${option.long}' needs --online`);
    if (flags.online && !NEED_ONLINE.includes(name) && !BESIDE_ONLINE.includes(name))
      command.error(`error: option '${option.long}' does not go with --online`);
  }
  if (spark !== undefined && bridge === undefined) {
    if (data === undefined || data === '-') command.error('error: name the files of DATA with --spark');
    const { trainBySpark } = await import('../jobs/spark/train.ts');
    return trainBySpark(spark, data, [process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  }
  if (flags.online) {
    await trainOnline(data, flags as OnlineFlags, command);
    return;
  }
  if (flags.holdout === false && flags.holdoutBy !== undefined)
    command.error("error: option '--holdout-by' does not go with --no-holdout");
  for (const output of [flags.out, flags.report]) if (output !== undefined) refuseShared(output, flags.schema);
  await tracked(command, flags, data, async ({ penalty, report, ...rest }, run) => {
    const options: TrainOptions = {
      ...optionsOf(command, data, rest),
      report: reportTarget(report ?? run?.reportPath()),
      penalty: penalty ? undefined : 'none',
      ...(onSpark && { bridge, checkpoint }),
    };
    const result = await trainCommand(options);
    warnAll(result.warnings, flags.verbose);
    const by = options.holdout === false ? undefined : options.holdoutBy;
    if (flags.json) printJson(trainJson(options.out, result));
    else print(trainReport(options.out, result, by, details(result), options.missing));
    return async () => (await import('../jobs/tracking/outcomes.ts')).trainOutcome(options, result);
  });
}

/** The sections on held-out rows and on estimates, if they exist. */
function details({ evaluation, model }: TrainResult): string | null {
  const parts = [
    ...(evaluation
      ? [`held-out rows${model.manifest.calibration?.prior ? `, ${TRUE_SHARES}` : ''}\n${evaluationText(evaluation())}`]
      : []),
    ...(model.manifest.inference ? [summary(model)] : []),
  ];
  return parts.length > 0 ? parts.join('\n\n') : null;
}

/** The object of `train --json`. */
function trainJson(
  out: string | undefined,
  { model, rows, metrics, evaluation, defaulted = null, unseen = null, warnings, seconds }: TrainResult,
): object {
  const { classes, calibration = null, decision, fit: report } = model.manifest;
  const { converged, reason, iterations, gradNorm, objective, logLik } = report;
  return {
    model: out ?? null,
    classes,
    rows,
    fit: { converged, reason, iterations, gradNorm, objective, logLik, seconds: seconds.fit },
    holdout: metrics,
    holdoutShares: (metrics && calibration?.prior) ?? null,
    evaluation: evaluation ? evaluationJson(evaluation(), classes) : null,
    defaulted,
    unseen,
    calibration,
    decision,
    warnings,
  };
}

function trainReport(
  out: string | undefined,
  result: TrainResult,
  by: string | undefined,
  summary: string | null,
  missing?: MissingPolicy,
): string {
  const { model, rows, metrics, seconds } = result;
  const held =
    rows.holdout === 0
      ? `none held out${result.all ? ' (inference uses all rows; --holdout 0.2 holds some out)' : ''}`
      : `${whole(rows.holdout)} held out (${by ? `largest ${word(by)}` : 'at random'})`;
  const rate = whole(Math.round(rows.train / Math.max(seconds.fit, 1e-6)));
  const parts = [
    `read ${seconds.read.toFixed(2)} s`,
    `fit ${seconds.fit.toFixed(2)} s (${rate} rows/s)`,
    ...(seconds.diagnose ? [`diagnose ${seconds.diagnose.toFixed(2)} s`] : []),
    `evaluate ${(seconds.score + seconds.evaluate).toFixed(2)} s`,
  ];
  const lines = facts([
    ['rows', `${whole(rows.train)} fitted, ${held}`],
    ...fitFacts(model),
    ...missingFacts(missing, model),
    metrics && ['held out', metricsLine(metrics, model.manifest.classes.length)],
    metrics && model.manifest.calibration?.prior ? ['', TRUE_SHARES] : null,
    result.defaulted ? ['', `${roughPercent(result.defaulted)} of their values missing, unseen or out of range`] : null,
    ...strangerLines(result.unseen ?? [], 5).map((line): [string, string] => ['', line]),
    ['time', parts.join(', ')],
    ['model', out === undefined ? NOT_SAVED : `${out}, ${bytes(result.bytes)}`],
  ]);
  const list = summary === null ? '' : `\n\n${summary}`;
  if (out === undefined) return `${formula(model)}\n${lines}${list}\n`;
  const next = facts([
    [`logodds inspect ${out}`, 'its coefficients'],
    [`logodds score ${out} NEW_DATA --out scores.csv`, 'probabilities for new rows'],
  ]);
  return `${formula(model)}\n${lines}${list}\n\nnext\n${next}\n`;
}
