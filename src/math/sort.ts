/** Digits of 11 bits, the lowest first: the word of the 64 bits, and the position in it. */
const DIGITS = [
  [0, 0],
  [0, 11],
  [0, 22],
  [1, 0],
  [1, 11],
  [1, 22],
] as const;
const RADIX = 2048;
/** with fewer rows than this, counting digits takes longer than comparing */
const FEW = 1024;

/**
 * Sorts numbers in ascending order (−0 as 0) together with a tag for each; equal numbers keep their order.
 *
 * A radix sort of the 64 bits, 11 bits at a time, lowest first. The time does not depend on the values, and a digit that all
 * numbers share costs nothing, and numbers in ascending order cost one pass. It takes about the time of `Float64Array.sort`, which cannot sort
 * tags along.
 * @param given  none NaN
 * @param tag  of a place, an integer below 2³²
 * @see Knuth, The Art of Computer Programming 3, 5.2.5, algorithm R
 */
export function sortTagged(
  given: ArrayLike<number>,
  tag: (place: number) => number,
): { values: Float64Array; tags: Uint32Array } {
  const n = given.length;
  let values = new Float64Array(n);
  let tags = new Uint32Array(n);
  let [ascends, before] = [true, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < n; i++) {
    const value = given[i] + 0;
    values[i] = value;
    tags[i] = tag(i);
    ascends &&= value >= before;
    before = value;
  }
  if (ascends) return { values, tags };
  if (n < FEW) {
    const places = Uint32Array.from(tags.keys()).sort((a, b) => values[a] - values[b] || a - b);
    return { values: values.sort(), tags: places.map((place) => tag(place)) };
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

/** Counts each value of each digit. The key of a number is its bits: all inverted if it is negative, else only the sign inverted. */
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

/** Moves numbers and tags to the next free place in the bucket of their digit. */
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
