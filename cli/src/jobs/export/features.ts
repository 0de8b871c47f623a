/** Each kind of feature as arithmetic: a table of kinds. */

import { type Feature, LogoddsError } from '../../../../src/index.ts';
import { bucketOf, CROSS, levelsOf } from '../../../../src/internal.ts';
import {
  add,
  atMost,
  both,
  call,
  choose,
  divide,
  either,
  field,
  less,
  local,
  missing,
  multiply,
  type Num,
  not,
  number,
  subtract,
  type Test,
} from './expression.ts';
import type { Check, Column, Input, Step } from './parts.ts';

type Of<Kind extends Feature['kind']> = Extract<Feature, { readonly kind: Kind }>;

/** What a feature adds to a plan. */
export interface Encoded {
  readonly inputs: readonly Input[];
  readonly steps: readonly Step[];
  readonly columns: readonly Omit<Column, 'slot'>[];
  /** when its value is a default; null: it is made of others */
  readonly defaulted: Test | null;
  readonly outOfRange: Test | null;
}

const nothing: Encoded = { inputs: [], steps: [], columns: [], defaulted: null, outOfRange: null };

const numberColumn = (value: Num): Omit<Column, 'slot'> => ({ kind: 'number', value, slots: 1 });
const codeColumn = (value: Num, slots: number): Omit<Column, 'slot'> => ({ kind: 'code', value, slots });

const sourceOf = (feature: { readonly name: string; readonly column?: string }): string =>
  feature.column ?? feature.name;

/** A field of numbers: what is there must be finite. */
function numberInput(name: string, mayMiss: boolean): Pick<Encoded, 'inputs' | 'steps'> {
  return {
    inputs: [{ name, holds: 'number', mayMiss }],
    steps: [
      ...gapChecks(name, mayMiss),
      { test: both(not(missing(name)), { op: 'infinite', of: field(name) }), field: name, rule: 'a finite number' },
    ],
  };
}

const gapChecks = (name: string, mayMiss: boolean): Check[] =>
  mayMiss ? [] : [{ test: missing(name), field: name, rule: 'a value' }];

/** The number that must be there: the offset. */
export const requiredNumber = (name: string): Encoded => ({ ...nothing, ...numberInput(name, false) });

/** A number, or a part of a time. */
function source(feature: Of<'curve'> | Of<'binned'> | Of<'date'>, mayMiss: boolean) {
  const name = sourceOf(feature);
  const { part } = feature;
  if (part === undefined) return { name, value: field(name), ...numberInput(name, mayMiss) };
  const value: Num = { op: 'part', part, field: name };
  const inputs: Input[] = [{ name, holds: 'time', mayMiss }];
  return { name, value, inputs, steps: gapChecks(name, mayMiss) as Step[] };
}

const bounds = (value: Num, low: number, high: number): Test =>
  either(less(value, number(low)), less(number(high), value));

function numeric(feature: Of<'numeric'>): Encoded {
  const { name, mean, min, max, indicator } = feature;
  const gap = missing(name);
  return {
    ...numberInput(name, true),
    columns: [
      numberColumn(choose(gap, number(mean), field(name))),
      ...(indicator ? [codeColumn(choose(gap, number(1), number(0)), 2)] : []),
    ],
    defaulted: gap,
    outOfRange: both(not(gap), bounds(field(name), min, max)),
  };
}

/** Codes of missing and unseen values of a feature with levels; −1: such a row is refused. */
function defaultsOf(feature: Of<'categorical'> | Of<'binned'> | Of<'date'> | Of<'cross'>) {
  const { levels, counts, reference } = feature;
  const codeOf = (policy: string, own: number): number => {
    if (policy === 'error') return -1;
    if (policy === 'slot') return own;
    if (policy === 'baseline' && reference !== null) return reference;
    let most = 0;
    for (let code = 1; code < levels.length; code++) if (counts[code] > counts[most]) most = code;
    return most;
  };
  return { gap: codeOf(feature.missing, levels.length), unseen: codeOf(feature.unseen, levels.length + 1) };
}

function categorical(feature: Of<'categorical'>): Encoded {
  const { levels, rare = [] } = feature;
  const name = sourceOf(feature);
  const { gap, unseen } = defaultsOf(feature);
  const table = new Map([
    ...levels.map((level, code) => [level, code] as const),
    ...rare.map((level) => [level, levels.length + 1] as const),
  ]);
  const isUnseen = both(not(missing(name)), { op: 'unknown', field: name, table });
  const rule = `one of the ${levels.length} levels seen in training`;
  return {
    inputs: [{ name, holds: 'text', mayMiss: gap >= 0 }],
    steps: [...gapChecks(name, gap >= 0), ...(unseen < 0 ? [{ test: isUnseen, field: name, rule }] : [])],
    columns: [
      codeColumn(
        choose(missing(name), number(Math.max(gap, 0)), {
          op: 'text',
          field: name,
          table,
          other: number(Math.max(unseen, 0)),
        }),
        levels.length + 2,
      ),
    ],
    defaulted: either(missing(name), isUnseen),
    outOfRange: null,
  };
}

