import { LogoddsError } from './errors.ts';

/** The name in a list that is most similar to `wanted`, for "did you mean". Differences of case count little. */
export function nearest(wanted: string, names: readonly string[]): string | null {
  const most = Math.max(2, wanted.length / 3);
  // a distance takes time proportional to the product of the lengths
  const near = wanted.length > 200 ? [] : names.filter((name) => Math.abs(name.length - wanted.length) <= most + 2);
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '');
  const distances = near.map((candidate) => editDistance(plain(wanted), plain(candidate)));
  const least = Math.min(...distances);
  return least <= most ? near[distances.indexOf(least)] : null;
}

/** Number of insertions, deletions and substitutions that turn a into b (Levenshtein). */
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

/** The check of an option, by its name in messages. */
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

/** The required type of a given option; true: the option is checked where it is used. */
export type OptionRule = keyof typeof RULES | true;

/**
 * Refuses unknown options and options of another type: a misspelt option would silently be the default.
 * @param what  function or object with these options
 * @param of  the known options
 * @throws ERR_RANGE naming the first unknown one and the most similar known one
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

/** A value in a message: text in quotes, or the type of anything that is not a scalar. */
export const tell = (value: unknown): string => {
  if (typeof value === 'string') return quote(value);
  return ['object', 'function', 'symbol'].includes(typeof value) && value !== null
    ? `a value of type ${typeof value}`
    : String(value);
};
