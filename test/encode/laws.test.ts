import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pickEngine } from '../../bindings/engine.ts';
import type { Declaration, DeclaredFeature } from '../../src/encode/declare.ts';
import { Encoder } from '../../src/encode/encoder.ts';
import { encoders } from '../../src/encode/kinds/index.ts';
import { tokensOf } from '../../src/encode/kinds/tokens.ts';
import type { Feature } from '../../src/encode/schema.ts';
import { slotNames } from '../../src/encode/slots.ts';
import { fit as fitTable, loadModel, type Model, saveModel, type Table, tableFromRecords } from '../../src/index.ts';
import { loadModel as loadWith } from '../../src/score.ts';
import { allStages } from '../../src/stages.ts';
import { prepare } from '../../src/train/problem/prepare.ts';

type Row = Record<string, unknown>;

const random = (seed: number) => () => {
  seed = (seed * 1664525 + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

/** What each column holds; names are such as a hostile or a careless person gives. */
const COLUMNS = {
  number: '__proto__',
  amount: 'constructor',
  city: 'toString',
  grade: 'lone \ud800',
  vip: 'is "vip"?',
  when: 'when',
  tags: 'Ärger, 日本',
  note: 'note\n',
  user: 'user × plan',
} as const;
type ColumnName = keyof typeof COLUMNS;

const LEVELS = ['__proto__', 'constructor', 'toString', '\udc00', 'a × b', '', 'Bonn'];

/** One cell of each column; `strange` ones include what training does not have. */
function cellsOf(next: () => number, strange: boolean): Record<ColumnName, unknown> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)];
  const wide = strange ? 3 : 1;
  return {
    number: (next() - 0.5) * 40 * wide,
    amount: Math.exp(4 * next() * wide),
    city: pick(strange ? [...LEVELS, 'nowhere'] : LEVELS),
    grade: Math.floor(next() * (strange ? 8 : 5)),
    vip: next() < 0.4,
    when: new Date(
      Date.UTC(2024, Math.floor(next() * 12 * wide), 1 + Math.floor(next() * 28), next() * 24),
    ).toISOString(),
    tags: pick<unknown>([
      [' red', 'small '],
      'red,blue',
      '["red",1,null]',
      '',
      ['__proto__', null, true],
      strange ? 'violet,red' : 'blue',
      [],
    ]),
    note: pick<unknown>(['call me BACK, call', 'späte Lieferung', ['late', 'sehr\nspät'], '\ud800 lone', '…']),
    user: `u${Math.floor(next() * 200 * wide)}`,
  };
}

