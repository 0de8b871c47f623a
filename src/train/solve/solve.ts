import { LogoddsError } from '../../../bindings/errors.ts';
import type { SlotRole } from '../../encode/coder.ts';
import { constantReason } from '../../encode/infer.ts';
import { classWeights } from '../../encode/tally.ts';
import { list, show } from '../../messages.ts';
import type { Warning } from '../../model/manifest.ts';
import type { Outcomes, Task } from '../problem/task.ts';
import { FirthObjective, solveFirth } from './firth.ts';
import { lbfgs } from './lbfgs.ts';
import { sampledMetric, workOf } from './metric.ts';
import { hasSamples, informative, startOfSample } from './nested.ts';
import { newton } from './newton.ts';
import { newtonCg } from './newtonCg.ts';
import { diagonalMetric, type Evaluated, Objective, type Solution, type SolveOptions } from './objective.ts';
import { Screen } from './screen.ts';
import type { Fitted, Penalty, Solver, SolveSettings } from './types.ts';
import { dependentSlots, nameParameters, runawayParameters, separatesAllRows } from './untold.ts';

/** Largest number of free parameters for which `auto` forms and factors a square matrix. */
const NEWTON_LIMIT = 1000;
/** Largest number of parameters for which a square matrix is formed at all. */
export const HESSIAN_LIMIT = 2000;
/** Number of multiplications in a Hessian and its factorisation that takes negligible time. */
const CHEAP = 1e8;
/** Largest cost of a Hessian in passes over the data: Newton's method saves about that many in each iteration. */
const PASSES = 4;
/**
 * What L-BFGS is told where it goes before Newton's method. At this gradient a Newton step is below 1e-7, so that the Hessian of its start is
 * also that of its end. Separated classes need all the iterations.
 */
const APPROACH = { tol: 1e-8, maxIter: 30 };
const ITERATIONS = { newton: 100, 'newton-cg': 200, lbfgs: 1000, cd: 300 };

/**
 * Computes estimates from a likelihood and a penalty. It holds parameters that cannot be estimated, starts at the null model (or at `start`),
 * minimises, and then checks for parameters without a finite estimate. Every doubt is a warning.
 *
 * With several classes and no penalty the first class is the reference, and its weights are 0. With a penalty every class has weights, and the
 * parameters that the penalty does not determine (intercepts, weights of factor 0) have mean 0 over the classes.
 *
 * @param start  all parameters, for standardised features
 * @throws ERR_RANGE if the matrix of Newton's method or of coordinate descent would be too large
 */
