import type { Command } from 'commander';
import { SCORES } from '../../../src/internal.ts';
import { counted, significant, word } from '../figures/wording.ts';
import { BASELINE } from '../jobs/baseline.ts';
import { type CvCommandOptions, type CvResult, cvCommand, type PathCommandOptions, present } from '../jobs/path.ts';
import { DATA, PATH_OPTIONS, TARGET } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { integer, positiveInteger } from '../options/values.ts';
import { facts, table } from '../terminal/layout.ts';
import { refuseShared } from '../write/temporary.ts';
import type { CommandLine } from './command.ts';
import { optionsOf, print, printJson, warnAll } from './common.ts';
import type { PathFlags } from './path.ts';
import { tracked } from './tracked.ts';

const HELP = `
Every fold has the same share of each class. The chosen penalty is then fitted to all rows. If the best penalty is the weakest one tried,
weaker ones are added (20 at a time, at most three times) and a note says so. With --lambdas or --ratio none are added.

Examples:
  logodds cv spam.csv --target spam --l1-ratio 1 --rule 1se --out spam.safetensors
  logodds cv visits.parquet --target bought --groups customer --folds 10
  logodds cv flights.parquet --target late --time day --folds 4`;

const OPTIONS: readonly OptionRow[] = [
  TARGET,
  ['--out <model>', 'model file to write (.safetensors)'],
  BASELINE,
  ...PATH_OPTIONS,
  ['--folds <n>', 'number of folds (default: 5)', { parse: positiveInteger }],
  ['--groups <col>', 'keep rows with the same value of this column in the same fold', { conflicts: ['time'] }],
  ['--time <col>', 'train on earlier rows and score later rows, ordered by this column of numbers, dates or times'],
  ['--seed <n>', 'seed of the random folds (default: 1)', { parse: integer, conflicts: ['time'] }],
  ['--score <name>', 'score that chooses the penalty (default: logLoss)', { choices: SCORES }],
  [
    '--rule <name>',
    'min: the penalty with the best mean score; 1se: the strongest penalty within one standard error of it (default: min)',
    { choices: ['min', '1se'] },
  ],
];

export const cv: CommandLine = {
  name: 'cv',
  description: 'choose the penalty by cross-validation and fit with it',
  takes: [DATA],
  options: OPTIONS,
  help: HELP,
  run,
};

type CvFlags = PathFlags & Omit<CvCommandOptions, keyof PathCommandOptions>;

async function run(data: string | undefined, flags: CvFlags, command: Command): Promise<void> {
  if (flags.out !== undefined) refuseShared(flags.out, flags.schema);
  await tracked(command, flags, data, async (rest) => {
    const result = await cvCommand(optionsOf(command, data, rest));
    warnAll(result.validation.warnings, flags.verbose);
    if (flags.json) printJson(cvJson(result));
    else print(cvReport(result));
    return async () => (await import('../jobs/tracking/outcomes.ts')).cvOutcome(result);
  });
}

/** The object of `cv --json`. */
function cvJson({ validation, rows, out }: CvResult): object {
  const { score, steps, best, oneStdError, chosen, model, warnings } = validation;
  return {
    model: out ?? null,
    rows,
    score,
    steps,
    best,
    oneStdError,
    chosen,
    lambda: steps[chosen].lambda,
    C: steps[chosen].C,
    coefficients: present(model),
    warnings,
  };
}

/** Number of steps shown in addition to the important ones; a path of a hundred does not fit a terminal. */
const SHOWN = 24;

function cvReport({ validation, target, rows, out }: CvResult): string {
  const { steps, best, oneStdError, chosen, score } = validation;
  const every = Math.ceil(steps.length / SHOWN);
  const shown = steps.flatMap((step, k) =>
    k % every === 0 || [best, oneStdError, steps.length - 1].includes(k) ? [{ step, k }] : [],
  );
  const marks = (k: number) =>
    [k === best ? 'best' : '', k === oneStdError ? 'one standard error' : '', k === chosen ? '← chosen' : '']
      .filter((mark) => mark !== '')
      .join(', ');
  const folds = steps[0].scores.length;
  const lines = shown.map(({ step, k }) => [
    significant(step.lambda),
    significant(step.C),
    String(step.nonzero),
    significant(step.mean, 6),
    significant(step.stdError, 3),
    [marks(k), step.convergedFolds < folds ? `${counted(folds - step.convergedFolds, 'fold')} NOT converged` : ''].join(
      '  ',
    ),
  ]);
  const head = ['lambda', 'C', 'weights', `mean ${score}`, 'std. error', ''];
  const { lambda, C, nonzero } = steps[chosen];
  const result = facts([
    ['chosen', `lambda = ${significant(lambda)}, C = ${significant(C)}, ${nonzero} weights that are not 0`],
    out === undefined ? null : ['saved', out],
  ]);
  return `Cross-validation of ${word(target)}, ${counted(folds, 'fold')}, ${counted(rows, 'row')}\n\n${table([head, ...lines])}\n\n${result}\n`;
}
