import { LogoddsError } from '../../bindings/errors.ts';
import { exp, expm1, ln, ln1p } from '../../bindings/js/math.ts';
import type { Transform } from './schema.ts';

interface Curve {
  /** its domain in words, for an error message */
  readonly domain: string;
  readonly takes: (x: number) => boolean;
  readonly at: (x: number, lambda: number) => number;
}

/**
 * The transforms: log x, log(1 + x), √x, logit x = log(x/(1 − x)), and
 *
 *   box-cox       (x^λ − 1)/λ,   log x for λ = 0
 *   yeo-johnson   box-cox of 1 + x for x >= 0;   −(box-cox with 2 − λ of 1 − x) for x < 0
 *
 * @see Box, Cox, "An Analysis of Transformations", 1964; Yeo, Johnson, "A New Family of Power Transformations", 2000
 */
export const CURVES: Readonly<Record<Transform['name'], Curve>> = {
  log: { domain: 'a number > 0', takes: (x) => x > 0, at: ln },
  log1p: { domain: 'a number > -1', takes: (x) => x > -1, at: ln1p },
  logit: { domain: 'a number between 0 and 1', takes: (x) => x > 0 && x < 1, at: (x) => ln(x / (1 - x)) },
  sqrt: { domain: 'a number >= 0', takes: (x) => x >= 0, at: Math.sqrt },
  'box-cox': { domain: 'a number > 0', takes: (x) => x > 0, at: (x, lambda) => grown(lambda, ln(x)) },
  'yeo-johnson': {
    domain: 'a number',
    takes: (x) => !Number.isNaN(x),
    at: (x, lambda) => (x < 0 ? -grown(2 - lambda, ln1p(-x)) : grown(lambda, ln1p(x))),
  },
};

/**
 * A number through a transform; NaN outside its domain (`CURVES[name].takes`). Results beyond 1.8e308 are ±Infinity.
 * @see CURVES
 */
export function applyTransform(transform: Transform, x: number): number {
  const { takes, at } = CURVES[transform.name];
  return takes(x) ? at(x, 'lambda' in transform ? transform.lambda : 0) : Number.NaN;
}

/** (e^(λu) − 1)/λ, u for λ = 0 */
function grown(lambda: number, u: number): number {
  const t = lambda * u;
  if (Math.abs(lambda) < 1e-19) return u;
  // the exponential overflows before the quotient does
  return t > 709 ? Math.sign(lambda) * exp(t - ln(Math.abs(lambda))) : expm1(t) / lambda;
}

/** Powers of e that λ·log x stays within for numbers 20 times as large as the largest: √1.8e308, less the digits of a double. */
const WIDE = 336;
/** Powers of e below 1 at which (x^λ − 1)/λ of the whole column still has 8 digits beside −1/λ. */
const DEEP = 18;

/**
 * The λ that maximises the normal likelihood of the transformed values.
 *
 *   minimise  S/2 · log var y(λ) − (λ − 1)·Σ sᵢ·vᵢ,   S = Σ sᵢ
 *
 * with v = log x of Box-Cox, sign(x)·log(1 + |x|) of Yeo-Johnson. The objective is convex: λ is where its slope is 0, to about 1e-12.
 * It avoids λ for which the transform would overflow (as in SciPy) or rounding would make all its values equal.
 *
 * @param values  NaN is left out
 * @param weights  s; null: all 1; rows of weight 0 are left out
 * @returns λ; 1 for a constant column, and for one without values
 * @throws ERR_RANGE for a number <= 0 in Box-Cox, and for ±Infinity
 * @see Marchand et al., "SecureFedYJ: a safe feature Gaussianization protocol", 2022 (convexity); scikit-learn, PowerTransformer
 */
export function fitPower(
  name: 'box-cox' | 'yeo-johnson',
  values: ArrayLike<number>,
  weights: ArrayLike<number> | null,
): number {
  const { takes, domain } = CURVES[name];
  const boxCox = name === 'box-cox';
  const logs = new Float64Array(values.length);
  const shares = new Float64Array(values.length);
  let count = 0;
  let total = 0;
  let mean = 0;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i++) {
    const x = values[i];
    const weight = weights ? weights[i] : 1;
    if (!(weight > 0) || Number.isNaN(x)) continue;
    if (!takes(x) || Math.abs(x) === Number.POSITIVE_INFINITY) {
      const rule = takes(x) ? 'finite numbers' : `${domain} in every row`;
      const next = takes(x) ? 'correct it' : 'clip the feature from below, or use yeo-johnson';
      throw new LogoddsError('ERR_RANGE', `${name}: expected ${rule}, got ${x}; ${next}`);
    }
    if (x < least) least = x;
    if (x > most) most = x;
    shares[count] = weight;
    logs[count] = boxCox ? ln(x) : x < 0 ? -ln1p(-x) : ln1p(x);
    total += weight;
    mean += weight * logs[count++];
  }
  if (!(least < most)) return 1;
  mean /= total;
  // Box-Cox of x/c has the same λ: logarithms around their mean do not cancel, and their mean is 0
  if (boxCox) for (let i = 0; i < count; i++) logs[i] -= mean;
  const slope = slopeOf(logs.subarray(0, count), shares.subarray(0, count), total, boxCox ? 0 : mean, boxCox);
  return increasingRoot(slope, ...rangeOf(least, most, boxCox));
}

