import { type Coefficient, coefficients as coefficientsOf, type Model } from '../../../../src/index.ts';
import { counted, significant } from '../../figures/wording.ts';
import { nearest } from '../../read/names.ts';
import { type Check, type Finding, finding } from './finding.ts';
import type { Given } from './rules.ts';

type Field = Model['fields'][number];

const show = (name: string): string => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
const listed = (names: readonly string[]): string =>
  names.length > 12
    ? `${names.slice(0, 12).map(show).join(', ')} and ${names.length - 12} more`
    : names.map(show).join(', ');

/** The text that is longest where nobody says. */
const LONGEST = 2 ** 20;

/** Why values that one field takes are refused by another. */
function narrower(own: Field, before: Field): string[] {
  const what = `field ${show(own.name)}`;
  // a category takes numbers too
  const isWider = own.type === before.type || (own.type === 'category' && before.type === 'number');
  if (!isWider) return [`${what} is of type ${own.type}, in the champion ${before.type}`];
  const found: string[] = [];
  if (!own.nullable && before.nullable) found.push(`${what} must not be missing`);
  if (own.strict) {
    const levels = new Set(own.levels);
    const lost = (before.levels ?? []).filter((level) => !levels.has(level));
    if (!before.strict) found.push(`${what} refuses categories that it does not know`);
    else if (lost.length > 0) found.push(`${what} refuses ${listed(lost)}`);
  }
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = own;
  if (low > (before.low ?? Number.NEGATIVE_INFINITY)) found.push(`${what} refuses numbers below ${low}`);
  if (high < (before.high ?? Number.POSITIVE_INFINITY)) found.push(`${what} refuses numbers above ${high}`);
  if ((own.maxText ?? LONGEST) < (before.maxText ?? LONGEST))
    found.push(`${what} refuses texts of more than ${own.maxText} characters`);
  return found;
}

/** Why records that the champion takes are refused by the candidate: an empty list, if none is. */
export function refusals(candidate: Model, champion: Model, newFields: readonly string[] = []): string[] {
  const before = new Map(champion.fields.map((field) => [field.name, field]));
  const found = candidate.fields.flatMap((field) => {
    const old = before.get(field.name);
    return old ? narrower(field, old) : [];
  });
  const added = candidate.fields
    .filter(({ name }) => !before.has(name) && !newFields.includes(name))
    .map(({ name }) => name);
  if (added.length > 0) found.push(`it requires new fields: ${listed(added)} (newFields allows them)`);
  return found;
}

/** Why scores of two models do not compare; null: they do. */
export function incomparable(candidate: Model, champion: Model): string | null {
  const [own, other] = [candidate.manifest, champion.manifest];
  if (own.classes.length !== other.classes.length || own.classes.some((name, k) => name !== other.classes[k]))
    return `the classes of the candidate are ${listed(own.classes)}, those of the champion ${listed(other.classes)}`;
  if (own.positive !== other.positive)
    return `the positive class of the candidate is ${show(String(own.positive))}, that of the champion ${show(String(other.positive))}`;
  return null;
}

export const schema: Check = ({ candidate, champion }, options) => {
  const apart = incomparable(candidate.model, champion.model);
  const found = [
    ...(apart === null ? [] : [apart]),
    ...refusals(candidate.model, champion.model, options['newFields'] as readonly string[] | undefined),
  ];
  const sentence =
    found.length === 0
      ? 'the candidate takes every record that the champion takes, and has its classes'
      : `${found.slice(0, 8).join('; ')}${found.length > 8 ? ` and ${found.length - 8} more` : ''}`;
  return [finding('schema', options, found.length === 0, sentence)];
};

const SIGNS: Readonly<Record<string, (value: number) => boolean>> = {
  positive: (value) => value > 0,
  negative: (value) => value < 0,
  zero: (value) => value === 0,
};

export const coefficients: Check = ({ candidate }, options): Finding[] => {
  const { feature, level, class: wanted } = options as Given & { feature: string; level?: string; class?: string };
  const of = [wanted, feature, level].filter((part) => part !== undefined).join(' ');
  const all = coefficientsOf(candidate.model);
  const fit = (part: keyof Coefficient, text: string | undefined, among: readonly Coefficient[]) =>
    text === undefined ? among : among.filter((one) => one[part] === text);
  let lines: readonly Coefficient[] = all;
  for (const [part, text] of [
    ['feature', feature],
    ['level', level],
    ['class', wanted],
  ] as const) {
    const left = fit(part, text, lines);
    if (left.length > 0) {
      lines = left;
      continue;
    }
    const known = [...new Set(lines.map((one) => String(one[part])))];
    const guess = nearest(text!, known);
    const next = guess ? `did you mean ${show(guess)}?` : `there are ${listed(known)}`;
    const why = `the candidate has no ${part} ${show(text!)}${part === 'feature' ? '' : ` of ${show(feature)}`}; ${next}`;
    return [finding('coefficients', options, 'not checked', why, {}, of)];
  }
  const lost = lines.find(({ value }) => value === null);
  if (lost)
    return [
      finding(
        'coefficients',
        options,
        'not checked',
        `the coefficient of ${show(lost.level ?? feature)} could not be estimated`,
        {},
        of,
      ),
    ];
  const {
    sign,
    least = Number.NEGATIVE_INFINITY,
    greatest = Number.POSITIVE_INFINITY,
  } = options as unknown as {
    sign?: string;
    least?: number;
    greatest?: number;
  };
  const fits = (value: number) => (sign === undefined || SIGNS[sign](value)) && value >= least && value <= greatest;
  const wrong = lines.filter(({ value }) => !fits(value!));
  const expected = [
    sign === undefined ? '' : sign,
    least > Number.NEGATIVE_INFINITY ? `at least ${least}` : '',
    greatest < Number.POSITIVE_INFINITY ? `at most ${greatest}` : '',
  ].filter(Boolean);
  const [worst] = wrong.length > 0 ? wrong : lines;
  const several = lines.length > 1 ? ` (${wrong.length} of ${counted(lines.length, 'coefficient')} are not)` : '';
  const name = [worst.level === null ? '' : `${show(worst.level)} of `, show(feature)].join('');
  const sentence = `the coefficient of ${name} is ${significant(worst.value, 4)}; expected ${expected.join(', ')}${several}`;
  return [finding('coefficients', options, wrong.length === 0, sentence, { value: worst.value!, least, greatest }, of)];
};
