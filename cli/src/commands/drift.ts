import type { Command } from 'commander';
import type { Adjustment, Convention } from '../../../src/monitor.ts';
import type { DataSide, DriftOptions } from '../jobs/drift/options.ts';
import { READING } from '../options/reading.ts';
import { JSON_OUTPUT, REGISTRY, THREADS } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { fraction, integer, notNegative, positiveInteger } from '../options/values.ts';
import type { CommandLine } from './command.ts';
import { note, reportTarget } from './common.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--model <model>', 'read and score both sides with this model (a file, or models:/NAME@ALIAS)'],
  ['--reference-query <sql>', 'the reference comes from this DuckDB query, instead of REFERENCE'],
  ['--query <sql>', 'the current rows come from this DuckDB query, instead of CURRENT'],
  [
    '--alpha <level>',
    'a feature is called drifted where its adjusted p-value is at most this (default: 0.05)',
    { parse: fraction },
  ],
  [
    '--adjust <method>',
    'how p-values are adjusted for the number of features (default: benjamini-hochberg)',
    { choices: ['benjamini-hochberg', 'holm', 'none'] },
  ],
  [
    '--least <psi>',
    'and where its PSI exceeds what noise gives by this (default: 0.01, a shift of a tenth of a standard deviation)',
    { parse: notNegative },
  ],
  [
    '--convention <program>',
    'the figure that this program chooses by default, beside ours; of data that are too large from a sample of 100000 rows',
    { choices: ['evidently', 'nannyml'] },
  ],
  [
    '--domain <rows>',
    'rows a side for the classifier that tells the two sides apart (default: 5000)',
    { parse: positiveInteger },
  ],
  ['--no-domain', 'do not fit that classifier'],
  ['--seed <n>', 'seed of samples and folds (default: 1)', { parse: integer }],
  ['--fail', 'exit with status 1 when a feature or the scores drifted'],
  ...READING,
  THREADS,
  REGISTRY,
  ['--report <file>', 'write a page (.html) with distributions, tests, and what moved the mean logit'],
  JSON_OUTPUT,
];

const HELP = `
REFERENCE is a model (its baseline: the rows that it was fitted to), or data; CURRENT is data: a .csv, .tsv, .parquet or .jsonl file, a pattern of such files, or -
for CSV on standard input. With --model data are compared as the model reads and scores them. Without a model columns are compared as they are: numbers and
categories, those that both sides have.

Numbers are compared by Kolmogorov-Smirnov on the bins of the reference, categories by chi-square; PSI stands beside with what noise alone gives. The shift of the
mean logit is split by feature exactly. What is skipped is named. Memory is bounded: a sample of 100000 rows of the reference sets the bins, all rows are counted.

Examples:
  logodds drift loans.safetensors this-week.csv
  logodds drift loans.safetensors this-week.parquet --report drift.html --fail
  logodds drift last-month.parquet this-month.parquet --model loans.safetensors
  logodds drift before.csv after.csv
  logodds drift loans.safetensors --query "from 'log.parquet' where \\"at\\" >= '2026-11-01'"

Exit status: 0 done; 1 something drifted and --fail is given (the report is on standard output), or failed with an error code and one sentence on standard
error; 2 wrong usage.`;

export const drift: CommandLine = {
  name: 'drift',
  description: 'compare data with the baseline of a model, or with other data',
  takes: [
    ['[reference]', 'model file, models:/NAME@ALIAS, or data: file, glob, or - for standard input'],
    ['[current]', 'data: file, glob, or - for standard input'],
  ],
  options: OPTIONS,
  help: HELP,
  run,
};

type DriftFlags = Omit<DriftOptions, 'reference' | 'current' | 'report' | 'warn'> & {
  readonly referenceQuery?: string;
  readonly query?: string;
  readonly report?: string;
  readonly fail?: boolean;
  readonly json?: boolean;
  readonly alpha?: number;
  readonly adjust?: Adjustment;
  readonly convention?: Convention;
};

async function run(
  first: string | undefined,
  second: string | undefined,
  { referenceQuery, query, report, fail, json, ...flags }: DriftFlags,
  command: Command,
): Promise<number> {
  const places = [first, second].filter((one) => one !== undefined);
  const sides = [referenceQuery, query].map((sql): DataSide => {
    if (sql !== undefined) return { query: sql };
    const data = places.shift();
    return data === undefined ? {} : { data };
  });
  const [reference, current] = sides;
  if (places.length > 0) command.error('error: give REFERENCE or --reference-query, and CURRENT or --query, not both');
  if (reference.data === undefined && reference.query === undefined)
    command.error('error: name REFERENCE (a model or data), or give a --reference-query');
  if (current.data === undefined && current.query === undefined)
    command.error('error: name CURRENT (data to compare), or give a --query');
  // what the other commands need not load
  const { driftCommand } = await import('../jobs/drift/command.ts');
  return driftCommand({ ...flags, reference, current, report: reportTarget(report), warn: note }, { json, fail });
}
