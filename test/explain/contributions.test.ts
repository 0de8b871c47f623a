import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tableFromRecords } from '../../src/encode/records.ts';
import type { Feature } from '../../src/encode/schema.ts';
import { slotNames } from '../../src/encode/slots.ts';
import { explain, explainClasses, explainer } from '../../src/explain/contributions.ts';
import { sourcesOf } from '../../src/explain/explained.ts';
import { reasons, reasonText, tableReasons } from '../../src/explain/reasons.ts';
import { splitmix32 } from '../../src/math/random.ts';
import type { Model } from '../../src/model/model.ts';
import { smallModel } from '../model/parts.ts';
import { RICH, seededModel } from './models.ts';

const records = fc.record({
  age: fc.option(fc.double({ min: -1e3, max: 1e3, noNaN: true })),
  income: fc.option(fc.oneof(fc.integer({ min: -5, max: 60 }), fc.double({ min: 0, max: 50, noNaN: true }))),
  city: fc.option(fc.constantFrom('Bonn', 'Köln', 'Ulm', '__proto__')),
  exposure: fc.double({ min: -5, max: 5, noNaN: true }),
});

const ulpOf = (x: number): number => 2 ** (Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -1022))) - 52);

test('worked by hand: weight times distance from the baseline, grouped by column', () => {
  // slots age, present, missing, Bonn, Köln, missing, unseen
  const baseline = Float64Array.of(40, 0.9, 0.1, 0.6, 0.4, 0, 0);
  const model = smallModel({}, { baseline });
  // base −10 + 10 − 0.15 + 0.8; age 0.25·(50 − 40) + (0 + 0.15), city 2 − 0.8
  const { base, logit, contributions, class: of } = explain(model, { age: 50, city: 'Köln', other: 1 });
  expect(of).toBe('yes');
  expect(base).toBeCloseTo(0.65, 12);
  expect(logit).toBe(4.5);
  expect(contributions.map(({ feature, value }) => [feature, value])).toEqual([
    ['age', 50],
    ['city', 'Köln'],
  ]);
  expect(contributions.map(({ contribution }) => contribution)).toEqual([2.5 + 0.15, 2 - 0.8]);
  // missing: age takes its mean and the slot of missing cells, −1.5 against −0.15
  expect(explain(model, { age: null, city: 'Bonn' }).contributions[0].contribution).toBeCloseTo(-1.35, 12);
});

test('without a baseline in the model it is that of the schema', () => {
  const { base, contributions } = explain(smallModel(), { age: 50, city: 'Köln' });
  expect(base).toBeCloseTo(-10 + 10 + 0.4 * 2, 12);
  expect(contributions.map(({ contribution }) => contribution)).toEqual([2.5, 2 - 0.4 * 2]);
});

test('a record that explains while it is read does not change its own explanation', () => {
  const model = smallModel({ offset: 'exposure' });
  const expected = explain(model, { age: 50, city: 'Köln', exposure: 1 });
  const record = {
    age: 50,
    get city() {
      explain(model, { age: 20, city: 'Bonn', exposure: 9 });
      return 'Köln';
    },
    get exposure() {
      explain(model, { age: 20, city: 'Bonn', exposure: 9 });
      return 1;
    },
  };
  expect(explain(model, record)).toEqual(expected);
});

