import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CurveFeature, Schema, TokensFeature } from '../../src/encode/schema.ts';
import { slotNames } from '../../src/encode/slots.ts';
import { whatIf } from '../../src/explain/whatIf.ts';
import { outcomes } from '../../src/model/outcomes.ts';
import { classModel, smallModel } from '../model/parts.ts';
import { RICH, seededModel } from './models.ts';

/** the double next to x in a direction */
function next(x: number, up: boolean): number {
  const [float, bits] = [new Float64Array(1), new BigInt64Array(1)];
  const view = new DataView(bits.buffer);
  float[0] = x === 0 ? (up ? Number.MIN_VALUE : -Number.MIN_VALUE) : x;
  if (x === 0) return float[0];
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 === up ? 1n : -1n));
  return view.getFloat64(0);
}

describe('a straight line', () => {
  const records = fc.record({
    age: fc.double({ min: -200, max: 200, noNaN: true }),
    city: fc.constantFrom('Bonn', 'Köln'),
  });

  test('the double before the answer does not flip, the answer does', () => {
    fc.assert(
      fc.property(records, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (record, threshold) => {
        const model = smallModel({ decision: { threshold } });
        const { to, score, from, extrapolated, reason } = whatIf(model, record, 'age');
        const { label } = model.score(record);
        expect(from).toBe(record.age);
        expect(reason).toBe(null);
        expect(score).toEqual(model.score({ ...record, age: to }));
        expect(score!.label).not.toBe(label);
        expect(model.score({ ...record, age: next(to as number, (to as number) < record.age) }).label).toBe(label);
        expect(extrapolated).toBe((to as number) < 20 || (to as number) > 60);
        // the closed form: (log(t/(1 − t)) − z)/w
        const line = record.age + (Math.log(threshold / (1 - threshold)) - model.score(record).logit) / 0.25;
        expect(Math.abs((to as number) - line)).toBeLessThan(1e-11 * (1 + Math.abs(line) + Math.abs(record.age)));
      }),
    );
  });

  test('of three classes the nearest other one', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 80, noNaN: true }), (age) => {
        const model = classModel();
        const record = { age, city: 'Bonn' };
        const { label } = model.score(record);
        const to = whatIf(model, record, 'age').to as number;
        expect(model.score({ ...record, age: to }).label).not.toBe(label);
        for (let part = 0; part < 50; part++) {
          const between = age + ((to - age) * part) / 50;
          for (const place of [between, 2 * age - between])
            expect(model.score({ ...record, age: place }).label).toBe(label);
        }
      }),
    );
  });

  test('through a calibration', () => {
    const isotonic = { method: 'isotonic', logits: [-4, -1, 1, 3], probabilities: [0, 0.2, 0.6, 0.9] } as const;
    const model = smallModel(
      { calibration: { method: 'isotonic', calibrators: [isotonic], shift: [], by: null } },
      { stages: { outcomes } },
    );
    // p = 0.5 at z = 0.5: age 42
    expect(whatIf(model, { age: 30, city: 'Bonn' }, 'age').to).toBeCloseTo(42, 10);
    const never = smallModel(
      {
        calibration: { method: 'isotonic', calibrators: [isotonic], shift: [], by: null },
        decision: { threshold: 0.95 },
      },
      { stages: { outcomes } },
    );
    const none = whatIf(never, { age: 30, city: 'Bonn' }, 'age');
    expect([none.to, none.score, none.reason]).toEqual([null, null, 'no value of "age" changes the label']);
  });

  test('a weight of 0, a missing number, an offset', () => {
    const weightless = smallModel({}, { weights: new Float64Array(7) });
    expect(whatIf(weightless, { age: 30, city: 'Bonn' }, 'age').reason).toBe('no value of "age" changes the label');
    // filled in with the mean the logit is 0, not above the threshold; just above it the label changes
    const filled = whatIf(smallModel(), { age: null, city: 'Bonn' }, 'age');
    expect([filled.from, filled.to]).toEqual([null, next(40, true)]);
    const offset = smallModel({ offset: 'exposure' });
    expect(whatIf(offset, { age: 30, city: 'Bonn', exposure: -1 }, 'exposure').to).toBeCloseTo(2.5, 12);
  });
});

