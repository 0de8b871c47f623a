import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, write, path } = workspace();

const bytes = (name: string) => readFileSync(path(name), 'utf8');
const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1);
const row = (i: number) => ({
  at: START + i * DAY,
  y: (i * 7919) % 10 < 3 + (Math.floor(i / 30) % 2) * 4 ? 'yes' : 'no',
});
const rows = Array.from({ length: 300 }, (_, i) => row(i));
const csv = (write: (ms: number) => unknown) => `at,y\n${rows.map(({ at, y }) => `${write(at)},${y}`).join('\n')}\n`;
const jsonl = (write: (ms: number) => unknown) =>
  rows.map(({ at, y }) => `${JSON.stringify({ at: write(at), y })}\n`).join('');
const seconds = (ms: number) => ms / 1000;

write(
  'iso.csv',
  csv((ms) => new Date(ms).toISOString()),
);
write('s.csv', csv(seconds));
write('s.jsonl', jsonl(seconds));
write(
  'ms.jsonl',
  jsonl((ms) => ms),
);
write(
  'digits.csv',
  csv((ms) => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')),
);
for (const unit of ['ms', 's', undefined])
  write(
    `${unit}.json`,
    JSON.stringify({ features: [{ name: 'at', kind: 'date', parts: ['month', 'weekday'], unit }] }),
  );

const train = (data: string, schema: string, out = 'm.safetensors') =>
  run(['train', data, '--target', 'y', '--schema', schema, '--no-holdout', '--out', out]);

describe('numbers that stand for dates', () => {
  const first = train('iso.csv', 'undefined.json', 'iso.safetensors');

  it('as the schema says, in CSV, JSON lines and Parquet, are the dates in ISO 8601', () => {
    expect(first.status).toBe(0);
    expect(run(['score', 'iso.safetensors', 'iso.csv', '--out', 'iso.out.csv']).status).toBe(0);
    const query = ['--query', 'select "at"::bigint as "at", y from \'s.csv\''];
    for (const [data, schema] of [
      ['s.csv', 's.json'],
      ['s.jsonl', 's.json'],
      ['ms.jsonl', 'ms.json'],
      ['ms.jsonl', 'undefined.json'],
    ] as const) {
      const { status, stderr } = train(data, schema);
      expect([data, status, stderr]).toEqual([data, 0, expect.anything()]);
      expect(run(['score', 'm.safetensors', data, '--out', 'o.csv'])).toMatchObject({ status: 0 });
      expect(bytes('o.csv')).toEqual(bytes('iso.out.csv'));
    }
    expect(run(['score', 'm.safetensors', 'iso.csv', '--out', 'o.csv']).status).toBe(0);
    expect(train('s.csv', 's.json').status).toBe(0);
    expect(run(['score', 'm.safetensors', ...query, '--out', 'o.csv'])).toMatchObject({ status: 0 });
    expect(bytes('o.csv')).toEqual(bytes('iso.out.csv'));
  });

  it('of another unit, and digits of a date, are refused by line and column', () => {
    for (const [data, schema] of [
      ['s.jsonl', 'ms.json'],
      ['s.jsonl', 'undefined.json'],
      ['ms.jsonl', 's.json'],
      ['s.csv', 'ms.json'],
      ['s.csv', 'undefined.json'],
      ['digits.csv', 'ms.json'],
      ['digits.csv', 's.json'],
      ['digits.csv', 'undefined.json'],
    ] as const) {
      const { status, stderr } = train(data, schema);
      expect([data, schema, status, stderr]).toEqual([
        data,
        schema,
        1,
        expect.stringMatching(/ERR_RECORD .*column "at": expected an ISO 8601 date/),
      ]);
    }
    expect(run(['score', 'iso.safetensors', 's.jsonl', '--out', 'o.csv']).stderr).toMatch(
      /column "at": expected an ISO/,
    );
  });
});
