import { exp } from '../../bindings/js/math.ts';
import type { Likelihood } from '../../bindings/likelihood.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import { CheckedTable, type Data } from '../encode/checkedTable.ts';
import { sourceOf } from '../encode/coder.ts';
import { list, show } from '../encode/label.ts';
import type { CategoricalFeature, Feature, NumericFeature } from '../encode/schema.ts';
import type { Table } from '../encode/table.ts';
import { factorCholesky, invertCholesky, solveCholesky } from '../math/cholesky.ts';
import { besideData } from '../train/optionNames.ts';
import { type DataOptions, dataOptions } from '../train/problem/options.ts';
import { prepare } from '../train/problem/prepare.ts';
import type { Problem } from '../train/problem/problem.ts';
import type { SlotProfile } from '../train/problem/slotProfile.ts';
import { slotsOf } from '../train/problem/slots.ts';
import { newton } from '../train/solve/newton.ts';
import { Objective } from '../train/solve/objective.ts';
import { dependentSlots, nameParameters, separatesAllRows } from '../train/solve/untold.ts';
import { classWeights } from '../weights.ts';
import { conditioning, inflation } from './collinear.ts';
import { columnFindings } from './columns.ts';
import { type Finding, sortFindings } from './finding.ts';
import { influentialRows } from './influence.ts';
import { certifiesOverlap, SEPARATION_LIMIT, type Separation, separation, signedRows } from './separation.ts';

/** Most parameters for which columns are compared by matrices of their square. */
const MATRIX_LIMIT = 500;
/** Multiplications that a fit may spend on the matrix of its columns (tenths of a second), on what is plain JavaScript, and on a search. */
const FIT_WORK = { matrix: 1e9, influence: 5e7, search: 1e7 };
/** Events for each parameter below which estimates are biased and intervals too short. */
const EVENTS = 10;
/** Variance inflation from which a column is nearly a combination of others: R² = 0.9. */
const INFLATION = 10;
/** Condition numbers from which estimates suffer, and suffer much (Belsley, Kuh & Welsch 1980). */
const CONDITION = { moderate: 30, strong: 100 };
/** z of the 10 % quantile of the normal distribution: a row should not move the estimates out of a 10 % confidence region (Cook 1977). */
const REGION = -1.2815515655446004;
/** Cook's distance that nobody passes over (Cook & Weisberg 1982). */
const STRONG_DISTANCE = 1;
/** 1 − R² at which a column is a combination of others, in the weighted columns of a fit. */
const SINGULAR = 1e-11;
/** Parts of a combination that are rounding, of columns scaled to unit length. */
const PART = 1e-6;
/** Newton steps to tell whether weights settle. */
const SEARCH = { tol: 1e-8, maxIter: 50 };

/**
 * What a data set would do to a logistic regression, the worst first: no model is made, and nothing is left out because a penalty hides it.
 *
 * Of the columns: CLASS_IMBALANCE (rarest class < 5 %), CONSTANT_COLUMN, DUPLICATE_COLUMN, IDENTIFIER, LEAKAGE (AUC of one feature ≥ 0.99),
 * MISSING, RARE_LEVELS (< 10 rows). Of the maximum-likelihood fit: SEPARATION, UNDERDETERMINED, RANK_DEFICIENT, LOW_EVENTS (< 10 for a weight),
 * HIGH_VIF (> 10), CONDITION_NUMBER (> 30), INFLUENTIAL_ROWS (Cook's distance beyond a 10 % confidence region; two classes only).
 *
 * Separation is decided by a proof of overlap (`certifiesOverlap`) or by linear programming, where distinct rows × columns² ≤ 2.5e8; beyond, it is
 * seen where one column or level makes it, or where all fitted logits are right. Above 500 parameters only the former, and nothing is said of
 * collinearity and influence. Both are named: NOT_CHECKED.
 *
 * @param options  as of `fit`; a positive class and references change names only
 * @returns findings; none when nothing was found
 * @throws ERR_SCHEMA, ERR_TARGET, ERR_RECORD, ERR_RANGE, ERR_DATA as `fit`
 * @see Belsley, Kuh, Welsch 1980; Fox, Monette 1992; Konis 2007; Peduzzi et al., Journal of Clinical Epidemiology 49, 1996; Pregibon 1981
 */
