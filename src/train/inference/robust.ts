import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import { LogoddsError } from '../../../bindings/errors.ts';
import { exp, sigmoid, softmax } from '../../../bindings/js/math.ts';
import type { CheckedTable } from '../../encode/checkedTable.ts';
import { asCoded, cellError } from '../../encode/columns.ts';
import { invertCholesky } from '../../math/cholesky.ts';
import { show } from '../../messages.ts';
import type { Task } from '../problem/task.ts';
import type { Objective } from '../solve/objective.ts';

/** Groups of dependent rows, such as those of one school or one patient. */
export interface Clusters {
  readonly column: string;
  /** cluster of each row, 0 to count − 1 */
  readonly code: Uint32Array;
  /** number of clusters with a row of positive weight */
  readonly count: number;
  /** the rows, standardised */
  readonly batch: ColumnsBatch;
}

/** The kind of covariance of an estimate. */
export type CovarianceKind = 'model' | 'robust' | Clusters;

/**
 * Reads the column whose values name clusters.
 * @param weight  of the rows; null: ones. Clusters without weight do not count.
 * @throws ERR_SCHEMA when absent; ERR_RECORD for a missing cell; ERR_DATA when there are fewer than two clusters
 */
export function readClusters(table: CheckedTable, name: string, weight: Float64Array | null): Omit<Clusters, 'batch'> {
  const { codes, levels, missing } = asCoded(table.column(name), table.rows, 0);
  const place = new Map<number, number>();
  const code = new Uint32Array(table.rows);
  for (let i = 0; i < table.rows; i++) {
    if (weight && weight[i] === 0) continue;
    if (missing?.[i]) throw cellError(i, name, 'a value (it names the cluster)', null, 'fill it, or leave the row out');
    let found = place.get(codes[i]);
    if (found === undefined) {
      found = place.size;
      place.set(codes[i], found);
    }
    code[i] = found;
  }
  if (place.size < 2) {
    const [only] = place.keys();
    throw new LogoddsError(
      'ERR_DATA',
      `cluster ${show(name)}: expected at least two clusters, got one (${show(levels[only])}); name a column that tells groups of rows apart`,
    );
  }
  return { column: name, code, count: place.size };
}

/**
 * The sandwich covariance of a maximum-likelihood estimate, valid even if the model's variance is wrong:
 *
 *   H⁻¹·M·H⁻¹,   H = XᵀVX,   rᵢ = pᵢ − yᵢ
 *   robust    M = Σ cᵢ·uᵢ²·rᵢ²·xᵢxᵢᵀ                              (HC0: statsmodels `HC0`, R `sandwich`; Stata's vce(robust) is n/(n − 1) times it)
 *   cluster   M = G/(G − 1)·Σ_g m_g·m_gᵀ,   m_g = Σ_{i in g} cᵢuᵢrᵢ·xᵢ   (R `vcovCL(…, type = "HC0")`, Stata's vce(cluster))
 *
 * summed over the classes if there are several. For a row, c is the number of identical rows that it represents (its weight if `weightKind` is
 * count, else 1), and u is the weight of each: sampling weight times class weight times trials. A row of trials is one observation, because its
 * counts may vary more than those of independent trials. With weights and trials of 1, M is Σ rᵢ²·xᵢxᵢᵀ.
 *
 * @param factor  Cholesky factor of the Hessian of `objective` at w
 * @returns for the free parameters on standardised features, size × size
 * @see White, Econometrica 50 (1982) 1–25; Liang, Zeger, Biometrika 73 (1986) 13–22
 */
export function sandwich(
  task: Task,
  objective: Objective,
  w: Float64Array,
  factor: Float64Array,
  kind: 'robust' | Clusters,
): Float64Array {
  const { size, totalWeight } = objective;
  const params = objective.expand(w);
  const meat =
    kind === 'robust'
      ? rowMeat(task, objective, params)
      : clusterMeat(task, objective, probabilitiesOf(task, params), kind);
  const inverse = invertCholesky(factor, size);
  for (let i = 0; i < inverse.length; i++) inverse[i] /= totalWeight;
  return multiply(multiply(inverse, meat, size), inverse, size);
}

/** A plane of probabilities for every class; for two classes, only that of the positive one. */
export function probabilitiesOf({ likelihood }: Task, params: Float64Array): Float64Array {
  const { rows, classes } = likelihood;
  const z = new Float64Array(classes * rows);
  likelihood.logits(params, z);
  if (classes > 1) softmax(z, 0, rows, classes, rows, exp, false);
  else for (let i = 0; i < rows; i++) z[i] = sigmoid(z[i]);
  return z;
}

