import type { Command } from 'commander';
import { strangerLines } from '../figures/strangers.ts';
import { counted, roughPercent, whole, word } from '../figures/wording.ts';
import { type ScoreOptions, type StreamResult, scoreCommand } from '../jobs/score.ts';
import { READING } from '../options/reading.ts';
import { DATA, JSON_OUTPUT, MAX_UNSEEN, MODEL, QUERY, REGISTRY, THREADS } from '../options/shared.ts';
import { type OptionRow, optionNames } from '../options/table.ts';
import { fraction, positiveInteger } from '../options/values.ts';
import type { CommandLine } from './command.ts';
import { dataOf, note, noting, print, printJson, warnAll } from './common.ts';

const HELP = `
The output is .csv, .tsv, .jsonl or .parquet. Its columns are row (counted from 0, in the order of DATA), p_<class> for every class and
label. A model with a review band adds review (true or false). The columns of --interval and --explain come last. Contributions are
differences in log-odds from the average training row.

Features with values that training did not have (unseen levels, numbers beyond the fitted range) are listed with counts. More than 10 % of
a feature's values is a warning.

An --out that ends in / is a folder: each file of DATA becomes a part of the same name in it, whose rows are counted from 0. Before any
part is scored the columns of all are checked. _logodds.json in the folder lists the parts that are complete.

With --spark the rows stay where Spark has them: DATA is Parquet, the output a folder of parts (.parquet, .csv, .jsonl), whose column row has
the order of DATA. It needs a Python with logodds[spark]: python3, or the one that LOGODDS_PYTHON names.

Examples:
  logodds score loans.safetensors new.parquet --out scores.parquet
  logodds score loans.safetensors 's3://lake/loans/*/*.parquet' --out s3://lake/scores/ --resume
  cat new.csv | logodds score loans.safetensors - --out scores.csv
  logodds score loans.safetensors new.csv --explain 3 --interval 0.95 --out scores.csv
  logodds score loans.safetensors "new/*.parquet" --out scores.parquet --spark spark://host:7077`;

/** Of an output that is a folder. */
const BATCH: readonly OptionRow[] = [
  [
    '--format <name>',
    'with a folder: format of the parts (default: that of each file of DATA)',
    { choices: ['csv', 'tsv', 'jsonl', 'parquet'] },
  ],
  ['--resume', 'with a folder: go on where an earlier job was; parts whose input has changed are made anew'],
  ['--restart', 'with a folder: make all parts anew', { conflicts: ['resume'] }],
  ['--keep-going', 'with a folder: leave out parts that cannot be scored, name them, and end with status 3'],
];
const BATCH_NAMES = optionNames(BATCH);

/** What the rows of Spark have no use for, or what it does not do. */
const NOT_BY_SPARK = [...optionNames([QUERY, ...READING, MAX_UNSEEN, THREADS, ...BATCH]), 'precision', 'csvSafe'];

const OPTIONS: readonly OptionRow[] = [
  [
    '--out <file>',
    'file of scores to write (.csv, .tsv, .jsonl, .parquet), or a folder that ends in /, which gets a part for each file of DATA',
    { required: true },
  ],
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
  ...BATCH,
  THREADS,
  [
    '--spark <master>',
    'let Spark score at this address: local[*], spark://HOST:PORT, yarn, k8s://..., or sc://HOST:PORT of Spark Connect',
    { conflicts: NOT_BY_SPARK },
  ],
  REGISTRY,
  JSON_OUTPUT,
];

/** Whether the output is a folder of parts. */
const isBatch = ({ out }: { readonly out?: unknown }): boolean => typeof out === 'string' && out.endsWith('/');

export const score: CommandLine = {
  name: 'score',
  description: 'compute probabilities and labels for new rows',
  takes: [MODEL, DATA],
  options: OPTIONS,
  help: HELP,
  run,
  opens: (flags) => (isBatch(flags) || flags['spark'] !== undefined ? [1, 'out'] : []),
};

type ScoreFlags = Omit<ScoreOptions, 'data' | 'model'> &
  BatchFlags & { readonly json?: boolean; readonly spark?: string };

/** Of a folder of parts. */
interface BatchFlags {
  readonly format?: 'csv' | 'tsv' | 'jsonl' | 'parquet';
  readonly resume?: boolean;
  readonly restart?: boolean;
  readonly keepGoing?: boolean;
}

async function run(
  model: string,
  data: string | undefined,
  { json, spark, ...flags }: ScoreFlags,
  command: Command,
): Promise<number | undefined> {
  const { out } = flags;
  if (spark !== undefined) {
    if (data === undefined || data === '-') command.error('error: name the files of DATA with --spark');
    const { scoreBySpark } = await import('../jobs/spark/score.ts');
    const result = await scoreBySpark({ ...flags, spark, model, data, note });
    if (json) printJson({ model, out, ...result });
    else print(scoreReport(out, { ...result, unseen: [], warnings: [] }));
    return undefined;
  }
  if (isBatch(flags)) {
    // what speaks of parts is loaded with the first folder
    const { runBatch } = await import('./scoreBatch.ts');
    return runBatch(command, model, data, { json, ...flags });
  }
  const alone = BATCH_NAMES.find((name) => flags[name as keyof BatchFlags] !== undefined);
  if (alone !== undefined)
    command.error(
      `error: option '--${alone.replace('keepGoing', 'keep-going')}' needs an --out that is a folder and ends in /`,
    );
  const notes = noting();
  const result = await scoreCommand({ ...flags, ...dataOf(command, data, flags.query), model, warn: notes.note });
  warnAll(result.warnings);
  if (json) printJson({ model, out, ...result, warnings: [...result.warnings, ...notes.warnings] });
  else print(scoreReport(out, result));
  return undefined;
}

function scoreReport(out: string, { rows, defaulted, unseen, seconds }: StreamResult): string {
  const defaults = defaulted > 0 ? `, ${roughPercent(defaulted)} of their values missing, unseen or out of range` : '';
  return `${counted(rows, 'row')} scored in ${seconds.toFixed(2)} s (${whole(Math.round(rows / seconds))} rows/s)${defaults}: ${word(out)}\n${strangerLines(
    unseen,
  )
    .map((line) => `  ${line}\n`)
    .join('')}`;
}
