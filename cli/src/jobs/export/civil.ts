/** Parts of a time in UTC, for languages that have no calendar: whole numbers in doubles. */

import type { DatePart } from '../../../../src/index.ts';

/** What such a language has. Arguments and results are printed. */
export interface Algebra {
  number(value: number): string;
  binary(sign: 'add' | 'subtract' | 'multiply', a: string, b: string): string;
  /** ⌊a / by⌋ */
  floor(a: string, by: number): string;
  /** whether a < b */
  less(a: string, b: string): string;
  choose(test: string, then: string, other: string): string;
}

/**
 * A part of milliseconds since 1970-01-01 00:00 UTC.
 * @see Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, 2013
 */
export function partOf(of: Algebra, part: DatePart, ms: string): string {
  const n = (value: number) => of.number(value);
  const add = (a: string, b: string) => of.binary('add', a, b);
  const sub = (a: string, b: string) => of.binary('subtract', a, b);
  const mul = (a: string, b: string) => of.binary('multiply', a, b);
  const floor = (a: string, by: number) => of.floor(a, by);
  const mod = (a: string, by: number) => sub(a, mul(floor(a, by), n(by)));
  const days = floor(ms, 86_400_000);
  const rest = sub(ms, mul(days, n(86_400_000)));
  if (part === 'epochDays') return days;
  if (part === 'hour') return floor(rest, 3_600_000);
  if (part === 'minute') return mod(floor(rest, 60_000), 60);
  if (part === 'weekday') return add(mod(add(days, n(3)), 7), n(1));
  const shifted = add(days, n(719_468));
  const era = floor(shifted, 146_097);
  const ofEra = sub(shifted, mul(era, n(146_097)));
  const leaps = sub(add(sub(ofEra, floor(ofEra, 1460)), floor(ofEra, 36_524)), floor(ofEra, 146_096));
  const yearOfEra = floor(leaps, 365);
  const ofYear = sub(ofEra, sub(add(mul(yearOfEra, n(365)), floor(yearOfEra, 4)), floor(yearOfEra, 100)));
  const fromMarch = floor(add(mul(ofYear, n(5)), n(2)), 153);
  const month = of.choose(of.less(fromMarch, n(10)), add(fromMarch, n(3)), sub(fromMarch, n(9)));
  const year = add(add(yearOfEra, mul(era, n(400))), of.choose(of.less(month, n(3)), n(1), n(0)));
  if (part === 'year') return year;
  if (part === 'quarter') return floor(add(month, n(2)), 3);
  if (part === 'month') return month;
  if (part === 'day') return add(sub(ofYear, floor(add(mul(fromMarch, n(153)), n(2)), 5)), n(1));
  const before = sub(year, n(1));
  const upTo = sub(add(mul(before, n(365)), add(floor(before, 4), floor(before, 400))), floor(before, 100));
  return add(sub(days, sub(upTo, n(719_162))), n(1));
}
