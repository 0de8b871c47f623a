import { ENTRY, KIND_F32, KIND_F64, KIND_U16, KIND_U8 } from './columns';
import { expOfMinus2lanes, log1p2lanes } from './exp';
import { load2 } from './lanes';

/*
 * Online learning of a logistic regression by FTRL-Proximal, a row at a time and each row once.
 *
 * For every coordinate i of a row (x_i, the sum of the values of its entries in the row):
 *
 *   w_i = 0 if |z_i| <= l1, else −(z_i − sgn(z_i)·l1)/((β + √n_i)/α + l2)
 *   g_i = s·(σ(w·x + offset) − y)·x_i
 *   z_i ← z_i + (g_i − (√(n_i + g_i²) − √n_i)/α·w_i),   n_i ← n_i + g_i²
 *
 * state   (slots + 2) × 16 bytes, 16-byte aligned: z_i and q_i = √n_i of a coordinate side by side, f64, so that a visit has
 *         one root, √(q_i² + g_i²), where n_i would have two; coordinate `slots` is the
 *         intercept (x = 1, l1 = l2 = 0); the last one fills a pair of lanes, is zero and stays zero
 * y       n targets f64 in [0, 1]   s  n sample weights f64, or 0 for ones   offset  n f64 added to the logits, or 0
 * loss    the running sum that the result continues: Σ s·(log(1 + exp(z)) − y·z) of each row before its own update
 *
 * Order: row after row. The logit is two lane sums over the entries (even ones; odd ones), of which the intercept's term
 * is the last of the odd lane, folded l0 + l1, then + offset. 1/α is rounded once and multiplied with, β/α likewise.
 * The caller has refused values, weights and offsets that are not finite or beyond 1e60; no state overflows then.
 *
 * H. B. McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1.
 */

/** bytes of scratch of two entries: z, q, w, x */
const PAIR: usize = 64;

/** Address of a coordinate's state. */
// @ts-ignore: decorator
@inline
function coordinate(state: usize, c: usize): usize {
  return state + ((<usize>load<u32>(c)) << 4);
}

/** w = copysign(max(|z| − l1, 0), −z)/(q·rate + base) of two coordinates, kept with what it came from. @returns x·w */
// @ts-ignore: decorator
@inline
function derive(a: v128, b: v128, x: v128, rate: v128, base: v128, l1: v128, to: usize): v128 {
  const z = i64x2.shuffle(a, b, 0, 2);
  const q = f64x2.abs(i64x2.shuffle(a, b, 1, 3));
  const size = f64x2.pmax(f64x2.sub(f64x2.abs(z), l1), f64x2.splat(0));
  const sign = v128.andnot(i64x2.splat(i64.MIN_VALUE), z);
  const w = f64x2.div(v128.or(size, sign), f64x2.add(f64x2.mul(q, rate), base));
  v128.store(to, z);
  v128.store(to, q, 16);
  v128.store(to, w, 32);
  v128.store(to, x, 48);
  return f64x2.mul(x, w);
}

/** The new (z, q) of a coordinate from what `derive` kept at `from`, its lane included, and its gradient. */
// @ts-ignore: decorator
@inline
function moved(from: usize, g: f64, rate: f64): v128 {
  const q = load<f64>(from, 16);
  const next = sqrt<f64>(q * q + g * g);
  const sigma = (next - q) * rate;
  return f64x2.replace_lane(f64x2.splat(load<f64>(from) + (g - sigma * load<f64>(from, 32))), 1, next);
}

/**
 * One row of `count` entries: see above.
 * kind  of the values: 0 f32, 1 f64; values = 0: all are one   scratch  PAIR · (count / 2 + 1)
 *
 * A coordinate read is marked by the sign of its q until it is written, which shows columns that repeat in the row.
 */
