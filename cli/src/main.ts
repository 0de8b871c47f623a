import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { CALIBRATION_METHODS } from '../../src/calibrate/fit.ts';
import type { Costs } from '../../src/decide/costs.ts';
import { checkDeclaration, type Declaration } from '../../src/encode/declare.ts';
import { LogoddsError, type Warning } from '../../src/index.ts';
import { SCORES } from '../../src/train/crossValidate.ts';
import { SOLVERS } from '../../src/train/solve.ts';
import { readJson } from './decide.ts';
import { type DoctorOptions, doctorCommand, doctorJson, doctorReport } from './doctor.ts';
import { explainJson, explainRecord, explainReport } from './explain.ts';
import { inspectJson } from './inspect.ts';
import { type OnlineTrainOptions, onlineCommand } from './online.ts';
import {
  type CvCommandOptions,
  cvCommand,
  cvJson,
  cvReport,
  type PathCommandOptions,
  pathCommand,
  pathJson,
  pathReport,
} from './path.ts';
import { evaluationText } from './report/terminal.ts';
import type { ReportTarget } from './report/write.ts';
import { evalReport, inspectReport, scoreReport, trainReport } from './report.ts';
import { nextSteps, type SchemaOptions, schemaCommand, schemaReport, schemaText } from './schema.ts';
import { evalCommand, readModel, scoreCommand } from './score.ts';
import { summary } from './summary.ts';
import { discardAll, reason } from './temporary.ts';
import { type TrainOptions, type TrainResult, trainCommand, trainJson } from './train.ts';

export {
  type EvalOptions,
  type EvalResult,
  evalCommand,
  readModel,
  type ScoreOptions,
  type StreamResult,
  scoreCommand,
} from './score.ts';
export { type TrainOptions, type TrainResult, trainCommand } from './train.ts';

/** Parsers of option values; what they refuse is wrong usage. */
const refuse = (rule: string, got: string): never => {
  throw new InvalidArgumentError(`Expected ${rule}, got "${got}".`);
};

const number =
  (rule: string, accept: (value: number) => boolean) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    return accept(value) ? value : refuse(rule, text);
  };

const positiveNumber = number('a finite number > 0', (value) => value > 0 && Number.isFinite(value));
const notNegative = number('a finite number >= 0', (value) => value >= 0 && Number.isFinite(value));
const share = number('a number from 0 to 1', (value) => value >= 0 && value <= 1);
const fraction = number('a number between 0 and 1', (value) => value > 0 && value < 1);
const positiveInteger = number('an integer >= 1', (value) => Number.isInteger(value) && value >= 1);
const integer = number('an integer', Number.isInteger);
const replicates = number('an integer >= 2', (value) => Number.isInteger(value) && value >= 2);
const rowNumber = number('an integer >= 0', (value) => Number.isInteger(value) && value >= 0);
const threadCount = number(
  'an integer from 1 to 256',
  (value) => Number.isInteger(value) && value >= 1 && value <= 256,
);

/** "512MB", "1.5GB" → bytes */
const memorySize = (text: string): number => {
  const [, value, unit] = /^(\d+(?:\.\d+)?)([MG])B$/i.exec(text.trim()) ?? refuse('a size such as 512MB or 2GB', text);
  return Number(value) * (unit.toUpperCase() === 'M' ? 1e6 : 1e9);
};

const names = (text: string, before: string[] = []): string[] => {
  const list = text.split(',').map((name) => name.trim());
  return list.includes('') ? refuse('names separated by commas', text) : [...before, ...list];
};

/** "race=white,smoke=no"; a value may hold "=" when its key does not. */
const pairs = (text: string, before: Record<string, string> = {}): Record<string, string> => {
  const entries = names(text).map((pair) => {
    const at = pair.indexOf('=');
    return at > 0 ? [pair.slice(0, at), pair.slice(at + 1)] : refuse('NAME=VALUE pairs separated by commas', text);
  });
  return { ...before, ...Object.fromEntries(entries) };
};

/** "age=0,income=2" */
const numbersByName =
  (accept: (text: string) => number) =>
  (text: string, before: Record<string, number> = {}): Record<string, number> => ({
    ...before,
    ...Object.fromEntries(Object.entries(pairs(text)).map(([name, value]) => [name, accept(value)])),
  });

