/** Counts and sums over the rows, in loops whose additions do not wait for one another. */

/**
 * How often each code below `size` occurs. Four tables, because in sorted data neighbouring codes are equal.
 * @param codes  those of `size` and more are not counted
 */
export function countCodes(codes: Uint8Array | Uint16Array | Uint32Array, size: number): Float64Array {
  const counts = new Uint32Array(4 * size + 4);
  const own = size + 1;
  let i = 0;
  for (; i + 3 < codes.length; i += 4) {
    counts[Math.min(codes[i], size)]++;
    counts[own + Math.min(codes[i + 1], size)]++;
    counts[2 * own + Math.min(codes[i + 2], size)]++;
    counts[3 * own + Math.min(codes[i + 3], size)]++;
  }
  for (; i < codes.length; i++) counts[Math.min(codes[i], size)]++;
  return Float64Array.from(
    { length: size },
    (_, code) => counts[code] + counts[own + code] + counts[2 * own + code] + counts[3 * own + code],
  );
}

/** How many rows each class has. @param code  below `classes` */
export function countClasses(code: Uint8Array, classes: number): Float64Array {
  if (classes !== 2) return countCodes(code, classes);
  let ones = 0;
  // four bytes at a time, each added up to 255 times
  const words = code.byteOffset % 4 === 0 ? code.length >>> 2 : 0;
  const four = words > 0 ? new Uint32Array(code.buffer, code.byteOffset, words) : [];
  for (let first = 0; first < words; first += 255) {
    const end = Math.min(first + 255, words);
    let sums = 0;
    for (let i = first; i < end; i++) sums = (sums + four[i]) >>> 0;
    ones += (sums & 255) + ((sums >>> 8) & 255) + ((sums >>> 16) & 255) + (sums >>> 24);
  }
  for (let i = 4 * words; i < code.length; i++) ones += code[i];
  return Float64Array.of(code.length - ones, ones);
}

/**
 * S_c, the weight of the rows of each class.
 * @param y  of two classes the share of each row that belongs to the second one (0, 1, or between where a row counts trials); of more its class
 * @param weight  absent: ones
 */
export function classWeights(
  classes: number,
  y: ArrayLike<number>,
  weight: ArrayLike<number> | null | undefined,
): Float64Array {
  if (!weight && y instanceof Uint8Array) return countClasses(y, classes);
  const sums = new Float64Array(classes);
  for (let i = 0; i < y.length; i++) {
    const s = weight ? weight[i] : 1;
    if (classes > 2) sums[y[i]] += s;
    else {
      sums[0] += s * (1 - y[i]);
      sums[1] += s * y[i];
    }
  }
  return sums;
}

/**
 * How many rows of each class each code has: class 0 at 2·code, class 1 at 2·code + 1.
 * @param codes  one of `size` or more counts as the last one below
 * @param y      0 or 1, one for each code
 */
export function countPairs(codes: Uint8Array | Uint16Array | Uint32Array, y: Uint8Array, size: number): Float64Array {
  const own = 2 * size;
  const last = size - 1;
  const counts = new Uint32Array(4 * own);
  let i = 0;
  for (; i + 3 < codes.length; i += 4) {
    counts[2 * Math.min(codes[i], last) + y[i]]++;
    counts[own + 2 * Math.min(codes[i + 1], last) + y[i + 1]]++;
    counts[2 * own + 2 * Math.min(codes[i + 2], last) + y[i + 2]]++;
    counts[3 * own + 2 * Math.min(codes[i + 3], last) + y[i + 3]]++;
  }
  for (; i < codes.length; i++) counts[2 * Math.min(codes[i], last) + y[i]]++;
  return Float64Array.from(
    { length: own },
    (_, at) => counts[at] + counts[own + at] + counts[2 * own + at] + counts[3 * own + at],
  );
}

/** Σ xᵢ: four sums, folded (s0 + s1) + (s2 + s3). */
export function sumOf(x: Float64Array | Float32Array): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < x.length; i += 4) {
    s0 += x[i];
    s1 += x[i + 1];
    s2 += x[i + 2];
    s3 += x[i + 3];
  }
  for (; i < x.length; i++) s0 += x[i];
  return s0 + s1 + (s2 + s3);
}
