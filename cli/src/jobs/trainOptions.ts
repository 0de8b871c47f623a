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

/** Options of `logodds train`, as values. What concerns the fit alone is handed on to `fit`. */
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
  /** where the model goes; absent: nowhere, for a look at its figures */
  readonly out?: string;
  /** a model file to begin at */
  readonly start?: string;
  /** for the fit and the scores, where no engine is given; 1 when absent. The numbers are the same for any. */
  readonly threads?: number;
  /** told when there are fewer threads than asked for, and what a limit of memory leaves out */
  readonly warn?: (message: string) => void;
  /** bytes that the run may take above those of the program: the encoded rows stay in a scratch file that each pass reads */
  readonly memory?: number;
  /** share of rows held out (0.2 when absent), or false for none */
  readonly holdout?: number | false;
  /** hold out the rows with the largest values of this column instead of random ones */
  readonly holdoutBy?: string;
  /** of the random holdout, of the folds and of the bootstrap; 1 when absent */
  readonly seed?: number;
  /** of `firth`: the information at the estimate (default), or that of the augmented data */
  readonly firthErrors?: 'information' | 'augmented';
  /** robust standard errors; with `cluster` by cluster */
  readonly robust?: boolean;
  /** how logits become probabilities, by five folds of the training rows; none when absent */
  readonly calibrate?: 'none' | CalibrationMethod;
  /** true shares of the classes, where those of the rows are not */
  readonly prior?: Prior;
  /** fits to so many resampled sets of the rows */
  readonly bootstrap?: number;
  /** share of the held-out values of a feature that the fitted rows did not have: with more the job fails */
  readonly maxUnseen?: number;
  /** a page that shows the fit and what it is worth; made here because it needs the rows */
  readonly report?: ReportTarget;
}

export interface TrainResult {
  readonly model: Model;
  readonly rows: { readonly train: number; readonly holdout: number };
  /** true: nothing was held out because inference was asked for */
  readonly all?: boolean;
  /** of the held-out rows, weighted to the true shares of the classes where there is a prior; null without any */
  readonly metrics: Metrics | null;
  /** share of their features that took a default: missing, unseen or out of range; null without any */
  readonly defaulted?: number | null;
  /** their values that the fitted rows did not have, by feature; absent or null without any */
  readonly unseen?: readonly Stranger[] | null;
  /** curves and more of the same rows, worked out when first asked for; absent or null without metrics */
  readonly evaluation?: (() => Evaluation) | null;
  readonly warnings: readonly Warning[];
  /** size of the model file */
  readonly bytes: number;
  /** wall time by phase: `fit` is encoding (with `memory` part of `read`) and fitting, `score` scoring the held-out rows (encoding included) */
  readonly seconds: {
    readonly read: number;
    readonly fit: number;
    /** looking for what is wrong with the data; absent: part of `fit` */
    readonly diagnose?: number;
    readonly score: number;
    readonly evaluate: number;
    readonly write: number;
  };
}