/** "age=0:inf,income=-1:1"; inf and -inf are no bound */
const boundsByName = (
  text: string,
  before: Record<string, [number, number]> = {},
): Record<string, [number, number]> => {
  const end = (value: string) =>
    ({ inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY })[value] ??
    (value.trim() === '' || Number.isNaN(Number(value)) ? refuse('LOWER:UPPER', value) : Number(value));
  const entries = Object.entries(pairs(text)).map(([name, value]): [string, [number, number]] => {
    const ends = value.split(':');
    return [name, ends.length === 2 ? [end(ends[0]), end(ends[1])] : refuse('NAME=LOWER:UPPER', `${name}=${value}`)];
  });
  return { ...before, ...Object.fromEntries(entries) };
};

const positiveNumbers = (text: string, before: number[] = []): number[] => [
  ...before,
  ...names(text).map(positiveNumber),
];

/** "LABEL=SHARE,…", or the share of the positive class */
const priorShare = (text: string): number | Record<string, number> =>
  text.includes('=') ? numbersByName(fraction)(text) : fraction(text);

/** "FP=5,FN=1", or a file */
const costsOf = (text: string): Costs | { file: string } => {
  if (!text.includes('=')) return { file: text };
  const rule = 'FP=5,FN=1 (TP=, TN= too), or a .json file with a matrix';
  const entries = Object.entries(pairs(text)).map(([name, value]): [string, number] => [
    name.toLowerCase(),
    value.trim() === '' || !Number.isFinite(Number(value)) ? refuse(rule, text) : Number(value),
  ]);
  const known = entries.every(([name]) => ['fp', 'fn', 'tp', 'tn'].includes(name));
  const costs = Object.fromEntries(entries);
  return known && 'fp' in costs && 'fn' in costs ? (costs as unknown as Costs) : refuse(rule, text);
};

/** "f1", "f0.5" */
const fScore = (text: string): number => {
  const [, beta] = /^f(\d+(?:\.\d+)?)$/i.exec(text.trim()) ?? refuse('f1, f2, f0.5 or another F-score', text);
  return Number(beta) > 0 ? Number(beta) : refuse('an F-score of a weight above 0', text);
};

const percent = (text: string): number | null =>
  /^\d+(\.\d+)?%$/.test(text) ? fraction(String(Number(text.slice(0, -1)) / 100)) : null;

/** "100", "5%" */
const budgetOf = (text: string): { share: number } | { rows: number } => {
  const part = percent(text);
  return part === null ? { rows: positiveInteger(text) } : { share: part };
};

/** "0.4:0.6", "5%" */
const reviewOf = (text: string): { low: number; high: number } | { share: number } => {
  const part = percent(text);
  if (part !== null) return { share: part };
  const ends = text.split(':').map((end) => share(end));
  return ends.length === 2 && ends[0] <= ends[1]
    ? { low: ends[0], high: ends[1] }
    : refuse('LOW:HIGH, two probabilities, or a share of the rows such as 5%', text);
};

/** A schema file as it is read; what is wrong in it is said when the data are known. */
const schemaOf = (path: string | undefined): Declaration | undefined => {
  if (path === undefined) return undefined;
  const declaration = readJson(path, '--schema');
  checkDeclaration(declaration);
  return declaration;
};

const classWeight = (text: string): 'balanced' | Record<string, number> =>
  text === 'balanced'
    ? text
    : Object.fromEntries(Object.entries(pairs(text)).map(([label, weight]) => [label, positiveNumber(weight)]));

const TRAIN_HELP = `
DATA is .csv, .tsv, .parquet or .jsonl (a glob too), or - for CSV on standard input.

Examples:
  logodds train loans.csv --target default --out loans.safetensors
  logodds train "flights/*.parquet" --target late --drop id,date --holdout-by date --out late.safetensors
  logodds train loans.csv --target default --schema loans.schema.json --calibrate platt --costs FP=1,FN=5 --out loans.safetensors
  logodds train births.csv --target low --no-penalty --reference race=white --inference --no-holdout --out births.safetensors
  tail -n +1 -F clicks.csv | logodds train - --online --target click --checkpoint clicks.ckpt --out clicks.safetensors
  logodds train --query "select delay > 15 as late, origin, distance from 'flights.parquet'" --target late --out late.safetensors

Calibration, thresholds and their curves are estimated from the fitted rows by five folds, on calibrated probabilities; the label in
every output follows the decision. The held-out figures are of the calibrated probabilities and of that decision.

With --online each row is learnt once, in order, and the input may never end. SIGINT and SIGTERM end it: state and model are
saved and the status is 0. After a stop of any kind, a kill included, the same command goes on from the checkpoint with nothing
counted twice: rows that it has learnt are skipped. So DATA is given from its beginning again; a producer that goes on elsewhere
says where with --first-row. Log losses are progressive: of each row before it was learnt.

With --memory the rows go to a scratch file (in TMPDIR; with DuckDB's own about twice 8 bytes a cell) and each pass of
the fit reads it. The model is that of a fit in memory, to rounding. The limit must hold of every row its class, weight and offset (24
bytes each while they are read), and for DuckDB about 5 MB a column, more for CSV.`;

