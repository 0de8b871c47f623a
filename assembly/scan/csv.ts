import {
  byte, count, DEFAULTED, digitsAt, endCounts, MASKS, note, noteNumber, NUMERIC, OTHER, READ, SLOW, storeCode, storeMissing, TENS,
} from './fields';
import { lookUp, same, UNKNOWN } from './labels';
import { decimal, eightDigits } from './number';

/*
 * Records of CSV, by the rules of src/text: where a cell ends, what a number is. Delimiters are , ; tab and |, quotes are ".
 *
 * Beside the plan of fields.ts:
 *    8 u32 places       of each cell of a record the address of its field, 0: nobody reads it (u32 each)
 *   12 u32 width        cells of the header, at least two
 *   16 u32 tab          9, or 32 where tabs delimit: a blank beside space
 *   20 u32 header       the first cell of the header
 *   24 u32              its length
 *   52 u32 tokens       table of the texts that mean a missing number
 *   60 u32 *            1: the input ended in a record
 *  272 four vectors of 16 equal bytes: delimiter, LF, CR, 0
 *  336 u32 blanks *    empty lines before rows, of all that was read
 *  340 u32 *           empty lines behind the last row
 *
 * What is there of an OTHER cell: its length times 2, 1 more in quotes; NONE for no value.
 */

const LF: u32 = 0x0a;
const CR: u32 = 0x0d;
const QUOTE: u32 = 0x22;
const NONE: u32 = 0xffffffff;
const PENDING: usize = 340;
/** in tables of labels: the text means a missing cell */
const MISSING: u32 = 0xfffffffe;

/** the first byte from p on that ends a cell without quotes: a delimiter, LF, CR, or 0 */
// @ts-ignore: decorator
@inline
function cellEnd(plan: usize, p: usize): usize {
  while (true) {
    const v = v128.load(p);
    const found = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(v, v128.load(plan, 272)), i8x16.eq(v, v128.load(plan, 288))),
        v128.or(i8x16.eq(v, v128.load(plan, 304)), i8x16.eq(v, v128.load(plan, 320))),
      ),
    );
    if (found) return p + ctz(found);
    p += 16;
  }
}

/** the first quote or 0 from p on */
function quoteEnd(plan: usize, p: usize): usize {
  while (true) {
    const v = v128.load(p);
    const found = i8x16.bitmask(v128.or(i8x16.eq(v, v128.load(plan, 80)), i8x16.eq(v, v128.load(plan, 320))));
    if (found) return p + ctz(found);
    p += 16;
  }
}

/** the first LF or CR from p on, or end */
function lineEnd(plan: usize, p: usize, end: usize): usize {
  for (; p < end; p += 16) {
    const v = v128.load(p);
    const found = i8x16.bitmask(v128.or(i8x16.eq(v, v128.load(plan, 288)), i8x16.eq(v, v128.load(plan, 304))));
    if (found) return min(end, p + ctz(found));
  }
  return end;
}

/** behind blanks */
// @ts-ignore: decorator
@inline
function skipBlanks(p: usize, tab: u32): usize {
  while (byte(p) == 0x20 || byte(p) == tab) p++;
  return p;
}

const NO_NUMBER: u32 = 0;
const NUMBER: u32 = 1;
const LEFT: u32 = 2;

