import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, path, write } = workspace();

/** Whole numbers that are one or two doubles, by the least and the greatest of their type; the last is a small one. */
const LEVELS = {
  BIGINT: [
    '9007199254740993',
    '9007199254740992',
    '-9007199254740993',
    '9223372036854775807',
    '9223372036854775806',
    '7',
  ],
  UBIGINT: ['9007199254740993', '9007199254740994', '18446744073709551615', '18446744073709551614', '8', '7'],
  'DECIMAL(20,0)': [
    '9007199254740993',
    '9007199254740992',
    '-12345678901234567891',
    '-12345678901234567892',
    '-1',
    '7',
  ],
  'DECIMAL(38,0)': [
    '123456789012345678901234567890',
    '123456789012345678901234567891',
    '9007199254740993',
    '-8',
    '0',
    '7',
  ],
} as const;
type Type = keyof typeof LEVELS;
const TYPES = Object.keys(LEVELS) as Type[];
const ROWS = 240;
const name = (type: Type) => type.replace(/\W/g, '');

/** Levels alternate; those of even place are mostly of class 1. */
beforeAll(async () => {
  const connection = await (await DuckDBInstance.create()).connect();
  for (const type of TYPES) {
    const rows = Array.from({ length: ROWS }, (_, i) => {
      const k = i % 6;
      return [LEVELS[type][k], Number(k % 2 === 0) ^ Number(i % 5 === 0), 1_750_000_000_000 + 60_000 * i];
    });
    const cells = rows.map(([id, y, at]) => `(cast('${id}' as ${type}), ${y}, ${at}::bigint)`);
    const table = `(select id, y, make_timestamp("at" * 1000) as "at" from (values ${cells.join(', ')}) as t(id, y, "at"))`;
    await connection.run(`copy ${table} to '${path(`${name(type)}.parquet`)}' (format parquet)`);
    write(`${name(type)}.csv`, `id,y\n${rows.map(([id, y]) => `${id},${y}`).join('\n')}\n`);
  }
  connection.closeSync();
});

const train = (type: Type, data: string) => {
  const out = `${name(type)}.safetensors`;
  const { status, stderr } = run([
    'train',
    data,
    '--target',
    'y',
    '--features',
    'id',
    '--categorical',
    'id',
    '--no-holdout',
    '--out',
    out,
    '--seed',
    '1',
  ]);
  expect(status, stderr).toBe(0);
  return out;
};

describe.each(TYPES)('categories of whole numbers beyond 2^53, as %s of Parquet', (type) => {
  it('are the levels of training, and those of CSV', () => {
    const model = train(type, `${name(type)}.parquet`);
    const { stdout } = run(['inspect', model, '--json']);
    for (const level of LEVELS[type]) expect(stdout).toContain(`"${level}"`);
    const scored = [`${name(type)}.parquet`, `${name(type)}.csv`].map((data) => {
      const { status, stderr } = run(['score', model, data, '--max-unseen', '0', '--out', 'p.csv']);
      expect(status, stderr).toBe(0);
      return readFileSync(path('p.csv'), 'utf8').trim().split('\n').slice(1);
    });
    expect(scored[0]).toEqual(scored[1]);
    const chances = scored[0].slice(0, 6).map((line) => Number(line.split(',')[2]));
    // levels that a double takes for one have different weights
    chances.forEach((p, k) => {
      expect(p > 0.5, `${LEVELS[type][k]}: ${p}`).toBe(k % 2 === 0);
    });
  });

  it('are seen by eval, drift and monitor', () => {
    const model = train(type, `${name(type)}.parquet`);
    const data = `${name(type)}.parquet`;
    const rated = run(['eval', model, data, '--target', 'y', '--max-unseen', '0', '--json']);
    expect(rated.status, rated.stderr).toBe(0);
    const drift = run(['drift', model, data, '--json', '--fail', '--no-domain']);
    expect(drift.status, drift.stdout + drift.stderr).toBe(0);
    const watched = run([
      'monitor',
      data,
      '--model',
      model,
      '--target',
      'y',
      '--now',
      '2027-01-01T00:00:00Z',
      '--json',
    ]);
    expect(watched.status, watched.stderr).toBe(0);
    expect(JSON.stringify(JSON.parse(watched.stdout))).not.toMatch(/"unseen":[1-9]/);
  });
});

it('a whole number is the same level as BIGINT and as DECIMAL', () => {
  const model = train('BIGINT', 'BIGINT.parquet');
  const query = "select cast(id as decimal(20,0)) as id from 'BIGINT.parquet'";
  const [own, other] = [
    ['--query', "select id from 'BIGINT.parquet'"],
    ['--query', query],
  ].map((data) => {
    const { status, stderr } = run(['score', model, ...data, '--max-unseen', '0', '--out', 'p.csv']);
    expect(status, stderr).toBe(0);
    return readFileSync(path('p.csv'), 'utf8');
  });
  expect(other).toBe(own);
});
