import { describe, expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, json, write, names } = workspace();

const mixed = (i: number) => ((i * 2654435761) % 4294967296) / 4294967296;
const file = write(
  'ids.csv',
  `loan,key,big,x,n,y\n${Array.from(
    { length: 60 },
    (_, i) =>
      `${1000 + 3 * i},k${(i * 37) % 60},${`90071992547409${930 + i}`},${mixed(i).toFixed(3)},${i % 4},${i % 3 ? 1 : 0}`,
  ).join('\n')}\n`,
);

describe('logodds schema', () => {
  it('leaves out columns that name the rows, and says why', () => {
    const { status, stdout, stderr } = run(['schema', file, '--target', 'y']);
    expect(status).toBe(0);
    const all = stdout + stderr;
    const next = 'add it if its values are meaningful for new rows';
    for (const line of [
      `loan: left out, it looks like an identifier: a greater whole number in each row, from 1000 to 1177; ${next}`,
      `key: left out, it looks like an identifier: 60 levels in 60 cells; ${next}`,
      `big: left out, it looks like an identifier: whole numbers beyond 2^53 in 60 cells; ${next}`,
      'x: numbers',
      'n: numbers',
    ])
      expect(all).toContain(line);
  });

  it('of a query too', () => {
    const sql = `select loan, key, cast(big as hugeint) as big, x, n, row_number() over () as id, y from '${file}'`;
    const { stdout, stderr } = run(['schema', '--query', sql, '--target', 'y']);
    const left = [...`${stdout}${stderr}`.matchAll(/(\w+): left out, it looks like an identifier/g)].map(
      ([, name]) => name,
    );
    expect(left).toEqual(['key', 'big', 'id']);
  });
});

describe('train without --out', () => {
  it('shows the model, writes nothing, and says so', () => {
    const before = names();
    const { status, stdout } = run(['train', file, '--target', 'y', '--features', 'x,n']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/\n {2}model +not saved \(--out FILE saves it\)\n/);
    expect(stdout).not.toMatch(/logodds score/);
    expect(json(['train', file, '--target', 'y', '--features', 'x,n']).model).toBe(null);
    expect(names()).toEqual(before);
  });

  it('--online needs it', () => {
    const { status, stderr } = run(['train', file, '--target', 'y', '--online']);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/option '--online' needs --out/)]);
  });
});
