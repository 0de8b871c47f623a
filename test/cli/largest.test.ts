import { describe, expect, it } from 'vitest';
import { largestOf } from '../../cli/src/read/largest.ts';
import { random } from '../train/oracles.ts';

const next = random(5);
const { MAX_VALUE, MIN_VALUE } = Number;
const draws: readonly (readonly [string, () => number])[] = [
  ['different numbers', () => next()],
  ['few numbers', () => Math.floor(5 * next())],
  ['days in milliseconds', () => 864e5 * Math.floor(11_000 + 180 * next())],
  ['far ends of the numbers', () => [-MAX_VALUE, -1, -0, 0, MAX_VALUE][Math.floor(5 * next())]],
  ['the least numbers', () => MIN_VALUE * Math.floor(9 * next())],
  ['a few that are far from all others', () => (next() < 0.01 ? 1e300 : next())],
];

describe('the rows of the largest values are those of a sort', () => {
  it.each(draws)('%s', (_, draw) => {
    for (const fraction of [0.05, 0.2, 0.5, 0.9]) {
      for (const rows of [2, 3, 10, 1000]) {
        const values = Float64Array.from({ length: rows }, draw);
        const missing = rows === 1000 ? Uint8Array.from(values, () => Number(next() < 0.1)) : null;
        const known = values.filter((__, i) => !missing?.[i]);
        if (new Set(known).size === 1) continue;
        const flags = largestOf({ name: 'day', kind: 'numeric', values, missing }, rows, fraction);
        // equal values stay together, on the side that comes closer to the fraction
        const distances = [...new Set(known)]
          .map((cut) => known.filter((value) => value >= cut).length)
          .filter((held) => held < rows)
          .map((held) => Math.abs(held - fraction * rows));
        const held = flags.reduce((sum, flag) => sum + flag, 0);
        expect(Math.abs(held - fraction * rows)).toBeCloseTo(Math.min(...distances), 9);
        const least = Math.min(...values.filter((__, i) => flags[i]));
        expect([...flags]).toEqual([...values].map((value, i) => Number(!missing?.[i] && value >= least)));
      }
    }
  });
});
