import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { LogoddsError } from '../../bindings/errors.ts';
import type { DeclaredFeature } from '../../src/encode/declare.ts';
import { type Field, fieldsOf, inputSchema, inputType } from '../../src/model/fields.ts';
import type { FittedModel } from '../../src/model/fittedModel.ts';
import { fit as fitTable } from '../../src/train/fit.ts';
import { random } from '../train/oracles.ts';

const next = random(5);
const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)];
const CITIES = ['a', 'b', 'c', 'd'];
const rows = Array.from({ length: 400 }, (_, i) => ({
  amount: next() < 0.1 ? null : 100 * next(),
  age: 18 + Math.floor(60 * next()),
  size: 1 + Math.floor(9 * next()),
  day: new Date(Date.UTC(2001, 0, 1 + Math.floor(700 * next()))).toISOString().slice(0, 10),
  city: next() < 0.1 ? null : pick(CITIES),
  plan: pick(['free', 'plus', '1', 'true']),
  member: next() < 0.5,
  tags: pick(['x y', 'x', 'y z', '']),
  exposure: next(),
  y: Number(next() < 0.3 + 0.4 * (i % 2)),
}));

function modelOf(features: readonly DeclaredFeature[], offset?: string): FittedModel {
  return fitTable(rows, { target: 'y', schema: { features }, offset, C: 0.1 }).model;
}

const SCHEMAS: [string, DeclaredFeature[], offset?: string][] = [
  ['a number', [{ name: 'amount', kind: 'numeric' }]],
  ['a number that must be there', [{ name: 'age', kind: 'numeric', missing: 'error' }]],
  ['a number within ends', [{ name: 'age', kind: 'numeric', low: 18, high: 80, range: 'error' }]],
  ['a number with one end', [{ name: 'age', kind: 'numeric', high: 80, range: 'error', spline: 3 }]],
  ['a logarithm', [{ name: 'age', kind: 'numeric', transform: 'log' }]],
  ['a logarithm above an end', [{ name: 'age', kind: 'numeric', transform: 'log', low: 1 }]],
  ['log1p', [{ name: 'age', kind: 'numeric', transform: 'log1p' }]],
  ['a root', [{ name: 'age', kind: 'numeric', transform: 'sqrt' }]],
  ['bins', [{ name: 'age', kind: 'numeric', bins: 4 }]],
  ['bins with ends', [{ name: 'age', kind: 'numeric', bins: [18, 40, 80], range: 'error', missing: 'error' }]],
  ['a category', [{ name: 'city', kind: 'categorical' }]],
  ['rare categories', [{ name: 'plan', kind: 'categorical', minCount: 110 }]],
  ['a category that must be known', [{ name: 'plan', kind: 'categorical', unseen: 'error', missing: 'error' }]],
  ['a known category or none', [{ name: 'city', kind: 'categorical', unseen: 'error' }]],
  [
    'two lists of categories',
    [
      { name: 'city', kind: 'categorical' },
      { name: 'own', column: 'city', kind: 'categorical', levels: ['a', 'b', 'c', 'd', 'e'], unseen: 'error' },
    ],
  ],
  [
    'two lists that must be known',
    [
      { name: 'city', kind: 'categorical', unseen: 'error' },
      { name: 'own', column: 'city', kind: 'categorical', levels: ['d', 'c', 'b', 'a', 'e'], unseen: 'error' },
    ],
  ],
  ['a boolean', [{ name: 'member', kind: 'boolean', unseen: 'error' }]],
  ['target encoding', [{ name: 'city', kind: 'categorical', encoding: 'target' }]],
  ['target encoding of the known', [{ name: 'city', kind: 'categorical', encoding: 'target', unseen: 'error' }]],
  ['hashed', [{ name: 'city', kind: 'categorical', encoding: 'hash', buckets: 4 }]],
  ['text', [{ name: 'tags', kind: 'text', buckets: 4 }]],
  ['a short text', [{ name: 'tags', kind: 'text', buckets: 4, maxText: 6, missing: 'error' }]],
  ['tags', [{ name: 'tags', kind: 'tags', separator: ' ' }]],
  ['known tags', [{ name: 'tags', kind: 'tags', separator: ' ', unseen: 'error' }]],
  ['a date', [{ name: 'day', kind: 'date', parts: ['month', 'epochDays'] }]],
  ['a part of a date', [{ name: 'day', kind: 'numeric', part: 'dayOfYear', missing: 'error' }]],
  [
    'a category and a number of one column',
    [
      { name: 'level', column: 'size', kind: 'categorical' },
      { name: 'size', kind: 'numeric', low: 1, range: 'error' },
    ],
  ],
  [
    'a category and tags of one column',
    [
      { name: 'tags', kind: 'tags', separator: ' ' },
      { name: 'whole', column: 'tags', kind: 'categorical' },
    ],
  ],
  [
    'tags and words of one column',
    [
      { name: 'tags', kind: 'tags', separator: ' ' },
      { name: 'words', column: 'tags', kind: 'text', buckets: 2 },
    ],
  ],
  [
    'a category and a date of one column',
    [
      { name: 'as it is', column: 'day', kind: 'categorical' },
      { name: 'day', kind: 'date', parts: ['year'] },
    ],
  ],
  [
    'a cross',
    [
      { name: 'age', kind: 'numeric', bins: 3 },
      { name: 'plan', kind: 'categorical' },
      { kind: 'cross', of: ['age', 'plan'] },
    ],
  ],
  ['an offset', [{ name: 'amount', kind: 'numeric' }], 'exposure'],
];