/** Rows with outcomes; columns of `gaps` have missing cells. */
function rowsOf(count: number, seed: number, gaps: readonly ColumnName[], strange = false): Row[] {
  const next = random(seed);
  return Array.from({ length: count }, (_, i) => {
    const cells = cellsOf(next, strange);
    const z = Number(cells.number) / 15 + (cells.city === 'Bonn' ? 1 : 0) - 0.3;
    const row: [string, unknown][] = [['y', i < 2 ? i : Number(next() < 1 / (1 + Math.exp(-z)))]];
    for (const name of Object.keys(COLUMNS) as ColumnName[]) {
      const gap = next() < 0.15 && gaps.includes(name) && i >= 2;
      row.push([COLUMNS[name], gap ? (next() < 0.5 ? null : undefined) : cells[name]]);
    }
    return Object.fromEntries(row);
  });
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const one = <const T extends readonly unknown[]>(...values: T): fc.Arbitrary<T[number]> => fc.constantFrom(...values);
/** Fields that are undefined are as if absent. */
const NUMBER_POLICIES = { missing: optional(one('slot', 'baseline', 'error')) };
const CODED_POLICIES = {
  missing: optional(one('slot', 'baseline', 'mode', 'error')),
  unseen: optional(one('slot', 'baseline', 'error')),
};

/** Declared features of a column; names are given afterwards. */
const FEATURES: Readonly<Record<ColumnName, fc.Arbitrary<Record<string, unknown>>>> = {
  number: fc.oneof(
    fc.record({ kind: one('numeric'), ...NUMBER_POLICIES, scaling: optional(one('standard', 'robust', 'none')) }),
    fc.record({
      kind: one('numeric'),
      ...NUMBER_POLICIES,
      low: one(-15),
      high: optional(one(15)),
      range: optional(one('clip', 'baseline', 'slot')),
      spline: optional(fc.integer({ min: 3, max: 6 })),
      transform: optional(one('yeo-johnson')),
    }),
    fc.record({
      kind: one('numeric'),
      ...NUMBER_POLICIES,
      bins: fc.oneof(fc.integer({ min: 2, max: 6 }), one([-20, -3, 0.5, 20])),
      range: optional(one('clip', 'baseline', 'slot')),
    }),
  ),
  amount: fc.record({
    kind: one('numeric'),
    ...NUMBER_POLICIES,
    transform: optional(one('log', 'log1p', 'sqrt', 'box-cox', 'yeo-johnson', { name: 'box-cox', lambda: -0.5 })),
    spline: optional(fc.integer({ min: 3, max: 5 })),
  }),
  city: fc.oneof(
    fc.record({ kind: one('categorical'), ...CODED_POLICIES, coding: optional(one('onehot', 'treatment')) }),
    fc.record({ kind: one('categorical'), ...CODED_POLICIES, minCount: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ kind: one('categorical'), ...CODED_POLICIES, maxLevels: fc.integer({ min: 1, max: 6 }) }),
    fc.record({
      kind: one('categorical'),
      encoding: one('target'),
      missing: optional(one('slot', 'baseline', 'error')),
      unseen: optional(one('baseline', 'error')),
      smooth: optional(one('auto', 0, 7.5)),
    }),
  ),
  grade: fc.record({ kind: one('categorical'), ...CODED_POLICIES }),
  vip: fc.record({ kind: one('boolean'), ...CODED_POLICIES }),
  when: fc.oneof(
    fc.record({
      kind: one('date'),
      parts: one(['month', 'epochDays'], ['weekday'], ['hour', 'year']),
      ...NUMBER_POLICIES,
    }),
    fc.record({ kind: one('numeric'), part: one('dayOfYear', 'hour'), bins: one(3), ...NUMBER_POLICIES }),
    fc.record({ kind: one('categorical'), part: one('quarter', 'month'), ...CODED_POLICIES }),
  ),
  tags: fc.oneof(
    fc.record({
      kind: one('tags'),
      missing: optional(one('baseline', 'error')),
      unseen: optional(one('baseline', 'error')),
    }),
    fc.record({ kind: one('tags'), missing: optional(one('baseline', 'error')), minCount: one(3) }),
    fc.record({ kind: one('tags'), buckets: one(8) }),
  ),
  note: fc.record({ kind: one('text'), buckets: one(4, 16), missing: optional(one('baseline', 'error')) }),
  user: fc.oneof(
    fc.record({
      kind: one('categorical'),
      encoding: one('hash'),
      buckets: one(8, 64),
      missing: CODED_POLICIES.missing,
    }),
    fc.record({ kind: one('categorical'), encoding: one('target'), folds: one(2, 5) }),
  ),
};

interface Case {
  readonly declaration: Declaration;
  readonly gaps: readonly ColumnName[];
  readonly seed: number;
}

/** A declaration with crosses, and columns with gaps where no policy refuses them. */
const CASES: fc.Arbitrary<Case> = fc
  .record({
    columns: fc.subarray(Object.keys(COLUMNS) as ColumnName[], { minLength: 2, maxLength: 6 }),
    renamed: fc.boolean(),
    crossed: fc.constantFrom('none', 'table', 'hashed', 'crosses'),
    gapped: fc.subarray(Object.keys(COLUMNS) as ColumnName[]),
    seed: fc.nat(1e9),
    first: fc.boolean(),
  })
  .chain(({ columns, renamed, crossed, gapped, seed, first }) =>
    fc.tuple(...columns.map((column) => FEATURES[column])).map((drafts) => {
      const features = drafts.map((draft, i) => {
        const column = COLUMNS[columns[i]];
        return { ...draft, ...(renamed ? { name: `feature ${i}`, column } : { name: column }) } as DeclaredFeature;
      });
      const gaps = gapped.filter((column) => drafts[columns.indexOf(column)]?.missing !== 'error');
      const parts = features.flatMap(({ kind, ...fields }) => {
        const { name, encoding, bins } = fields as { name: string; encoding?: string; bins?: unknown };
        const levels = kind === 'boolean' || (kind === 'categorical' && encoding === undefined) || bins !== undefined;
        return levels ? [name] : [];
      });
      const crosses: DeclaredFeature[] =
        parts.length < 2 || crossed === 'none'
          ? []
          : crossed === 'crosses' && parts.length > 2
            ? [
                { name: 'all', kind: 'cross', of: ['some', parts[2]], minCount: 2 },
                { name: 'some', kind: 'cross', of: parts.slice(0, 2) },
              ]
            : [{ kind: 'cross', of: parts.slice(0, 3), ...(crossed === 'hashed' && { buckets: 16 }) }];
      return { declaration: { features: first ? [...crosses, ...features] : [...features, ...crosses] }, gaps, seed };
    }),
  );

const fitted = (table: Table, schema: Declaration): Model =>
  fitTable(table, { target: 'y', schema, C: 1, maxIter: 30 }).model;

function check(law: (given: Case) => void, numRuns: number): void {
  fc.assert(fc.property(CASES, law), { numRuns, seed: 20260607 });
}

/** A score, or the error's code and the fields that it names. */
function outcome(score: () => unknown, fields: readonly string[]): unknown {
  try {
    return score();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    expect(message, `names a field of ${JSON.stringify(fields)}`).toSatisfy((text: string) =>
      fields.some((field) => text.includes(JSON.stringify(field))),
    );
    return { code };
  }
}

test('a table and its records have the same bits, and refuse the same rows, on every engine and from the file', () => {
  let scored = 0;
  let refused = 0;
  check(({ declaration, gaps, seed }) => {
    const trained = fitted(tableFromRecords(rowsOf(90, seed, gaps)), declaration);
    const file = saveModel(trained);
    const models = [loadModel(file), loadWith(file, allStages)];
    expect(models[0].manifest).toEqual(trained.manifest);
    expect(saveModel(models[0])).toEqual(file);
    const names = Object.values(COLUMNS);
    const rows = rowsOf(40, seed + 1, Object.keys(COLUMNS) as ColumnName[], true);
    const fields = [...names, ...trained.manifest.schema.features.map(({ name }) => name)];
    const alone = rows.map((row) => outcome(() => trained.score(row), fields) as { logit?: number });
    for (const model of models) expect(rows.map((row) => outcome(() => model.score(row), fields))).toEqual(alone);
    const good = rows.filter((_, i) => alone[i].logit !== undefined);
    scored += good.length;
    refused += rows.length - good.length;
    for (const engine of [pickEngine(), pickEngine('js')]) {
      const scorer = models[1].scorer(engine, { capacity: 16 });
      const { logits, probabilities, defaulted } = scorer.score(tableFromRecords(good, names));
      const expected = alone.filter(({ logit }) => logit !== undefined);
      good.forEach((_, i) => {
        expect([logits[i], probabilities[i], defaulted[i]]).toEqual(
          [expected[i]].map(({ logit, ...rest }) => [
            logit,
            (rest as never)['probability'],
            (rest as never)['defaulted'],
          ])[0],
        );
      });
      rows.forEach((row, i) => {
        if (alone[i].logit === undefined)
          expect(outcome(() => scorer.score(tableFromRecords([row], names)), fields)).toEqual(alone[i]);
      });
      scorer.free();
    }
  }, 40);
  expect(scored).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(50);
}, 60_000);

/** Of each feature the standardised columns of training, as plain numbers. */
function encoded(table: Table, schema: Declaration) {
  const problem = prepare(table, { target: 'y', schema, engine: pickEngine('js') });
  const columns = problem.encoder.specs.map((spec, j) =>
    Array.from((spec.kind === 'numeric' ? problem.batch.numeric(j) : problem.batch.codes(j)).subarray(0, table.rows)),
  );
  const { firstColumns } = problem.encoder;
  const byFeature = problem.schema.features.map((feature, i) => ({
    feature,
    columns: columns.slice(firstColumns[i], firstColumns[i + 1]),
  }));
  problem.free();
  return byFeature;
}

/** What standardising subtracts and divides by, of each number of a feature. */
const momentsOf = (feature: Feature): { means: readonly number[]; scales: readonly number[] } =>
  feature.kind === 'numeric'
    ? { means: [feature.mean], scales: [feature.scale] }
    : 'means' in feature
      ? feature
      : { means: [], scales: [] };

test('a training row has in training the entries that it has when it is scored, target encoding excepted', () => {
  check(({ declaration, gaps, seed }) => {
    const rows = rowsOf(80, seed, gaps);
    const found = encoded(tableFromRecords(rows), declaration);
    const encoder = new Encoder({ features: found.map(({ feature }) => feature) }, encoders);
    const out = new Float64Array(encoder.specs.length);
    rows.forEach((row, i) => {
      encoder.encodeRecord(row, out);
      found.forEach(({ feature, columns }, f) => {
        if (feature.kind === 'target') return;
        const { means, scales } = momentsOf(feature);
        const specs = encoder.specs.slice(encoder.firstColumns[f]);
        let number = 0;
        columns.forEach((column, j) => {
          const raw = out[encoder.firstColumns[f] + j];
          const standard = specs[j].kind === 'numeric' ? (raw - means[number]) / scales[number++] : raw;
          expect(column[i], `${feature.name}, row ${i}`).toBe(standard);
        });
      });
    });
  }, 40);
}, 60_000);

test('the order of declared features and of columns changes the order of features and nothing else', () => {
  check(({ declaration, gaps, seed }) => {
    const rows = rowsOf(60, seed, gaps);
    const next = random(seed);
    const shuffled = <T>(list: readonly T[]): T[] =>
      list
        .map((entry) => [next(), entry] as const)
        .sort(([a], [b]) => a - b)
        .map(([, entry]) => entry);
    const table = tableFromRecords(rows);
    const plain = encoded(table, declaration);
    const turned = encoded(
      { rows: table.rows, columns: shuffled(table.columns) },
      { features: shuffled(declaration.features) },
    );
    const byName = (list: typeof plain) => [...list].sort((a, b) => (a.feature.name < b.feature.name ? -1 : 1));
    expect(byName(turned)).toEqual(byName(plain));
  }, 30);
}, 60_000);

/** Whether a feature has to take a default for a value: what `docs/SCHEMA.md` says, without the encoder. */
function takesDefault(feature: Feature, row: Row): boolean {
  const value = row['column' in feature && feature.column !== undefined ? feature.column : feature.name];
  if (value === null || value === undefined) return true;
  const part = 'part' in feature ? feature.part : undefined;
  const date = new Date(part === undefined ? 0 : String(value));
  const parts: Record<string, number> = {
    month: date.getUTCMonth() + 1,
    quarter: Math.ceil((date.getUTCMonth() + 1) / 3),
    weekday: date.getUTCDay() || 7,
    hour: date.getUTCHours(),
    year: date.getUTCFullYear(),
    epochDays: Math.floor(date.getTime() / 864e5),
    dayOfYear: Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / 864e5) + 1,
  };
  const x = part === undefined ? (value as number) : parts[part];
  switch (feature.kind) {
    case 'curve':
      return (feature.low !== null && x < feature.low) || (feature.high !== null && x > feature.high);
    case 'binned':
      return x < feature.edges[0] || x > feature.edges[feature.edges.length - 1];
    case 'date':
      return !feature.levels.includes(String(x));
    case 'categorical':
      return ![...feature.levels, ...(feature.rare ?? [])].includes(String(value));
    case 'target':
      return !feature.levels.includes(String(value));
    case 'tokens': {
      const { tokens } = feature;
      const text = Array.isArray(value) ? JSON.stringify(value.map((one) => one && String(one))) : String(value);
      return !('buckets' in tokens) && tokensOf(feature, text).some((token) => !tokens.includes(token));
    }
    case 'numeric':
    case 'hashed':
    case 'cross':
      return false;
  }
}

