/*
 * UTF-8 as the standards have it: no overlong forms, no surrogates, nothing above U+10FFFF (Keiser and Lemire 2021, "Validating UTF-8
 * in less than one instruction per byte": three tables of 16 errors each, looked up by the nibbles of neighbouring bytes).
 */

const TOO_SHORT: u8 = 1 << 0;
const TOO_LONG: u8 = 1 << 1;
const OVERLONG_3: u8 = 1 << 2;
const TOO_LARGE: u8 = 1 << 3;
const SURROGATE: u8 = 1 << 4;
const OVERLONG_2: u8 = 1 << 5;
const TOO_LARGE_1000: u8 = 1 << 6;
const OVERLONG_4: u8 = 1 << 6;
const TWO_CONTS: u8 = 1 << 7;
const CARRY: u8 = TOO_SHORT | TOO_LONG | TWO_CONTS;
const LARGE: u8 = CARRY | TOO_LARGE | TOO_LARGE_1000;

/** the bytes `n` places before those of `now` */
// @ts-ignore: decorator
@inline
function before1(now: v128, previous: v128): v128 {
  return i8x16.shuffle(previous, now, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}
// @ts-ignore: decorator
@inline
function before2(now: v128, previous: v128): v128 {
  return i8x16.shuffle(previous, now, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
}
// @ts-ignore: decorator
@inline
function before3(now: v128, previous: v128): v128 {
  return i8x16.shuffle(previous, now, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
}

/** the errors of 16 bytes, 0 where there is none */
function errorsOf(now: v128, previous: v128): v128 {
  const one = before1(now, previous);
  const byHigh = i8x16.swizzle(
    i8x16(
      TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
      TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,
      TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
    ),
    i8x16.shr_u(one, 4),
  );
  const byLow = i8x16.swizzle(
    i8x16(
      CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY,
      CARRY | TOO_LARGE, LARGE, LARGE, LARGE,
      LARGE, LARGE, LARGE, LARGE, LARGE, LARGE | SURROGATE, LARGE, LARGE,
    ),
    v128.and(one, i8x16.splat(0x0f)),
  );
  const byNext = i8x16.swizzle(
    i8x16(
      TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
      TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
      TOO_LONG | OVERLONG_2 | TWO_CONTS | OVERLONG_3 | TOO_LARGE,
      TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
      TOO_LONG | OVERLONG_2 | TWO_CONTS | SURROGATE | TOO_LARGE,
      TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
    ),
    i8x16.shr_u(now, 4),
  );
  const special = v128.and(v128.and(byHigh, byLow), byNext);
  // a third or fourth byte of a character must go on, and only such
  const third = i8x16.sub_sat_u(before2(now, previous), i8x16.splat(0x60));
  const fourth = i8x16.sub_sat_u(before3(now, previous), i8x16.splat(0x70));
  return v128.xor(v128.and(v128.or(third, fourth), i8x16.splat(<i8>0x80)), special);
}

/** whether the bytes from p to end are UTF-8; the 16 bytes behind end must be 0 */
export function isUtf8(p: usize, end: usize): bool {
  let previous = i64x2.splat(0);
  let errors = i64x2.splat(0);
  while (p < end) {
    // characters of one byte
    while (p + 64 <= end) {
      const all = v128.or(v128.or(v128.load(p), v128.load(p, 16)), v128.or(v128.load(p, 32), v128.load(p, 48)));
      if (i8x16.bitmask(all)) break;
      if (i8x16.bitmask(previous)) break;
      p += 64;
    }
    if (p >= end) break;
    const now = v128.load(p);
    if (i8x16.bitmask(v128.or(now, previous))) errors = v128.or(errors, errorsOf(now, previous));
    previous = now;
    p += 16;
  }
  // a character cut off at the end is followed by zeros
  if (i8x16.bitmask(previous)) errors = v128.or(errors, errorsOf(i64x2.splat(0), previous));
  return !v128.any_true(errors);
}