export function solve(task: Task, penalty: Penalty, settings: SolveSettings, start?: Float64Array): Fitted {
  const { likelihood, slots, totalWeight } = task;
  const { classes, parameters } = likelihood;
  const width = slots.count + 1;
  const warnings: Warning[] = [];
  const warn = (code: string, message: string, features: readonly string[] = []) => {
    warnings.push({ code, message, features });
  };
  const squareFits = parameters <= HESSIAN_LIMIT;
  const { firth = false } = settings;
  const terms = termsOf(task, penalty);
  const isFree = (slot: number) => terms.l2[slot] === 0 && terms.l1[slot] === 0;
  const objectiveOver = (estimated: readonly number[], jeffreys = firth): Objective => {
    const active: number[] = [];
    for (let j = 0; j < classes; j++) {
      // the first of several classes is the reference for parameters without a penalty
      const reference = classes > 1 && j === 0;
      for (const slot of estimated) if (!(reference && isFree(slot))) active.push(j * width + slot);
      if (!reference) active.push(j * width + slots.count);
    }
    const options = { active: Int32Array.from(active), totalWeight, ...terms };
    return jeffreys ? new FirthObjective(likelihood, options, task.weight) : new Objective(likelihood, options);
  };

  const outcomes = countOutcomes(task);
  const nullModel = fitNull(task, objectiveOver([], false), outcomes);
  const { free: open, constant, empty } = sortSlots(task);
  const isHeld = (slot: number) => penalty.lower?.[slot] === 0 && penalty.upper?.[slot] === 0;
  const held = open.filter(isHeld);
  const free = held.length > 0 ? open.filter((slot) => !isHeld(slot)) : open;
  const aliased = [...held, ...constant.filter((id) => slots.at(id).role !== 'reference')];
  const constants = new Map<string, { readonly advice: string; readonly ids: number[] }>();
  for (const id of constant) {
    const values = task.profile.constant[id] === 2 ? 'rounding' : 'one';
    const { evidence, advice } = constantReason(values, task.standard.shift[id]);
    const group = constants.get(evidence) ?? { advice, ids: [] };
    constants.set(evidence, group);
    group.ids.push(id);
  }
  for (const [evidence, { advice, ids }] of constants) {
    const { features } = nameParameters(ids, slots);
    warn('CONSTANT_COLUMN', `${list(features)}: ${evidence}, so the weight is held at 0; ${advice}`, features);
  }
  let estimated = free;
  const unpenalized = free.filter(isFree);
  if (unpenalized.length > 0) {
    const size = (classes > 1 ? classes - 1 : 1) * (unpenalized.length + 1);
    if (size > outcomes.rows) {
      warn(
        'UNDERDETERMINED',
        `${size} parameters for ${outcomes.rows} rows have no unique estimate without a penalty; penalise (C or lambda) or use fewer features`,
      );
    }
    const dependent = empty.filter(isFree);
    if (width <= HESSIAN_LIMIT) {
      dependent.push(...dependentSlots(likelihood, unpenalized, task.weight, task.profile.square, task.rankTolerance));
      const gone = new Set(dependent);
      estimated = free.filter((id) => !gone.has(id));
    } else {
      warn(
        'RANK_UNCHECKED',
        `collinear columns were not looked for among ${width} parameters (${HESSIAN_LIMIT} are the most), so single weights may not be unique; penalise (C or lambda) or use fewer features`,
      );
    }
    if (dependent.length > 0) {
      const { features, text } = nameParameters(dependent, slots);
      const held = dependent.length === 1 ? 'the weight is' : `these ${dependent.length} weights are`;
      warn(
        'RANK_DEFICIENT',
        `${text}: a linear combination of earlier columns, so ${held} held at 0; drop columns that repeat others, or penalise (C or lambda)`,
        features,
      );
      aliased.push(...dependent);
    }
  }
  const objective = objectiveOver(estimated);
  const from = objective.restrict(start ? relative(start, task, isFree) : nullModel.params);

  const { solution, solver, choice } = minimise(
    task,
    settings,
    objective,
    from,
    start !== undefined,
    outcomes,
    unpenalized.length > 0,
  );
  const params = objective.expand(solution.w);
  const separation =
    unpenalized.length > 0 && objective.smooth && !firth
      ? findSeparation(task, objective, solution, solver, squareFits, isFree)
      : null;
  if (separation) warnings.push(separation);
  const reason = separation ? 'diverged' : solution.reason;
  const converged = reason === 'converged';
  if (!converged && !separation) {
    warn(
      'NOT_CONVERGED',
      `${solver} stopped after ${solution.iterations} iterations (${reason}) with a gradient of ${solution.gradNorm.toExponential(1)}; ${reason === 'max_iter' ? 'raise maxIter' : 'raise tol'} or penalise more (C or lambda)`,
    );
  }

  const penalized = penalty.lambda > 0;
  let pull = 0;
  params.forEach((value, j) => {
    pull += (terms.l2[j] / 2) * value ** 2 + terms.l1[j] * Math.abs(value);
  });
  if (classes > 1 && penalized) centre(params, task, isFree);
  return {
    params,
    aliased: everyClass(
      aliased.sort((a, b) => a - b),
      classes,
      width,
    ),
    objective,
    w: solution.w,
    factor: solution.factor ?? null,
    report: {
      solver,
      choice,
      converged,
      reason,
      iterations: solution.iterations,
      gradNorm: solution.gradNorm,
      objective: solution.objective,
      logLik: firth ? -likelihood.loss(params) : -(solution.objective - pull) * totalWeight,
      nullLogLik: -nullModel.loss * totalWeight,
    },
    warnings,
  };
}

function everyClass(ids: readonly number[], classes: number, width: number): number[] {
  return Array.from({ length: classes }, (_, j) => ids.map((id) => j * width + id)).flat();
}