function target(feature: Of<'target'>): Encoded {
  const { levels, values, missing: gapPolicy, unseen } = feature;
  const name = sourceOf(feature);
  const table = new Map(levels.map((level, code) => [level, code]));
  const isUnseen = both(not(missing(name)), { op: 'unknown', field: name, table });
  const mayMiss = gapPolicy !== 'error';
  const rule = `one of the ${levels.length} levels seen in training`;
  const [atGap, atUnseen] = [gapPolicy === 'slot' ? levels.length : levels.length + 1, levels.length + 1];
  return {
    inputs: [{ name, holds: 'text', mayMiss }],
    steps: [...gapChecks(name, mayMiss), ...(unseen === 'error' ? [{ test: isUnseen, field: name, rule }] : [])],
    columns: values.map((of) => {
      const own = new Map(levels.map((level, code) => [level, of[code]]));
      const known: Num = { op: 'text', field: name, table: own, other: number(of[atUnseen]) };
      return numberColumn(choose(missing(name), number(of[atGap]), known));
    }),
    defaulted: either(missing(name), isUnseen),
    outOfRange: null,
  };
}

function binned(feature: Of<'binned'>): Encoded {
  const { edges, levels, range } = feature;
  const { gap, unseen } = defaultsOf(feature);
  const { name, value, inputs, steps } = source(feature, gap >= 0);
  const [least, greatest] = [edges[0], edges[edges.length - 1]];
  const isOutside = bounds(value, least, greatest);
  const step: Num = { op: 'step', of: value, edges, values: levels.map((_, code) => code) };
  const isRefused = range !== 'clip' && unseen < 0;
  const rule = `a number from ${least} to ${greatest}`;
  // clipped: the first bin below, the last one above, as the steps have it
  const known = range === 'clip' ? step : choose(isOutside, number(Math.max(unseen, 0)), step);
  return {
    inputs,
    steps: [...steps, ...(isRefused ? [{ test: both(not(missing(name)), isOutside), field: name, rule }] : [])],
    columns: [codeColumn(choose(missing(name), number(Math.max(gap, 0)), known), levels.length + 2)],
    defaulted: either(missing(name), isOutside),
    outOfRange: null,
  };
}

function datePart(feature: Of<'date'>): Encoded {
  const { levels } = feature;
  const { gap, unseen } = defaultsOf(feature);
  const { name, value, inputs, steps } = source(feature, gap >= 0);
  const table = new Map(levels.map((level, code) => [Number(level), code]));
  const found: Num = { op: 'among', of: value, table, other: number(-1) };
  const isUnseen = both(not(missing(name)), less(found, number(0)));
  const rule = `one of the ${levels.length} levels seen in training`;
  return {
    inputs,
    steps: [...steps, ...(unseen < 0 ? [{ test: isUnseen, field: name, rule }] : [])],
    columns: [
      codeColumn(
        choose(missing(name), number(Math.max(gap, 0)), { ...found, other: number(Math.max(unseen, 0)) }),
        levels.length + 2,
      ),
    ],
    defaulted: either(missing(name), isUnseen),
    outOfRange: null,
  };
}

