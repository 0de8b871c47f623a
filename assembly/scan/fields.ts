/*
 * What the readers of JSON and of CSV share. A reader fills the columns of a batch, as a plan says. It reads a record, with the bits that the host
 * gives, or leaves it to the host (SLOW): because it is unusual (escapes, a key that comes twice, numbers of 20 digits), or because it is wrong.
 *
 * Positions are addresses; a function that reads a part returns the position behind it, 0 for what is unusual or wrong. The 128 bytes
 * behind the input are 0, which no text, number or gap goes on with, so that no loop compares its position with the end.
 *
 * Plan (bytes; * is written here):
 *    0 u32 fields       address of the fields
 *    4 u32              number of fields
 *   28 u32 spans        of each row the position of its first byte, and that behind its last one (u32 each) *
 *   32 u32 flags        of each row READ or SLOW (u8) *
 *   36 u32              greatest number of rows
 *   40 u32 defaulted    of each row the share of features that took a default (f64) *
 *   44 u32 outside      of each row the share of features out of the range of training (f64) *
 *   48 u32 powers       tables of decimal()
 *   56 u32 rows *       rows read
 *   64 f64 features     that can take a default
 *   72 u32 left *       rows that are SLOW
 *   80 vectors of 16 equal bytes, because a load is faster than a constant: " \\ 0x1f 0 9
 *  160 masks of labels.ts
 *  192 10^0 … 10^8 (u64)
 *  264 u32 *, 268 u32 * of the record: features that took a default, that are out of range
 *  what else a reader needs: json.ts, csv.ts
 *
 * Field (64 bytes):
 *    0 u32 kind         NUMERIC, OTHER, else CODED and bytes of a code
 *    4 u32 cells        its column of the batch; of OTHER 16 bytes a row: f64 number, u32 position, u32 what is there
 *    8 u32 indicator    column of u8 that says whether it is missing; 0: none
 *   12 u32 stamp *
 *   16 f64 mean         of a missing number
 *   24 f64 min, 32 f64 max of training
 *   40 u32 labels       table of labels
 *   44 i32 gap          code of a missing cell; −1: it is refused
 *   48 i32 unseen       code of an unseen value; −1: it is refused, or the host decides
 *   52 u32 place *      among the keys in order
 */

export const READ: u8 = 0;
export const SLOW: u8 = 1;

export const NUMERIC: u32 = 0;
export const OTHER: u32 = 8;

export const MASKS: usize = 160;
export const TENS: usize = 192;
export const DEFAULTED: usize = 264;
export const OUTSIDE: usize = 268;

// @ts-ignore: decorator
@inline
export function byte(p: usize): u32 {
  return <u32>load<u8>(p);
}

/** which of the 16 bytes at p are digits, a bit each */
// @ts-ignore: decorator
@inline
export function digitsAt(plan: usize, p: usize): i32 {
  const v = i8x16.sub(v128.load(p), v128.load(plan, 128));
  return i8x16.bitmask(i8x16.eq(i8x16.min_u(v, v128.load(plan, 144)), v));
}

/** Writes a code. */
// @ts-ignore: decorator
@inline
export function storeCode(cells: usize, kind: u32, row: usize, code: u32): void {
  if (kind == 1) store<u8>(cells + row, code);
  else if (kind == 2) store<u16>(cells + (row << 1), code);
  else store<u32>(cells + (row << 2), code);
}

/** Counts an event of the record. */
// @ts-ignore: decorator
@inline
export function count(at: usize): void {
  store<u32>(at, load<u32>(at) + 1);
}

/** Notes that a number is missing, and what stands for it. Returns whether it may be. */
export function storeMissing(plan: usize, field: usize, out: usize, row: usize): bool {
  if (load<i32>(field, 44) < 0) return false;
  store<f64>(out, load<f64>(field, 16));
  count(plan + DEFAULTED);
  const indicator = <usize>load<u32>(field, 8);
  if (indicator) store<u8>(indicator + row, 1);
  return true;
}

/** Notes that a number is there, and whether it is out of the range of training. */
// @ts-ignore: decorator
@inline
export function noteNumber(plan: usize, field: usize, out: usize, row: usize): void {
  const indicator = <usize>load<u32>(field, 8);
  if (indicator) store<u8>(indicator + row, 0);
  const x = load<f64>(out);
  if (!(x >= load<f64>(field, 24) && x <= load<f64>(field, 32))) count(plan + OUTSIDE);
}

/** Writes what was counted of a record. */
// @ts-ignore: decorator
@inline
export function endCounts(plan: usize, row: usize): void {
  const defaulted = load<u32>(plan + DEFAULTED);
  const outside = load<u32>(plan + OUTSIDE);
  const features = load<f64>(plan, 64);
  store<f64>(<usize>load<u32>(plan, 40) + (row << 3), defaulted ? <f64>defaulted / features : 0);
  store<f64>(<usize>load<u32>(plan, 44) + (row << 3), outside ? <f64>outside / features : 0);
}

/** Notes a row and how it was read. */
// @ts-ignore: decorator
@inline
export function note(plan: usize, row: usize, start: usize, end: usize, flag: u8): void {
  store<u32>(plan, load<u32>(plan, 72) + flag, 72);
  const span = <usize>load<u32>(plan, 28) + (row << 3);
  store<u32>(span, <u32>start);
  store<u32>(span, <u32>end, 4);
  store<u8>(<usize>load<u32>(plan, 32) + row, flag);
}
