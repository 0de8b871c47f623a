import {
  byte, count, DEFAULTED, digitsAt, endCounts, MASKS, note, noteNumber, NUMERIC, OTHER, READ, SLOW, storeCode, storeMissing, TENS,
} from './fields';
import { lookUp, lookUpShort, same, UNKNOWN } from './labels';
import { decimal, eightDigits } from './number';
import { isUtf8 } from './utf8';

/*
 * JSON records.
 *
 * Beside the plan of fields.ts:
 *    8 u32 keys        table of labels: from a key to the address of its field
 *   12 u32 order       keys in the order of a record
 *   16 u32 *           how many of them are known
 *   20 u32             how many fit
 *   24 u32 stamp *     number of the record; a field has that of the record it was last seen in, but for records in order
 *   52 u32 stack       a bit for each byte of input
 *   60 u32 end *       0: the array goes on, 1: it was closed, 2: it is wrong
 *   76 u32 *           position behind a label
 *  272 u32 *           1: the keys in order have all fields, and the last record had them
 *  276 u32 lf          a blank that a record may have beside space, tab and CR: LF, or space where lines end records
 *  280 u32 strict      1: the host judges records with more care, so only those are read whose keys are in the order of one that it has seen, and
 *                      whose unknown values have no escapes and no deep brackets
 *
 * What is there of an OTHER value: the length of its text, 0 for a number that was read.
 *
 * Key in order (128 bytes): u32 address of its field (0: unknown), u32 length of the key with quotes and colon, 8 bytes unused, its first 16
 * bytes, a mask of those that it has, and from 48 on all of it.
 */

const KEY_SHIFT: usize = 7;
const KEY_BYTES: usize = 128;
const KEY_MOST: u32 = 64;
const IN_ORDER: usize = 272;

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const BACKSLASH: u32 = 0x5c;
export const LF: u32 = 0x0a;

/** behind whitespace. @param lf  LF, or another blank where lines end records */
function skipBlanks(p: usize, lf: u32): usize {
  let c = byte(p);
  while (c == 0x20 || c == 0x09 || c == 0x0d || c == lf) c = byte(++p);
  return p;
}

/** `skipBlanks`, where one space or none is usual */
// @ts-ignore: decorator
@inline
export function skipBlank(p: usize, lf: u32): usize {
  if (byte(p) > 0x20) return p;
  return skipBlanks(p, lf);
}

/** the first byte from p on that ends a text or must be looked at: a quote, a backslash, a control character */
// @ts-ignore: decorator
@inline
function special(plan: usize, p: usize): usize {
  while (true) {
    const v = v128.load(p);
    const found = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(v, v128.load(plan, 80)), i8x16.eq(v, v128.load(plan, 96))),
        i8x16.eq(i8x16.min_u(v, v128.load(plan, 112)), v),
      ),
    );
    if (found) return p + ctz(found);
    p += 16;
  }
}

/** whether the four bytes at p are digits of base 16 */
function isHex(p: usize): bool {
  for (let i: usize = 0; i < 4; i++) {
    const c = byte(p + i);
    if (!(c - 0x30 <= 9 || (c | 0x20) - 0x61 <= 5)) return false;
  }
  return true;
}

/** behind a text. @param p  behind its first quote */
function skipText(plan: usize, p: usize): usize {
  while (true) {
    p = special(plan, p);
    const c = byte(p);
    if (c == QUOTE) return p + 1;
    if (c != BACKSLASH) return 0;
    const escape = byte(p + 1);
    if (escape == 0x75) {
      if (!isHex(p + 2)) return 0;
      p += 6;
    } else if (
      escape == QUOTE || escape == BACKSLASH || escape == 0x2f || escape == 0x62 || escape == 0x66 || escape == 0x6e ||
      escape == 0x72 || escape == 0x74
    ) p += 2;
    else return 0;
  }
}

/** behind digits */
// @ts-ignore: decorator
@inline
function skipDigits(p: usize): usize {
  while (byte(p) - 0x30 <= 9) p++;
  return p;
}

