import { type Turn, turnsOf } from '../../src/encode/turn.ts';
import type { Model } from '../../src/model/model.ts';

/** What a generated module exports. */
export interface Compiled {
  readonly score: (record: object) => object;
  readonly probability: (record: object) => number;
  readonly sha256: string | null;
  readonly classes: readonly string[];
  readonly features: readonly string[];
}

/** The module of a source. */
export const load = (source: string): Promise<Compiled> =>
  import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(source).toString('base64')}`);

/** whole numbers below n, and shares, the same on every machine */
export function chance(seed: number) {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return { next, below, pick: <T>(items: readonly T[]): T => items[below(items.length)] };
}
type Chance = ReturnType<typeof chance>;

/** A value that a field may have: made anew for each record, as what it is may change when it is read. */
const HOSTILE: readonly (() => unknown)[] = [
  ...[undefined, null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 1e308, -1e308, 5e-324],
  ...[12n, -(2n ** 70n), true, false, '', ' ', 'x'.repeat(60), '1', '\ud800', '__proto__', 'constructor', '2024-05-03'],
  ...[Symbol('s'), {}, [], ['a', 2, null, true], [[1]], ['x', 'y'], () => 1, 20240312, 1.7e12, '1.7e12', '[1,"a"]'],
].map((value) => () => value);
const OBJECTS: readonly (() => unknown)[] = [
  () => new Date(1.7e12),
  () => new Date(Number.NaN),
  () => new Date(8.64e15),
  () => new String('a'),
  () => Object(5),
  () => Object.create(null),
];

/** A value that training may have had. */
function usual({ feature }: Turn, { pick, next, below }: Chance): unknown {
  switch (feature.kind) {
    case 'numeric':
    case 'curve':
    case 'binned': {
      if ('part' in feature) return new Date(1e12 + below(1000) * 1e8).toISOString().slice(0, pick([10, 16, 19]));
      const [low, high] =
        feature.kind === 'binned' ? [feature.edges[0], feature.edges.at(-1)!] : [feature.min, feature.max];
      return low + (high - low) * (1.1 * next() - 0.05);
    }
    case 'date':
      return new Date(1e12 + below(1000) * 1e8).toISOString().slice(0, pick([10, 16, 19]));
    case 'tokens': {
      const { tokens } = feature;
      const words = 'buckets' in tokens ? ['x', 'y', 'zz', 'word'] : tokens;
      const some = Array.from({ length: below(4) }, () => pick(words));
      return feature.split === 'words' ? some.join(' ') : pick([some, some.join(feature.split.separator)]);
    }
    case 'hashed':
      return pick(['a', 'b', 'c', 'Köln', 5]);
    case 'cross':
      return null;
    default: {
      const level = pick([...feature.levels, ...(('rare' in feature && feature.rare) || [])]);
      // as what it may stand for
      return next() < 0.1 && String(Number(level)) === level ? Number(level) : level;
    }
  }
}

/** A program of what the fields of one record are: it makes the same record each time. */
export function recordMaker(model: Model): (seed: number) => () => { record: unknown; log: string[] } {
  const { turns } = turnsOf(model.manifest.schema, model.stages.encoders ?? {});
  const { offset } = model.manifest;
  return (seed) => () => {
    const random = chance(seed);
    const { next, pick, below } = random;
    const log: string[] = [];
    if (next() < 0.002) return { record: pick([null, undefined, 5, 'text', () => 1, [], {}]), log };
    const strange = pick([0, 0, 0, 0.03, 0.03, 0.3]);
    const fields = turns.map((turn): [string, () => unknown] => {
      const value = usual(turn, random);
      return [turn.field, next() < strange ? pick([...HOSTILE, ...OBJECTS]) : () => value];
    });
    if (offset !== null) {
      const value = next() * 4 - 2;
      fields.push([offset, next() < strange ? pick(HOSTILE) : () => value]);
    }
    fields.push(['another', () => 1]);
    if (next() < strange) fields.splice(below(fields.length), 1);
    if (next() < 0.5) fields.sort(() => next() - 0.5);
    return { record: shaped(fields, random, log), log };
  };
}

const define = (target: object, name: string, how: PropertyDescriptor): void => {
  Object.defineProperty(target, name, { enumerable: true, configurable: true, ...how });
};

/** An object of one of the kinds that a caller may have. */
function shaped(fields: readonly [string, () => unknown][], { next, below }: Chance, log: string[]): object {
  const values = (target: object): object => {
    for (const [name, make] of fields) define(target, name, { value: make(), writable: true });
    return target;
  };
  const shape = next() < 0.6 ? 0 : 1 + below(6);
  if (shape === 1) return values(Object.create(null));
  if (shape === 2) return Object.create(values({}));
  if (shape === 3) return Object.freeze(values(new Map()));
  if (shape === 4) {
    const get = (target: object, name: string | symbol, self: unknown): unknown => {
      log.push(`get ${String(name)}`);
      return Reflect.get(target, name, self);
    };
    const has = (target: object, name: string | symbol): boolean => {
      log.push(`has ${String(name)}`);
      return Reflect.has(target, name);
    };
    return new Proxy(values({}), { get, has });
  }
  if (shape < 5) return values({});
  // instances with getters; some change their value, some throw
  class Instance {}
  const fails = next() < 0.2 ? below(fields.length) : -1;
  fields.forEach(([name, make], i) => {
    let reads = 0;
    const get = (): unknown => {
      log.push(`get ${name}`);
      reads++;
      if (i === fails) throw new RangeError(`boom ${reads}`);
      return shape === 5 || reads === 1 ? make() : reads;
    };
    define(Instance.prototype, name, { get });
  });
  return new Instance();
}

/** What a call gave: its value with the order of its keys, or all that an error says. */
export function outcomeOf(call: () => unknown): unknown {
  try {
    const value = call();
    return typeof value === 'object' ? { keys: Object.keys(value!), ...value } : value;
  } catch (error) {
    const { name, message } = error as Error;
    const { code, problems, detail, reason } = error as Record<string, unknown>;
    return { name, message, code, problems, detail, reason, own: Object.keys(error as object) };
  }
}