export function diagnose(given: Data, options: DataOptions): Finding[] {
  const table = CheckedTable.of(given);
  refuseUnknown('diagnose', options, { ...dataOptions(), ...besideData() });
  const problem = prepare(table, options, 'treatment');
  try {
    const view = problem.view();
    try {
      const fits = view.tasks.map(({ likelihood, y, profile }) => ({ likelihood, y, profile, params: null }));
      return findings(table, options.target, problem, fits, true);
    } finally {
      view.free();
    }
  } finally {
    problem.free();
  }
}

/** A likelihood of a problem, and a point to judge it from. */
export interface Examined {
  readonly likelihood: Likelihood;
  /** two classes: share of the positive one; more: the class */
  readonly y: Float64Array;
  readonly profile: SlotProfile;
  /** a fit, for standardised features; null: the null model */
  readonly params: Float64Array | null;
}

/**
 * The findings of `diagnose` for a prepared problem.
 *
 * A fit that ended at its maximum pays one Hessian of its likelihood: the Newton step there shows that the classes overlap, and the matrix gives the rest.
 *
 * @param fits      one, or with `ovr` one a class
 * @param thorough  false leaves out what is dear beside a fit: matrices and searches beyond tenths of a second
 */
export function findings(
  table: Table,
  target: string,
  problem: Problem,
  fits: readonly Examined[],
  thorough: boolean,
): Finding[] {
  const { schema, rows } = problem;
  const { counts: count, kind, y } = rows;
  const { classes, positive } = rows.target;
  const labels = kind === 'binomial' ? [...classes.filter((label) => label !== positive), positive as string] : classes;
  // columns as they are: what a schema makes of them is for the fit to say
  const features = schema.features.filter(isPlain).filter((feature) => sourceOf(feature) === feature.name);
  const found = columnFindings({ table, features, target, labels, y, count });
  for (const fit of fits) {
    for (const finding of fitFindings(problem, fit, count, thorough)) {
      const same = (other: Finding) =>
        other.code === finding.code && String(other.features) === String(finding.features);
      if (!found.some(same)) found.push(finding);
    }
  }
  return sortFindings(found);
}

const isPlain = (feature: Feature): feature is NumericFeature | CategoricalFeature =>
  feature.kind === 'numeric' || feature.kind === 'categorical';

function fitFindings(problem: Problem, fit: Examined, count: Float64Array | null, thorough: boolean): Finding[] {
  const { batch, slots } = problem;
  const { likelihood } = fit;
  const candidates = estimable(problem, fit.profile);
  const found = underdetermined(problem, fit, candidates.length);
  const plenty = found.length === 0;
  const work = batch.rows * batch.specs.length ** 2;
  if (likelihood.parameters > MATRIX_LIMIT || !(thorough || work <= FIT_WORK.matrix)) {
    found.push(...lowEvents(fit, count, candidates.length));
    if (thorough) found.push(tooWide(problem, likelihood.parameters));
    const separated = separatedAfterFit(problem, fit);
    return separated ? [...found, separationFinding(problem, separated)] : found;
  }

  let state = stateOf(problem, fit, [...candidates, slots.length]);
  if (!state.inverse) {
    const dependent = dependentSlots(likelihood, candidates, problem.rows.weight);
    if (dependent.length > 0) {
      const kept = candidates.filter((slot) => !dependent.includes(slot));
      if (plenty) found.push(...combinations(problem, likelihood, kept, dependent));
      state = stateOf(problem, fit, [...kept, slots.length]);
    }
  }
  const { columns } = state;
  found.push(...lowEvents(fit, count, columns.length - 1));
  if (!overlaps(problem, fit, state) && (thorough || work <= FIT_WORK.search)) {
    const params = state.objective.expand(newton(state.objective, state.w, SEARCH).w);
    state = stateOf(problem, { ...fit, params }, columns);
  }
  if (!overlaps(problem, fit, state)) {
    const rows = signedRows(batch, columns, fit.y, problem.rows.weight, {
      classes: Math.max(2, likelihood.classes),
      most: thorough ? SEPARATION_LIMIT : SEPARATION_LIMIT / 25,
    });
    const decided = rows && separation(rows);
    if (!rows && thorough) found.push(noProgram());
    const separated = decided
      ? separatedExactly(problem, fit, columns, decided, rows.rows)
      : separatedAfterFit(problem, { ...fit, params: state.objective.expand(state.w) });
    // Where weights run away, so do the weights of the rows: the columns are compared as the null model sees them.
    if (separated) {
      found.push(separationFinding(problem, separated));
      const asNull = () => collinearity(problem, stateOf(problem, { ...fit, params: null }, columns));
      return plenty ? [...found, ...asNull()] : found;
    }
  }
  if (plenty) found.push(...collinearity(problem, state));
  if (likelihood.classes === 1 && (thorough || work <= FIT_WORK.influence))
    found.push(...influence(problem, fit, state));
  return found;
}

