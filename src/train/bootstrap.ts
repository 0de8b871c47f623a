import { classWeights } from '../encode/tally.ts';
import { factorCholesky, solveCholesky } from '../math/cholesky.ts';
import { normalCdf, normalQuantile, Z95 } from '../math/normal.ts';
import { quantile } from '../math/quantile.ts';
import { splitmix32 } from '../math/random.ts';
import type { BootstrapInterval, BootstrapReport, Warning } from '../model/manifest.ts';
import type { Fit } from './ask.ts';
import { joinParams } from './assemble.ts';
import { type EstimateSettings, estimateAll } from './inference/estimate.ts';
import { type Clusters, type CovarianceKind, probabilitiesOf } from './inference/robust.ts';
import type { BootstrapOptions } from './inferenceOptions.ts';
import type { Problem } from './problem/problem.ts';
import { type RowVectors, totalOf } from './problem/rows.ts';
import { foldParameters } from './problem/standardise.ts';
import type { Task } from './problem/task.ts';
import type { Fitted, Penalty } from './solve/types.ts';

/**
 * How the coefficients of a fit vary over fits to resampled rows: standard errors and 95 % intervals that hold with a penalty as well.
 *
 *   percentile   the 2.5 % and 97.5 % points of the estimates
 *   BCa          those of Φ(z₀ + (z₀ ± 1.96)/(1 − a·(z₀ ± 1.96))), z₀ from the share of estimates below the fitted one,
 *                a from the skewness of the influence of single observations (the infinitesimal jackknife)
 *
 * A replicate draws as many observations as there are, each alike; a row of weight 2 is two, a row of trials as many; weights with fractions
 * draw rows and weigh them. With `covariance: {cluster}` whole clusters are drawn. The encoded data stay where they are, the draw is a vector of
 * weights. Schema, penalty λ and class weights are those of the whole data. Replicates without an estimate (a class is absent, classes
 * separated, not converged) are left out, counted, and warned of (BOOTSTRAP_FAILED); a level that a replicate has no row of does not count there.
 *
 * @see Efron, Tibshirani, An Introduction to the Bootstrap, 13.3, 14.3; DiCiccio, Efron, Statistical Science 11 (1996) 189–228
 */
export function resample(
  { problem, view, fitted, penalty, settings }: Fit,
  { replicates, seed }: Required<BootstrapOptions>,
): { readonly report: BootstrapReport; readonly warnings: readonly Warning[] } {
  const clusters = clustersOf(settings.covariance);
  const { standard } = problem;
  const start = joinParams(fitted);
  const free = freeParameters(fitted);
  const draw = sampler(problem.rows, clusters, seed);
  /** of each free parameter, for raw features */
  const estimates = Array.from(free, () => [] as number[]);
  let failed = 0;
  for (let b = 0; b < replicates; b++) {
    const found = refit(problem, draw(), penalty, settings, start);
    if (!found) {
      failed++;
      continue;
    }
    const raw = toRaw(joinParams(found), standard);
    const missing = new Set(
      found.flatMap(({ aliased }, k) => aliased.map((id) => k * (start.length / found.length) + id)),
    );
    free.forEach((id, j) => {
      if (!missing.has(id)) estimates[j].push(raw[id]);
    });
  }
  const raw = toRaw(start, standard);
  const skew = fitted.flatMap((one, k) => [...accelerations(problem, view.tasks[k], one, clusters)]);
  const intervals = Array.from(free, (id, j) => intervalOf(id, raw[id], estimates[j], skew[j]));
  const warnings: Warning[] = [];
  if (failed > 0) {
    warnings.push({
      code: 'BOOTSTRAP_FAILED',
      message: `${failed} of ${replicates} resampled data sets have no estimate (a class is absent, or the classes are separated) and are left out, so the intervals are too narrow; penalise (C or lambda), or use firth with profile intervals`,
      features: [],
    });
  }
  const report: BootstrapReport = {
    replicates,
    failed,
    seed,
    cluster: clusters?.column ?? null,
    intervals: intervals.filter((one) => one !== null),
  };
  return { report, warnings };
}

