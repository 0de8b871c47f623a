/*
 * The module that counts numbers in bins, for `logodds/monitor`. It has a memory of its own, without data:
 *
 *   VALUES   8192 values, f64, 16-byte aligned
 *   NUMBERS  low, cells per unit, centre, limit, and four numbers that round to a grid when they are added and subtracted again; behind them what is added to: four
 *            sums, least, greatest
 *   EDGES    128, rising, Infinity behind them
 *   STARTS   of each of 514 cells the edge at which a search begins, u8
 *   CODES    four tables of 256 counts of codes, u32, of which the sums are meant
 *   COUNTS   two tables of 256 counts, u32, of which the sums are meant: neighbours are often in one bin
 */
const VALUES: usize = 1024;
const NUMBERS: usize = 66560;
const EDGES: usize = 66688;
const COUNTS: usize = 67712;
const TABLE: usize = 1024;
const STARTS: usize = 69760;
const CODES: usize = 70656;

/** Address of the values. */
export function valuesAt(): usize {
  return VALUES;
}
/** Address of the numbers. */
export function numbersAt(): usize {
  return NUMBERS;
}
/** Address of the edges. */
export function edgesAt(): usize {
  return EDGES;
}
/** Address of the counts. */
export function countsAt(): usize {
  return COUNTS;
}
/** Address of the starts. */
export function startsAt(): usize {
  return STARTS;
}

/** Address of the counts of codes. */
export function codesAt(): usize {
  return CODES;
}

/** Counts `n` codes of a byte each, which are where the values are. */
export function countCodes(n: u32): void {
  const whole = VALUES + <usize>(n & ~7);
  for (let at = VALUES; at < whole; at += 8) {
    const eight = load<u64>(at);
    raise(CODES + ((<usize>eight & 255) << 2));
    raise(CODES + TABLE + ((<usize>(eight >>> 8) & 255) << 2));
    raise(CODES + 2 * TABLE + ((<usize>(eight >>> 16) & 255) << 2));
    raise(CODES + 3 * TABLE + ((<usize>(eight >>> 24) & 255) << 2));
    raise(CODES + ((<usize>(eight >>> 32) & 255) << 2));
    raise(CODES + TABLE + ((<usize>(eight >>> 40) & 255) << 2));
    raise(CODES + 2 * TABLE + ((<usize>(eight >>> 48) & 255) << 2));
    raise(CODES + 3 * TABLE + (<usize>(eight >>> 56) << 2));
  }
  for (let at = whole; at < VALUES + <usize>n; at++) raise(CODES + (<usize>load<u8>(at) << 2));
}

/** The bin of x, by the first of all edges that x is not above: without a branch, as no processor foresees where a number lies. */
// @ts-ignore: decorator
@inline
function search(x: f64): usize {
  let at = <usize>(x > load<f64>(EDGES + 504)) << 9;
  at += <usize>(x > load<f64>(EDGES + at + 248)) << 8;
  at += <usize>(x > load<f64>(EDGES + at + 120)) << 7;
  at += <usize>(x > load<f64>(EDGES + at + 56)) << 6;
  at += <usize>(x > load<f64>(EDGES + at + 24)) << 5;
  at += <usize>(x > load<f64>(EDGES + at + 8)) << 4;
  at += <usize>(x > load<f64>(EDGES + at)) << 3;
  return at >> 1;
}

/** The bin of x, a few edges at most behind the start of its cell. */
// @ts-ignore: decorator
@inline
function near(x: f64, cell: i32, steps: i32): usize {
  let at = <usize>load<u8>(STARTS + <usize>cell) << 3;
  at += <usize>(x > load<f64>(EDGES + at)) << 3;
  if (steps > 1) {
    at += <usize>(x > load<f64>(EDGES + at)) << 3;
    if (steps > 2) {
      at += <usize>(x > load<f64>(EDGES + at)) << 3;
      at += <usize>(x > load<f64>(EDGES + at)) << 3;
    }
  }
  return at >> 1;
}

// @ts-ignore: decorator
@inline
function raise(at: usize, by: u32 = 1): void {
  store<u32>(at, load<u32>(at) + by);
}

/**
 * Counts `n` values in their bins, and adds them up: Σd and Σd² with d = x − centre, in two parts each, every one of which is exact on its grid; least and greatest.
 * A distance beyond the limit is in no sum.
 * @returns how many are beyond the limit
 */