function curve(feature: Of<'curve'>): Encoded {
  const { low, high, range, missing: gapPolicy, fill, transform, knots, min, max } = feature;
  const { name, value, inputs, steps } = source(feature, gapPolicy !== 'error');
  const gap = missing(name);
  const isBelow = low === null ? null : less(value, number(low));
  const isAbove = high === null ? null : less(number(high), value);
  const isOutside = isBelow && isAbove ? either(isBelow, isAbove) : (isBelow ?? isAbove);
  const taken =
    range === 'clip'
      ? choosing(isBelow, number(low!), choosing(isAbove, number(high!), value))
      : choosing(isOutside, number(fill), value);
  const x = choose(gap, number(fill), taken);
  const [raw, curved] = [`${feature.name} x`, `${feature.name} t`];
  const t = transform === null ? local(raw) : transformed(transform, local(raw));
  const ends = `a number from ${low ?? '-Infinity'} to ${high ?? 'Infinity'}`;
  const domain = transform && domainOf(transform.name, local(raw));
  const rule = `a number that ${transform?.name ?? (knots ? 'the spline' : 'the schema')} takes`;
  const basis = knots === null ? [] : splineOf(knots, local(curved));
  const named = [
    { name: curved, value: t },
    ...basis.slice(1).map((value, j) => ({ name: `${feature.name} s${j + 1}`, value })),
  ];
  const isSlot = isOutside && range === 'slot' ? isOutside : null;
  const indicator = gapPolicy === 'slot' || range === 'slot';
  const flag = either2(gapPolicy === 'slot' ? gap : null, isSlot && both(not(gap), isSlot));
  return {
    inputs,
    steps: [
      ...steps,
      ...(transform?.name === 'logit'
        ? [{ test: both(not(gap), bounds(value, 0, 1)), field: name, rule: 'a probability from 0 to 1' }]
        : []),
      ...(range === 'error' && isOutside ? [{ test: both(not(gap), isOutside), field: name, rule: ends }] : []),
      { name: raw, value: x },
      ...(domain ? [{ test: not(domain), field: name, rule }] : []),
      ...named,
      ...named.map((own) => ({ test: { op: 'infinite', of: local(own.name) } as const, field: name, rule })),
    ],
    columns: [
      ...named.map(({ name }) => numberColumn(local(name))),
      ...(indicator ? [codeColumn(flag ? choose(flag, number(1), number(0)) : number(0), 2)] : []),
    ],
    defaulted: isOutside ? either(gap, isOutside) : gap,
    outOfRange: both(not(gap), isOutside ? both(not(isOutside), bounds(value, min, max)) : bounds(value, min, max)),
  };
}

const choosing = (test: Test | null, then: Num, other: Num): Num => (test ? choose(test, then, other) : other);
const either2 = (a: Test | null, b: Test | null): Test | null => (a && b ? either(a, b) : (a ?? b));

/** Where a transform is defined; null: everywhere. */
function domainOf(name: NonNullable<Of<'curve'>['transform']>['name'], x: Num): Test | null {
  switch (name) {
    case 'log':
    case 'box-cox':
      return less(number(0), x);
    case 'log1p':
      return less(number(-1), x);
    case 'sqrt':
      return atMost(number(0), x);
    case 'logit':
      return both(less(number(0), x), less(x, number(1)));
    case 'yeo-johnson':
      return null;
  }
}

/** As `applyTransform` of the library. */
function transformed(transform: NonNullable<Of<'curve'>['transform']>, x: Num): Num {
  const one = number(1);
  switch (transform.name) {
    case 'log':
      return call('ln', x);
    case 'log1p':
      return call('ln1p', x);
    case 'sqrt':
      return call('sqrt', x);
    case 'logit':
      return call('ln', divide(x, subtract(one, x)));
    case 'box-cox':
      return grown(transform.lambda, call('ln', x));
    case 'yeo-johnson': {
      const { lambda } = transform;
      const below = negated(grown(2 - lambda, call('ln1p', negated(x))));
      return choose(less(x, number(0)), below, grown(lambda, call('ln1p', x)));
    }
  }
}

const negated = (x: Num): Num => multiply(number(-1), x);

/** (e^(λu) − 1)/λ, u for λ = 0 */
function grown(lambda: number, u: Num): Num {
  if (Math.abs(lambda) < 1e-19) return u;
  const t = multiply(number(lambda), u);
  const far = call('exp', subtract(t, call('ln', number(Math.abs(lambda)))));
  return choose(less(number(709), t), lambda < 0 ? negated(far) : far, divide(call('expm1', t), number(lambda)));
}

/** The functions of a natural cubic spline, as `splineBasis` of the library. */
function splineOf(knots: readonly number[], x: Num): Num[] {
  const functions = knots.length - 2;
  const [beforeLast, last] = knots.slice(-2);
  const unit = 1 / ((last - knots[0]) * (last - knots[0]));
  const cubeAbove = (knot: number): Num => {
    const d = subtract(x, number(knot));
    return choose(less(number(0), d), multiply(multiply(d, d), d), number(0));
  };
  const basis = Array.from({ length: functions }, (_, j) => {
    const knot = knots[j];
    const ratio = (last - knot) / (last - beforeLast);
    const value = (last - knot) * (beforeLast - knot) * (last - knot + (last - beforeLast)) * unit;
    const slope = 3 * (last - knot) * (beforeLast - knot) * unit;
    const inside = multiply(subtract(cubeAbove(knot), multiply(cubeAbove(beforeLast), number(ratio))), number(unit));
    const line = add(number(value), multiply(number(slope), subtract(x, number(last))));
    return choose(less(x, number(last)), inside, line);
  });
  return [x, ...basis];
}