/** Beside more parameters than matrices are formed of: the columns without which there would be few enough. */
function tooWide({ slots, schema }: Problem, parameters: number): Finding {
  const sizes = schema.features.map(() => 0);
  for (const { feature } of slots) sizes[feature]++;
  const share = parameters / (slots.length + 1);
  const widest = sizes.map((size, k) => ({ size, name: schema.features[k].name })).sort((a, b) => b.size - a.size);
  const features: string[] = [];
  for (let left = parameters; left > MATRIX_LIMIT && features.length < widest.length; ) {
    left -= share * widest[features.length].size;
    features.push(widest[features.length].name);
  }
  const named = features.length > 12 ? `${features.length} columns, the widest ${show(features[0])}` : list(features);
  return {
    code: 'NOT_CHECKED',
    severity: 'info',
    features,
    evidence: `collinear columns, variance inflation, condition number, influential rows and separation by several columns were not looked for: ${parameters} parameters, where ${MATRIX_LIMIT} are the most (too many with ${named})`,
    advice: 'merge levels, or look again without these columns',
  };
}

/** Separation by several columns, where the program that decides it is too large. */
const noProgram = (): Finding => ({
  code: 'NOT_CHECKED',
  severity: 'info',
  features: [],
  evidence: `separation by several columns together was not decided: distinct rows × columns² are beyond ${SEPARATION_LIMIT.toExponential(1)}`,
  advice: 'look again on a sample of the rows, or with fewer columns',
});

/** Slots that could have an estimate: with rows, no reference level; of a one-hot feature all but its first level. */
function estimable({ slots, schema }: Problem, { constant }: SlotProfile): number[] {
  const seen = new Set<number>();
  return slots.flatMap(({ feature, role }, id) => {
    if (constant[id] || !['number', 'level', 'missing', 'unseen'].includes(role)) return [];
    const shape = schema.features[feature];
    const onehot = 'coding' in shape ? shape.coding === 'onehot' : shape.kind === 'hashed';
    if (role !== 'level' || !onehot || seen.has(feature)) return [id];
    seen.add(feature);
    return [];
  });
}

/** The likelihood, without penalty, about a point. */
interface State {
  /** slots, ascending, then the intercept */
  readonly columns: readonly number[];
  readonly objective: Objective;
  readonly w: Float64Array;
  /** the Newton step; null where the Hessian is singular */
  readonly step: Float64Array | null;
  /** XᵀWX of the columns, W = s·π(1 − π), of several classes s·(1 − Σπ²), and its inverse; null where singular */
  readonly information: Float64Array;
  readonly inverse: Float64Array | null;
}

function stateOf(problem: Problem, { likelihood, y, params }: Examined, columns: readonly number[]): State {
  const { weight } = problem.rows;
  const { classes, parameters } = likelihood;
  const width = parameters / classes;
  const size = columns.length;
  const blocks = Array.from({ length: Math.max(1, classes - 1) }, (_, k) => (classes > 1 ? k + 1 : 0));
  const objective = new Objective(likelihood, {
    active: Int32Array.from(blocks.flatMap((k) => columns.map((id) => k * width + id))),
    totalWeight: likelihood.totalWeight,
    l2: new Float64Array(parameters),
    l1: new Float64Array(parameters),
  });
  const point = params ? toReference(params, problem, columns, classes) : nullPoint(likelihood, y, weight, width);
  const w = objective.restrict(point);
  const step = new Float64Array(objective.size);
  const hessian = new Float64Array(objective.size ** 2);
  objective.at(w, step).hessian(hessian);
  let information = hessian.map((value) => value * likelihood.totalWeight);
  const singular = factorCholesky(hessian, objective.size, SINGULAR).length > 0;
  if (!singular) {
    for (let j = 0; j < step.length; j++) step[j] = -step[j];
    solveCholesky(hessian, objective.size, step);
  }
  if (classes > 1) {
    const gram = new Float64Array(width * width);
    likelihood.gram(spread(likelihood, point, weight), gram);
    information = Float64Array.from(
      { length: size * size },
      (_, at) => gram[columns[Math.floor(at / size)] * width + columns[at % size]],
    );
  }
  const factor = information.slice();
  const inverse = factorCholesky(factor, size, SINGULAR).length === 0 ? invertCholesky(factor, size) : null;
  return { columns, objective, w, step: singular ? null : step, information, inverse };
}

