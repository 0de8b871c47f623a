import type { Command } from 'commander';
import type { PathStep } from '../../../src/index.ts';
import { counted, significant, word } from '../figures/wording.ts';
import { type PathCommandOptions, type PathResult, pathCommand, present } from '../jobs/path.ts';
import { DATA, PATH_OPTIONS, TARGET } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { table } from '../terminal/layout.ts';
import type { CommandLine } from './command.ts';
import { optionsOf, print, printJson, type SpelledFlags, warnAll } from './common.ts';
import { type TrackFlags, tracked } from './tracked.ts';

const HELP = `
Each fit starts from the solution of the one before it and reports its own convergence.

Examples:
  logodds path spam.csv --target spam --l1-ratio 1
  logodds path spam.csv --target spam --l1-ratio 0.5 --lambdas 0.1,0.03,0.01 --json`;

const OPTIONS: readonly OptionRow[] = [TARGET, ...PATH_OPTIONS];

export const path: CommandLine = {
  name: 'path',
  description: 'fit a sequence of penalties, from the strongest to the weakest',
  takes: [DATA],
  options: OPTIONS,
  help: HELP,
  run,
};

export type PathFlags = Omit<PathCommandOptions, 'data' | 'references' | 'schema'> & SpelledFlags & TrackFlags;

async function run(data: string | undefined, flags: PathFlags, command: Command): Promise<void> {
  await tracked(command, flags, data, async (rest) => {
    const result = await pathCommand(optionsOf(command, data, rest));
    warnAll(result.path.warnings, flags.verbose);
    if (flags.json) printJson(pathJson(result));
    else print(pathReport(result));
    return async () => (await import('../jobs/tracking/outcomes.ts')).pathOutcome(result);
  });
}

/** The object of `path --json`: every step, with the weights that are not 0 and the intercepts. */
function pathJson({ path, rows }: PathResult): object {
  return {
    rows,
    steps: path.steps.map((step, k) => ({ ...step, coefficients: present(path.model(k)) })),
    warnings: path.warnings,
  };
}

const end = ({ converged, reason }: PathStep) => (converged ? '' : `NOT converged (${reason})`);

function pathReport({ path, target, rows }: PathResult): string {
  const lines = path.steps.map((step) => [
    significant(step.lambda),
    significant(step.C),
    String(step.nonzero),
    `${Math.max(0, 100 * step.devianceRatio).toFixed(2)} %`,
    String(step.iterations),
    end(step),
  ]);
  const head = ['lambda', 'C', 'weights', 'deviance explained', 'iterations', ''];
  return `Path of ${counted(path.steps.length, 'penalty', 'penalties')} for ${word(target)}, ${counted(rows, 'row')}\n\n${table([head, ...lines])}\n`;
}
