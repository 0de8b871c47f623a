import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import { LogoddsError } from '../../bindings/errors.ts';
import type { Declaration, DeclaredFeature } from '../../src/encode/declare.ts';
import { encoders } from '../../src/encode/kinds/index.ts';
import type { Feature, Schema } from '../../src/encode/schema.ts';
import { fit as fitTable, loadModel, type Model, saveModel, type Table, tableFromRecords } from '../../src/index.ts';
import { encodeSafetensors } from '../../src/model/safetensors.ts';

/** Every kind of feature, one column each. */
const FEATURES: readonly DeclaredFeature[] = [
  { name: 'number', kind: 'numeric' },
  { name: 'curve', kind: 'numeric', transform: 'yeo-johnson', spline: 3 },
  { name: 'clipped', kind: 'numeric', low: 1, high: 5 },
  { name: 'binned', kind: 'numeric', bins: 3 },
  { name: 'category', kind: 'categorical' },
  { name: 'target', kind: 'categorical', encoding: 'target' },
  { name: 'hashed', kind: 'categorical', encoding: 'hash', buckets: 8 },
  { name: 'flag', kind: 'boolean' },
  { name: 'day', kind: 'date', parts: ['weekday', 'epochDays'] },
  { name: 'tags', kind: 'tags' },
  { name: 'bag', kind: 'tags', buckets: 8, separator: ';' },
  { name: 'text', kind: 'text', buckets: 8 },
  { kind: 'cross', of: ['category', 'flag'] },
  { name: 'mixed', kind: 'cross', of: ['category', 'binned'], buckets: 8 },
];
const NAMES = FEATURES.flatMap((feature) => (feature.kind === 'cross' ? [] : [feature.name]));
const TEXTS = ['category', 'target', 'hashed', 'flag', 'day', 'tags', 'bag', 'text'];

const rows = Array.from({ length: 80 }, (_, i) => ({
  y: Number((i * 37) % 11 > 5),
  number: (i * 7) % 23,
  curve: ((i * 5) % 17) - 8,
  clipped: i % 7,
  binned: (i * 3) % 19,
  category: `level ${i % 4}`,
  target: `shop ${(i * 3) % 7}`,
  hashed: `user ${i}`,
  flag: i % 3 === 0,
  day: `2024-05-${10 + (i % 20)}`,
  tags: ['red', 'red,blue', 'blue'][i % 3],
  bag: ['a;b', 'c'][i % 2],
  text: ['call me', 'late delivery'][i % 2],
}));
const model = fitTable(tableFromRecords(rows), { target: 'y', schema: { features: FEATURES }, C: 1 }).model;
const { y: _, ...plain } = rows[5];

/** The error, or the logit: a table of one row says the same. */
function scored(record: unknown, of: Model = model): number | LogoddsError {
  try {
    const { logit, probability } = of.score(record as never);
    expect(Number.isFinite(logit) && probability >= 0 && probability <= 1).toBe(true);
    return logit;
  } catch (error) {
    expect(error, String((error as Error).stack)).toBeInstanceOf(LogoddsError);
    return error as LogoddsError;
  }
}

const deep = (levels: number, wrap: (inside: unknown) => unknown): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
};
const VALUES: Readonly<Record<string, unknown>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  'the largest number': Number.MAX_VALUE,
  '-0': -0,
  'a bigint': 12n,
  'a bigint of 19 digits': 10n ** 18n,
  'a symbol': Symbol('x'),
  'a function': () => 1,
  'an object': { valueOf: () => 1, toString: () => 'level 1' },
  'an object that throws': {
    valueOf() {
      throw new Error('no');
    },
    [Symbol.toPrimitive]() {
      throw new Error('no');
    },
  },
  'an object without prototype': Object.create(null),
  'a Map': new Map([[1, 2]]),
  'a list': ['red', 1, null],
  'a list of lists': [['red']],
  'a list with a hole': new Array(3),
  'a list of symbols': [Symbol('x')],
  'deep lists': deep(1e5, (inside) => [inside]),
  'deep objects': deep(1e5, (inside) => ({ inside })),
  'text of deep lists': `${'['.repeat(1e5)}${']'.repeat(1e5)}`,
  'a date': new Date(1.7e12),
  'a date that is none': new Date(Number.NaN),
  'a typed array': new Float64Array(3),
  'a number in an object': new Number(3),
  'an empty text': '',
  'a lone surrogate': '\ud800',
  __proto__: '__proto__',
  constructor: 'constructor',
  'a boolean': true,
};