function rowMeat(task: Task, objective: Objective, params: Float64Array): Float64Array {
  const { likelihood } = task;
  const { classes, elsewhere } = likelihood;
  const { active, size } = objective;
  const width = likelihood.parameters / classes;
  const gram = new Float64Array(width * width);
  const blockOf = elsewhere
    ? (j: number, k: number) => elsewhere.scores(params, j, k, gram)
    : scoresOf(task, probabilitiesOf(task, params), gram);
  const meat = new Float64Array(size * size);
  for (let j = 0; j < classes; j++) {
    for (let k = 0; k <= j; k++) {
      blockOf(j, k);
      for (let r = 0; r < size; r++) {
        if (Math.floor(active[r] / width) !== j) continue;
        for (let c = 0; c < size; c++) {
          if (Math.floor(active[c] / width) !== k) continue;
          const value = gram[(active[r] % width) * width + (active[c] % width)];
          meat[r * size + c] = value;
          meat[c * size + r] = value;
        }
      }
    }
  }
  return meat;
}

/** Writes block (j, k) of the outer products of the scores to `gram`. */
function scoresOf({ likelihood, y, weight, copies }: Task, p: Float64Array, gram: Float64Array) {
  const { rows, classes } = likelihood;
  const factors = new Float64Array(rows);
  return (j: number, k: number): void => {
    for (let i = 0; i < rows; i++) {
      const s = weight ? weight[i] : 1;
      if (s === 0) {
        factors[i] = 0;
        continue;
      }
      const [a, b] = [p[j * rows + i], p[k * rows + i]];
      const product = classes === 1 ? (a - y[i]) ** 2 : (a - Number(y[i] === j)) * (b - Number(y[i] === k));
      factors[i] = s * (s / (copies ? copies[i] : 1)) * product;
    }
    likelihood.gram(factors, gram);
  };
}

/** Largest number of sums of scores in memory at a time. */
const SCORES = 4_000_000;

function clusterMeat(
  { likelihood, y, weight }: Task,
  objective: Objective,
  p: Float64Array,
  { code, count, batch }: Clusters,
): Float64Array {
  const { rows, classes, parameters } = likelihood;
  const { active, size } = objective;
  const width = parameters / classes;
  const place = new Int32Array(parameters).fill(-1);
  active.forEach((id, j) => {
    place[id] = j;
  });
  // the rows sorted by cluster
  const starts = new Uint32Array(count + 1);
  for (let i = 0; i < rows; i++) starts[code[i] + 1]++;
  for (let g = 0; g < count; g++) starts[g + 1] += starts[g];
  const order = new Uint32Array(rows);
  const next = starts.slice();
  for (let i = 0; i < rows; i++) order[next[code[i]]++] = i;

  const meat = new Float64Array(size * size);
  const most = Math.max(1, Math.floor(SCORES / size));
  for (let from = 0; from < count; from += most) {
    const to = Math.min(count, from + most);
    const scores = new Float64Array((to - from) * size);
    const part = order.subarray(starts[from], starts[to]);
    for (let k = 0; k < classes; k++) {
      const residual = Float64Array.from(part, (i) => {
        const label = classes === 1 ? y[i] : Number(y[i] === k);
        return (weight ? weight[i] : 1) * (p[k * rows + i] - label);
      });
      const add = (slotOf: (i: number) => number, x: ((i: number) => number) | null) => {
        part.forEach((i, at) => {
          const column = place[k * width + slotOf(i)];
          if (column >= 0) scores[(code[i] - from) * size + column] += residual[at] * (x ? x(i) : 1);
        });
      };
      batch.specs.forEach((spec, column) => {
        const first = batch.offsets[column];
        if (spec.kind === 'numeric') {
          const values = batch.numeric(column);
          add(
            () => first,
            (i) => values[i],
          );
        } else {
          const codes = batch.codes(column);
          add((i) => first + codes[i], null);
        }
      });
      add(() => width - 1, null);
    }
    for (let g = 0; g < to - from; g++) {
      const row = g * size;
      for (let a = 0; a < size; a++) {
        const value = scores[row + a];
        for (let b = 0; b <= a; b++) meat[a * size + b] += value * scores[row + b];
      }
    }
  }
  const correction = count / (count - 1);
  for (let a = 0; a < size; a++) {
    for (let b = 0; b <= a; b++) {
      meat[a * size + b] *= correction;
      meat[b * size + a] = meat[a * size + b];
    }
  }
  return meat;
}

/** A·B, n × n, row-major. */
function multiply(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const value = a[i * n + k];
      if (value === 0) continue;
      for (let j = 0; j < n; j++) out[i * n + j] += value * b[k * n + j];
    }
  }
  return out;
}
