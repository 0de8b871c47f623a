import type { LikelihoodPoint } from '../../bindings/likelihood.ts';
import { refuseUnknown } from '../../bindings/names.ts';
import type { Data } from '../encode/checkedTable.ts';
import { sourceOf } from '../encode/coder.ts';
import type { CategoricalFeature, Feature, NumericFeature } from '../encode/schema.ts';
import type { Table } from '../encode/table.ts';
import { besideData } from '../train/optionNames.ts';
import { type DataOptions, dataOptions } from '../train/problem/options.ts';
import { prepare, tableOf } from '../train/problem/prepare.ts';
import type { Problem } from '../train/problem/problem.ts';
import { newton } from '../train/solve/newton.ts';
import { dependentSlots } from '../train/solve/untold.ts';
import { columnFindings } from './columns.ts';
import { type Finding, sortFindings } from './finding.ts';
import { clearOfCollinearity, collinearity, combinations } from './fit/collinearity.ts';
import { influence } from './fit/influence.ts';
import { lowEvents, MATRIX_LIMIT, tooWide, underdetermined } from './fit/parameters.ts';
import { sampleOf, sampleOverlaps } from './fit/sample.ts';
import { noProgram, overlaps, separatedAfterFit, separatedRows, separationFinding } from './fit/separated.ts';
import { areIndependent, type Examined, estimable, nullColumns, stateOf, weightedColumns } from './fit/state.ts';
import { SEPARATION_LIMIT } from './separation.ts';

/** Multiplications that a fit may spend on the matrix of its columns (tenths of a second), on what is plain JavaScript, and on a search. */
const FIT_WORK = { matrix: 1e9, influence: 5e7, search: 1e7 };
/** Rows · columns² of a linear program beside a fit, `SEPARATION_LIMIT` / 25; a literal, which bundlers can drop. */
const QUICK_LIMIT = 1e7;
/** Newton steps to tell whether weights settle. */
const SEARCH = { tol: 1e-8, maxIter: 50 };

/**
 * Returns what in a data set would harm a logistic regression, the most severe finding first.
 *
 * It looks at the data and at the maximum-likelihood fit, never at a penalised one, since a penalty would hide such problems. It returns no model.
 *
 * Findings about columns: CLASS_IMBALANCE (rarest class < 5 %), CONSTANT_COLUMN, DUPLICATE_COLUMN, IDENTIFIER, LEAKAGE (AUC of one feature ≥ 0.99),
 * MISSING, RARE_LEVELS (< 10 rows). Findings about the fit: SEPARATION, UNDERDETERMINED, RANK_DEFICIENT, LOW_EVENTS (< 10 events for a weight),
 * HIGH_VIF (> 10), CONDITION_NUMBER (> 30), INFLUENTIAL_ROWS (Cook's distance beyond a 10 % confidence region; two classes only).
 *
 * Separation is decided by a proof of overlap, or by linear programming where distinct rows × columns² ≤ 2.5e8. For larger data it is reported
 * where one column or level separates the classes, or where every fitted logit is right. Above 500 parameters only single columns and levels are
 * tested, and collinearity and influence are not computed. NOT_CHECKED names each check that was left out.
 *
 * @param given    a table or records
 * @param options  as for `fit`; `positive` and `references` change only names in the findings
 * @returns the findings; an empty array when there is nothing to report
 * @throws ERR_SCHEMA, ERR_TARGET, ERR_RECORD, ERR_RANGE, ERR_DATA as `fit`
 * @see Belsley, Kuh, Welsch 1980; Fox, Monette 1992; Konis 2007; Peduzzi et al., Journal of Clinical Epidemiology 49, 1996; Pregibon 1981
 * @example
 * const doubled = records.map((record) => ({ ...record, copy: record.distance }));
 * const findings = diagnose(doubled, { target: 'late' });
 * findings.map(({ code }) => code); // ['RANK_DEFICIENT', 'DUPLICATE_COLUMN', 'LOW_EVENTS']
 */
