import type { Calibration } from '../calibrate/calibration.ts';
import type { Decision } from '../decide/decision.ts';
import type { Schema } from '../encode/schema.ts';

/** Format number written into every model file; loading any other number is refused with what to do. */
export const FORMAT = 1;
/** Who writes it. */
export const PRODUCER = 'logodds 0.1.0';

/**
 * Everything of a model that is not a tensor: plain JSON, kept in the safetensors metadata.
 * The weights are folded: they apply to raw (not standardised) features.
 */
export interface Manifest {
  readonly format: typeof FORMAT;
  /** library that wrote it, e.g. "logodds 0.1.0" */
  readonly producer: string;
  /** two or more, distinct, sorted (numerically when all labels are numbers, else by code point) */
  readonly classes: readonly string[];
  /** of two classes the one whose probability is sigmoid(logit); null with more */
  readonly positive: string | null;
  /** how the logits of more than two classes become probabilities; null with two */
  readonly multiclass: Multiclass | null;
  /** the class of a multinomial fit whose parameters are all 0 by design (a fit without penalty); else null */
  readonly reference: string | null;
  readonly target: string;
  readonly schema: Schema;
  readonly objective: ObjectiveReport;
  readonly decision: Decision;
  /** how logits become probabilities; null or absent: by the sigmoid, or `multiclass` */
  readonly calibration?: Calibration | null;
  /** column that must be present at scoring and is added to the logit of two classes; null when trained without, or with more */
  readonly offset: string | null;
  readonly weight: string | null;
  /** what the weights were taken for; absent without, and of models from before it was kept */
  readonly weightKind?: 'sampling' | 'count';
  readonly fit: FitReport;
  /** parameters that could not be estimated and are held at 0 (aliased or constant), by index: of each weight vector its slots, then its intercept */
  readonly aliased: readonly number[];
  /** what was found about the estimates beside their values; null or absent when it was not asked for */
  readonly inference?: InferenceReport | null;
  readonly warnings: readonly Warning[];
}

/**
 * One weight vector a class, zₖ = x·wₖ + bₖ, and
 *
 *   multinomial  pₖ = exp(zₖ)/Σ exp(zⱼ)
 *   ovr          pₖ = σ(zₖ)/Σ σ(zⱼ): each class fitted against all others (one-vs-rest)
 */
export type Multiclass = 'multinomial' | 'ovr';

/**
 * f(w, b) = 1/S · Σ sᵢ·loss(yᵢ, zᵢ) + λ·((1 − α)/2·‖w‖² + α·‖w‖₁), and the same penalty in other scalings.
 * All are null-free: no penalty is lambda 0 and C null.
 */
export interface ObjectiveReport {
  readonly lambda: number;
  readonly l1Ratio: number;
  /** scikit-learn's C = 1/(λS); null without penalty */
  readonly C: number | null;
  /** true: the penalty acts on weights of standardised numeric features; false: on raw-scale weights */
  readonly standardize: boolean;
  /** true: the logarithm of Jeffreys' prior, ½·log det of the information, is added to the log-likelihood; absent: false */
  readonly firth?: boolean;
  /** of `firth`: what its standard errors are of; absent: the information at the estimate */
  readonly firthErrors?: 'augmented';
}

/** Why a solver stopped; only "converged" is an optimum. "online": each row was learnt once, which ends at no optimum. */
export type FitReason = 'converged' | 'max_iter' | 'line_search' | 'diverged' | 'online';

/** How a fit went; it travels in the model file, so it has nothing of the clock or the machine. */
export interface FitReport {
  readonly solver: 'newton' | 'newton-cg' | 'lbfgs' | 'cd' | 'ftrl';
  /** why this solver: one sentence */
  readonly choice: string;
  readonly converged: boolean;
  readonly reason: FitReason;
  readonly iterations: number;
  /** max |∂f/∂wⱼ| of the mean-scaled objective on standardised features; with an l1Ratio the largest violation of the optimality conditions; null of ftrl, which has none */
  readonly gradNorm: number | null;
  /** f(w, b); with `firth` −1/S times the penalised log-likelihood, its determinant that of standardised features; of ftrl the mean log loss of the rows before they were learnt (progressive validation) */
  readonly objective: number;
  /** −Σ sᵢ·loss(yᵢ, zᵢ); of ftrl before each row was learnt */
  readonly logLik: number;
  /** the same of the model with an intercept (and offset) only */
  readonly nullLogLik: number;
  readonly rows: number;
  readonly totalWeight: number;
}

