import type { Declaration, FitOptions, Model } from '../../../../src/index.ts';
import type { Compared } from '../../figures/paired.ts';
import type { TrainOptions, TrainResult } from '../trainOptions.ts';
import type { ScoreKind } from './scores.ts';

/** A base model that is fitted here: its columns (null: all that have no other use, but those to drop), or its schema, and its penalty. */
export interface BaseRecipe {
  readonly features: readonly string[] | null;
  readonly schema?: Declaration;
  readonly fit: Pick<FitOptions, 'C' | 'lambda' | 'l1Ratio' | 'standardize' | 'coding' | 'penalty'>;
}

/** Options of `logodds stack`, as values. */
export interface StackOptions extends Omit<TrainOptions, 'features' | 'schema'> {
  /** columns with scores of models of any origin */
  readonly scores?: readonly string[];
  readonly scoreKind?: ScoreKind;
  /** least probability that is taken as it is */
  readonly clip?: number;
  /** model files, by name */
  readonly base?: Readonly<Record<string, string>>;
  /** true: these rows are none that the bases were fitted to */
  readonly baseIsOutOfSample?: boolean;
  /** columns with scores of bases by models that did not see the row, by name of the base */
  readonly outOfFold?: Readonly<Record<string, string>>;
  /** bases that are fitted here */
  readonly fits?: Readonly<Record<string, BaseRecipe>>;
  readonly passthrough?: readonly string[];
  readonly nonnegative?: boolean;
  readonly folds?: number;
  readonly groups?: string;
  readonly time?: string;
}

/** A base, as it is told. */
export interface StackBase {
  readonly name: string;
  /** a column of scores, a model file, or fitted here in folds */
  readonly origin: 'column' | 'model' | 'folds';
  /** weight of its logit in the stack */
  readonly weight: number;
  /** of the rows the meta-learner was fitted to */
  readonly logLoss: number;
}

export interface StackResult extends Omit<TrainResult, 'seconds' | 'all' | 'unseen' | 'defaulted'> {
  /** the meta-learner, before bases were put into it */
  readonly meta: Model;
  readonly bases: readonly StackBase[];
  /** the stack, each base, their average; null: no rows are held out */
  readonly comparison: readonly Compared[] | null;
  /** whether stacking is worth it */
  readonly verdict: string | null;
  /** rows without out-of-fold scores: those of the earliest times */
  readonly unscored: number;
}