/**
 * The same logits by other parameters, up to what is the same for all classes: those of the first of several classes are 0, and so is, of each
 * category, the first level if it is none of the columns; every row has one level of it.
 */
function toReference(
  params: Float64Array,
  { batch, slots }: Problem,
  columns: readonly number[],
  classes: number,
): Float64Array {
  const { specs, offsets } = batch;
  const width = slots.length + 1;
  const point = params.map((value, at) => (classes > 1 ? value - params[at % width] : value));
  specs.forEach((spec, c) => {
    if (spec.kind === 'numeric') return;
    const first = offsets[c];
    const own = Array.from({ length: spec.slots }, (_, k) => first + k);
    const pinned = own.find((slot) => slots[slot].role === 'level' && !columns.includes(slot));
    if (pinned === undefined) return;
    for (let k = 0; k < classes; k++) {
      const shift = point[k * width + pinned];
      for (const slot of own) point[k * width + slot] -= shift;
      point[(k + 1) * width - 1] += shift;
    }
  });
  return point;
}

/** Intercepts that give each class its share of the rows. */
function nullPoint(
  { parameters, classes }: Likelihood,
  y: Float64Array,
  weight: Float64Array | null,
  width: number,
): Float64Array {
  const point = new Float64Array(parameters);
  const share = classWeights(Math.max(2, classes), y, weight);
  for (let k = 1; k < share.length; k++) point[(classes > 1 ? k + 1 : 1) * width - 1] = Math.log(share[k] / share[0]);
  return point;
}

/** s·(1 − Σπ²) of each row, the sum of its classes' π(1 − π) */
function spread(likelihood: Likelihood, params: Float64Array, weight: Float64Array | null): Float64Array {
  const { rows, classes } = likelihood;
  const logits = new Float64Array(classes * rows);
  likelihood.logits(params, logits);
  return Float64Array.from({ length: rows }, (_, i) => {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, logits[k * rows + i]);
    let [sum, squares] = [0, 0];
    for (let k = 0; k < classes; k++) {
      const part = exp(logits[k * rows + i] - largest);
      sum += part;
      squares += part * part;
    }
    return (weight ? weight[i] : 1) * (1 - squares / (sum * sum));
  });
}

/** More parameters than rows; then all else that is said of the columns follows from it. */
function underdetermined({ batch, rows: { weight } }: Problem, { likelihood }: Examined, columns: number): Finding[] {
  const parameters = (columns + 1) * Math.max(1, likelihood.classes - 1);
  const rows = weight ? weight.reduce((sum, s) => sum + Number(s > 0), 0) : batch.rows;
  if (parameters <= rows) return [];
  return [
    {
      code: 'UNDERDETERMINED',
      severity: 'error',
      features: [],
      evidence: `${parameters} parameters for ${rows} rows have no unique estimate without a penalty`,
      advice: 'penalise (C or lambda) or use fewer features',
    },
  ];
}

/** Too few rows of the rarest class for what is estimated. */
function lowEvents({ likelihood, y }: Examined, count: Float64Array | null, columns: number): Finding[] {
  const { classes } = likelihood;
  const tally = new Float64Array(Math.max(2, classes));
  for (let i = 0; i < y.length; i++) {
    const n = count ? count[i] : 1;
    if (classes > 1) tally[y[i]] += n;
    else {
      tally[0] += n * (1 - y[i]);
      tally[1] += n * y[i];
    }
  }
  const fewest = Math.min(...tally);
  if (columns === 0 || fewest / columns >= EVENTS) return [];
  return [
    {
      code: 'LOW_EVENTS',
      severity: 'warning',
      features: [],
      evidence: `${(fewest / columns).toFixed(1)} events for ${columns === 1 ? 'the one weight' : `each of ${columns} weights`} (the rarest class has ${Number(fewest.toFixed(1))} rows), where ${EVENTS} are wanted`,
      advice: 'use fewer features, penalise (C or lambda), or doubt small p-values',
    },
  ];
}