/** What a fit says of the population beside the estimates. A figure that does not hold is null, and `reason` says why. */
export interface InferenceReport {
  /** whose square roots are the standard errors: inverse information, sandwich, or sandwich of clusters; null: there are none */
  readonly covariance: 'model' | 'robust' | 'cluster' | null;
  /** the column that names the clusters, and how many they are; null where rows are independent */
  readonly cluster: { readonly column: string; readonly count: number } | null;
  /** one sentence on what is null below and was asked for; null when nothing is */
  readonly reason: string | null;
  readonly statistics: FitStatistics | null;
  /** likelihood-ratio test of each feature against the model without it; null when not asked for */
  readonly tests: readonly FeatureTest[] | null;
  /** profile-likelihood interval of each coefficient, null when not asked for */
  readonly profile: readonly ProfileInterval[] | null;
  readonly bootstrap: BootstrapReport | null;
}

/** A statistic that is chi-square distributed when the hypothesis holds. */
export interface ChiSquareTest {
  readonly chi2: number;
  /** degrees of freedom */
  readonly df: number;
  /** P(χ² ≥ chi2); null without degrees of freedom */
  readonly p: number | null;
}

/**
 * How well a model fits; l is the log-likelihood, k the number of free parameters, n the number of observations.
 * With Firth's penalty l is the plain likelihood at the penalised estimate, except in the likelihood-ratio test, which is of penalised ones.
 */
export interface FitStatistics {
  /** n: rows, each as often as its weight says; a row of trials is one */
  readonly observations: number;
  /** k, intercepts included */
  readonly parameters: number;
  /** −2·l; of trials against the model that has a probability for each row */
  readonly deviance: number;
  /** the same of the model with an intercept (and offset) only */
  readonly nullDeviance: number;
  /** 2·k − 2·l; of trials without the constant 2·Σ log C(nᵢ, kᵢ), which R's `glm` subtracts: differences between models are the same */
  readonly aic: number;
  /** k·log n − 2·l */
  readonly bic: number;
  /** 1 − l/l₀ */
  readonly mcFadden: number;
  /** of the model against the one with intercepts only; null where there is no feature */
  readonly likelihoodRatio: ChiSquareTest;
  /** Pearson's statistic of rows of trials, and how much more they vary than independent trials would; null or absent without trials */
  readonly pearson?: PearsonStatistic | null;
  /** calibration in ten groups by probability; null for more than two classes, or fewer than three groups */
  readonly hosmerLemeshow: ChiSquareTest | null;
}

/** χ² = Σ nᵢ(yᵢ − pᵢ)²/(pᵢ(1 − pᵢ)), y the share of successes in n trials; df: rows less parameters. */
export interface PearsonStatistic extends ChiSquareTest {
  /** χ²/df: 1 when counts vary as those of independent trials; null without degrees of freedom */
  readonly dispersion: number | null;
}

export interface FeatureTest extends ChiSquareTest {
  readonly feature: string;
}

/** Of one coefficient, on the scale of the raw features. */
export interface ProfileInterval {
  /** index: of each weight vector its slots, then its intercept */
  readonly parameter: number;
  /** ends of the 95 % interval; null: the likelihood does not fall that far, the end is infinite */
  readonly low: number | null;
  readonly high: number | null;
  /** likelihood-ratio test of the coefficient against 0 */
  readonly chi2: number;
  readonly p: number;
}

/** Fits to resampled rows. */
export interface BootstrapReport {
  readonly replicates: number;
  /** of which so many had no estimate (did not converge, or the classes were separated) and are left out */
  readonly failed: number;
  readonly seed: number;
  /** column whose values were resampled together; null: single rows */
  readonly cluster: string | null;
  readonly intervals: readonly BootstrapInterval[];
}

/** Of one coefficient, on the scale of the raw features. */
export interface BootstrapInterval {
  /** index: of each weight vector its slots, then its intercept */
  readonly parameter: number;
  /** replicates that had rows to tell it from */
  readonly replicates: number;
  /** standard deviation of the estimates */
  readonly stdError: number;
  /** 2.5 % and 97.5 % points of the estimates */
  readonly low: number;
  readonly high: number;
  /** the same, corrected for bias and for an error that changes with the coefficient (BCa); null where it cannot be told */
  readonly bcaLow: number | null;
  readonly bcaHigh: number | null;
}

/** Something about a fit that its user should know: separation, aliased or constant columns, no convergence. */
export interface Warning {
  /** upper snake case, e.g. RANK_DEFICIENT */
  readonly code: string;
  /** one sentence: what, and the next step */
  readonly message: string;
  readonly features: readonly string[];
  /** of a finding of `diagnose`; absent: a warning */
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
