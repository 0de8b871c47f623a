import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../cli/src/terminal/secrets.ts';
import { workspace } from './run.ts';

const { run, write, path } = workspace();
const rows = Array.from(
  { length: 60 },
  (_, i) => `${(i * 7919) % 13},2024-01-${10 + (i % 9)},${(i * 31) % 7 > 2 ? 1 : 0}`,
);
write('token=hunter2.csv', `x,day,y\n${rows.join('\n')}\n`);
write('d.csv', `x,day,y\n${rows.join('\n')}\n`);

describe('secrets', () => {
  it.each([
    ['postgres://me:hunter2@host/db', 'postgres://***@host/db'],
    ['https://hunter2@host/x?a=1', 'https://***@host/x?a=1'],
    ["'host=h password=hunter2 dbname=d'", "'host=h password=*** dbname=d'"],
    ["pgpassword = 'hunter2'", "pgpassword = '***'"],
    ['https://h/x.csv?sig=hunter2&se=1', 'https://h/x.csv?sig=***&se=1'],
    ['X-Amz-Signature=hunter2', 'X-Amz-Signature=***'],
    ['s3_secret_access_key=hunter2;', 's3_secret_access_key=***;'],
    ['{api_key=>hunter2}', '{api_key=>***'],
    ['Authorization: Bearer hunter2.x-y==', 'Authorization: Bearer ***'],
    ['key AKIAIOSFODNN7EXAMPLE', 'key ***'],
  ])('%s', (text, masked) => {
    expect(withoutSecrets(text)).toBe(masked);
  });

  it.each(['column "token": expected a number, got "x"', 'a == b', 'tokens 3', 'http://host:80/x', 'x@y.org'])(
    '%s stays',
    (text) => {
      expect(withoutSecrets(text)).toBe(text);
    },
  );

  it('takes time linear in a text', () => {
    const begin = process.cpuUsage();
    for (const unit of ['a', '://', 'token', 'a.b-', 'Bearer ', 'token=', '= ']) withoutSecrets(unit.repeat(2e5));
    expect(process.cpuUsage(begin).user).toBeLessThan(3e6);
  });

  it('of queries, addresses and names of files are in no error and on no page', () => {
    for (const args of [
      ['--query', "select * from 'postgres://me:hunter2@h/db'"],
      ['--query', "select * from postgres_scan('host=h password=hunter2', 'a', 'b')"],
      ['--query', "select * from nowhere -- token=hunter2'\n where password = 'hunter2'"],
      ['https://me:hunter2@example.org/x.csv?token=hunter2'],
      ['password=hunter2.csv'],
    ]) {
      const { status, stdout, stderr } = run(['train', ...args, '--target', 'y', '--out', 'm.st']);
      expect([args, status, stderr]).toEqual([args, 1, expect.stringMatching(/^ERR_DATA /)]);
      expect(stdout + stderr).not.toContain('hunter2');
    }
    const query = ['--query', "from 'd.csv' where 'password=hunter2' <> 'https://u:hunter2@h/'"];
    for (const data of [query, ['token=hunter2.csv']]) {
      const done = run(['train', ...data, '--target', 'y', '--drop', 'day', '--out', 'm.st', '--report', 'r.html']);
      expect(done).toMatchObject({ status: 0 });
      const page = readFileSync(path('r.html'), 'utf8');
      expect(page).toContain('***');
      expect(page).not.toContain('hunter2');
      expect(page).toContain("base-uri 'none'; form-action 'none'");
    }
  });

  it('what is not read is said: other databases, the network', () => {
    const failed = (...args: string[]) => run(['train', ...args, '--target', 'y', '--out', 'm.st']).stderr;
    for (const address of ['hf://datasets/x.csv', 'https://h/x.csv'])
      expect(failed(address)).toMatch(/^ERR_DATA DATA: expected a file, or an object as .*; download it first/);
    expect(failed('--query', "from 'https://h/x.csv'")).toMatch(
      /^ERR_DATA --query: .*nothing is read from the network/,
    );
    expect(failed('--query', "from postgres_scan('host=h', 'a', 'b')")).toMatch(
      /^ERR_DATA --query: expected files on this machine \(CSV, TSV, JSON lines or Parquet\), got a source that needs the extension postgres_scanner of DuckDB; nothing is read from the network/,
    );
  });
});
