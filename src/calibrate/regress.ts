import { exp, ln, log1p, sigmoid } from '../../bindings/js/math.ts';

/** A logistic regression on one or two columns. */
export interface Line {
  readonly slopes: number[];
  readonly intercept: number;
  /** Σ s·(log(1 + exp(η)) − y·η) + ridge/2·Σ slope² at the minimum */
  readonly loss: number;
}

const MAX_ITERATIONS = 200;
const LEAST_PART = 1e-12;
/** columns within ± this count as constant, because their square underflows */
const LEAST_SIZE = 1e-140;
/** Newton steps this small converge quadratically: the second one ends at rounding. */
const SMALL_STEP = 1e-5;

/**
 * Minimises Σ s·(log(1 + exp(η)) − y·η) + ridge/2·Σ slope²,  η = Σ slopeⱼ·columnⱼ + intercept, by Newton's method with step halving.
 * Columns are centred and scaled inside; a constant one has slope 0.
 *
 * @param y  in [0, 1], not all 0 and not all 1
 * @param weight  > 0
 */
export function logistic(columns: readonly Float64Array[], y: Float64Array, weight: Float64Array, ridge: number): Line {
  const scaled = columns.map((column) => standardise(column, weight));
  const used = scaled.flatMap(({ scale }, j) => (scale > 0 ? [j] : []));
  const count = used.length;
  const width = count + 1;
  const at = new Float64Array(width);
  const gradient = new Float64Array(width);
  const hessian = new Float64Array(width * width);
  /** scaled columns of a row, and 1 for the intercept */
  const terms = new Float64Array(width).fill(1);
  const pull = used.map((j) => ridge / scaled[j].scale ** 2);
  let total = 0;
  let positive = 0;
  for (let i = 0; i < y.length; i++) {
    total += weight[i];
    positive += weight[i] * y[i];
  }
  at[count] = ln(positive / (total - positive));

  /** Returns the loss at `point`, and writes the gradient and the lower triangle of the Hessian. */
  const evaluate = (point: Float64Array): number => {
    let loss = 0;
    gradient.fill(0);
    hessian.fill(0);
    for (let i = 0; i < y.length; i++) {
      let eta = point[count];
      for (let j = 0; j < count; j++) {
        terms[j] = scaled[used[j]].values[i];
        eta += point[j] * terms[j];
      }
      const t = exp(-Math.abs(eta));
      const s = weight[i];
      loss += s * (log1p(t) + (eta > 0 ? eta : 0) - y[i] * eta);
      const residual = s * (sigmoid(eta) - y[i]);
      const curvature = (s * t) / (1 + t) ** 2;
      for (let j = 0; j < width; j++) {
        gradient[j] += residual * terms[j];
        for (let k = 0; k <= j; k++) hessian[j * width + k] += curvature * terms[j] * terms[k];
      }
    }
    for (let j = 0; j < count; j++) {
      loss += 0.5 * pull[j] * point[j] ** 2;
      gradient[j] += pull[j] * point[j];
      hessian[j * width + j] += pull[j];
    }
    return loss;
  };

  let loss = evaluate(at);
  for (let iteration = 0, small = 0; iteration < MAX_ITERATIONS && small < 2; iteration++) {
    const step = solveSymmetric(hessian, gradient);
    if (step === null) break;
    const ends = step.every((move, j) => Math.abs(move) <= SMALL_STEP * (1 + Math.abs(at[j])));
    let part = 1;
    let next = at.map((value, j) => value - step[j]);
    let found = evaluate(next);
    // close to the minimum, differences of losses are rounding errors
    for (; !ends && !(found < loss) && part > LEAST_PART; found = evaluate(next)) {
      part /= 2;
      next = at.map((value, j) => value - part * step[j]);
    }
    if (!ends && !(found < loss)) break;
    small += Number(ends);
    at.set(next);
    loss = found;
  }

  const slopes = columns.map(() => 0);
  let intercept = at[count];
  used.forEach((column, j) => {
    const { mean, scale } = scaled[column];
    slopes[column] = at[j] / scale;
    intercept -= slopes[column] * mean;
  });
  return { slopes, intercept, loss };
}

/** (column − mean)/scale; scale 0: constant. Nothing overflows, because the column is first divided by its largest absolute value. */
function standardise(
  column: Float64Array,
  weight: Float64Array,
): { values: Float64Array; mean: number; scale: number } {
  let low = column[0];
  let high = column[0];
  let total = 0;
  for (let i = 0; i < column.length; i++) {
    if (column[i] < low) low = column[i];
    if (column[i] > high) high = column[i];
    total += weight[i];
  }
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (low === high || size < LEAST_SIZE) return { values: column, mean: 0, scale: 0 };
  let mean = 0;
  for (let i = 0; i < column.length; i++) mean += (weight[i] / total) * (column[i] / size);
  let variance = 0;
  for (let i = 0; i < column.length; i++) variance += (weight[i] / total) * (column[i] / size - mean) ** 2;
  const deviation = Math.sqrt(variance);
  return {
    values: column.map((value) => (value / size - mean) / deviation),
    mean: mean * size,
    scale: deviation * size,
  };
}

