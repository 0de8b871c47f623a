/**
 * The elementary functions of the kernels in JavaScript: the operations of assembly/exp.ts in the same order, so the
 * results are equal bit for bit. Math.exp and Math.log1p are not used: their results differ between JavaScript engines.
 */

const ROUND = 6755399441055744; // 1.5 · 2⁵²
const LOG2E = 1.4426950408889634;
const LN2_HI = 0.69314718055966295651;
const LN2_LO = 2.8235290563031577e-13;
const LN2 = 0.6931471805599453;

/** 2^h for h in [-1100, 1100], exact: the kernels shift h into the exponent */
const LEAST = -1100;
const POWERS = /* @__PURE__ */ powers();

function powers(): Float64Array {
  const table = new Float64Array(2201);
  table[-LEAST] = 1;
  for (let h = 1; h <= 1100; h++) {
    table[h - LEAST] = table[h - 1 - LEAST] * 2;
    table[-h - LEAST] = table[1 - h - LEAST] / 2;
  }
  return table;
}

/**
 * Returns exp(x), with an error of at most 0.99 ulp, down to the least subnormal: Infinity above 709.79, NaN for NaN. It has the bits of the kernels.
 * @see assembly/exp.ts, exp2lanes
 * @example
 * exp(1); // 2.7182818284590
 */
export function exp(x: number): number {
  const v = x < -750 ? -750 : x > 710 ? 710 : x;
  const n = v * LOG2E + ROUND - ROUND;
  const r = v - n * LN2_HI - n * LN2_LO;
  const y = expOfRest(r);
  const half = n * 0.5 + ROUND - ROUND;
  return y * POWERS[half - LEAST] * POWERS[n - half - LEAST];
}

/** exp(r) for |r| <= ln2/2 */
function expOfRest(r: number): number {
  return 1 + expm1OfRest(r);
}

/** exp(r) − 1 for |r| <= ln2/2 */
function expm1OfRest(r: number): number {
  const r2 = r * r;
  const r4 = r2 * r2;
  const a = 0.5 + 0.166666666666666851703837 * r;
  const b = 0.0416666666666665047591422 + 0.00833333333331652721664984 * r;
  const c = 0.00138888888889774492207962 + 0.000198412698960509205564975 * r;
  const d = 2.4801587159235472998791e-5 + 2.75572362911928827629423e-6 * r;
  const e = 2.75573911234900471893338e-7 + 2.51112930892876518610661e-8 * r;
  const low = a + b * r2 + (c + d * r2) * r4;
  const high = e + 2.08860621107283687536341e-9 * r2;
  return r + r2 * (low + high * (r4 * r4));
}

/**
 * exp(−a) for a >= 0, the same value as `exp(-a)` in fewer steps.
 * @see assembly/exp.ts, expOfMinus2lanes
 */
export function expOfMinus(a: number): number {
  const v = a > 750 ? 750 : a;
  const n = ROUND - v * LOG2E - ROUND;
  return expOfRest(-(v + n * LN2_HI) - n * LN2_LO) * POWERS[n + 64 - LEAST] * 5.421010862427522e-20;
}

/**
 * Returns log(1 + t) for t in [0, 1], with an error below 1 ulp. It has the bits of the kernels.
 * @see assembly/exp.ts, log1p2lanes
 * @example
 * log1p(0.5); // 0.4054651081082
 */
export function log1p(t: number): number {
  const big = t > 0.41421356237309503;
  return logOfRest(big ? (t - 1) * 0.5 : t, big ? 1 : 0);
}

/** e·ln2 + log(1 + f) for f in [√½ − 1, √2 − 1] and whole e, |e| <= 1100 */
function logOfRest(f: number, e: number): number {
  const s = f / (2 + f);
  const q = s * s;
  const q2 = q * q;
  const a = 6.66666666666673513e-1 + 3.999999999940941908e-1 * q;
  const b = 2.857142874366239149e-1 + 2.222219843214978396e-1 * q;
  const c = 1.818357216161805012e-1 + 1.531383769920937332e-1 * q;
  const d = c + 1.479819860511658591e-1 * q2;
  const r = (a + b * q2 + d * (q2 * q2)) * q;
  const h = 0.5 * (f * f);
  const low = s * (h + r) + e * 1.90821492927058770002e-10;
  return e * 6.9314718036912381649e-1 - (h - low - f);
}

/**
 * exp to about 3e-10 relative, x clamped to [-160, 160]: for results that are rounded to f32.
 * @see assembly/exp.ts, expForFloat2lanes
 */
export function expForFloat(x: number): number {
  const v = x < -160 ? -160 : x > 160 ? 160 : x;
  const n = v * LOG2E + ROUND - ROUND;
  const r = v - n * LN2_HI - n * LN2_LO;
  const r2 = r * r;
  const r4 = r2 * r2;
  const a = 1 + r;
  const b = 0.5 + 0.166666666666666667 * r;
  const c = 4.16666666666666667e-2 + 8.33333333333333333e-3 * r;
  const d = 1.38888888888888889e-3 + 1.98412698412698413e-4 * r;
  const high = c + d * r2 + 2.48015873015873e-5 * r4;
  return (a + b * r2 + high * r4) * POWERS[n - LEAST];
}