/** Whether the bytes from p to end are a number; LEFT where decimal() leaves it to the host. Writes it to `out`. */
function readAnyNumber(p: usize, end: usize, tables: usize, out: usize): u32 {
  while (p < end && byte(p) == 0x20) p++;
  while (end > p && byte(end - 1) == 0x20) end--;
  const negative = byte(p) == 0x2d;
  if (p < end && (negative || byte(p) == 0x2b)) p++;
  let m: u64 = 0;
  let q: i32 = 0;
  let any = false;
  let digits: i32 = 0;
  let point: usize = 0;
  for (; p < end; p++) {
    const c = byte(p) - 0x30;
    if (c <= 9) {
      any = true;
      m = m * 10 + c;
      // zeros before the first other digit do not count
      if (digits || c) digits++;
    } else if (c == 0xfffffffe && point == 0) point = p + 1;
    else break;
  }
  if (!any) return NO_NUMBER;
  if (point) q = -<i32>(p - point);
  if (p < end) {
    if ((byte(p) | 0x20) != 0x65) return NO_NUMBER;
    p++;
    const down = p < end && byte(p) == 0x2d;
    if (p < end && (down || byte(p) == 0x2b)) p++;
    if (p == end) return NO_NUMBER;
    let e: i32 = 0;
    for (; p < end; p++) {
      const c = byte(p) - 0x30;
      if (c > 9) return NO_NUMBER;
      if (e < 100000) e = e * 10 + <i32>c;
    }
    q += down ? -e : e;
  }
  // 2⁶⁴ has 20 digits
  return digits <= 19 && decimal(tables, m, q, negative, out) ? NUMBER : LEFT;
}

/** Reads a cell that is a number of at most eight digits without a loop, any other by readAnyNumber. */
// @ts-ignore: decorator
@inline
function readNumber(plan: usize, start: usize, end: usize, out: usize): u32 {
  const negative = byte(start) == 0x2d;
  let p = start + <usize>negative;
  const digits = digitsAt(plan, p);
  const whole = <usize>ctz(~digits);
  if (whole - 1 > 7) return readAnyNumber(start, end, load<u32>(plan, 48), out);
  let eight = load<u64>(p) << (64 - (whole << 3));
  let fraction: usize = 0;
  p += whole;
  if (p < end && byte(p) == 0x2e) {
    fraction = <usize>ctz(~(digits >> <i32>(whole + 1)));
    if (fraction - 1 >= 8 - whole) return readAnyNumber(start, end, load<u32>(plan, 48), out);
    eight = (eight >> (fraction << 3)) | (load<u64>(p + 1) << (64 - (fraction << 3)));
    p += fraction + 1;
  }
  if (p != end) return readAnyNumber(start, end, load<u32>(plan, 48), out);
  const x = <f64>(<i32>eightDigits(eight)) / load<f64>(<usize>load<u32>(plan, 48) + (fraction << 3));
  store<u64>(out, reinterpret<u64>(x) | ((<u64>negative) << 63));
  return NUMBER;
}

/** Reads a cell into a row. Returns whether it could. */
// @ts-ignore: decorator
@inline
function readCell(plan: usize, field: usize, start: usize, end: usize, quoted: bool, row: usize): bool {
  const kind = load<u32>(field);
  const cells = <usize>load<u32>(field, 4);
  const isGap = start == end && !quoted;
  if (kind == NUMERIC) {
    const out = cells + (row << 3);
    if (isGap) return storeMissing(plan, field, out, row);
    const found = readNumber(plan, start, end, out);
    if (found == NUMBER) {
      noteNumber(plan, field, out, row);
      return true;
    }
    if (found == LEFT || lookUp(load<u32>(plan, 52), plan + MASKS, start, <u32>(end - start)) == UNKNOWN) return false;
    return storeMissing(plan, field, out, row);
  }
  if (kind == OTHER) {
    const out = cells + (row << 4);
    store<u32>(out, <u32>start, 8);
    store<u32>(out, isGap ? NONE : (<u32>(end - start) << 1) | <u32>quoted, 12);
    return true;
  }
  let code = isGap ? MISSING : lookUp(load<u32>(field, 40), plan + MASKS, start, <u32>(end - start));
  if (code >= MISSING) {
    code = code == MISSING ? load<u32>(field, 44) : load<u32>(field, 48);
    if (<i32>code < 0) return false;
    count(plan + DEFAULTED);
  }
  storeCode(cells, kind, row, code);
  return true;
}

/**
 * Reads records from p on; returns the position behind the last one that ends before `end`. A record that is wrong ends at the line in which
 * it is; one in which a quote is not closed at the end of the input.
 * @param last  1: the input ends at `end`; 0: more follows
 */