const SCORE_HELP = `
The output is .csv, .tsv, .jsonl or .parquet with the columns row (from 0, in the order of DATA), p_<class> for every class, label;
review (true, false) where the model has a band for it; then those of --interval and --explain. Contributions are in units of log-odds,
against the mean of the training rows.

Examples:
  logodds score loans.safetensors new.parquet --out scores.parquet
  cat new.csv | logodds score loans.safetensors - --out scores.csv
  logodds score loans.safetensors new.csv --explain 3 --interval 0.95 --out scores.csv`;

const DOCTOR_HELP = `
Findings do not change the exit status, which is 0.

Examples:
  logodds doctor loans.csv --target default
  logodds doctor births.csv --target low --drop id --categorical race --json`;

const SCHEMA_HELP = `
The file says of each column what it is: numeric (with transform, spline or bins), categorical (onehot, target or hash), boolean, date, text,
tags; a cross is of several features. Its fields are in schema.json of the package, which editors complete and check.

  {"name": "age", "kind": "numeric", "spline": 4, "low": 18, "high": 90, "range": "clip", "reason": "age of {value} years"}
  {"name": "city", "kind": "categorical", "minCount": 20, "unseen": "baseline"}
  {"kind": "cross", "of": ["city", "member"], "buckets": 4096}

Examples:
  logodds schema loans.csv --target default --out loans.schema.json
  logodds train loans.csv --target default --schema loans.schema.json --out loans.safetensors`;

const EXPLAIN_HELP = `
Contributions are in units of log-odds, against the mean of the training rows; they add up to the logit. Of rows in files
\`logodds score --explain\` writes the greatest.

Example:
  logodds explain loans.safetensors --record '{"age": 41, "income": 32000, "purpose": "car"}'`;

const PATH_HELP = `
Each penalty starts from the solution of the one before it, and has its own status.

Examples:
  logodds path spam.csv --target spam --l1-ratio 1
  logodds path spam.csv --target spam --l1-ratio 0.5 --lambdas 0.1,0.03,0.01 --json`;

const CV_HELP = `
Folds hold the same share of every class. The chosen penalty is fitted to all rows.

Examples:
  logodds cv spam.csv --target spam --l1-ratio 1 --rule 1se --out spam.safetensors
  logodds cv visits.parquet --target bought --groups customer --folds 10
  logodds cv flights.parquet --target late --time day --folds 4`;

const MAIN_HELP = `
Examples:
  logodds train loans.csv --target default --out loans.safetensors
  logodds score loans.safetensors new.csv --out scores.csv
  logodds eval loans.safetensors labelled.csv --target default
  logodds inspect loans.safetensors
  logodds doctor loans.csv --target default
  logodds schema loans.csv --target default --out loans.schema.json
  logodds explain loans.safetensors --record '{"age": 41, "income": 32000}'

Exit status: 0 done, 1 failed (one sentence on standard error, an error code first), 2 wrong usage.`;

const print = (text: string) => process.stdout.write(text);
const printJson = (value: object) => print(`${JSON.stringify(value)}\n`);
const note = (message: string) => process.stderr.write(`note: ${message}\n`);
const warnAll = (warnings: readonly Warning[]) => {
  for (const { code, message, severity } of warnings) {
    process.stderr.write(`${severity === 'info' ? 'note' : 'warning'}: ${code} ${message}\n`);
  }
};

/** DATA or --query, exactly one of them. */
function dataOf(command: Command, data: string | undefined, query: string | undefined) {
  if ((data === undefined) === (query === undefined)) {
    command.error(`error: ${data === undefined ? 'name DATA, or give a --query' : 'give DATA or --query, not both'}`);
  }
  return { data, query };
}

