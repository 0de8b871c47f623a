/** How labels are looked up: the place of a label in a table, from some of its characters and its length. */
export interface Places {
  /** the shortest label that has a place */
  readonly least: number;
  /** number of places, a power of two */
  readonly size: number;
  /** the place of a label of at least `least` characters, as source over `v` */
  readonly source: string;
}

/** A character of a label, counted from its start or its end. */
type Spot = { readonly start: number } | { readonly end: number };

/** More labels than this are looked up in a Map. */
const MOST = 2048;
/** Labels beyond this number share places; no search would part them. */
const MANY = 256;
/** How far from the ends characters are looked at. */
const REACH = 6;
/** Factors of up to three characters, of which the first is 1, and of the length. */
const FACTORS: readonly (readonly number[])[] = [
  [1, 5, 23, 11],
  [1, 16, 3, 7],
];

/**
 * Finds a place for each label, different ones if it can: it tries few characters before many, and small tables before large ones.
 * @returns null for no labels, and for too many
 */
export function findPlaces(all: readonly string[]): Places | null {
  const labels = all.filter((label) => label !== '');
  if (labels.length === 0 || labels.length > MOST) return null;
  const least = labels.reduce((length, label) => Math.min(length, label.length), REACH);
  const spots = Array.from({ length: least }, (_, i): Spot[] => [{ end: i + 1 }, { start: i }]).flat();
  const enough = 2 ** Math.ceil(Math.log2(Math.max(8, 2 * labels.length)));
  const sizes = labels.length > MANY ? [2 * enough] : [enough, 2 * enough, 4 * enough];
  let most = 0;
  let best: Places | null = null;
  for (let count = 1; count <= 3; count++) {
    for (const size of sizes) {
      for (const chosen of subsets(spots, count)) {
        for (const factors of FACTORS) {
          const taken = new Set(labels.map((label) => placeOf(label, chosen, factors, size))).size;
          if (taken <= most) continue;
          most = taken;
          best = { least, size, source: sourceOf(chosen, factors, size) };
          if (taken === labels.length) return best;
        }
      }
    }
  }
  return best;
}

function placeOf(label: string, spots: readonly Spot[], factors: readonly number[], size: number): number {
  const { length } = label;
  const sum = spots.reduce(
    (of, spot, i) => of + factors[i] * label.charCodeAt('end' in spot ? length - spot.end : spot.start),
    0,
  );
  return (sum + factors[3] * length) & (size - 1);
}

/** What `placeOf` computes. */
function sourceOf(spots: readonly Spot[], factors: readonly number[], size: number): string {
  const terms = spots.map(
    (spot, i) =>
      `${i > 0 ? `${factors[i]} * ` : ''}v.charCodeAt(${'end' in spot ? `v.length - ${spot.end}` : spot.start})`,
  );
  return `(${terms.join(' + ')} + ${factors[3]} * v.length) & ${size - 1}`;
}

/** All choices of `count` items, in order. */
function subsets<T>(items: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, i) => subsets(items.slice(i + 1), count - 1).map((rest) => [item, ...rest]));
}
