import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { Block } from '../../cli/src/read/block.ts';
import { openDatabase, streamChunks } from '../../cli/src/read/database.ts';
import { checkDeclaration } from '../../src/encode/declare.ts';
import { loadModel } from '../../src/index.ts';
import { sweep } from '../full.ts';
import { workspace } from './run.ts';

const { run, json, write, path } = workspace();

type Row = Record<string, unknown>;

/** Rows with a column of every sort, gaps among them. */
function makeRows(count: number): Row[] {
  let state = 7;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = <T>(values: readonly T[]) => values[Math.floor(next() * values.length)];
  return Array.from({ length: count }, () => {
    const age = 18 + Math.floor(next() * 60);
    const tags = ['red', 'green', 'a tag of many letters'].filter(() => next() < 0.4);
    const city = pick(['paris', 'zürich', 'São Paulo', 'a city of many letters', null]);
    return {
      age,
      income: next() < 0.1 ? null : Math.round(next() * 1e5) / 10,
      zip: String(Math.floor(next() * 90)).padStart(5, '0'),
      city,
      day: new Date(Date.UTC(2023, Math.floor(next() * 12), 1 + Math.floor(next() * 28), 9)).toISOString(),
      member: next() < 0.5,
      tags,
      note: `${pick(['good customer pays', 'late payment again'])} ${pick([1, 2, 3])}`,
      y: next() < 1 / (1 + Math.exp(-((age - 45) / 10 + tags.length - 1))) ? 1 : 0,
    };
  });
}