/** Both penalties and the bounds by parameter of the standardised features; none on the intercepts. */
function termsOf({ slots, standard, likelihood }: Task, penalty: Penalty) {
  const { lambda, l1Ratio, unit, factors } = penalty;
  const { classes, parameters } = likelihood;
  const width = slots.count + 1;
  const l2 = new Float64Array(parameters);
  const l1 = new Float64Array(parameters);
  const bounded = (bounds: Float64Array | null) => (bounds ? new Float64Array(parameters) : null);
  const lower = bounded(penalty.lower)?.fill(Number.NEGATIVE_INFINITY);
  const upper = bounded(penalty.upper)?.fill(Number.POSITIVE_INFINITY);
  for (let j = 0; j < classes; j++) {
    for (let slot = 0; slot < slots.count; slot++) {
      const u = unit ? unit[slot] : 1;
      const factor = factors ? factors[slot] : 1;
      const id = j * width + slot;
      const strength = lambda * factor;
      l2[id] = strength > 0 ? strength * (1 - l1Ratio) * u ** 2 : 0;
      l1[id] = strength > 0 ? strength * l1Ratio * u : 0;
      if (!(l2[id] < Number.POSITIVE_INFINITY && l1[id] < Number.POSITIVE_INFINITY)) {
        throw new LogoddsError(
          'ERR_RANGE',
          `column ${show(slots.at(slot).name)}: expected a spread that gives a finite penalty on its raw-scale weight, got ${Number(standard.scale[slot].toPrecision(4))}; rescale the column`,
        );
      }
      if (lower) lower[id] = penalty.lower![slot] * standard.scale[slot];
      if (upper) upper[id] = penalty.upper![slot] * standard.scale[slot];
    }
  }
  return { l2, l1, lower, upper };
}

/** With several classes, shifts parameters without a penalty (such as the intercepts for raw features) to mean 0 over the classes. */
function centre(
  params: Float64Array,
  { slots, standard: { shift, scale }, likelihood: { classes } }: Task,
  isFree: (slot: number) => boolean,
): void {
  const width = slots.count + 1;
  for (let slot = 0; slot < width; slot++) {
    if (slot < slots.count && !isFree(slot)) continue;
    let mean = 0;
    for (let j = 0; j < classes; j++) {
      mean += params[j * width + slot] / classes;
      if (slot < slots.count) continue;
      for (let k = 0; k < slots.count; k++) mean -= (params[j * width + k] * shift[k]) / scale[k] / classes;
    }
    for (let j = 0; j < classes; j++) params[j * width + slot] -= mean;
  }
}

/** The inverse: parameters without a penalty relative to the first class. */
function relative(
  params: Float64Array,
  { slots, likelihood: { classes } }: Task,
  isFree: (slot: number) => boolean,
): Float64Array {
  const out = params.slice();
  if (classes === 1) return out;
  const width = slots.count + 1;
  for (let slot = 0; slot < width; slot++) {
    if (slot < slots.count && !isFree(slot)) continue;
    for (let j = 0; j < classes; j++) out[j * width + slot] -= params[slot];
  }
  return out;
}

function countOutcomes({ y, weight, outcomes, likelihood: { classes } }: Task): Outcomes {
  if (outcomes) return outcomes;
  const share = classWeights(Math.max(2, classes), y, weight);
  let rows = y.length;
  let total = rows;
  if (weight) {
    rows = 0;
    total = 0;
    for (let i = 0; i < y.length; i++) {
      rows += Number(weight[i] > 0);
      total += weight[i];
    }
  }
  return { rows, share: classes === 1 ? share.subarray(1) : share, total };
}

/** Curvature Σ s·p(1 − p) of the mean loss in the intercept of a class, at the shares of the classes. */
function curvature({ share, total }: Outcomes, totalWeight: number, j: number): number {
  return ((share[j] / total) * (total - share[j])) / totalWeight;
}

/** The null model: intercepts alone. They are the logits of the class shares, adjusted for the offset. */
function fitNull(
  { likelihood, slots, offset }: Task,
  objective: Objective,
  outcomes: Outcomes,
): { params: Float64Array; loss: number } {
  const { share, total } = outcomes;
  const { totalWeight } = objective;
  const width = slots.count + 1;
  const params = new Float64Array(likelihood.parameters);
  const entropy = (s: number) => (s > 0 ? -s * Math.log(s / total) : 0);
  if (likelihood.classes > 1) {
    share.forEach((s, j) => {
      params[j * width + slots.count] = Math.log(s / share[0]);
    });
    return { params, loss: share.reduce((sum, s) => sum + entropy(s), 0) / totalWeight };
  }
  params[slots.count] = Math.log(share[0] / (total - share[0]));
  if (!offset) return { params, loss: (entropy(share[0]) + entropy(total - share[0])) / totalWeight };
  const metric = diagonalMetric(Float64Array.of(curvature(outcomes, totalWeight, 0)));
  const { w, objective: loss } = lbfgs(objective, objective.restrict(params), {
    tol: 1e-12,
    maxIter: 100,
    metric: () => metric,
  });
  return { params: objective.expand(w), loss };
}

