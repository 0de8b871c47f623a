import { existsSync, readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { levelCodes } from '../../cli/src/read/codes.ts';
import { Lines } from '../../cli/src/write/digits.ts';
import { random } from '../train/oracles.ts';
import { workspace } from './run.ts';

const { run, write, path, names } = workspace();

describe('numbers as text are those of String', () => {
  const next = random(7);
  const written = (values: Float64Array): string[] => {
    let text = '';
    const lines = new Lines((bytes) => {
      text += Buffer.from(bytes).toString('latin1');
    });
    for (const value of values) {
      lines.number(value);
      lines.text('\n');
    }
    lines.flush();
    return text.split('\n').slice(0, -1);
  };
  /** numbers beside a value */
  const beside = (value: number) => {
    const bits = new BigInt64Array(new Float64Array([value]).buffer);
    bits[0] += BigInt(Math.floor(7 * next()) - 3);
    return new Float64Array(bits.buffer)[0];
  };
  it.each([
    ['in [0, 1)', () => next()],
    ['of every size', () => 10 ** (-9 * next())],
    ['beside 1', () => 1 - 10 ** (-17 * next())],
    ['of few digits, and beside them', () => beside(Number(next().toFixed(Math.floor(18 * next()))))],
    ['of few bits', () => Math.floor(next() * 2 ** 20) / 2 ** Math.floor(20 + 10 * next())],
    ['beside powers of two', () => beside(2 ** -Math.floor(22 * next()))],
    [
      'that are none of these',
      () => [0, -0, 1, -1, 5e-324, 1e-6, 9.999999999999999e-7, 1e300, Number.NaN][Math.floor(9 * next())],
    ],
  ])('%s', (_, draw) => {
    const values = Float64Array.from({ length: 50_000 }, draw);
    expect(written(values)).toEqual(Array.from(values, String));
  });

  it('whole numbers', () => {
    let text = '';
    const lines = new Lines((bytes) => {
      text += Buffer.from(bytes).toString('latin1');
    });
    const values = [0, 9, 10, 99_999_999, 100_000_000, 4_294_967_296, 1_000_000_000_000_000, Number.MAX_SAFE_INTEGER];
    for (const value of values) {
      lines.whole(value);
      lines.text(' ');
    }
    lines.flush();
    expect(text.trim().split(' ').map(Number)).toEqual(values);
    expect(text.trim()).toBe(values.join(' '));
  });
});

describe('codes of levels', () => {
  /** DuckDB's vector of texts */
  const words = (texts: readonly string[]): Uint32Array => {
    const cells = new Uint32Array(4 * texts.length);
    texts.forEach((text, i) => {
      const bytes = Buffer.from(text);
      cells[4 * i] = bytes.length;
      new Uint8Array(cells.buffer).set(bytes.subarray(0, 12), 16 * i + 4);
    });
    return cells;
  };
  const codesOf = (found: ReturnType<typeof levelCodes>, cells: Uint32Array | Float64Array, count: number) => {
    const codes = new Uint8Array(count + 1);
    found!.write(cells, codes, 1, count);
    return [...codes.subarray(1)];
  };

  it('of texts, by all their bytes', () => {
    const levels = ['', 'a', 'b', 'é', 'twelve bytes', 'a\0'];
    const texts = [...levels, 'twelve bytes!', 'twelve bytez', 'A', 'a\0\0'];
    expect(codesOf(levelCodes(levels, 'text'), words(texts), texts.length)).toEqual([0, 1, 2, 3, 4, 5, 6, 6, 6, 6]);
    expect(levelCodes(['thirteen byte'], 'text')).toBeNull();
  });

  it('of many texts', () => {
    const levels = Array.from({ length: 200 }, (_, i) => `level ${i * i}`);
    expect(codesOf(levelCodes(levels, 'text'), words(levels), 200)).toEqual(levels.map((_, i) => i));
  });

  it('of whole numbers as they are spelled, and of booleans', () => {
    const numbers = Float64Array.of(-3, 0, 7, 7, 8, 2 ** 60, Number.NaN);
    expect(codesOf(levelCodes(['-3', '0', '7', '08', '7.0'], 'integer'), numbers, 7)).toEqual([0, 1, 2, 2, 5, 5, 5]);
    expect(levelCodes(['0', '70000'], 'integer')).toBeNull();
    expect(codesOf(levelCodes(['true', 'false'], 'boolean'), Float64Array.of(1, 0), 2)).toEqual([0, 1]);
    const meant = (text: string) => (text === 'true' || text === '1' ? 'yes' : 'no');
    expect(codesOf(levelCodes(['no', 'yes'], 'boolean', meant), Float64Array.of(1, 0), 2)).toEqual([1, 0]);
    expect(codesOf(levelCodes(['no', 'yes'], 'integer', meant), Float64Array.of(1, 0, 2), 3)).toEqual([1, 0, 2]);
    expect(levelCodes(['no', 'yes'], 'text', meant)).toBeNull();
  });
});

describe('scores in Parquet', () => {
  const ROWS = 300_000;
  beforeAll(async () => {
    const connection = await (await DuckDBInstance.create()).connect();
    await connection.run(
      `create table t as select i % 7 as x, ['a', 'b', 'c'][1 + i % 3] as k, i % 5 < 2 as y from range(${ROWS}) r(i)`,
    );
    await connection.run(`copy t to '${path('rows.csv')}'`);
    // a filter leaves chunks of odd sizes
    await connection.run(
      `copy (select unnest([i, i]) % 7 as x, ['a', 'b', 'c'][1 + i % 3] as k, unnest([true, i % 2 = 1]) as kept from range(${ROWS}) r(i))
       to '${path('more.parquet')}'`,
    );
    connection.closeSync();
    expect(run(['train', 'rows.csv', '--target', 'y', '--out', 'm.safetensors']).status).toBe(0);
  });

  it('have the same bytes from every source, in row groups of 122,880', async () => {
    const connection = await (await DuckDBInstance.create()).connect();
    const odd = ['--query', "select x, k from 'more.parquet' where kept and x < 6"];
    await connection.run(`copy (${odd[1].replace('more.parquet', path('more.parquet'))}) to '${path('even.csv')}'`);
    expect(run(['score', 'm.safetensors', ...odd, '--out', 'of-query.parquet']).status).toBe(0);
    expect(run(['score', 'm.safetensors', 'even.csv', '--out', 'of-csv.parquet']).status).toBe(0);
    const groups = await connection.runAndReadAll(
      `select distinct row_group_id, row_group_num_rows::int from parquet_metadata('${path('of-query.parquet')}') order by all`,
    );
    expect(groups.getRows().map(([, rows]) => rows)).toEqual([122_880, 122_880, 122_880, expect.any(Number)]);
    expect(readFileSync(path('of-csv.parquet')).equals(readFileSync(path('of-query.parquet')))).toBe(true);
    const order = await connection.runAndReadAll(
      `select bool_and(row = file_row_number) from read_parquet('${path('of-csv.parquet')}', file_row_number = true)`,
    );
    expect(order.getRows()).toEqual([[true]]);
    connection.closeSync();
  });

  it('are not there after an error late in the rows, and the program ends', () => {
    write('late.csv', `x,k,y\n${'1,a,true\n'.repeat(60_000)}one,a,true\n`);
    const { status, stderr } = run(['score', 'm.safetensors', 'late.csv', '--out', 'late.parquet']);
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^ERR_RECORD late\.csv, line 60002, .*"one"/)]);
    expect(names().filter((name) => name.includes('late.parquet'))).toEqual([]);
  });

  it.runIf(existsSync('/dev/full'))('that find no room on the disk are one sentence', () => {
    const { status, stderr } = run(['score', 'm.safetensors', 'rows.csv', '--out', 'big.parquet'], {
      shell: 'ulimit -f 50',
    });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^ERR_OUTPUT big\.parquet: cannot be written/)]);
    expect(names().filter((name) => name.includes('big.parquet'))).toEqual([]);
  });
});