/** behind a number, by the grammar of JSON */
function skipNumber(p: usize): usize {
  if (byte(p) == 0x2d) p++;
  let start = p;
  // a 0 is a number, whatever is behind it
  p = byte(p) == 0x30 ? p + 1 : skipDigits(p);
  if (p == start) return 0;
  if (byte(p) == 0x2e) {
    start = ++p;
    p = skipDigits(p);
    if (p == start) return 0;
  }
  if ((byte(p) | 0x20) == 0x65) {
    p++;
    const sign = byte(p);
    if (sign == 0x2b || sign == 0x2d) p++;
    start = p;
    p = skipDigits(p);
    if (p == start) return 0;
  }
  return p;
}

/** behind true, false or null */
// @ts-ignore: decorator
@inline
function skipWord(p: usize): usize {
  const four = load<u32>(p);
  if (four == 0x65757274 || four == 0x6c6c756e) return p + 4;
  return four == 0x736c6166 && byte(p + 4) == 0x65 ? p + 5 : 0;
}

/** behind any value; the stack has a bit for each bracket that is open: 1 for that of an object */
function skipValue(plan: usize, p: usize, lf: u32): usize {
  const stack = <usize>load<u32>(plan, 52);
  let depth: usize = 0;
  while (true) {
    const c = byte(p);
    let opened = false;
    if (c == QUOTE) p = skipText(plan, p + 1);
    else if (c == 0x7b || c == 0x5b) {
      const isObject = c == 0x7b;
      p = skipBlank(p + 1, lf);
      if (byte(p) == c + 2) p++;
      else {
        const at = stack + (depth >> 3);
        const bit = <u32>1 << <u32>(depth & 7);
        const bits = depth & 7 ? byte(at) & (bit - 1) : 0;
        store<u8>(at, bits | (isObject ? bit : 0));
        depth++;
        opened = true;
      }
    } else if (c == 0x2d || c - 0x30 <= 9) p = skipNumber(p);
    else p = skipWord(p);
    if (p == 0) return 0;
    let more = opened;
    while (!more) {
      if (depth == 0) return p;
      p = skipBlank(p, lf);
      const next = byte(p);
      if (next == COMMA) {
        p = skipBlank(p + 1, lf);
        more = true;
      } else {
        const top = depth - 1;
        const isObject = (byte(stack + (top >> 3)) >> <u32>(top & 7)) & 1;
        if (next != (isObject ? <u32>0x7d : <u32>0x5d)) return 0;
        depth = top;
        p++;
      }
    }
    const top = depth - 1;
    if ((byte(stack + (top >> 3)) >> <u32>(top & 7)) & 1) {
      if (byte(p) != QUOTE) return 0;
      p = skipText(plan, p + 1);
      if (p == 0) return 0;
      p = skipBlank(p, lf);
      if (byte(p) != COLON) return 0;
      p = skipBlank(p + 1, lf);
    }
  }
}

/** Reads any number; writes it to `out`. 0 too for a number that decimal() leaves to the host. */
function readAnyNumber(p: usize, tables: usize, out: usize): usize {
  const start = p;
  p = skipNumber(p);
  if (p == 0) return 0;
  const negative = byte(start) == 0x2d;
  let m: u64 = 0;
  let q: i32 = 0;
  let digits: i32 = 0;
  let point: usize = 0;
  for (let at = start + <usize>negative; at < p; at++) {
    const c = byte(at) - 0x30;
    if (c <= 9) {
      m = m * 10 + c;
      // zeros before the first other digit do not count
      if (digits || c) digits++;
    } else if (c == POINT) point = at + 1;
    else {
      if (point) q = -<i32>(at - point);
      point = 0;
      const down = byte(++at) == 0x2d;
      let e: i32 = 0;
      if (down || byte(at) == 0x2b) at++;
      for (; at < p; at++) if (e < 100000) e = e * 10 + <i32>(byte(at) - 0x30);
      q += down ? -e : e;
    }
  }
  if (point) q = -<i32>(p - point);
  // 2⁶⁴ has 20 digits
  return digits <= 19 && decimal(tables, m, q, negative, out) ? p : 0;
}

