import type { Command } from 'commander';
import type { Declaration } from '../../../src/index.ts';
import { BASELINE } from '../jobs/baseline.ts';
import type { BaseRecipe, StackOptions, StackResult } from '../jobs/stack/options.ts';
import { DECISION_OPTIONS } from '../options/decision.ts';
import { READING } from '../options/reading.ts';
import {
  DATA,
  JSON_OUTPUT,
  MISSING,
  QUERY,
  REPORT,
  TARGET,
  THREADS,
  VERBOSE,
  WEIGHT,
  WEIGHT_KIND,
} from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { fraction, integer, names, notNegative, pairs, positiveInteger, positiveNumber } from '../options/values.ts';
import type { CommandLine } from './command.ts';
import { note, optionsOf, print, printJson, reportTarget, type SpelledFlags, warnAll } from './common.ts';

const HELP = `
A base is a column of scores of any model, a model file, or a model that is fitted here. The stack is a logistic regression over the logits
of its bases. Bases that are logodds models are put into it: the model file is a plain one, and is scored, explained and served as any other.

The stack must not learn from scores that a base gives to rows it was fitted to. --fit takes out-of-fold scores by itself. A --base needs
--out-of-fold, or --base-is-out-of-sample if the rows are new to it. Columns of --scores are believed.

Examples:
  logodds stack scored.csv --target default --scores xgboost,bureau --nonnegative --calibrate platt --out stack.safetensors
  logodds stack loans.csv --target default --fit short=income,age --fit long=all --groups customer --out stack.safetensors
  logodds stack new.csv --target default --base old=loans.safetensors --base-is-out-of-sample --fit new=all --out stack.safetensors`;

const fitByName = (text: string, before: Record<string, string> = {}): Record<string, string> => {
  const at = text.indexOf('=');
  return at <= 0 ? pairs(text, before) : { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() };
};

const OPTIONS: readonly OptionRow[] = [
  TARGET,
  ['--out <model>', 'model file to write (.safetensors)'],
  ['--scores <list>', 'columns with scores of models of any origin that did not see these rows', { parse: names }],
  [
    '--score-kind <kind>',
    'what columns of scores hold (default: probability if all are from 0 to 1, else logit)',
    { choices: ['probability', 'logit'] },
  ],
  ['--clip <p>', 'set probabilities below p and above 1 − p to these ends (default: 0.000001)', { parse: fraction }],
  ['--base <pairs>', 'bases from model files: NAME=MODEL,...', { parse: pairs }],
  ['--base-is-out-of-sample', 'no base of --base was fitted to these rows'],
  [
    '--out-of-fold <pairs>',
    'columns with scores of a --base by fits that did not see the row: NAME=COL,...',
    { parse: pairs },
  ],
  [
    '--fit <recipe>',
    'base that is fitted here, in folds and then to all rows: NAME=all, NAME=col,col, or NAME=FILE.json with a schema, or with features, schema, C, lambda, l1Ratio, penalty, coding (may be repeated)',
    { parse: fitByName },
  ],
  [
    '--schema <file>',
    'how columns become features of bases NAME=all, as of train (`logodds schema` writes one)',
    { conflicts: ['drop', 'categorical', 'numeric'] },
  ],
  ['--drop <list>', 'columns that bases NAME=all leave out', { parse: names }],
  ['--categorical <list>', 'read these columns as categories', { parse: names }],
  ['--numeric <list>', 'read these columns as numbers', { parse: names }],
  ['--passthrough <list>', 'columns that are features of the stack beside its bases', { parse: names }],
  ['--nonnegative', 'no base has a weight below 0'],
  ['--C <number>', 'inverse strength of the penalty (default: 1)', { parse: positiveNumber, conflicts: ['lambda'] }],
  ['--lambda <number>', 'strength of the penalty, added to the mean loss', { parse: notNegative }],
  ['--no-penalty', 'maximum likelihood, without a penalty', { conflicts: ['C', 'lambda'] }],
  ...DECISION_OPTIONS,
  ['--inference', 'standard errors of the weights of the bases (needs --no-penalty)'],
  ['--robust', 'robust standard errors of these weights'],
  ['--holdout <fraction>', 'share of rows held out for comparison (default: 0.2)', { parse: fraction }],
  ['--holdout-by <col>', 'hold out the rows with the largest values of this column (default: that of --time)'],
  ['--no-holdout', 'fit all rows, and compare nothing'],
  BASELINE,
  ['--folds <n>', 'number of folds (default: 5)', { parse: positiveInteger }],
  [
    '--groups <col>',
    'keep rows with the same value of this column together, in a fold or held out',
    { conflicts: ['time'] },
  ],
  ['--time <col>', 'score later rows by fits to earlier ones, ordered by this column of numbers, dates or times'],
  ['--seed <n>', 'seed of the random holdout and folds (default: 1)', { parse: integer }],
  [
    '--positive <label>',
    'class whose probability is modelled (default: 1, true, yes, or the second of the two in sorted order)',
  ],
  MISSING,
  WEIGHT,
  WEIGHT_KIND,
  QUERY,
  ...READING,
  THREADS,
  REPORT,
  VERBOSE,
  JSON_OUTPUT,
];