test('the share of defaults counts the features, crosses excepted, that had to take one', () => {
  let defaults = 0;
  check(({ declaration, gaps, seed }) => {
    const model = fitted(tableFromRecords(rowsOf(60, seed, gaps)), declaration);
    const features = model.manifest.schema.features.filter((feature) => !('of' in feature && feature.of));
    for (const row of rowsOf(40, seed + 2, Object.keys(COLUMNS) as ColumnName[], true)) {
      let share: number;
      try {
        share = model.score(row).defaulted;
      } catch {
        continue;
      }
      const count = features.filter((feature) => takesDefault(feature, row)).length;
      expect(share, JSON.stringify(row)).toBe(count / features.length);
      defaults += count;
    }
  }, 40);
  expect(defaults).toBeGreaterThan(300);
}, 60_000);

describe('policies', () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    y: Number((i * 7) % 11 > 5),
    x: i % 20 === 7 ? null : i % 13,
    c: i % 20 === 9 ? null : ['b', 'a', 'a', 'c', 'a'][i % 5],
    d: i % 20 === 11 ? null : `2024-0${1 + (i % 3 === 0 ? 0 : i % 3)}-01`,
    t: i % 20 === 13 ? null : ['red', 'blue', 'red,blue'][i % 3],
  }));
  const whole = rows.map((row) => ({
    ...row,
    x: row.x ?? 1,
    c: row.c ?? 'a',
    d: row.d ?? '2024-02-01',
    t: row.t ?? 'red',
  }));
  const entries = (feature: Record<string, unknown>, value: unknown): string[] => {
    const gapless = feature['missing'] === 'error';
    const declared = { name: 'f', ...feature } as unknown as DeclaredFeature;
    const { encoder } = fitted(tableFromRecords(gapless ? whole : rows), { features: [declared] });
    const out = new Float64Array(encoder.specs.length);
    encoder.encodeRecord({ [feature['column'] as string]: value }, out);
    const slots = slotNames(encoder);
    let first = 0;
    return encoder.specs.map((spec, j) => {
      const slot = slots[first + (spec.kind === 'numeric' ? 0 : out[j])];
      first += spec.kind === 'numeric' ? 1 : spec.slots;
      return spec.kind === 'numeric' ? String(Number(out[j].toPrecision(6))) : `${slot.level}`;
    });
  };
  const mean =
    whole.length && rows.reduce((sum, { x }) => sum + (x ?? 0), 0) / rows.filter(({ x }) => x !== null).length;
  const x = { kind: 'numeric', column: 'x' };
  const c = { kind: 'categorical', column: 'c' };
  const month = { kind: 'categorical', column: 'd', part: 'month' };
  const ends = { ...x, low: 2, high: 9 };
  const kept = rows.flatMap((row) => (row.x !== null && row.x >= 2 && row.x <= 9 ? [row.x] : []));
  const keptMean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  const six = (value: number) => String(Number(value.toPrecision(6)));
  test.each<[string, Record<string, unknown>, unknown, string[]]>([
    ['a number: a slot and the mean', { ...x, missing: 'slot' }, null, [six(mean), '(missing)']],
    ['a number: a slot and a constant', { ...x, missing: 'slot', impute: 2.5 }, null, ['2.5', '(missing)']],
    ['a number: the mean alone', { ...x, missing: 'baseline' }, null, [six(mean)]],
    ['a number below: the end', { ...ends, missing: 'baseline' }, -5, ['2']],
    ['a number above: the end', { ...ends, missing: 'slot' }, 50, ['9', '(present)']],
    ['a number outside: a gap', { ...ends, missing: 'baseline', range: 'baseline' }, 50, [six(keptMean)]],
    ['a number outside: a gap with its slot', { ...ends, range: 'slot' }, 50, [six(keptMean), '(missing)']],
    ['bins: a slot', { ...x, bins: [0, 4, 12] }, null, ['(missing)']],
    ['bins: the most frequent', { ...x, bins: [0, 4, 12], missing: 'baseline' }, null, ['[4, 12]']],
    ['bins: the nearest', { ...x, bins: [0, 4, 12] }, 99, ['[4, 12]']],
    ['bins: the nearest below', { ...x, bins: [0, 4, 12] }, -99, ['[0, 4)']],
    ['bins: outside', { ...x, bins: [0, 4, 12], range: 'slot' }, -99, ['(unseen)']],
    ['bins: outside is the most frequent', { ...x, bins: [0, 4, 12], range: 'baseline' }, -99, ['[4, 12]']],
    ['a category: slots', c, null, ['(missing)']],
    ['a category: unseen', c, 'z', ['(unseen)']],
    ['a category: the most frequent', { ...c, missing: 'baseline', unseen: 'baseline' }, 'z', ['a']],
    ['a category: the reference', { ...c, reference: 'c', missing: 'baseline' }, null, ['c']],
    ['a category: the most frequent beside a reference', { ...c, reference: 'c', missing: 'mode' }, null, ['a']],
    ['a category: rare levels share', { ...c, minCount: 20 }, 'b', ['(other)']],
    ['a part of a date: unseen', month, '2024-12-01', ['(unseen)']],
    ['a part of a date: the most frequent', { ...month, missing: 'baseline' }, null, ['1']],
    ['hashing: a slot', { ...c, encoding: 'hash', buckets: 4 }, null, ['(missing)']],
    ['tags: none', { kind: 'tags', column: 't' }, null, ['0', '0']],
    ['tags: one unseen', { kind: 'tags', column: 't' }, 'red,violet', ['0', '1']],
  ])('%s', (_, feature, value, expected) => {
    expect(entries(feature, value)).toEqual(expected);
  });

  test.each<[string, Record<string, unknown>, unknown, string]>([
    ['a missing number', { ...x, missing: 'error' }, null, 'record, field "x": expected a value, got nothing'],
    [
      'a number outside',
      { ...x, low: 0, high: 12, range: 'error', missing: 'error' },
      50,
      'field "x": expected a number from 0 to 12, got 50',
    ],
    ['a missing bin', { ...x, bins: 2, missing: 'error' }, null, 'field "x": expected a value'],
    [
      'a number outside the bins',
      { ...x, bins: [0, 12], range: 'error', missing: 'error' },
      -1,
      'field "x": expected a number from 0 to 12, got -1',
    ],
    ['a missing category', { ...c, missing: 'error' }, undefined, 'field "c": expected a value'],
    [
      'an unseen category',
      { ...c, unseen: 'error' },
      'z',
      'field "c": expected one of the 3 levels seen in training, got "z"',
    ],
    [
      'an unseen month',
      { ...month, unseen: 'error' },
      '2024-12-01',
      'field "d": expected one of the 3 levels seen in training, got 12',
    ],
    [
      'an unseen level of target encoding',
      { ...c, encoding: 'target', unseen: 'error' },
      'z',
      'field "c": expected one of the 3 levels',
    ],
    [
      'a missing level of target encoding',
      { ...c, encoding: 'target', missing: 'error' },
      null,
      'field "c": expected a value',
    ],
    [
      'a missing cell that is hashed',
      { ...c, encoding: 'hash', buckets: 4, missing: 'error' },
      null,
      'field "c": expected a value',
    ],
    ['missing tags', { kind: 'tags', column: 't', missing: 'error' }, null, 'field "t": expected a value'],
    [
      'an unseen tag',
      { kind: 'tags', column: 't', unseen: 'error' },
      'red,violet',
      'field "t": expected one of the 2 levels seen in training, got "violet"',
    ],
    ['a missing text', { kind: 'text', column: 't', missing: 'error' }, null, 'field "t": expected a value'],
  ])('refused: %s', (_, feature, value, message) => {
    expect(() => entries(feature, value)).toThrow(
      expect.objectContaining({ code: 'ERR_RECORD', detail: expect.stringContaining(message) }),
    );
  });

  test.each<[string, Record<string, unknown>[]]>([
    ['tags', [{ name: 't', kind: 'tags', minCount: 2, unseen: 'error' }]],
    ['combinations', [c, { ...month, name: 'm' }, { kind: 'cross', of: ['c', 'm'], minCount: 2, unseen: 'error' }]],
  ])('rare %s are no errors: their training rows would be', (_, features) => {
    const schema = { features: features.map((feature) => ({ name: 'c', ...feature })) } as unknown as Declaration;
    expect(() => fitted(tableFromRecords(rows), schema)).toThrow('expected no field "minCount" where an unseen value');
  });
});
