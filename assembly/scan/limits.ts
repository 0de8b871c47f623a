import { byte } from './fields';
import { endWith0 } from './json';

/*
 * Looks through JSON before it is read: how deep it is, keys of its objects, elements of its outer arrays. It sees brackets, commas and texts
 * alone; what is no JSON is for who reads it.
 *
 * State (bytes; * is written here). It goes on from part to part; a part but the last has a multiple of 64 bytes.
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

/** which of the 64 bytes at p are `c`, or become `c` by the bits of `bent`; a bit each */
// @ts-ignore: decorator
@inline
function equal(p: usize, c: i8, bent: i8): u64 {
  const wanted = i8x16.splat(c);
  const bits = i8x16.splat(bent);
  const first = i8x16.bitmask(i8x16.eq(v128.or(v128.load(p), bits), wanted));
  const second = i8x16.bitmask(i8x16.eq(v128.or(v128.load(p, 16), bits), wanted));
  const third = i8x16.bitmask(i8x16.eq(v128.or(v128.load(p, 32), bits), wanted));
  const last = i8x16.bitmask(i8x16.eq(v128.or(v128.load(p, 48), bits), wanted));
  return <u64>(<u32>(first | (second << 16))) | ((<u64>(<u32>(third | (last << 16)))) << 32);
}

/** A bit for each of 64 bytes that are in a text or begin one. @param quotes  those that begin or end one */
// @ts-ignore: decorator
@inline
function insideOf(quotes: u64, text: u32): u64 {
  quotes ^= quotes << 1;
  quotes ^= quotes << 2;
  quotes ^= quotes << 4;
  quotes ^= quotes << 8;
  quotes ^= quotes << 16;
  quotes ^= quotes << 32;
  return quotes ^ (0 - <u64>text);
}

/** `insideOf` where there are backslashes; writes the state behind the bytes. */
function insideWithEscapes(state: usize, p: usize): u64 {
  let text = load<u32>(state, 16);
  let inside: u64 = 0;
  for (let i: u32 = 0; i < 64; i++) {
    const c = byte(p + i);
    if (text == INSIDE && c == 0x5c) text = ESCAPED;
    else if (text == ESCAPED) text = INSIDE;
    else if (c == 0x22) text ^= 1;
    inside |= (<u64>(text != OUTSIDE)) << i;
  }
  store<u32>(state, text, 16);
  return inside;
}

/** Counts commas of the innermost bracket that is open. Returns whether there are too many. */
// @ts-ignore: decorator
@inline
function countCommas(state: usize, commas: u64): bool {
  const level = state + LEVELS + ((<usize>load<u32>(state, 12)) << 3) - 8;
  const left = load<u32>(level);
  const more = <u32>popcnt(commas);
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

/** Looks through the bytes from p to end, and writes zeros behind them. Returns the first limit that they pass. */
export function checkJson(state: usize, p: usize, end: usize): u32 {
  endWith0(end);
  for (; p < end; p += 64) {
    let commas = equal(p, 0x2c, 0);
    // [ and ] differ from { and } in one bit
    let brackets = equal(p, 0x7b, 0x20) | equal(p, 0x7d, 0x20);
    const quotes = equal(p, 0x22, 0);
    const text = load<u32>(state, 16);
    if (quotes || text) {
      let inside: u64;
      if (text == ESCAPED || equal(p, 0x5c, 0)) inside = insideWithEscapes(state, p);
      else {
        inside = insideOf(quotes, text);
        store<u32>(state, <u32>(inside >> 63), 16);
      }
      commas &= ~inside;
      brackets &= ~inside;
    }
    for (; brackets; brackets &= brackets - 1) {
      const open = load<u32>(state, 12);
      // those before it
      const before = commas & (brackets - 1) & ~brackets;
      commas ^= before;
      if (open && countCommas(state, before)) return excessOf(state);
      const c = byte(p + <usize>ctz(brackets));
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
    if (commas && load<u32>(state, 12) && countCommas(state, commas)) return excessOf(state);
  }
  return WITHIN;
}
