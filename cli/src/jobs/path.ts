import {
  type CrossValidation,
  coefficients,
  crossValidate,
  type Engine,
  fitPath,
  type Model,
  type PathOptions,
  type RegularizationPath,
  type StrengthsOptions,
  saveModel,
  type ValidationOptions,
} from '../../../src/index.ts';
import { warningsInFlags } from '../figures/flags.ts';
import { lazyDatabase, type SourceOptions } from '../read/source.ts';
import { type Roles, readTraining, type TrainingData } from '../read/training.ts';
import { startPhase } from '../terminal/progress.ts';
import { assertWritable, OutputFile } from '../write/temporary.ts';
import { based } from './baseline.ts';
import { classesOf, noteMulticlass, noteOneAndTwo } from './classes.ts';
import { engineFor } from './engine.ts';
import { type FitChoices, fitOptionsOf, penaltyKindOf } from './fitOptions.ts';

/** Options of `logodds path`, as values. */
export interface PathCommandOptions
  extends SourceOptions,
    Omit<Roles, 'holdoutBy' | 'cluster' | 'groups' | 'time'>,
    FitChoices,
    StrengthsOptions {
  readonly threads?: number;
  readonly engine?: Engine;
  readonly warn?: (message: string) => void;
}

/** Options of `logodds cv`, as values. */
export interface CvCommandOptions extends PathCommandOptions, ValidationOptions {
  /** file for the refitted model; absent: it is not saved */
  readonly out?: string;
  /** false: the model has no distribution of its training data */
  readonly baseline?: boolean;
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
  const { data, chosen, leftOut, placed } = await read(options);
  const fitted = await working('path', () => fitPath(data, chosen), placed);
  const path = { ...fitted, warnings: [...leftOut, ...warningsInFlags(fitted.warnings)] };
  return { path, target: options.target, rows: data.rows };
}

/**
 * Reads the data, cross-validates, and saves the model with the chosen penalty. @throws the errors of reading, of `crossValidate`, and
 * ERR_OUTPUT
 */
export async function cvCommand(options: CvCommandOptions): Promise<CvResult> {
  const { out } = options;
  if (out !== undefined) assertWritable(out, options.data);
  const { data, chosen, leftOut, placed } = await read(options);
  const { folds, groups, time, seed, score, rule } = options;
  const found = await working(
    'cross-validate',
    () => crossValidate(data, { ...chosen, folds, groups, time, seed, score, rule }),
    placed,
  );
  const { model, notes } = based(found.model, { table: data }, options);
  const validation = { ...found, model, warnings: [...leftOut, ...warningsInFlags(found.warnings), ...notes] };
  if (out !== undefined) {
    const file = new OutputFile(out);
    file.write(saveModel(validation.model));
    file.commit();
  }
  return { validation, target: options.target, rows: data.rows, out };
}

/** Reads the table. DuckDB is closed and its memory free when this returns. */
async function read(options: CvCommandOptions) {
  const database = lazyDatabase();
  try {
    const { table: data, features, leftOut, placed } = await readTraining(database.get, options, options, 0);
    const classes = () => classesOf(data, options);
    noteMulticlass(options, classes);
    noteOneAndTwo(options, classes);
    const engine = options.engine ?? engineFor(options.threads, options.warn);
    const { lambdas, count, ratio } = options;
    const chosen: PathOptions = {
      ...fitOptionsOf(options, features),
      penalty: penaltyKindOf(options),
      lambdas,
      count,
      ratio,
      engine,
    };
    return { data, chosen, leftOut, placed };
  } finally {
    await database.close();
  }
}

async function working<T>(name: string, work: () => T, placed: TrainingData['placed']): Promise<T> {
  const phase = startPhase(name, false);
  phase.update(null, '…');
  try {
    return work();
  } catch (error) {
    throw await placed(error);
  } finally {
    phase.end();
  }
}

/** Weights that are not 0, and the intercepts. */
export const present = (model: Model) =>
  coefficients(model)
    .filter(({ value, feature }) => value !== 0 || feature === '(intercept)')
    .map(({ class: name, feature, level, value }) => ({ class: name, feature, level, value }));
