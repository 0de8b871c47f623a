import type { Calibration } from '../calibrate/calibration.ts';
import type { Decision } from '../decide/decision.ts';
import type { Schema } from '../encode/schema.ts';

/** Format number written into every model file; loading any other number is refused with what to do. */
export const FORMAT = 1;
/** Who writes it. */
export const PRODUCER = 'logodds 0.1.0';

/**
 * Everything in a model that is not a tensor: plain JSON, kept in the safetensors metadata. The weights apply to raw (not standardised) features.
 */
export interface Manifest {
  readonly format: typeof FORMAT;
  /** the library that wrote it, for example "logodds 0.1.0" */
  readonly producer: string;
  /** two or more distinct labels, sorted (by number when all labels are numbers, else by code point) */
  readonly classes: readonly string[];
  /** what the labels were where the model was fitted, for runtimes whose labels have a type; absent: texts */
  readonly labelType?: 'boolean' | 'integer' | 'number';
  /** with two classes the one whose probability is sigmoid(logit); null with more */
  readonly positive: string | null;
  /** how the logits of more than two classes become probabilities; null with two */
  readonly multiclass: Multiclass | null;
  /** in a multinomial fit without penalty the class whose parameters are all 0 by design; else null */
  readonly reference: string | null;
  readonly target: string;
  readonly schema: Schema;
  readonly objective: ObjectiveReport;
  readonly decision: Decision;
  /** how logits become probabilities; null or absent: by the sigmoid, or as `multiclass` says */
  readonly calibration?: Calibration | null;
  /** column that is added to the logit, which every scored row must have; null: the model has no offset */
  readonly offset: string | null;
  /** column of the sample weights in training; null: none */
  readonly weight: string | null;
  /** how the weights were taken; absent without weights, and in models of older versions */
  readonly weightKind?: 'sampling' | 'count';
  readonly fit: FitReport;
  /**
   * indices of the parameters that could not be estimated (aliased or constant) and are held at 0: for each weight vector its slots, then its intercept
   */
  readonly aliased: readonly number[];
  /** tests, intervals and statistics; null or absent when not asked for */
  readonly inference?: InferenceReport | null;
  /** the bases whose logits the model was stacked over; absent: it is no stack */
  readonly stack?: StackReport;
  /** distribution of the training data, which `logodds/monitor` compares later data with; absent: the model has none */
  readonly baseline?: BaselineReport;
  readonly warnings: readonly Warning[];
}

/** The distribution of the training data; `baselineOf` of `logodds/monitor` reads it. */
export interface BaselineReport {
  /** bins of each column of the encoder that is a number; null: a column of codes. Those of features that are left out are not in it, nor in the parts */
  readonly columns: readonly (BaselineBins | null)[];
  readonly scores: readonly BaselineBins[];
  /** names of features whose values are left out, because they would take too much of the file; absent: none */
  readonly without?: readonly string[];
  /** rows that those of the parts were sampled from; absent: the parts are all rows */
  readonly of?: number;
  /** digest of calibration and decision of the model that made the scores */
  readonly scoredBy: string;
  /** what was counted of the rows of each class; one part without a label: of all rows */
  readonly parts: readonly (object & { readonly label: string | null; readonly rows: number })[];
}

/** Bin k of a number is (edges[k − 1], edges[k]]. */
export interface BaselineBins {
  readonly edges: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly centre: number;
}

/** What a stack is made of: z = intercept + Σ weightₖ·zₖ + terms of the other features, zₖ the logits of its bases. Weights of the model have it all in them. */
export interface StackReport {
  readonly intercept: number;
  readonly bases: readonly StackedBase[];
}

/** A base model of a stack. */
export interface StackedBase {
  readonly name: string;
  /** of its logit; 0: it was left out */
  readonly weight: number;
  /** digest of its file; null: it comes from no file */
  readonly sha256: string | null;
  /** the library that wrote it */
  readonly producer: string;
  /** rows that it was fitted to */
  readonly rows: number;
  /** true: it has a calibration, which the stack does not use */
  readonly calibrated: boolean;
}