/**
 * Returns σ(z) = 1/(1 + exp(−z)) in f64, with an error of at most 2.5 ulp. It is accurate in both tails and monotone, and σ(z) is 1 − σ(−z) rounded once.
 * @see assembly/elementwise.ts, sigmoidF64
 * @example
 * sigmoid(2); // 0.8807970779779
 */
export function sigmoid(z: number): number {
  const size = Math.abs(z);
  const near = size < 4;
  const t = exp(near ? size : -size);
  const p = (near ? 1 : t) / (1 + t);
  return z < 0 ? p : 1 - p;
}

/**
 * Returns σ(z) for an f32 logit, rounded to f32, within 0.502 ulp of the true value.
 * @see assembly/exp.ts, sigmoidForFloat2lanes
 * @example
 * sigmoidF32(2); // 0.88079709
 */
export function sigmoidF32(z: number): number {
  const v = z < -160 ? -160 : z > 160 ? 160 : z;
  const n = v * LOG2E + ROUND - ROUND;
  const r = v - n * LN2;
  const q = r * r;
  const e = 120.18041669556632 + 12.015019665190419 * q;
  const ro = r * (60.090208234802446 + q);
  const top = (e + ro) * POWERS[n - LEAST];
  return Math.fround(top / (e - ro + top));
}

/** Which of k values `step` apart is the greatest, the first if several. */
export function greatest(values: Float64Array | Float32Array, at: number, step: number, k: number): number {
  let best = 0;
  for (let j = 1; j < k; j++) if (values[at + j * step] > values[at + best * step]) best = j;
  return best;
}

/**
 * Probabilities of n rows of k classes from their logits, in place, in planes `plane` apart; sums in the order of the classes.
 *
 *   softmax   pⱼ = power(zⱼ − m)/Σ power(zₗ − m),   m = max zₗ, and zⱼ − m = 0 where zⱼ = m, infinite ones included
 *   ovr       pⱼ = σ(zⱼ)/Σ σ(zₗ); where m < −37, σ is exp in f64, so the softmax is the same and never 0/0
 *
 * @param power  exp, or expForFloat as the kernel for f32 does
 * @see assembly/elementwise.ts, softmaxF64
 */
export function softmax(
  z: Float64Array | Float32Array,
  at: number,
  plane: number,
  k: number,
  n: number,
  power: (d: number) => number,
  ovr: boolean,
): void {
  const powers = new Float64Array(k);
  for (let i = at; i < at + n; i++) {
    const m = z[i + plane * greatest(z, i, plane, k)];
    const separate = ovr && m >= -37;
    let sum = 0;
    for (let j = 0; j < k; j++) {
      const value = z[i + j * plane];
      powers[j] = separate ? sigmoid(value) : power(value === m ? 0 : value - m);
      sum += powers[j];
    }
    for (let j = 0; j < k; j++) z[i + j * plane] = powers[j] / sum;
  }
}

/**
 * Returns log(1 + exp(z)), accurate in both tails: the log loss of a row with label 0. With label 1 it is softplus(−z).
 * @example
 * softplus(2); // 2.1269280110430
 */
export function softplus(z: number): number {
  return log1p(exp(-Math.abs(z))) + (z > 0 ? z : 0);
}

const BITS = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

/**
 * log(x) for x in [1, 2¹⁰²³); below 1 ulp, NaN for NaN: x = 2^e·m, log(x) = e·ln2 + log1p(m − 1).
 * @see assembly/exp.ts, log2lanes
 */
export function log(x: number): number {
  BITS.setFloat64(0, x);
  const high = BITS.getUint32(0);
  const e = (high >>> 20) - 1023;
  BITS.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  return e * LN2_HI + (log1p(BITS.getFloat64(0) - 1) + e * LN2_LO) + (x - x);
}

/**
 * log(1 + p) for p in [0, 2¹⁰²²); 1 ulp.
 * @see assembly/exp.ts, log1pOfProduct2lanes
 */
export function log1pOfProduct(p: number): number {
  const u = 1 + p;
  return log(u) + (p - (u - 1)) / u;
}

/**
 * log(x) of any double, below 1 ulp: −Infinity at 0, NaN below. No kernel has it: it is for what happens before a batch.
 *
 *   x = 2^e·m with m in [√½, √2],   log(x) = e·ln2 + log(1 + (m − 1))
 */
export function ln(x: number): number {
  if (!(x > 0 && x < Number.POSITIVE_INFINITY)) return x === 0 ? Number.NEGATIVE_INFINITY : x > 0 ? x : Number.NaN;
  const tiny = x < 2.2250738585072014e-308;
  BITS.setFloat64(0, tiny ? x * 18014398509481984 : x);
  const high = BITS.getUint32(0);
  BITS.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  const m = BITS.getFloat64(0);
  const big = m > 1.4142135623730951;
  return logOfRest(big ? m * 0.5 - 1 : m - 1, (high >>> 20) - (tiny ? 1077 : 1023) + (big ? 1 : 0));
}

/** log(1 + x) of any double, at most 2 ulp: −Infinity at −1, NaN below. */
export function ln1p(x: number): number {
  const u = 1 + x;
  const lost = x - (u - 1);
  return lost === 0 || u === x ? ln(u) : ln(u) + lost / u;
}

/** exp(x) − 1, at most 3 ulp. */
export function expm1(x: number): number {
  return x > -0.34 && x < 0.34 ? expm1OfRest(x) : exp(x) - 1;
}
