import { factorCholesky, solveCholesky } from '../../math/cholesky.ts';
import type { Task } from '../problem/task.ts';
import type { Metric, Objective, ObjectivePoint } from './objective.ts';

/** Multiplications of one pass for loss and gradient, of one Hessian, and of its blocks of a class with itself. */
export function workOf({ likelihood: { rows, classes }, cells }: Task): {
  pass: number;
  square: number;
  blocks: number;
} {
  const gram = (rows * cells ** 2) / 2;
  const pairs = (classes * (classes + 1)) / 2;
  return { pass: rows * classes * (2 * cells + 15), square: pairs * gram, blocks: classes * gram };
}

/** Largest cost of a metric, in passes that it may take, at which another one is made on the way. */
const RENEWABLE = 4;
/** Least 1 − R² of a column of the sample on the earlier ones; below it the metric has only the curvature of the column itself. */
const INDEPENDENT = 1e-9;

/**
 * A metric from the Hessian of a sample of rows: as many as cost so many passes, and at least ten for each parameter of a class. If that costs
 * more than `RENEWABLE` times as much, the first metric is kept.
 *
 * With several classes only the blocks of a class with itself are used, B = diag(B₁ … B_K). With K(K + 1)/2 blocks a Hessian would cost more
 * than all passes of a fit. The loss does not change along a vector that all classes have in common, so that there the penalty is all:
 *
 *   M⁻¹ = P·B⁻¹·P + (I − P)·diag(1/l2)·(I − P),   P the projection on Σⱼ wⱼ = 0
 */
export function sampledMetric(
  task: Task,
  objective: Objective,
  diagonal: () => Float64Array,
  passes = 1,
): (point: ObjectivePoint) => Metric {
  const { classes, parameters, rows } = task.likelihood;
  const { pass, blocks } = workOf(task);
  const most = Math.ceil(Math.max((10 * parameters) / classes, (passes * pass * rows) / blocks));
  const renewable = (Math.min(most, rows) / rows) * blocks <= RENEWABLE * passes * pass;
  const make = classes > 1 ? metricOfClasses : metricOfOne;
  let last: Metric | null = null;
  return (point) => {
    if (!last || renewable) last = make(objective, point, most, diagonal);
    return last;
  };
}

function metricOfOne(objective: Objective, point: ObjectivePoint, most: number, diagonal: () => Float64Array): Metric {
  const { size, factor } = objective;
  point.hessian(factor, most);
  factorSample(factor, size, diagonal, 0);
  return (v) => solveCholesky(factor, size, v);
}

/** Factors the Hessian of a sample; columns that are dependent in it have the entries of `diagonal`, from `first` on. */
function factorSample(matrix: Float64Array, size: number, diagonal: () => Float64Array, first: number): void {
  for (const j of factorCholesky(matrix, size, INDEPENDENT)) {
    const own = diagonal()[first + j];
    matrix[j * size + j] = Math.sqrt(own > 0 ? own : 1);
  }
}

function metricOfClasses(
  objective: Objective,
  point: ObjectivePoint,
  most: number,
  diagonal: () => Float64Array,
): Metric {
  const { active, likelihood, l2, totalWeight } = objective;
  const { classes, parameters } = likelihood;
  const width = parameters / classes;
  // parameters of the first class may be held at 0, as the reference; the last class has all that are free
  const from = parameters - width;
  const last = active.findIndex((id) => id >= from);
  const slots = active.subarray(last).map((id) => id - from);
  const size = slots.length;
  const block = new Float64Array(width * width);
  const factors: Float64Array[] = [];
  for (let j = 0; j < classes; j++) {
    point.likelihood.classHessian(j, block, most);
    const factor = new Float64Array(size * size);
    for (let a = 0; a < size; a++) {
      for (let b = 0; b <= a; b++) factor[a * size + b] = block[slots[a] * width + slots[b]] / totalWeight;
      factor[a * size + a] += l2[last + a];
    }
    factorSample(factor, size, diagonal, last);
    factors.push(factor);
  }
  const place = new Map(Array.from(slots, (slot, a) => [slot, a]));
  /** place of each free parameter among `classes` vectors of `size` */
  const at = active.map((id) => Math.floor(id / width) * size + place.get(id % width)!);
  const held = new Uint8Array(size).fill(1);
  for (let i = 0; i < at.length && at[i] < size; i++) held[at[i]] = 0;
  const all = new Float64Array(classes * size);
  const means = new Float64Array(size);
  /** sums over the classes become 0; what is taken away remains in `means` */
  const project = (): void => {
    for (let a = 0; a < size; a++) {
      means[a] = 0;
      for (let k = a; k < all.length; k += size) means[a] += all[k] / classes;
      for (let k = a; k < all.length; k += size) all[k] -= means[a];
    }
  };
  return (v) => {
    all.fill(0);
    for (let i = 0; i < v.length; i++) all[at[i]] = v[i];
    // the slope of a parameter of the reference is minus those of the other classes, and steps are relative to it
    for (let a = 0; a < size; a++) {
      if (held[a]) for (let k = a + size; k < all.length; k += size) all[a] -= all[k];
    }
    project();
    const common = means.map((mean, a) => (l2[last + a] > 0 ? mean / l2[last + a] : 0));
    factors.forEach((factor, j) => {
      solveCholesky(factor, size, all.subarray(j * size, (j + 1) * size));
    });
    project();
    for (let i = 0; i < v.length; i++) {
      const a = at[i] % size;
      v[i] = all[at[i]] + common[a] - (held[a] ? all[a] : 0);
    }
  };
}
