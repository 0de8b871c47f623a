/*
 * The machine's read rate, in WebAssembly SIMD: every byte of a block is loaded once and folded with xor, the cheapest
 * operation that a compiler cannot drop. Compiled by asc when the benchmark starts; reads the memory of the engine under
 * test, so the yardstick and the kernel see the same bytes. AssemblyScript.
 *
 * p        address of the block, 16-byte aligned
 * bytes    length; what is left over after whole steps of all streams is not read (below 2 KiB)
 * returns  xor of all that was read: the sink
 */

function step(acc: v128, p: usize): v128 {
  const a = v128.xor(v128.load(p), v128.load(p, 16));
  const b = v128.xor(v128.load(p, 32), v128.load(p, 48));
  return v128.xor(acc, v128.xor(a, b));
}

function fold(a: v128): i64 {
  return i64x2.extract_lane(a, 0) ^ i64x2.extract_lane(a, 1);
}

/** one stream: front to back */
export function read1(p: usize, bytes: usize): i64 {
  let a = i64x2.splat(0);
  let b = a;
  const end = p + (bytes & ~127);
  while (p < end) {
    a = step(a, p);
    b = step(b, p + 64);
    p += 128;
  }
  return fold(v128.xor(a, b));
}

/** two streams: both halves at once */
export function read2(p: usize, bytes: usize): i64 {
  let a = i64x2.splat(0);
  let b = a;
  const part = (bytes >> 1) & ~63;
  const end = p + part;
  while (p < end) {
    a = step(a, p);
    b = step(b, p + part);
    p += 64;
  }
  return fold(v128.xor(a, b));
}

/** four streams */
export function read4(p: usize, bytes: usize): i64 {
  let a = i64x2.splat(0);
  let b = a;
  const part = (bytes >> 2) & ~63;
  const end = p + part;
  while (p < end) {
    a = step(a, p);
    b = step(b, p + part);
    a = step(a, p + 2 * part);
    b = step(b, p + 3 * part);
    p += 64;
  }
  return fold(v128.xor(a, b));
}

/** eight streams */
export function read8(p: usize, bytes: usize): i64 {
  let a = i64x2.splat(0);
  let b = a;
  const part = (bytes >> 3) & ~63;
  const end = p + part;
  while (p < end) {
    a = step(a, p);
    b = step(b, p + part);
    a = step(a, p + 2 * part);
    b = step(b, p + 3 * part);
    a = step(a, p + 4 * part);
    b = step(b, p + 5 * part);
    a = step(a, p + 6 * part);
    b = step(b, p + 7 * part);
    p += 64;
  }
  return fold(v128.xor(a, b));
}
