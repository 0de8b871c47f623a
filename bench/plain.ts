/*
 * The rival every user already has: the loop a careful engineer writes over typed arrays, with local sums and no
 * allocation. Math.exp and Math.log1p are the host's.
 */

type Numbers = Float32Array | Float64Array;

/** z = X·w + b, one row after the other */
export function logitsRows(x: Numbers, stride: number, n: number, w: Numbers, b: number, z: Numbers): void {
  for (let i = 0; i < n; i++) {
    const at = i * stride;
    let sum = b;
    for (let j = 0; j < stride; j++) sum += x[at + j] * w[j];
    z[i] = sum;
  }
}

/** p = 1/(1 + exp(−(X·w + b))) */
export function probabilitiesRows(x: Numbers, stride: number, n: number, w: Numbers, b: number, p: Numbers): void {
  for (let i = 0; i < n; i++) {
    const at = i * stride;
    let sum = b;
    for (let j = 0; j < stride; j++) sum += x[at + j] * w[j];
    p[i] = 1 / (1 + Math.exp(-sum));
  }
}

export function sigmoid(z: Numbers, n: number, p: Numbers): void {
  for (let i = 0; i < n; i++) p[i] = 1 / (1 + Math.exp(-z[i]));
}

/** numeric columns, one after the other over blocks of rows whose sums stay in the cache */
export function logitsNumeric(columns: readonly Numbers[], n: number, w: Numbers, b: number, z: Numbers): void {
  const sums = new Float64Array(1024);
  for (let first = 0; first < n; first += 1024) {
    const m = Math.min(1024, n - first);
    sums.fill(b);
    for (let j = 0; j < columns.length; j++) {
      const x = columns[j];
      const wj = w[j];
      for (let i = 0; i < m; i++) sums[i] += wj * x[first + i];
    }
    for (let i = 0; i < m; i++) z[first + i] = sums[i];
  }
}

/** compressed sparse rows; values null: all are one */
export function probabilitiesSparse(
  rowPtr: Uint32Array,
  colIdx: Uint32Array,
  values: Numbers | null,
  w: Numbers,
  b: number,
  p: Numbers,
): void {
  const n = rowPtr.length - 1;
  for (let i = 0; i < n; i++) {
    const end = rowPtr[i + 1];
    let sum = b;
    if (values) for (let e = rowPtr[i]; e < end; e++) sum += values[e] * w[colIdx[e]];
    else for (let e = rowPtr[i]; e < end; e++) sum += w[colIdx[e]];
    p[i] = 1 / (1 + Math.exp(-sum));
  }
}

/** loss and gradient (intercept last) in one pass */
export function lossGradientRows(
  x: Numbers,
  stride: number,
  n: number,
  w: Float64Array,
  y: Float64Array,
  g: Float64Array,
): number {
  g.fill(0);
  let loss = 0;
  let intercept = 0;
  for (let i = 0; i < n; i++) {
    const at = i * stride;
    let z = w[stride];
    for (let j = 0; j < stride; j++) z += x[at + j] * w[j];
    const t = Math.exp(-Math.abs(z));
    loss += Math.log1p(t) + (z > 0 ? z : 0) - y[i] * z;
    const residual = (z > 0 ? 1 / (1 + t) : t / (1 + t)) - y[i];
    for (let j = 0; j < stride; j++) g[j] += residual * x[at + j];
    intercept += residual;
  }
  g[stride] = intercept;
  return loss;
}

/** lower triangle of XᵀSX, the intercept as last row; h is (stride + 1)² */
export function hessianRows(x: Numbers, stride: number, n: number, c: Float64Array, h: Float64Array): void {
  const ld = stride + 1;
  h.fill(0);
  for (let i = 0; i < n; i++) {
    const at = i * stride;
    const ci = c[i];
    for (let a = 0; a < stride; a++) {
      const scaled = ci * x[at + a];
      const row = a * ld;
      for (let b = 0; b <= a; b++) h[row + b] += scaled * x[at + b];
      h[stride * ld + a] += scaled;
    }
    h[stride * ld + stride] += ci;
  }
}

/** a table as flights have it: one number and four codes; slots follow one another in this order */
export interface Table {
  readonly number: Numbers;
  readonly codes: readonly (Uint8Array | Uint16Array)[];
  /** first slot of each coded column */
  readonly offsets: readonly number[];
  readonly slots: number;
  readonly rows: number;
}

export function logitsColumns(table: Table, w: Numbers, b: number, z: Numbers): void {
  const { number, rows } = table;
  const [c0, c1, c2, c3] = table.codes;
  const [o0, o1, o2, o3] = table.offsets;
  const slope = w[0];
  for (let i = 0; i < rows; i++) {
    z[i] = b + slope * number[i] + w[o0 + c0[i]] + w[o1 + c1[i]] + w[o2 + c2[i]] + w[o3 + c3[i]];
  }
}

export function lossGradientColumns(table: Table, w: Float64Array, y: Float64Array, g: Float64Array): number {
  const { number, rows, slots } = table;
  const [c0, c1, c2, c3] = table.codes;
  const [o0, o1, o2, o3] = table.offsets;
  const b = w[slots];
  g.fill(0);
  let loss = 0;
  let slope = 0;
  let intercept = 0;
  for (let i = 0; i < rows; i++) {
    const p0 = o0 + c0[i];
    const p1 = o1 + c1[i];
    const p2 = o2 + c2[i];
    const p3 = o3 + c3[i];
    const z = b + w[0] * number[i] + w[p0] + w[p1] + w[p2] + w[p3];
    const t = Math.exp(-Math.abs(z));
    loss += Math.log1p(t) + (z > 0 ? z : 0) - y[i] * z;
    const residual = (z > 0 ? 1 / (1 + t) : t / (1 + t)) - y[i];
    slope += residual * number[i];
    g[p0] += residual;
    g[p1] += residual;
    g[p2] += residual;
    g[p3] += residual;
    intercept += residual;
  }
  g[0] = slope;
  g[slots] = intercept;
  return loss;
}

/** lower triangle of XᵀSX by cross-tabulation, the intercept as last row; h is (slots + 1)² */
export function hessianColumns(table: Table, c: Float64Array, h: Float64Array): void {
  const { number, rows, slots } = table;
  const [c0, c1, c2, c3] = table.codes;
  const [o0, o1, o2, o3] = table.offsets;
  const ld = slots + 1;
  const last = slots * ld;
  h.fill(0);
  for (let i = 0; i < rows; i++) {
    const p0 = o0 + c0[i];
    const p1 = o1 + c1[i];
    const p2 = o2 + c2[i];
    const p3 = o3 + c3[i];
    const ci = c[i];
    const cx = ci * number[i];
    h[0] += cx * number[i];
    h[p0 * ld] += cx;
    h[p1 * ld] += cx;
    h[p2 * ld] += cx;
    h[p3 * ld] += cx;
    h[p0 * ld + p0] += ci;
    h[p1 * ld + p0] += ci;
    h[p1 * ld + p1] += ci;
    h[p2 * ld + p0] += ci;
    h[p2 * ld + p1] += ci;
    h[p2 * ld + p2] += ci;
    h[p3 * ld + p0] += ci;
    h[p3 * ld + p1] += ci;
    h[p3 * ld + p2] += ci;
    h[p3 * ld + p3] += ci;
    h[last] += cx;
    h[last + p0] += ci;
    h[last + p1] += ci;
    h[last + p2] += ci;
    h[last + p3] += ci;
    h[last + slots] += ci;
  }
}