/**
 * The smallest λ at which every penalised weight is 0: the steepest slope of the mean loss there, per unit of penalty.
 *
 *   max |∂loss/∂wⱼ| / (fⱼ·uⱼ·α),   over the directions that the bounds allow, α at least 0.001
 *
 * @see Friedman, Hastie, Tibshirani, J. Stat. Softw. 33 (2010), 2.5
 */
export function largestLambda(task: Task, penalty: Penalty): number {
  const { likelihood, slots, totalWeight } = task;
  const only = { ...penalty, lambda: Number.MAX_VALUE ** 0.5, l1Ratio: 1 };
  const { params } = solve(task, only, { solver: 'auto', tol: 1e-12 });
  const slopes = new Float64Array(likelihood.parameters);
  likelihood.at(params, slopes);
  const width = slots.count + 1;
  let largest = 0;
  for (const slot of sortSlots(task).free) {
    const pull = (penalty.factors?.[slot] ?? 1) * (penalty.unit?.[slot] ?? 1) * Math.max(penalty.l1Ratio, 1e-3);
    if (pull === 0) continue;
    const up = (penalty.upper?.[slot] ?? 1) > 0 ? -1 : 0;
    const down = (penalty.lower?.[slot] ?? -1) < 0 ? 1 : 0;
    for (let id = slot; id < likelihood.parameters; id += width) {
      largest = Math.max(largest, (up * slopes[id]) / totalWeight / pull, (down * slopes[id]) / totalWeight / pull);
    }
  }
  return largest;
}

/**
 * Sorts slots into three lists. `free`: estimated. `constant`: the feature has one value. `empty`: no row of positive weight has it, so a
 * penalty would set it to 0. Reference levels and slots for values unseen in training appear in no list; if rare levels share the slot of
 * unseen values, it is free.
 */
function sortSlots({ slots, profile }: Task): { free: number[]; constant: number[]; empty: number[] } {
  // A numeric column has one value or many; a category has as many values as slots with rows.
  const values: number[] = [];
  for (let id = 0; id < slots.count; id++) {
    const { feature, role } = slots.at(id);
    const own =
      role === 'number' ? (profile.constant[id] ? 1 : 2) : Number(role !== 'present' && !profile.constant[id]);
    values[feature] = (values[feature] ?? 0) + own;
  }
  const free: number[] = [];
  const constant: number[] = [];
  const empty: number[] = [];
  for (let id = 0; id < slots.count; id++) {
    const { feature, role } = slots.at(id);
    if (!profile.constant[id] && values[feature] > 1) {
      if (ESTIMABLE.includes(role)) free.push(id);
    } else if (role === 'number' || role === 'level' || (role === 'reference' && values[feature] <= 1)) {
      (values[feature] <= 1 ? constant : empty).push(id);
    }
  }
  return { free, constant, empty };
}

/** Roles of slots that have an estimate. */
const ESTIMABLE: readonly SlotRole[] = ['number', 'level', 'missing', 'unseen'];

/** Whether a Hessian and its factor cost more than a few passes over the rows. */
function isDear(task: Task, size: number): boolean {
  const { pass, square } = workOf(task);
  return square + size ** 3 / 6 > Math.max(CHEAP, PASSES * pass);
}

/** Whether an evaluation with its Hessian takes more than negligible time. */
function isLarge(task: Task, size: number): boolean {
  const { pass, square } = workOf(task);
  return pass + square + size ** 3 / 6 > CHEAP;
}

