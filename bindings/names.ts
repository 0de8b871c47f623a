import { LogoddsError } from './errors.ts';

/** The name of a list that is most like `wanted`, for "did you mean"; case counts for little. */
export function nearest(wanted: string, names: readonly string[]): string | null {
  const most = Math.max(2, wanted.length / 3);
  // distances take the product of the lengths
  const near = wanted.length > 200 ? [] : names.filter((name) => Math.abs(name.length - wanted.length) <= most + 2);
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '');
  const distances = near.map((candidate) => editDistance(plain(wanted), plain(candidate)));
  const least = Math.min(...distances);
  return least <= most ? near[distances.indexOf(least)] : null;
}

/** Insertions, deletions and exchanges of a letter that make b of a (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

const among =
  (...names: readonly unknown[]) =>
  (value: unknown): boolean =>
    names.includes(value);

/** What an option may be, by the word for it in a message. */
const RULES = {
  'a number': (value) => typeof value === 'number',
  'true or false': (value) => typeof value === 'boolean',
  'a name': (value) => typeof value === 'string',
  'a list of names': (value) => isList(value) && value.every((name) => typeof name === 'string'),
  'a list of numbers': (value) => isList(value) && value.every((number) => typeof number === 'number'),
  'a function': (value) => typeof value === 'function',
  'balanced or an object': (value) => value === 'balanced' || (typeof value === 'object' && value !== null),
  'an object': (value) => typeof value === 'object' && value !== null,
  'true, false or an object': (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null),
  'onehot or treatment': /* @__PURE__ */ among('onehot', 'treatment'),
  'slot or error': /* @__PURE__ */ among('slot', 'error'),
  'slot or mode': /* @__PURE__ */ among('slot', 'mode'),
} satisfies Record<string, (value: unknown) => boolean>;

/** What an option must be where it is given; true: it is checked where it is used. */
export type OptionRule = keyof typeof RULES | true;

/**
 * Refuses options that a function does not have, for a misspelt one would be a default in silence, and those of another type.
 * @param what  whose options they are
 * @param of  those that there are
 * @throws ERR_RANGE naming the first, and the one that is most like it
 */
export function refuseUnknown(what: string, options: object, of: Readonly<Record<string, OptionRule>>): void {
  const known = Object.keys(of);
  if (typeof options !== 'object' || options === null) {
    throw new LogoddsError('ERR_RANGE', `${what}: expected an object of options, got ${tell(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) {
    for (const [name, rule] of Object.entries(of)) {
      if (rule === true || !(name in options)) continue;
      const value = (options as Record<string, unknown>)[name];
      if (value === undefined || RULES[rule](value)) continue;
      throw new LogoddsError(
        'ERR_RANGE',
        `${name}: expected ${rule}, got ${tell(value)}; leave it out for the default`,
      );
    }
    return;
  }
  const guess = nearest(unknown, known);
  const next = guess ? `did you mean ${quote(guess)}?` : `there are ${known.join(', ')}`;
  throw new LogoddsError('ERR_RANGE', `${what}: expected an option that exists, got ${quote(unknown)}; ${next}`);
}

const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** A value as a message shows it: text in quotes, of what is no scalar its type. */
export const tell = (value: unknown): string => {
  if (typeof value === 'string') return quote(value);
  return ['object', 'function', 'symbol'].includes(typeof value) && value !== null
    ? `a value of type ${typeof value}`
    : String(value);
};
