import {
  type CrossValidation,
  type CrossValidationOptions,
  coefficients,
  crossValidate,
  type Engine,
  fitPath,
  type Model,
  type PathOptions,
  type PathStep,
  type RegularizationPath,
  saveModel,
} from '../../src/index.ts';
import { openDatabase } from './database.ts';
import { engineFor } from './engine.ts';
import { startPhase } from './progress.ts';
import { facts, significant, table } from './report.ts';
import type { DataOptions } from './source.ts';
import { assertWritable, OutputFile } from './temporary.ts';
import { type Roles, readTraining } from './training.ts';

/** Options of `logodds path`, as values. */
export interface PathCommandOptions
  extends DataOptions,
    Omit<Roles, 'holdoutBy' | 'cluster' | 'groups' | 'time'>,
    Pick<
      PathOptions,
      | 'positive'
      | 'multiclass'
      | 'l1Ratio'
      | 'standardize'
      | 'penaltyFactors'
      | 'bounds'
      | 'lambdas'
      | 'count'
      | 'ratio'
      | 'coding'
      | 'references'
      | 'classWeight'
      | 'solver'
      | 'tol'
      | 'maxIter'
    > {
  readonly threads?: number;
  readonly engine?: Engine;
  readonly warn?: (message: string) => void;
}

/** Options of `logodds cv`, as values. */
export interface CvCommandOptions
  extends PathCommandOptions,
    Pick<CrossValidationOptions, 'folds' | 'groups' | 'time' | 'seed' | 'score' | 'rule'> {
  /** where the refitted model goes; absent: nowhere */
  readonly out?: string;
}

export interface PathResult {
  readonly path: RegularizationPath;
  readonly target: string;
  readonly rows: number;
}

export interface CvResult {
  readonly validation: CrossValidation;
  readonly target: string;
  readonly rows: number;
  readonly out?: string;
}

/** Reads and fits a path of penalties. @throws the errors of reading and of `fitPath` */
export async function pathCommand(options: PathCommandOptions): Promise<PathResult> {
  const { data, chosen } = await read(options);
  const path = working('path', () => fitPath(data, chosen));
  return { path, target: options.target, rows: data.rows };
}

/** Reads, cross-validates, and saves the model of the chosen penalty. @throws the errors of reading, of `crossValidate`, and ERR_OUTPUT */
export async function cvCommand(options: CvCommandOptions): Promise<CvResult> {
  const { out } = options;
  if (out !== undefined) assertWritable(out);
  const { data, chosen } = await read(options);
  const { folds, groups, time, seed, score, rule } = options;
  const validation = working('cross-validate', () =>
    crossValidate(data, { ...chosen, folds, groups, time, seed, score, rule }),
  );
  if (out !== undefined) {
    const file = new OutputFile(out);
    file.write(saveModel(validation.model));
    file.commit();
  }
  return { validation, target: options.target, rows: data.rows, out };
}

/** Reads the table; DuckDB and its memory are gone when this returns. */
async function read(options: CvCommandOptions) {
  const database = await openDatabase();
  try {
    const { table: data, features } = await readTraining(database.connection, options, options, 0);
    const { target, positive, multiclass, trials, weight, offset, l1Ratio, standardize, penaltyFactors, bounds } =
      options;
    const { lambdas, count, ratio, coding, references, classWeight, solver, tol, maxIter } = options;
    const engine = options.engine ?? engineFor(options.threads, options.warn);
    const chosen: PathOptions = {
      ...{ target, positive, multiclass, trials, weight, offset, l1Ratio, standardize, penaltyFactors, bounds },
      ...{ lambdas, count, ratio, coding, references, classWeight, solver, tol, maxIter, engine },
      schema: options.schema,
      features: [...features],
    };
    return { data, chosen };
  } finally {
    database.close();
  }
}

function working<T>(name: string, work: () => T): T {
  const phase = startPhase(name, false);
  phase.update(null, '…');
  try {
    return work();
  } finally {
    phase.end();
  }
}

/** The object of `path --json`: every step, with the weights that are not 0 and the intercepts. */
export function pathJson({ path, rows }: PathResult): object {
  return {
    rows,
    steps: path.steps.map((step, k) => ({ ...step, coefficients: present(path.model(k)) })),
    warnings: path.warnings,
  };
}

/** The object of `cv --json`. */
export function cvJson({ validation, rows, out }: CvResult): object {
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

const present = (model: Model) =>
  coefficients(model)
    .filter(({ value, feature }) => value !== 0 || feature === '(intercept)')
    .map(({ class: name, feature, level, value }) => ({ class: name, feature, level, value }));

const end = ({ converged, reason }: PathStep) => (converged ? '' : `NOT converged (${reason})`);

export function pathReport({ path, target, rows }: PathResult): string {
  const lines = path.steps.map((step) => [
    significant(step.lambda),
    significant(step.C),
    String(step.nonzero),
    `${Math.max(0, 100 * step.devianceRatio).toFixed(2)} %`,
    String(step.iterations),
    end(step),
  ]);
  const head = ['lambda', 'C', 'weights', 'deviance explained', 'iterations', ''];
  return `Path of ${path.steps.length} penalties for ${target}, ${rows.toLocaleString('en-US')} rows\n\n${table([head, ...lines])}\n`;
}

/** Steps of a report around the ones that matter; a path of a hundred does not fit a terminal. */
const SHOWN = 24;

export function cvReport({ validation, target, rows, out }: CvResult): string {
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
    [marks(k), step.convergedFolds < folds ? `${folds - step.convergedFolds} folds NOT converged` : ''].join('  '),
  ]);
  const head = ['lambda', 'C', 'weights', `mean ${score}`, 'std. error', ''];
  const { lambda, C, nonzero } = steps[chosen];
  const result = facts([
    ['chosen', `lambda = ${significant(lambda)}, C = ${significant(C)}, ${nonzero} weights that are not 0`],
    out === undefined ? null : ['saved', out],
  ]);
  return `Cross-validation of ${target}, ${folds} folds, ${rows.toLocaleString('en-US')} rows\n\n${table([head, ...lines])}\n\n${result}\n`;
}
