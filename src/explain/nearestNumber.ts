import { applyTransform } from '../encode/power.ts';
import type { Feature } from '../encode/schema.ts';
import type { Explained, Scored } from './explained.ts';
import type { Found, Search } from './search.ts';
import { trainedEnds } from './trained.ts';

/** Number of parts in which each interval between knots is searched. */
const PARTS = 32;

/** Whether a feature reads a column of numbers. */
export const readsNumber = (feature: Feature): boolean =>
  OF_NUMBERS[feature.kind] && !('part' in feature && feature.part !== undefined);

const OF_NUMBERS: Readonly<Record<Feature['kind'], boolean>> = {
  numeric: true,
  curve: true,
  binned: true,
  categorical: false,
  date: false,
  target: false,
  hashed: false,
  cross: false,
  tokens: false,
};

/** The nearest number on either side that changes the label; a missing number starts at the mean. */
export function nearestNumber({ model, source, from, now, score }: Search): Found {
  const { features, name } = source;
  const range = rangeOf(features);
  const start = typeof from === 'number' || typeof from === 'bigint' ? Number(from) : (fillOf(features) ?? 0);
  const to = nearest(start, placesOf(features, start), (x) => {
    const then = score(x);
    return then
      ? { flips: then.label !== now.label, margin: marginOf(model, now, then) }
      : { flips: false, margin: Number.POSITIVE_INFINITY };
  });
  if (to === null) return { to, reason: `no value of ${JSON.stringify(name)} changes the label` };
  return { to, extrapolated: range !== null && (to < range[0] || to > range[1]) };
}

/**
 * Distance from another label: with two classes the logit in the direction of the label, with more the smallest lead over another class.
 */
function marginOf({ manifest }: Explained, now: Scored, { logit, logits }: Scored): number {
  if (!logits) return now.label === manifest.positive ? logit : -logit;
  const own = manifest.classes.indexOf(now.label);
  return logits.reduce(
    (least, z, k) => (k === own ? least : Math.min(least, logits[own] - z)),
    Number.POSITIVE_INFINITY,
  );
}

/** Least and greatest number of training; null for an offset. */
function rangeOf(features: readonly Feature[]): [number, number] | null {
  const ends = features.flatMap((feature) => trainedEnds(feature) ?? []);
  return ends.length > 0 ? [Math.min(...ends), Math.max(...ends)] : null;
}

/** The value of a missing number. */
function fillOf(features: readonly Feature[]): number | null {
  for (const feature of features) {
    if (feature.kind === 'numeric') return feature.mean;
    if (feature.kind === 'curve') return feature.fill;
  }
  const range = rangeOf(features);
  return range && (range[0] + range[1]) / 2;
}

/** The places to check, rising: where the logit bends or jumps, between them, and further and further out. */
function placesOf(features: readonly Feature[], start: number): number[] {
  const range = rangeOf(features) ?? [start, start];
  const bends = features.flatMap((feature) => bendsOf(feature, range));
  const sorted = [...new Set([...range, ...bends])].sort((a, b) => a - b);
  // one straight line, or bins, need no places between
  const curved = features.length > 1 || features.some((feature) => feature.kind === 'curve' && feature.knots);
  const between = curved
    ? sorted.slice(1).flatMap((end, i) => {
        const width = end - sorted[i];
        return Array.from({ length: PARTS - 1 }, (_, part) => sorted[i] + (width * (part + 1)) / PARTS);
      })
    : [];
  const least = sorted[0];
  const most = sorted[sorted.length - 1];
  const further: number[] = [];
  for (let reach = most - least || Math.abs(start) || 1; reach < 1e300; reach *= 4)
    further.push(least - reach, most + reach);
  return [...sorted, ...between, ...further].sort((a, b) => a - b);
}

/** Where the logit bends or jumps by a feature. */
function bendsOf(feature: Feature, [least, most]: readonly [number, number]): number[] {
  switch (feature.kind) {
    case 'binned':
      return [...feature.edges];
    case 'categorical':
    case 'target':
      // a number that is a level is unlike its neighbours
      return feature.levels.map(Number).filter(Number.isFinite);
    case 'curve': {
      const { transform, knots, low, high } = feature;
      const ends = [low, high].filter((end) => end !== null);
      const at = (knots ?? []).map((knot) =>
        transform ? solve((x) => applyTransform(transform, x), knot, least, most) : knot,
      );
      return [...ends, ...at];
    }
    case 'numeric':
    case 'date':
    case 'hashed':
    case 'cross':
    case 'tokens':
      return [];
  }
}

/** x in [low, high] with f(x) = target, f rising, by bisection. */
function solve(f: (x: number) => number, target: number, low: number, high: number): number {
  let [a, b] = [low, high];
  for (let step = 0; step < 100; step++) {
    const middle = a + (b - a) / 2;
    // a transform is NaN outside its domain, i.e. below its smallest number
    if (f(middle) > target) b = middle;
    else a = middle;
  }
  return b;
}

/** The score at a place: whether the label changes, and the distance from a change in logits. */
interface Place {
  readonly flips: boolean;
  readonly margin: number;
}

function nearest(start: number, places: readonly number[], at: (x: number) => Place): number | null {
  if (at(start).flips) return start;
  const found = [-1, 1].flatMap((side) => {
    const way = places.filter((place) => side * (place - start) > 0);
    if (side < 0) way.reverse();
    const to = firstFlip([start, ...way], at);
    return to === null ? [] : [to];
  });
  if (found.length < 2) return found[0] ?? null;
  return Math.abs(found[0] - start) <= Math.abs(found[1] - start) ? found[0] : found[1];
}

/** Finds the nearest double that flips the label, along places that lead away from the first. */
function firstFlip(way: readonly number[], at: (x: number) => Place): number | null {
  let before = way[0];
  let last = way[0];
  let high = Number.POSITIVE_INFINITY;
  let low = at(last).margin;
  for (const place of way.slice(1)) {
    const { flips, margin } = at(place);
    // a turn between the places: the label may change and change back
    if (low <= high && low < margin) {
      const turn = turnBetween(before, place, at);
      if (turn !== null) return bisect(before, turn, at);
    }
    if (flips) return bisect(last, place, at);
    before = last;
    last = place;
    high = low;
    low = margin;
  }
  return null;
}

/** A place that flips near the smallest margin between two places, by golden-section search; null if there is none. */
function turnBetween(from: number, to: number, at: (x: number) => Place): number | null {
  let [a, b] = [from, to];
  for (let step = 0; step < 60; step++) {
    const places = [b - GOLDEN * (b - a), a + GOLDEN * (b - a)];
    const [c, d] = places.map(at);
    if (c.flips || d.flips) return c.flips ? places[0] : places[1];
    if (c.margin < d.margin) b = places[1];
    else a = places[0];
  }
  return null;
}

/** (√5 − 1)/2 */
const GOLDEN = 0.6180339887498949;

/** The first double that flips, between one that does not and one that does, if the label changes once. */
function bisect(stays: number, flipped: number, at: (x: number) => Place): number {
  let [a, b] = [stays, flipped];
  for (;;) {
    const middle = a + (b - a) / 2;
    if (middle === a || middle === b) return b;
    if (at(middle).flips) b = middle;
    else a = middle;
  }
}
