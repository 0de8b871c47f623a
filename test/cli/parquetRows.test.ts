import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ParquetRows } from '../../cli/src/read/parquet/rows.ts';
import { streamTable } from '../../cli/src/read/scoring.ts';
import type { SourceOptions } from '../../cli/src/read/source.ts';
import { fit, type Model, type Table } from '../../src/index.ts';
import { readSnappy } from '../../src/text.ts';
import { sweep } from '../full.ts';
import { random } from '../train/oracles.ts';
import { workspace } from './run.ts';

const { path } = workspace();

/** How many rows were read without DuckDB, of the last file that was begun so; −1: none was. */
let ahead = -1;
const { stream } = ParquetRows.prototype;
ParquetRows.prototype.stream = async function (...given) {
  ahead = 0;
  ahead = await stream.apply(this, given);
  return ahead;
};
afterAll(() => {
  ParquetRows.prototype.stream = stream;
});

const COLOURS = ['red', 'grün', 'a colour of many bytes', 'a colour of many bits', ''];

let model: Model;
let strict: Model;

beforeAll(async () => {
  const next = random(3);
  const rows = 400;
  const codes = (levels: number) => Uint8Array.from({ length: rows }, () => Math.floor(levels * next()));
  const numeric = (name: string) => ({
    name,
    kind: 'numeric' as const,
    values: Float64Array.from({ length: rows }, next),
    missing: Uint8Array.from({ length: rows }, () => Number(next() < 0.1)),
  });
  const coded = (name: string, levels: readonly string[]) => ({
    name,
    kind: 'coded' as const,
    codes: codes(levels.length),
    levels,
    missing: null,
  });
  const table = {
    rows,
    columns: [
      ...['double', 'float', 'int', 'big', 'yes'].map(numeric),
      coded('colour', COLOURS),
      coded('code', ['-3', '0', '7', '40000']),
      coded('flag', ['false', 'true']),
      coded('target', ['no', 'yes!']),
    ],
  };
  const options = { target: 'target', penalty: { C: 1 } } as never;
  model = fit(table as Table, options).model;
  strict = fit(table as Table, { ...(options as object), unseen: 'error' } as never).model;
});

/** What a file is read as: its cells, what is said of it, how it is refused. */
async function readAs(of: Model, options: SourceOptions, isAhead: boolean) {
  const cells: Record<string, unknown[]> = {};
  const said: string[] = [];
  let next = 0;
  const use = (table: Table, firstRow: number) => {
    expect(firstRow).toBe(next);
    next += table.rows;
    for (const column of table.columns) {
      cells[column.name] ??= [];
      for (let i = 0; i < table.rows; i++) {
        const cell =
          column.kind === 'coded'
            ? (column.levels[column.codes[i]] ?? 'unseen')
            : (column as never as { values: Float64Array }).values[i];
        cells[column.name].push(column.missing?.[i] ? null : Object.is(cell, -0) ? '-0' : cell);
      }
    }
  };
  const end = await streamTable(of, options, {}, use, (text) => said.push(text), { isAhead }).catch(String);
  return { cells, said, end };
}

/** Compares the two ways. @returns what both give, and how many rows were read without DuckDB */
async function compare(options: SourceOptions, of = model) {
  const expected = await readAs(of, options, false);
  ahead = -1;
  const { cells, ...rest } = await readAs(of, options, true);
  expect(rest).toEqual({ said: expected.said, end: expected.end });
  // not the whole columns: to show their difference takes minutes
  for (const [name, whole] of Object.entries(expected.cells)) {
    expect(cells[name]).toHaveLength(whole.length);
    // the rest DuckDB reads both times; of a page that is too short it takes what lies in memory behind it
    const column = whole.slice(0, Math.max(0, ahead));
    const row = column.findIndex((cell, i) => cell !== cells[name][i]);
    expect([name, row, cells[name][row]]).toEqual([name, row, column[row]]);
  }
  return { ...expected, ahead };
}

/** Statements of DuckDB; DIR is the folder. */
async function duckdb(...statements: string[]): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect();
  for (const sql of statements) await connection.run(sql.replaceAll('DIR', path('')));
  connection.closeSync();
}

const gap = (sql: string, share = 0.1) => `case when random() >= ${share} then ${sql} end`;
const ROWS = 50_000;
/** `like` names a table of cells of every kind */
const LIKE = `create table flat as select ${gap('random() * 10 - 5')} as double, (random() * 3)::float as float,
  ${gap('(random() * 200 - 100)::int')} as int, ${gap('9007199254740993 + (random() * 1e6)::bigint', 0.01)} as big,
  ${gap('random() > 0.5')} as yes, ['red', 'grün', 'a colour of many bytes', 'a colour of many bits', '', 'unseen', 'a colour of many bats', null][1 + floor(random() * 8)::int] as colour,
  [-3, 0, 7, 40000, 8, null][1 + floor(random() * 6)::int] as code, ${gap('random() > 0.3')} as flag, 'no' as target, [1, 2] as list, {a: 1, b: {c: 2}} as struct
  from range(${ROWS})`;

