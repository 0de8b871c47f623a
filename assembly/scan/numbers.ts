import { byte } from './fields';
import { LF, readNumber, skipBlank } from './json';
import { same } from './labels';

/*
 * Numbers of the arrays of JSON.
 *
 * Of the plan of fields.ts the constants alone, and
 *    0 u32 *   numbers read, null and NaN among them
 *    4 u32 *   how many of them are null or NaN
 *    8 u32 *   arrays in one another
 *   12 u32 *   arrays in the outermost one
 *   16 u32 *   numbers in each of those; UNEQUAL: they differ
 */

const UNEQUAL: u32 = 0xffffffff;
/** arrays that may be in one another: others are for who parses them */
const MOST_DEPTH: u32 = 9;
const NULL: u32 = 0x6c6c756e;
/** no position: a number is left to the host */
const LEFT: usize = 1;

/**
 * Returns the position of the next array from p on that is the value of a key, 0 where there is none. In bytes that are no JSON it may find what is
 * none either.
 * @param key  a text with its quotes, without escapes
 */
export function findArray(p: usize, end: usize, key: usize, length: u32): usize {
  for (; p < end; p += 16) {
    let found = i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(0x22)));
    for (; found; found &= found - 1) {
      const at = p + ctz(found);
      // in JSON no backslash is before a quote that begins a text
      if (byte(at - 1) == 0x5c || !same(at, key, length)) continue;
      const colon = skipBlank(at + length, LF);
      if (byte(colon) != 0x3a) continue;
      const value = skipBlank(colon + 1, LF);
      if (byte(value) == 0x5b) return value;
    }
  }
  return 0;
}

/**
 * Reads the array at p of numbers, null, NaN, and arrays of them, in their order, to `out`; null and NaN become NaN. Returns the position behind it,
 * 0 where something else is in it, LEFT where a number is that decimal() leaves to the host. There is room for all: each takes two bytes of input.
 */
export function scanNumbers(plan: usize, p: usize, out: usize): usize {
  let to = out;
  let depth: u32 = 0;
  let deepest: u32 = 0;
  let gaps: u32 = 0;
  let rows: u32 = 0;
  let width: u32 = 0;
  let row = out;
  while (true) {
    if (byte(p) == 0x5b) {
      deepest = max(deepest, ++depth);
      if (depth > MOST_DEPTH) return 0;
      if (depth == 2) {
        rows++;
        row = to;
      }
      p = skipBlank(p + 1, LF);
      if (byte(p) != 0x5d) continue;
    } else {
      if (load<u32>(p) == NULL) {
        store<f64>(to, NaN);
        gaps++;
        p += 4;
      } else if ((load<u32>(p) & 0xffffff) == 0x4e614e) {
        store<f64>(to, NaN);
        gaps++;
        p += 3;
      } else {
        const first = byte(p);
        p = readNumber(plan, p, to);
        if (p == 0) return first == 0x2d || first - 0x30 <= 9 ? LEFT : 0;
      }
      to += 8;
      p = skipBlank(p, LF);
    }
    while (byte(p) != 0x2c) {
      if (byte(p) != 0x5d) return 0;
      p++;
      if (depth == 2) {
        const own = <u32>((to - row) >> 3);
        width = rows == 1 || own == width ? own : UNEQUAL;
      }
      if (--depth == 0) {
        store<u32>(plan, <u32>((to - out) >> 3));
        store<u32>(plan, gaps, 4);
        store<u32>(plan, deepest, 8);
        store<u32>(plan, rows, 12);
        store<u32>(plan, width, 16);
        return p;
      }
      p = skipBlank(p, LF);
    }
    p = skipBlank(p + 1, LF);
  }
}
