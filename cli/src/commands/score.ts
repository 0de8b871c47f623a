import type { Command } from 'commander';
import { strangerLines } from '../figures/strangers.ts';
import { counted, roughPercent, whole, word } from '../figures/wording.ts';
import { type ScoreOptions, type StreamResult, scoreCommand } from '../jobs/score.ts';
import { READING } from '../options/reading.ts';
import { DATA, JSON_OUTPUT, MAX_UNSEEN, MODEL, QUERY, REGISTRY, THREADS } from '../options/shared.ts';
import { type OptionRow, optionNames } from '../options/table.ts';
import { fraction, positiveInteger } from '../options/values.ts';
import type { CommandLine } from './command.ts';
import { dataOf, note, print, printJson, warnAll } from './common.ts';

const HELP = `
The output is .csv, .tsv, .jsonl or .parquet. Its columns are row (counted from 0, in the order of DATA), p_<class> for every class and
label. A model with a review band adds review (true or false). The columns of --interval and --explain come last. Contributions are
differences in log-odds from the average training row.

Features with values that training did not have (unseen levels, numbers beyond the fitted range) are listed with counts. More than 10 % of
a feature's values is a warning.

With --spark the rows stay where Spark has them: DATA is Parquet, the output a folder of parts (.parquet, .csv, .jsonl), whose column row has
the order of DATA. It needs a Python with logodds[spark]: python3, or the one that LOGODDS_PYTHON names.

Examples:
  logodds score loans.safetensors new.parquet --out scores.parquet
  cat new.csv | logodds score loans.safetensors - --out scores.csv
  logodds score loans.safetensors new.csv --explain 3 --interval 0.95 --out scores.csv
  logodds score loans.safetensors "new/*.parquet" --out scores.parquet --spark spark://host:7077`;

/** What the rows of Spark have no use for, or what it does not do. */
const NOT_BY_SPARK = [...optionNames([QUERY, ...READING, MAX_UNSEEN, THREADS]), 'precision', 'csvSafe'];

const OPTIONS: readonly OptionRow[] = [
  ['--out <file>', 'file of scores to write (.csv, .tsv, .jsonl, .parquet)', { required: true }],
  QUERY,
  ...READING,
  ['--precision <type>', 'precision of the arithmetic and of the output', { choices: ['f64', 'f32'], default: 'f64' }],
  [
    '--explain <k>',
    'add columns feature_1, contribution_1, … for the k columns of DATA that moved the logit most, and reason_1, … if the schema has reasons',
    { parse: positiveInteger },
  ],
  [
    '--interval <level>',
    'add columns low, high: a confidence interval of the probability at this level (0.95); the model must be trained with --inference',
    { parse: fraction },
  ],
  [
    '--csv-safe',
    "put ' before labels, names and reasons in CSV that begin with = + - @, because spreadsheets run them as formulas",
  ],
  MAX_UNSEEN,
  THREADS,
  [
    '--spark <master>',
    'let Spark score at this address: local[*], spark://HOST:PORT, yarn, k8s://..., or sc://HOST:PORT of Spark Connect',
    { conflicts: NOT_BY_SPARK },
  ],
  REGISTRY,
  JSON_OUTPUT,
];

export const score: CommandLine = {
  name: 'score',
  description: 'compute probabilities and labels for new rows',
  takes: [MODEL, DATA],
  options: OPTIONS,
  help: HELP,
  run,
};

type ScoreFlags = Omit<ScoreOptions, 'data' | 'model'> & { readonly json?: boolean; readonly spark?: string };

async function run(
  model: string,
  data: string | undefined,
  { json, spark, ...flags }: ScoreFlags,
  command: Command,
): Promise<void> {
  const { out } = flags;
  if (spark !== undefined) {
    if (data === undefined || data === '-') command.error('error: name the files of DATA with --spark');
    const { scoreBySpark } = await import('../jobs/spark/score.ts');
    const result = await scoreBySpark({ ...flags, spark, model, data, note });
    if (json) printJson({ model, out, ...result });
    else print(scoreReport(out, { ...result, unseen: [], warnings: [] }));
    return;
  }
  const result = await scoreCommand({ ...flags, ...dataOf(command, data, flags.query), model, warn: note });
  warnAll(result.warnings);
  if (json) printJson({ model, out, ...result });
  else print(scoreReport(out, result));
}

function scoreReport(out: string, { rows, defaulted, unseen, seconds }: StreamResult): string {
  const defaults = defaulted > 0 ? `, ${roughPercent(defaulted)} of their values missing, unseen or out of range` : '';
  return `${counted(rows, 'row')} scored in ${seconds.toFixed(2)} s (${whole(Math.round(rows / seconds))} rows/s)${defaults}: ${word(out)}\n${strangerLines(
    unseen,
  )
    .map((line) => `  ${line}\n`)
    .join('')}`;
}