describe('rows of Parquet that are read without DuckDB are those of DuckDB', () => {
  beforeAll(() => duckdb('select setseed(0.25)', LIKE, "copy flat to 'DIR/flat.parquet'"), 60_000);

  it.each([
    ['as DuckDB writes it', 'row_group_size 20000', ROWS],
    ['in small groups', 'row_group_size 2048', ROWS],
    ['of texts without a dictionary', 'row_group_size 20000, dictionary_size_limit 1', 0],
    ['gzip', 'codec gzip', ROWS],
    ['brotli', 'codec brotli', 4000],
    ['uncompressed', 'codec uncompressed', ROWS],
    ['LZ4, which is left to DuckDB', 'codec lz4_raw', 0],
    ['differences and other encodings of version 2, which are left too', 'parquet_version v2', 0],
  ])('%s', async (name, how, rows) => {
    await duckdb(`copy (from 'DIR/flat.parquet' limit ${rows || ROWS}) to 'DIR/${name}.parquet' (${how})`);
    const found = await compare({ data: path(`${name}.parquet`) });
    expect([found.end, found.ahead]).toEqual([rows || ROWS, rows]);
    expect(new Set(found.cells['colour'])).toEqual(new Set([...COLOURS, 'unseen', null]));
  });

  it.each([
    ['texts of --na', { na: ['red', '', '7'] }],
    ['NaN of --na', { na: ['NaN', 'inf'] }],
  ])('%s', async (_, options) => {
    await duckdb(
      `copy (select * replace (case when random() < 0.2 then 'nan'::double when random() < 0.1 then '-inf'::double else double end as double)
        from 'DIR/flat.parquet') to 'DIR/nan.parquet'`,
    );
    await compare({ ...options, data: path('flat.parquet') });
    await compare({ ...options, data: path('nan.parquet') });
  });

  it('several files, and those that do not fit together', async () => {
    await duckdb(
      "copy (from 'DIR/flat.parquet' limit 3000) to 'DIR/part-1.parquet'",
      "copy (from 'DIR/flat.parquet' limit 17000 offset 3000) to 'DIR/part-2.parquet' (row_group_size 4096)",
      "copy (from 'DIR/flat.parquet' limit 0) to 'DIR/part-3.parquet'",
      "copy (from 'DIR/flat.parquet' offset 20000) to 'DIR/part-4.parquet' (codec gzip)",
      "copy (select * replace (code::smallint as code) from 'DIR/flat.parquet' where code < 100) to 'DIR/odd-1.parquet'",
      "copy (from 'DIR/flat.parquet') to 'DIR/odd-2.parquet'",
      "copy (select * exclude (flag) from 'DIR/flat.parquet') to 'DIR/absent-1.parquet'",
    );
    const whole = await compare({ data: path('flat.parquet') });
    const parts = await compare({ data: path('part-*.parquet') });
    expect(JSON.stringify(parts.cells) === JSON.stringify(whole.cells)).toBe(true);
    expect(parts.ahead).toBe(ROWS);
    expect((await compare({ data: path('odd-*.parquet') })).ahead).toBe(-1);
    expect((await compare({ data: path('absent-1.parquet') })).end).toMatch(/column "flag" of the model/);
  });

  it('a cell that is refused, after rows that are used', async () => {
    const from = `from (select *, row_number() over () as n from 'DIR/flat.parquet')`;
    await duckdb(
      `copy (select * replace (if(n = 40000, 'nan'::double, double) as double) ${from}) to 'DIR/refused.parquet'`,
      `copy (select * replace (if(n = 40000, 'infrared', 'red') as colour, 7 as code) ${from}) to 'DIR/unseen.parquet'`,
    );
    const { ahead: read, end } = await compare({ data: path('refused.parquet') });
    expect(end).toMatch(/row 39999.*NaN/);
    expect(read).toBe(32_768);
    expect((await compare({ data: path('unseen.parquet') }, strict)).end).toMatch(
      /row 39999.*"colour": expected a category/,
    );
  });

  it.each(['PLAIN', 'RLE', 'DELTA_BINARY_PACKED'] as const)('hyparquet-writer, %s', async (encoding) => {
    const rows = 3000;
    const pick = (values: readonly unknown[]) =>
      Array.from({ length: rows }, (_, i) => values[(i * 7919) % values.length]);
    const data = [
      { name: 'double', data: pick([0, -0, 1.5, null, 5e-324, -1e300]), type: 'DOUBLE' },
      { name: 'float', data: pick([1.5, 0.1, null]), type: 'FLOAT' },
      {
        name: 'int',
        data: pick([1, -2, 2 ** 31 - 1, -(2 ** 31)]),
        type: 'INT32',
        ...(encoding !== 'RLE' && { encoding }),
      },
      { name: 'big', data: pick([1n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, -(2n ** 60n) - 3n]), type: 'INT64' },
      { name: 'yes', data: pick([true, false, null]), type: 'BOOLEAN', ...(encoding === 'RLE' && { encoding }) },
      { name: 'colour', data: pick([...COLOURS, 'unseen']), type: 'STRING' },
      { name: 'code', data: pick([-3, 0, 7, 40000, null]), type: 'INT32' },
      { name: 'flag', data: pick([true, false]), type: 'BOOLEAN', nullable: false },
    ];
    writeFileSync(
      path('hyparquet.parquet'),
      new Uint8Array(parquetWriteBuffer({ columnData: data as never, rowGroupSize: 1000 })),
    );
    const found = await compare({ data: path('hyparquet.parquet') });
    expect([found.end, found.ahead]).toEqual([rows, encoding === 'DELTA_BINARY_PACKED' ? 0 : rows]);
  });

  it('pages that are too large together are left to DuckDB', async () => {
    await duckdb(
      `copy (select * exclude (double, colour), random() as double, repeat('x', 100) || range as colour
        from (from 'DIR/flat.parquet' limit 1), range(400000)) to 'DIR/large.parquet' (row_group_size 400000, dictionary_size_limit 400000)`,
    );
    const found = await compare({ data: path('large.parquet') });
    expect([found.end, found.ahead]).toEqual([400_000, 0]);
  });

  it('files with a changed byte, or cut off, are read or refused alike', async () => {
    await duckdb(
      "copy (from 'DIR/flat.parquet' limit 300) to 'DIR/small-0.parquet' (row_group_size 2048)",
      "copy (from 'DIR/flat.parquet' limit 300) to 'DIR/small-1.parquet' (codec gzip)",
      "copy (from 'DIR/flat.parquet' limit 300) to 'DIR/small-2.parquet' (codec uncompressed)",
    );
    const next = random(11);
    let read = 0;
    for (let index = 0; index < sweep(60, 400); index++) {
      const bytes = Buffer.from(readFileSync(path(`small-${index % 3}.parquet`)));
      // half of the changes are in the footer
      const from = index % 2 === 0 ? 0 : bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
      for (let changes = Math.floor(3 * next()); changes >= 0; changes--)
        bytes[from + Math.floor(next() * (bytes.length - from))] = [0, 1, 127, 128, 255, Math.floor(256 * next())][
          Math.floor(6 * next())
        ];
      const end = next() < 0.1 ? Math.floor(next() * bytes.length) : bytes.length;
      // DuckDB keeps what it read of a file, until its time changes
      const file = path(`changed-${index}.parquet`);
      writeFileSync(file, bytes.subarray(0, end));
      const found = await compare({ data: file });
      rmSync(file);
      if (found.ahead === 300) read++;
    }
    expect(read).toBeGreaterThan(10);
  }, 600_000);
});