/** `.` − `0`, as digits are counted */
const POINT: u32 = 0xfffffffe;

/** Reads a number of at most eight digits before and eight behind its point without a loop; any other by readAnyNumber. */
function readLongNumber(plan: usize, start: usize, out: usize): usize {
  const tables = <usize>load<u32>(plan, 48);
  const negative = byte(start) == 0x2d;
  let p = start + <usize>negative;
  const digits = digitsAt(plan, p);
  const whole = <usize>ctz(~digits);
  const fraction = <usize>ctz(~(digits >> <i32>(whole + 1)));
  const end = p + whole + 1 + fraction;
  // of 16 bytes that are looked at the last one is no digit of it
  const isShort =
    whole - 1 <= 7 && fraction - 1 <= 7 && end - p < 16 && byte(p + whole) == 0x2e && (byte(end) | 0x20) != 0x65;
  if (!isShort || (byte(p) == 0x30 && whole > 1)) return readAnyNumber(start, tables, out);
  const first = eightDigits(load<u64>(p) << (64 - (whole << 3)));
  const last = eightDigits(load<u64>(p + whole + 1) << (64 - (fraction << 3)));
  const m = first * load<u64>(plan + TENS + (fraction << 3)) + last;
  return decimal(tables, m, -<i32>fraction, negative, out) ? end : 0;
}

/** Reads a number of at most eight digits without a loop, any other by readLongNumber. Writes it to `out`. */
// @ts-ignore: decorator
@inline
export function readNumber(plan: usize, start: usize, out: usize): usize {
  const negative = byte(start) == 0x2d;
  let p = start + <usize>negative;
  const digits = digitsAt(plan, p);
  const whole = <usize>ctz(~digits);
  let eight = load<u64>(p);
  if (whole - 1 > 7 || (whole > 1 && <u8>eight == 0x30)) return readLongNumber(plan, start, out);
  // without the bytes behind them: the last digit in the highest byte
  eight <<= 64 - (whole << 3);
  let fraction: usize = 0;
  p += whole;
  let next = byte(p);
  if (next == 0x2e) {
    fraction = <usize>ctz(~(digits >> <i32>(whole + 1)));
    if (fraction - 1 >= 8 - whole) return readLongNumber(plan, start, out);
    eight = (eight >> (fraction << 3)) | (load<u64>(p + 1) << (64 - (fraction << 3)));
    p += fraction + 1;
    next = byte(p);
  }
  if (next != COMMA && (next | 0x20) == 0x65) return readLongNumber(plan, start, out);
  const x = <f64>(<i32>eightDigits(eight)) / load<f64>(<usize>load<u32>(plan, 48) + (fraction << 3));
  store<u64>(out, reinterpret<u64>(x) | ((<u64>negative) << 63));
  return p;
}

/** the length of a short text at p that ends with a quote and has no escapes, 16 where it is another */
// @ts-ignore: decorator
@inline
function shortLength(plan: usize, v: v128): u32 {
  const found = i8x16.bitmask(
    v128.or(
      v128.or(i8x16.eq(v, v128.load(plan, 80)), i8x16.eq(v, v128.load(plan, 96))),
      i8x16.eq(i8x16.min_u(v, v128.load(plan, 112)), v),
    ),
  );
  return ctz(found | 0x10000);
}

/** The code of the label at p, LEFT where the host must say; writes the position behind it to plan + 76. */
function readLabel(plan: usize, field: usize, p: usize): u32 {
  const c = byte(p);
  let start = p;
  let end: usize;
  let escaped = false;
  if (c == QUOTE) {
    end = special(plan, ++start);
    p = end + 1;
    if (byte(end) != QUOTE) {
      // an escaped spelling of a level is in the table too
      escaped = true;
      p = skipText(plan, end);
      if (p == 0) return LEFT;
      end = p - 1;
    }
  } else if (c == 0x2d || c - 0x30 <= 9) {
    // of whole numbers below 10¹⁵ the text is the label
    end = p = skipNumber(p);
    if (end - start > 15 || (c == 0x2d && byte(start + 1) == 0x30)) return LEFT;
    for (let at = start + 1; at < p; at++) if (byte(at) - 0x30 > 9) return LEFT;
  } else {
    if (c == 0x6e) return LEFT;
    end = p = skipWord(p);
  }
  if (p == 0) return LEFT;
  store<u32>(plan, <u32>p, 76);
  const code = lookUp(load<u32>(field, 40), plan + MASKS, start, <u32>(end - start));
  return escaped && code == UNKNOWN ? LEFT : code;
}