/**
 * How the logits of more than two classes, zₖ = x·wₖ + bₖ, become probabilities.
 *
 *   multinomial  pₖ = exp(zₖ)/Σ exp(zⱼ)
 *   ovr          pₖ = σ(zₖ)/Σ σ(zⱼ), with each class fitted against all others (one-vs-rest)
 */
export type Multiclass = 'multinomial' | 'ovr';

/**
 * The objective that was minimised, with the strength of its penalty in two scalings.
 *
 *   f(w, b) = 1/S · Σ sᵢ·loss(yᵢ, zᵢ) + λ·((1 − α)/2·‖w‖² + α·‖w‖₁)
 *
 * Without a penalty lambda is 0 and C is null.
 */
export interface ObjectiveReport {
  /** λ, the strength of the penalty on the mean loss */
  readonly lambda: number;
  /** α, the share of the penalty on absolute values */
  readonly l1Ratio: number;
  /** scikit-learn's C = 1/(λS); null without a penalty */
  readonly C: number | null;
  /** true: the penalty acts on weights of standardised numeric features; false: on raw-scale weights */
  readonly standardize: boolean;
  /**
   * true: the logarithm of Jeffreys' prior, ½·log det of the information, is added to the log-likelihood; absent: it is not
   */
  readonly firth?: boolean;
  /**
   * with `firth`: `augmented` when standard errors are from the augmented data; absent: from the information at the estimate
   */
  readonly firthErrors?: 'augmented';
}

/** Why a solver stopped. Only `converged` is an optimum. `online`: each row was learnt once, which reaches no optimum. */
export type FitReason = 'converged' | 'max_iter' | 'line_search' | 'diverged' | 'online';

/** How a fit went. It is part of the model file, so it holds nothing of the clock or the machine. */
export interface FitReport {
  readonly solver: 'newton' | 'newton-cg' | 'lbfgs' | 'cd' | 'ftrl';
  /** why this solver: one sentence */
  readonly choice: string;
  readonly converged: boolean;
  readonly reason: FitReason;
  readonly iterations: number;
  /**
   * max |∂f/∂wⱼ| of the mean-scaled objective on standardised features; with an l1Ratio the largest violation of the optimality conditions; null for
   * `ftrl`, which has none
   */
  readonly gradNorm: number | null;
  /**
   * f(w, b) of `fit`, penalty included. With `firth`: −1/S times the penalised log-likelihood, its determinant on standardised features. With `ftrl`:
   * the mean log loss of each row before it was learnt (progressive validation).
   */
  readonly objective: number;
  /** −Σ sᵢ·loss(yᵢ, zᵢ), in nats; with `ftrl` before each row was learnt */
  readonly logLik: number;
  /** the same for the model with intercept (and offset) only */
  readonly nullLogLik: number;
  /** number of rows */
  readonly rows: number;
  readonly totalWeight: number;
}

/** The inference of a fit beside the estimates. A figure that does not hold is null, and `reason` says why. */
export interface InferenceReport {
  /** source of the standard errors: inverse information, sandwich, or sandwich of clusters; null: there are none */
  readonly covariance: 'model' | 'robust' | 'cluster' | null;
  /** the column that names the clusters, and the number of clusters; null where rows are independent */
  readonly cluster: { readonly column: string; readonly count: number } | null;
  /** why figures that were asked for are null, in one sentence; null when none are */
  readonly reason: string | null;
  readonly statistics: FitStatistics | null;
  /** likelihood-ratio test of each feature; null when not asked for */
  readonly tests: readonly FeatureTest[] | null;
  /** profile-likelihood interval of each coefficient; null when not asked for */
  readonly profile: readonly ProfileInterval[] | null;
  readonly bootstrap: BootstrapReport | null;
}

/** A test whose statistic is chi-square distributed when the hypothesis holds. */
export interface ChiSquareTest {
  readonly chi2: number;
  /** degrees of freedom */
  readonly df: number;
  /** P(χ² ≥ chi2); null without degrees of freedom */
  readonly p: number | null;
}

/**
 * How well a model fits. l is the log-likelihood, k the number of free parameters, n the number of observations.
 *
 * With Firth's penalty l is the plain likelihood at the penalised estimate; only the likelihood-ratio test compares penalised likelihoods.
 */
