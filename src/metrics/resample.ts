import { LogoddsError } from '../../bindings/errors.ts';
import { tell } from '../../bindings/names.ts';
import { splitmix32 } from '../math/random.ts';
import { checkArray, type Weight } from './check.ts';

/** How rows are drawn again, with replacement. */
export interface Drawing {
  readonly rows: number;
  readonly weight: Weight;
  /** whether weights count rows: then each of the rows that one stands for is drawn on its own */
  readonly counts: boolean;
  /** of each row the code of its cluster: clusters are drawn, each with all its rows */
  readonly clusters: ArrayLike<number> | null;
  readonly seed: number;
}

/** Resamples of rows: each call writes the weight that every row has in the next one. */
export interface Resampler {
  /** how many rows, or clusters, there are to draw */
  readonly draws: number;
  next(into: Float64Array): void;
}

/** @throws ERR_SHAPE, ERR_RANGE clusters that are no codes */
export function resampler({ rows, weight, counts, clusters, seed }: Drawing): Resampler {
  const random = splitmix32(seed);
  const share = (row: number): number => (weight ? weight[row] : 1);
  if (clusters) {
    const { codes, draws } = clustersOf(clusters, rows, share);
    const times = new Uint32Array(draws);
    return {
      draws,
      next(into) {
        times.fill(0);
        for (let draw = 0; draw < draws; draw++) times[Math.floor(random() * draws)]++;
        for (let row = 0; row < rows; row++) into[row] = codes[row] < 0 ? 0 : times[codes[row]] * share(row);
      },
    };
  }
  const used: number[] = [];
  const ends: number[] = [];
  let draws = 0;
  for (let row = 0; row < rows; row++) {
    if (!(share(row) > 0)) continue;
    draws += counts ? share(row) : 1;
    used.push(row);
    ends.push(draws);
  }
  const isEven = draws === used.length;
  return {
    draws,
    next(into) {
      into.fill(0);
      for (let draw = 0; draw < draws; draw++) {
        const row = used[isEven ? Math.floor(random() * draws) : placeOf(ends, random() * draws)];
        into[row] += counts ? 1 : share(row);
      }
    },
  };
}

/** The first place whose end is above. */
function placeOf(ends: readonly number[], unit: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle] > unit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Clusters that have a row of positive weight, numbered from 0; −1 for rows of the others. */
function clustersOf(clusters: ArrayLike<number>, rows: number, share: (row: number) => number) {
  checkArray('clusters', clusters);
  if (clusters.length !== rows)
    throw new LogoddsError('ERR_SHAPE', `clusters: expected length ${rows} (as the labels), got ${clusters.length}`);
  const places = new Map<number, number>();
  const codes = new Int32Array(rows).fill(-1);
  for (let row = 0; row < rows; row++) {
    const code = clusters[row];
    if (!(Number.isInteger(code) && code >= 0))
      throw new LogoddsError('ERR_RANGE', `clusters: expected whole numbers >= 0, got ${tell(code)} at row ${row}`);
    if (!(share(row) > 0)) continue;
    if (!places.has(code)) places.set(code, places.size);
    codes[row] = places.get(code)!;
  }
  return { codes, draws: places.size };
}
