import { eight, fraction } from './digits';

/*
 * Rows of scores as text: their number, a probability of each class, the label.
 *
 * Plan (u32 words; * is written here):
 *    0 classes
 *    4 columns      of each class the address of its probabilities (u32 each)
 *    8 labels       of each row the number of its class (u32 each)
 *   12 texts        before the number; before the probability of each class; of each class the label and the end of the row: address, length
 *   16 powers       tables of digits.ts
 *   20 at *         position behind what is written
 *
 * A text can be read, and the output written, 32 bytes beyond its end.
 */

/** Copies a text; returns the position behind it. @param text  address of its address and length */
// @ts-ignore: decorator
@inline
function copy(out: usize, text: usize): usize {
  const from = <usize>load<u32>(text);
  const length = <usize>load<u32>(text, 4);
  for (let at: usize = 0; at < length; at += 16) v128.store(out + at, v128.load(from + at));
  return out + length;
}

/** Writes a whole number below 10¹⁶; returns the position behind it. */
function whole(out: usize, value: u64): usize {
  let low = <u32>value;
  if (value >= 100_000_000) {
    const high = value / 100_000_000;
    out = short(out, <u32>high);
    low = <u32>(value - high * 100_000_000);
    store<u64>(out, eight(low) | ZEROS);
    return out + 8;
  }
  return short(out, low);
}

const ZEROS: u64 = 0x3030303030303030;

/** Writes a whole number below 10⁸ without zeros before it. */
// @ts-ignore: decorator
@inline
function short(out: usize, value: u32): usize {
  const digits = eight(value);
  // the first digit in the lowest byte; 0 has one digit
  const zeros = min<u64>(7, ctz(digits) >> 3);
  store<u64>(out, (digits | ZEROS) >> (zeros << 3));
  return out + 8 - <usize>zeros;
}

/**
 * Writes rows i to n − 1 of a block from `out` on, up to the first one that begins at `end` or behind it, or has a probability that fraction() leaves.
 * Returns the number of that row, or n; what is written of it is void.
 * @param first  number of row 0
 */
export function writeLines(plan: usize, i: u32, n: u32, first: f64, out: usize, end: usize): u32 {
  const classes = load<u32>(plan);
  const columns = <usize>load<u32>(plan, 4);
  const labels = <usize>load<u32>(plan, 8);
  const texts = <usize>load<u32>(plan, 12);
  const powers = <usize>load<u32>(plan, 16);
  const ends = texts + (<usize>(classes + 1) << 3);
  store<u32>(plan, <u32>out, 20);
  for (; i < n && out < end; i++) {
    out = whole(copy(out, texts), <u64>first + i);
    for (let k: u32 = 0; k < classes; k++) {
      out = copy(out, texts + (<usize>(k + 1) << 3));
      const value = load<u64>(<usize>load<u32>(columns + (<usize>k << 2)) + (<usize>i << 3));
      out = fraction(out, value, powers);
      if (out == 0) return i;
    }
    out = copy(out, ends + (<usize>load<u32>(labels + (<usize>i << 2)) << 3));
    store<u32>(plan, <u32>out, 20);
  }
  return i;
}
