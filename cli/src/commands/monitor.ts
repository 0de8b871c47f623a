import type { Command } from 'commander';
import { JSON_OUTPUT, REGISTRY } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { instant } from '../options/values.ts';
import type { CommandLine } from './command.ts';
import { note, reportTarget } from './common.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--model <model>', 'model file, or models:/NAME@ALIAS or models:/NAME/VERSION of a registry', { required: true }],
  [
    '--labels <file>',
    'what became true: file or glob (.jsonl, .csv, .parquet) with id or entity, label, at and, optionally, outcomeAt',
    { conflicts: ['target'] },
  ],
  ['--target <col>', 'column of the log (Parquet, --query) that has what became true, instead of --labels'],
  [
    '--query <sql>',
    "rows of the log from this DuckDB query beside those of LOG; it reads files with your own rights (from 'x.parquet')",
  ],
  [
    '--config <file>',
    'settings in JSON or YAML: window, ripeAfter, least, groups, costs, names of columns … (their keys are in monitor.schema.json of the package)',
  ],
  [
    '--now <time>',
    'the time at which to look, in ISO 8601: labels from later are left out (default: the clock)',
    { parse: instant },
  ],
  REGISTRY,
  ['--report <file>', 'write a page (.html) with what changed, and since when'],
  JSON_OUTPUT,
];

const HELP = `
Examples:
  logodds monitor log/predictions-*.jsonl --model m.safetensors --labels 'log/labels-*.jsonl' --report watch.html
  logodds monitor 'log/*.parquet' --model m.safetensors --labels labels.csv --config monitor.yaml --json
  logodds monitor --query "from 'scored.parquet' where region = 'north'" --target paid --model m.safetensors

LOG: JSON lines (.jsonl, .jsonl.gz) and Parquet as the prediction log of \`serve\` writes them, in any order. Parquet and queries may have the inputs
as columns of their own, and need at alone: what has no probability is scored now.

Without a baseline in the model there is no drift, without labels performance is estimated from the scores. Whatever is left out is counted by name.`;

export const monitor: CommandLine = {
  name: 'monitor',
  description: 'say from logs what drifted, since when, and what it costs',
  takes: [['[log...]', 'files or globs of the prediction log: .jsonl, .jsonl.gz, .parquet']],
  options: OPTIONS,
  help: HELP,
  run,
};

/** Flags of `logodds monitor`. */
export interface MonitorFlags {
  readonly model: string;
  readonly labels?: string;
  readonly target?: string;
  readonly query?: string;
  readonly config?: string;
  /** milliseconds since 1970 */
  readonly now?: number;
  readonly registry?: string;
  readonly report?: string;
  readonly json?: boolean;
}

async function run(logs: readonly string[], flags: MonitorFlags, _command: Command): Promise<void> {
  // what the other commands need not load
  const { monitorCommand } = await import('../jobs/monitor/command.ts');
  await monitorCommand(logs, flags, reportTarget(flags.report), note);
}
