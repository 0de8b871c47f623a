import { driftJson } from '../../figures/drift.ts';
import { driftText } from '../../terminal/drift.ts';
import { print, printJson } from '../../terminal/print.ts';
import { assertWritable } from '../../write/temporary.ts';
import { runDrift } from './drift.ts';
import { type DriftOptions, driftedOf } from './options.ts';

/** Index above noise from which on a feature is called drifted. */
const LEAST = 0.01;

/** Runs `logodds drift`: prints what was found, and writes the page that is asked for. @returns the exit status */
export async function driftCommand(
  options: DriftOptions,
  { json, fail }: { readonly json?: boolean; readonly fail?: boolean },
): Promise<number> {
  const { report, reference, current, model, least = LEAST } = options;
  if (report) assertWritable(report.path, reference.data, current.data, model);
  const result = await runDrift(options);
  if (report) {
    const [{ driftPage }, { originOf, writePage }] = await Promise.all([
      import('../../report/drift.ts'),
      import('../../report/write.ts'),
    ]);
    writePage(report.path, await driftPage(result, least, await originOf(report, originData(options))));
  }
  if (json) printJson(driftJson(result));
  else print(driftText(result, least));
  const { features, score } = driftedOf(result);
  return fail && (score || features.length > 0) ? 1 : 0;
}

/** The data of the page: the current ones. */
const originData = ({ current }: DriftOptions) => current;