/** of a label that the host must read */
const LEFT: u32 = 0xfffffffe;

/** brackets of a depth of 200 take so many bytes */
const SHALLOW: usize = 400;

/** behind the value of an unknown field */
// @ts-ignore: decorator
@inline
function skipUnknown(plan: usize, p: usize): usize {
  const end = skipValue(plan, p, load<u32>(plan, 276));
  if (!load<u32>(plan, 280)) return end;
  if (byte(p) == QUOTE) return special(plan, p + 1) + 1 == end ? end : 0;
  return end - p > SHALLOW ? 0 : end;
}

/** Reads the value at p of a field (0: unknown) into a row; returns the position behind it. */
// @ts-ignore: decorator
@inline
function readValue(plan: usize, field: usize, p: usize, row: usize): usize {
  if (field == 0) return skipUnknown(plan, p);
  const kind = load<u32>(field);
  const cells = <usize>load<u32>(field, 4);
  if (kind == NUMERIC) {
    const out = cells + (row << 3);
    if (byte(p) == 0x6e) return load<u32>(p) == NULL && storeMissing(plan, field, out, row) ? p + 4 : 0;
    p = readNumber(plan, p, out);
    noteNumber(plan, field, out, row);
    return p;
  }
  if (kind == OTHER) {
    const out = cells + (row << 4);
    const c = byte(p);
    if (c == 0x2d || c - 0x30 <= 9) {
      store<u32>(out, 0, 12);
      return readNumber(plan, p, out);
    }
    const start = p;
    p = skipValue(plan, p, load<u32>(plan, 276));
    store<u32>(out, <u32>start, 8);
    store<u32>(out, <u32>(p - start), 12);
    return p;
  }
  let code: u32;
  const v = v128.load(p + 1);
  const length = shortLength(plan, v);
  if (byte(p) == QUOTE && length < 16 && byte(p + 1 + length) == QUOTE) {
    code = lookUpShort(load<u32>(field, 40), v128.and(v, v128.load(plan + MASKS + 16 - length)));
    p += length + 2;
  } else if (load<u32>(p) == NULL) {
    code = load<u32>(field, 44);
    if (<i32>code < 0) return 0;
    p += 4;
    count(plan + DEFAULTED);
  } else {
    code = readLabel(plan, field, p);
    if (code == LEFT) return 0;
    p = load<u32>(plan, 76);
  }
  if (code == UNKNOWN) {
    code = load<u32>(field, 48);
    if (<i32>code < 0) return 0;
    count(plan + DEFAULTED);
  }
  storeCode(cells, kind, row, code);
  return p;
}

/** `null` */
const NULL: u32 = 0x6c6c756e;

/** Ends a record at its brace; returns the position behind it. */
// @ts-ignore: decorator
@inline
function endRecord(plan: usize, p: usize, row: usize): usize {
  endCounts(plan, row);
  return p + 1;
}