describe.each([
  ['two classes', false],
  ['three classes', true],
])('rich features, %s', (_, classes) => {
  const offset = classes ? null : 'exposure';
  const model = seededModel(RICH, 7, { classes }, { offset });
  const terms = 2 * model.encoder.specs.length + 3;

  /** Σ |terms| of logit and baseline, which no partial sum exceeds */
  const sizeOf = (record: Readonly<Record<string, unknown>>, k: number): number => {
    const { specs, slots } = model.encoder;
    const weights = model.weights.subarray(k * slots, (k + 1) * slots);
    const row = new Float64Array(specs.length);
    model.encoder.encodeRecord(record, row);
    let size = Math.abs(model.intercept[k]) + Math.abs(Number(record.exposure));
    weights.forEach((weight, slot) => {
      size += Math.abs(weight * model.baseline![slot]);
    });
    let first = 0;
    specs.forEach((spec, j) => {
      size += spec.kind === 'numeric' ? Math.abs(weights[first] * row[j]) : Math.abs(weights[first + row[j]]);
      first += spec.kind === 'numeric' ? 1 : spec.slots;
    });
    return size;
  };

  test('base and contributions sum to the logit within an ulp a term, and the logit has the bits of the score', () => {
    fc.assert(
      fc.property(records, (record) => {
        const scored = model.score(record);
        explainClasses(model, record).forEach(({ class: of, logit, base, contributions }, k) => {
          expect(of).toBe(classes ? model.manifest.classes[k] : 'yes');
          expect(logit).toBe(classes ? scored.logits![k] : scored.logit);
          const sum = contributions.reduce((total, { contribution }) => total + contribution, base);
          expect(Math.abs(sum - logit)).toBeLessThanOrEqual(terms * ulpOf(sizeOf(record, k)));
        });
        expect(explain(model, record).class).toBe(classes ? scored.label : 'yes');
      }),
    );
  });

  test('one entry a source column, a cross by its parts, the offset last', () => {
    const { contributions } = explain(model, { age: 30, income: 15, city: null, exposure: 0.5 });
    const entries = contributions.map(({ feature, value }) => [feature, value]);
    expect(entries).toEqual([
      ['age', 30],
      ['income', 15],
      ['city', null],
      ['city × income bins', '(missing) × 15'],
      ...(classes ? [] : [['exposure', 0.5]]),
    ]);
    if (!classes) expect(contributions[4].contribution).toBe(0.5);
  });

  test('they are the Shapley values of independent features', () => {
    // v(S): the logit with the slots of the features outside S at their baseline, by weights and slots alone
    const record = { age: 33.25, income: 22, city: 'Bonn', exposure: 0.25 };
    const { specs, slots } = model.encoder;
    const row = new Float64Array(specs.length);
    model.encoder.encodeRecord(record, row);
    const x = new Float64Array(slots);
    let first = 0;
    specs.forEach((spec, j) => {
      x[first + (spec.kind === 'numeric' ? 0 : row[j])] = spec.kind === 'numeric' ? row[j] : 1;
      first += spec.kind === 'numeric' ? 1 : spec.slots;
    });
    const sourceOfFeature = [0, 0, 1, 2, 3];
    const value = (subset: number, k: number) => {
      let z = model.intercept[k];
      slotNames(model.encoder).forEach(({ feature }, slot) => {
        const inside = (subset >> sourceOfFeature[feature]) & 1;
        z += model.weights[k * slots + slot] * (inside ? x[slot] : model.baseline![slot]);
      });
      return z;
    };
    explainClasses(model, record).forEach(({ contributions, base }, k) => {
      expect(base).toBeCloseTo(value(0, k), 10);
      for (let f = 0; f < 4; f++) {
        let phi = 0;
        for (let subset = 0; subset < 16; subset++) {
          if ((subset >> f) & 1) continue;
          const size = [0, 1, 2, 3].filter((g) => (subset >> g) & 1).length;
          phi += ([6, 2, 2, 6][size] / 24) * (value(subset | (1 << f), k) - value(subset, k));
        }
        expect(contributions[f].contribution).toBeCloseTo(phi, 10);
      }
    });
  });

  test('a table gives the k greatest of each record', () => {
    fc.assert(
      fc.property(fc.array(records, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 9 }), (rows, k) => {
        const table = tableFromRecords(rows, ['age', 'income', 'city', 'exposure']);
        // any class may be asked for
        const labels = Uint32Array.from(rows, (_, i) => (classes ? i % 3 : 1));
        const all = explainer(model);
        const top = all.table(table, k, labels);
        expect(top.k).toBe(Math.min(k, all.features.length));
        rows.forEach((row, i) => {
          const expected = explainClasses(model, row)
            [classes ? i % 3 : 0].contributions.map(({ contribution }, f) => ({ f, contribution }))
            .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
            .slice(0, k);
          const at = (values: ArrayLike<number>) => Array.from(values).slice(i * top.k, (i + 1) * top.k);
          expect(at(top.contributions)).toEqual(expected.map(({ contribution }) => contribution));
          expect(at(top.features)).toEqual(expected.map(({ f }) => f));
        });
      }),
    );
  });
});

test('a code beyond the levels of a table is unseen', () => {
  const model = smallModel();
  const column = { name: 'city', kind: 'coded', codes: Uint8Array.of(0, 7), levels: ['Köln'], missing: null } as const;
  const table = {
    rows: 2,
    columns: [{ name: 'age', kind: 'numeric', values: Float64Array.of(40, 40) }, column],
  } as const;
  const { contributions } = explainer(model).table(table, 2);
  const unseen = explain(model, { age: 40, city: 'Ulm' }).contributions.map(({ contribution }) => contribution);
  expect([...contributions.subarray(2)].sort()).toEqual(unseen.sort());
});

