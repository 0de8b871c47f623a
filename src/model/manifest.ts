import type { Schema } from '../encode/schema.ts';

/** Format number written into every model file; loading any other number is refused with what to do. */
export const FORMAT = 1;

/**
 * Everything of a model that is not a tensor: plain JSON, kept in the safetensors metadata.
 * The weights are folded: they apply to raw (not standardised) features.
 */
export interface Manifest {
  readonly format: typeof FORMAT;
  /** library that wrote it, e.g. "logodds 0.1.0" */
  readonly producer: string;
  /** both classes, sorted (numerically when all labels are numbers, else by code point) */
  readonly classes: readonly [string, string];
  /** the class whose probability is sigmoid(logit) */
  readonly positive: string;
  readonly target: string;
  readonly schema: Schema;
  readonly objective: ObjectiveReport;
  /** label = positive when probability > threshold */
  readonly decision: { readonly threshold: number };
  /** column that must be present at scoring and is added to the logit; null when trained without */
  readonly offset: string | null;
  readonly weight: string | null;
  readonly fit: FitReport;
  /** parameters that could not be estimated and are held at 0 (aliased or constant), by parameter index */
  readonly aliased: readonly number[];
  readonly warnings: readonly Warning[];
}

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
}

/** Why a solver stopped; only "converged" is an optimum. */
export type FitReason = 'converged' | 'max_iter' | 'line_search' | 'diverged';

/** How a fit went; it travels in the model file. */
export interface FitReport {
  readonly solver: 'newton' | 'lbfgs' | 'cd';
  /** why this solver: one sentence */
  readonly choice: string;
  readonly converged: boolean;
  readonly reason: FitReason;
  readonly iterations: number;
  /** max |∂f/∂wⱼ| of the mean-scaled objective on standardised features; with an l1Ratio the largest violation of the optimality conditions */
  readonly gradNorm: number;
  /** f(w, b) */
  readonly objective: number;
  /** −Σ sᵢ·loss(yᵢ, zᵢ) */
  readonly logLik: number;
  /** the same of the model with an intercept (and offset) only */
  readonly nullLogLik: number;
  readonly rows: number;
  readonly totalWeight: number;
  /** wall time if the caller handed a clock, else null */
  readonly seconds: number | null;
}

/** Something about a fit that its user should know: separation, aliased or constant columns, no convergence. */
export interface Warning {
  /** upper snake case, e.g. RANK_DEFICIENT */
  readonly code: string;
  /** one sentence: what, and the next step */
  readonly message: string;
  readonly features: readonly string[];
}
