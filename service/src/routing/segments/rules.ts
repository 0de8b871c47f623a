import { LogoddsError } from 'logodds/score';
import { checkRoute, type Route, type Target } from '../route.ts';

/** A value of a field; numbers and texts that look the same are the same. */
export type SegmentValue = string | number | boolean;

/** Numbers between two ends. */
export interface Band {
  readonly '>='?: number;
  readonly '>'?: number;
  readonly '<'?: number;
  readonly '<='?: number;
}

/** What a field must have: a value, one of several, none of several, or a number of a band. A missing value fits none of them. */
export type Condition =
  | SegmentValue
  | readonly SegmentValue[]
  | { readonly not: SegmentValue | readonly SegmentValue[] }
  | Band;

/** Which records a segment has, all conditions together; `otherwise`: those that no other one has. */
export type When = Readonly<Record<string, Condition>> | 'otherwise';

/** A part of the records, and what answers it. */
export interface Segment {
  readonly name: string;
  readonly when: When;
  /** a version of a model; a model without a version with its own route: the rollout of its registry; or a route that holds for this segment alone */
  readonly by: Target | Route;
}

/** What answers requests to a model by the values of its records. */
export interface Segments {
  /** what requests ask for */
  readonly name: string;
  /** no two have a record in common, and one is `otherwise` */
  readonly segments: readonly Segment[];
  /** fields that decide and that no model of them reads, with their types */
  readonly fields?: Readonly<Record<string, 'number' | 'category'>>;
}

/** The values of a record, by field. */
export type Values = (field: string) => unknown;

/** A value that no segment names; null: it was missing. */
export interface Unmatched {
  readonly field: string;
  readonly value: string | null;
}

/** What a condition allows: texts, all but some texts, or numbers. */
type Allowed =
  | { readonly kind: 'in' | 'not'; readonly texts: ReadonlySet<string> }
  | { readonly kind: 'band'; readonly low: number; readonly high: number; readonly open: readonly [boolean, boolean] };

const MOST_SEGMENTS = 100;
const ENDS = ['>=', '>', '<', '<='] as const;
export const NAME = /^[A-Za-z][\w.-]{0,63}$/;

export const isMissing = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || Number.isNaN(value);

const isValue = (value: unknown): value is SegmentValue =>
  ['string', 'number', 'boolean'].includes(typeof value) && !isMissing(value) && Math.abs(Number(value)) !== Infinity;

/** A decision by the values of records. */
export class SegmentRules {
  readonly segments: readonly Segment[];
  /** fields that decide, and whether all that is said of them are numbers of bands */
  readonly fields = new Map<string, 'number' | 'any'>();
  readonly #rules: readonly (readonly (readonly [field: string, allowed: Allowed])[] | null)[];
  readonly #otherwise: number;

  /** @throws ERR_RANGE for segments that decide nothing, or twice */
  constructor({ name, segments, fields = {} }: Segments) {
    const refuse = (what: string, rule: string, got: unknown, next: string): never => {
      throw new LogoddsError(
        'ERR_RANGE',
        `route ${name}, ${what}: expected ${rule}, got ${typeof got === 'string' ? got : JSON.stringify(got)}; ${next}`,
      );
    };
    if (!Array.isArray(segments) || segments.length === 0 || segments.length > MOST_SEGMENTS)
      refuse('segments', `1 to ${MOST_SEGMENTS}`, Array.isArray(segments) ? segments.length : 'something else', NEXT);
    for (const [field, type] of Object.entries(fields))
      if (type !== 'number' && type !== 'category')
        refuse(`fields, ${show(field)}`, 'number or category', type, 'correct it');
    const names = new Set<string>();
    for (const segment of segments) {
      const { name: own, when, by } = segment;
      if (typeof own !== 'string' || !NAME.test(own) || names.has(own))
        refuse('segments', 'a name of its own for each, of letters, digits, dots and dashes', own ?? 'none', 'name it');
      names.add(own);
      if (when === undefined) refuse(`segment ${own}`, 'when', 'none', 'write its conditions, or "otherwise"');
      if ('arms' in by) checkRoute(by);
    }
    this.segments = segments;
    this.#rules = segments.map(({ name: own, when }) => {
      if (when === 'otherwise') return null;
      const wrong = (field: string, rule: string, got: unknown) =>
        refuse(`segment ${own}${field && `, ${show(field)}`}`, rule, got, 'correct it');
      if (typeof when !== 'object' || when === null || Array.isArray(when) || Object.keys(when).length === 0)
        return wrong('', 'conditions by field, or "otherwise"', when);
      return Object.entries(when).map(([field, given]) => {
        const allowed = allowedBy(given, (rule, got) => wrong(field, rule, got));
        if (allowed.kind !== 'band' || this.fields.get(field) === undefined)
          this.fields.set(field, allowed.kind === 'band' ? 'number' : 'any');
        return [field, allowed] as const;
      });
    });
    const others = segments.filter(({ when }) => when === 'otherwise').map(({ name: own }) => own);
    if (others.length !== 1)
      refuse('segments', 'one of them "otherwise"', others.length === 0 ? 'none' : others.join(' and '), NEXT);
    this.#otherwise = this.#rules.indexOf(null);
    this.#rules.forEach((rule, k) => {
      const twin = this.#rules.findIndex((other, j) => j < k && rule && other && !areApart(rule, other));
      if (twin >= 0)
        refuse(
          'segments',
          'no record in two of them',
          `${segments[twin].name} and ${segments[k].name}, which may both have one`,
          'give one of them another condition, such as {"not": …}',
        );
    });
  }

  /** The index of the segment of a record. @param told  is called for each field of a record of `otherwise` that is missing, or has a value that none names */
  of(values: Values, told: (unmatched: Unmatched) => void): number {
    const found = this.#rules.findIndex((rule) => rule?.every(([field, allowed]) => isIn(allowed, values(field))));
    if (found >= 0) return found;
    for (const field of this.fields.keys()) {
      const value = values(field);
      if (isMissing(value)) told({ field, value: null });
      else if (!this.#rules.some((rule) => rule?.some(([of, allowed]) => of === field && isIn(allowed, value))))
        told({ field, value: typeof value === 'object' ? 'no value' : String(value) });
    }
    return this.#otherwise;
  }

  /** The segment of records that no other one has. */
  get otherwise(): number {
    return this.#otherwise;
  }
}

