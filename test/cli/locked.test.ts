import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lockTo, openDatabase, patternOf, rowsOf } from '../../cli/src/read/database.ts';
import { text } from '../../cli/src/read/sql.ts';
import { workspace } from './run.ts';

const { run, json, write, path } = workspace();
const CSV = `x,c,y\n${Array.from({ length: 60 }, (_, i) => `${(i * 7919) % 13},${'ab'[i % 2]},${(i * 31) % 7 > 2 ? 1 : 0}`).join('\n')}\n`;
write('d.csv', CSV);
json(['train', 'd.csv', '--target', 'y', '--out', 'm.st']);

describe('a database that reads DATA', () => {
  it('reads the files that it is locked to, patterns in their names included, and no others', async () => {
    for (const name of ['one.csv', '*.csv', 'd[1].csv', 'd1.csv', '?.csv']) write(name, `name\n"${name}"\n`);
    const database = await openDatabase();
    const { connection } = database;
    try {
      const files = ['one.csv', '*.csv', 'd[1].csv', '?.csv'].map(path);
      await lockTo(connection, files);
      const read = (pattern: string) => rowsOf(connection, `select name from read_csv(${text(pattern)})`);
      for (const file of files) {
        expect((await read(patternOf(file))).map(({ name }) => path(String(name)))).toEqual([file]);
      }
      for (const sql of [
        `from read_csv(${text(path('d1.csv'))})`,
        "from read_text('/etc/passwd')",
        `from glob(${text(path('*'))})`,
        "from read_csv('http://127.0.0.1:9/x.csv')",
        `copy (select 1) to ${text(path('written.csv'))}`,
        `attach ${text(path('written.db'))}`,
        'install httpfs',
        'load httpfs',
      ]) {
        await expect(rowsOf(connection, sql), sql).rejects.toThrow(/Permission Error|disabled/);
      }
      const other = await database.connect();
      for (const setting of ["memory_limit = '1GB'", 'enable_external_access = true', 'lock_configuration = false'])
        await expect(rowsOf(other, `set ${setting}`)).rejects.toThrow(/configuration/);
      expect(existsSync(path('written.csv'))).toBe(false);
    } finally {
      database.close();
    }
  });

  it('takes no code and no secrets from anywhere', async () => {
    const database = await openDatabase();
    try {
      const settings = await rowsOf(
        database.connection,
        `select name, value from duckdb_settings() where name like 'auto%_known_extensions' or name like 'allow_%'`,
      );
      const of = Object.fromEntries(settings.map(({ name, value }) => [name, value]));
      expect(of).toMatchObject({
        autoinstall_known_extensions: 'false',
        autoload_known_extensions: 'false',
        allow_community_extensions: 'false',
        allow_persistent_secrets: 'false',
        allow_unsigned_extensions: 'false',
      });
    } finally {
      database.close();
    }
  });
});

describe('an address as DATA', () => {
  it.each(['http://127.0.0.1:9/x.csv', 'hf://datasets/x/y.jsonl', 'HTTPS://x.y/*.csv'])(
    '%s is refused before anything is fetched',
    (data) => {
      for (const args of [
        ['train', data, '--target', 'y', '--out', 'q.st'],
        ['score', 'm.st', data, '--out', 'q.csv'],
      ]) {
        const { status, stderr } = run(args);
        expect(status).toBe(1);
        expect(stderr).toMatch(
          /^ERR_DATA DATA: expected a file, or an object as s3:.*, got the address ".*"; download it first\n$/,
        );
      }
    },
  );
});

describe('a query', () => {
  const score = (sql: string) => run(['score', 'm.st', '--query', sql, '--out', 'q.csv']);

  it('reads what its user can read, PIVOT and functions included', () => {
    const text = `select x, c from '${path('d.csv')}'`;
    for (const sql of [
      `from 'd.csv'`,
      text,
      `with t as (${text}) select * from t`,
      `select x, c, y as query from 'd.csv'`,
      `select a as x, 'a' as c from (select 'a' as n, 2 as v) pivot (sum(v) for n in ('a'))`,
    ]) {
      expect(score(sql).status, sql).toBe(0);
    }
  });

  it.each([
    [
      'enable_logging',
      `select x, c from 'd.csv' union all select null, null from enable_logging(storage='file', storage_path='v.csv')`,
    ],
    ['enable_logging', `select x, c, exists(from system.main."ENABLE_LOGGING"()) from 'd.csv'`],
    ['query', `from query('from enable_' || 'logging(storage=''file'', storage_path=''v.csv'')')`],
    ['json_execute_serialized_sql', `from json_execute_serialized_sql(json_serialize_sql('select 1 as x'))`],
    ['query', `from query ('select 1 as x') pivot (sum(x) for x in (1))`],
    ['enable_logging', `pivot (select 1 as x from enable_logging/**/()) on x using sum(x)`],
  ])('that calls %s is refused: %s', (name, sql) => {
    write('v.csv', 'mine\n');
    const { status, stderr } = score(sql);
    expect(status).toBe(1);
    expect(stderr).toBe(`ERR_DATA --query: expected a query that reads only, got the function ${name}; leave it out\n`);
    expect(readFileSync(path('v.csv'), 'utf8')).toBe('mine\n');
  });

  it('that needs the network says so in one sentence, without a download', () => {
    mkdirSync(path('home'), { recursive: true });
    const { status, stderr } = run(['score', 'm.st', '--query', "from 'https://127.0.0.1:9/x.csv'", '--out', 'q.csv'], {
      env: { HOME: path('home') },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERR_DATA --query: .*\n$/);
    expect(stderr).not.toMatch(/INSTALL|LOAD/);
    expect(existsSync(path('home/.duckdb'))).toBe(false);
  });
});
