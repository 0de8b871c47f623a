/*
 * The module that counts numbers in bins, for `logodds/monitor`. It has a memory of its own, without data:
 *
 *   VALUES   8192 values, f64, 16-byte aligned
 *   NUMBERS  centre, limit, and four numbers that round to a grid when they are added and subtracted again; behind them what is added to: four sums, least, greatest
 *   EDGES    rising, up to 2^steps − 1 with Infinity behind them
 *   COUNTS   two tables of 256 counts, u32, of which the sums are meant: neighbours are often in one bin
 */
const VALUES: usize = 1024;
const NUMBERS: usize = 66560;
const EDGES: usize = 66688;
const COUNTS: usize = 67712;
const TABLE: usize = 1024;

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

/** The address of the count of x, from the bin that ends at the first edge that x is not above: without a branch, as no processor foresees where a number lies. */
// @ts-ignore: decorator
@inline
function binOf(x: f64, steps: i32): usize {
  let at: usize = 0;
  if (steps > 6) at = <usize>(x > load<f64>(EDGES + 504)) << 9;
  at += <usize>(x > load<f64>(EDGES + at + 248)) << 8;
  at += <usize>(x > load<f64>(EDGES + at + 120)) << 7;
  at += <usize>(x > load<f64>(EDGES + at + 56)) << 6;
  at += <usize>(x > load<f64>(EDGES + at + 24)) << 5;
  at += <usize>(x > load<f64>(EDGES + at + 8)) << 4;
  at += <usize>(x > load<f64>(EDGES + at)) << 3;
  return COUNTS + (at >> 1);
}

// @ts-ignore: decorator
@inline
function raise(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

/**
 * Counts `n` values in their bins, and adds them up: Σd and Σd² with d = x − centre, in two parts each, every one of which is exact on its grid; least and greatest.
 * A distance beyond the limit is in no sum.
 * @returns how many are beyond the limit
 */
export function countNumbers(n: u32, steps: i32): u32 {
  const centre = f64x2.splat(load<f64>(NUMBERS));
  const limit = f64x2.splat(load<f64>(NUMBERS, 8));
  const grid0 = f64x2.splat(load<f64>(NUMBERS, 16));
  const grid1 = f64x2.splat(load<f64>(NUMBERS, 24));
  const grid2 = f64x2.splat(load<f64>(NUMBERS, 32));
  const grid3 = f64x2.splat(load<f64>(NUMBERS, 40));
  let sum0 = f64x2.splat(0);
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  let least = f64x2.splat(load<f64>(NUMBERS, 80));
  let most = f64x2.splat(load<f64>(NUMBERS, 88));
  let near = i64x2.splat(0);
  const end = VALUES + ((<usize>n) << 3);
  // an odd value at the end is alone in its pair: the other half is the centre, whose count is taken back
  const isOdd = (n & 1) !== 0;
  if (isOdd) {
    store<f64>(end, load<f64>(end - 8));
  }
  for (let at = VALUES; at < end; at += 16) {
    const x = v128.load(at);
    raise(binOf(f64x2.extract_lane(x, 0), steps));
    raise(binOf(f64x2.extract_lane(x, 1), steps) + TABLE);
    least = f64x2.pmin(least, x);
    most = f64x2.pmax(most, x);
    let d = f64x2.sub(x, centre);
    const isNear = f64x2.le(f64x2.abs(d), limit);
    near = i64x2.sub(near, isNear);
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
  let far = <u32>(((n + 1) & ~1) - <u32>i64x2.extract_lane(near, 0) - <u32>i64x2.extract_lane(near, 1));
  if (isOdd) {
    const last = load<f64>(end - 8);
    const at = binOf(last, steps) + TABLE;
    store<u32>(at, load<u32>(at) - 1);
    if (!(Math.abs(last - load<f64>(NUMBERS)) <= load<f64>(NUMBERS, 8))) far--;
  }
  store<f64>(NUMBERS, load<f64>(NUMBERS, 48) + (f64x2.extract_lane(sum0, 0) + f64x2.extract_lane(sum0, 1)), 48);
  store<f64>(NUMBERS, load<f64>(NUMBERS, 56) + (f64x2.extract_lane(sum1, 0) + f64x2.extract_lane(sum1, 1)), 56);
  store<f64>(NUMBERS, load<f64>(NUMBERS, 64) + (f64x2.extract_lane(sum2, 0) + f64x2.extract_lane(sum2, 1)), 64);
  store<f64>(NUMBERS, load<f64>(NUMBERS, 72) + (f64x2.extract_lane(sum3, 0) + f64x2.extract_lane(sum3, 1)), 72);
  const least0 = f64x2.extract_lane(least, 0);
  const least1 = f64x2.extract_lane(least, 1);
  store<f64>(NUMBERS, least1 < least0 ? least1 : least0, 80);
  const most0 = f64x2.extract_lane(most, 0);
  const most1 = f64x2.extract_lane(most, 1);
  store<f64>(NUMBERS, most1 > most0 ? most1 : most0, 88);
  return far;
}
