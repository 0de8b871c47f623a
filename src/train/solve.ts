import { LogoddsError } from '../../bindings/errors.ts';
import type { BinaryLikelihood } from '../../bindings/likelihood.ts';
import type { SlotName } from '../encode/encoder.ts';
import { list } from '../encode/label.ts';
import type { Feature } from '../encode/schema.ts';
import type { FitReport, Warning } from '../model/manifest.ts';
import { coordinateDescent } from './coordinate.ts';
import {
  dependentParameters,
  nameParameters,
  runawayParameters,
  type SlotProfile,
  separatesAllRows,
} from './diagnose.ts';
import { covariance, type Standardisation } from './inference.ts';
import { lbfgs } from './lbfgs.ts';
import { newton, quadraticModel } from './newton.ts';
import { Objective, type Progress, type Solution } from './objective.ts';

export type SolverChoice = 'auto' | 'newton' | 'lbfgs' | 'cd';

/** One encoded data set and what is wanted of it: all that is decided before a solver starts. */
export interface Task {
  readonly likelihood: BinaryLikelihood;
  readonly features: readonly Feature[];
  /** what each slot stands for; the parameters are the slots, then the intercept */
  readonly slots: readonly SlotName[];
  readonly profile: SlotProfile;
  readonly standard: Standardisation;
  readonly y: Float64Array;
  /** sample weight times class weight, as in the likelihood; null: ones */
  readonly weight: Float64Array | null;
  readonly offset: Float64Array | null;
  /** S, before class weights */
  readonly totalWeight: number;
  readonly lambda: number;
  /** α: the share of the penalty that acts on absolute values */
  readonly l1Ratio: number;
  /** true: the penalty acts on weights of standardised features */
  readonly standardize: boolean;
  readonly solver: SolverChoice;
  readonly tol: number;
  readonly maxIter?: number;
  readonly inference: boolean;
  /** weights are counts of rows, as standard errors need them */
  readonly counts: boolean;
  readonly onIteration?: (progress: Progress) => void;
}

export interface Fitted {
  /** all parameters, for standardised features; zeros where held */
  readonly params: Float64Array;
  /** for raw features, parameters × parameters; null without inference or where it does not exist */
  readonly covariance: Float64Array | null;
  /** parameters that the data cannot tell: constant, without rows, or repeating others */
  readonly aliased: readonly number[];
  readonly report: Omit<FitReport, 'rows' | 'totalWeight' | 'seconds'>;
  readonly warnings: Warning[];
}

/** Most free parameters for which `auto` takes Newton. */
const NEWTON_LIMIT = 1000;
/** Most parameters for which a matrix of their square is formed at all. */
const HESSIAN_LIMIT = 2000;
const ITERATIONS = { newton: 100, lbfgs: 1000, cd: 200 };

/**
 * From an encoded data set to estimates: holds what cannot be estimated, starts at the null model, minimises, and looks at the end for
 * parameters without a finite estimate. Every doubt is a warning.
 *
 * @throws ERR_RANGE when the matrix of Newton's method or of coordinate descent would be too large
 */
