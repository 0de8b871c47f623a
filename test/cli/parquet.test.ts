import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import type { FurtherColumn, ScoreBlock, ScoreLayout } from '../../cli/src/write/block.ts';
import { ParquetFile } from '../../cli/src/write/parquet.ts';
import { random } from '../train/oracles.ts';
import { workspace } from './run.ts';

const { path } = workspace();

const GROUP = 122_880;

/** The file of these blocks. */
function fileOf(layout: ScoreLayout, blocks: readonly ScoreBlock[]): Buffer {
  const parts: Buffer[] = [];
  const file = new ParquetFile(layout, (bytes) => parts.push(Buffer.from(bytes)));
  for (const block of blocks) file.add(block);
  file.end();
  return Buffer.concat(parts);
}

async function read(bytes: Buffer, sql: string): Promise<unknown[][]> {
  writeFileSync(path('scores.parquet'), bytes);
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    const reader = await connection.runAndReadAll(sql.replace('FILE', `'${path('scores.parquet')}'`));
    return reader.getRows();
  } finally {
    connection.closeSync();
  }
}

/** Cells in blocks of odd lengths. */
function blocksOf(
  rows: number,
  probabilities: Float64Array[],
  labels: Uint32Array,
  further: (number | string | boolean)[][],
) {
  const blocks: ScoreBlock[] = [];
  for (let at = 0, length = 1; at < rows; at += length, length = 1 + ((7 * length + 4096) % 16_384)) {
    const end = Math.min(rows, at + length);
    blocks.push({
      rows: end - at,
      firstRow: at,
      probabilities: probabilities.map((values) => values.subarray(at, end)),
      labels: labels.subarray(at, end),
      further: further.map((cells) =>
        typeof cells[0] === 'number'
          ? Float64Array.from(cells.slice(at, end) as number[])
          : (cells.slice(at, end) as string[]),
      ),
    });
  }
  return blocks;
}

