import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isApart } from '../../cli/src/read/apart.ts';
import { streamTable } from '../../cli/src/read/scoring.ts';
import { type Column, LogoddsError, loadModel, type Table } from '../../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'apart-'));
afterAll(() => rmSync(folder, { recursive: true }));

const modelOf = (name: string) =>
  loadModel(readFileSync(new URL(`../conformance/${name}.safetensors`, import.meta.url)));
const model = modelOf('categorical');

const ROWS = 150_000;
const cellsOf = (i: number) => [
  ['a', 'basic', 'Ünkn"own', ''][(i % 7) & 3],
  `c${i % 9}`,
  i % 5 === 0 ? 'true' : 'false',
  i / 8,
  -i,
  'unused',
];
const NAMES = ['plan', 'city', 'member', 'visits', 'score', 'more'];
const quoted = (cell: unknown) => `"${String(cell).replaceAll('"', '""')}"`;
const csv = [NAMES.join(), ...Array.from({ length: ROWS }, (_, i) => cellsOf(i).map(quoted).join())].join('\n');
const lines = Array.from({ length: ROWS }, (_, i) =>
  JSON.stringify(
    Object.fromEntries(cellsOf(i).map((cell, k) => [NAMES[k], k === 2 ? cell === 'true' : cell === '' ? null : cell])),
  ),
).join('\n');
const files = {
  'rows.csv': csv,
  'rows.jsonl': lines,
  'late.csv': `${csv}\na,c1,true,one,2,\n`,
  'torn.jsonl': `${lines}\n{"plan":`,
  'header.csv': NAMES.join(),
  'other.csv': 'plan,city\na,c1\n',
};
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = `select * from read_csv('${path('rows.csv')}', types = {'visits': 'DOUBLE', 'score': 'DOUBLE'})`;
  await connection.run(`copy (${rows}) to '${path('rows.parquet')}' (format parquet)`);
  await connection.run(
    `copy (${rows} union all select 'a', 'c1', true, 'infinity'::double, 2, '') to '${path('infinite.parquet')}' (format parquet)`,
  );
});

/** Cells as their labels: the levels of a dictionary depend on the rows that it is for. */
const cells = (column: Column, rows: number) =>
  Array.from({ length: rows }, (_, i) =>
    column.missing?.[i]
      ? null
      : column.kind === 'numeric'
        ? column.values[i]
        : (column.levels[column.codes[i]] ?? 'unseen'),
  );

/** What is read, said and thrown. @param fails  the row with which the use of a table fails */
async function readAs(apart: boolean, name: string, own = model, fails: (row: number) => unknown = () => null) {
  const tables: unknown[] = [];
  const said: string[] = [];
  const use = (table: Table, firstRow: number) => {
    const error = fails(firstRow);
    if (error) throw error;
    tables.push([firstRow, table.columns.map((column) => [column.name, cells(column, table.rows)])]);
  };
  const source = name.startsWith('from') ? { query: name } : { data: path(name) };
  const end = await streamTable(own as never, source, {}, use, (text) => said.push(text), { isApart: apart }).catch(
    (error: unknown) => error,
  );
  return { tables, said, end };
}

/** Reads with and without a thread. @returns what both give */
async function compare(...given: [name: string, own?: typeof model, fails?: (row: number) => unknown]) {
  const [expected, got] = [await readAs(false, ...given), await readAs(true, ...given)];
  // what caused it is not sent
  const parts = ({ end, ...rest }: typeof got) => ({
    ...rest,
    end: end instanceof LogoddsError ? [end.code, end.message, end.detail, end.problems] : end,
  });
  // of a refused file a thread gives fewer tables, because it sends several together
  if (typeof got.end !== 'number') expected.tables.splice(got.tables.length);
  expect(parts(got)).toEqual(parts(expected));
  return got;
}

describe('a thread reads the tables, notes and refusals that are read without one', () => {
  it.each(['rows.csv', 'rows.jsonl', 'rows.parquet'])('%s', async (name) => {
    const { tables, said, end } = await compare(name);
    expect([tables.length, end]).toEqual([10, ROWS]);
    expect(said[0]).toBe('ignored a column the model does not use: more');
  });

  it('of a query', async () => {
    expect((await compare(`from '${path('rows.parquet')}'`)).end).toBe(ROWS);
  });

  it('of features that have dictionaries', async () => {
    const header = 'amount,age,day,city,plan,tags';
    const row = (i: number) =>
      `${i / 8},${20 + (i % 40)},2026-01-${10 + (i % 20)},city ${i % 5000},p${i % 3},word${i % 99} a${i}`;
    writeFileSync(path('rich.csv'), `${header}\n${Array.from({ length: 70_000 }, (_, i) => row(i)).join('\n')}`);
    const { tables, end } = await compare('rich.csv', modelOf('../fuzz/rich'));
    expect([tables.length, end]).toEqual([5, 70_000]);
  });

  it.each([
    ['late.csv', /late.csv, line 150002, .*"visits": expected a number/],
    ['torn.jsonl', /torn.jsonl: cannot be read: line 150001/],
    ['header.csv', /expected rows, got none/],
    ['other.csv', /expected columns .* of the model/],
    ['infinite.parquet', /row 150000 .*"visits": expected a finite number/],
    ['absent.csv', /expected a file, got none/],
    ['rows.xlsx', /expected a path that ends in/],
  ])('%s', async (name, message) => {
    expect(String((await compare(name)).end)).toMatch(message);
  });

  it.each([0, 65_536, 147_456])('and ends when the table of row %i cannot be used', async (row) => {
    const about = `row ${row} (from 0), column "score": expected a small number, got 7; correct it`;
    const placed = await compare('rows.csv', model, (first) =>
      first === row ? new LogoddsError('ERR_RECORD', about) : null,
    );
    expect(String(placed.end)).toContain(`rows.csv, line ${row + 2}, ${about}`);
    const failure = new RangeError('out of luck');
    const thrown = await readAs(true, 'rows.jsonl', model, (first) => (first === row ? failure : null));
    expect(thrown.end).toBe(failure);
    expect(thrown.tables.length).toBe(row / 16_384);
  });
});

it('nothing is left where temporary files are', async () => {
  const own = process.env['TMPDIR'];
  const temporary = mkdtempSync(path('tmp-'));
  process.env['TMPDIR'] = temporary;
  try {
    await readAs(true, 'rows.parquet');
    await readAs(true, 'rows.parquet', model, () => new Error('none'));
    expect(readdirSync(temporary)).toEqual([]);
  } finally {
    if (own === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = own;
  }
});

it('is for large files', () => {
  expect(isApart({ data: path('rows.csv') })).toBe(false);
  writeFileSync(path('large.csv'), Buffer.alloc(2 ** 24));
  expect(isApart({ data: path('large.csv') })).toBe(true);
  expect(isApart({ data: path('l*.csv') })).toBe(true);
  expect(isApart({ data: '-' })).toBe(false);
  expect(isApart({ query: 'select 1' })).toBe(false);
});
