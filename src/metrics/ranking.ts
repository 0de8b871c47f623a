import { checkRows, checkScores, type RowScores } from './check.ts';

/** Digits of 11 bits, the least first: which word of the 64 bits, and where in it. */
const DIGITS = [
  [0, 0],
  [0, 11],
  [0, 22],
  [1, 0],
  [1, 11],
  [1, 22],
] as const;
const RADIX = 2048;
/** below this many rows counting digits takes longer than comparing */
const FEW = 1024;

/**
 * Visits the distinct scores from the greatest down, each with the weight of its positive and of its negative rows. Scores
 * whose rows all have weight 0 are left out.
 * @throws as `auc`
 */
export function eachScore(
  scores: RowScores,
  y: ArrayLike<number>,
  weight: Float64Array | null | undefined,
  visit: (score: number, positive: number, negative: number) => void,
): void {
  checkScores(scores);
  checkRows(scores.length, y, 2, weight, 'scores');
  // the label goes along with the row: looking it up afterwards would miss the caches for every row
  const { values, tags } = sortScores(scores, (row) => 2 * row + y[row]);
  const shares = weight && pick(weight, tags);
  let positive = 0;
  let negative = 0;
  for (let i = tags.length - 1; i >= 0; i--) {
    const share = shares ? shares[i] : 1;
    if (tags[i] & 1) positive += share;
    else negative += share;
    if (i > 0 && values[i - 1] === values[i]) continue;
    if (positive + negative > 0) visit(values[i], positive, negative);
    positive = 0;
    negative = 0;
  }
}

/**
 * Scores in ascending order (−0 as 0), and what goes along with each; equal ones in the order of rows.
 *
 * A radix sort of the 64 bits, a digit of 11 at a time, least first: the time does not depend on the scores, and a digit
 * that all share costs nothing. About the time of `Float64Array.sort`, which cannot take anything along.
 * @param scores  none NaN
 * @param tag  of a row, an integer below 2³²
 * @see Knuth, The Art of Computer Programming 3, 5.2.5, algorithm R
 */
export function sortScores(
  scores: RowScores,
  tag: (row: number) => number,
): { values: Float64Array; tags: Uint32Array } {
  const n = scores.length;
  let values = new Float64Array(n);
  let tags = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    values[i] = scores[i] + 0;
    tags[i] = tag(i);
  }
  if (n < FEW) {
    const rows = Uint32Array.from(tags.keys()).sort((a, b) => values[a] - values[b] || a - b);
    return { values: values.sort(), tags: rows.map((row) => tag(row)) };
  }
  let nextValues = new Float64Array(n);
  let nextTags = new Uint32Array(n);
  const counts = countDigits(new Int32Array(values.buffer));
  DIGITS.forEach(([word, shift], digit) => {
    const starts = counts.subarray(digit * RADIX, (digit + 1) * RADIX);
    if (starts.includes(n)) return;
    let sum = 0;
    for (let bucket = 0; bucket < RADIX; bucket++) {
      const count = starts[bucket];
      starts[bucket] = sum;
      sum += count;
    }
    distribute(new Int32Array(values.buffer), tags, new Int32Array(nextValues.buffer), nextTags, starts, word, shift);
    [values, nextValues] = [nextValues, values];
    [tags, nextTags] = [nextTags, tags];
  });
  return { values, tags };
}

/** Weights in the order of the tags; a loop of its own, so that the cache misses of many rows overlap. */
function pick(weight: Float64Array, tags: Uint32Array): Float64Array {
  const picked = new Float64Array(tags.length);
  for (let i = 0; i < tags.length; i++) picked[i] = weight[tags[i] >>> 1];
  return picked;
}

/** How often each value of each digit occurs. The key of a number is its bits, all turned over if it is negative, else the sign alone. */
function countDigits(words: Int32Array): Uint32Array {
  const counts = new Uint32Array(DIGITS.length * RADIX);
  for (let at = 0; at < words.length; at += 2) {
    const negative = words[at + 1] >> 31;
    const low = words[at] ^ negative;
    const high = words[at + 1] ^ (negative | 0x80000000);
    counts[low & 2047]++;
    counts[RADIX + ((low >>> 11) & 2047)]++;
    counts[2 * RADIX + (low >>> 22)]++;
    counts[3 * RADIX + (high & 2047)]++;
    counts[4 * RADIX + ((high >>> 11) & 2047)]++;
    counts[5 * RADIX + (high >>> 22)]++;
  }
  return counts;
}

/** Numbers and tags to the next free place of the bucket of their digit. */
function distribute(
  from: Int32Array,
  fromTags: Uint32Array,
  to: Int32Array,
  toTags: Uint32Array,
  starts: Uint32Array,
  word: number,
  shift: number,
): void {
  const sign = word ? 0x80000000 : 0;
  for (let i = 0; i < fromTags.length; i++) {
    const low = from[2 * i];
    const high = from[2 * i + 1];
    const key = (word ? high : low) ^ ((high >> 31) | sign);
    const place = starts[(key >>> shift) & 2047]++;
    to[2 * place] = low;
    to[2 * place + 1] = high;
    toTags[place] = fromTags[i];
  }
}