describe('a Parquet file', () => {
  const next = random(5);
  const rows = 2 * GROUP + 77;
  const pick = <T>(values: readonly T[]) =>
    Array.from({ length: rows }, () => values[Math.floor(values.length * next())]);
  /** kinds of numbers: all different, few, few with the two zeros, more than a dictionary has, with what is none */
  const numbers = {
    different: Float64Array.from({ length: rows }, next),
    few: Float64Array.from(pick([0, 0.1, 0.25, 1, 1e-300, -3])),
    zeros: Float64Array.from(pick([0, -0, 1])),
    many: Float64Array.from(pick(Array.from({ length: 30_000 }, next))),
    none: Float64Array.from(pick([1, 2, Number.NaN, Number.POSITIVE_INFINITY])),
  };
  const texts = {
    words: pick(['', 'a', 'ä€𝄞', 'a longer text, with "quotes"']),
    unlike: Array.from({ length: rows }, (_, i) => `text ${i * i}`),
  };
  const flags = { flag: pick([true, false, false]) };
  const further: FurtherColumn[] = [
    ...Object.keys(numbers).map((name) => ({ name, type: 'number' }) as const),
    ...Object.keys(texts).map((name) => ({ name, type: 'text' }) as const),
    { name: 'flag', type: 'flag' },
  ];
  const classes = ['no', 'YES', 'yes'];
  const probabilities = classes.map(() => Float64Array.from({ length: rows }, next));
  const labels = Uint32Array.from({ length: rows }, () => Math.floor(3 * next()));
  const layout: ScoreLayout = { classes, positive: null, precision: 'f64', further };
  const cells = [...Object.values(numbers).map((one) => [...one]), ...Object.values(texts), flags.flag];
  const bytes = fileOf(layout, blocksOf(rows, probabilities, labels, cells));

  it('has the bits of all cells, as DuckDB reads it', async () => {
    const found = await read(bytes, 'select * from read_parquet(FILE)');
    expect(found).toHaveLength(rows);
    const same = (column: number, expected: (i: number) => unknown) =>
      found.findIndex((row, i) => !Object.is(row[column], expected(i)));
    expect(same(0, (i) => BigInt(i))).toBe(-1);
    for (const [k, values] of probabilities.entries()) expect(same(1 + k, (i) => values[i])).toBe(-1);
    expect(same(4, (i) => classes[labels[i]])).toBe(-1);
    for (const [k, values] of cells.entries()) expect([k, same(5 + k, (i) => values[i])]).toEqual([k, -1]);
  });

  it('is read alike by hyparquet', async () => {
    const { buffer, byteOffset, byteLength } = bytes;
    const file = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    const found = await parquetReadObjects({ file, rowStart: GROUP - 5, rowEnd: GROUP + 5 });
    for (const [i, row] of found.entries()) {
      const at = GROUP - 5 + i;
      expect(row).toMatchObject({ row: BigInt(at), p_yes: probabilities[2][at], label: classes[labels[at]] });
      expect(row).toMatchObject({ zeros: numbers.zeros[at], unlike: texts.unlike[at], flag: flags.flag[at] });
    }
  });

  it('says the range of its numbers, so that groups are skipped, and of a column with NaN none', async () => {
    const sql = `select path_in_schema, stats_min_value, stats_max_value from parquet_metadata(FILE)
      where row_group_id = 1 and path_in_schema in ('row', 'few', 'zeros', 'none')`;
    expect(await read(bytes, sql)).toEqual([
      ['row', `${GROUP}`, `${2 * GROUP - 1}`],
      ['few', '-3.0', '1.0'],
      ['zeros', '-0.0', '1.0'],
      ['none', null, null],
    ]);
    const count = `select count(*)::int from read_parquet(FILE) where "row" >= ${GROUP} and few < 0 and "none" > 1.5`;
    let expected = 0;
    for (let i = GROUP; i < rows; i++) if (numbers.few[i] < 0 && !(numbers.none[i] <= 1.5)) expected++;
    expect(await read(bytes, count)).toEqual([[expected]]);
  });

  it('has dictionaries where values are few', async () => {
    const sql = `select distinct path_in_schema, contains(encodings, 'DICT') from parquet_metadata(FILE) where type = 'DOUBLE' order by 1`;
    expect(Object.fromEntries((await read(bytes, sql)) as [string, boolean][])).toMatchObject({
      different: false,
      few: true,
      many: false,
      zeros: false,
      none: true,
    });
  });

  it('of many classes has smaller groups, and of f32 its bits', async () => {
    const many = Array.from({ length: 200 }, (_, k) => `c${k}`);
    const values = many.map((_, k) => Float32Array.from({ length: 50_000 }, (_, i) => (i + k) / 3e5));
    const block = {
      rows: 50_000,
      firstRow: 0,
      probabilities: values,
      labels: new Uint32Array(50_000).fill(7),
      further: [],
    };
    const file = fileOf({ classes: many, positive: null, precision: 'f32' }, [block]);
    expect(await read(file, 'select distinct row_group_num_rows::int from parquet_metadata(FILE) order by 1')).toEqual([
      [50_000 - 41_944],
      [41_944],
    ]);
    const [[type, p, label]] = await read(file, 'select typeof(p_c3), p_c3, label from FILE where "row" = 49999');
    expect([type, p, label]).toEqual(['FLOAT', values[3][49_999], 'c7']);
  });

  it('without rows has its columns', async () => {
    const none = fileOf({ classes: ['a', 'b'], positive: 'b', precision: 'f64' }, []);
    expect(await read(none, 'select column_name, column_type from (describe from read_parquet(FILE))')).toEqual([
      ['row', 'BIGINT'],
      ['p_a', 'DOUBLE'],
      ['p_b', 'DOUBLE'],
      ['label', 'VARCHAR'],
    ]);
  });
});