/** Columns that repeat others, with what they repeat: of each feature one finding. */
function combinations(
  { slots, rows: { weight } }: Problem,
  likelihood: Likelihood,
  kept: readonly number[],
  dependent: readonly number[],
): Finding[] {
  const width = likelihood.parameters / likelihood.classes;
  const gram = new Float64Array(width * width);
  likelihood.gram(weight ?? new Float64Array(likelihood.rows).fill(1), gram);
  const basis = [width - 1, ...kept];
  const size = basis.length;
  const factor = Float64Array.from(
    { length: size * size },
    (_, at) => gram[basis[Math.floor(at / size)] * width + basis[at % size]],
  );
  factorCholesky(factor, size);
  const partsOf = (slot: number): number[] => {
    const part = Float64Array.from(basis, (id) => gram[slot * width + id]);
    solveCholesky(factor, size, part);
    const length = (id: number) => Math.sqrt(gram[id * width + id]);
    return basis.filter((id, j) => id < slots.length && Math.abs(part[j]) * length(id) > PART * length(slot));
  };
  const byFeature = new Map<string, number[]>();
  for (const slot of dependent) byFeature.set(slots[slot].name, [...(byFeature.get(slots[slot].name) ?? []), slot]);
  return [...byFeature].map(([name, own]): Finding => {
    const parts = new Set(own.flatMap(partsOf));
    const others = nameParameters(parts, slotsOf(slots));
    const held = own.length === 1 ? 'the weight is' : `these ${own.length} weights are`;
    return {
      code: 'RANK_DEFICIENT',
      severity: 'warning',
      features: [name, ...others.features.filter((other) => other !== name)],
      evidence: `${nameParameters(own, slotsOf(slots)).text}: a linear combination of ${others.text || 'the intercept'}, so without a penalty ${held} held at 0`,
      advice: 'drop what repeats other columns, or penalise (C or lambda)',
    };
  });
}

/** What separates the classes, in words. */
interface Separated {
  readonly complete: boolean;
  readonly slots: readonly number[];
  /** a figure: how many rows, or how it was seen */
  readonly seen: string;
}

/** Whether the Newton step of the state proves that the classes overlap. */
function overlaps(
  { rows: { offset, weight } }: Problem,
  { likelihood }: Examined,
  { objective, step }: State,
): boolean {
  if (!step) return false;
  const change = new Float64Array(likelihood.classes * likelihood.rows);
  likelihood.logits(objective.expand(step), change);
  if (offset) for (let i = 0; i < change.length; i++) change[i] -= offset[i];
  return certifiesOverlap(change, likelihood.rows, weight);
}

function separatedExactly(
  { slots }: Problem,
  { likelihood, profile }: Examined,
  columns: readonly number[],
  found: Separation,
  rows: number,
): Separated | null {
  if (found.kind === 'none') return null;
  const complete = found.kind === 'complete';
  // A level that one class has alone says more than the weights it moves: those of all other levels, where it is the reference.
  const moved = found.parameters
    .filter((j) => !complete || found.direction[j] !== 0)
    .map((j) => columns[j % columns.length]);
  const features = new Set(moved.flatMap((id) => (id < slots.length ? [slots[id].name] : [])));
  const pure = slots.flatMap((slot, id) => (profile.separates[id] && features.has(slot.name) ? [id] : []));
  const rest = moved.filter((id) => id < slots.length && !pure.some((other) => slots[other].name === slots[id].name));
  const unit = likelihood.classes > 1 ? 'pairs of a distinct row and a class it is not of' : 'distinct rows';
  const alone = complete && pure.some((id) => slots[id].role === 'number');
  return {
    complete,
    slots: alone ? pure.filter((id) => slots[id].role === 'number') : [...pure, ...rest],
    seen: complete
      ? `all ${rows} ${unit} lie on the right side`
      : `${found.separated} of ${rows} ${unit} lie on the right side, the others on the border`,
  };
}

/** Where a linear program is too large: slots that separate the classes on their own, or logits that all have the right sign. */
function separatedAfterFit({ rows: { weight, offset }, slots }: Problem, fit: Examined): Separated | null {
  const { likelihood, y, profile, params } = fit;
  const pure = slots.flatMap((_, id) => (profile.separates[id] ? [id] : []));
  let complete = false;
  if (params) {
    const logits = new Float64Array(likelihood.classes * likelihood.rows);
    likelihood.logits(params, logits);
    complete = separatesAllRows(logits, y, weight, offset);
  }
  if (!complete && pure.length === 0) return null;
  const all = slots.flatMap((_, id) => (params && params[id] !== 0 ? [id] : []));
  return {
    complete,
    slots: pure.length > 0 ? pure : all,
    seen: complete ? 'every fitted logit has the sign of its class' : 'on one side of each there is one class only',
  };
}

