import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { LogoddsError, type Warning } from '../../src/index.ts';
import { inspectJson } from './inspect.ts';
import { evalReport, inspectReport, scoreReport, trainReport } from './report.ts';
import { evalCommand, readModel, scoreCommand } from './score.ts';
import { discardAll, reason } from './temporary.ts';
import { type TrainOptions, trainCommand, trainJson } from './train.ts';

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
const threadCount = number(
  'an integer from 1 to 256',
  (value) => Number.isInteger(value) && value >= 1 && value <= 256,
);

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

const classWeight = (text: string): 'balanced' | Record<string, number> =>
  text === 'balanced'
    ? text
    : Object.fromEntries(Object.entries(pairs(text)).map(([label, weight]) => [label, positiveNumber(weight)]));

const TRAIN_HELP = `
DATA is .csv, .tsv, .parquet or .jsonl (a glob too), or - for CSV on standard input.

Examples:
  logodds train loans.csv --target default --out loans.safetensors
  logodds train "flights/*.parquet" --target late --drop id,date --holdout-by date --out late.safetensors
  logodds train births.csv --target low --no-penalty --reference race=white --inference --no-holdout --out births.safetensors
  logodds train --query "select delay > 15 as late, origin, distance from 'flights.parquet'" --target late --out late.safetensors`;

const SCORE_HELP = `
The output is .csv, .tsv, .jsonl or .parquet with the columns row (from 0, in the order of DATA), p_<class> for every class, label.

Examples:
  logodds score loans.safetensors new.parquet --out scores.parquet
  cat new.csv | logodds score loans.safetensors - --out scores.csv`;

const MAIN_HELP = `
Examples:
  logodds train loans.csv --target default --out loans.safetensors
  logodds score loans.safetensors new.csv --out scores.csv
  logodds eval loans.safetensors labelled.csv --target default
  logodds inspect loans.safetensors

Exit status: 0 done, 1 failed (one sentence on standard error, an error code first), 2 wrong usage.`;

const print = (text: string) => process.stdout.write(text);
const printJson = (value: object) => print(`${JSON.stringify(value)}\n`);
const note = (message: string) => process.stderr.write(`note: ${message}\n`);
const warnAll = (warnings: readonly Warning[]) => {
  for (const { code, message } of warnings) process.stderr.write(`warning: ${code} ${message}\n`);
};

/** DATA or --query, exactly one of them. */
function dataOf(command: Command, data: string | undefined, query: string | undefined) {
  if ((data === undefined) === (query === undefined)) {
    command.error(`error: ${data === undefined ? 'name DATA, or give a --query' : 'give DATA or --query, not both'}`);
  }
  return { data, query };
}

/** Options as commander collects them: those of TrainOptions, and what is spelled otherwise on the command line. */
type TrainFlags = Omit<TrainOptions, 'data' | 'references' | 'penalty'> & {
  readonly reference?: Record<string, string>;
  readonly penalty: boolean;
  readonly json?: boolean;
};

async function train(data: string | undefined, flags: TrainFlags, command: Command): Promise<void> {
  const { reference, penalty, json, ...rest } = flags;
  const options: TrainOptions = {
    ...rest,
    ...dataOf(command, data, flags.query),
    references: reference,
    penalty: penalty ? undefined : 'none',
    warn: note,
  };
  const result = await trainCommand(options);
  warnAll(result.warnings);
  const by = options.holdout === false ? undefined : options.holdoutBy;
  if (json) printJson(trainJson(options.out, result));
  else print(trainReport(options.out, result, by, options.inference ?? false));
}

interface ScoreFlags {
  readonly out: string;
  readonly query?: string;
  readonly precision?: 'f64' | 'f32';
  readonly threads?: number;
  readonly json?: boolean;
}

async function score(model: string, data: string | undefined, flags: ScoreFlags, command: Command): Promise<void> {
  const { out, precision, threads, json } = flags;
  const result = await scoreCommand({
    ...dataOf(command, data, flags.query),
    model,
    out,
    precision,
    threads,
    warn: note,
  });
  if (json) printJson({ model, out, rows: result.rows, seconds: result.seconds });
  else print(scoreReport(out, result));
}

