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
  /** 1: the unit is the same in any part of the rows; 0: it is the standard deviation there. For folds. */
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
  /** Firth's penalised likelihood; for two classes, without a penalty and bounds */
  readonly firth?: boolean;
  readonly onIteration?: (progress: Progress) => void;
  /** what a path has learnt of its last strength, for coordinate descent */
  readonly screen?: Screen;
}

export interface Fitted {
  /** all parameters, for standardised features; zeros where held */
  readonly params: Float64Array;
  /** parameters that the data cannot tell: constant, without rows, or repeating others */
  readonly aliased: readonly number[];
  /** where the solver ended, for further questions; of the free parameters */
  readonly objective: Objective;
  readonly w: Float64Array;
  readonly report: Omit<FitReport, 'rows' | 'totalWeight'> & { readonly gradNorm: number };
  readonly warnings: Warning[];
}
