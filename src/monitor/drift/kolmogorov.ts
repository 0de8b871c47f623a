import { exp, ln, ln1p } from '../../../bindings/js/math.ts';
import { lnGamma } from '../../math/gamma.ts';

/**
 * P(D ≥ x) of the one-sample Kolmogorov-Smirnov statistic of n values, as SciPy's `kstwo.sf` computes it: Durbin's matrix, the asymptotic series of Pelz and
 * Good, or twice the one-sided tail, whichever holds.
 * @see Simard, L'Ecuyer, Journal of Statistical Software 39(11), 2011
 */
export function kolmogorovTail(n: number, x: number): number {
  const t = n * x;
  if (x >= 1) return 0;
  if (!(t > 0.5)) return 1;
  if (t <= 1) return 1 - exp(lnGamma(n + 1) + n * ln((2 * t - 1) / n));
  if (t >= n - 1) return 2 * (1 - x) ** n;
  const square = t * x;
  if (x >= 0.5 || square > (n <= 140 ? 4 : 2.2)) return square >= 370 ? 0 : Math.min(1, 2 * oneSidedTail(n, x));
  if (n <= 140 || (n <= 100_000 && n * x ** 1.5 <= 1.4)) return 1 - durbin(n, x);
  return Math.min(1, Math.max(0, 1 - pelzGood(n, x)));
}

/** P(D⁺ ≥ x) = x·Σ C(n, j)·(x + j/n)^(j−1)·(1 − x − j/n)^(n−j). @see Smirnov 1944 */
function oneSidedTail(n: number, x: number): number {
  let sum = exp(n * ln1p(-x));
  const last = Math.floor(n * (1 - x));
  for (let j = 1; j <= last; j++) {
    const left = 1 - x - j / n;
    if (!(left > 0)) break;
    const log = lnGamma(n + 1) - lnGamma(j + 1) - lnGamma(n - j + 1) + (j - 1) * ln(x + j / n) + (n - j) * ln(left);
    sum += x * exp(log);
  }
  return sum;
}

/** P(D < x) by the power of a matrix. @see Marsaglia, Tsang, Wang, Journal of Statistical Software 8(18), 2003 */
function durbin(n: number, x: number): number {
  const k = Math.floor(n * x) + 1;
  const m = 2 * k - 1;
  const h = k - n * x;
  const matrix = new Float64Array(m * m);
  for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) matrix[i * m + j] = i - j + 1 < 0 ? 0 : 1;
  for (let i = 0; i < m; i++) {
    matrix[i * m] -= h ** (i + 1);
    matrix[(m - 1) * m + i] -= h ** (m - i);
  }
  matrix[(m - 1) * m] += 2 * h - 1 > 0 ? (2 * h - 1) ** m : 0;
  for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) for (let g = 1; g <= i - j + 1; g++) matrix[i * m + j] /= g;
  const times = (a: Float64Array, b: Float64Array): Float64Array<ArrayBuffer> => {
    const out = new Float64Array(m * m);
    for (let i = 0; i < m; i++)
      for (let l = 0; l < m; l++) {
        const one = a[i * m + l];
        if (one !== 0) for (let j = 0; j < m; j++) out[i * m + j] += one * b[l * m + j];
      }
    return out;
  };
  // powers of two taken out keep all exact
  const scaled = (a: Float64Array<ArrayBuffer>): [Float64Array<ArrayBuffer>, number] => {
    const middle = a[(k - 1) * m + k - 1];
    if (!(middle > 1e140)) return [a, 0];
    return [a.map((value) => value * 2 ** -465), 465];
  };
  let [power, shift]: [Float64Array<ArrayBuffer> | null, number] = [null, 0];
  let [base, baseShift] = [matrix, 0];
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      const [next, more] = scaled(power ? times(power, base) : base);
      shift += baseShift + more;
      power = next;
    }
    const [next, more] = scaled(times(base, base));
    baseShift = 2 * baseShift + more;
    base = next;
  }
  let result = power![(k - 1) * m + k - 1];
  for (let i = 1; i <= n; i++) {
    result *= i / n;
    if (result < 1e-140) {
      result *= 2 ** 465;
      shift -= 465;
    }
  }
  return Math.min(1, result * 2 ** shift);
}