export interface FitStatistics {
  /** n: number of rows, each counted as often as its weight says; a row of trials counts once */
  readonly observations: number;
  /** k: number of free parameters, intercepts included */
  readonly parameters: number;
  /** −2·l; with trials against the model that has one probability for each row */
  readonly deviance: number;
  /** the same for the model with intercept (and offset) only */
  readonly nullDeviance: number;
  /**
   * 2·k − 2·l; with trials without the constant 2·Σ log C(nᵢ, kᵢ), which R's `glm` subtracts, so differences between models are the same
   */
  readonly aic: number;
  /** k·log n − 2·l */
  readonly bic: number;
  /** 1 − l/l₀, where l₀ is the log-likelihood of the model with intercepts only */
  readonly mcFadden: number;
  /** test against the model with intercepts only */
  readonly likelihoodRatio: ChiSquareTest;
  /**
   * Pearson's statistic of rows of trials, and the ratio of their variance to that of independent trials; null or absent without trials
   */
  readonly pearson?: PearsonStatistic | null;
  /** test of calibration in ten groups by probability; null with more than two classes, or fewer than three groups */
  readonly hosmerLemeshow: ChiSquareTest | null;
}

/** χ² = Σ nᵢ(yᵢ − pᵢ)²/(pᵢ(1 − pᵢ)), y the share of successes in n trials; df: rows less parameters. */
export interface PearsonStatistic extends ChiSquareTest {
  /** χ²/df: 1 when counts vary as those of independent trials; null without degrees of freedom */
  readonly dispersion: number | null;
}

/** The likelihood-ratio test of one feature against the model without it. */
export interface FeatureTest extends ChiSquareTest {
  readonly feature: string;
}

/** Profile-likelihood interval and test of one coefficient, on the scale of the raw features. */
export interface ProfileInterval {
  /** index of the coefficient: for each weight vector its slots, then its intercept */
  readonly parameter: number;
  /** ends of the 95 % interval; null: the end is infinite, since the likelihood does not fall far enough */
  readonly low: number | null;
  readonly high: number | null;
  /** likelihood-ratio test of the coefficient against 0 */
  readonly chi2: number;
  readonly p: number;
}

/** The result of the bootstrap: one interval for each coefficient. */
export interface BootstrapReport {
  readonly replicates: number;
  /** number of replicates left out because they had no estimate (no convergence, or separated classes) */
  readonly failed: number;
  readonly seed: number;
  /** column whose rows of one value were resampled together; null: rows were resampled one by one */
  readonly cluster: string | null;
  readonly intervals: readonly BootstrapInterval[];
}

/** Standard error and 95 % intervals of one coefficient from fits to resampled rows, on the scale of the raw features. */
export interface BootstrapInterval {
  /** index of the coefficient: for each weight vector its slots, then its intercept */
  readonly parameter: number;
  /** number of replicates whose rows could tell the coefficient */
  readonly replicates: number;
  /** standard deviation of the estimates */
  readonly stdError: number;
  /** 2.5 % and 97.5 % points of the estimates */
  readonly low: number;
  readonly high: number;
  /**
   * the same points, corrected for bias and for an error that changes with the coefficient (BCa); null where they cannot be computed
   */
  readonly bcaLow: number | null;
  readonly bcaHigh: number | null;
}

/** A problem of a fit that its user should know: separation, aliased or constant columns, no convergence. */
export interface Warning {
  /** upper snake case, for example RANK_DEFICIENT */
  readonly code: string;
  /** one sentence: what, and the next step */
  readonly message: string;
  readonly features: readonly string[];
  /** severity of a finding of `diagnose`; absent: a warning */
  readonly severity?: 'error' | 'warning' | 'info';
}

/** Each warning of a code and its features once: the first. */
export function distinct(warnings: readonly Warning[]): Warning[] {
  const seen = new Set<string>();
  return warnings.filter(({ code, features }) => {
    const key = JSON.stringify([code, features]);
    return !seen.has(key) && seen.add(key);
  });
}

/** A copy of plain data, to any depth. */
export const copyOf = <T>(value: T): T =>
  typeof value !== 'object' || value === null
    ? value
    : ((Array.isArray(value)
        ? value.map(copyOf)
        : Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyOf(part)]))) as T);