export const stack: CommandLine = {
  name: 'stack',
  description: 'fit a model over the scores of other models',
  takes: [DATA],
  options: OPTIONS,
  help: HELP,
  run,
};

type StackFlags = Omit<StackOptions, 'data' | 'fits' | 'penalty' | 'report'> &
  SpelledFlags & {
    readonly fit?: Record<string, string>;
    readonly schema?: string;
    readonly penalty: boolean;
    readonly report?: string;
  };

async function run(data: string | undefined, flags: StackFlags, command: Command): Promise<void> {
  const { fit, schema: schemaPath, penalty, report, ...rest } = flags;
  // what the other commands need not load
  const { stackCommand } = await import('../jobs/stack/stack.ts');
  const { readJson, readSchema } = await import('../read/files.ts');
  const schema = readSchema(schemaPath);
  if (schema && !Object.values(fit ?? {}).includes('all'))
    command.error('error: give --fit NAME=all with --schema, or --fit NAME=FILE.json');
  const fits =
    fit &&
    Object.fromEntries(
      Object.entries(fit).map(([name, text]) => [
        name,
        schema && text === 'all' ? { features: null, schema, fit: {} } : recipeOf(name, text, command, readJson),
      ]),
    );
  const result = await stackCommand({
    ...optionsOf(command, data, rest),
    schema: undefined,
    fits,
    report: reportTarget(report),
    penalty: penalty ? undefined : 'none',
    warn: note,
  } as StackOptions);
  warnAll(result.warnings, rest.verbose);
  if (rest.json) printJson(stackJson(rest.out, result));
  else print((await import('../terminal/stack.ts')).stackReport(rest.out, result));
}

const RECIPE = ['features', 'schema', 'C', 'lambda', 'l1Ratio', 'standardize', 'penalty', 'coding'];

/** "all", "income,age", or a file. */
function recipeOf(
  name: string,
  text: string,
  command: Command,
  readJson: (path: string, what: string) => unknown,
): BaseRecipe {
  if (text === 'all') return { features: null, fit: {} };
  if (!text.endsWith('.json')) return { features: names(text), fit: {} };
  const given = readJson(text, `--fit ${name}=`) as Record<string, unknown>;
  const { features, schema, ...others } = Object(given) as { features?: readonly unknown[]; schema?: Declaration };
  if (Array.isArray(features) && typeof features[0] === 'object')
    return { features: null, schema: given as never, fit: {} };
  const unknown = Object.keys(Object(given)).find((key) => !RECIPE.includes(key));
  if (unknown !== undefined || typeof given !== 'object' || given === null)
    command.error(`error: --fit ${name}: expected ${RECIPE.join(', ')}, got ${JSON.stringify(unknown ?? given)}`);
  return { features: (features as string[] | undefined) ?? null, schema, fit: others };
}

/** The object of `stack --json`. */
function stackJson(out: string | undefined, result: StackResult): object {
  const { model, rows, bases, comparison, verdict, metrics, unscored, warnings } = result;
  const { classes, positive, calibration = null, decision, stack: report = null } = model.manifest;
  return {
    model: out ?? null,
    classes,
    positive,
    rows: { ...rows, unscored },
    bases,
    stack: report,
    holdout: metrics,
    comparison,
    verdict,
    calibration,
    decision,
    warnings,
  };
}