const clustersOf = (kind: CovarianceKind | undefined): Clusters | null => (typeof kind === 'object' ? kind : null);

/** Free parameters of all fits, in their common order. */
function freeParameters(fitted: readonly Fitted[]): Int32Array {
  return Int32Array.from(
    fitted.flatMap(({ objective, params }, k) => Array.from(objective.active, (id) => k * params.length + id)),
  );
}

function toRaw(params: Float64Array, standard: Problem['standard']): Float64Array {
  const { weights, intercept } = foldParameters(params, standard);
  const slots = weights.length / intercept.length;
  const out = new Float64Array(params.length);
  intercept.forEach((b, k) => {
    out.set(weights.subarray(k * slots, (k + 1) * slots), k * (slots + 1));
    out[k * (slots + 1) + slots] = b;
  });
  return out;
}

/** Fits to resampled rows; null when one of the fits has no estimate. */
function refit(
  problem: Problem,
  rows: RowVectors,
  penalty: Penalty,
  settings: EstimateSettings,
  start: Float64Array,
): readonly Fitted[] | null {
  const { y, weight, kind, target } = rows;
  const share = classWeights(kind === 'binomial' ? 2 : target.classes.length, y, weight);
  if (share.some((s) => !(s > 0))) return null;
  const quiet = { ...settings, inference: false, onIteration: undefined };
  const view = problem.view(rows);
  try {
    const fitted = estimateAll(view.tasks, penalty, quiet, start);
    return fitted.every(({ report }) => report.converged) ? fitted : null;
  } finally {
    view.free();
  }
}

/** How many observations each row stands for: its count, or 1 (its trials) where weights are no counts. */
function unitsOf({ sampleWeight, unit, weight, y }: RowVectors): Float64Array {
  return Float64Array.from(y, (_, i) => {
    const w = weight ? weight[i] : 1;
    // rounding of the quotient of counts
    return w > 0 && (!sampleWeight || sampleWeight[i] > 0) ? Math.round(unit ? w / unit[i] : w) : 0;
  });
}

/** Draws rows: the same ones under other weights. */
function sampler(drawn: RowVectors, clusters: Clusters | null, seed: number): () => RowVectors {
  const { sampleWeight, weight, y } = drawn;
  const rows = y.length;
  const weighted = (
    vectors: Pick<RowVectors, 'y' | 'weight'> & { readonly sampleWeight: Float64Array },
  ): RowVectors => ({
    ...drawn,
    ...vectors,
    totalWeight: totalOf(vectors.sampleWeight, rows),
  });
  const next = splitmix32(seed);
  /** a whole number below n, uniform: 53 bits */
  const below = (n: number): number => Math.floor((Math.floor(next() * 2 ** 21) / 2 ** 21 + next() / 2 ** 21) * n);
  if (clusters) {
    const { code, count } = clusters;
    return () => {
      const times = new Float64Array(count);
      for (let g = 0; g < count; g++) times[below(count)]++;
      const scale = (values: Float64Array | null) =>
        Float64Array.from(code, (g, i) => times[g] * (values ? values[i] : 1));
      return weighted({ y, weight: scale(weight), sampleWeight: scale(sampleWeight) });
    };
  }
  const units = unitsOf(drawn);
  const ends = new Float64Array(rows);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    total += units[i];
    ends[i] = total;
  }
  const per = (values: Float64Array | null, i: number) => (units[i] > 0 ? (values ? values[i] : 1) / units[i] : 0);
  const single = total === rows && units.every((count) => count === 1);
  const mixed = drawn.target.trials !== null;
  return () => {
    const times = new Float64Array(rows);
    const hits = mixed ? new Float64Array(rows) : null;
    for (let k = 0; k < total; k++) {
      const place = below(total);
      const row = single ? place : find(ends, place);
      times[row]++;
      if (hits) hits[row] += Number(ends[row] - place <= units[row] * y[row] + 0.5);
    }
    return weighted({
      y: hits ? hits.map((successes, i) => (times[i] > 0 ? successes / times[i] : 0)) : y,
      weight: times.map((count, i) => count * per(weight, i)),
      sampleWeight: times.map((count, i) => count * per(sampleWeight, i)),
    });
  };
}