describe('categories', () => {
  test('the level of the smallest change of the logit', () => {
    const features: Schema['features'] = [
      { name: 'x', kind: 'numeric', mean: 0, scale: 1, min: -1, max: 1, indicator: false },
      {
        name: 'code',
        kind: 'categorical',
        column: 'city',
        levels: ['a', 'b', 'c', '7'],
        rare: ['d'],
        counts: [1, 1, 1, 1, 0],
        coding: 'onehot',
        reference: null,
        missing: 'slot',
        unseen: 'slot',
      },
    ];
    // x, a, b, c, 7, missing, unseen
    const parts = {
      weights: Float64Array.of(1, -1, 2, 0.5, 1, 9, 0.25),
      intercept: Float64Array.of(0),
      baseline: null,
    };
    const model = seededModel({ features }, 1, parts);
    const whatIfCity = (record: Record<string, unknown>) => whatIf(model, record, 'city').to;
    expect(whatIfCity({ x: 0, city: 'a' })).toBe('d'); // the rare level, +1.25
    expect(whatIfCity({ x: -0.3, city: 'a' })).toBe('c');
    expect(whatIfCity({ x: -0.5, city: 7.5 })).toBe(7); // as the record writes it
    expect(whatIfCity({ x: 0, city: 'b' })).toBe('a');
    expect(whatIfCity({ x: 0, city: null })).toBe('a'); // missing is no answer, only a start
    const none = whatIf(model, { x: 5, city: 'b' }, 'city');
    expect([none.to, none.reason]).toEqual([null, 'no level of "city" changes the label']);
  });

  test('with crosses and bins of other columns: exhaustive search agrees', () => {
    const record = fc.record({
      seed: fc.nat(100),
      age: fc.double({ min: 20, max: 60, noNaN: true }),
      income: fc.double({ min: 0, max: 50, noNaN: true }),
      city: fc.constantFrom('Bonn', 'Köln'),
    });
    let found = 0;
    fc.assert(
      fc.property(record, ({ seed, ...one }) => {
        const model = seededModel(RICH, seed);
        const now = model.score(one);
        const other = one.city === 'Bonn' ? 'Köln' : 'Bonn';
        const flips = model.score({ ...one, city: other }).label !== now.label;
        if (flips) found++;
        expect(whatIf(model, one, 'city').to).toBe(flips ? other : null);
      }),
    );
    expect(found).toBeGreaterThan(0);
  });
});