type PathFlags = Omit<PathCommandOptions, 'data' | 'references' | 'schema'> & {
  readonly schema?: string;
  readonly reference?: Record<string, string>;
  readonly json?: boolean;
};

async function path(data: string | undefined, flags: PathFlags, command: Command): Promise<void> {
  const { reference, json, ...rest } = flags;
  const result = await pathCommand({
    ...rest,
    schema: schemaOf(rest.schema),
    ...dataOf(command, data, flags.query),
    references: reference,
    warn: note,
  });
  warnAll(result.path.warnings);
  if (json) printJson(pathJson(result));
  else print(pathReport(result));
}

type CvFlags = PathFlags & Omit<CvCommandOptions, keyof PathCommandOptions>;

async function cv(data: string | undefined, flags: CvFlags, command: Command): Promise<void> {
  const { reference, json, ...rest } = flags;
  const result = await cvCommand({
    ...rest,
    schema: schemaOf(rest.schema),
    ...dataOf(command, data, flags.query),
    references: reference,
    warn: note,
  });
  warnAll(result.validation.warnings);
  if (json) printJson(cvJson(result));
  else print(cvReport(result));
}

/** Options as commander collects them: those of TrainOptions, and what is spelled otherwise on the command line. */
type TrainFlags = Omit<TrainOptions, 'data' | 'references' | 'penalty' | 'report' | 'schema'> & {
  readonly schema?: string;
  readonly reference?: Record<string, string>;
  readonly report?: string;
  readonly penalty: boolean;
  readonly online?: boolean;
  readonly json?: boolean;
};

type OnlineFlags = Omit<OnlineTrainOptions, 'data'> & { readonly json?: boolean };

/** Flags of `train` that need --online, and those that also count with it. */
const ONLINE = ['checkpoint', 'checkpointEvery', 'alpha', 'beta', 'l1', 'l2', 'warmup', 'firstRow'];
const BESIDE_ONLINE = [
  ...['online', 'target', 'out', 'positive', 'features', 'drop', 'categorical', 'numeric', 'weight', 'offset', 'json'],
];

async function trainOnline(data: string | undefined, flags: OnlineFlags, command: Command): Promise<void> {
  if (data === undefined) command.error('error: name DATA, - for standard input');
  if (flags.checkpointEvery !== undefined && flags.checkpoint === undefined) {
    command.error("error: option '--checkpoint-every' needs --checkpoint");
  }
  const result = await onlineCommand({ ...flags, data: data!, warn: note });
  if (flags.json) printJson(trainJson(flags.out, result));
  else print(trainReport(flags.out, result, undefined, null));
}

async function train(data: string | undefined, flags: TrainFlags, command: Command): Promise<void> {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') continue;
    if (!flags.online && ONLINE.includes(name)) command.error(`error: option '${option.long}' needs --online`);
    if (flags.online && !ONLINE.includes(name) && !BESIDE_ONLINE.includes(name))
      command.error(`error: option '${option.long}' does not go with --online`);
  }
  if (flags.online) return trainOnline(data, flags as OnlineFlags, command);
  const { reference, penalty, json, report, ...rest } = flags;
  const options: TrainOptions = {
    ...rest,
    schema: schemaOf(rest.schema),
    report: reportTarget(report),
    ...dataOf(command, data, flags.query),
    references: reference,
    penalty: penalty ? undefined : 'none',
    warn: note,
  };
  const result = await trainCommand(options);
  warnAll(result.warnings);
  const by = options.holdout === false ? undefined : options.holdoutBy;
  if (json) printJson(trainJson(options.out, result));
  else print(trainReport(options.out, result, by, details(result)));
}

/** What is said of the held-out rows and of the estimates, as far as either is there. */
function details({ evaluation, model }: TrainResult): string | null {
  const parts = [
    ...(evaluation ? [`held-out rows\n${evaluationText(evaluation())}`] : []),
    ...(model.manifest.inference ? [summary(model)] : []),
  ];
  return parts.length > 0 ? parts.join('\n\n') : null;
}

interface ScoreFlags {
  readonly out: string;
  readonly query?: string;
  readonly precision?: 'f64' | 'f32';
  readonly explain?: number;
  readonly interval?: number;
  readonly threads?: number;
  readonly json?: boolean;
}