test.each(Object.entries(VALUES))('%s in any field is an error that names it, or a score', (_, value) => {
  for (const name of NAMES) {
    const alone = scored({ ...plain, [name]: value });
    if (typeof alone !== 'number') {
      expect(alone.code).toBe('ERR_RECORD');
      expect(alone.message).toContain(`field "${name}"`);
      expect(alone.message.length).toBeLessThan(300);
    }
    // in a table it is the same, where a table can hold it
    const scorer = model.scorer(pickEngine('js'), { capacity: 1 });
    try {
      expect(scorer.score(tableFromRecords([{ ...plain, [name]: value }])).logits[0]).toBe(alone);
    } catch (error) {
      if (!(error instanceof LogoddsError)) throw error;
      expect(error.message).toContain(`column "${name}"`);
      expect(typeof alone, `${name}: ${error.message}`).toBe('object');
    }
    scorer.free();
  }
});

test.each<[string, unknown]>([
  ['null', null],
  ['undefined', undefined],
  ['a number', 3],
  ['text', 'number'],
  ['a symbol', Symbol('x')],
  ['a function', () => 1],
])('%s is no record', (_, record) => {
  expect(scored(record)).toMatchObject({
    code: 'ERR_RECORD',
    message: expect.stringContaining('record: expected an object'),
  });
});

test.each<[string, object]>([
  ['a list', []],
  ['a Map', new Map(Object.entries(plain))],
  ['an empty record', {}],
  ['a null prototype', Object.create(null)],
])('%s lacks the fields, and they are named', (_, record) => {
  expect(scored(record)).toMatchObject({ code: 'ERR_SCHEMA', message: expect.stringContaining('"number", "curve"') });
});

test('frozen records, records without prototype and with getters score as plain ones', () => {
  const logit = scored(plain);
  expect(logit).toBeTypeOf('number');
  expect(scored(Object.freeze({ ...plain }))).toBe(logit);
  expect(scored(Object.assign(Object.create(null), plain))).toBe(logit);
  expect(scored(Object.create(plain))).toBe(logit);
  expect(scored(Object.defineProperty({ ...plain }, 'curve', { get: () => plain.curve }))).toBe(logit);
});

test('a getter that throws: its own error comes out, and the next record is scored', () => {
  const fail = (): never => {
    throw new RangeError('gone');
  };
  expect(() => model.score(Object.defineProperty({ ...plain }, 'curve', { get: fail }))).toThrow('gone');
  expect(scored(plain)).toBeTypeOf('number');
});

test.each(['x', ',', 'ab ', '[', '["a",', '2024-05-03T', '\ud800'])(
  'ten megabytes of %j in every field that reads text: at most five seconds of the processor each',
  (unit) => {
    const long = unit.repeat(1e7 / unit.length);
    for (const name of TEXTS) {
      const begin = process.cpuUsage();
      const end = scored({ ...plain, [name]: long });
      expect(process.cpuUsage(begin).user, name).toBeLessThan(5e6);
      if (typeof end !== 'number') expect(end.message.length).toBeLessThan(400);
    }
    for (const name of ['number', 'curve', 'clipped', 'binned'])
      expect(scored({ ...plain, [name]: long })).toBeInstanceOf(LogoddsError);
  },
  300_000,
);

test('names, levels, tags and texts that every object has, or that are no Unicode, come back from the file', () => {
  const odd = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '\ud800', '\udfff\ud800', ''];
  const features = odd.slice(0, 6).flatMap((name, i): DeclaredFeature[] => [
    { name, kind: 'categorical', ...(i % 2 === 1 && { encoding: 'target' }) },
    { name: `${name} tags`, column: name, kind: 'tags' },
    { name: `${name} text`, column: name, kind: 'text', buckets: 4 },
    { name: `${name} hash`, column: name, kind: 'categorical', encoding: 'hash', buckets: 4 },
  ]);
  const records = Array.from({ length: 90 }, (_, i) =>
    Object.fromEntries([
      ['y', Number((i * 31) % 7 > 3)],
      ...odd.slice(0, 6).map((name, j) => [name, odd[(i * (j + 2) + j) % 7]]),
    ]),
  );
  const schema = JSON.parse(JSON.stringify({ features })) as Declaration;
  const trained = fitTable(tableFromRecords(records), { target: 'y', schema, C: 1 }).model;
  const back = loadModel(saveModel(trained));
  expect(back.manifest.schema).toEqual(trained.manifest.schema);
  const scorer = back.scorer(pickEngine());
  const { logits } = scorer.score(tableFromRecords(records));
  records.forEach((record, i) => {
    const { logit, defaulted } = back.score(record);
    expect([logit, defaulted]).toEqual([trained.score(record).logit, 0]);
    expect(logits[i]).toBe(logit);
  });
  scorer.free();
  // what only the prototype has is absent
  expect(scored({ '\ud800': 'x', '\udfff\ud800': 'x' }, back)).toMatchObject({
    code: 'ERR_SCHEMA',
    message: expect.stringContaining('"__proto__", "constructor", "toString", "hasOwnProperty"'),
  });
});