/** The range of λ that is searched. */
function rangeOf(least: number, most: number, boxCox: boolean): [low: number, high: number] {
  const twentyfold = (x: number) => Math.min(20 * x, Number.MAX_VALUE);
  if (boxCox) {
    const [bottom, top] = [ln(Math.max(least / 20, Number.MIN_VALUE)), ln(twentyfold(most))];
    const wide = WIDE / Math.max(Math.abs(bottom), Math.abs(top));
    return [least > 1 ? Math.max(-wide, -DEEP / ln(least)) : -wide, most < 1 ? Math.min(wide, -DEEP / ln(most)) : wide];
  }
  const wide = Math.max(1, WIDE / ln1p(twentyfold(Math.max(-least, most))));
  if (least >= 0) return [Math.max(-wide, -DEEP / ln1p(least)), wide];
  if (most <= 0) return [2 - wide, 2 + Math.min(wide, DEEP / ln1p(-most))];
  return [2 - wide, wide];
}

/**
 * The slope of the objective of `fitPower` per unit of weight: cov(y, dy/dλ)/var y − mean v. It rises with λ.
 * @param logs  v
 */
function slopeOf(logs: Float64Array, shares: Float64Array, total: number, mean: number, boxCox: boolean) {
  const count = logs.length;
  const ys = new Float64Array(count);
  const moves = new Float64Array(count);
  const least = logs.reduce((a, b) => Math.min(a, b));
  const most = logs.reduce((a, b) => Math.max(a, b));
  return (lambda: number): number => {
    const mirrored = boxCox ? lambda : lambda - 2;
    const peak = Math.max(lambda * most, mirrored * least);
    // y and dy/dλ in units of e^shift, so that their squares do not overflow
    const shift = peak > 100 ? peak : 0;
    const one = exp(-shift);
    let [y0, move0] = [0, 0];
    for (let i = 0; i < count; i++) {
      const flipped = !boxCox && logs[i] < 0;
      const u = flipped ? -logs[i] : logs[i];
      const power = flipped ? 2 - lambda : lambda;
      const t = power * u;
      const y = shift === 0 ? grown(power, u) : (exp(t - shift) - one) / power;
      moves[i] = shift === 0 ? u * u * bend(t) : (exp(t - shift) * (t - 1) + one) / (power * power);
      ys[i] = flipped ? -y : y;
      y0 += shares[i] * ys[i];
      move0 += shares[i] * moves[i];
    }
    y0 /= total;
    move0 /= total;
    let [variance, covariance] = [0, 0];
    for (let i = 0; i < count; i++) {
      const off = ys[i] - y0;
      variance += shares[i] * off * off;
      covariance += shares[i] * off * (moves[i] - move0);
    }
    return variance > 0 ? covariance / variance - mean : 0;
  };
}

/** k!·(k + 2) */
const BEND = [2, 3, 8, 30, 144, 840, 5760, 45360, 403200, 3991680];

/** ((t − 1)·e^t + 1)/t² = Σ t^k/(k!·(k + 2)), the slope of (e^(λu) − 1)/λ in λ, by u² */
function bend(t: number): number {
  if (t < -0.125 || t > 0.125) {
    const rest = expm1(t);
    return (t * rest + t - rest) / (t * t);
  }
  let sum = 0;
  for (let k = BEND.length - 1; k >= 0; k--) sum = 1 / BEND[k] + t * sum;
  return sum;
}

/** The root of a non-decreasing function between two ends; the nearer end if it has no root. */
function increasingRoot(f: (x: number) => number, low: number, high: number): number {
  let a = Math.min(Math.max(1, low), high);
  let fa = f(a);
  if (fa === 0) return a;
  const sign = fa < 0 ? 1 : -1;
  let b = a;
  let fb = fa;
  for (let step = 1; fb * sign < 0; step *= 2) {
    const end = sign > 0 ? high : low;
    if (b === end) return end;
    [a, fa] = [b, fb];
    b = sign > 0 ? Math.min(b + step, high) : Math.max(b - step, low);
    fb = f(b);
  }
  // false position that halves the weight of an end that stays (Illinois)
  for (let i = 0, last = a; i < 200 && fb !== 0; i++) {
    let x = (a * fb - b * fa) / (fb - fa);
    if (!(x > Math.min(a, b) && x < Math.max(a, b))) x = (a + b) / 2;
    const fx = f(x);
    if (fx * fb < 0) [a, fa] = [b, fb];
    else fa /= 2;
    [b, fb] = [x, fx];
    if (Math.abs(x - last) <= 1e-13 * Math.max(1, Math.abs(x)) || x === a) break;
    last = x;
  }
  return b;
}