export function diagnose(given: Data, options: DataOptions): Finding[] {
  refuseUnknown('diagnose', options, { ...dataOptions(), ...besideData() });
  const table = tableOf(given, options);
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

/**
 * The findings of `diagnose` for a prepared problem.
 *
 * A fit that ended at its maximum pays one Hessian of its likelihood: the Newton step there shows that the classes overlap, and the matrix gives the rest.
 * A fit of two classes to many rows pays a sample of them, and the Hessian only where there are figures of collinear columns to report.
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

/** Findings of one fit: what rules out estimates first, since the rest may follow from it. */
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

  const many = !thorough && work > FIT_WORK.influence;
  const ofMany = many ? findingsOfMany(problem, fit, candidates, count, plenty) : null;
  if (ofMany) return [...found, ...ofMany];
  let state = stateOf(problem, fit, [...candidates, slots.length]);
  if (!state.factor) {
    const dependent = dependentSlots(likelihood, candidates, problem.rows.weight, fit.profile.square);
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
    const limit = thorough ? SEPARATION_LIMIT : QUICK_LIMIT;
    const params = state.objective.expand(state.w);
    const { separated, decided } = separatedRows(problem, { ...fit, params }, columns, limit);
    if (!decided && (thorough || !separated)) found.push(noProgram(limit));
    // Where weights run away, so do the weights of the rows: the columns are compared as the null model sees them.
    if (separated) {
      found.push(separationFinding(problem, separated));
      return plenty ? [...found, ...collinearity(problem, nullColumns(problem, fit, columns))] : found;
    }
  }
  if (plenty) found.push(...collinearity(problem, state));
  if (likelihood.classes === 1 && (thorough || work <= FIT_WORK.influence))
    found.push(...influence(problem, fit, state));
  return found;
}

/**
 * Findings of a fit of two classes to many rows. Sums over all rows are formed only where a sample does not tell: that the classes overlap, and
 * that columns are not collinear. Figures are always those of all rows.
 * @returns null where columns may depend on others
 */
function findingsOfMany(
  problem: Problem,
  fit: Examined,
  candidates: readonly number[],
  count: Float64Array | null,
  plenty: boolean,
): Finding[] | null {
  const { likelihood, profile, params } = fit;
  if (likelihood.classes > 1 || !params) return null;
  const { slots } = problem;
  const columns = [...candidates, slots.length];
  const gradient = fit.evaluated?.gradient ?? new Float64Array(likelihood.parameters);
  const evaluate = () => fit.evaluated?.point ?? likelihood.at(params, gradient);
  let point: LikelihoodPoint | null = null;
  const sample = sampleOf(problem, fit, columns, params);
  const mayOverlap = !candidates.some((slot) => profile.separates[slot]);
  let overlap = false;
  if (sample && mayOverlap) {
    point = evaluate();
    overlap = sampleOverlaps(problem, sample, gradient);
  }
  const { separated, decided } = overlap ? NOT_SEPARATED : separatedRows(problem, fit, columns, QUICK_LIMIT);
  const found = lowEvents(fit, count, candidates.length);
  if (!decided && !separated) found.push(noProgram(QUICK_LIMIT));
  if (separated) found.push(separationFinding(problem, separated));
  // the weights of rows are at most a quarter
  const square = (j: number) => (j < candidates.length ? profile.square[candidates[j]] : likelihood.totalWeight) / 4;
  if (sample && !separated && areIndependent(sample, square) && clearOfCollinearity(problem, sample)) return found;
  const weighted = separated
    ? nullColumns(problem, fit, columns)
    : weightedColumns(problem, point ?? evaluate(), columns);
  if (!areIndependent(weighted)) return null;
  return plenty ? [...found, ...collinearity(problem, weighted)] : found;
}

const NOT_SEPARATED = { separated: null, decided: true };
