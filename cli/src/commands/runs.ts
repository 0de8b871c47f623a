import { JSON_OUTPUT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { positiveInteger } from '../options/values.ts';
import { print, printJson } from '../terminal/print.ts';
import type { CommandLine } from './command.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--experiment <name>', 'runs of this experiment only'],
  ['--sort <metric>', 'the best by this metric first (default: the newest first)'],
  ['--most <n>', 'largest number of runs in the table and the page (default: 50)', { parse: positiveInteger }],
  ['--from <place>', 'with show: the folder or the address of the runs'],
  ['--report <file>', 'write a page (.html) that compares the runs and draws their curves'],
  JSON_OUTPUT,
];

const HELP = `
PLACE is a folder of runs, or http(s)://… of an MLflow server. Default: LOGODDS_TRACKING, MLFLOW_TRACKING_URI or ./runs.
A run whose process was killed is shown as unfinished.

Examples:
  logodds train loans.csv --target default --C 0.1 --track
  logodds runs --sort auc
  logodds runs show 1f3a
  logodds runs http://mlflow.example:5000 --experiment loans --report runs.html`;

export const runs: CommandLine = {
  name: 'runs',
  description: 'compare runs that --track has kept',
  takes: [
    ['[place]', 'folder or address; or show, to see one run'],
    ['[run]', 'with show: the id of a run, or a part of it'],
  ],
  options: OPTIONS,
  help: HELP,
  run,
};

interface RunsFlags {
  readonly experiment?: string;
  readonly sort?: string;
  readonly most?: number;
  readonly from?: string;
  readonly report?: string;
  readonly json?: boolean;
}

async function run(place: string | undefined, id: string | undefined, flags: RunsFlags): Promise<void> {
  const { compareRuns, showRun } = await import('../jobs/tracking/runs.ts');
  const isShow = place === 'show';
  const told = isShow ? await showRun(id, flags) : await compareRuns(place, id, flags);
  if (flags.json) printJson(told.json);
  else print(told.text);
}