export function scanCsv(plan: usize, p: usize, end: usize, last: u32): usize {
  const most = <usize>load<u32>(plan, 36);
  const places = <usize>load<u32>(plan, 8);
  const width = load<u32>(plan, 12);
  const tab = load<u32>(plan, 16);
  const delimiter = <u32>load<u8>(plan, 272);
  store<u32>(plan, 0, 72);
  store<u32>(plan, 0, 60);
  let row: usize = 0;
  while (row < most && p < end) {
    const start = p;
    let flag = READ;
    let cells: u32 = 0;
    let isBlank = true;
    let mark: u32;
    store<u64>(plan + DEFAULTED, 0);
    while (true) {
      p = skipBlanks(p, tab);
      let from = p;
      let to: usize;
      const quoted = byte(p) == QUOTE;
      let isWrong = false;
      if (quoted) {
        from = ++p;
        while (true) {
          p = quoteEnd(plan, p);
          if (byte(p) == 0 || byte(p + 1) != QUOTE) break;
          // written twice: the host takes one away
          flag = SLOW;
          p += 2;
        }
        to = p;
        if (byte(p) == 0) isWrong = p < end;
        else if (p + 1 == end && !last) p = end;
        else {
          p = skipBlanks(p + 1, tab);
          mark = byte(p);
          isWrong = mark != delimiter && mark != LF && mark != CR && (mark != 0 || p < end);
        }
        // not closed
        if (byte(to) == 0 && to >= end) flag = SLOW;
      } else {
        p = cellEnd(plan, p);
        to = p;
        while (to > from && (byte(to - 1) == 0x20 || byte(to - 1) == tab)) to--;
        isWrong = byte(p) == 0 && p < end;
      }
      if (isWrong) {
        flag = SLOW;
        p = lineEnd(plan, p, end);
      }
      mark = byte(p);
      if (cells == 0) {
        const length = load<u32>(plan, 24);
        // perhaps the header again
        if (<u32>(to - from) == length && same(from, load<u32>(plan, 20), length)) flag = SLOW;
      }
      if (quoted || to > from || cells > 0 || isWrong) isBlank = false;
      if (flag == READ && cells < width) {
        const field = <usize>load<u32>(places + ((<usize>cells) << 2));
        if (field && !readCell(plan, field, from, to, quoted, row)) flag = SLOW;
      }
      cells++;
      if (mark != delimiter || isWrong) break;
      isBlank = false;
      p++;
    }
    const behind = p;
    if (p >= end) {
      if (!last) {
        p = start;
        store<u32>(plan, 1, 60);
        break;
      }
    } else if (mark == CR) {
      if (++p >= end && !last) {
        p = start;
        store<u32>(plan, 1, 60);
        break;
      }
      if (byte(p) == LF) p++;
    } else p++;
    if (isBlank) {
      count(plan + PENDING);
      continue;
    }
    store<u32>(plan, load<u32>(plan, 336) + load<u32>(plan + PENDING), 336);
    store<u32>(plan + PENDING, 0);
    if (cells != width) flag = SLOW;
    note(plan, row, start, behind, flag);
    if (flag == READ) endCounts(plan, row);
    row++;
  }
  store<u32>(plan, <u32>row, 56);
  return p;
}

/** Number of lines that end from p to end: at LF, at CRLF, and at CR where `cr` is 1. No line end may be cut at p. */
export function countLines(p: usize, end: usize, cr: u32): u32 {
  let lines: u32 = 0;
  /** whether the byte before p is a CR */
  let carry: i32 = 0;
  for (; p < end; p += 16) {
    const v = v128.load(p);
    const inside = p + 16 <= end ? 0xffff : (1 << <i32>(end - p)) - 1;
    const lf = i8x16.bitmask(i8x16.eq(v, i8x16.splat(0x0a))) & inside;
    lines += popcnt(lf);
    if (!cr) continue;
    const crs = i8x16.bitmask(i8x16.eq(v, i8x16.splat(0x0d))) & inside;
    lines += popcnt(crs) - popcnt(lf & ((crs << 1) | carry));
    carry = crs >> 15;
  }
  return lines;
}