export function solve(task: Task): Fitted {
  const { likelihood, slots, totalWeight, lambda } = task;
  const warnings: Warning[] = [];
  const warn = (code: string, message: string, features: readonly string[] = []) => {
    warnings.push({ code, message, features });
  };
  const penalized = lambda > 0;
  const squareFits = likelihood.parameters <= HESSIAN_LIMIT;
  const penalty = penaltyOf(task);
  const objectiveOver = (active: ArrayLike<number>): Objective =>
    new Objective(likelihood, { active: Int32Array.from(active), totalWeight, ...penalty });

  const outcomes = countOutcomes(task);
  const nullModel = fitNull(objectiveOver([slots.length]), outcomes);
  const startOf = ({ size }: Objective): Float64Array => {
    const start = new Float64Array(size);
    start[size - 1] = nullModel.w[0];
    return start;
  };

  const { free, constant, empty } = sortSlots(task);
  const aliased = constant.filter((id) => slots[id].role !== 'reference');
  if (constant.length > 0) {
    const { features } = nameParameters(constant, slots);
    warn(
      'CONSTANT_COLUMN',
      `${list(features)}: one value in all training rows, so the weight is held at 0; drop the column`,
      features,
    );
  }
  let objective = objectiveOver([...free, slots.length]);
  if (!penalized) {
    if (objective.size > outcomes.rows) {
      warn(
        'UNDERDETERMINED',
        `${objective.size} parameters for ${outcomes.rows} rows have no unique estimate without a penalty; penalise (C or lambda) or use fewer features`,
      );
    }
    const dependent = [...empty];
    if (squareFits) {
      dependent.push(...dependentParameters(objective, startOf(objective)));
      const gone = new Set(dependent);
      objective = objectiveOver(objective.active.filter((id) => !gone.has(id)));
    } else {
      warn(
        'RANK_UNCHECKED',
        `collinear columns are looked for among at most ${HESSIAN_LIMIT} parameters, got ${likelihood.parameters}, so single weights may not be unique; penalise (C or lambda) or use fewer features`,
      );
    }
    if (dependent.length > 0) {
      const { features, text } = nameParameters(dependent, slots);
      const held = dependent.length === 1 ? 'the weight is' : `these ${dependent.length} weights are`;
      warn(
        'RANK_DEFICIENT',
        `${text}: a linear combination of earlier columns, so ${held} held at 0; drop what repeats other columns, or penalise (C or lambda)`,
        features,
      );
      aliased.push(...dependent);
    }
  }

  const { solution, solver, choice } = minimise(task, objective, startOf(objective), outcomes, squareFits);
  const params = objective.expand(solution.w);
  const separation = penalized ? null : findSeparation(task, objective, solution, solver, squareFits);
  if (separation) warnings.push(separation);
  const reason = separation ? 'diverged' : solution.reason;
  const converged = reason === 'converged';
  if (!converged && !separation) {
    warn(
      'NOT_CONVERGED',
      `${solver} stopped after ${solution.iterations} iterations (${reason}) at a gradient of ${solution.gradNorm.toExponential(1)}; ${reason === 'max_iter' ? 'raise maxIter' : 'raise tol'} or penalise more (C or lambda)`,
    );
  }

  let errors: Float64Array | null = null;
  if (task.inference) {
    const model = !penalized && squareFits && converged ? quadraticModel(objective, solution.w) : null;
    if (model) {
      errors = covariance(objective, model.factor, task.standard);
      if (!task.counts) {
        warn(
          'INFERENCE_WEIGHTS',
          'standard errors take weights as counts of rows, which class weights and fractions are not; fit without them, or read the errors with that in mind',
        );
      }
    } else if (penalized) {
      warn(
        'INFERENCE_PENALIZED',
        'no standard errors: a penalty biases the weights, and the inverse Hessian is not their covariance; fit with penalty "none"',
      );
    } else {
      warn(
        'INFERENCE_UNAVAILABLE',
        `no standard errors: ${
          !squareFits
            ? `they need at most ${HESSIAN_LIMIT} parameters, got ${likelihood.parameters}; use fewer features`
            : !converged
              ? 'they hold at the maximum of the likelihood, and it was not reached; see the other warnings'
              : 'the Hessian is not positive definite; drop features that nearly repeat others'
        }`,
      );
    }
  }

  let pull = 0;
  params.forEach((value, j) => {
    pull += (penalty.l2[j] / 2) * value ** 2 + penalty.l1[j] * Math.abs(value);
  });
  return {
    params,
    covariance: errors,
    aliased: aliased.sort((a, b) => a - b),
    report: {
      solver,
      choice,
      converged,
      reason,
      iterations: solution.iterations,
      gradNorm: solution.gradNorm,
      objective: solution.objective,
      logLik: -(solution.objective - pull) * totalWeight,
      nullLogLik: -nullModel.objective * totalWeight,
    },
    warnings,
  };
}