describe('Snappy', () => {
  const read = (bytes: readonly number[], size: number) => {
    const out = new Uint8Array(size + 8);
    readSnappy(Uint8Array.from(bytes), out, size);
    return Buffer.from(out.subarray(0, size)).toString();
  };
  it('literals, and copies of what a copy writes', () => {
    expect(read([3, 2 << 2, 97, 98, 99], 3)).toBe('abc');
    expect(read([12, 2 << 2, 97, 98, 99, (5 << 2) | 1, 3], 12)).toBe('abcabcabcabc');
    expect(read([9, 0, 120, (7 << 2) | 2, 1, 0], 9)).toBe('xxxxxxxxx');
    expect(read([5, 0, 120, (3 << 2) | 3, 1, 0, 0, 0], 5)).toBe('xxxxx');
    expect(read([62, 60 << 2, 60, ...Array(61).fill(121), 0, 122], 62)).toBe(`${'y'.repeat(61)}z`);
    expect(read([0], 0)).toBe('');
  });
  it.each([
    ['no size', [], 0],
    ['another size', [2, 0, 97], 1],
    ['a size of too many bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 1], 0],
    ['a literal that ends early', [3, 2 << 2, 97, 98], 3],
    ['a literal beyond the size', [1, 1 << 2, 97, 98], 1],
    ['fewer bytes than said', [4, 0, 97], 4],
    ['a copy from before the start', [5, 0, 97, 1, 2], 5],
    ['a copy from here', [5, 0, 97, 1, 0], 5],
    ['an offset with its highest bit set', [5, 0, 97, (3 << 2) | 3, 255, 255, 255, 255], 5],
    ['a copy that ends early', [5, 0, 97, (3 << 2) | 2, 1], 5],
    ['a copy beyond the size', [2, 0, 97, 1, 1], 2],
  ])('refuses %s', (_, bytes, size) => {
    expect(() => read(bytes, size)).toThrow(RangeError);
  });
});