async function score(model: string, data: string | undefined, flags: ScoreFlags, command: Command): Promise<void> {
  const { out, precision, explain, interval, threads, json } = flags;
  const result = await scoreCommand({
    ...dataOf(command, data, flags.query),
    model,
    out,
    precision,
    explain,
    interval,
    threads,
    warn: note,
  });
  if (json) printJson({ model, out, ...result });
  else print(scoreReport(out, result));
}

interface EvalFlags {
  readonly target: string;
  readonly weight?: string;
  readonly query?: string;
  readonly report?: string;
  readonly json?: boolean;
}

async function evaluate(model: string, data: string | undefined, flags: EvalFlags, command: Command): Promise<void> {
  const { target, weight, json } = flags;
  const report = reportTarget(flags.report);
  const result = await evalCommand({
    ...dataOf(command, data, flags.query),
    model,
    target,
    weight,
    report,
    warn: note,
  });
  if (json) printJson({ model, rows: result.rows, metrics: result.metrics });
  else print(evalReport(result, evaluationText(result.evaluation())));
}

/** What a report says of the run that makes it. */
function reportTarget(path: string | undefined): ReportTarget | undefined {
  return path === undefined
    ? undefined
    : {
        path,
        argv: ['logodds', ...process.argv.slice(2)],
        versions: [
          ['logodds', version()],
          ['Node.js', process.version.slice(1)],
          ['platform', `${process.platform}, ${process.arch}`],
        ],
      };
}

type DoctorFlags = Omit<DoctorOptions, 'data' | 'schema'> & { readonly schema?: string; readonly json?: boolean };

async function doctor(data: string | undefined, { json, ...flags }: DoctorFlags, command: Command): Promise<void> {
  const options: DoctorOptions = {
    ...flags,
    schema: schemaOf(flags.schema),
    ...dataOf(command, data, flags.query),
    warn: note,
  };
  const result = await doctorCommand(options);
  if (json) printJson(doctorJson(result));
  else print(doctorReport(data ?? 'query', options.target, result));
}

type SchemaFlags = Omit<SchemaOptions, 'data'>;

async function schema(data: string | undefined, flags: SchemaFlags, command: Command): Promise<void> {
  const result = await schemaCommand({ ...flags, ...dataOf(command, data, flags.query) });
  const from = data ?? '--query "…"';
  if (flags.out !== undefined) return void print(schemaReport(result, flags.out, from, flags.target));
  print(schemaText(result.declaration));
  process.stderr.write(
    `${result.notes.map((line) => `note: ${line}\n`).join('')}next: keep it (--out schema.json), ${nextSteps('schema.json', from, flags.target)}\n`,
  );
}

function explain(path: string, { record, json }: { readonly record: string; readonly json?: boolean }): void {
  const model = readModel(path);
  const explained = explainRecord(model, record);
  if (json) printJson(explainJson(explained));
  else print(explainReport(model, explained));
}