const NEXT = 'see "Segments" in the README of the service';
const show = (name: string): string => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);

function allowedBy(given: unknown, wrong: (rule: string, got: unknown) => never): Allowed {
  const textsOf = (value: unknown): ReadonlySet<string> => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const other = list.length === 0 ? 'none' : list.find((one) => !isValue(one));
    if (other !== undefined || list.includes(undefined))
      wrong('values: texts, numbers, true or false', other ?? 'none');
    return new Set(list.map(String));
  };
  if (Array.isArray(given) || typeof given !== 'object') return { kind: 'in', texts: textsOf(given) };
  if (given === null) return wrong('a value; what is missing is in no segment but the other one', 'null');
  const members = Object.keys(given);
  if (members.length === 1 && members[0] === 'not')
    return { kind: 'not', texts: textsOf((given as { readonly not: unknown }).not) };
  const band = given as Band;
  const other = members.find((member) => !(ENDS as readonly string[]).includes(member));
  if (other !== undefined || members.length === 0)
    wrong(`a value, a list of them, not, or a band of ${ENDS.join(', ')}`, other ?? '{}');
  const strange = ENDS.find((end) => band[end] !== undefined && !Number.isFinite(band[end]));
  if (strange) wrong('a number', band[strange]);
  if ((band['>='] !== undefined && band['>'] !== undefined) || (band['<='] !== undefined && band['<'] !== undefined))
    wrong('one end below and one above', band);
  const low = band['>='] ?? band['>'] ?? Number.NEGATIVE_INFINITY;
  const high = band['<='] ?? band['<'] ?? Number.POSITIVE_INFINITY;
  const open = [band['>'] !== undefined, band['<'] !== undefined] as const;
  if (low > high || (low === high && (open[0] || open[1]))) wrong('a band with numbers in it', band);
  return { kind: 'band', low, high, open };
}

function isIn(allowed: Allowed, value: unknown): boolean {
  if (isMissing(value) || typeof value === 'object') return false;
  if (allowed.kind === 'band') return typeof value === 'number' && isWithin(allowed, value);
  return allowed.texts.has(String(value)) === (allowed.kind === 'in');
}

const isWithin = ({ low, high, open }: Allowed & { kind: 'band' }, x: number): boolean =>
  (open[0] ? x > low : x >= low) && (open[1] ? x < high : x <= high);

type Rule = readonly (readonly [field: string, allowed: Allowed])[];

/** Whether no record fits both: there is a field of which they allow nothing in common. */
const areApart = (a: Rule, b: Rule): boolean =>
  a.some(([field, one]) => b.some(([other, two]) => field === other && areDisjoint(one, two)));

function areDisjoint(a: Allowed, b: Allowed): boolean {
  if (a.kind === 'band' && b.kind === 'band') {
    const [low, high] = a.low < b.low || (a.low === b.low && !a.open[0]) ? [a, b] : [b, a];
    return low.high < high.low || (low.high === high.low && (low.open[1] || high.open[0]));
  }
  const [one, other] = a.kind === 'in' ? [a, b] : [b, a];
  if (one.kind !== 'in') return false;
  const fits =
    other.kind === 'band'
      ? (text: string) => isWithin(other, Number(text))
      : (text: string) => other.texts.has(text) === (other.kind === 'in');
  return ![...one.texts].some(fits);
}