describe('cells of a table that are no numbers', () => {
  const withCell = (name: string, value: number): Table => {
    const table = tableFromRecords([plain]);
    return {
      ...table,
      columns: table.columns.map((column) =>
        column.name === name ? { name, kind: 'numeric', values: Float64Array.of(value) } : column,
      ),
    };
  };
  test.each(
    ['number', 'curve', 'clipped', 'binned', 'category', 'target', 'hashed', 'day', 'tags', 'text'].flatMap((name) =>
      [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) => [name, value] as const),
    ),
  )('%s: %d is refused with row and column', (name, value) => {
    const scorer = model.scorer(pickEngine('js'), { capacity: 1 });
    expect(() => scorer.score(withCell(name, value), 7)).toThrow(`row 7 (from 0), column "${name}": expected`);
    scorer.free();
  });
  test.each(['number', 'curve', 'clipped'])('%s: what passes 1.8e308 or f32 is refused, not infinite', (name) => {
    const scorer = model.scorer(pickEngine('js'), { capacity: 1, precision: 'f32' });
    if (name === 'clipped') expect(Number.isFinite(scorer.score(withCell(name, 1e300)).logits[0])).toBe(true);
    else expect(() => scorer.score(withCell(name, 1e300))).toThrow(`column "${name}": expected a`);
    scorer.free();
  });
});

test.each(['category', 'target', 'tags', 'text'])(
  '%s: a code without a name takes a default, and is counted',
  (name) => {
    const table = tableFromRecords([plain]);
    const columns = table.columns.map((column) =>
      column.name === name && column.kind === 'coded' ? { ...column, codes: Uint8Array.of(9) } : column,
    );
    const scorer = model.scorer(pickEngine('js'), { capacity: 1 });
    expect(scorer.score(table).defaulted[0]).toBe(0);
    expect(scorer.score({ rows: 1, columns }).defaulted[0]).toBeGreaterThan(0);
    scorer.free();
  },
);

