import type { DatePart } from './schema.ts';

export const DATE_PARTS: readonly DatePart[] = [
  'year',
  'quarter',
  'month',
  'day',
  'weekday',
  'dayOfYear',
  'hour',
  'minute',
  'epochDays',
];

/** milliseconds */
export const DAY = 86_400_000;
export const HOUR = 3_600_000;
export const MINUTE = 60_000;
const SHAPE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * Milliseconds since 1970-01-01 00:00 UTC of a date or time in ISO 8601; null for anything else.
 *
 *   2024-05-03   2024-05-03T12:30   2024-05-03 12:30:15.5   2024-05-03T12:30Z   2024-05-03T12:30:15+02:00
 *
 * A time without zone is UTC. Years are 0000 to 9999, Gregorian throughout; fractions are cut to milliseconds. Impossible dates
 * (2023-02-29), hour 24, leap seconds and local forms (3/5/2024) are refused.
 */
export function parseDate(text: string): number | null {
  if (!SHAPE.test(text)) return null;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = text[16] === ':' ? digits(text, 17, 2) : 0;
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return null;
  const start = daysBefore(year, month);
  if (day > daysBefore(year, month + 1) - start) return null;
  const sign = Math.max(text.indexOf('+', 16), text.indexOf('-', 16));
  const zoneHour = sign < 0 ? 0 : digits(text, sign + 1, 2);
  const zoneMinute = sign < 0 ? 0 : digits(text, text.length - 2, sign + 3 < text.length ? 2 : 0);
  if (zoneHour > 23 || zoneMinute > 59) return null;
  const ahead = (zoneHour * HOUR + zoneMinute * MINUTE) * (text[sign] === '-' ? -1 : 1);
  const fraction = second * 1000 + milliseconds(text);
  return (start + day - 1) * DAY + hour * HOUR + minute * MINUTE + fraction - ahead;
}

/** The number in `count` digits from a place on; 0 beyond the end. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count && i < text.length; i++) value = value * 10 + text.charCodeAt(i) - 48;
  return value;
}

/** The fraction after the seconds, cut to three digits. */
function milliseconds(text: string): number {
  if (text[19] !== '.' && text[19] !== ',') return 0;
  let value = 0;
  for (let i = 20, unit = 100; i < 23; i++, unit /= 10) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) break;
    value += digit * unit;
  }
  return value;
}

/**
 * Days from 1970-01-01 to the first of a month (1 to 13) of the Gregorian calendar; years of 400 repeat.
 * @see Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil
 */
function daysBefore(year: number, month: number): number {
  // years begin in March, so that the leap day is their last
  const shifted = month > 2 ? year : year - 1;
  const fromMarch = month > 2 ? month - 3 : month + 9;
  const leaps = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  return shifted * 365 + leaps + Math.floor((153 * fromMarch + 2) / 5) - 719468;
}

/** Year, month and day of a day since 1970-01-01; the inverse of `daysBefore`. */
function dateOf(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month > 2 ? 0 : 1),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  };
}

const PARTS: Readonly<Record<DatePart, (days: number, milliseconds: number) => number>> = {
  year: (days) => dateOf(days).year,
  quarter: (days) => Math.ceil(dateOf(days).month / 3),
  month: (days) => dateOf(days).month,
  day: (days) => dateOf(days).day,
  weekday: (days) => ((((days + 3) % 7) + 7) % 7) + 1,
  dayOfYear: (days) => days - daysBefore(dateOf(days).year, 1) + 1,
  hour: (_, milliseconds) => Math.floor(milliseconds / HOUR),
  minute: (_, milliseconds) => Math.floor(milliseconds / MINUTE) % 60,
  epochDays: (days) => days,
};

/**
 * A part of a time, in UTC: months and days from 1, weekdays from Monday 1 to Sunday 7, `epochDays` whole days since 1970-01-01.
 * @param epochMs  milliseconds since 1970-01-01 00:00 UTC; NaN and ±Infinity give NaN
 */
export function partOf(epochMs: number, part: DatePart): number {
  const days = Math.floor(epochMs / DAY);
  return PARTS[part](days, epochMs - days * DAY);
}