/** Solves A·x = b by a Cholesky factorisation of the lower triangle of A; null if A is not positive definite. */
function solveSymmetric(a: Float64Array, b: Float64Array): Float64Array | null {
  const width = b.length;
  const factor = a.slice();
  const x = b.slice();
  for (let j = 0; j < width; j++) {
    for (let i = j; i < width; i++) {
      let sum = factor[i * width + j];
      for (let k = 0; k < j; k++) sum -= factor[i * width + k] * factor[j * width + k];
      if (i === j && !(sum > 0)) return null;
      factor[i * width + j] = i === j ? Math.sqrt(sum) : sum / factor[j * width + j];
    }
  }
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < i; k++) x[i] -= factor[i * width + k] * x[k];
    x[i] /= factor[i * width + i];
  }
  for (let i = width - 1; i >= 0; i--) {
    for (let k = i + 1; k < width; k++) x[i] -= factor[k * width + i] * x[k];
    x[i] /= factor[i * width + i];
  }
  return x;
}

const LEAST_INVERSE = 4.5399929762484854e-5; // exp(−10)
const GREATEST_INVERSE = 22026.465794806718; // exp(10)

/**
 * Returns the t that minimises Σ s·(log Σ exp(t·zⱼ) − t·z_y), which is convex in t. It is the root of the slope Σ s·(Σ pⱼ·zⱼ − z_y), found by
 * Newton's method within the bracket from exp(−10) to exp(10), as in scikit-learn.
 *
 * @param planes  logits of each class; for two classes 0 and z
 * @param y  the class; for two classes the share of the second
 */
export function inverseTemperature(planes: readonly Float64Array[], y: Float64Array, weight: Float64Array): number {
  const classes = planes.length;
  const powers = new Float64Array(classes);
  let curvature = 0;
  const slopeAt = (t: number): number => {
    let slope = 0;
    curvature = 0;
    for (let i = 0; i < y.length; i++) {
      let greatest = planes[0][i];
      for (let j = 1; j < classes; j++) greatest = Math.max(greatest, planes[j][i]);
      let sum = 0;
      let mean = 0;
      for (let j = 0; j < classes; j++) {
        const below = planes[j][i] - greatest;
        powers[j] = exp(t * below);
        sum += powers[j];
        mean += powers[j] * below;
      }
      mean /= sum;
      let variance = 0;
      for (let j = 0; j < classes; j++) variance += (powers[j] / sum) * (planes[j][i] - greatest - mean) ** 2;
      const own =
        classes === 2
          ? y[i] * (planes[1][i] - greatest) + (1 - y[i]) * (planes[0][i] - greatest)
          : planes[y[i]][i] - greatest;
      slope += weight[i] * (mean - own);
      curvature += weight[i] * variance;
    }
    return slope;
  };
  let low = LEAST_INVERSE;
  let high = GREATEST_INVERSE;
  if (slopeAt(low) >= 0) return low;
  if (slopeAt(high) <= 0) return high;
  let t = 1;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const slope = slopeAt(t);
    if (slope === 0) return t;
    if (slope > 0) high = t;
    else low = t;
    const newton = t - slope / curvature;
    const next = newton > low && newton < high ? newton : Math.sqrt(low * high);
    if (Math.abs(next - t) <= 1e-14 * t || high - low <= 4e-16 * high) return next;
    t = next;
  }
  return t;
}

/** A function given by points with rising x. */
export interface Curve {
  readonly x: number[];
  readonly fitted: number[];
}

/**
 * The non-decreasing fit in x with the least Σ s·(y − fit)², at every x that occurs. Equal x are pooled to their weighted mean, then decreasing
 * neighbours (pool adjacent violators, linear after one sort).
 *
 * @param x  finite
 * @param weight  > 0
 * @see Best, Chakravarti, Active set algorithms for isotonic regression, Math. Program. 47 (1990); scikit-learn, IsotonicRegression
 */
export function isotonicRegression(x: Float64Array, y: Float64Array, weight: Float64Array): Curve {
  const sorted = x.slice().sort();
  const points = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  const count = points.length;
  // Σ s and Σ s·y of each point, then of each block
  const mass = new Float64Array(count);
  const moment = new Float64Array(count);
  for (let i = 0; i < x.length; i++) {
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (points[middle] < x[i]) low = middle + 1;
      else high = middle;
    }
    mass[low] += weight[i];
    moment[low] += weight[i] * y[i];
  }
  const last = new Int32Array(count);
  let blocks = 0;
  for (let i = 0; i < count; i++) {
    mass[blocks] = mass[i];
    moment[blocks] = moment[i];
    last[blocks] = i;
    while (blocks > 0 && moment[blocks - 1] / mass[blocks - 1] >= moment[blocks] / mass[blocks]) {
      mass[blocks - 1] += mass[blocks];
      moment[blocks - 1] += moment[blocks];
      last[--blocks] = i;
    }
    blocks++;
  }
  const fitted: number[] = [];
  for (let block = 0; block < blocks; block++) {
    while (fitted.length <= last[block]) fitted.push(moment[block] / mass[block]);
  }
  return { x: [...points], fitted };
}

/** The ends of each step, which describe it as well as all its points. */
export function steps({ x, fitted }: Curve): Curve {
  const isEnd = (i: number) => fitted[i] !== fitted[i - 1] || fitted[i] !== fitted[i + 1];
  return { x: x.filter((_, i) => isEnd(i)), fitted: fitted.filter((_, i) => isEnd(i)) };
}
