import type { Command } from 'commander';
import { whole } from '../figures/wording.ts';
import { type EvalOptions, type EvalResult, evalCommand } from '../jobs/eval.ts';
import { DATA, JSON_OUTPUT, MODEL, QUERY, REPORT, WEIGHT } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { evaluationText, metricsLine } from '../terminal/evaluation.ts';
import { facts } from '../terminal/layout.ts';
import type { CommandLine } from './command.ts';
import { dataOf, note, print, printJson, reportTarget } from './common.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--target <col>', 'column with the true classes', { required: true }],
  WEIGHT,
  QUERY,
  REPORT,
  JSON_OUTPUT,
];

export const evaluate: CommandLine = {
  name: 'eval',
  description: 'metrics on labelled rows',
  takes: [MODEL, DATA],
  options: OPTIONS,
  run,
};

type EvalFlags = Omit<EvalOptions, 'data' | 'model' | 'report'> & { readonly report?: string; readonly json?: boolean };

async function run(
  model: string,
  data: string | undefined,
  { json, ...flags }: EvalFlags,
  command: Command,
): Promise<void> {
  const result = await evalCommand({
    ...flags,
    report: reportTarget(flags.report),
    ...dataOf(command, data, flags.query),
    model,
    warn: note,
  });
  if (json) printJson({ model, rows: result.rows, metrics: result.metrics });
  else print(evalReport(result));
}

function evalReport({ rows, metrics, evaluation }: EvalResult): string {
  return `${facts([
    ['rows', whole(rows)],
    ['metrics', metricsLine(metrics)],
  ])}\n\n${evaluationText(evaluation())}\n`;
}
