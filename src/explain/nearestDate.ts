import { DAY, HOUR, MINUTE, parseDate, partOf } from '../encode/date.ts';
import type { DatePart, Feature } from '../encode/schema.ts';
import { type Found, flips, type Search, type Value } from './search.ts';
import { trainedEnds } from './trained.ts';

/** Range of the search in hours or minutes: it has each time of day on each weekday. */
const WEEK = 7 * DAY;
/** Ten years of days, leap days included */
const DAYS = 3653;

/** Whether a feature reads a column of dates. */
export const readsDate = (feature: Feature): boolean => datePartOf(feature) !== undefined;

const datePartOf = (feature: Feature): DatePart | undefined => ('part' in feature ? feature.part : undefined);

/** The nearest date that changes the label, by `shiftsOf`, written in the form of the record. */
export function nearestDate(search: Search): Found {
  const { source, from } = search;
  const name = JSON.stringify(source.name);
  const second = source.features.some((feature) => 'unit' in feature && feature.unit === 's') ? 1 : 1000;
  const moved = mover(from, second);
  if (moved === null) return { to: null, reason: `${name} is missing: there is no date to search from` };
  for (const shift of shiftsOf(source.features)) {
    const to = moved(shift);
    if (flips(search, to))
      return { to, extrapolated: source.features.some((feature) => isBeyond(feature, millisecondsOf(to, second))) };
  }
  return { to: null, reason: `no date within ten years of ${name} changes the label` };
}

/**
 * Milliseconds to add, the smallest first and later before earlier: whole hours or minutes of a week if features read them, then whole
 * days.
 */
function* shiftsOf(features: readonly Feature[]): Generator<number> {
  const parts = features.map(datePartOf);
  const unit = parts.includes('minute') ? MINUTE : parts.includes('hour') ? HOUR : DAY;
  for (let shift = unit; unit < DAY && shift <= WEEK; shift += unit) yield* [shift, -shift];
  for (let shift = unit < DAY ? WEEK + DAY : DAY; shift <= DAYS * DAY; shift += DAY) yield* [shift, -shift];
}

/**
 * Moves a date by whole minutes and keeps its form: zone, separator and seconds. null: there is no date.
 * @param second  length of a second in the unit of a number: 1000 or 1
 */
function mover(from: unknown, second: number): ((shift: number) => Value) | null {
  if (from instanceof Date) return (shift) => new Date(from.getTime() + shift);
  if (typeof from === 'number' || typeof from === 'bigint') return (shift) => Number(from) + (shift / 1000) * second;
  if (typeof from !== 'string') return null;
  if (parseDate(from) === null) return (shift) => String(Number(from) + (shift / 1000) * second);
  const start = parseDate(from.slice(0, 16))!;
  const isDay = from.length === 10;
  return (shift) => {
    const text = new Date(start + shift).toISOString();
    const time = text.slice(11, 16);
    return text.slice(0, 10) + (isDay ? (shift % DAY === 0 ? '' : `T${time}`) : `${from[10]}${time}${from.slice(16)}`);
  };
}

function millisecondsOf(date: Value, second: number): number {
  if (date instanceof Date) return date.getTime();
  return (typeof date === 'string' ? parseDate(date) : null) ?? (Number(date) / second) * 1000;
}

/** Whether a feature gets a number that its training rows did not have. */
function isBeyond(feature: Feature, milliseconds: number): boolean {
  const part = datePartOf(feature);
  if (part === undefined) return false;
  const x = partOf(milliseconds, part);
  const ends = trainedEnds(feature);
  if (ends) return x < ends[0] || x > ends[1];
  return feature.kind === 'date' && !feature.levels.includes(String(x));
}
