import type { Command } from 'commander';
import type { ExperimentOptions } from '../jobs/experiment.ts';
import { READING } from '../options/reading.ts';
import { DATA, JSON_OUTPUT, QUERY } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { fraction, numbersByName, positiveInteger, positiveNumber } from '../options/values.ts';
import type { CommandLine } from './command.ts';
import { dataOf, note, print, printJson, reportTarget, warnAll } from './common.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--arm <col>', 'column with the arm of each row', { required: true }],
  [
    '--outcome <col>',
    'column with what came of it: two labels or 0 and 1 (a rate), or numbers (a mean)',
    { required: true },
  ],
  [
    '--positive <label>',
    'outcome whose rate is compared (default: 1, true, yes, or the second of the two in sorted order)',
  ],
  [
    '--score <col>',
    'number known before the assignment, as the score of one model for all arms: the difference is adjusted by it (CUPED)',
  ],
  ['--by <col>', 'compare within the groups of this column too, under control of false discoveries'],
  ['--control <label>', 'arm the others are compared with (default: control, champion, or the first in sorted order)'],
  [
    '--shares <pairs>',
    'probability of each arm: A=0.9,B=0.1 (default: equal)',
    { parse: numbersByName(positiveNumber) },
  ],
  ['--time <col>', 'when the row came; rows are looked at in this order (default: their order in DATA)'],
  ['--key <col>', 'who was assigned, as a user: keys in two arms are counted and left out'],
  ['--alpha <level>', 'probability of a false alarm, over all looks (default: 0.05)', { parse: fraction }],
  [
    '--tightest-at <rows>',
    'rows of two arms for which the confidence sequence is narrowest (default: 10000); choose it before you look',
    { parse: positiveInteger },
  ],
  QUERY,
  ...READING,
  ['--report <file>', 'write a page (.html) with the confidence sequence over time, groups and checks'],
  JSON_OUTPUT,
];

const HELP = `
Its intervals and p-values may be looked at as often as you like while rows come in (confidence sequences); those for one planned look stand beside them.
A p-value at any time is the least of all looks, and of the same difference as its interval: with --score of the adjusted one. Under a sample-ratio mismatch
no p-value is printed.

A --score must be known before the assignment and must not depend on the arm. One that differs by arm, as the score that each arm's own model gives, takes a part
of the difference itself away: CUPED is biased then.

Examples:
  logodds experiment visits.csv --arm variant --outcome bought --control A
  logodds experiment visits.parquet --arm variant --outcome bought --score risk --by country --time at --key user --shares A=0.9,B=0.1 --report visits.html`;

export const experiment: CommandLine = {
  name: 'experiment',
  description:
    'compare the arms of an experiment: rates or means with confidence sequences, CUPED, sample ratios, groups',
  takes: [DATA],
  options: OPTIONS,
  help: HELP,
  run,
};

type ExperimentFlags = Omit<ExperimentOptions, 'data' | 'report' | 'warn'> & {
  readonly report?: string;
  readonly json?: boolean;
};

async function run(data: string | undefined, { json, ...flags }: ExperimentFlags, command: Command): Promise<void> {
  // what the other commands need not load
  const [{ experimentCommand }, { experimentJson, experimentText }] = await Promise.all([
    import('../jobs/experiment.ts'),
    import('../terminal/experiment.ts'),
  ]);
  const result = await experimentCommand({
    ...flags,
    ...dataOf(command, data, flags.query),
    report: reportTarget(flags.report),
    warn: note,
  });
  warnAll(result.warnings);
  if (json) printJson(experimentJson(result));
  else print(experimentText(result));
}