/** P(D < x), the first four terms. @see Pelz, Good, JRSS B 38(2), 1976 */
function pelzGood(n: number, x: number): number {
  const z = Math.sqrt(n) * x;
  const [z2, z3, z4, z6] = [z ** 2, z ** 3, z ** 4, z ** 6];
  const pi2 = Math.PI ** 2;
  const log = -pi2 / 8 / z2;
  if (log < -708) return 0;
  const last = Math.ceil((16 * z) / Math.PI);
  const sums = [0, 0, 0, 0];
  for (let k = last; k > 0; k--) {
    const m2 = (2 * k - 1) ** 2;
    const power = exp(8 * k * log);
    const terms = [
      1,
      -z2 + (pi2 / 4) * m2,
      6 * z6 + 2 * z4 + ((2 * z4 - 5 * z2) * pi2 * m2) / 4 + (pi2 ** 2 * (1 - 2 * z2) * m2 ** 2) / 16,
      -30 * z6 -
        90 * z ** 8 +
        ((pi2 * (135 * z4 - 96 * z6)) / 4) * m2 +
        ((pi2 ** 2 * (-60 * z2 + 212 * z4)) / 16) * m2 ** 2 +
        ((pi2 ** 3 * (5 - 30 * z2)) / 64) * m2 ** 3,
    ];
    terms.forEach((term, i) => {
      sums[i] = sums[i] * power + term;
    });
  }
  const root = Math.sqrt(2 * Math.PI);
  [z, 6 * z4, 72 * z ** 7, 6480 * z ** 10].forEach((under, i) => {
    sums[i] *= (exp(log) * root) / under;
  });
  for (let k = last; k > 0; k--) {
    const power = exp(((-pi2 / 2) * k ** 2) / z2);
    sums[2] -= (k ** 2 * power * pi2 * root) / (36 * z3);
    sums[3] += ((3 * z2 - pi2 * k ** 2) * k ** 2 * power * pi2 * root) / (216 * z6);
  }
  return sums.reduce((sum, one, i) => sum + one / n ** (i / 2), 0);
}

/**
 * P(D ≥ d) of the two-sample statistic, exactly: the share of lattice paths from (0, 0) to (n, m) that leave the band. All terms are positive.
 *
 *   Q(x, y) = 1 outside,   else x/(x + y)·Q(x − 1, y) + y/(x + y)·Q(x, y − 1)
 * @see Hodges, Arkiv för Matematik 3, 1958
 */
export function exactTail(n: number, m: number, d: number): number {
  const divisor = gcd(n, m);
  const h = Math.round(d * (n / divisor) * m);
  if (h === 0) return 1;
  const [perX, perY] = [m / divisor, n / divisor];
  const column = new Float64Array(m + 1);
  for (let x = 0; x <= n; x++) {
    for (let y = 0; y <= m; y++) {
      if (Math.abs(x * perX - y * perY) >= h) column[y] = 1;
      else if (x + y === 0) column[y] = 0;
      else column[y] = (x > 0 ? (x / (x + y)) * column[y] : 0) + (y > 0 ? (y / (x + y)) * column[y - 1] : 0);
    }
  }
  return Math.min(1, column[m]);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * The limit of the two-sample statistic with the correction of small samples: λ = (√N + 0.12 + 0.11/√N)·D, N = nm/(n + m).
 *
 *   Q(λ) = 2·Σ (−1)^(k−1)·exp(−2k²λ²)
 * @see Stephens, JRSS B 32(1), 1970
 */
export function limitTail(n: number, d: number): number {
  const root = Math.sqrt(n);
  const lambda = (root + 0.12 + 0.11 / root) * d;
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += (k % 2 ? 2 : -2) * exp(-2 * k ** 2 * lambda ** 2);
  return Math.min(1, Math.max(0, sum));
}
