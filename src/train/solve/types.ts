import type { FitReport, Warning } from '../../model/manifest.ts';
import type { Objective, Progress } from './objective.ts';
import type { Screen } from './screen.ts';

export const SOLVERS = ['auto', 'newton', 'newton-cg', 'lbfgs', 'cd'] as const;
export type SolverChoice = (typeof SOLVERS)[number];
export type Solver = Exclude<SolverChoice, 'auto'>;

/** The penalty λ·Σ fⱼ·((1 − α)/2·wⱼ² + α·|wⱼ|) and the bounds. Vectors have one entry per slot. */
export interface Penalty {
  readonly lambda: number;
  /** α: the share of the penalty that acts on absolute values */
  readonly l1Ratio: number;
  /** u: the penalty acts on uⱼ·wⱼ, wⱼ the weight of the standardised feature; 1/scale is its raw-scale weight. null: ones */
  readonly unit: Float64Array | null;
  /** 1: the unit is the same in every subset of the rows; 0: it is the standard deviation in the subset. For folds. */
  readonly ownUnit?: Uint8Array;
  /** f ≥ 0; null: ones */
  readonly factors: Float64Array | null;
  /** on raw-scale weights, lower ≤ 0 ≤ upper; null: none */
  readonly lower: Float64Array | null;
  readonly upper: Float64Array | null;
}

export interface SolveSettings {
  readonly solver: SolverChoice;
  readonly tol: number;
  readonly maxIter?: number;
  /** Firth's penalised likelihood; for two classes, without penalty and bounds */
  readonly firth?: boolean;
  readonly onIteration?: (progress: Progress) => void;
  /** state kept from the last strength of a path, for coordinate descent */
  readonly screen?: Screen;
}

export interface Fitted {
  /** all parameters, for standardised features; zeros where held */
  readonly params: Float64Array;
  /** parameters that the data cannot determine: constant, without rows, or repeating others */
  readonly aliased: readonly number[];
  /** final point of the solver, for later statistics; free parameters only */
  readonly objective: Objective;
  readonly w: Float64Array;
  /** Cholesky factor of the Hessian of `objective` at w, where the solver has it */
  readonly factor: Float64Array | null;
  readonly report: Omit<FitReport, 'rows' | 'totalWeight'> & { readonly gradNorm: number };
  readonly warnings: Warning[];
}
