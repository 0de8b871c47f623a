import type { Command } from 'commander';
import { evaluationJson } from '../figures/json.ts';
import { strangerLines } from '../figures/strangers.ts';
import { roughPercent, whole } from '../figures/wording.ts';
import { type EvalOptions, type EvalResult, evalCommand } from '../jobs/eval.ts';
import { READING } from '../options/reading.ts';
import {
  DATA,
  JSON_OUTPUT,
  MAX_UNSEEN,
  MODEL,
  QUERY,
  REGISTRY,
  REPORT,
  TRACK,
  WEIGHT,
  WEIGHT_KIND,
} from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { evaluationText, metricsLine } from '../terminal/evaluation.ts';
import { facts } from '../terminal/layout.ts';
import type { CommandLine } from './command.ts';
import { dataOf, note, print, printJson, reportTarget, warnAll } from './common.ts';
import { type TrackFlags, tracked } from './tracked.ts';

const OPTIONS: readonly OptionRow[] = [
  ['--target <col>', 'column with the true classes (default: the target of the model)'],
  WEIGHT,
  WEIGHT_KIND,
  QUERY,
  MAX_UNSEEN,
  ...READING,
  REPORT,
  REGISTRY,
  ...TRACK,
  JSON_OUTPUT,
];

export const evaluate: CommandLine = {
  name: 'eval',
  description: 'compute metrics on labelled rows',
  takes: [MODEL, DATA],
  options: OPTIONS,
  run,
};

type EvalFlags = Omit<EvalOptions, 'data' | 'model' | 'report'> &
  TrackFlags & { readonly report?: string; readonly json?: boolean };

async function run(model: string, data: string | undefined, flags: EvalFlags, command: Command): Promise<void> {
  await tracked(command, flags, data, async ({ json, report, ...rest }, run) => {
    const result = await evalCommand({
      ...rest,
      report: reportTarget(report ?? run?.reportPath()),
      ...dataOf(command, data, flags.query),
      model,
      warn: note,
    });
    warnAll(result.warnings);
    if (json) printJson(evalJson(model, result));
    else print(evalReport(result));
    return async () => (await import('../jobs/tracking/outcomes.ts')).evalOutcome(model, result);
  });
}

/** The object of `eval --json`. */
function evalJson(path: string, { model, rows, metrics, evaluation, defaulted, unseen, warnings }: EvalResult): object {
  const figures = evaluationJson(evaluation(), model.manifest.classes);
  return { model: path, rows, metrics, evaluation: figures, defaulted, unseen, warnings };
}

function evalReport({ model, rows, metrics, evaluation, defaulted, unseen }: EvalResult): string {
  return `${facts([
    ['rows', whole(rows)],
    ['metrics', metricsLine(metrics, model.manifest.classes.length)],
    defaulted > 0 ? ['defaults', `${roughPercent(defaulted)} of the values missing, unseen or out of range`] : null,
    ...strangerLines(unseen).map((line, k): [string, string] => [k === 0 ? 'not in training' : '', line]),
  ])}\n\n${evaluationText(evaluation())}\n`;
}