export function countNumbers(n: u32, steps: i32): u32 {
  const centre = f64x2.splat(load<f64>(NUMBERS, 16));
  const limit = f64x2.splat(load<f64>(NUMBERS, 24));
  const grid0 = f64x2.splat(load<f64>(NUMBERS, 32));
  const grid1 = f64x2.splat(load<f64>(NUMBERS, 40));
  const grid2 = f64x2.splat(load<f64>(NUMBERS, 48));
  const grid3 = f64x2.splat(load<f64>(NUMBERS, 56));
  const low = f64x2.splat(load<f64>(NUMBERS));
  const perCell = f64x2.splat(load<f64>(NUMBERS, 8));
  const cells = f64x2.splat(512);
  const hasGrid = steps <= 4;
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let least = f64x2.splat(load<f64>(NUMBERS, 96));
  let most = f64x2.splat(load<f64>(NUMBERS, 104));
  let last: usize = 0;
  let within = i64x2.splat(0);
  const end = VALUES + ((<usize>n) << 3);
  // an odd value at the end is alone in its pair: the other half is itself, whose count is taken back
  const isOdd = (n & 1) !== 0;
  if (isOdd) {
    store<f64>(end, load<f64>(end - 8));
  }
  for (let at = VALUES; at < end; at += 16) {
    const x = v128.load(at);
    const x0 = f64x2.extract_lane(x, 0);
    const x1 = f64x2.extract_lane(x, 1);
    const place = f64x2.mul(f64x2.sub(x, low), perCell);
    // few numbers are beyond the range of training
    if (hasGrid && i64x2.all_true(v128.and(f64x2.ge(place, f64x2.splat(0)), f64x2.lt(place, cells)))) {
      const cell = i32x4.trunc_sat_f64x2_s_zero(place);
      raise(COUNTS + near(x0, i32x4.extract_lane(cell, 0) + 1, steps));
      last = near(x1, i32x4.extract_lane(cell, 1) + 1, steps);
    } else {
      raise(COUNTS + search(x0));
      last = search(x1);
    }
    raise(COUNTS + TABLE + last);
    least = f64x2.pmin(least, x);
    most = f64x2.pmax(most, x);
    let d = f64x2.sub(x, centre);
    const isNear = f64x2.le(f64x2.abs(d), limit);
    within = i64x2.sub(within, isNear);
    d = v128.and(d, isNear);
    if (isOdd && at + 16 > end) d = f64x2.replace_lane(d, 1, 0);
    const coarse = f64x2.sub(f64x2.add(d, grid0), grid0);
    sum0 = f64x2.add(sum0, coarse);
    sum1 = f64x2.add(sum1, f64x2.sub(f64x2.add(f64x2.sub(d, coarse), grid1), grid1));
    const square = f64x2.mul(d, d);
    const coarser = f64x2.sub(f64x2.add(square, grid2), grid2);
    sum2 = f64x2.add(sum2, coarser);
    sum3 = f64x2.add(sum3, f64x2.sub(f64x2.add(f64x2.sub(square, coarser), grid3), grid3));
  }
  let far = <u32>(((n + 1) & ~1) - <u32>i64x2.extract_lane(within, 0) - <u32>i64x2.extract_lane(within, 1));
  if (isOdd) {
    raise(COUNTS + TABLE + last, -1);
    if (!(Math.abs(load<f64>(end - 8) - load<f64>(NUMBERS, 16)) <= load<f64>(NUMBERS, 24))) far--;
  }
  store<f64>(NUMBERS, load<f64>(NUMBERS, 64) + (f64x2.extract_lane(sum0, 0) + f64x2.extract_lane(sum0, 1)), 64);
  store<f64>(NUMBERS, load<f64>(NUMBERS, 72) + (f64x2.extract_lane(sum1, 0) + f64x2.extract_lane(sum1, 1)), 72);
  store<f64>(NUMBERS, load<f64>(NUMBERS, 80) + (f64x2.extract_lane(sum2, 0) + f64x2.extract_lane(sum2, 1)), 80);
  store<f64>(NUMBERS, load<f64>(NUMBERS, 88) + (f64x2.extract_lane(sum3, 0) + f64x2.extract_lane(sum3, 1)), 88);
  const least0 = f64x2.extract_lane(least, 0);
  const least1 = f64x2.extract_lane(least, 1);
  store<f64>(NUMBERS, least1 < least0 ? least1 : least0, 96);
  const most0 = f64x2.extract_lane(most, 0);
  const most1 = f64x2.extract_lane(most, 1);
  store<f64>(NUMBERS, most1 > most0 ? most1 : most0, 104);
  return far;
}