describe('bins, splines and several features of one column', () => {
  const inputs = fc.record({
    age: fc.double({ min: 15, max: 65, noNaN: true }),
    income: fc.double({ min: -3, max: 55, noNaN: true }),
    city: fc.constantFrom('Bonn', 'Köln'),
  });

  /** nearest of a fine grid that flips */
  const byGrid = (
    model: ReturnType<typeof seededModel>,
    record: Record<string, unknown>,
    column: string,
    low: number,
    high: number,
  ) => {
    const now = model.score(record).label;
    const start = record[column] as number;
    let best: number | null = null;
    for (let part = 0; part <= 4000; part++) {
      const x = low + ((high - low) * part) / 4000;
      if (model.score({ ...record, [column]: x }).label === now) continue;
      if (best === null || Math.abs(x - start) < Math.abs(best - start)) best = x;
    }
    return best;
  };

  test.each(['age', 'income'])('nothing on a fine grid is nearer: %s', (column) => {
    let answers = 0;
    fc.assert(
      fc.property(inputs, fc.integer({ min: 1, max: 500 }), (record, seed) => {
        const model = seededModel(RICH, seed);
        const start = record[column as 'age'];
        const { to, score } = whatIf(model, record, column);
        const grid = byGrid(model, record, column, -50, 130);
        if (grid !== null) {
          expect(to).not.toBe(null);
          expect(Math.abs((to as number) - start)).toBeLessThanOrEqual(Math.abs(grid - start));
        }
        if (to !== null) {
          answers++;
          expect(score!.label).not.toBe(model.score(record).label);
          expect(model.score({ ...record, [column]: next(to as number, (to as number) < start) }).label).toBe(
            model.score(record).label,
          );
        }
      }),
      { numRuns: 60 },
    );
    expect(answers).toBeGreaterThan(3);
  });

  test('a bin is left at its edge: upwards at the edge itself, downwards just below it', () => {
    const features = RICH.features.filter(({ name }) => name === 'income bins');
    const parts = { weights: Float64Array.of(-1, 1, -1, 0, 0), intercept: Float64Array.of(0), baseline: null };
    const model = seededModel({ features }, 1, parts);
    expect(whatIf(model, { income: 8 }, 'income').to).toBe(10);
    expect(whatIf(model, { income: 19 }, 'income').to).toBe(20);
    expect(whatIf(model, { income: 11 }, 'income').to).toBe(next(10, false));
    expect(whatIf(model, { income: 49 }, 'income').to).toBe(next(20, false));
  });

  test('a turn of a spline between two places is found', () => {
    const curve = { ...(RICH.features[1] as CurveFeature), knots: [20, 40, 60] };
    // rises, then falls: the top is at one place only, and the threshold just below it
    const weights = Float64Array.of(0.1, -0.4);
    const schema = { features: [curve] };
    const plain = seededModel(schema, 1, { weights, intercept: Float64Array.of(0), baseline: null });
    const logit = (age: number) => plain.score({ age }).logit;
    let top = 20;
    for (let age = 20; age < 60; age += 0.001) if (logit(age) > logit(top)) top = age;
    const model = seededModel(schema, 1, { weights, intercept: Float64Array.of(-logit(top) + 1e-6), baseline: null });
    for (const age of [20, 59]) {
      const { to } = whatIf(model, { age }, 'age');
      expect(Math.abs((to as number) - top)).toBeLessThan(0.1);
    }
  });

  test('nothing on a fine grid is nearer: splines of many turns', () => {
    const curve = { ...(RICH.features[1] as CurveFeature), knots: [20, 22, 40, 58, 60] };
    const weight = fc.integer({ min: -100, max: 100 });
    fc.assert(
      fc.property(
        fc.tuple(weight, weight, weight, weight),
        fc.integer({ min: 20, max: 60 }),
        fc.integer({ min: 20, max: 60 }),
        ([a, b, c, d], from, pivot) => {
          const weights = Float64Array.of(a / 40, b / 20, c / 20, d / 20);
          const make = (intercept: number) =>
            seededModel({ features: [curve] }, 1, { weights, intercept: Float64Array.of(intercept), baseline: null });
          // the logit is 0 at the pivot
          const model = make(-make(0).score({ age: pivot }).logit);
          const { to } = whatIf(model, { age: from }, 'age');
          const grid = byGrid(model, { age: from }, 'age', 10, 70);
          // the pivot is on the grid: there the sign of the logit is that of its rounding
          if (grid !== null) expect(Math.abs((to as number) - from)).toBeLessThanOrEqual(Math.abs(grid - from) + 1e-9);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a dip between knots is found though the places around it rise', () => {
    // second derivative 0, −1, 1, 0 at the knots, slope 1.7 at 10: up to 12.2, down to 17.8, up again; below 9.8 nothing changes
    const curve: CurveFeature = {
      ...(RICH.features[1] as CurveFeature),
      knots: [0, 10, 20, 30],
      low: 9.8,
      min: 9.8,
      max: 30,
    };
    const make = (intercept: number) =>
      seededModel({ features: [curve] }, 1, {
        weights: Float64Array.of(6.7, -15, 45),
        intercept: Float64Array.of(intercept),
        baseline: null,
      });
    const model = make(1 - make(0).score({ age: 10 }).logit);
    const { to } = whatIf(model, { age: 9.9 }, 'age');
    const grid = byGrid(model, { age: 9.9 }, 'age', 0, 60) as number;
    expect(grid).toBeGreaterThan(15);
    expect(to).toBeLessThanOrEqual(grid);
    expect(model.score({ age: to }).label).toBe('no');
  });

  test('knots behind a transform, and ends that refuse', () => {
    const curve: CurveFeature = {
      ...(RICH.features[1] as CurveFeature),
      transform: { name: 'log' },
      knots: [1, 3, 5],
      low: 1,
      high: 500,
      min: 1,
      max: 500,
      range: 'error',
    };
    const schema = { features: [curve] };
    const model = seededModel(schema, 1, {
      weights: Float64Array.of(1, 0.1),
      intercept: Float64Array.of(-3),
      baseline: null,
    });
    const { to } = whatIf(model, { age: 2 }, 'age');
    expect(model.score({ age: to }).label).toBe('yes');
    expect(model.score({ age: next(to as number, false) }).label).toBe('no');
    const out = seededModel(schema, 1, {
      weights: Float64Array.of(1, 0.1),
      intercept: Float64Array.of(-300),
      baseline: null,
    });
    expect(whatIf(out, { age: 2 }, 'age').reason).toBe('no value of "age" changes the label');
  });
});

const TAGS: TokensFeature = {
  name: 'tags',
  kind: 'tokens',
  split: { separator: ';' },
  tokens: ['a', 'b', 'c', 'd', '7'],
  missing: 'baseline',
  unseen: 'baseline',
  means: [0, 0, 0, 0, 0],
  scales: [1, 1, 1, 1, 1],
};
const WORDS: TokensFeature = {
  ...TAGS,
  name: 'words',
  column: 'text',
  split: 'words',
  tokens: ['good', 'bad', 'ok', 'straße', 'film'],
};

describe('words and tags', () => {
  const features: Schema['features'] = [
    TAGS,
    // a second list of the same column: the effects of its tokens add up
    { ...TAGS, name: 'more tags', column: 'tags', tokens: ['b', 'e'], means: [0, 0], scales: [1, 1] },
    WORDS,
  ];
  const entry = fc.constantFrom('a', 'b', 'c', 'd', '7', 'e', ' a ', 'unknown');
  const inputs = fc.record({
    tags: fc.oneof(
      fc.constant(null),
      fc.array(fc.oneof(entry, fc.constant(7))),
      fc.array(entry).map((list) => list.join(';')),
      fc.array(entry).map((list) => JSON.stringify(list)),
    ),
    text: fc.oneof(
      fc.constant(null),
      fc
        .array(fc.constantFrom('Good', 'bad,', '(ok)', 'STRASSE', 'Straße!', 'film', 'I', 'unknown'))
        .map((list) => list.join(' ')),
    ),
  });

  test.each([
    ['two classes', false, 'tags'],
    ['three classes', true, 'tags'],
    ['two classes', false, 'text'],
    ['three classes', true, 'text'],
  ] as const)('no fewer tokens change the label, of all subsets: %s, %s', (_, classes, column) => {
    const vocabulary = column === 'tags' ? ['a', 'b', 'c', 'd', '7', 'e'] : [...(WORDS.tokens as string[])];
    const tokensIn = (value: unknown): string[] => {
      if (value === null) return [];
      if (column === 'text')
        return (
          String(value)
            .toLowerCase()
            .match(/[a-zß]{2,}/g) ?? []
        );
      const list = typeof value === 'string' ? (value.startsWith('[') ? JSON.parse(value) : value.split(';')) : value;
      return (list as unknown[]).map((one) => String(one).trim()).filter((one) => one !== '');
    };
    const sizes: number[] = [];
    fc.assert(
      fc.property(inputs, fc.nat(10_000), fc.integer({ min: -3, max: 3 }), (record, seed, intercept) => {
        const parts = classes ? { classes } : { intercept: Float64Array.of(intercept) };
        const make = () => seededModel({ features }, seed, parts);
        const model = make();
        // weights of tokens are numbers: some units, so that one is seldom enough
        for (let i = 0; i < model.weights.length; i++) model.weights[i] *= 20;
        const { to, tokens, score, reason } = whatIf(model, record, column);
        const { label } = model.score(record);
        const here = tokensIn(record[column]);
        let fewest = Number.POSITIVE_INFINITY;
        for (let subset = 1; subset < 2 ** vocabulary.length; subset++) {
          const changed = vocabulary.filter((_, i) => (subset >> i) & 1);
          const list = [
            ...here.filter((one) => !changed.includes(one)),
            ...changed.filter((one) => !here.includes(one)),
          ];
          const value = column === 'tags' ? list : list.join(' ');
          if (model.score({ ...record, [column]: value }).label !== label) fewest = Math.min(fewest, changed.length);
        }
        sizes.push(fewest);
        if (fewest === Number.POSITIVE_INFINITY) {
          expect([to, tokens, score]).toEqual([null, null, null]);
          const what = column === 'tags' ? 'tags' : 'words';
          expect(reason).toBe(`no ${what} added to or removed from "${column}" change the label`);
          return;
        }
        const { added, removed } = tokens!;
        expect(added.length + removed.length).toBe(fewest);
        expect(tokensIn(to)).toEqual([...here.filter((one) => !removed.includes(one)), ...added]);
        expect(removed.every((one) => here.includes(one)) && !added.some((one) => here.includes(one))).toBe(true);
        expect(score).toEqual(model.score({ ...record, [column]: to }));
        expect(score!.label).not.toBe(label);
        expect(typeof to).toBe(record[column] === null && column === 'text' ? 'string' : typeof record[column]);
      }),
      { numRuns: 150 },
    );
    expect([1, 2, 3].every((size) => sizes.includes(size))).toBe(true);
    expect(sizes).toContain(Number.POSITIVE_INFINITY);
  });

  test('the answer is in the form of the record', () => {
    const model = (features: Schema['features'], weights: number[], intercept: number) =>
      seededModel({ features }, 1, {
        weights: Float64Array.from(weights),
        intercept: Float64Array.of(intercept),
        baseline: null,
      });
    const tags = model([TAGS], [1, 1, 2, 0, 0.5], -1.5);
    const to = (tags_: unknown) => whatIf(tags, { tags: tags_ }, 'tags').to;
    expect(to(['a', 7])).toEqual(['a', 7, 'c']);
    expect(to([])).toEqual(['c']);
    expect(to(null)).toEqual(['c']);
    expect(to('a')).toBe('a;c');
    expect(to('a; d')).toBe('a; d; c');
    expect(to('')).toBe('c');
    expect(to('["a"]')).toBe('["a","c"]');
    // c goes from both places
    expect(to('c;a;c; d')).toBe('a; d');
    expect(to(['c', 'unknown', ' c '])).toEqual(['unknown']);
    const words = model([WORDS], [-4, 1, 0, 3, 0.5], 0.25);
    const text = (value: string) => whatIf(words, { text: value }, 'text').to;
    expect(text('One film.')).toBe('One film. good');
    expect(text('A Good, good film')).toBe('A , film');
    expect(text('GOOD')).toBe('');
    const { tokens } = whatIf(words, { text: 'bad, straße' }, 'text');
    expect(tokens).toEqual({ added: ['good'], removed: ['straße'] });
  });

  test('columns that are split in two ways are not searched', () => {
    const model = seededModel({ features: [TAGS, { ...WORDS, column: 'tags' }] }, 1);
    expect(whatIf(model, { tags: 'a' }, 'tags').reason).toBe(
      'values of "tags" are not searched: the model does not list them (tokens)',
    );
  });
});

describe('dates', () => {
  const coded = { coding: 'onehot', reference: null, missing: 'slot', unseen: 'slot' } as const;
  const part = (name: 'month' | 'weekday' | 'hour' | 'minute', least: number, most: number) => {
    const levels = Array.from({ length: most - least + 1 }, (_, i) => String(least + i));
    return {
      name,
      kind: 'date',
      column: 'at',
      part: name,
      levels,
      counts: [...levels.map(() => 1), 0],
      ...coded,
    } as const;
  };
  const days: CurveFeature = {
    name: 'days',
    kind: 'curve',
    column: 'at',
    part: 'epochDays',
    transform: null,
    knots: null,
    low: null,
    high: null,
    range: 'clip',
    missing: 'baseline',
    fill: 19_800,
    min: 19_700,
    max: 20_000,
    means: [19_800],
    scales: [100],
    units: [1],
  };
  const city = { name: 'city', kind: 'categorical', levels: ['Bonn', 'Köln'], counts: [1, 1, 0], ...coded } as const;
  const cross = {
    name: 'city by weekday',
    kind: 'cross',
    of: ['city', 'weekday'],
    levels: ['Bonn × 1', 'Köln × 6', 'Köln × 7'],
    counts: [1, 1, 1, 0],
    ...coded,
  } as const;
  const DAY = 86_400_000;
  const SCHEMAS: readonly (readonly [string, number, Schema['features']])[] = [
    ['days', DAY, [part('month', 2, 12), part('weekday', 1, 7), city, cross]],
    ['days and their count', DAY, [days, part('month', 1, 12)]],
    ['hours', 3_600_000, [part('month', 1, 12), part('hour', 6, 22), city]],
    ['minutes', 60_000, [part('hour', 0, 23), part('minute', 0, 59), part('weekday', 1, 7)]],
  ];
  const instants = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2026, 0, 1) });

  test.each(SCHEMAS)('nothing nearer changes the label: %s', (_, unit, features) => {
    let found = 0;
    fc.assert(
      fc.property(instants, fc.nat(1000), fc.constantFrom('Bonn', 'Köln'), fc.boolean(), (at, seed, town, classes) => {
        const model = seededModel({ features }, seed, {
          classes,
          ...(!classes && { intercept: Float64Array.of((seed % 9) - 4) }),
        });
        // of days since 1970 the logit is that of the middle of training
        const slot = slotNames(model.encoder).findIndex(({ name }) => name === 'days');
        if (slot >= 0) {
          model.intercept.forEach((_, k) => {
            const index = k * model.encoder.slots + slot;
            model.weights[index] /= 50;
            model.intercept[k] -= model.weights[index] * 19_800;
          });
        }
        const record = { at, city: town };
        const { label } = model.score(record);
        const { to, score, reason } = whatIf(model, record, 'at');
        const flips = (shift: number) => model.score({ ...record, at: at + shift }).label !== label;
        const distance = to === null ? Number.POSITIVE_INFINITY : Math.abs((to as number) - at);
        for (let shift = unit; shift < Math.min(distance, 7 * DAY + unit); shift += unit)
          expect(flips(shift) || flips(-shift)).toBe(false);
        for (let shift = DAY; shift < Math.min(distance, 3654 * DAY); shift += DAY)
          expect(flips(shift) || flips(-shift)).toBe(false);
        if (to === null) {
          expect(reason).toBe('no date within ten years of "at" changes the label');
          return;
        }
        found++;
        expect(score).toEqual(model.score({ ...record, at: to }));
        expect(score!.label).not.toBe(label);
        expect(distance % (distance > 7 * DAY ? DAY : unit)).toBe(0);
        if (flips(distance)) expect(to).toBe(at + distance);
      }),
      { numRuns: 25 },
    );
    expect(found).toBeGreaterThan(5);
  });

  test('the answer is in the form of the record; time of day, separator and zone stay', () => {
    // weekends say yes, and the evening from 18 h
    const weights = (unit: readonly number[]) => Float64Array.from([...unit, 0, 0]);
    const weekend = seededModel({ features: [part('weekday', 1, 7)] }, 1, {
      weights: weights([-1, -1, -1, -1, -1, 1, 1]),
      intercept: Float64Array.of(0),
      baseline: null,
    });
    const to = (at: unknown) => whatIf(weekend, { at }, 'at').to;
    expect(to('2024-05-03')).toBe('2024-05-04'); // a Friday
    expect(to('2024-05-06')).toBe('2024-05-05'); // a Monday
    expect(to('2024-05-05')).toBe('2024-05-06'); // a Sunday
    expect(to('2024-02-28 23:59:59,5')).toBe('2024-03-02 23:59:59,5');
    expect(to('2024-05-03T23:30:15-01:00')).toBe('2024-05-02T23:30:15-01:00'); // a Saturday in UTC
    expect(to(new Date('2024-05-03T12:00Z'))).toEqual(new Date('2024-05-04T12:00Z'));
    expect(to(Date.UTC(2024, 4, 3, 12))).toBe(Date.UTC(2024, 4, 4, 12));
    // years end at 9999
    expect(to('9999-12-31')).toBe('9999-12-26');
    const evening = seededModel({ features: [part('hour', 0, 23)] }, 1, {
      weights: weights(Array.from({ length: 24 }, (_, hour) => (hour >= 18 ? 1 : -1))),
      intercept: Float64Array.of(0),
      baseline: null,
    });
    const hour = (at: unknown) => whatIf(evening, { at }, 'at').to;
    expect(hour('2024-05-03')).toBe('2024-05-02T23:00');
    expect(hour('2024-05-03T16:40:10.25+02:00')).toBe('2024-05-03T20:40:10.25+02:00');
    expect(hour('2024-05-03T23:10Z')).toBe('2024-05-04T00:10Z');
  });

  test('beyond a week whole days are searched, the eighth first', () => {
    const features = [days, part('hour', 0, 23)];
    const weights = new Float64Array(1 + 24 + 2);
    weights[0] = 1;
    const model = seededModel({ features }, 1, { weights, intercept: Float64Array.of(-19_849.5), baseline: null });
    // day 19842
    expect(whatIf(model, { at: '2024-04-29T12:30' }, 'at').to).toBe('2024-05-07T12:30');
    // from day 19843 on hours reach it
    expect(whatIf(model, { at: '2024-04-30T12:30' }, 'at').to).toBe('2024-05-07T00:30');
  });

  test('a missing date, and one that training did not reach', () => {
    const weights = Float64Array.of(1);
    const model = seededModel({ features: [days] }, 1, {
      weights,
      intercept: Float64Array.of(-19_999.5),
      baseline: null,
    });
    const record = { at: '2024-10-01' }; // day 19997
    expect(whatIf(model, record, 'at')).toMatchObject({ to: '2024-10-04', extrapolated: false });
    const late = seededModel({ features: [days] }, 1, {
      weights,
      intercept: Float64Array.of(-20_000.5),
      baseline: null,
    });
    expect(whatIf(late, record, 'at')).toMatchObject({ to: '2024-10-05', extrapolated: true });
    expect(whatIf(late, { at: null }, 'at')).toMatchObject({
      to: null,
      reason: '"at" is missing: there is no date to search from',
    });
    const flat = seededModel({ features: [days] }, 1, { weights: new Float64Array(1), baseline: null });
    expect(whatIf(flat, record, 'at').reason).toBe('no date within ten years of "at" changes the label');
  });
});