/** The first index whose end is above `place`. */
function find(ends: Float64Array, place: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle] > place) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * a = Σ u³/(6·(Σ u²)^(3/2)) of each free parameter, u the influence of one observation (or cluster) on it: −(H⁻¹aⱼ)·xᵢ·rᵢ.
 * NaN where the objective is not smooth or its Hessian not positive definite.
 */
function accelerations(
  problem: Problem,
  task: Task,
  { objective, w }: Fitted,
  clusters: Clusters | null,
): Float64Array {
  const { size, active } = objective;
  const { standard, slots } = problem;
  const { rows, classes } = task.likelihood;
  const width = slots.length + 1;
  const out = new Float64Array(size).fill(Number.NaN);
  if (!objective.smooth || task.likelihood.parameters > 2000) return out;
  const factor = new Float64Array(size * size);
  objective.at(w, new Float64Array(size)).hessian(factor);
  if (factorCholesky(factor, size).length > 0) return out;
  const p = probabilitiesOf(task, objective.expand(w));
  const z = new Float64Array(classes * rows);
  const units = unitsOf(problem.rows);
  const direction = new Float64Array(size);
  for (let own = 0; own < size; own++) {
    direction.fill(0);
    const slot = active[own] % width;
    direction[own] = slot < slots.length ? 1 / standard.scale[slot] : 1;
    active.forEach((id, j) => {
      const at = id % width;
      if (slot === slots.length && id < active[own] && id > active[own] - width)
        direction[j] = -standard.shift[at] / standard.scale[at];
    });
    solveCholesky(factor, size, direction);
    task.likelihood.logits(objective.expand(direction), z);
    const sums = clusters ? new Float64Array(clusters.count) : null;
    let [square, cube] = [0, 0];
    const add = (times: number, u: number) => {
      square += times * u * u;
      cube += times * u * u * u;
    };
    for (let i = 0; i < rows; i++) {
      if (units[i] === 0) continue;
      const weight = task.weight ? task.weight[i] : 1;
      const each = weight / units[i];
      const pull = (label: (k: number) => number): number => {
        let sum = 0;
        for (let k = 0; k < classes; k++) {
          sum -= (z[k * rows + i] - (task.offset ? task.offset[i] : 0)) * (p[k * rows + i] - label(k));
        }
        return sum;
      };
      if (classes > 1) {
        const u = pull((k) => Number(task.y[i] === k));
        if (sums) sums[clusters!.code[i]] += weight * u;
        else add(units[i], each * u);
      } else {
        const share = task.y[i];
        const [hit, miss] = [pull(() => 1), pull(() => 0)];
        if (sums) sums[clusters!.code[i]] += weight * (share * hit + (1 - share) * miss);
        else {
          add(units[i] * share, each * hit);
          add(units[i] * (1 - share), each * miss);
        }
      }
    }
    sums?.forEach((u) => {
      add(1, u);
    });
    out[own] = square > 0 ? cube / (6 * square ** 1.5) : Number.NaN;
  }
  return out;
}

function intervalOf(parameter: number, value: number, estimates: number[], skew: number): BootstrapInterval | null {
  const n = estimates.length;
  if (n < 2) return null;
  const ends = [-Z95, Z95];
  const sorted = Float64Array.from(estimates).sort();
  const mean = sorted.reduce((sum, one) => sum + one, 0) / n;
  const variance = sorted.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1);
  const [low, high] = ends.map((z) => quantile(sorted, normalCdf(z)));
  let below = 0;
  for (const one of sorted) below += one < value ? 1 : one === value ? 0.5 : 0;
  const bias = normalQuantile(below / n);
  const [bcaLow, bcaHigh] = ends.map((z) => {
    const shifted = bias + z;
    const share = normalCdf(bias + shifted / (1 - skew * shifted));
    return Number.isFinite(bias) && Number.isFinite(share) && skew * shifted < 1 ? quantile(sorted, share) : null;
  });
  return { parameter, replicates: n, stdError: Math.sqrt(variance), low, high, bcaLow, bcaHigh };
}