/** The rows that samples to start from are taken of, as `informative` counts them; 0 where they are not worth it. */
function rowsToSample(task: Task, objective: Objective, { share, rows, total }: Outcomes): number {
  const { size } = objective;
  const { parameters } = task.likelihood;
  if (!isLarge(task, size) || size > NEWTON_LIMIT || parameters > HESSIAN_LIMIT) return 0;
  const shares = share.length > 1 ? share : Float64Array.of(share[0], total - share[0]);
  const informed = informative(rows, Math.min(...shares) / total);
  return hasSamples(objective, informed) ? informed : 0;
}

function choose(
  task: Task,
  objective: Objective,
  unpenalized: boolean,
  nests: boolean,
): { solver: Solver; choice: string } {
  const { size } = objective;
  if (!objective.smooth) {
    return { solver: 'cd', choice: 'absolute values in the penalty, or bounds, need coordinate descent' };
  }
  if (size > NEWTON_LIMIT) {
    return {
      solver: 'lbfgs',
      choice: `${size} free parameters are more than the ${NEWTON_LIMIT} of Newton's matrix`,
    };
  }
  if (task.likelihood.parameters > HESSIAN_LIMIT) {
    return {
      solver: 'lbfgs',
      choice: `${task.likelihood.parameters} parameters, pinned ones included, are more than the ${HESSIAN_LIMIT} of a Hessian`,
    };
  }
  if (unpenalized) {
    return {
      solver: 'newton',
      choice: `without a penalty its matrix of ${size} × ${size} also tells what has no estimate`,
    };
  }
  if (!isDear(task, size)) {
    return nests
      ? { solver: 'lbfgs', choice: `from a sample of the rows on, one Hessian of ${size} × ${size} is enough` }
      : { solver: 'newton', choice: `${size} free parameters, and a Hessian is cheap for these rows` };
  }
  const { pass, square } = workOf(task);
  return {
    solver: 'lbfgs',
    choice: `a Hessian takes about ${Math.round(square / pass)} passes over the rows; one of a sample of them is enough to start from`,
  };
}

function minimise(
  task: Task,
  { solver: wanted, tol, maxIter, onIteration, screen }: SolveSettings,
  objective: Objective,
  start: Float64Array,
  given: boolean,
  outcomes: Outcomes,
  unpenalized: boolean,
): { solution: Solution & { readonly factor?: Float64Array | null }; solver: Solver; choice: string } {
  const { size } = objective;
  const { parameters } = task.likelihood;
  const sampleOf = wanted === 'auto' && !given ? rowsToSample(task, objective, outcomes) : 0;
  const picked = choose(task, objective, unpenalized, sampleOf > 0);
  if (objective instanceof FirthObjective) {
    if (parameters > HESSIAN_LIMIT) {
      throw new LogoddsError(
        'ERR_RANGE',
        `firth: expected at most ${HESSIAN_LIMIT} parameters (its matrix has that many rows and columns), got ${parameters}; use fewer features or a penalty`,
      );
    }
    return {
      solution: solveFirth(objective, start, { tol, maxIter: maxIter ?? ITERATIONS.lbfgs, onIteration }),
      solver: 'lbfgs',
      choice: "Firth's penalised likelihood has its gradient and the information, not its Hessian",
    };
  }
  const forced = wanted !== 'auto' && (objective.smooth || wanted === 'cd');
  let { solver, choice } = forced ? { solver: wanted, choice: `${wanted} was asked for` } : picked;
  if (solver === 'newton' && parameters > HESSIAN_LIMIT) {
    throw new LogoddsError(
      'ERR_RANGE',
      `solver: expected at most ${HESSIAN_LIMIT} parameters for newton (its matrix has that many rows and columns), got ${parameters}; use lbfgs or newton-cg`,
    );
  }
  const options = { tol, maxIter: maxIter ?? ITERATIONS[solver], onIteration };
  const diagonal = () => diagonalOf(task, objective, outcomes);
  if (solver === 'cd') {
    const by = screen ?? new Screen();
    try {
      return { solution: by.descend(objective, start, { ...options, cells: task.cells }), solver, choice };
    } finally {
      if (!screen) by.free();
    }
  }
  if (solver === 'newton-cg') {
    const metric = diagonalMetric(diagonal());
    return { solution: newtonCg(objective, start, { ...options, metric }), solver, choice };
  }
  const { pass, square } = workOf(task);
  const near = startOfSample(task, objective, start, sampleOf, diagonal);
  const { metric: handed } = near;
  const sampled = handed && isDear(task, size) ? () => handed : sampledMetric(task, objective, diagonal);
  let from = near.w;
  let done = 0;
  /** Options of a solver that goes on after `done` iterations. */
  const goOn = (most: number, to = tol): SolveOptions => {
    const before = done;
    return {
      tol: to,
      maxIter: most,
      onIteration: onIteration && ((progress) => onIteration({ ...progress, iteration: before + progress.iteration })),
    };
  };
  if (solver === 'newton') {
    let last: Evaluated | null = null;
    if (!forced && isDear(task, size)) {
      const most = Math.min(options.maxIter, APPROACH.maxIter);
      const reached = lbfgs(objective, from, {
        ...goOn(most, Math.min(tol, APPROACH.tol)),
        metric: sampled,
        first: handed,
      });
      from = reached.w;
      done = reached.iterations;
      last = reached.last;
      choice = `${choice}; a Hessian takes about ${Math.round(square / pass)} passes over the rows, so L-BFGS in the metric of a sample of them went before it`;
    }
    const found = newton(objective, from, { ...goOn(options.maxIter - done), last });
    const solution = { ...found, iterations: done + found.iterations };
    if (solution.stuck === null || solution.reason === 'diverged') return { solution, solver, choice };
    const why = solution.stuck === 'hessian' ? 'its Hessian is not positive definite' : 'no step of it decreases f';
    choice = `newton gave up after ${solution.iterations} iterations (${why}), and L-BFGS went on from there`;
    from = solution.w;
    done = solution.iterations;
    solver = 'lbfgs';
  }
  let metric = sampled;
  if (done > 0 || size > NEWTON_LIMIT || parameters > HESSIAN_LIMIT) {
    const fixed = diagonalMetric(diagonal());
    metric = () => fixed;
  }
  const solution = lbfgs(objective, from, { ...goOn(maxIter ?? ITERATIONS.lbfgs), metric, first: handed });
  return { solution: { ...solution, iterations: done + solution.iterations }, solver, choice };
}