const csvCell = (value: unknown) => {
  const text = value === null ? '' : Array.isArray(value) ? JSON.stringify(value) : String(value);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const rows = makeRows(600);
const columns = Object.keys(rows[0]);
write('d.jsonl', `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
write(
  'd.csv',
  `${[columns.join(','), ...rows.map((row) => columns.map((name) => csvCell(row[name])).join(','))].join('\n')}\n`,
);
const TYPED =
  "select * replace (cast(day as timestamp) as day) from read_json('d.jsonl', format='newline_delimited', columns={age: 'BIGINT', income: 'DOUBLE', zip: 'VARCHAR', city: 'VARCHAR', day: 'VARCHAR', member: 'BOOLEAN', tags: 'VARCHAR[]', note: 'VARCHAR', y: 'BIGINT'})";
const SCHEMA = {
  features: [
    { name: 'age', kind: 'numeric', spline: 4, reason: 'age of {value} years' },
    { name: 'age band', column: 'age', kind: 'numeric', bins: 3 },
    { name: 'age level', column: 'age', kind: 'categorical', minCount: 5 },
    { name: 'income', kind: 'numeric', transform: 'log1p', impute: 'median' },
    { name: 'zip', kind: 'categorical', encoding: 'target' },
    { name: 'zip hash', column: 'zip', kind: 'categorical', encoding: 'hash', buckets: 8 },
    { name: 'city', kind: 'categorical' },
    { name: 'day', kind: 'date', parts: ['month', 'epochDays'] },
    { name: 'member', kind: 'boolean' },
    { name: 'tags', kind: 'tags' },
    { name: 'note', kind: 'text', buckets: 8 },
    { kind: 'cross', of: ['city', 'member'] },
  ],
};
write('s.json', JSON.stringify(SCHEMA));

/** The sentence of a run that must fail. */
function failure(args: readonly string[], status = 1): string {
  const done = run(args);
  expect(done.stdout).toBe('');
  expect(done.status).toBe(status);
  const lines = done.stderr.split('\n').filter((line) => line !== '' && !/^(note|warning): /.test(line));
  expect(lines).toHaveLength(1);
  return lines[0];
}

describe('train and score with a schema', () => {
  const sources = [['d.csv'], ['d.jsonl'], ['--query', TYPED]];
  const names = ['csv.safetensors', 'jsonl.safetensors', 'query.safetensors'];

  sources.forEach((source, i) => {
    json(['train', ...source, '--target', 'y', '--schema', 's.json', '--no-holdout', '--out', names[i]]);
  });

  it('one model from CSV, JSON lines and a query; scores of each are those of the records, bit for bit', () => {
    const models = names.map((name) => loadModel(readFileSync(path(name))));
    for (const model of models) expect(model.manifest.schema).toEqual(models[0].manifest.schema);
    const expected = rows.map((row) => models[0].score(row));
    sources.forEach((source, i) => {
      const { defaulted } = json(['score', names[0], ...source, '--out', `o${i}.csv`]);
      const share = expected.reduce((sum, score) => sum + score.defaulted, 0) / rows.length;
      expect(share).toBeGreaterThan(0.01);
      expect(defaulted).toBeCloseTo(share, 12);
      const lines = readFileSync(path(`o${i}.csv`), 'utf8')
        .trim()
        .split('\n');
      expect(lines[0]).toBe('row,p_0,p_1,label');
      expect(lines.slice(1).map((line) => Number(line.split(',')[2]))).toEqual(
        expected.map((score) => score.probability),
      );
    });
  });

  it('features are of the kinds that were declared', () => {
    const model = loadModel(readFileSync(path(names[0])));
    expect(model.manifest.schema.features.map(({ kind }) => kind)).toEqual([
      ...['curve', 'binned', 'categorical', 'curve', 'target', 'hashed', 'categorical', 'date', 'curve', 'categorical'],
      ...['tokens', 'tokens', 'cross'],
    ]);
  });

  it('more rows than one table holds score the same', () => {
    const lines = readFileSync(path('d.csv'), 'utf8').trim().split('\n');
    write(
      'many.csv',
      `${lines[0]}\n${Array.from({ length: 20_000 }, (_, i) => lines[1 + ((i * 7) % 600)]).join('\n')}\n`,
    );
    json(['score', names[0], 'many.csv', '--out', 'many.out.csv']);
    const model = loadModel(readFileSync(path(names[0])));
    const expected = rows.map((row) => model.score(row).probability);
    const found = readFileSync(path('many.out.csv'), 'utf8').trim().split('\n').slice(1);
    expect(found.map((line) => Number(line.split(',')[2]))).toEqual(found.map((_, i) => expected[(i * 7) % 600]));
  });

  it('2, 2.0 and 1e0 of a CSV file: one level of numbers, or texts as they stand', () => {
    const level = (cells: readonly string[]) => {
      write('spelled.csv', `x,y\n${cells.map((cell, i) => `${cell},${(i >> 1) & 1}`).join('\n')}\n`);
      write('spelled.json', '{"features":[{"name":"x","kind":"categorical","encoding":"target","folds":2}]}');
      json([
        'train',
        'spelled.csv',
        '--target',
        'y',
        '--schema',
        'spelled.json',
        '--no-holdout',
        '--out',
        'p.safetensors',
      ]);
      const [feature] = loadModel(readFileSync(path('p.safetensors'))).manifest.schema.features;
      return 'levels' in feature && feature.levels;
    };
    expect(level(['2', '2.0', '0.00001', '3', '2', '3', '3.50', '2'])).toEqual(['0.00001', '2', '3', '3.5']);
    expect(level(['2', '2.0', 'a', '3', '2', '3', 'a', '2'])).toEqual(['2', '2.0', '3', 'a']);
  });

  it('zip codes of a CSV file keep their zeros', () => {
    const model = loadModel(readFileSync(path(names[0])));
    const zip = model.manifest.schema.features.find(({ name }) => name === 'zip');
    expect(zip?.kind === 'target' && zip.levels.every((level) => level.length === 5)).toBe(true);
  });

  it('eval reads dictionaries, cv and doctor take a schema', () => {
    const { metrics } = json(['eval', names[0], 'd.jsonl', '--target', 'y', '--report', 'r.html']);
    expect(metrics.auc).toBeGreaterThan(0.7);
    const few = { features: [{ name: 'age', kind: 'numeric', bins: 4 }] };
    write('few.json', JSON.stringify(few));
    const found = json(['cv', 'd.csv', '--target', 'y', '--schema', 'few.json', '--folds', '2', '--count', '3']);
    expect(new Set(found.coefficients.map((one: Row) => one['feature']))).toEqual(new Set(['(intercept)', 'age']));
    expect(Array.isArray(json(['doctor', 'd.csv', '--target', 'y', '--schema', 'few.json']).findings)).toBe(true);
  });

  it('others: infer adds the columns that no feature reads', () => {
    write(
      'rest.json',
      JSON.stringify({
        ...SCHEMA,
        features: SCHEMA.features.slice(SCHEMA.features.findIndex(({ name }) => name === 'day')),
        others: 'infer',
      }).replace(
        '{"kind":"cross","of":["city","member"]}',
        '{"name":"zip","kind":"categorical"},{"name":"city","kind":"categorical"}',
      ),
    );
    json([
      'train',
      'd.csv',
      '--target',
      'y',
      '--schema',
      'rest.json',
      '--drop',
      'income',
      '--no-holdout',
      '--out',
      'rest.safetensors',
    ]);
    const { features } = json(['inspect', 'rest.safetensors']);
    expect(features.map((one: Row) => one['name'])).toEqual([
      'day.month',
      'day.epochDays',
      'member',
      'tags',
      'note',
      'zip',
      'city',
      'age',
    ]);
  });
});

describe('a dictionary', () => {
  it('is of the texts of one table: bytes beyond ASCII, long and short ones, gaps; the next table starts anew', async () => {
    const texts = ['a', 'é', 'Ã©', '', '123456789012', '1234567890123', null, 'zürich is long enough', 'a'];
    const database = await openDatabase();
    const block = new Block([{ name: 'x', levels: null, label: (text) => text, sql: '' }], 2048);
    const found: (string | null)[][] = [];
    for (const part of [texts, ['b', ...texts.slice(4)]]) {
      const sql = `select unnest([${part.map((one) => (one === null ? 'null' : `'${one}'`)).join(', ')}]::varchar[])`;
      for await (const chunk of streamChunks(database.connection, sql)) block.append(chunk, 0);
      const [column] = block.table().columns;
      if (column.kind !== 'coded') throw new Error('expected codes');
      expect([...column.levels].sort()).toEqual([...new Set(part.filter((one) => one !== null))].sort());
      found.push(Array.from(part, (_, i) => (column.missing?.[i] ? null : column.levels[column.codes[i]])));
      block.clear();
    }
    database.close();
    expect(found).toEqual([texts, ['b', ...texts.slice(4)]]);
  });
});

describe('logodds schema', () => {
  it('writes a declaration that the published schema accepts and train takes', () => {
    run(['schema', '--query', TYPED, '--target', 'y', '--out', 'w.json']);
    const declaration = JSON.parse(readFileSync(path('w.json'), 'utf8'));
    expect(declaration.features.map(({ name, kind }: Row) => `${name} ${kind}`)).toEqual([
      ...['age numeric', 'income numeric', 'zip categorical', 'city categorical', 'day date', 'member boolean'],
      ...['tags tags', 'note categorical'],
    ]);
    expect(accepts(declaration)).toBe(true);
    expect(
      json(['train', '--query', TYPED, '--target', 'y', '--schema', 'w.json', '--out', 'w.safetensors']).fit.converged,
    ).toBe(true);
    const { stdout, stderr } = run(['schema', '--query', TYPED, '--target', 'y']);
    expect(stdout).toBe(readFileSync(path('w.json'), 'utf8'));
    expect(stderr).toContain('logodds train');
  });

  it('many levels are hashed, long texts are words, rare levels share a slot', () => {
    const lines = Array.from(
      { length: 3000 },
      (_, i) => `user${i % 1500},${`word${i} `.repeat(12)},${i % 7 === 0 ? `rare${i}` : 'often'},1,${i % 2}`,
    );
    write('wide.csv', `id,essay,kind,same,y\n${lines.join('\n')}\n`);
    expect(JSON.parse(run(['schema', 'wide.csv', '--target', 'y']).stdout).features).toEqual([
      { name: 'id', kind: 'categorical', encoding: 'hash', buckets: 2048 },
      { name: 'essay', kind: 'text', buckets: 256 },
      { name: 'kind', kind: 'categorical', minCount: 10 },
    ]);
  });
});

describe('what is wrong is said in one sentence that names the field', () => {
  const train = (declaration: unknown, data = 'd.csv') => {
    write('bad.json', typeof declaration === 'string' ? declaration : JSON.stringify(declaration));
    return failure([
      'train',
      data,
      '--target',
      'y',
      '--schema',
      'bad.json',
      '--no-holdout',
      '--out',
      'bad.safetensors',
    ]);
  };
  const one = (feature: Row) => ({ features: [feature] });

  it('a schema', () => {
    expect(train('{')).toMatch(/^ERR_DATA --schema bad\.json: expected a JSON file/);
    expect(train({})).toMatch(/^ERR_SCHEMA schema: expected an object with a list "features"/);
    expect(train(one({ name: 'agee', kind: 'numeric' }))).toMatch(
      /ERR_SCHEMA d\.csv: expected schema column "agee".*did you mean "age"\?/,
    );
    expect(train(one({ name: 'age', kind: 'numeric', missing: 'error', impute: 'mean' }))).toMatch(
      /feature "age": expected no field "impute"/,
    );
    const cyclic = [
      { name: 'a', kind: 'cross', of: ['b', 'city'] },
      { name: 'b', kind: 'cross', of: ['a', 'city'] },
    ];
    expect(train({ features: [{ name: 'city', kind: 'categorical' }, ...cyclic] })).toMatch(
      /feature "a": expected a cross of other features, got one that contains itself/,
    );
    expect(train(one({ name: 'city', kind: 'numeric' }))).toMatch(
      /ERR_RECORD d\.csv, line \d+, row \d+ \(from 0\), column "city": expected a number/,
    );
    expect(train(one({ name: 'note', kind: 'date', parts: ['year'] }))).toMatch(
      /ERR_RECORD d\.csv, line 2, row 0 \(from 0\), column "note": expected an ISO 8601 date/,
    );
    expect(train(one({ name: 'y', kind: 'numeric' }))).toMatch(/ERR_SCHEMA.*besides target.*"y"/);
    expect(train(one({ name: '__proto__', kind: 'numeric' }))).toMatch(
      /ERR_SCHEMA d\.csv: expected schema column "__proto__"/,
    );
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(train(`{"features":${deep}}`)).toMatch(/^ERR_(SCHEMA|DATA) /);
    expect(train(one({ name: 'age', kind: 'numeric', __proto__: null, constructor: 1 }))).toMatch(
      /feature "age": expected fields of a numeric feature .*got "constructor"/,
    );
  });

  it('data', () => {
    write('list.jsonl', '{"x":{"a":1},"y":0}\n{"x":{"a":2},"y":1}\n');
    expect(train(one({ name: 'x', kind: 'tags' }), 'list.jsonl')).toMatch(
      /ERR_SCHEMA list\.jsonl, column "x": expected text, numbers.*got objects/,
    );
    write('mixed.jsonl', '{"x":"a","y":0}\n{"x":{"a":2},"y":1}\n');
    expect(train(one({ name: 'x', kind: 'tags' }), 'mixed.jsonl')).toMatch(
      /ERR_RECORD mixed\.jsonl, line 2, row 1 \(from 0\), column "x": expected a string/,
    );
    write('lone.jsonl', '{"x":"\\ud800","y":0}\n{"x":"b","y":1}\n');
    expect(train(one({ name: 'x', kind: 'text' }), 'lone.jsonl')).toMatch(
      /^ERR_DATA lone\.jsonl: cannot be read: line 1: expected whole characters, got half a surrogate pair/,
    );
    expect(failure(['train', 'd.jsonl', '--target', 'y', '--out', 'bad.safetensors'])).toMatch(
      /column "day".*got dates.*--schema/,
    );
  });

  it('a text of a megabyte is read', () => {
    write(
      'big.jsonl',
      `${[0, 1, 0, 1].map((y, i) => JSON.stringify({ x: i === 0 ? 'ab '.repeat(340_000) : `t${i} u`, y })).join('\n')}\n`,
    );
    write('text.json', JSON.stringify(one({ name: 'x', kind: 'text', buckets: 4 })));
    expect(
      json(['train', 'big.jsonl', '--target', 'y', '--schema', 'text.json', '--no-holdout', '--out', 'big.safetensors'])
        .rows.train,
    ).toBe(4);
  });

  it('options that do not go together are wrong usage', () => {
    const usage = (...args: string[]) =>
      failure(['train', 'd.csv', '--target', 'y', '--out', 'bad.safetensors', '--schema', 's.json', ...args], 2);
    expect(usage('--memory', '1GB')).toMatch(/--memory.*cannot be used with.*--schema/);
    expect(usage('--online')).toMatch(/'--schema' does not go with --online/);
    expect(usage('--categorical', 'age')).toMatch(/--schema.*cannot be used with.*--categorical/);
  });
});

const ajv = new Ajv2020({ strict: false });
const published = ajv.compile(
  JSON.parse(readFileSync(fileURLToPath(new URL('../../docs/schema.json', import.meta.url)), 'utf8')),
);
const accepts = (value: unknown) => published(value) as boolean;

/** What the program says. */
const valid = (value: unknown) => {
  try {
    checkDeclaration(value);
    return true;
  } catch {
    return false;
  }
};

describe('docs/schema.json', () => {
  const values = [
    ...[
      'age',
      '',
      'slot',
      'baseline',
      'mode',
      'error',
      'clip',
      'onehot',
      'treatment',
      'target',
      'hash',
      'auto',
      'log',
      'box-cox',
      'mean',
      'uniform',
      'standard',
      'month',
      's',
      ',',
    ],
    ...[0, 1, 2, 3, 2.5, 7, 8, 100, 1000, 5000, -1, 2 ** 22, 2 ** 23, null, true],
    ...[
      [],
      ['a'],
      ['a', 'b'],
      ['a', 'a'],
      [1, 2],
      [1, 2, 3],
      ['month'],
      ['month', 'hour'],
      {},
      { name: 'box-cox', lambda: 1 },
      { name: 'log', lambda: 1 },
    ],
  ];
  const kinds: Row[] = [
    { name: 'x', kind: 'numeric' },
    { name: 'x', kind: 'numeric', bins: 3 },
    { name: 'x', kind: 'numeric', bins: [1, 2] },
    { name: 'x', kind: 'numeric', low: -9 },
    { name: 'x', kind: 'numeric', part: 'year' },
    { name: 'x', kind: 'categorical', part: 'month' },
    { name: 'x', kind: 'categorical' },
    { name: 'x', kind: 'categorical', encoding: 'target' },
    { name: 'x', kind: 'categorical', encoding: 'hash' },
    { name: 'x', kind: 'categorical', levels: ['a'] },
    { name: 'x', kind: 'categorical', coding: 'onehot' },
    { name: 'x', kind: 'boolean' },
    { name: 'x', kind: 'date', parts: ['year'] },
    { name: 'x', kind: 'date' },
    { name: 'x', kind: 'text' },
    { name: 'x', kind: 'tags' },
    { name: 'x', kind: 'tags', buckets: 4 },
    { kind: 'cross', of: ['a', 'b'] },
    { kind: 'cross', of: ['a', 'b'], buckets: 4 },
    { name: 'x', kind: 'other' },
    { name: 'x' },
    { kind: 'numeric' },
  ];
  const parts = [
    { name: 'a', kind: 'categorical' },
    { name: 'b', kind: 'categorical' },
  ];
  const declarable = ['numeric', 'categorical', 'boolean', 'date', 'text', 'tags', 'cross'];
  const published: Record<string, { properties: object }> = JSON.parse(readFileSync('docs/schema.json', 'utf8')).$defs;
  /** those that the program lists where it refuses one */
  const taken = (kind: string): string[] => {
    try {
      checkDeclaration({ features: [{ name: 'x', kind, of: ['a', 'b'], parts: ['year'], nonsense: 1 }] });
    } catch (error) {
      return (error as Error).message.match(/\(([^)]*)\)/)?.[1].split(', ') ?? [];
    }
    return [];
  };
  const fields = [
    ...new Set(declarable.flatMap((kind) => [...Object.keys(published[kind].properties), ...taken(kind)])),
    'nonsense',
  ];

  it('has the kinds and fields that the program lists', () => {
    expect(() => checkDeclaration({ features: [{ name: 'x', kind: 'none' }] })).toThrow(
      `one of "${declarable.join('", "')}"`,
    );
    for (const kind of declarable) expect(Object.keys(published[kind].properties).sort()).toEqual(taken(kind).sort());
  });

  it('accepts and refuses what the program does, for every field of every kind with values of every sort', () => {
    const differ: string[] = [];
    let accepted = 0;
    let cases = 0;
    for (const kind of kinds) {
      for (const field of fields) {
        for (const value of values) {
          const declaration = { features: [...parts, { ...kind, [field]: value }] };
          // that names are distinct, and parts of crosses known, is for the program alone
          if (field === 'of' || (field === 'name' && value === 'a')) continue;
          // in part: every fourth case, so other values for each field and kind
          if (cases++ % sweep(4, 1) !== 0) continue;
          const [here, there] = [valid(declaration), accepts(declaration)];
          if (here) accepted++;
          if (here !== there)
            differ.push(`${JSON.stringify(declaration.features[2])}: program ${here}, schema ${there}`);
        }
      }
    }
    expect(differ).toEqual([]);
    expect(accepted).toBeGreaterThan(sweep(250, 500));
  });

  it('of the file as a whole too', () => {
    const tops = [
      {},
      [],
      null,
      1,
      { features: [] },
      { features: [1] },
      { features: parts, others: 'infer' },
      { features: parts, others: 'all' },
      { features: parts, more: 1 },
      { features: parts, $schema: 'x' },
    ];
    for (const top of tops) expect([top, accepts(top)]).toEqual([top, valid(top)]);
  });
});