/** What JSON can say in a field. */
const values = fc.oneof(
  fc.constantFrom(null, true, false, '', '1', 1, 0, -1, 18, 60, 80, 20.5, 1e6, -0.5, 'free', 'plus', 'a', 'e', 'true'),
  fc.constantFrom(
    'x y',
    'x',
    'w',
    'x w',
    '2001-05-03',
    '2001-05-03T10:00Z',
    'May',
    1e12,
    [],
    ['x'],
    ['x', 'y'],
    ['w'],
    {},
  ),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.string({ maxLength: 8 }),
  fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 }),
);

const takes = (model: FittedModel, record: object): boolean => {
  try {
    model.score(record as never);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(LogoddsError);
    expect(['ERR_RECORD', 'ERR_SCHEMA']).toContain((error as LogoddsError).code);
    return false;
  }
};

/** a value that `score` takes although the schema asks for the usual form: of words and tags other scalars and lists, of tags those of known ones in one text */
const unusual = (type: string, value: unknown): boolean =>
  (type === 'text' || type === 'tags') && typeof value !== 'object'
    ? true
    : Array.isArray(value) && type !== 'category';
/** a text or a number that is none of the dates of training */
const noDate = (type: string, value: unknown): boolean =>
  type === 'date' && (typeof value === 'string' || typeof value === 'number');

/** A row without gaps; known tags as the list that their type asks for. */
function recordOf(fields: readonly Field[]): Record<string, unknown> {
  const usual = rows.find((row) => Object.values(row).every((value) => value !== null))!;
  return Object.fromEntries(
    fields.map(({ name, type, strict }) => [
      name,
      type === 'tags' && strict ? ['x'] : usual[name as keyof typeof usual],
    ]),
  );
}

describe.each(SCHEMAS)('%s', (_, features, offset) => {
  const model = modelOf(features, offset);
  const { fields } = model;
  const validate = new Ajv2020({ strict: false }).compile(inputSchema(model));
  const record = recordOf(fields);

  it('fields are what a record must have, and no more', () => {
    expect(new Set(fields.map(({ name }) => name)).size).toBe(fields.length);
    expect([takes(model, record), validate(record)]).toEqual([true, true]);
    for (const { name } of fields) {
      const { [name]: __, ...less } = record;
      expect([takes(model, less), validate(less)]).toEqual([false, false]);
      const gap = { ...record, [name]: null };
      expect([takes(model, gap), validate(gap)]).toEqual([
        fields.find((one) => one.name === name)!.nullable,
        takes(model, gap),
      ]);
    }
    const more = { ...record, other: {} };
    expect([takes(model, more), validate(more)]).toEqual([true, true]);
    const known = new Set([...model.manifest.schema.features.map(({ name }) => name)]);
    for (const { features: names } of fields) for (const name of names) expect(known).toContain(name);
  });

  it('the schema lets pass what score takes', () => {
    for (const { name, type } of fields) {
      fc.assert(
        fc.property(values, (value) => {
          const one = { ...record, [name]: value };
          const [valid, taken] = [validate(one), takes(model, one)];
          if (valid && !taken) expect(noDate(type, value), `${JSON.stringify(value)} passes`).toBe(true);
          if (taken && !valid) expect(unusual(type, value), `${JSON.stringify(value)} does not pass`).toBe(true);
        }),
        { numRuns: 300, seed: 3 },
      );
    }
  });

  it('the functions of logodds/stages say the same', () => {
    expect([fieldsOf(model), inputSchema(model), inputType(model, 'Row')]).toEqual([
      model.fields,
      inputSchema(model),
      inputType(model, 'Row'),
    ]);
  });
});