function hashed(feature: Of<'hashed'>): Encoded {
  const { buckets } = feature;
  const name = sourceOf(feature);
  const gap = hashGap(feature);
  const value: Num = { op: 'hash', field: name, buckets };
  return {
    inputs: [{ name, holds: 'text', mayMiss: gap >= 0 }],
    steps: gapChecks(name, gap >= 0),
    columns: [codeColumn(choose(missing(name), number(Math.max(gap, 0)), value), 2 * buckets + 2)],
    defaulted: missing(name),
    outOfRange: null,
  };
}

/** The slot of a missing cell; −1: it is refused. */
function hashGap({ buckets, counts, missing: policy }: Of<'hashed'>): number {
  if (policy === 'error') return -1;
  if (policy === 'slot') return 2 * buckets;
  let most = 0;
  for (let slot = 1; slot < 2 * buckets; slot++) if (counts[slot] > counts[most]) most = slot;
  return most;
}

/** Combinations that a table of an export may have. */
const MOST_CELLS = 1_000_000;

/**
 * What is made of the codes of other features.
 * @param codeOf  the code of a feature, by its name
 * @throws ERR_FORMAT for more combinations than a table may have
 */
export function crossOf(
  feature: Of<'cross'> | Of<'hashed'>,
  features: readonly Feature[],
  codeOf: (name: string) => Num,
): Encoded {
  const parts = feature.of!.map((name) => ({
    code: codeOf(name),
    levels: levelsOf(features.find((one) => one.name === name)!)!,
  }));
  const cells = parts.reduce((product, { levels }) => product * levels.length, 1);
  const { slots, slotOf, gap, unseen } = feature.kind === 'cross' ? knownCells(feature) : hashedCells(feature);
  if (cells > MOST_CELLS)
    throw new LogoddsError(
      'ERR_FORMAT',
      `feature "${feature.name}": expected at most ${MOST_CELLS} combinations of levels, got ${cells}; export to js, which has no table of them`,
    );
  const table = new Map<number, number>();
  const walk = (at: number, cell: number, names: readonly string[]): void => {
    if (at === parts.length) {
      const slot = slotOf(names.join(CROSS));
      if (slot !== null) table.set(cell, slot);
      return;
    }
    const { levels } = parts[at];
    for (const [code, level] of levels.entries()) walk(at + 1, cell * (levels.length + 2) + code, [...names, level]);
  };
  walk(0, 0, []);
  const cell = parts
    .slice(1)
    .reduce((sum, { code, levels }) => add(multiply(sum, number(levels.length + 2)), code), parts[0].code);
  const any = (past: number) =>
    parts
      .map(({ code, levels }): Test => {
        const own = number(levels.length + past);
        return both(atMost(own, code), atMost(code, own));
      })
      .reduce(either);
  const name = `${feature.name} cell`;
  const known: Num = { op: 'among', of: cell, table, other: number(unseen) };
  const value = choose(any(0), number(gap), choose(any(1), number(unseen), known));
  const isRefused = gap < 0 || unseen < 0;
  const rule = 'a combination seen in training';
  return {
    ...nothing,
    steps: [{ name, value }, ...(isRefused ? [{ test: less(local(name), number(0)), field: feature.name, rule }] : [])],
    columns: [codeColumn(local(name), slots)],
  };
}

function knownCells(feature: Of<'cross'>) {
  const { gap, unseen } = defaultsOf(feature);
  const codes = new Map(feature.levels.map((level, code) => [level, code]));
  const slotOf = (name: string): number | null => codes.get(name) ?? null;
  return { slots: feature.levels.length + 2, slotOf, gap, unseen };
}

function hashedCells(feature: Of<'hashed'>) {
  const { buckets } = feature;
  const slotOf = (name: string): number => {
    const { index, sign } = bucketOf(name, buckets);
    return sign < 0 ? buckets + index : index;
  };
  return { slots: 2 * buckets + 2, slotOf, gap: hashGap(feature), unseen: 2 * buckets + 1 };
}

const KINDS: {
  readonly [Kind in Exclude<Feature['kind'], 'cross' | 'tokens'>]: (feature: Of<Kind>) => Encoded;
} = { numeric, categorical, target, binned, date: datePart, curve, hashed };

/** @throws ERR_FORMAT for a feature of words */
export function encodedOf(feature: Exclude<Feature, Of<'cross'>>): Encoded {
  if (feature.kind === 'tokens')
    throw new LogoddsError(
      'ERR_FORMAT',
      `feature "${feature.name}": expected a kind that straight arithmetic has, got tokens; export to js, or leave it out of the model`,
    );
  return (KINDS[feature.kind] as (feature: Feature) => Encoded)(feature);
}
