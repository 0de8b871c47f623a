import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, json, write, path } = workspace();

/** A number between 0 and 1 out of a whole one. */
const mixed = (i: number) => ((i * 2654435761) % 4294967296) / 4294967296;

/** Rows of which eleven lack x (all of class 0), two lack g, and three lack the target. */
const rows = Array.from({ length: 300 }, (_, i) => ({
  x: i < 11 ? null : Number((mixed(i) * 6 - 3).toFixed(3)),
  g: i === 50 || i === 51 ? null : 'abc'[i % 3],
  y: i >= 20 && i < 23 ? null : i < 11 ? 0 : Number(mixed(i) + mixed(i + 1000) > 1),
}));
const csvOf = (list: typeof rows) =>
  `x,g,y\n${list.map(({ x, g, y }) => `${x ?? ''},${g ?? ''},${y ?? ''}`).join('\n')}\n`;
const file = write('gaps.csv', csvOf(rows));
const labelled = write('labelled.csv', csvOf(rows.filter(({ y }) => y !== null)));
const complete = write('complete.csv', csvOf(rows.filter(({ x, g, y }) => x !== null && g !== null && y !== null)));
write('gaps.jsonl', `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);

const inferred = ['--target', 'y', '--no-penalty', '--inference'];
const train = (...args: string[]) => json(['train', ...args, '--target', 'y', '--out', 'm.safetensors']);
const estimates = (...args: string[]) => {
  const { status, stdout, stderr } = run(['train', ...args, ...inferred, '--out', 'm.safetensors']);
  if (status !== 0) throw new Error(stderr);
  return stdout.slice(stdout.indexOf('(intercept)'), stdout.indexOf('\n\nnext'));
};

describe('rows without a target', () => {
  it('are left out, with a count, and the model is that of the other rows', () => {
    const result = train(file, '--no-holdout');
    expect(result.rows.train).toBe(297);
    expect(result.warnings).toContainEqual({
      code: 'NO_TARGET',
      message: '3 of 300 rows have no target ("y") and are left out; fill the cells where the label is known',
      features: ['y'],
    });
    expect(result.fit.objective).toBe(train(labelled, '--no-holdout').fit.objective);
  });

  it.each([
    ['a query', ['--query', "from 'gaps.csv'"]],
    ['JSON lines', ['gaps.jsonl']],
    ['a limit of memory', [file, '--memory', '300MB']],
  ])('of %s too', (_, args) => {
    const { rows, warnings, fit } = train(...args, '--no-holdout');
    expect(rows.train).toBe(297);
    expect(warnings[0].code).toBe('NO_TARGET');
    expect(fit.objective).toBeCloseTo(train(labelled, '--no-holdout').fit.objective, 12);
  });

  it('cv and path say so as well', () => {
    for (const args of [
      ['cv', file, '--folds', '3', '--lambdas', '0.1,0.01'],
      ['path', file, '--lambdas', '0.1'],
    ]) {
      const result = json([...args, '--target', 'y']);
      expect([result.rows, result.warnings[0].code]).toEqual([297, 'NO_TARGET']);
    }
  });

  it('eval leaves them out of the metrics', () => {
    train(complete, '--no-holdout');
    const all = json(['eval', 'm.safetensors', file]);
    const known = json(['eval', 'm.safetensors', labelled]);
    expect(all.warnings[0].code).toBe('NO_TARGET');
    expect([all.rows, all.metrics]).toEqual([297, known.metrics]);
  });

  it('a file without any label is refused', () => {
    train(complete, '--no-holdout');
    const none = write('none.csv', 'x,g,y\n1,a,\n2,b,\n');
    const { status, stderr } = run(['eval', 'm.safetensors', none]);
    expect([status, stderr]).toEqual([
      1,
      'ERR_DATA none.csv: expected a row with a label in "y", got none among 2; name another --target, or fill the cells\n',
    ]);
  });
});

describe('--missing', () => {
  it('slot withholds the standard errors of all, and says what else there is', () => {
    expect(estimates(file)).toMatch(/not given {2}no standard errors/);
    const { warnings } = json(['train', file, ...inferred, '--out', 'm.safetensors']);
    const separation = warnings.find(({ code }: { code: string }) => code === 'SEPARATION');
    expect(separation.message).toMatch(
      /; --missing drop leaves out rows with missing cells, --missing mean fills these cells with the mean$/,
    );
  });

  it('drop gives the table of the complete rows, with counts by column', () => {
    const table = estimates(file, '--missing', 'drop');
    expect(table).toMatch(/std\. error|AIC/);
    expect(table).toBe(estimates(complete));
    const { warnings, rows } = json(['train', file, ...inferred, '--missing', 'drop', '--out', 'm.safetensors']);
    expect(rows.train).toBe(284);
    expect(warnings.slice(0, 2)).toEqual([
      expect.objectContaining({ code: 'NO_TARGET' }),
      {
        code: 'INCOMPLETE_ROWS',
        message:
          '13 of 300 rows with missing cells are left out by --missing drop: "x" 11, "g" 2; the model describes complete rows only',
        features: ['x', 'g'],
      },
    ]);
  });

  it.each([
    ['a query', ['--query', "from 'gaps.csv'"]],
    ['JSON lines', ['gaps.jsonl']],
  ])('drop of %s gives the same', (_, args) => {
    expect(estimates(...args, '--missing', 'drop')).toBe(estimates(complete));
  });

  it('drop within a limit of memory fits the same rows', () => {
    const { rows, fit } = train(file, '--memory', '300MB', '--missing', 'drop', '--no-holdout');
    expect(rows.train).toBe(284);
    expect(fit.objective).toBeCloseTo(train(complete, '--no-holdout').fit.objective, 12);
  });

  it('mean puts the mean of the numbers and the most frequent level in the cells', () => {
    const known = rows.filter(({ y }) => y !== null);
    const numbers = known.flatMap(({ x }) => x ?? []);
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    const counts = (level: string) => known.filter(({ g }) => g === level).length;
    const often = ['a', 'b', 'c'].sort((a, b) => counts(b) - counts(a))[0];
    const filled = write('filled.csv', csvOf(known.map((row) => ({ ...row, x: row.x ?? mean, g: row.g ?? often }))));
    const digits = (table: string) => table.match(/-?\d+\.\d+/g)!.map(Number);
    const own = digits(estimates(file, '--missing', 'mean'));
    const other = digits(estimates(filled));
    expect(own.length).toBe(other.length);
    own.forEach((value, k) => {
      expect(value).toBeCloseTo(other[k], 3);
    });
  });

  it.each([
    ['slot', /missing +missing cells have a weight of their own\n/],
    ['mean', /missing +missing cells take the mean, or the most frequent level of a category {3}\(--missing mean\)\n/],
    ['drop', /missing +rows with missing cells are left out {3}\(--missing drop\)\n/],
  ])('%s is said in the text and on the page', (policy, line) => {
    const args = ['train', file, '--target', 'y', '--missing', policy, '--out', 'm.safetensors'];
    const { stdout } = run(args);
    expect(stdout).toMatch(line);
    run([...args, '--report', 'page.html']);
    const page = readFileSync(path('page.html'), 'utf8');
    expect(page).toMatch(policy === 'slot' ? /have a weight of their own/ : new RegExp(`--missing ${policy}`));
  });

  it('a missing weight names the line and --missing drop, which leaves the row out', () => {
    const weighted = write(
      'weighted.csv',
      `x,w,y\n${Array.from({ length: 40 }, (_, i) => `${i},${i === 4 ? '' : 1},${(i * 7) % 3 ? 0 : 1}`).join('\n')}\n`,
    );
    const args = ['train', weighted, '--target', 'y', '--weight', 'w', '--no-holdout', '--out', 'm.safetensors'];
    expect(run(args).stderr).toBe(
      'ERR_RECORD weighted.csv, line 6, row 4 (from 0), column "w": expected a value, got nothing; fill the cell, or leave such rows out with --missing drop\n',
    );
    expect(json([...args, '--missing', 'drop']).rows.train).toBe(39);
  });

  it('when no row is complete it says so', () => {
    const none = write('sparse.csv', 'x,z,y\n1,,0\n,2,1\n3,,1\n');
    expect(run(['train', none, '--target', 'y', '--missing', 'drop', '--out', 'm.safetensors']).stderr).toBe(
      'ERR_DATA sparse.csv: expected a row without missing cells, got none among 3 ("z" 2, "x" 1); leave out columns with --drop, or give --missing slot\n',
    );
  });
});

it('NaN of a query is refused with the option that takes it for missing, and that option does', () => {
  const sql = "select case when i % 5 = 0 then 'nan'::double else i end as x, i * 7 % 3 > 0 as y from range(40) t(i)";
  const args = ['train', '--query', sql, '--target', 'y', '--no-holdout'];
  expect(run(args).stderr).toMatch(
    /^ERR_RECORD row 0 \(from 0\), column "x": expected a finite number, got NaN; correct it, or say --na NaN if/m,
  );
  expect(run([...args, '--na', 'NaN']).stderr).toMatch(/MISSING "x": 8 of 40 cells missing/);
});