/** Approximates the diagonal of the Hessian at the null model. */
function diagonalOf({ slots, profile, totalWeight }: Task, objective: Objective, outcomes: Outcomes): Float64Array {
  const width = slots.count + 1;
  return Float64Array.from(objective.active, (id, k) => {
    const share = curvature(outcomes, totalWeight, Math.floor(id / width));
    const slot = id % width;
    return slot === slots.count ? share : (share * profile.square[slot]) / outcomes.total + objective.l2[k];
  });
}

/**
 * Finds parameters without a finite estimate in a fit without penalty, in three ways: slots that separate the classes on their own (exact), the
 * signs of all fitted logits (exact if they separate), and Newton steps that do not shrink while gradient and curvature vanish.
 */
function findSeparation(
  { likelihood, slots, profile, y, weight, offset }: Task,
  objective: Objective,
  solution: Solution,
  solver: Solver,
  squareFits: boolean,
  isFree: (slot: number) => boolean,
): Warning | null {
  const width = slots.count + 1;
  const every = Array.from({ length: slots.count }, (_, id) => id);
  const found = new Set(every.filter((id) => profile.separates[id] && isFree(id)));
  const params = objective.expand(solution.w);
  const separates = (): boolean => {
    if (likelihood.elsewhere) return likelihood.elsewhere.separates(params);
    const logits = new Float64Array(likelihood.classes * likelihood.rows);
    likelihood.logits(params, logits);
    return separatesAllRows(logits, y, weight, offset);
  };
  const completely = every.every(isFree) && separates();
  // L-BFGS cannot distinguish a flat direction from a minimum; a few Newton steps from its end can.
  const last =
    solver === 'newton' || !squareFits
      ? solution
      : newton(objective, solution.w, { tol: 1e-8, maxIter: ITERATIONS.newton });
  if (last.reason === 'diverged') for (const id of runawayParameters(objective, last.w)) found.add(id % width);
  else if (!completely && found.size === 0) return null;
  if (![...found].some((id) => id < slots.count)) for (const id of objective.active) found.add(id % width);
  const { features, text } = nameParameters(found, slots);
  return {
    code: 'SEPARATION',
    message: `${text}: ${completely ? 'the features separate the classes completely' : 'all rows on one side have one class'}, so the likelihood has no maximum and these weights grow without limit; penalise (C, lambda or firth), or merge or drop what is named here`,
    features,
  };
}