function inspect(path: string, flags: { readonly json?: boolean }): void {
  const model = readModel(path);
  if (flags.json) printJson(inspectJson(model));
  else print(inspectReport(model, summary(model)));
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

const QUERY = ['--query <sql>', 'rows come from this DuckDB query instead of DATA'] as const;
const THREADS = [
  '--threads <n>',
  'compute with this many threads (default: 1); the numbers are the same',
  threadCount,
] as const;
/** What `--schema` says of columns nothing else does. */
const schemaOption = () =>
  new Option(
    '--schema <file>',
    'how columns become features: a JSON file, as `logodds schema` writes it (see schema.json of the package)',
  ).conflicts(['features', 'categorical', 'numeric']);
const REPORT = ['--report <file>', 'a page (.html) with curves, coefficients, data and warnings'] as const;
const JSON_FLAG = ['--json', 'one JSON object on standard output'] as const;

/** Ways to decide, of which there is one. */
const DECIDE = ['threshold', 'costs', 'maximize', 'minPrecision', 'minRecall', 'budget'];
const others = (name: string) => DECIDE.filter((other) => other !== name);
/** What does not go with what is estimated by cross-validation. */
const NOT_IN_FOLDS = ['memory', 'bootstrap'];

/** What `train`, `path` and `cv` take of the same: the columns, the form of the penalty, the solver. */
function addModelOptions(command: Command): Command {
  return command
    .option(...QUERY)
    .option(
      '--positive <label>',
      'the class whose probability is modelled (default: 1, true, yes, or the second of the two sorted)',
    )
    .addOption(schemaOption())
    .addOption(new Option('--features <list>', 'use these columns only').argParser(names).conflicts('drop'))
    .option('--drop <list>', 'use all columns but these', names)
    .option('--categorical <list>', 'read these columns as categories', names)
    .option('--numeric <list>', 'read these columns as numbers', names)
    .option('--weight <col>', 'column of sample weights')
    .option('--offset <col>', 'column added to the logit')
    .option('--trials <col>', 'the target counts successes; this column says of how many trials')
    .addOption(
      new Option('--multiclass <kind>', 'of a target of several classes (default: multinomial)').choices([
        'multinomial',
        'ovr',
      ]),
    )
    .option('--l1-ratio <share>', 'of the penalty on absolute values: 0 is L2, 1 is L1 (default: 0)', share)
    .option('--no-standardize', 'penalise raw-scale weights')
    .option(
      '--penalty-factors <pairs>',
      'age=0,income=2: factors on the penalty of features; 0 is none',
      numbersByName(notNegative),
    )
    .option('--bounds <pairs>', 'age=0:inf,income=-1:1: least and greatest weight of features', boundsByName)
    .addOption(
      new Option('--coding <kind>', 'of categories (default: onehot; treatment with --no-penalty)').choices([
        'onehot',
        'treatment',
      ]),
    )
    .option('--reference <pairs>', 'reference levels under treatment coding: race=white,...', pairs)
    .addOption(new Option('--solver <name>').choices(SOLVERS))
    .option('--tol <number>', 'largest gradient at convergence', positiveNumber)
    .option('--max-iter <n>', 'iterations at most', positiveInteger)
    .option('--class-weight <weights>', 'balanced, or LABEL=W,...', classWeight);
}

/** What `path` and `cv` take of the same beside that. */
function addPathOptions(command: Command): Command {
  return addModelOptions(command)
    .option('--lambdas <list>', 'strengths of the penalty, instead of --count and --ratio', positiveNumbers)
    .option(
      '--count <n>',
      'strengths between the least that makes all weights 0 and --ratio of it (default: 100)',
      positiveInteger,
    )
    .option('--ratio <number>', 'last strength of the first (default: 0.0001)', fraction)
    .option(...THREADS)
    .option(...JSON_FLAG);
}

function createProgram(): Command {
  const program = new Command('logodds')
    .description('Logistic regression from files: fit, score, evaluate, inspect.')
    .version(version())
    .addHelpText('after', MAIN_HELP)
    .exitOverride();

  addModelOptions(
    program
      .command('train')
      .description('fit, evaluate on held-out rows, save')
      .argument('[data]', 'file, glob, or - for standard input')
      .requiredOption('--target <col>', 'column to predict')
      .requiredOption('--out <model>', 'model file to write (.safetensors)'),
  )
    .addOption(
      new Option('--C <number>', 'inverse strength of the penalty (default: 1)')
        .argParser(positiveNumber)
        .conflicts('lambda'),
    )
    .option('--lambda <number>', 'strength of the penalty on the mean loss', notNegative)
    .addOption(new Option('--no-penalty', 'maximum likelihood').conflicts(['C', 'lambda']))
    .addOption(
      new Option(
        '--calibrate <method>',
        'how logits become probabilities, estimated by five folds of the fitted rows (default: none)',
      )
        .choices(['none', ...CALIBRATION_METHODS])
        .conflicts(NOT_IN_FOLDS),
    )
    .addOption(
      new Option(
        '--prior <share>',
        'true share of the positive class, or LABEL=SHARE,…, where rows of some class were sampled more often',
      )
        .argParser(priorShare)
        .conflicts(NOT_IN_FOLDS),
    )
    .addOption(
      new Option('--threshold <p>', 'label the positive class above this probability (default: 0.5)')
        .argParser(share)
        .conflicts([...others('threshold'), 'bootstrap']),
    )
    .addOption(
      new Option(
        '--costs <pairs>',
        'least mean cost: FP=5,FN=1 (TP=, TN= too), or a .json file with a matrix [true class][decided class]',
      )
        .argParser(costsOf)
        .conflicts([...others('costs'), ...NOT_IN_FOLDS]),
    )
    .addOption(
      new Option('--maximize <score>', 'greatest F-score: f1, f2, f0.5')
        .argParser(fScore)
        .conflicts([...others('maximize'), ...NOT_IN_FOLDS]),
    )
    .addOption(
      new Option('--min-precision <share>', 'most recall with at least this precision')
        .argParser(fraction)
        .conflicts([...others('minPrecision'), ...NOT_IN_FOLDS]),
    )
    .addOption(
      new Option('--min-recall <share>', 'most precision with at least this recall')
        .argParser(fraction)
        .conflicts([...others('minRecall'), ...NOT_IN_FOLDS]),
    )
    .addOption(
      new Option('--budget <rows>', 'most rows labelled positive: 5%, or 100 of as many as are fitted')
        .argParser(budgetOf)
        .conflicts([...others('budget'), ...NOT_IN_FOLDS]),
    )
    .addOption(
      new Option('--review <band>', 'mark rows for a person: probabilities 0.4:0.6, or the least certain 5%')
        .argParser(reviewOf)
        .conflicts(NOT_IN_FOLDS),
    )
    .addOption(
      new Option(
        '--memory <size>',
        'train within this memory, 512MB or 2GB above that of the program: rows stay in a file that each pass reads',
      )
        .argParser(memorySize)
        .conflicts(['bootstrap', 'cluster', 'schema']),
    )
    .option('--start <model>', 'begin at this model of the same features, e.g. of yesterday')
    .option('--holdout <fraction>', 'share of rows held out to evaluate (default: 0.2)', fraction)
    .option('--holdout-by <col>', 'hold out the rows with the largest values of this column')
    .option('--no-holdout', 'fit on all rows')
    .option('--seed <n>', 'of the random holdout (default: 1)', integer)
    .option(
      '--inference',
      'standard errors, z, p, intervals, deviance, AIC, tests of the fit (with --no-penalty or --firth)',
    )
    .option('--robust', 'standard errors that hold where the rows vary otherwise than the model says (sandwich)')
    .option('--cluster <col>', 'robust standard errors; rows with one value of this column depend on one another')
    .option('--profile', 'profile-likelihood intervals, and a likelihood-ratio test of each feature')
    .addOption(
      new Option('--firth', "Firth's penalised likelihood: finite where classes are separated").conflicts([
        ...['C', 'lambda', 'l1Ratio', 'robust', 'cluster'],
      ]),
    )
    .option(
      '--bootstrap <n>',
      'standard errors and intervals from so many resampled fits (with a penalty, too)',
      replicates,
    )
    .addOption(
      new Option(
        '--unseen <policy>',
        'a category not seen in training: a slot of its own, or an error (default: slot)',
      ).choices(['slot', 'error']),
    )
    .option('--online', 'learn a stream row by row (CSV, JSON lines) by FTRL-Proximal')
    .option('--checkpoint <file>', 'with --online: keep the state here, and go on from it when it exists')
    .option('--checkpoint-every <rows>', 'save state and model so often (default: 100000)', positiveInteger)
    .option(
      '--warmup <rows>',
      'with --online: the first rows give levels, means and scales (default: 10000)',
      positiveInteger,
    )
    .option('--first-row <n>', 'with --online: number of the first row of DATA in the stream (default: 0)', rowNumber)
    .option('--alpha <number>', 'with --online: learning rate (default: 0.1)', positiveNumber)
    .option('--beta <number>', 'with --online: damps the first steps (default: 1)', positiveNumber)
    .option('--l1 <number>', 'with --online: L1 penalty on the sum of the losses (default: 0)', notNegative)
    .option('--l2 <number>', 'with --online: L2 penalty on the sum of the losses (default: 0)', notNegative)
    .option(...THREADS)
    .option(...REPORT)
    .option(...JSON_FLAG)
    .addHelpText('after', TRAIN_HELP)
    .action(train);

  addPathOptions(
    program
      .command('path')
      .description('fits of a falling sequence of penalties')
      .argument('[data]', 'file, glob, or - for standard input')
      .requiredOption('--target <col>', 'column to predict'),
  )
    .addHelpText('after', PATH_HELP)
    .action(path);

  addPathOptions(
    program
      .command('cv')
      .description('choose the penalty by cross-validation, and fit with it')
      .argument('[data]', 'file, glob, or - for standard input')
      .requiredOption('--target <col>', 'column to predict')
      .option('--out <model>', 'model file to write (.safetensors)'),
  )
    .option('--folds <n>', 'default: 5', positiveInteger)
    .addOption(new Option('--groups <col>', 'rows with one value of this column stay in one fold').conflicts('time'))
    .option('--time <col>', 'train on the earlier rows, score the next ones')
    .option('--seed <n>', 'of the random folds (default: 1)', integer)
    .addOption(new Option('--score <name>', 'what decides (default: logLoss)').choices(SCORES))
    .addOption(
      new Option(
        '--rule <name>',
        'the best mean, or the strongest penalty within one standard error (default: min)',
      ).choices(['min', '1se']),
    )
    .addHelpText('after', CV_HELP)
    .action(cv);

  program
    .command('score')
    .description('probabilities and labels for new rows')
    .argument('<model>', 'model file')
    .argument('[data]', 'file, glob, or - for standard input')
    .requiredOption('--out <file>', 'scores to write (.csv, .tsv, .jsonl, .parquet)')
    .option(...QUERY)
    .addOption(
      new Option('--precision <type>', 'of the arithmetic and the output').choices(['f64', 'f32']).default('f64'),
    )
    .option(
      '--explain <k>',
      'columns feature_1, contribution_1, … of the k columns of DATA that moved the logit most, and reason_1, … where the schema has reasons',
      positiveInteger,
    )
    .option(
      '--interval <level>',
      'columns low, high: a confidence interval of the probability, e.g. 0.95, of a model trained with --inference',
      fraction,
    )
    .option(...THREADS)
    .option(...JSON_FLAG)
    .addHelpText('after', SCORE_HELP)
    .action(score);

  program
    .command('eval')
    .description('metrics on labelled rows')
    .argument('<model>', 'model file')
    .argument('[data]', 'file, glob, or - for standard input')
    .requiredOption('--target <col>', 'column with the true classes')
    .option('--weight <col>', 'column of sample weights')
    .option(...QUERY)
    .option(...REPORT)
    .option(...JSON_FLAG)
    .action(evaluate);

  program
    .command('doctor')
    .description('what is wrong with a data set: separation, collinearity, leakage, …, the worst first')
    .argument('[data]', 'file, glob, or - for standard input')
    .requiredOption('--target <col>', 'column to predict')
    .option(...QUERY)
    .option('--positive <label>', 'the class whose probability is modelled')
    .addOption(schemaOption())
    .addOption(new Option('--features <list>', 'use these columns only').argParser(names).conflicts('drop'))
    .option('--drop <list>', 'use all columns but these', names)
    .option('--categorical <list>', 'read these columns as categories', names)
    .option('--numeric <list>', 'read these columns as numbers', names)
    .option('--weight <col>', 'column of sample weights')
    .option('--offset <col>', 'column added to the logit')
    .option(...THREADS)
    .option(...JSON_FLAG)
    .addHelpText('after', DOCTOR_HELP)
    .action(doctor);

  program
    .command('schema')
    .description('how columns could become features: a file to edit, for --schema')
    .argument('[data]', 'file, glob, or - for standard input')
    .requiredOption('--target <col>', 'column to predict')
    .option('--out <file>', 'file to write (.json); standard output when absent')
    .option(...QUERY)
    .option('--drop <list>', 'columns that are no features', names)
    .option('--weight <col>', 'column of sample weights')
    .option('--offset <col>', 'column added to the logit')
    .addHelpText('after', SCHEMA_HELP)
    .action(schema);

  program
    .command('explain')
    .description('why a model says of one record what it says')
    .argument('<model>', 'model file')
    .requiredOption('--record <json>', 'the record, a JSON object by columns')
    .option(...JSON_FLAG)
    .addHelpText('after', EXPLAIN_HELP)
    .action(explain);

  program
    .command('inspect')
    .description('coefficients, objective and fit of a model')
    .argument('<model>', 'model file')
    .option(...JSON_FLAG)
    .action(inspect);

  return program;
}

/**
 * Runs the command line.
 * @param argv  as process.argv
 * @returns exit status: 0 done, 1 failed, 2 wrong usage
 */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await createProgram().parseAsync([...argv]);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const sentence = error instanceof LogoddsError ? `${error.code} ${error.message}` : `ERR_INTERNAL ${reason(error)}`;
    process.stderr.write(`${sentence.replaceAll('\n', ' ')}\n`);
    if (!(error instanceof LogoddsError) && process.env['LOGODDS_DEBUG']) console.error(error);
    return 1;
  } finally {
    discardAll();
  }
}