/** Reads the record at p, which begins with {, where its keys are those of the last one in the same order; 0: SLOW, or they are not. */
function readInOrder(plan: usize, p: usize, row: usize): usize {
  let key = <usize>load<u32>(plan, 12);
  const end = key + (<usize>load<u32>(plan, 16) << KEY_SHIFT);
  store<u64>(plan + DEFAULTED, 0);
  p = skipBlank(p + 1, load<u32>(plan, 276));
  while (true) {
    if (v128.any_true(v128.and(v128.xor(v128.load(p), v128.load(key, 16)), v128.load(key, 32)))) return 0;
    const length = load<u32>(key, 4);
    if (length > 16 && !same(p + 16, key + 64, length - 16)) return 0;
    p += length;
    if (byte(p) <= 0x20) p = skipBlanks(p, load<u32>(plan, 276));
    p = readValue(plan, load<u32>(key), p, row);
    if (p == 0) return 0;
    key += KEY_BYTES;
    if (byte(p) != COMMA) {
      p = skipBlanks(p, load<u32>(plan, 276));
      if (byte(p) != COMMA) return byte(p) == 0x7d && key == end ? endRecord(plan, p, row) : 0;
    }
    if (key == end) return 0;
    if (byte(++p) <= 0x20) p = skipBlanks(p, load<u32>(plan, 276));
  }
}

/** Learns the key at p, with its quotes and colon, as the next one in order. */
function learn(plan: usize, field: usize, p: usize, length: u32): void {
  const place = load<u32>(plan, 16);
  const key = <usize>load<u32>(plan, 12) + (<usize>place << KEY_SHIFT);
  store<u32>(key, <u32>field);
  store<u32>(key, length, 4);
  memory.copy(key + 48, p, length);
  const mask = v128.load(plan + MASKS + 16 - min<u32>(16, length));
  v128.store(key, v128.and(v128.load(p), mask), 16);
  v128.store(key, mask, 32);
  if (field) store<u32>(field, place, 52);
  store<u32>(plan, place + 1, 16);
}

/** Reads the record at p in any order of keys; 0: SLOW. */
function readInAnyOrder(plan: usize, p: usize, row: usize): usize {
  const lf = load<u32>(plan, 276);
  const order = <usize>load<u32>(plan, 12);
  const stamp = load<u32>(plan, 24) + 1;
  store<u32>(plan, stamp, 24);
  store<u32>(plan + IN_ORDER, 0);
  store<u64>(plan + DEFAULTED, 0);
  /** number of the key that is expected */
  let expected: u32 = 0;
  let keys: u32 = 0;
  let seen: u32 = 0;
  let misses: u32 = 0;
  p = skipBlank(p + 1, lf);
  while (true) {
    const known = load<u32>(plan, 16);
    const key = order + (<usize>expected << KEY_SHIFT);
    let field: usize;
    keys++;
    if (expected < known && same(p, key + 48, load<u32>(key, 4))) {
      field = load<u32>(key);
      p += load<u32>(key, 4);
      expected++;
    } else {
      if (byte(p) != QUOTE) return 0;
      const end = special(plan, p + 1);
      if (byte(end) != QUOTE) return 0;
      const length = <u32>(end - p) - 1;
      const found = lookUp(load<u32>(plan, 8), plan + MASKS, p + 1, length);
      field = found == UNKNOWN ? 0 : found;
      const place = field ? load<u32>(field, 52) : known;
      if (place < known && <usize>load<u32>(order + (<usize>place << KEY_SHIFT)) == field) {
        expected = place + 1;
        misses++;
      } else if (expected == known && known < load<u32>(plan, 20) && length + 3 <= KEY_MOST && byte(end + 1) == COLON) {
        // the first record, or one with more keys
        learn(plan, field, p, length + 3);
        expected++;
      } else misses++;
      p = skipBlank(end + 1, lf);
      if (byte(p) != COLON) return 0;
      p++;
    }
    if (field) {
      if (load<u32>(field, 12) == stamp) return 0;
      store<u32>(field, stamp, 12);
      seen++;
    }
    p = skipBlank(p, lf);
    p = readAnyValue(plan, field, p, row);
    if (p == 0) return 0;
    p = skipBlank(p, lf);
    const next = byte(p);
    if (next == COMMA) {
      p = skipBlank(p + 1, lf);
      continue;
    }
    if (next != 0x7d || seen != load<u32>(plan, 4)) return 0;
    if (misses == 0 && keys == load<u32>(plan, 16)) store<u32>(plan + IN_ORDER, 1);
    // another order of keys is learned anew
    else if (misses * 2 > keys || misses == 0) store<u32>(plan, 0, 16);
    return endRecord(plan, p, row);
  }
}