function separationFinding({ slots }: Problem, { complete, slots: named, seen }: Separated): Finding {
  const { features, text } = nameParameters(named, slotsOf(slots));
  return {
    code: 'SEPARATION',
    severity: 'error',
    features,
    evidence: `${text}: ${complete ? 'complete' : 'quasi-complete'} separation (${seen}), so the likelihood has no maximum and without a penalty these weights grow without end`,
    advice: "penalise (C, lambda, or Firth's likelihood), or merge or drop what is named",
  };
}

/** Condition number and variance inflation. */
function collinearity({ slots }: Problem, { columns, information, inverse }: State): Finding[] {
  if (!inverse || columns.length < 3) return [];
  const size = columns.length;
  const found: Finding[] = [];
  const { number: condition, share } = conditioning(information, inverse, size);
  if (condition > CONDITION.moderate) {
    const involved = columns.filter((_, j) => share[j] > 0.5);
    const { features, text } = nameParameters(involved, slotsOf(slots));
    found.push({
      code: 'CONDITION_NUMBER',
      severity: condition > CONDITION.strong ? 'warning' : 'info',
      features,
      evidence: `condition number ${condition.toPrecision(3)} of the weighted columns at unit length${text ? `, mostly by ${text}` : ''}, where ${CONDITION.moderate} is moderate and ${CONDITION.strong} strong`,
      advice: 'drop or combine columns that say the same, or penalise (C or lambda)',
    });
  }
  const groups = new Map<string, number[]>();
  for (let j = 0; j < size - 1; j++) {
    const { name } = slots[columns[j]];
    groups.set(name, [...(groups.get(name) ?? []), j]);
  }
  const inflated = [...groups]
    .map(([name, group]) => ({ name, group, factor: inflation(information, inverse, size, group) }))
    .filter(({ factor }) => factor > INFLATION)
    .sort((a, b) => b.factor - a.factor);
  if (inflated.length > 0) {
    const figures = inflated
      .slice(0, 5)
      .map(
        ({ name, group, factor }) =>
          `${show(name)} ${factor.toPrecision(3)}${group.length > 1 ? ` (generalised, ${group.length} weights)` : ''}`,
      );
    const more = inflated.length > 5 ? ` and ${inflated.length - 5} more` : '';
    found.push({
      code: 'HIGH_VIF',
      severity: 'warning',
      features: inflated.map(({ name }) => name),
      evidence: `variance inflation above ${INFLATION}: ${figures.join(', ')}${more}`,
      advice: 'read single weights of these with care; drop or combine some, or penalise (C or lambda)',
    });
  }
  return found;
}

/** Rows that move the estimates. */
function influence(
  { batch, rows: { weight, sampleWeight, counts, unit } }: Problem,
  { likelihood, y }: Examined,
  state: State,
): Finding[] {
  const size = state.columns.length;
  if (!state.inverse || size < 2) return [];
  // χ²/p of p parameters at 10 %, by Wilson and Hilferty's cube
  const least = (1 - 2 / (9 * size) + REGION * Math.sqrt(2 / (9 * size))) ** 3;
  const logits = new Float64Array(likelihood.rows);
  likelihood.logits(state.objective.expand(state.w), logits);
  const sum = (values: Float64Array | null) => values?.reduce((total, s) => total + s, 0) ?? batch.rows;
  // of sampling weights the scale means nothing: as if they were 1 on average
  const scale = unit ? sum(counts) / sum(sampleWeight) : 1;
  const each = unit?.map((s) => s * scale) ?? null;
  const inverse = scale === 1 ? state.inverse : state.inverse.map((value) => value / scale);
  const rows = influentialRows(batch, logits, y, weight, each, inverse, state.columns, least);
  if (rows.length === 0) return [];
  const figures = rows
    .slice(0, 10)
    .map(({ row, distance, leverage }) => `${row} (${distance.toPrecision(2)}, leverage ${leverage.toPrecision(2)})`);
  return [
    {
      code: 'INFLUENTIAL_ROWS',
      severity: rows[0].distance >= STRONG_DISTANCE ? 'warning' : 'info',
      features: [],
      evidence: `Cook's distance above ${least.toFixed(2)}, out of the 10 % confidence region, in ${rows.length} ${rows.length === 1 ? 'row' : 'rows'} (counted from 0): ${figures.join(', ')}${rows.length > 10 ? ', …' : ''}`,
      advice: 'check these rows for errors, and fit without them to see what changes',
    },
  ];
}
