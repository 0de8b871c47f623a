import { refuse } from '../../../bindings/errors.ts';

/** Labels that are kept. */
const KEPT = 64;
/** Characters of a label that are kept. */
const LENGTH = 64;

/** A label of the sample: the hash of its row's number, and itself. */
export type SampledLabel = readonly [hash: number, label: string];

/** How often a label occurs, by the sample. */
export interface LabelShare {
  readonly label: string;
  /** share of the rows of the sample */
  readonly share: number;
  /** √(share·(1 − share)/rows of the sample); 0: the sample is all rows */
  readonly stdError: number;
}

/** Mixes 32 bits. @see Steele, Lea, Flood 2014 (the finaliser of `splitmix32`) */
export function mixed(x: number): number {
  let z = x ^ (x >>> 16);
  z = Math.imul(z, 0x21f0aaad);
  z ^= z >>> 15;
  z = Math.imul(z, 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

/** A hash of the number of a row or a block. */
export const hashOfRow = (row: number, seed: number): number => {
  const low = mixed((row >>> 0) ^ mixed(seed));
  return row < 2 ** 32 ? low : mixed(low ^ (row / 2 ** 32));
};

/**
 * A sample of the labels of rows, without replacement: those 64 whose rows have the least hash. A label that is frequent is in it in proportion. Any order of
 * rows and of merges gives the same sample, and a million labels take the place of 64.
 */
export class LabelSample {
  /** rising */
  #kept: SampledLabel[] = [];

  add(hash: number, label: string): void {
    const kept = this.#kept;
    if (kept.length === KEPT && hash > kept[KEPT - 1][0]) return;
    const one: SampledLabel = [hash, label.length > LENGTH ? `${label.slice(0, LENGTH - 1)}…` : label];
    let at = kept.length;
    while (at > 0 && isBefore(one, kept[at - 1])) at--;
    kept.splice(at, 0, one);
    if (kept.length > KEPT) kept.pop();
  }

  merge(other: LabelSample): void {
    for (const [hash, label] of other.#kept) this.add(hash, label);
  }

  /** The labels of the sample, the most frequent first. @param rows  that had one */
  shares(rows: number): LabelShare[] {
    const times = new Map<string, number>();
    for (const [, label] of this.#kept) times.set(label, (times.get(label) ?? 0) + 1);
    const n = this.#kept.length;
    return [...times]
      .sort(([a, k], [b, m]) => m - k || (a < b ? -1 : 1))
      .map(([label, k]) => ({ label, share: k / n, stdError: rows > n ? Math.sqrt(((k / n) * (1 - k / n)) / n) : 0 }));
  }

  toJSON(): readonly SampledLabel[] {
    return [...this.#kept];
  }

  /** @throws ERR_FORMAT */
  static from(list: unknown): LabelSample {
    const sample = new LabelSample();
    for (const one of Array.isArray(list) ? list : []) {
      if (!(Number.isInteger(one?.[0]) && one[0] >= 0 && typeof one[1] === 'string'))
        refuse('ERR_FORMAT', 'state', 'a list of hashes and labels', typeof one, 'save it again');
      sample.add(one[0], one[1]);
    }
    return sample;
  }
}

const isBefore = (a: SampledLabel, b: SampledLabel): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