describe('hashed', () => {
  const city = RICH.features.find(({ name }) => name === 'city')!;
  const coded = { coding: 'onehot', reference: null, missing: 'slot', unseen: 'slot' } as const;
  const plan = { name: 'plan', kind: 'categorical', levels: ['s', 'm', 'l'], counts: [1, 1, 1, 0], ...coded } as const;
  const hashed = {
    name: 'h',
    kind: 'hashed',
    of: ['city', 'plan'],
    buckets: 4,
    counts: new Array(9).fill(1),
    missing: 'slot',
  } as const;

  test('the parts of a cross by hash are searched, all their levels', () => {
    let found = 0;
    fc.assert(
      fc.property(fc.nat(500), fc.constantFrom('s', 'm', 'l'), fc.constantFrom('Bonn', 'Köln'), (seed, size, town) => {
        const model = seededModel({ features: [city, plan, hashed] }, seed);
        const record = { city: town, plan: size };
        const { label, logit } = model.score(record);
        const changes = ['s', 'm', 'l']
          .map((level) => ({ level, scored: model.score({ ...record, plan: level }) }))
          .filter(({ scored }) => scored.label !== label)
          .sort((a, b) => Math.abs(a.scored.logit - logit) - Math.abs(b.scored.logit - logit));
        found += changes.length;
        expect(whatIf(model, record, 'plan').to).toBe(changes[0]?.level ?? null);
      }),
    );
    expect(found).toBeGreaterThan(0);
  });

  test('a hashed column is not', () => {
    const model = seededModel({ features: [city, { ...hashed, of: null, column: 'id' }] }, 1);
    expect(whatIf(model, { city: 'Bonn', id: 'x' }, 'id')).toMatchObject({
      to: null,
      score: null,
      reason: 'values of "id" are not searched: the model does not list them (hashed)',
    });
  });
});

test('a number that is a category as well: its levels are looked at', () => {
  const features: Schema['features'] = [
    { name: 'code', kind: 'numeric', mean: 5, scale: 1, min: 0, max: 9, indicator: false },
    {
      name: 'code level',
      kind: 'categorical',
      column: 'code',
      levels: ['2', '4.5', '7'],
      counts: [1, 1, 1, 0],
      coding: 'onehot',
      reference: null,
      missing: 'slot',
      unseen: 'slot',
    },
  ];
  const weights = Float64Array.of(0, -1, 3, 3, 0, 0);
  const model = seededModel({ features }, 1, { weights, intercept: Float64Array.of(-1), baseline: null });
  expect(whatIf(model, { code: 3 }, 'code').to).toBe(4.5);
  expect(whatIf(model, { code: 6 }, 'code').to).toBe(7);
});

test('a column that is none is refused', () => {
  expect(() => whatIf(smallModel(), { age: 1, city: 'Bonn' }, 'town')).toThrow(
    'feature: expected one of the columns "age", "city", got "town"',
  );
  expect(() => whatIf(smallModel(), { age: 'x', city: 'Bonn' }, 'age')).toThrow('field "age"');
});
