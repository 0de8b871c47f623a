import { byte } from './fields';

/*
 * Looks through JSON before it is read: how deep it is, keys of its objects, elements of its outer arrays. It sees brackets, commas and texts
 * alone; what is no JSON is for who reads it.
 *
 * State (bytes; * is written here). It goes on from part to part; a part but the last has a multiple of 16 bytes.
 *    0 u32 depth        arrays and objects in one another, at most
 *    4 u32 keys         of an object, at most; 0: any number
 *    8 u32 elements     of the outermost array, and of arrays in the outermost array or object, at most; 0: any number
 *   12 u32 open *       brackets that are open
 *   16 u32 text *       OUTSIDE, INSIDE, ESCAPED
 *   24 of each bracket that is open: u32 commas it may have until there are too many *, u32 whether it is an array *
 */

const OUTSIDE: u32 = 0;
const INSIDE: u32 = 1;
const ESCAPED: u32 = 2;

const LEVELS: usize = 24;
const WITHIN: u32 = 0;
const TOO_DEEP: u32 = 1;
const TOO_MANY_KEYS: u32 = 2;
const TOO_MANY_ELEMENTS: u32 = 3;

/** of the 16 bytes of v which are `c`, a bit each */
// @ts-ignore: decorator
@inline
function equal(v: v128, c: i8): u32 {
  return i8x16.bitmask(i8x16.eq(v, i8x16.splat(c)));
}

/** A bit for each of 16 bytes that are in a text or begin one. @param quotes  those that begin or end one */
// @ts-ignore: decorator
@inline
function insideOf(quotes: u32, text: u32): u32 {
  quotes ^= quotes << 1;
  quotes ^= quotes << 2;
  quotes ^= quotes << 4;
  quotes ^= quotes << 8;
  return (quotes ^ (0 - text)) & 0xffff;
}

/** `insideOf` where there are backslashes; writes the state behind the bytes. */
function insideWithEscapes(state: usize, p: usize): u32 {
  let text = load<u32>(state, 16);
  let inside: u32 = 0;
  for (let i: u32 = 0; i < 16; i++) {
    const c = byte(p + i);
    if (text == INSIDE && c == 0x5c) text = ESCAPED;
    else if (text == ESCAPED) text = INSIDE;
    else if (c == 0x22) text ^= 1;
    inside |= <u32>(text != OUTSIDE) << i;
  }
  store<u32>(state, text, 16);
  return inside;
}

/** Counts commas of the innermost bracket that is open. Returns whether there are too many. */
// @ts-ignore: decorator
@inline
function countCommas(state: usize, commas: u32): bool {
  const level = state + LEVELS + ((<usize>load<u32>(state, 12)) << 3) - 8;
  const left = load<u32>(level);
  const more = popcnt(commas);
  store<u32>(level, left - more);
  // left 0 is any number
  return left - 1 < more;
}

// @ts-ignore: decorator
@inline
function excessOf(state: usize): u32 {
  const level = state + LEVELS + ((<usize>load<u32>(state, 12)) << 3) - 8;
  return load<u32>(level, 4) ? TOO_MANY_ELEMENTS : TOO_MANY_KEYS;
}

/** Looks through the bytes from p to end, behind which at least 15 are 0. Returns the first limit that they pass. */
export function checkJson(state: usize, p: usize, end: usize): u32 {
  for (; p < end; p += 16) {
    const v = v128.load(p);
    let commas = equal(v, 0x2c);
    // [ and ] differ from { and } in one bit
    const bent = v128.or(v, i8x16.splat(0x20));
    let brackets = equal(bent, 0x7b) | equal(bent, 0x7d);
    const quotes = equal(v, 0x22);
    const text = load<u32>(state, 16);
    if (quotes | text) {
      let inside: u32;
      if (text == ESCAPED || equal(v, 0x5c)) inside = insideWithEscapes(state, p);
      else {
        inside = insideOf(quotes, text);
        store<u32>(state, inside >> 15, 16);
      }
      commas &= ~inside;
      brackets &= ~inside;
    }
    while (brackets) {
      const i = ctz(brackets);
      brackets &= brackets - 1;
      const open = load<u32>(state, 12);
      const before = commas & ((1 << i) - 1);
      commas ^= before;
      if (open && countCommas(state, before)) return excessOf(state);
      const c = byte(p + i);
      if (c & 2) {
        // { or [
        if (open == load<u32>(state)) return TOO_DEEP;
        const level = state + LEVELS + ((<usize>open) << 3);
        const isList = c == 0x5b;
        store<u32>(level, isList ? (open <= 1 ? load<u32>(state, 8) : 0) : load<u32>(state, 4));
        store<u32>(level, <u32>isList, 4);
        store<u32>(state, open + 1, 12);
      } else if (open) store<u32>(state, open - 1, 12);
    }
    if (load<u32>(state, 12) && countCommas(state, commas)) return excessOf(state);
  }
  return WITHIN;
}