describe('declarations', () => {
  const refused = (features: unknown, options: object = {}): LogoddsError => {
    try {
      fitTable(tableFromRecords(rows), { target: 'y', schema: { features } as Declaration, maxIter: 1, ...options });
    } catch (error) {
      if (error instanceof LogoddsError) return error;
      throw error;
    }
    throw new Error('expected an error');
  };
  const parts: DeclaredFeature[] = [
    { name: 'category', kind: 'categorical' },
    { name: 'flag', kind: 'boolean' },
  ];

  test.each(['bins', 'spline', 'transform', 'low', 'impute', 'column', 'missing'])(
    'deep nesting in "%s" is named',
    (field) => {
      for (const value of [VALUES['deep lists'], VALUES['deep objects']]) {
        expect(refused([{ name: 'number', kind: 'numeric', [field]: value }]).message).toContain(
          `schema, feature "number", field "${field}": expected`,
        );
      }
    },
  );
  test('deep nesting in their place is named', () => {
    for (const value of [VALUES['deep lists'], VALUES['deep objects']]) {
      expect(refused(value)).toMatchObject({ code: 'ERR_SCHEMA' });
      expect(refused([value])).toMatchObject({ code: 'ERR_SCHEMA' });
      expect(refused([...parts, { kind: 'cross', of: value }])).toMatchObject({ code: 'ERR_SCHEMA' });
    }
  });

  test('crosses of crosses are taken apart in time of their number, and a ring of them is named', () => {
    const ring = (count: number, last: string): unknown[] =>
      Array.from({ length: count }, (_, i) => ({
        name: `k${i}`,
        kind: 'cross',
        of: [i === count - 1 ? last : `k${i + 1}`, 'flag'],
      }));
    const begin = process.cpuUsage();
    expect(refused([...parts, ...ring(50_000, 'k0')]).message).toMatch(
      /"k0": expected a cross of other features, got one that contains itself \("k0" of "k1" of .{1,80} of … of "k0"\)/,
    );
    expect(refused([...parts, ...ring(50_000, 'nothing')]).message).toContain('got "nothing"; declare it');
    // each of two crosses of the two before: 2^60 ways down
    const doubled = Array.from({ length: 60 }, (_, i) =>
      ['p', 'q'].map((of) => ({
        name: `${of}${i}`,
        kind: 'cross',
        of: i === 0 ? ['category', 'flag'] : [`p${i - 1}`, `q${i - 1}`],
        buckets: 2,
      })),
    );
    fitTable(tableFromRecords(rows), {
      target: 'y',
      schema: { features: [...parts, ...doubled.flat()] } as Declaration,
      maxIter: 1,
    });
    expect(process.cpuUsage(begin).user).toBeLessThan(10e6);
  });

  test('a feature of the name of the offset column is refused before the fit', () => {
    const table = tableFromRecords(rows.map((row) => ({ ...row, exposure: 0.1 })));
    const schema: Declaration = { features: [{ name: 'exposure', column: 'binned', kind: 'numeric', bins: 2 }] };
    expect(() => fitTable(table, { target: 'y', offset: 'exposure', schema })).toThrow(
      'got "exposure"; rename the feature',
    );
  });

  test('a hash without buckets is fitted: more slots than a Hessian has rows', () => {
    const { model: wide } = fitTable(tableFromRecords(rows), {
      target: 'y',
      schema: { features: [{ name: 'hashed', kind: 'categorical', encoding: 'hash', missing: 'mode' }] },
    });
    expect([wide.manifest.fit.converged, wide.manifest.fit.solver]).toEqual([true, 'lbfgs']);
    expect(wide.encoder.slots).toBe(2050);
  });

  test('the most frequent of 150,000 levels is found', () => {
    const count = 150_000;
    const values = Float64Array.from({ length: count + 2 }, (_, i) => Math.min(i, count));
    const columns: Table['columns'] = [
      { name: 'y', kind: 'numeric', values: values.map((_, i) => i % 2) },
      { name: 'user', kind: 'numeric', values },
    ];
    const { model: wide } = fitTable(
      { rows: count + 2, columns },
      { target: 'y', maxIter: 1, schema: { features: [{ name: 'user', kind: 'categorical', missing: 'mode' }] } },
    );
    const row = new Float64Array(1);
    expect(wide.encoder.encodeRecord({ user: null }, row)).toBe(1);
    expect(row[0]).toBe(count);
  });

  test('a hashed cross of more than 2^53 cells tells them apart', () => {
    const levels = Array.from({ length: 64 }, (_, i) => `l${i}`);
    const names = Array.from({ length: 10 }, (_, i) => `c${i}`);
    const wide = Array.from({ length: 256 }, (_, i) =>
      Object.fromEntries([['y', i % 2], ...names.map((name, j) => [name, levels[(i * (2 * j + 1)) % 64]])]),
    );
    const { encoder } = fitTable(tableFromRecords(wide), {
      target: 'y',
      maxIter: 1,
      schema: {
        features: [
          ...names.map((name): DeclaredFeature => ({ name, kind: 'categorical' })),
          { name: 'all', kind: 'cross', of: names, buckets: 1 << 16 },
        ],
      },
    }).model;
    const out = new Float64Array(11);
    // of these only the last part differs: one number in a double
    const slots = levels.map((level) => {
      encoder.encodeRecord(Object.fromEntries(names.map((name, j) => [name, j === 9 ? level : 'l63'])), out);
      return out[10];
    });
    expect(new Set(slots).size).toBeGreaterThan(60);
  });
});