/**
 * The strengths of both penalties by parameter: on weights of standardised features and categories, or, divided by the scale once (l1) or twice
 * (l2), on raw-scale weights; none on the intercept.
 */
function penaltyOf({ slots, standard, standardize, lambda, l1Ratio }: Task): { l2: Float64Array; l1: Float64Array } {
  const l2 = new Float64Array(slots.length + 1);
  const l1 = new Float64Array(slots.length + 1);
  for (let j = 0; j < slots.length; j++) {
    const scale = standardize ? 1 : standard.scale[j];
    l2[j] = (lambda * (1 - l1Ratio)) / scale ** 2;
    l1[j] = (lambda * l1Ratio) / scale;
  }
  return { l2, l1 };
}

interface Outcomes {
  /** rows of positive weight */
  readonly rows: number;
  /** Σ s·y */
  readonly positive: number;
  /** Σ s, class weights included */
  readonly total: number;
}

function countOutcomes({ y, weight }: Task): Outcomes {
  let rows = 0;
  let positive = 0;
  let total = 0;
  for (let i = 0; i < y.length; i++) {
    const s = weight ? weight[i] : 1;
    rows += Number(s > 0);
    positive += s * y[i];
    total += s;
  }
  return { rows, positive, total };
}

/** Curvature Σ s·p(1 − p) of the mean loss in the intercept, at the mean of y. */
function curvature({ positive, total }: Outcomes, totalWeight: number): number {
  return ((positive / total) * (total - positive)) / totalWeight;
}

/** Intercept (and offset) only; starts at logit(ȳ), which is the solution without an offset. */
function fitNull(objective: Objective, outcomes: Outcomes): Solution {
  const start = Float64Array.of(Math.log(outcomes.positive / (outcomes.total - outcomes.positive)));
  const diagonal = Float64Array.of(curvature(outcomes, objective.totalWeight));
  return lbfgs(objective, start, { tol: 1e-12, maxIter: 100, diagonal });
}

/**
 * Slots that are free; those of features with a single value; and those without a row of their own (a level of a reference coding that only
 * rows of weight 0 hold), which a penalty would put at 0 as well. Reference levels, and slots for what training has not seen, are in none.
 */
function sortSlots({ features, slots, profile }: Task): { free: number[]; constant: number[]; empty: number[] } {
  const estimable = (id: number) => ['number', 'level', 'missing'].includes(slots[id].role);
  // A numeric column has one value or many; a category as many as it has slots with rows.
  const values = new Float64Array(features.length);
  slots.forEach(({ feature, role }, id) => {
    if (role === 'number') values[feature] += 2 - profile.constant[id];
    else if (role !== 'present') values[feature] += 1 - profile.constant[id];
  });
  const free: number[] = [];
  const constant: number[] = [];
  const empty: number[] = [];
  slots.forEach(({ feature, role }, id) => {
    if (!profile.constant[id] && values[feature] > 1) {
      if (estimable(id)) free.push(id);
    } else if (role === 'number' || role === 'level' || (role === 'reference' && values[feature] <= 1)) {
      (values[feature] <= 1 ? constant : empty).push(id);
    }
  });
  return { free, constant, empty };
}

