import type { CalibrationMethod } from '../../../src/decide.ts';
import type { DataOptions as FitDataOptions, Model, Prior, Warning } from '../../../src/index.ts';
import type { Metrics } from '../../../src/metrics.ts';
import type { Evaluation } from '../figures/evaluation.ts';
import type { Stranger } from '../figures/strangers.ts';
import type { SourceOptions } from '../read/source.ts';
import type { Roles } from '../read/training.ts';
import type { ReportTarget } from '../report/write.ts';
import type { DecisionOptions } from './decide.ts';
import type { FitChoices, PenaltyChoices } from './fitOptions.ts';
import type { LearningCurve } from './learningCurve.ts';

/** Options of `logodds train`, as values. Those that concern the fit alone are passed to `fit`. */
export interface TrainOptions
  extends SourceOptions,
    Omit<Roles, 'holdoutBy' | 'groups' | 'time'>,
    DecisionOptions,
    FitChoices,
    PenaltyChoices,
    Pick<FitDataOptions, 'unseen' | 'engine'> {
  /** standard errors and tests */
  readonly inference?: boolean;
  /** profile-likelihood intervals as well */
  readonly profile?: boolean;
  /** model file to write; absent: the model is shown but not saved */
  readonly out?: string;
  /** a model for a warm start: a file, or a reference to a registry */
  readonly start?: string;
  /** where a reference is looked up; absent: LOGODDS_REGISTRY, else ./registry */
  readonly registry?: string;
  /** for the fit and the scores, if no engine is given; 1 when absent. Results are the same for any number. */
  readonly threads?: number;
  /** receives a note if there are fewer threads than asked for, or if a memory limit skips checks */
  readonly warn?: (message: string) => void;
  /** bytes that the run may use above those of the program; encoded rows then stay in a scratch file that each pass reads */
  readonly memory?: number;
  /** pipes to the rows, which are on Spark (jobs/spark/bridge.ts) */
  readonly bridge?: string;
  /** with rows on Spark: a file of what was answered, from which a fit that was stopped goes on */
  readonly checkpoint?: string;
  /** share of rows held out (0.2 when absent), or false for none */
  readonly holdout?: number | false;
  /** hold out the rows with the largest values of this column instead of random ones */
  readonly holdoutBy?: string;
  /** seed of the random holdout, the folds and the bootstrap; 1 when absent */
  readonly seed?: number;
  /** standard errors of `firth`: from the information at the estimate (default), or from the augmented data */
  readonly firthErrors?: 'information' | 'augmented';
  /** robust standard errors; with `cluster` by cluster */
  readonly robust?: boolean;
  /** how logits become probabilities, estimated on five folds of the training rows; none when absent */
  readonly calibrate?: 'none' | CalibrationMethod;
  /** true shares of the classes, if the rows have other shares */
  readonly prior?: Prior;
  /** number of bootstrap fits */
  readonly bootstrap?: number;
  /** largest share of a feature's held-out values that the fitted rows did not have; beyond it the job fails */
  readonly maxUnseen?: number;
  /** false: the model has no distribution of its training data */
  readonly baseline?: boolean;
  /** a page that shows the fit and its performance; made here because it needs the rows */
  readonly report?: ReportTarget;
}

export interface TrainResult {
  readonly model: Model;
  readonly rows: { readonly train: number; readonly holdout: number };
  /** true: no rows were held out, because inference was asked for */
  readonly all?: boolean;
  /** of the held-out rows, weighted to the true shares of the classes if there is a prior; null without held-out rows */
  readonly metrics: Metrics | null;
  /** share of their features that took a default (missing, unseen or out of range); null without held-out rows */
  readonly defaulted?: number | null;
  /** their values that the fitted rows did not have, by feature; absent or null without held-out rows */
  readonly unseen?: readonly Stranger[] | null;
  /** curves and more of the same rows, computed at the first call; absent or null without metrics */
  readonly evaluation?: (() => Evaluation) | null;
  readonly warnings: readonly Warning[];
  /** objective and norm of its gradient after each step of the solver */
  readonly iterations?: readonly { readonly objective: number; readonly gradNorm: number }[];
  /** of a stream: progressive log loss by rows learnt */
  readonly curve?: Pick<LearningCurve, 'rows' | 'logLoss'>;
  /** size of the model file */
  readonly bytes: number;
  /** wall time by phase: `fit` encodes (with `memory` that is part of `read`) and fits, `score` encodes and scores the held-out rows */
  readonly seconds: {
    readonly read: number;
    readonly fit: number;
    /** diagnosis of the data; absent: part of `fit` */
    readonly diagnose?: number;
    /** the distribution of the fitted rows; absent: none is made, or it is part of `fit` */
    readonly baseline?: number;
    readonly score: number;
    readonly evaluate: number;
    readonly write: number;
  };
}
