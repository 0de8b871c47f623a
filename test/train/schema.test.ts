import { describe, expect, test } from 'vitest';
import type { Declaration } from '../../src/encode/declare.ts';
import { crossValidate, fit as fitTable, pickEngine, type Table, tableFromRecords } from '../../src/index.ts';
import { auc } from '../../src/metrics.ts';

const random = (seed: number) => () => {
  seed = (seed * 1664525 + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

/** Outcomes that a category of many levels has nothing to do with. */
function noise(rows: number, levels: number, seed: number): Table {
  const next = random(seed);
  return {
    rows,
    columns: [
      {
        name: 'y',
        kind: 'coded',
        codes: Uint8Array.from({ length: rows }, () => Number(next() < 0.4)),
        levels: ['no', 'yes'],
      },
      {
        name: 'shop',
        kind: 'coded',
        codes: Uint16Array.from({ length: rows }, () => next() * levels),
        levels: Array.from({ length: levels }, (_, i) => `shop ${i}`),
      },
      { name: 'size', kind: 'numeric', values: Float64Array.from({ length: rows }, next) },
    ],
  };
}
const TARGET: Declaration = {
  features: [
    { name: 'shop', kind: 'categorical', encoding: 'target' },
    { name: 'size', kind: 'numeric' },
  ],
};
const labelsOf = (table: Table) =>
  table.columns[0].kind === 'coded' ? Uint8Array.from(table.columns[0].codes) : new Uint8Array();

describe('target encoding inside fit', () => {
  const table = noise(20_000, 1000, 1);

  test('of pure noise in 1000 levels: AUC 0.5 ± 0.02 on new rows, and no weight on the encoding', () => {
    const fresh = noise(20_000, 1000, 2);
    const { model } = fitTable(table, { target: 'y', schema: TARGET, C: 1e6 });
    const scorer = model.scorer(pickEngine());
    expect(Math.abs(auc(Float64Array.from(scorer.score(fresh).logits), labelsOf(fresh))! - 0.5)).toBeLessThan(0.02);
    scorer.free();
    // without cross-fitting the encoding of 20 rows a level separates its own rows: a logit of 1 and more by level
    const spread =
      model.manifest.schema.features[0].kind === 'target' ? model.manifest.schema.features[0].scales[0] : 0;
    expect(Math.abs(model.weights[0]) * spread).toBeLessThan(0.1);
  });

  test('of pure noise in cross-validation: each fold is encoded by its own training rows', () => {
    const { steps } = crossValidate(table, { target: 'y', schema: TARGET, lambdas: [1e-6], score: 'auc' });
    expect(Math.abs(steps[0].mean - 0.5)).toBeLessThan(0.02);
  });

  test('the held-out rows of a fold have no part in its encoding, the fit of all rows is not disturbed', () => {
    const small = noise(600, 30, 3);
    const alone = fitTable(small, { target: 'y', schema: TARGET, C: 1 });
    const { model } = crossValidate(small, {
      target: 'y',
      schema: TARGET,
      lambdas: [alone.model.manifest.objective.lambda],
    });
    expect(model.weights).toEqual(alone.model.weights);
    const resampled = fitTable(small, {
      target: 'y',
      schema: TARGET,
      C: 1,
      inference: { bootstrap: { replicates: 20 } },
    });
    expect(resampled.model.weights).toEqual(alone.model.weights);
    expect(resampled.model.manifest.inference!.bootstrap!.intervals.every(({ stdError }) => stdError > 0)).toBe(true);
  });

  test('has one value a class for several classes', () => {
    const next = random(5);
    const records = Array.from({ length: 900 }, () => {
      const shop = Math.floor(9 * next());
      return { kind: `k${(shop + Math.floor(1.6 * next())) % 3}`, shop: `s${shop}` };
    });
    const { model } = fitTable(tableFromRecords(records), {
      target: 'kind',
      schema: { features: [{ name: 'shop', kind: 'categorical', encoding: 'target' }] },
    });
    const [feature] = model.manifest.schema.features;
    expect(feature.kind === 'target' && feature.values.length).toBe(3);
    expect(model.score({ shop: 's4' }).label).toBe('k1');
    expect(model.score({ shop: 'new' }).defaulted).toBe(1);
  });
});

describe('units of the penalty', () => {
  const records = Array.from({ length: 400 }, (_, i) => ({
    x: ((i * 37) % 101) / 10,
    wide: ((i * 53) % 97) * 1000,
    y: Number((i * 37) % 101 > 50 !== (i % 7 === 0)),
  }));
  const weights = (scaling?: 'standard' | 'robust' | 'none', standardize = true) =>
    fitTable(tableFromRecords(records), {
      target: 'y',
      C: 0.01,
      standardize,
      schema: {
        features: [
          { name: 'x', kind: 'numeric', scaling },
          { name: 'wide', kind: 'numeric', scaling },
        ],
      },
    }).model.weights;

  test('none is the raw scale, robust the interquartile range', () => {
    const raw = weights(undefined, false);
    weights('none').forEach((weight, j) => {
      expect(weight / raw[j]).toBeCloseTo(1, 7);
    });
    expect(weights('robust')).not.toEqual(weights('standard'));
    // the penalty of an interquartile range r is that of x/r on the raw scale
    const sorted = records.map(({ x }) => x).sort((a, b) => a - b);
    const at = (q: number) => {
      const place = q * (sorted.length - 1);
      const low = Math.floor(place);
      return sorted[low] + (place - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
    };
    const range = at(0.75) - at(0.25);
    const scaled = fitTable(tableFromRecords(records.map(({ x, y }) => ({ x: x / range, y }))), {
      target: 'y',
      C: 0.01,
      standardize: false,
    });
    const robust = fitTable(tableFromRecords(records), {
      target: 'y',
      C: 0.01,
      schema: { features: [{ name: 'x', kind: 'numeric', scaling: 'robust' }] },
    });
    expect(robust.model.weights[0] * range).toBeCloseTo(scaled.model.weights[0], 8);
  });
});

describe('weights are repeated rows', () => {
  const next = random(9);
  const records = Array.from({ length: 240 }, (_, i) => ({
    n: [0, 1, 1, 2, 3][i % 5],
    income: i % 9 === 4 ? null : Math.exp(next() * 4),
    age: 20 + Math.floor(50 * next()),
    city: `c${Math.floor(6 * next() ** 2)}`,
    tags: next() < 0.5 ? 'a,b' : 'c',
    y: Number(next() < 0.5),
  }));
  const repeated = records.flatMap(({ n, ...record }) => Array.from({ length: n }, () => record));
  test.each<[string, Declaration['features'][number][]]>([
    ['curves', [{ name: 'income', kind: 'numeric', transform: 'box-cox', impute: 'median', scaling: 'robust' }]],
    ['splines', [{ name: 'age', kind: 'numeric', spline: 4 }]],
    [
      'bins',
      [
        { name: 'age', kind: 'numeric', bins: 5 },
        { name: 'income', kind: 'numeric', bins: 3, binning: 'uniform' },
      ],
    ],
    [
      'rare levels and crosses',
      [
        { name: 'city', kind: 'categorical', minCount: 20 },
        { name: 'age', kind: 'numeric', bins: 2 },
        { kind: 'cross', of: ['city', 'age'] },
      ],
    ],
    ['tags', [{ name: 'tags', kind: 'tags', minCount: 3 }]],
    ['hashing', [{ name: 'city', kind: 'categorical', encoding: 'hash', buckets: 8 }]],
  ])('%s', (_, features) => {
    const heavy = fitTable(tableFromRecords(records), {
      target: 'y',
      weight: 'n',
      weightKind: 'count',
      schema: { features },
    }).model;
    const many = fitTable(tableFromRecords(repeated), { target: 'y', schema: { features } }).model;
    expect(JSON.parse(JSON.stringify(heavy.manifest.schema, round))).toEqual(
      JSON.parse(JSON.stringify(many.manifest.schema, round)),
    );
    heavy.weights.forEach((weight, j) => {
      expect(weight).toBeCloseTo(many.weights[j], 6);
    });
  });
  const round = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(7)) : value);
});

describe('a range with one end', () => {
  const next = random(5);
  const cells = Array.from({ length: 60 }, () => 4 * next() - 2);
  const rows = (values: readonly number[]) => tableFromRecords(values.map((x, i) => ({ x, y: i % 3 === 0 ? 1 : 0 })));
  const featureOf = (values: readonly number[], declared: object) =>
    fitTable(rows(values), {
      target: 'y',
      schema: { features: [{ name: 'x', kind: 'numeric', ...declared }] },
    }).model.manifest.schema.features[0];

  test.each([
    ['low', { low: 0.5 }, (x: number) => Math.max(x, 0.5)],
    ['high', { high: 0.5 }, (x: number) => Math.min(x, 0.5)],
    ['low, before a logarithm', { low: 0.5, transform: 'log' }, (x: number) => Math.max(x, 0.5)],
    ['low, before a spline', { low: -1.5, spline: 3 }, (x: number) => Math.max(x, -1.5)],
  ])('clips the training rows too: %s', (_, declared, clip) => {
    const { min, max, ...feature } = featureOf(cells, declared) as unknown as Record<string, unknown>;
    expect(feature).toEqual({ ...featureOf(cells.map(clip), declared), min: undefined, max: undefined });
    expect([min, max]).toEqual([Math.min(...cells), Math.max(...cells)]);
  });

  test.each([
    ['low', { low: 0.5, range: 'baseline' }, (x: number) => x >= 0.5],
    ['high', { high: 0.5, range: 'slot' }, (x: number) => x <= 0.5],
  ])('what takes the place of a missing cell is no value to learn means from: %s', (_, declared, inside) => {
    const kept = cells.filter(inside);
    const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
    expect(featureOf(cells, declared)).toMatchObject({
      fill: expect.closeTo(mean, 12),
      means: [expect.closeTo(mean, 12)],
    });
  });
});

describe('a schema that cannot be meant', () => {
  const table = tableFromRecords([
    { y: 0, x: 1, c: 'a', d: '2024-01-01', b: 1, g: null },
    { y: 1, x: 2, c: 'b', d: '2024-01-02', b: 2, g: 5 },
    { y: 0, x: 3, c: 'a', d: '2024-02-30', b: 3, g: 0 },
    { y: 1, x: null, c: null, d: '2024-01-02', b: 3, g: 1 },
  ]);
  test.each<[string, unknown, string]>([
    ['no list', { feature: [] }, 'schema: expected an object with a list "features", got a value of type object'],
    ['a number', 3, 'schema: expected an object with a list "features", got 3'],
    ['no feature', { features: [] }, 'schema: expected an object with a list "features", got an empty list'],
    [
      'an imputed number outside the range',
      [{ name: 'x', kind: 'numeric', low: 0, high: 9, impute: 10 }],
      'schema, feature "x", field "impute": expected a number from low to high (0 to 9), got 10',
    ],
    [
      'an imputed number below the only end',
      [{ name: 'x', kind: 'numeric', low: 0, impute: -1 }],
      'field "impute": expected a number from low to high (0 to Infinity), got -1',
    ],
    ['an absent column', [{ name: 'z', kind: 'numeric' }], 'table: expected column "z", got "y"'],
    ['the target', [{ name: 'y', kind: 'numeric' }], 'got "y"; remove the feature that reads it'],
    [
      'an unknown kind',
      [{ name: 'x', kind: 'number' }],
      'schema, feature "x", field "kind": expected one of "numeric"',
    ],
    ['an unknown field', [{ name: 'x', kind: 'numeric', knots: 3 }], 'got "knots"; remove or correct it'],
    [
      'a prototype key',
      JSON.parse('[{"name":"x","kind":"numeric","__proto__":{}}]'),
      'got "__proto__"; remove or correct it',
    ],
    [
      'a name twice',
      [
        { name: 'x', kind: 'numeric' },
        { name: 'x', kind: 'numeric', bins: 3 },
      ],
      'distinct names, got "x" twice',
    ],
    [
      'bins and a spline',
      [{ name: 'x', kind: 'numeric', bins: 3, spline: 3 }],
      'expected no field "spline" beside bins, got 3',
    ],
    [
      'a policy for a range without one',
      [{ name: 'x', kind: 'numeric', range: 'error' }],
      'no field "range" without low, high or bins',
    ],
    [
      'an imputed error',
      [{ name: 'x', kind: 'numeric', missing: 'error', impute: 'mean' }],
      'no field "impute" where a missing cell is an error',
    ],
    [
      'a slot for the unseen of target encoding',
      [{ name: 'c', kind: 'categorical', encoding: 'target', unseen: 'slot' }],
      'field "unseen": expected "baseline" or "error"',
    ],
    ['low above high', [{ name: 'x', kind: 'numeric', low: 3, high: 1 }], 'expected low < high, got 3 and 1'],
    [
      'a reference that is no level',
      [{ name: 'c', kind: 'categorical', reference: 'z' }],
      'reference of "c": expected one of "a", "b", got "z"',
    ],
    [
      'a cross of itself',
      [
        { name: 'c', kind: 'categorical' },
        { name: 'k', kind: 'cross', of: ['c', 'l'] },
        { name: 'l', kind: 'cross', of: ['k', 'c'] },
      ],
      'got one that contains itself ("k" of "l" of "k")',
    ],
    [
      'a cross of nothing known',
      [
        { name: 'c', kind: 'categorical' },
        { kind: 'cross', of: ['c', 'q'] },
      ],
      'got "q"; declare it or correct the name',
    ],
    [
      'a cross of numbers',
      [
        { name: 'c', kind: 'categorical' },
        { name: 'b', kind: 'numeric' },
        { kind: 'cross', of: ['c', 'b'] },
      ],
      'got "b" (numeric); give it "bins"',
    ],
    [
      'a date that is none',
      [{ name: 'd', kind: 'date', parts: ['month'] }],
      'row 2 (from 0), column "d": expected an ISO 8601 date',
    ],
    [
      'a boolean of three',
      [{ name: 'b', kind: 'boolean' }],
      'expected a boolean of at most two values, got "1", "2", "3"',
    ],
    [
      'a missing cell that is an error',
      [{ name: 'x', kind: 'numeric', missing: 'error' }],
      'row 3 (from 0), column "x": expected a value',
    ],
    [
      'a logarithm of nothing',
      [
        { name: 'b', kind: 'numeric', transform: 'log' },
        { name: 'x', kind: 'numeric', transform: 'log', impute: -1 },
      ],
      'expected a number that log takes, got -1',
    ],
    [
      'a logarithm of nothing in a row',
      [{ name: 'g', kind: 'numeric', transform: 'log' }],
      'row 2 (from 0), column "g": expected a number that log takes, got 0',
    ],
    [
      'levels that are not all',
      [{ name: 'c', kind: 'categorical', levels: ['a'], unseen: 'error' }],
      'got none for "b"; add it',
    ],
  ])('%s', (_, features, message) => {
    const schema = (Array.isArray(features) ? { features } : features) as Declaration;
    expect(() => fitTable(table, { target: 'y', schema: schema as never })).toThrow(
      expect.objectContaining({ detail: expect.stringContaining(message) }),
    );
  });

  test('references of what has none', () => {
    const schema: Declaration = { features: [{ name: 'c', kind: 'categorical' }], others: 'infer' };
    const given = { target: 'y', exclude: ['d'], coding: 'treatment', categorical: ['b'] } as const;
    const { model } = fitTable(table, { ...given, schema, references: { c: 'b', b: '3' } });
    expect(model.manifest.schema.features.map((feature) => 'reference' in feature && feature.reference)).toEqual([
      1,
      false,
      2,
      false,
    ]);
    expect(() => fitTable(table, { ...given, schema, references: { x: '1' } })).toThrow(
      'reference of "x": expected a categorical feature under treatment coding',
    );
  });
});
