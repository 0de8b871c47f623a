import { chiSquareTest } from '../../math/chiSquare.ts';
import { valuesAt } from '../../math/quantile.ts';
import type { ChiSquareTest, FitStatistics, PearsonStatistic, Warning } from '../../model/manifest.ts';
import type { RowVectors } from '../problem/rows.ts';
import type { TargetNumbers } from '../problem/target.ts';
import type { Task } from '../problem/task.ts';
import { FirthObjective } from '../solve/firth.ts';
import type { Fitted } from '../solve/types.ts';
import { Restricted, refit } from './restricted.ts';
import { probabilitiesOf } from './robust.ts';

/**
 * Fit statistics of a maximum-likelihood fit (or Firth's) whose weights are counts.
 *
 * The likelihood is that of single trials. For grouped counts R adds the constant Σ log C(nᵢ, kᵢ) to the log-likelihood, so its AIC and BIC are
 * lower by twice that constant; differences between two fits are the same. n counts a row of trials once, as in R.
 */
export function fitStatistics(rows: CountedRows, task: Task, fitted: Fitted): FitStatistics {
  const { logLik, nullLogLik } = fitted.report;
  const { objective, w } = fitted;
  const { classes } = task.likelihood;
  const parameters = objective.size;
  const saturated = saturatedLogLik(task);
  const observations = countObservations(rows);
  const trials = 'target' in rows ? rows.target.trials : null;
  const intercepts = classes > 1 ? classes - 1 : 1;
  const ratio =
    objective instanceof FirthObjective ? firthRatio(objective, w, fitted.report.objective) : 2 * (logLik - nullLogLik);
  return {
    observations,
    parameters,
    deviance: Math.max(0, 2 * (saturated - logLik)),
    nullDeviance: Math.max(0, 2 * (saturated - nullLogLik)),
    aic: 2 * (parameters - logLik),
    bic: parameters * Math.log(observations) - 2 * logLik,
    mcFadden: 1 - logLik / nullLogLik,
    likelihoodRatio: chiSquareTest(ratio, parameters - intercepts),
    pearson: trials ? pearson(trials, probabilitiesOf(task, objective.expand(w)), task, parameters) : null,
    hosmerLemeshow:
      classes > 1 || task.likelihood.elsewhere
        ? null
        : hosmerLemeshow(probabilitiesOf(task, objective.expand(w)), task.y, task.weight),
  };
}

/** Dispersion from which a warning is given, if chance rarely produces it. */
const OVERDISPERSED = { dispersion: 1.5, p: 1e-3 };

/** Pearson's statistic of rows of trials; rows without weight do not count. */
function pearson(
  trials: Float64Array,
  p: Float64Array,
  { y, weight, copies }: Task,
  parameters: number,
): PearsonStatistic {
  let chi2 = 0;
  let rows = 0;
  for (let i = 0; i < y.length; i++) {
    const s = weight ? weight[i] : 1;
    if (!(s > 0 && trials[i] > 0)) continue;
    chi2 += (s * (y[i] - p[i]) ** 2) / (p[i] * (1 - p[i]));
    rows += copies ? copies[i] : 1;
  }
  const df = Math.max(0, rows - parameters);
  return { ...chiSquareTest(chi2, df), dispersion: df > 0 ? chi2 / df : null };
}

/** Warns OVERDISPERSION if standard errors are model-based and rows of trials vary more than the model allows. */
export function overdispersion(statistics: FitStatistics | null, errors: string | null): Warning[] {
  const found = statistics?.pearson;
  if (!found || found.dispersion === null || errors !== 'model') return [];
  if (!(found.dispersion > OVERDISPERSED.dispersion && (found.p ?? 1) < OVERDISPERSED.p)) return [];
  return [
    {
      code: 'OVERDISPERSION',
      message: `the counts vary ${found.dispersion.toPrecision(3)} times as much as those of independent trials (Pearson χ² ${found.chi2.toPrecision(4)} on ${found.df} degrees of freedom), so standard errors and p-values of the model are too small; ask for robust errors`,
      features: [],
    },
  ];
}

/** Twice the difference to the penalised likelihood with only the intercept free; the determinant remains that of all columns. */
function firthRatio(objective: FirthObjective, w: Float64Array, value: number): number {
  const alone = Restricted.to(objective, Int32Array.of(objective.size - 1));
  return 2 * objective.totalWeight * (refit(alone, alone.project(w)).objective - value);
}