interface EvalFlags {
  readonly target: string;
  readonly weight?: string;
  readonly query?: string;
  readonly json?: boolean;
}

async function evaluate(model: string, data: string | undefined, flags: EvalFlags, command: Command): Promise<void> {
  const { target, weight, json } = flags;
  const result = await evalCommand({ ...dataOf(command, data, flags.query), model, target, weight, warn: note });
  if (json) printJson({ model, rows: result.rows, metrics: result.metrics });
  else print(evalReport(result));
}

function inspect(path: string, flags: { readonly json?: boolean }): void {
  const model = readModel(path);
  if (flags.json) printJson(inspectJson(model));
  else print(inspectReport(model));
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
const JSON_FLAG = ['--json', 'one JSON object on standard output'] as const;

function createProgram(): Command {
  const program = new Command('logodds')
    .description('Logistic regression from files: fit, score, evaluate, inspect.')
    .version(version())
    .addHelpText('after', MAIN_HELP)
    .exitOverride();

  program
    .command('train')
    .description('fit, evaluate on held-out rows, save')
    .argument('[data]', 'file, glob, or - for standard input')
    .requiredOption('--target <col>', 'column to predict, with two values')
    .requiredOption('--out <model>', 'model file to write (.safetensors)')
    .option(...QUERY)
    .option(
      '--positive <label>',
      'the class whose probability is modelled (default: 1, true, yes, or the second of the two sorted)',
    )
    .addOption(new Option('--features <list>', 'use these columns only').argParser(names).conflicts('drop'))
    .option('--drop <list>', 'use all columns but these', names)
    .option('--categorical <list>', 'read these columns as categories', names)
    .option('--numeric <list>', 'read these columns as numbers', names)
    .option('--weight <col>', 'column of sample weights')
    .option('--offset <col>', 'column added to the logit')
    .addOption(
      new Option('--C <number>', 'inverse strength of the penalty (default: 1)')
        .argParser(positiveNumber)
        .conflicts('lambda'),
    )
    .option('--lambda <number>', 'strength of the penalty on the mean loss', notNegative)
    .addOption(new Option('--no-penalty', 'maximum likelihood').conflicts(['C', 'lambda']))
    .option('--l1-ratio <share>', 'of the penalty on absolute values: 0 is L2, 1 is L1 (default: 0)', share)
    .option('--no-standardize', 'penalise raw-scale weights')
    .addOption(
      new Option('--coding <kind>', 'of categories (default: onehot; treatment with --no-penalty)').choices([
        'onehot',
        'treatment',
      ]),
    )
    .option('--reference <pairs>', 'reference levels under treatment coding: race=white,...', pairs)
    .addOption(new Option('--solver <name>').choices(['auto', 'newton', 'lbfgs', 'cd']))
    .option('--tol <number>', 'largest gradient at convergence', positiveNumber)
    .option('--max-iter <n>', 'iterations at most', positiveInteger)
    .option('--class-weight <weights>', 'balanced, or LABEL=W,...', classWeight)
    .option('--holdout <fraction>', 'share of rows held out to evaluate (default: 0.2)', fraction)
    .option('--holdout-by <col>', 'hold out the rows with the largest values of this column')
    .option('--no-holdout', 'fit on all rows')
    .option('--seed <n>', 'of the random holdout (default: 1)', integer)
    .option('--inference', 'standard errors, z, p and intervals (with --no-penalty)')
    .addOption(
      new Option(
        '--unseen <policy>',
        'a category not seen in training: a slot of its own, or an error (default: slot)',
      ).choices(['slot', 'error']),
    )
    .option(...THREADS)
    .option(...JSON_FLAG)
    .addHelpText('after', TRAIN_HELP)
    .action(train);

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
    .option(...JSON_FLAG)
    .action(evaluate);

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