describe.each([
  ['two classes with an offset', false],
  ['three classes', true],
])('blocks of a long table, %s', (_, classes) => {
  const tokens: Feature = {
    name: 'tags',
    kind: 'tokens',
    split: { separator: ';' },
    tokens: ['a', 'b'],
    missing: 'baseline',
    unseen: 'baseline',
    means: [0, 0],
    scales: [1, 1],
  };
  const features = [...RICH.features, tokens];
  const model = seededModel({ features }, 5, { classes }, { offset: classes ? null : 'exposure' });
  const random = splitmix32(3);
  const rows = Array.from({ length: 2500 }, (_, i) => ({
    age: i % 7 === 0 ? null : 80 * random(),
    income: i % 11 === 0 ? null : 60 * random() - 5,
    city: ['Bonn', 'Köln', 'Ulm', null][i % 4],
    tags: ['a', 'a;b;b', 'x', null, ''][i % 5],
    exposure: random(),
  }));
  const table = tableFromRecords(rows);
  const all = explainer(model);

  test.each([
    ['greatest logit', null],
    ['label that is given', Uint32Array.from(rows, (_, i) => (7 * i) % 3)],
  ])('every row has the contributions of its record, of the class of the %s', (_, labels) => {
    const { k, features: found, contributions } = all.table(table, 9, labels);
    rows.forEach((row, i) => {
      const explanations = all.record(row);
      const asked = labels ? labels[i] : model.manifest.classes.indexOf(model.score(row).label);
      const own = explanations[classes ? asked : 0];
      for (let at = i * k; at < (i + 1) * k; at++)
        expect(Object.is(contributions[at], own.contributions[found[at]].contribution)).toBe(true);
    });
  });

  test('reasons of a table are those of its records', () => {
    const { sources } = sourcesOf(model);
    const textOf = tableReasons(sources, table);
    rows.forEach((row, i) => {
      for (const [f, source] of sources.entries()) expect(textOf(f, i)).toBe(reasonText(source, row));
    });
    const codes = Uint8Array.of(0, 9);
    const other = {
      rows: 2,
      columns: [{ name: 'city', kind: 'coded', codes, levels: ['Bonn'], missing: null }],
    } as const;
    const city = sources.filter(({ name }) => name === 'city');
    expect([0, 1].map((row) => tableReasons(city, other)(0, row))).toEqual([
      'city is Bonn',
      'city is not seen in training',
    ]);
  });
});

test('errors name the row, and a count that is none', () => {
  const table = {
    rows: 2,
    columns: [
      { name: 'age', kind: 'numeric', values: Float64Array.of(1, Number.POSITIVE_INFINITY) },
      { name: 'city', kind: 'coded', codes: Uint8Array.of(0, 0), levels: ['Bonn'] },
    ],
  } as const;
  expect(() => explainer(smallModel()).table(table, 1, null, 10)).toThrow('row 11 (from 0), column "age"');
  expect(() => explainer(smallModel()).table(table, 0)).toThrow(
    'contributions of a row: expected an integer >= 1, got 0',
  );
  expect(() => explain(smallModel(), { age: 1 })).toThrow('"city"');
});

describe('reasons', () => {
  const reasonModel = (): Model =>
    seededModel(RICH, 7, {
      weights: Float64Array.from({ length: 18 }, (_, i) => (i === 0 ? 0.1 : i === 5 ? -1 : i === 10 ? 2 : 0)),
    });

  test('what pushed towards the class, the greatest first, in the words of the schema', () => {
    const model = reasonModel();
    model.baseline!.set([40, 1, 0, 40, 3, 0.5, 0.5, 0, 0, 0, 0.75, 0.25, 0, 0]);
    const record = { age: 30, income: 5, city: 'Bonn' };
    const towardNo = reasons(model, record, { toward: 'no' });
    expect(towardNo.map(({ feature, text }) => [feature, text])).toEqual([
      ['age', 'age is 30'],
      ['income', 'income of 5 $& thousand'],
    ]);
    expect(towardNo.map(({ push }) => push)).toEqual([1, 0.5]);
    expect(reasons(model, record, { toward: 'no', k: 1 })).toEqual(towardNo.slice(0, 1));
    expect(reasons(model, record, { toward: 'yes' }).map(({ feature, push }) => [feature, push])).toEqual([
      ['city', 0.5],
    ]);
    // by default towards the label
    const { label } = model.score(record);
    expect(reasons(model, record)).toEqual(reasons(model, record, { toward: label }));
  });

  test('of several classes: against the mean of the others, so that a shift of all logits changes nothing', () => {
    const model = seededModel(RICH, 3, { classes: true });
    const shifted = seededModel(RICH, 3, { classes: true });
    const { slots } = model.encoder;
    for (let j = 0; j < slots; j++) for (let k = 0; k < 3; k++) shifted.weights[k * slots + j] += j / 8;
    fc.assert(
      fc.property(records, (record) => {
        const push = (of: Model) =>
          reasons(of, record, { toward: 'bus', k: 9 }).flatMap(({ feature, push }) =>
            push > 1e-6 ? [[feature, push.toFixed(6)]] : [],
          );
        expect(push(shifted)).toEqual(push(model));
      }),
    );
    const explanations = explainClasses(model, { age: 22, income: 3, city: 'Bonn' });
    const phi = explanations.map(({ contributions }) => contributions[0].contribution);
    const [own] = reasons(model, { age: 22, income: 3, city: 'Bonn' }, { toward: 'bus', k: 9 }).filter(
      ({ feature }) => feature === 'age',
    );
    expect(own?.push ?? 0).toBeCloseTo(Math.max(0, phi[1] - (phi[0] + phi[2]) / 2), 10);
  });

  test('values in words, and options that are none', () => {
    const model = smallModel();
    expect(reasons(model, { age: null, city: 'x'.repeat(60) }, { toward: 'no' }).map(({ text }) => text)).toEqual([
      'age is missing',
      `city is ${'x'.repeat(40)}…`,
    ]);
    const record = { age: 1, city: 'Bonn' };
    expect(() => reasons(model, record, { k: 0 })).toThrow('k: expected an integer >= 1, got 0');
    expect(() => reasons(model, record, { toward: 'maybe' })).toThrow(
      'toward: expected one of the classes "no", "yes", got "maybe"',
    );
  });
});