/** Σ s·(y·log y + (1 − y)·log(1 − y)): 0 unless rows are counts of both classes. */
function saturatedLogLik({ y, weight, likelihood }: Task): number {
  if (likelihood.classes > 1) return 0;
  let sum = 0;
  for (let i = 0; i < y.length; i++) {
    if (y[i] > 0 && y[i] < 1) {
      sum += (weight ? weight[i] : 1) * (y[i] * Math.log(y[i]) + (1 - y[i]) * Math.log1p(-y[i]));
    }
  }
  return sum;
}

/** Rows whose observations are counted: one by one, or already. */
export type CountedRows = Pick<RowVectors, 'target' | 'sampleWeight' | 'y'> | { readonly observations: number };

function countObservations(rows: CountedRows): number {
  if ('observations' in rows) return rows.observations;
  const {
    target: { trials },
    sampleWeight,
    y,
  } = rows;
  if (!sampleWeight) return y.length;
  let sum = 0;
  for (let i = 0; i < y.length; i++)
    sum += trials ? (trials[i] > 0 ? sampleWeight[i] / trials[i] : 0) : sampleWeight[i];
  return sum;
}

/** The values at places of the sorted array in which each is repeated by its weight, a count; places rise but for repeats of the one before. */
function repeatedValuesAt(p: Float64Array, weight: Float64Array, places: readonly number[]): number[] {
  const order = Uint32Array.from(p, (_, i) => i)
    .filter((i) => weight[i] > 0)
    .sort((a, b) => p[a] - p[b]);
  let at = 0;
  /** place after the rows of `at` */
  let end = weight[order[0]];
  return places.map((place) => {
    while (end <= place && at + 1 < order.length) end += weight[order[++at]];
    while (end - weight[order[at]] > place) end -= weight[order[at--]];
    return p[order[at]];
  });
}

/**
 * The Hosmer-Lemeshow test: observed and expected classes in groups of similar probability.
 *
 *   χ² = Σ_g (O_g − E_g)²/E_g + the same for the other class,   df = groups with rows − 2
 *
 * Groups lie between the deciles of the fitted probabilities (R's default quantiles), the upper end included. Equal probabilities stay together,
 * so there may be fewer than ten groups. R's ResourceSelection::hoslem.test forms the same groups. Weights count rows.
 *
 * @param p  fitted probabilities
 * @param y  share of the positive class in each row
 * @param weight  counts of rows; null: ones
 * @returns null when there are fewer than three groups
 * @see Hosmer, Lemeshow, Applied Logistic Regression, 5.2
 */
export function hosmerLemeshow(
  p: Float64Array,
  y: TargetNumbers,
  weight: Float64Array | null,
  groups = 10,
): ChiSquareTest | null {
  const s = (i: number): number => (weight ? weight[i] : 1);
  const total = weight ? weight.reduce((sum, count) => sum + count, 0) : p.length;
  // the places (from 0) between the groups, among the rows, each repeated by its weight
  const between = Array.from({ length: groups }, (_, k) => ((k + 1) * (total - 1)) / groups);
  const places = [0, ...between.flatMap((h) => [Math.floor(h), Math.min(Math.floor(h) + 1, total - 1)])];
  const [least, ...around] = weight ? repeatedValuesAt(p, weight, places) : valuesAt(p, places);
  const cuts: number[] = [];
  between.forEach((h, k) => {
    const [low, next] = around.slice(2 * k, 2 * k + 2);
    const cut = low + (h - Math.floor(h)) * (next - low);
    if (cut > (cuts.at(-1) ?? least)) cuts.push(cut);
  });
  const observed = new Float64Array(cuts.length);
  const expected = new Float64Array(cuts.length);
  const size = new Float64Array(cuts.length);
  // the first group that a probability of each thousandth can be in
  const groupFrom = Uint8Array.from({ length: 1001 }, (_, k) => {
    const above = cuts.findIndex((cut) => cut >= k / 1000);
    return above < 0 ? cuts.length - 1 : above;
  });
  for (let i = 0; i < p.length; i++) {
    if (s(i) === 0) continue;
    let g = groupFrom[Math.floor(p[i] * 1000)];
    while (g < cuts.length - 1 && p[i] > cuts[g]) g++;
    observed[g] += s(i) * y[i];
    expected[g] += s(i) * p[i];
    size[g] += s(i);
  }
  let chi2 = 0;
  let filled = 0;
  for (let g = 0; g < cuts.length; g++) {
    if (size[g] === 0) continue;
    filled++;
    chi2 += (observed[g] - expected[g]) ** 2 * (1 / expected[g] + 1 / (size[g] - expected[g]));
  }
  return filled > 2 && Number.isFinite(chi2) ? chiSquareTest(chi2, filled - 2) : null;
}