describe('model files', () => {
  const { manifest, weights, intercept } = model;
  const forge = (features: unknown): Uint8Array => {
    const file = encodeSafetensors(
      { sha256: '0'.repeat(64), logodds: JSON.stringify({ ...manifest, schema: { features } }) },
      { weights: { shape: [weights.length], values: weights }, intercept: { shape: [1], values: intercept } },
    );
    file.set(new TextEncoder().encode(createHash('sha256').update(file).digest('hex')), 35);
    return file;
  };
  const { features } = manifest.schema as Schema;
  const at = (kind: Feature['kind'], has = ''): number =>
    features.findIndex(
      (feature) => feature.kind === kind && (has === '' || (has in feature && (feature as never)[has] !== null)),
    );

  /** Refused with a path or a tensor's shape, or loaded and then all scores are finite. */
  const examined = (changed: unknown): string => {
    let loaded: Model;
    try {
      loaded = loadModel(forge(changed));
    } catch (error) {
      expect(error, String((error as Error).stack)).toBeInstanceOf(LogoddsError);
      expect((error as LogoddsError).code).toBe('ERR_FORMAT');
      return (error as Error).message;
    }
    for (const record of [rows[0], rows[1], { ...plain, category: null, tags: null, day: null, curve: null }])
      scored(record, loaded);
    return 'loaded';
  };

  const WRONG: readonly unknown[] = [
    undefined,
    null,
    true,
    -1,
    0,
    0.5,
    1e9,
    1e308,
    -1e308,
    5e-324,
    2 ** 31,
    2 ** 53,
    '',
    'x',
    '__proto__',
    [],
    {},
    [[]],
    [1],
    [1, 1],
    [1, 2, 3],
    [3, 2, 1],
    [0, 0, 0, 0],
    [1e308, -1e308, 1e308],
    [0, 5e-324, 1e-323],
    [-1e308, 0, 1e308],
    ['a', 'a'],
    ['category', 'category'],
    ['category', 'nothing'],
    ['category × flag', 'category'],
    { buckets: 2 ** 31 },
    { buckets: 1e9, length: 8 },
    { name: 'constructor' },
    { name: 'box-cox', lambda: 1e308 },
    { name: 'yeo-johnson', lambda: -1e308 },
    { name: 'log' },
    { separator: '' },
    new Array(1000).fill(''),
    new Array(1000).fill(1),
  ];

  const kinds = [...new Set(features.map(({ kind }) => kind))];
  test('every kind is among them', () => {
    expect([...kinds].sort()).toEqual(['numeric', 'categorical', ...Object.keys(encoders)].sort());
  });
  test.each(kinds.map((kind) => [kind, at(kind)] as const))('%s: every field with every wrong value', (_, i) => {
    let loaded = 0;
    let checked = 0;
    const fields = [...Object.keys(features[i]), 'reason', 'column', 'part', 'rare', 'of'];
    for (const field of fields) {
      for (const value of WRONG) {
        const end = examined(features.map((feature, j) => (j === i ? { ...feature, [field]: value } : feature)));
        checked++;
        if (end === 'loaded') loaded++;
      }
    }
    expect(loaded).toBeLessThan(0.6 * checked);
  });

  test.each<[string, number, object]>([
    ['buckets without counts', at('hashed'), { buckets: 1e9 }],
    ['buckets of tokens without moments', at('tokens'), { tokens: { buckets: 2 ** 31 } }],
    ['knots that are equal', at('curve', 'knots'), { knots: [1, 1, 1] }],
    ['knots nearer than a double tells', at('curve', 'knots'), { knots: [0, 5e-324, 1e-323], fill: 1 }],
    ['edges that fall', at('binned'), { edges: [3, 2, 1, 0] }],
    ['a cross of itself', at('cross'), { of: ['category', 'category × flag'] }],
    ['a hashed cross of itself', at('hashed', 'of'), { of: ['category', 'mixed'] }],
    ['a cross of a number', at('cross'), { of: ['category', 'number'] }],
    ['levels of one name', at('cross'), { levels: new Array(8).fill('') }],
    ['values of another length', at('target'), { values: [[1, 2]] }],
    ['a part that no date has', at('date'), { part: 'century' }],
    ['a fill that the transform does not take', at('curve'), { transform: { name: 'log' }, fill: -1 }],
    [
      'a power that is infinite at the fill',
      at('curve'),
      { transform: { name: 'yeo-johnson', lambda: 1e308 }, fill: 3 },
    ],
    ['a reason that is no text', at('binned'), { reason: { replaceAll: 1 } }],
    ['a column that is no text', at('target'), { column: 5 }],
  ])('refused with its path: %s', (_, i, changes) => {
    expect(i).toBeGreaterThanOrEqual(0);
    expect(examined(features.map((feature, j) => (j === i ? { ...feature, ...changes } : feature)))).toContain(
      `expected a valid manifest.schema.features.${i}`,
    );
  });

  test('many features and crosses of them are read in time of their number', () => {
    const count = 20_000;
    const many: unknown[] = Array.from({ length: count }, (_, i) => ({
      ...features[at('categorical')],
      name: `c${i}`,
      column: 'category',
      levels: [''],
      counts: [1, 0],
    }));
    const names = Array.from({ length: count }, (_, i) => `c${count - 1 - i}`);
    for (let i = 0; i < 20; i++) many.push({ ...features[at('hashed', 'of')], name: `x${i}`, of: names });
    const begin = process.cpuUsage();
    expect(examined(many)).toContain('expected tensor "weights"');
    expect(process.cpuUsage(begin).user).toBeLessThan(6e6);
    const empty = { ...features[at('cross')], levels: new Array(1e6).fill('') };
    expect(examined(features.map((feature) => (feature.kind === 'cross' ? empty : feature)))).toContain(
      'manifest.schema.features',
    );
  });
});