function readAnyValue(plan: usize, field: usize, p: usize, row: usize): usize {
  return readValue(plan, field, p, row);
}

/** Reads the record at p; returns the position behind it, 0: SLOW. */
// @ts-ignore: decorator
@inline
function readRecord(plan: usize, p: usize, row: usize): usize {
  if (load<u32>(plan + IN_ORDER)) {
    const end = readInOrder(plan, p, row);
    if (end) return end;
  }
  const end = readInAnyOrder(plan, p, row);
  return load<u32>(plan, 280) ? 0 : end;
}

/** the next LF, or end */
function lineEnd(p: usize, end: usize): usize {
  for (; p < end; p += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(p), i8x16.splat(0x0a)));
    if (found) return min(end, p + ctz(found));
  }
  return end;
}

/**
 * Reads JSON lines from p to end, whole lines but for the last, which need not end with LF. Lines of blanks are no rows. Returns the position
 * behind the last row: end, or less where the rows are full.
 */
export function scanJsonLines(plan: usize, p: usize, end: usize): usize {
  const most = <usize>load<u32>(plan, 36);
  store<u32>(plan, 0x20, 276);
  store<u32>(plan, 0, 72);
  let row: usize = 0;
  while (row < most) {
    p = skipBlanks(p, LF);
    if (p >= end) break;
    const start = p;
    let flag = SLOW;
    if (byte(p) == 0x7b) {
      const read = readRecord(plan, p, row);
      if (read) {
        p = skipBlank(read, 0x20);
        if (p >= end || byte(p) == LF) flag = READ;
      }
    }
    if (flag == SLOW) p = lineEnd(start, end);
    note(plan, row++, start, p, flag);
  }
  store<u32>(plan, <u32>row, 56);
  return p;
}

/**
 * Reads elements of an array from p on: behind its [ (first) or behind an element. Returns the position behind the last element that ends before
 * `end`, and writes whether the array goes on.
 * @param first  1: no element was read yet
 * @param last  1: the input ends at `end`; 0: more follows, so what looks wrong may be cut off
 */
export function scanJsonArray(plan: usize, p: usize, end: usize, first: u32, last: u32): usize {
  const most = <usize>load<u32>(plan, 36);
  store<u32>(plan, LF, 276);
  store<u32>(plan, 0, 72);
  let row: usize = 0;
  let state: u32 = 0;
  while (row < most) {
    let start = skipBlanks(p, LF);
    const mark = byte(start);
    if (mark == 0x5d && start < end) {
      p = start + 1;
      state = 1;
      break;
    }
    if (!first) {
      if (mark != COMMA) {
        state = start < end || last ? 2 : 0;
        break;
      }
      start = skipBlanks(start + 1, LF);
    }
    let read: usize = 0;
    let flag = SLOW;
    if (byte(start) == 0x7b) read = readRecord(plan, start, row);
    if (read) flag = READ;
    else read = skipValue(plan, start, LF);
    // a number may go on behind the end
    if (read == 0 || (read >= end && !last)) {
      state = last ? 2 : 0;
      break;
    }
    first = 0;
    p = read;
    note(plan, row++, start, p, flag);
  }
  store<u32>(plan, <u32>row, 56);
  store<u32>(plan, state, 60);
  return p;
}

/** Writes the zeros behind the input. */
export function endWith0(end: usize): void {
  for (let at = end; at < end + 128; at += 16) v128.store(at, i64x2.splat(0));
}

/** Reads the one record from p to end, blanks around it, into row 0. Returns whether it could. */
export function scanJsonRecord(plan: usize, p: usize, end: usize): bool {
  store<u32>(plan, LF, 276);
  store<u32>(plan, 0, 72);
  endWith0(end);
  const start = skipBlanks(p, LF);
  if (byte(start) != 0x7b) return false;
  const behind = readRecord(plan, start, 0);
  note(plan, 0, start, behind, READ);
  return behind != 0 && skipBlanks(behind, LF) == end && isUtf8(p, end);
}
