import type { Engine } from '../bindings/engine.ts';
import type { Model } from '../src/index.ts';
import { random, SEED } from './harness.ts';
import { calibrated, type Fields } from './ours.ts';

const LEVELS = [2, 3, 4, 5, 6, 8, 10, 12, 16, 50];
const WORDS = ['level', 'state', 'category', 'segment', 'area'];
const TARGET = 'target';
const names = (kind: string) => LEVELS.map((_, j) => `${kind}_${j}`);

/** The fields of records in their order: numbers, then texts. */
export const NUMBERS = names('number');
export const TEXTS = names('text');

/** How a number of records is drawn, from `next` in [−1, 1). */
type Draw = (next: () => number) => number;

const decimals: Draw = (next) => Math.round(next() * 10_000) / 100;
/** of 15 to 17 digits, as doubles print that were computed */
export const longDecimals: Draw = (next) => next() * 100 + next() / 2 ** 24;

interface Kind {
  readonly number?: Draw;
  /** of a number and a text */
  readonly pairs?: number;
}

/** Records with a target that depends on some of their fields. */
function draw(count: number, seed: number, { number = decimals, pairs = LEVELS.length }: Kind): Fields[] {
  const next = random(seed);
  const effect = random(SEED);
  const levelsOf = LEVELS.slice(0, pairs);
  const effects = levelsOf.map((levels) => Array.from({ length: levels }, effect));
  return Array.from({ length: count }, () => {
    const codes = levelsOf.map((levels) => Math.floor(((next() + 1) / 2) * levels));
    const numbers = codes.map(() => number(next));
    const logit = codes.reduce((sum, code, j) => sum + effects[j][code] + (numbers[j] * effects[j][0]) / 100, 0);
    return Object.fromEntries<number | string>([
      ...numbers.map((value, j) => [NUMBERS[j], value] as const),
      ...codes.map((code, j) => [TEXTS[j], `${WORDS[j % 5]} ${code}`] as const),
      [TARGET, (next() + 1) / 2 < 1 / (1 + Math.exp(-logit)) ? 1 : 0],
    ]);
  });
}

/** Records as JSON.parse gives them. */
export const asParsed = (records: readonly Fields[]): Fields[] => JSON.parse(JSON.stringify(records));

/** A model of the records, calibrated by Platt's method; and what it learned from. */
export function trained(
  engine: Engine,
  count: number,
  kind: Kind = {},
): { model: Model; training: Fields[]; held: Fields[] } {
  const [training, held] = [SEED, SEED + 1].map((seed) => asParsed(draw(count, seed, kind)));
  return { model: calibrated(engine, training, held, TARGET), training, held };
}

/** Records without a target, which the model has not seen. */
export function unseen(count: number, kind: Kind = {}): Fields[] {
  return draw(count, SEED + 2, kind).map(({ [TARGET]: _, ...fields }) => fields);
}