function learnRow(
  colIdx: usize, values: usize, kind: u32, count: usize, y: f64, s: f64, offset: f64, state: usize, slots: u32,
  alpha: f64, beta: f64, l1: f64, l2: f64, scratch: usize,
): f64 {
  const rate = 1 / alpha;
  const base = beta * rate;
  const rate2 = f64x2.splat(rate);
  const base2 = f64x2.splat(base + l2);
  const l12 = f64x2.splat(l1);
  const mark = i64x2.replace_lane(i64x2.splat(0), 1, i64.MIN_VALUE);
  const whole = colIdx + ((count & ~1) << 2);
  const one = f64x2.splat(1);

  // every coordinate is read once beforehand, in a loop short enough that the misses of the row overlap: 0.73 of the time
  let warm: u64 = 0;
  for (let c = colIdx; c < whole; c += 8) warm |= load<u64>(coordinate(state, c)) | load<u64>(coordinate(state, c + 4));
  store<u64>(scratch, warm);

  let acc = f64x2.splat(0);
  let seen = acc;
  let p = scratch;
  let v = values;
  for (let c = colIdx; c < whole; c += 8) {
    const first = coordinate(state, c);
    const second = coordinate(state, c + 4);
    const a = v128.load(first);
    v128.store(first, v128.or(a, mark));
    const b = v128.load(second);
    v128.store(second, v128.or(b, mark));
    seen = v128.or(seen, v128.or(a, b));
    let x = one;
    if (values) {
      x = kind ? v128.load(v) : load2<f32>(v);
      v += kind ? 16 : 8;
    }
    acc = f64x2.add(acc, derive(a, b, x, rate2, base2, l12, p));
    p += PAIR;
  }
  const intercept = state + ((<usize>slots) << 4);
  let last = intercept + 16;
  let x: f64 = 0;
  if (count & 1) {
    last = coordinate(state, whole);
    x = values ? (kind ? load<f64>(v) : <f64>load<f32>(v)) : 1;
  }
  const a = v128.load(last);
  seen = v128.or(seen, a);
  const l1Last = f64x2.replace_lane(l12, 1, 0);
  const baseLast = f64x2.replace_lane(base2, 1, base);
  acc = f64x2.add(acc, derive(a, v128.load(intercept), f64x2.replace_lane(one, 0, x), rate2, baseLast, l1Last, p));

  const logit = f64x2.extract_lane(acc, 0) + f64x2.extract_lane(acc, 1) + offset;
  const t2 = expOfMinus2lanes(f64x2.splat(abs<f64>(logit)));
  const t = f64x2.extract_lane(t2, 0);
  const rest = 1 - y;
  const positive = logit > 0;
  const residual = s * ((positive ? rest - y * t : rest * t - y) * (1 / (1 + t)));
  const loss = s * (f64x2.extract_lane(log1p2lanes(t2), 0) + (positive ? rest : -y) * logit);

  if (i64x2.extract_lane(seen, 1) < 0) {
    // x_i by adding up in the state, whose content is in scratch
    const end = colIdx + (count << 2);
    for (let c = colIdx; c < end; c += 4) v128.store(coordinate(state, c), f64x2.replace_lane(f64x2.splat(0), 1, -1));
    for (let e: usize = 0; e < count; e++) {
      const at = coordinate(state, colIdx + (e << 2));
      store<f64>(at, load<f64>(at) + load<f64>(scratch + (e >> 1) * PAIR + ((e & 1) << 3), 48));
    }
    for (let e: usize = 0; e < count; e++) {
      const at = coordinate(state, colIdx + (e << 2));
      if (load<f64>(at, 8) >= 0) continue;
      v128.store(at, moved(scratch + (e >> 1) * PAIR + ((e & 1) << 3), residual * load<f64>(at), rate));
    }
    v128.store(intercept, moved(p + 8, residual, rate));
    return loss;
  }

  const r2 = f64x2.splat(residual);
  let from = scratch;
  for (let c = colIdx; from <= p; c += 8) {
    const g = f64x2.mul(r2, v128.load(from, 48));
    const q = v128.load(from, 16);
    const next = f64x2.sqrt(f64x2.add(f64x2.mul(q, q), f64x2.mul(g, g)));
    const sigma = f64x2.mul(f64x2.sub(next, q), rate2);
    const z = f64x2.add(v128.load(from), f64x2.sub(g, f64x2.mul(sigma, v128.load(from, 32))));
    const final = from == p;
    v128.store(final ? last : coordinate(state, c), i64x2.shuffle(z, next, 0, 2));
    v128.store(final ? intercept : coordinate(state, c + 4), i64x2.shuffle(z, next, 1, 3));
    from += PAIR;
  }
  return loss;
}

// @ts-ignore: decorator
@inline
function optional(vector: usize, i: usize, absent: f64): f64 {
  return vector ? load<f64>(vector + (i << 3)) : absent;
}

/**
 * Learns n rows of a `sparse` batch. Columns may repeat within a row: their values are added up first.
 * kind  of the values: 0 f32, 1 f64   scratch  64 · (entries of the longest row / 2 + 1) bytes
 */
export function ftrlSparse(
  rowPtr: usize, colIdx: usize, values: usize, kind: u32, n: u32, y: usize, s: usize, offset: usize, state: usize,
  slots: u32, alpha: f64, beta: f64, l1: f64, l2: f64, loss: f64, scratch: usize,
): f64 {
  for (let i: usize = 0; i < <usize>n; i++) {
    const from = <usize>load<u32>(rowPtr + (i << 2));
    const count = <usize>load<u32>(rowPtr + (i << 2), 4) - from;
    const v = values ? values + (from << (kind ? 3 : 2)) : 0;
    loss += learnRow(
      colIdx + (from << 2), v, kind, count, load<f64>(y + (i << 3)), optional(s, i, 1), optional(offset, i, 0), state,
      slots, alpha, beta, l1, l2, scratch,
    );
  }
  return loss;
}

/**
 * Learns n rows of a `columns` batch, from its first one on: each row as a sparse row of an entry a column.
 * scratch  64 · (columns / 2 + 1) + 12 · columns + 8 bytes
 */
export function ftrlColumns(
  table: usize, columns: u32, n: u32, y: usize, s: usize, offset: usize, state: usize, slots: u32, alpha: f64, beta: f64,
  l1: f64, l2: f64, loss: f64, scratch: usize,
): f64 {
  const values = scratch + (<usize>(columns >> 1) + 1) * PAIR;
  const colIdx = values + ((<usize>columns) << 3);
  for (let i: usize = 0; i < <usize>n; i++) {
    for (let j: usize = 0; j < <usize>columns; j++) {
      const entry = table + j * ENTRY;
      const address = <usize>load<u32>(entry);
      const kind = load<u32>(entry, 4);
      let slot = load<u32>(entry, 8);
      let x: f64 = 1;
      if (kind == KIND_F64) x = load<f64>(address + (i << 3));
      else if (kind == KIND_F32) x = <f64>load<f32>(address + (i << 2));
      else if (kind == KIND_U8) slot += load<u8>(address + i);
      else if (kind == KIND_U16) slot += load<u16>(address + (i << 1));
      else slot += load<u32>(address + (i << 2));
      store<f64>(values + (j << 3), x);
      store<u32>(colIdx + (j << 2), slot);
    }
    loss += learnRow(
      colIdx, values, 1, columns, load<f64>(y + (i << 3)), optional(s, i, 1), optional(offset, i, 0), state, slots,
      alpha, beta, l1, l2, scratch,
    );
  }
  return loss;
}
