import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, json, write, path } = workspace();

const mixed = (i: number) => ((i * 2654435761) % 4294967296) / 4294967296;
const lines = Array.from({ length: 200 }, (_, i) => {
  const income = i % 20 === 7 ? 'NA' : (1000 * mixed(i)).toFixed(1);
  const on = mixed(i + 500) < 0.3;
  const bad = mixed(i + 900) + (on ? 0.4 : 0) > 0.8;
  const zip = String(i % 7).padStart(5, '0');
  return `${income},${on ? 'yes' : 'no'},${i % 2 === 0},${i % 5},${zip},2024-01-${String(1 + (i % 28)).padStart(2, '0')},${bad ? 'bad' : 'good'}`;
});
const file = write('credit.csv', `income,records,flag,rank,zip,day,status\n${lines.join('\n')}\n`);
const fit = ['--target', 'status', '--positive', 'bad', '--no-holdout', '--drop', 'day'];

/** What a model says, without the time it was made in. */
const model = (...args: string[]) => {
  const { status, stderr } = run(['train', ...args, '--out', 'm.safetensors']);
  if (status !== 0) return stderr;
  return readFileSync(path('m.safetensors'), 'latin1');
};

describe('--query over files of text', () => {
  it('gives the model of the file: yes/no stays text, NA is missing, 00001 is text', () => {
    const own = model(file, ...fit);
    expect(own).toContain('\\"levels\\":[\\"no\\",\\"yes\\"]');
    expect(model('--query', `select * from '${file}'`, ...fit)).toBe(own);
    expect(model('--query', `with c as (from "${file}") select * from c`, ...fit)).toBe(own);
    expect(model('--query', "select * from 'cred*.csv'", ...fit)).toBe(own);
  });

  it('a model of a query scores the file, and the other way round', () => {
    model('--query', `from '${file}'`, ...fit);
    run(['score', 'm.safetensors', file, '--out', 'a.csv']);
    const { stderr } = run(['score', 'm.safetensors', '--query', `from '${file}'`, '--out', 'b.csv']);
    expect(stderr).not.toMatch(/unseen|means the same/);
    expect(readFileSync(path('a.csv'), 'utf8')).toBe(readFileSync(path('b.csv'), 'utf8'));
  });

  it('numbers, whole numbers and dates are such to SQL', () => {
    const sql = `select typeof(income) as i, typeof(records) as r, typeof(rank) as k, typeof(day) as d, status from '${file}'`;
    const types = ['i', 'r', 'k', 'd'].map((column) => {
      const one = `select ${column} as type, row_number() over () % 2 as y from (${sql})`;
      const { stdout } = run(['train', '--query', one, '--target', 'y', '--no-holdout', '--out', 'm.safetensors']);
      return stdout === '' ? '' : /type = (\w+)/.exec(run(['inspect', 'm.safetensors']).stdout)?.[1];
    });
    expect(types).toEqual(['DOUBLE', 'VARCHAR', 'BIGINT', 'DATE']);
  });

  it('categories of whole numbers and booleans are those of their texts: large, negative, far apart, missing', () => {
    const columns = [
      'case when i % 7 > 0 then 9007199254740993 + i % 5 end',
      'i % 4 - 2',
      '(i % 3) * 1000000',
      'case when i % 5 > 0 then i % 2 = 0 end',
    ];
    const coefficients = (as: string) => {
      const list = columns.map((sql, j) => `(${sql})${as} as c${j}`);
      const sql = `select ${list}, case when (i * 7919) % 11 > 4 then 'yes' else 'no' end as y from range(300) t(i)`;
      model('--query', sql, '--target', 'y', '--no-holdout', '--categorical', 'c0,c1,c2,c3');
      return json(['inspect', 'm.safetensors', '--json']).coefficients;
    };
    const found = coefficients('');
    expect(found.map(({ level }: { level: string | null }) => level)).toContain('9007199254740994');
    expect(found).toEqual(coefficients('::varchar'));
  });

  it('rows of several parts, read once, give the model of rows that stay in a file', () => {
    const columns = [
      // a level that only the second part has; longer than a text in its vector; missing cells
      `case when i = 139999 then 'a' else 'level ' || (11 - i % 10) end as short`,
      `'a text of more than twelve bytes, ' || (i * 31) % 7 as long`,
      'case when i % 9 > 0 then (i * 17) % 5 end as gaps',
      'case when i % 4 > 0 then sin(i) end as x',
      'i % 3 = 0 as flag',
    ];
    const sql = `select ${columns.join(', ')}, (i * 7919) % 13 > 5 + sin(i) as y from range(140000) t(i)`;
    const fitted = (...more: string[]) => {
      model('--query', sql, '--target', 'y', '--no-holdout', '--categorical', 'gaps', ...more);
      return json(['inspect', 'm.safetensors', '--json']).coefficients as {
        feature: string;
        level: string;
        value: number;
      }[];
    };
    const [once, spilled] = [fitted(), fitted('--memory', '300MB')];
    const names = (found: typeof once) => found.map(({ feature, level }) => [feature, level]);
    expect(names(once)).toEqual(names(spilled));
    expect(names(once)).toContainEqual(['short', 'a']);
    // both end at a gradient of 1e-8 or less
    for (const [i, { value }] of once.entries()) expect(value).toBeCloseTo(spilled[i].value, 6);
  });

  it('JSON lines: numbers, lists and objects', () => {
    write(
      'e.jsonl',
      `${lines.map((_, i) => JSON.stringify({ x: i % 3, tags: ['a', 'b'].slice(0, i % 3), o: { k: i % 4 }, y: i % 2 ? 'no' : 'yes' })).join('\n')}\n`,
    );
    const sql = `select x, len(tags) as n, (o->>'k')::int as k, y from 'e.jsonl'`;
    expect(json(['train', '--query', sql, '--target', 'y', '--no-holdout', '--out', 'm.safetensors']).classes).toEqual([
      'no',
      'yes',
    ]);
  });

  it('a column that DATA refuses is text, which a note says with its row', () => {
    const priced = write(
      'priced.csv',
      `price,y\n${lines.map((_, i) => `${i === 3 ? '$5' : i},${i % 2}`).join('\n')}\n`,
    );
    const sql = `select try_cast(replace(price, '$', '') as double) as price, y from '${priced}'`;
    const { status, stderr } = run(['train', '--query', sql, '--target', 'y', '--out', 'm.safetensors']);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^note: columns of --query that are read as text, because some cells are not numbers: price \(priced\.csv, line 5: \$5\)\n/,
    );
  });

  it('options of reading hold of these files too', () => {
    write('comma.csv', 'x;y\n1,5;0\n2,5;1\n3,5;0\n4,5;1\n');
    const args = ['--decimal', ',', '--target', 'y', '--no-holdout'];
    expect(model('--query', "from 'comma.csv'", ...args)).toBe(model('comma.csv', ...args));
  });

  it.each([
    ['read_csv', "from read_csv('credit.csv')"],
    ['read_csv_auto', "select * from (from read_csv_auto('credit.csv'))"],
    ['sniff_csv', "from sniff_csv('credit.csv')"],
    ['read_json', "from read_json('e.jsonl')"],
  ])('%s guesses, and is refused', (called, sql) => {
    expect(model('--query', sql, ...fit)).toBe(
      `ERR_DATA --query: expected files of text by their names (from 'data.csv'), got ${called}(), which guesses types from a sample; name the file alone, or give it columns and auto_detect = false\n`,
    );
  });

  it('read_csv that is told all reads', () => {
    const names = ['income', 'records', 'flag', 'rank', 'zip', 'day', 'status'];
    const columns = names.map((name) => `${name}: 'varchar'`).join(', ');
    const sql = `select records, status from read_csv('credit.csv', auto_detect = false, header = true, columns = {${columns}})`;
    expect(model('--query', sql, ...fit.slice(0, 5))).toContain('\\"levels\\":[\\"no\\",\\"yes\\"]');
  });

  it.each([
    ['an address', "from 'https://127.0.0.1:9/x.csv'", /^ERR_DATA --query: expected files, got the address/],
    ['an absent file', "from 'nope.csv'", /^ERR_DATA nope\.csv: expected a file, got none of that name/],
    [
      'JSON that is no lines',
      "from 'x.json'",
      /^ERR_DATA --query: expected files of text that end in \.csv, .* got "x\.json"/,
    ],
    ['names that differ in case only', "from 'case.csv'", /^ERR_SCHEMA --query: .* got "a" and "A" in case\.csv/],
  ])('%s is refused', (_, sql, message) => {
    write('case.csv', 'a,A,y\n1,2,0\n2,3,1\n');
    expect(model('--query', sql, '--target', 'y')).toMatch(message);
  });

  it('help says with whose rights a query reads', () => {
    expect(run(['train', '--help']).stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /--query <sql> read rows from this DuckDB query instead of DATA; it reads files with your own rights\. CSV and JSON lines that it names \(from 'x\.csv'\) are read as DATA is/,
    );
  });
});