describe('what is said of a field', () => {
  it('numbers, categories and the offset', () => {
    const { fields } = modelOf(
      [
        { name: 'age', kind: 'numeric' },
        { name: 'city', kind: 'categorical', unseen: 'error' },
        { name: 'plan', kind: 'categorical', minCount: 110 },
        { name: 'tags', kind: 'tags', separator: ' ' },
        { name: 'old', column: 'age', kind: 'numeric', bins: 2 },
      ],
      'exposure',
    );
    expect(fields.map(({ levels, ...field }) => ({ ...field, levels: levels && [...levels].sort() }))).toEqual([
      { name: 'age', type: 'number', nullable: true, min: 18, max: 77, features: ['age', 'old'], levels: undefined },
      { name: 'city', type: 'category', nullable: true, strict: true, features: ['city'], levels: CITIES },
      { name: 'plan', type: 'category', nullable: true, features: ['plan'], levels: ['1', 'free', 'plus', 'true'] },
      { name: 'tags', type: 'tags', nullable: true, features: ['tags'], levels: ['x', 'y', 'z'] },
      { name: 'exposure', type: 'number', nullable: false, features: [], levels: undefined },
    ]);
  });

  it('a field may have any name', () => {
    const odd = rows.map(({ age, y }) =>
      Object.fromEntries([
        ['__proto__', age],
        ['a "b"\n', age % 7],
        ['y', y],
      ]),
    );
    const { model } = fitTable(odd, { target: 'y' });
    expect(model.fields.map(({ name }) => name)).toEqual(['__proto__', 'a "b"\n']);
    expect(Object.keys(inputSchema(model).properties)).toEqual(['__proto__', 'a "b"\n']);
    expect(inputSchema(model).required).toEqual(['__proto__', 'a "b"\n']);
  });
});

describe('the TypeScript type', () => {
  let folder = '';
  afterAll(async () => {
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('compiles, takes a record of training, and refuses what the model would', async () => {
    folder = await mkdtemp(join(tmpdir(), 'logodds-types-'));
    const file = join(folder, 'types.ts');
    const lines = SCHEMAS.flatMap(([, features, offset], k) => {
      const model = modelOf(features, offset);
      const record = recordOf(model.fields);
      const [{ name }] = model.fields;
      return [
        inputType(model, `Row${k}`),
        `export const row${k}: Row${k} = ${JSON.stringify(record)};`,
        `// @ts-expect-error an object is no value\nexport const wrong${k}: Row${k} = ${JSON.stringify({ ...record, [name]: { a: 1 } })};`,
        `// @ts-expect-error a field is absent\nexport const less${k}: Row${k} = ${JSON.stringify({ ...record, [name]: undefined })};`,
      ];
    });
    const odd = rows.map(({ age, y }) =>
      Object.fromEntries([
        ['a "b"\n', age % 7],
        ['y', y],
      ]),
    );
    lines.push(inputType(fitTable(odd, { target: 'y' }).model));
    const strict = modelOf([{ name: 'plan', kind: 'categorical', unseen: 'error', missing: 'error' }]);
    lines.push(inputType(strict, 'Plan'), `export const plans: Plan[] = [{ plan: 1 }, { plan: '1' }, { plan: true }];`);
    lines.push(`// @ts-expect-error an unknown plan\nexport const plan: Plan = { plan: 'other' };`);
    writeFileSync(file, lines.join('\n'));
    const options = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: [] };
    const program = ts.createProgram([file], options);
    const said = ts.getPreEmitDiagnostics(program).map(({ messageText, start, file: of }) => {
      const line = of && start !== undefined ? of.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    expect(said).toEqual([]);
  });
});

it('a field is private where one of its features is; scores are the same', () => {
  const features = (isPrivate: boolean): DeclaredFeature[] => [
    { name: 'amount', kind: 'numeric' },
    { name: 'old', kind: 'numeric', column: 'age', bins: [18, 40, 90] },
    { name: 'age', kind: 'numeric', ...(isPrivate && { private: true }) },
    { name: 'when', kind: 'date', column: 'day', parts: ['month', 'year'], ...(isPrivate && { private: true }) },
  ];
  const [open, closed] = [modelOf(features(false)), modelOf(features(true))];
  expect(fieldsOf(closed).map((field) => [field.name, field.private])).toEqual([
    ['amount', undefined],
    ['age', true],
    ['day', true],
  ]);
  expect(fieldsOf(open).some((field) => field.private)).toBe(false);
  expect(closed.score(rows[0])).toEqual(open.score(rows[0]));
  expect(() => modelOf([{ name: 'age', kind: 'numeric', private: false as never }])).toThrow(
    '"private": expected true',
  );
});
