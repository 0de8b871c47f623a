import { LogoddsError } from '../../../bindings/errors.ts';
import { refuseUnknown } from '../../../bindings/names.ts';
import { between, whole } from '../check.ts';

/** Whether the number of rows of a window is like that of the windows before. */
export interface Volume {
  readonly count: number;
  /** expected number of rows, and the interval in which it lies with probability 1 − alpha */
  readonly expected: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
  readonly kind: 'usual' | 'low' | 'high';
}

/**
 * Tests whether the number of rows of a window is like that of earlier windows.
 *
 *   t = (2√(n + 3/8) − m)/(s·√(1 + 1/k)),   m, s: mean and standard deviation of 2√(nᵢ + 3/8) over k earlier windows, s at least 1;   Student's t with k − 1 degrees
 *
 * The square root makes the spread of counts about the same for few and many; that of counts of independent events is 1, and more where traffic varies. Where traffic
 * has a rhythm give windows of the same phase, such as the same hour of earlier days.
 * @param history  rows of at least three earlier windows
 * @throws ERR_RANGE a count that is no whole number, an alpha outside (0, 1); ERR_SHAPE fewer than three windows
 * @see Anscombe, The transformation of Poisson, binomial and negative-binomial data, Biometrika 35, 1948
 * @example
 * volumeTest(20, [100, 110, 95, 105, 98]).kind; // 'low'
 * volumeTest(104, [100, 110, 95, 105, 98]).kind; // 'usual'
 */
export function volumeTest(
  count: number,
  history: ArrayLike<number>,
  options: { readonly alpha?: number } = {},
): Volume {
  refuseUnknown('volumeTest', options, { alpha: true });
  const alpha = between('alpha', options.alpha ?? 0.001, 0, 1);
  const k = history.length;
  if (!(k >= 3))
    throw new LogoddsError('ERR_SHAPE', `history: expected at least three windows, got ${k}; wait for more`);
  const level = (n: number): number => 2 * Math.sqrt(whole('count', n) + 3 / 8);
  const levels = Array.from(history, level);
  const mean = levels.reduce((sum, value) => sum + value, 0) / k;
  const squares = levels.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const spread = Math.max(1, Math.sqrt(squares / (k - 1))) * Math.sqrt(1 + 1 / k);
  const t = (level(count) - mean) / spread;
  const p = studentP(t, k - 1);
  // the greatest t with that p, by halving
  let [low, high] = [0, 1];
  while (studentP(high, k - 1) > alpha && high < 1e9) high *= 2;
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (studentP(middle, k - 1) > alpha) low = middle;
    else high = middle;
  }
  const rows = (value: number): number => Math.max(0, (Math.max(0, value) / 2) ** 2 - 3 / 8);
  const kind = p > alpha ? 'usual' : t < 0 ? 'low' : 'high';
  return { count, expected: rows(mean), low: rows(mean - high * spread), high: rows(mean + high * spread), p, kind };
}

/**
 * P(|T| ≥ |t|) of Student's distribution with a whole number of degrees of freedom.
 * @see Abramowitz, Stegun, Handbook of mathematical functions, 26.7.3 and 26.7.4
 */
function studentP(t: number, df: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(df));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = df % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = df === 1 ? 0 : term;
  for (let i = isOdd ? 3 : 2; i <= df - 2; i += 2) {
    term *= (cosine * cosine * (i - 1)) / i;
    sum += term;
  }
  const inside = isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return Math.max(0, 1 - inside);
}