function minimise(
  {
    profile,
    standard,
    standardize,
    slots,
    lambda,
    likelihood,
    totalWeight,
    solver: wanted,
    tol,
    maxIter,
    onIteration,
  }: Task,
  objective: Objective,
  start: Float64Array,
  outcomes: Outcomes,
  squareFits: boolean,
): { solution: Solution; solver: Exclude<SolverChoice, 'auto'>; choice: string } {
  const { size } = objective;
  let choice = `${wanted} was asked for`;
  let from = start;
  let done = 0;
  if (objective.l1.some((strength) => strength > 0) || wanted === 'cd') {
    if (!squareFits) {
      throw new LogoddsError(
        'ERR_RANGE',
        `solver: expected at most ${HESSIAN_LIMIT} parameters for coordinate descent (its matrix has their square), got ${likelihood.parameters}; use l1Ratio 0 or fewer features`,
      );
    }
    if (wanted === 'auto') choice = 'absolute values in the penalty need coordinate descent';
    const solution = coordinateDescent(objective, start, { tol, maxIter: maxIter ?? ITERATIONS.cd, onIteration });
    return { solution, solver: 'cd', choice };
  }
  if (wanted === 'auto') {
    choice = `${size} free parameters are ${size <= NEWTON_LIMIT ? 'at most' : 'more than'} the ${NEWTON_LIMIT} of Newton's matrix`;
  }
  if (wanted === 'newton' && !squareFits) {
    throw new LogoddsError(
      'ERR_RANGE',
      `solver: expected at most ${HESSIAN_LIMIT} parameters for newton (its matrix has their square), got ${likelihood.parameters}; use lbfgs`,
    );
  }
  if (wanted === 'newton' || (wanted === 'auto' && squareFits && size <= NEWTON_LIMIT)) {
    const solution = newton(objective, start, { tol, maxIter: maxIter ?? ITERATIONS.newton, onIteration });
    if (solution.stuck === null || solution.reason === 'diverged') return { solution, solver: 'newton', choice };
    const why = solution.stuck === 'hessian' ? 'its Hessian is not positive definite' : 'no step of it decreases f';
    choice = `newton gave up after ${solution.iterations} iterations (${why}), and L-BFGS went on from there`;
    from = solution.w;
    done = solution.iterations;
  }
  // About the diagonal of the Hessian at the start.
  const share = curvature(outcomes, totalWeight);
  const diagonal = Float64Array.from(objective.active, (id) => {
    if (id === slots.length) return share;
    const pull = standardize ? lambda : lambda / standard.scale[id] ** 2;
    return (share * profile.square[id]) / outcomes.total + pull;
  });
  const solution = lbfgs(objective, from, {
    tol,
    maxIter: maxIter ?? ITERATIONS.lbfgs,
    diagonal,
    onIteration: onIteration && ((progress) => onIteration({ ...progress, iteration: done + progress.iteration })),
  });
  return { solution: { ...solution, iterations: done + solution.iterations }, solver: 'lbfgs', choice };
}

/**
 * Parameters without a finite estimate in a fit without penalty, three ways: slots that separate the classes on their own (exact); the signs of
 * all fitted logits (exact when they separate); and steps of Newton's method that do not shrink while gradient and curvature vanish.
 */
function findSeparation(
  { likelihood, slots, profile, y, weight, offset }: Task,
  objective: Objective,
  solution: Solution,
  solver: Exclude<SolverChoice, 'auto'>,
  squareFits: boolean,
): Warning | null {
  const found = new Set(slots.flatMap((_, id) => (profile.separates[id] ? [id] : [])));
  const logits = new Float64Array(likelihood.rows);
  likelihood.logits(objective.expand(solution.w), logits);
  const completely = separatesAllRows(logits, y, weight, offset);
  // L-BFGS cannot tell a flat direction from the end of one: a few Newton steps from its end can.
  const last =
    solver !== 'lbfgs' || !squareFits
      ? solution
      : newton(objective, solution.w, { tol: 1e-8, maxIter: ITERATIONS.newton });
  if (last.reason === 'diverged') for (const id of runawayParameters(objective, last.w)) found.add(id);
  else if (!completely && found.size === 0) return null;
  if (![...found].some((id) => id < slots.length)) for (const id of objective.active) found.add(id);
  const { features, text } = nameParameters(found, slots);
  return {
    code: 'SEPARATION',
    message: `${text}: ${completely ? 'the features separate the classes completely' : 'all rows on one side have one class'}, so the likelihood has no maximum and these weights grow without end; penalise (C or lambda), or merge or drop what is named`,
    features,
  };
}
