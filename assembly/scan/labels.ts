/*
 * Tables of texts: from bytes to a number. Open addressing, at most a third full; the seed is one that puts every text of a small
 * table into a place of its own, so that one comparison of whole vectors decides.
 *
 * Table: u32 address of the entries, u32 64 − bits, u64 seed.
 * Entry, 32 bytes: u32 address of the text, u32 its length (NONE: free), u32 the number, 4 bytes unused, the head of the text: its bytes, then
 * zeros; of more than 16 bytes a 0 and the last 15. Texts have no byte of 0. They and what is compared with them can be read 16 bytes beyond their end.
 */

const NONE: u32 = 0xffffffff;
/** the number of a text that the table lacks */
export const UNKNOWN: u32 = 0xffffffff;

/**
 * 16 bytes of ones, then 16 of zeros: from `masks + 16 − n` on a vector keeps n bytes of another.
 * A text of more than 16 bytes is found by its last 15 behind a 0, which no short text begins with, and compared whole.
 */
// @ts-ignore: decorator
@inline
export function headOf(masks: usize, p: usize, length: u32): v128 {
  return length <= 16
    ? v128.and(v128.load(p), v128.load(masks + 16 - length))
    : i8x16.replace_lane(v128.load(p + length - 16), 0, 0);
}

/** the place of a text by its head */
// @ts-ignore: decorator
@inline
function placeOf(table: usize, head: v128): usize {
  const h = i64x2.extract_lane(head, 0) * load<u64>(table, 8) + i64x2.extract_lane(head, 1) * 0x9e3779b97f4a7c15;
  return (<usize>load<u32>(table)) + (<usize>(<u64>h >> load<u32>(table, 4)) << 5);
}

/** whether `length` bytes at p are those at text */
// @ts-ignore: decorator
@inline
export function same(p: usize, text: usize, length: u32): bool {
  while (length > 16) {
    if (i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(text))) != 0xffff) return false;
    p += 16;
    text += 16;
    length -= 16;
  }
  const equal = i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(text)));
  return ((equal | (-1 << length)) & 0xffff) == 0xffff;
}

/** the number of a text of at most 16 bytes without a byte of 0, by its head, or UNKNOWN */
// @ts-ignore: decorator
@inline
export function lookUpShort(table: usize, head: v128): u32 {
  let entry = placeOf(table, head);
  while (true) {
    if (!v128.any_true(v128.xor(head, v128.load(entry, 16)))) return load<u32>(entry, 8);
    if (load<u32>(entry, 4) == NONE) return UNKNOWN;
    entry += 32;
  }
}

/** the number of a text, or UNKNOWN */
export function lookUp(table: usize, masks: usize, p: usize, length: u32): u32 {
  const head = headOf(masks, p, length);
  if (length <= 16) return lookUpShort(table, head);
  let entry = placeOf(table, head);
  while (true) {
    const own = load<u32>(entry, 4);
    if (own == length && same(p, load<u32>(entry), length)) return load<u32>(entry, 8);
    if (own == NONE) return UNKNOWN;
    entry += 32;
  }
}

/**
 * Fills a table with n texts that differ.
 * list  n times u32 address, u32 length, u32 number
 * entries  room for 2^bits entries and as many again as one run of them can pass the end (n)
 */
export function fillLabels(table: usize, masks: usize, list: usize, n: u32, entries: usize, bits: u32): void {
  store<u32>(table, <u32>entries);
  store<u32>(table, 64 - bits, 4);
  const end = entries + (((<usize>1 << bits) + n + 1) << 5);
  let seed: u64 = 0x9e3779b97f4a7c15;
  let tries = n <= 64 ? 256 : 1;
  while (true) {
    store<u64>(table, seed, 8);
    for (let entry = entries; entry < end; entry += 32) {
      store<u32>(entry, NONE, 4);
      // no head of a text: a byte of 0 before another
      v128.store(entry, i64x2(0, -1), 16);
    }
    let collisions = 0;
    for (let i: u32 = 0; i < n; i++) {
      const one = list + i * 12;
      const text = <usize>load<u32>(one);
      const length = load<u32>(one, 4);
      const head = headOf(masks, text, length);
      let entry = placeOf(table, head);
      while (load<u32>(entry, 4) != NONE) {
        entry += 32;
        collisions++;
      }
      store<u32>(entry, <u32>text);
      store<u32>(entry, length, 4);
      store<u32>(entry, load<u32>(one, 8), 8);
      v128.store(entry, head, 16);
    }
    if (collisions == 0 || --tries <= 0) return;
    seed = seed * 6364136223846793005 + 1442695040888963407 | 1;
  }
}
