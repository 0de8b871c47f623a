import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, json, write, path } = workspace();

const mixed = (i: number) => ((i * 2654435761) % 4294967296) / 4294967296;
const rows = Array.from({ length: 120 }, (_, i) => ({
  x: mixed(i),
  w: 1 + (i % 3),
  y: Number(mixed(i) + mixed(i + 700) > 1),
}));
const csv = (list: readonly { x: number; w: number; y: number }[]) =>
  `x,w,y\n${list.map(({ x, w, y }) => `${x},${w},${y}`).join('\n')}\n`;
const weighted = write('weighted.csv', csv(rows));
const repeated = write('repeated.csv', csv(rows.flatMap((row) => Array.from({ length: row.w }, () => row))));
const scaled = write('scaled.csv', csv(rows.map((row) => ({ ...row, w: row.w / 1000 }))));

/** The lines of the coefficients. */
const table = (...args: string[]) => {
  const { status, stdout, stderr } = run([
    'train',
    ...args,
    '--target',
    'y',
    '--no-penalty',
    '--inference',
    '--out',
    'm.safetensors',
  ]);
  if (status !== 0) throw new Error(stderr);
  return stdout.split('\n').filter((line) => /^ {2}(\(intercept\)|x) /.test(line));
};
const numbers = (lines: readonly string[]) => lines.flatMap((line) => line.match(/-?\d+\.\d+(e-?\d+)?/g)!.map(Number));

describe('--weight-kind', () => {
  it('count: the standard errors are those of the repeated rows', () => {
    expect(table(weighted, '--weight', 'w', '--weight-kind', 'count')).toEqual(table(repeated, '--drop', 'w'));
  });

  it('sampling, the default: with --robust the scale of the weights changes nothing', () => {
    const [robust, other] = [weighted, scaled].map((file) => numbers(table(file, '--weight', 'w', '--robust')));
    expect(table(weighted, '--weight', 'w', '--weight-kind', 'sampling', '--robust')).toEqual(
      table(weighted, '--weight', 'w', '--robust'),
    );
    robust.forEach((value, k) => {
      expect(value).toBeCloseTo(other[k], 4);
    });
    expect(numbers(table(weighted, '--weight', 'w', '--weight-kind', 'count', '--robust'))).not.toEqual(robust);
  });

  it('is said in the text, and kept in the model, from which eval takes it', () => {
    const { stdout } = run([
      'train',
      weighted,
      '--target',
      'y',
      '--weight',
      'w',
      '--weight-kind',
      'count',
      '--no-holdout',
      '--out',
      'c.safetensors',
    ]);
    expect(stdout).toMatch(/weights +w: counts, 120 rows that stand for 240\n/);
    run(['train', weighted, '--target', 'y', '--weight', 'w', '--no-holdout', '--out', 's.safetensors']);
    const of = (model: string, ...more: string[]) =>
      json(['eval', model, weighted, '--weight', 'w', ...more]).evaluation;
    expect(of('c.safetensors')).toEqual(of('c.safetensors', '--weight-kind', 'count'));
    expect(of('s.safetensors')).toEqual(of('s.safetensors', '--weight-kind', 'sampling'));
    expect(of('c.safetensors')).not.toEqual(of('c.safetensors', '--weight-kind', 'sampling'));
    // intervals of counts are those of the repeated rows
    const auc = (evaluation: { classes: { auc: { low: number } }[] }) => evaluation.classes[0].auc.low;
    expect(auc(of('c.safetensors'))).toBeCloseTo(auc(json(['eval', 'c.safetensors', repeated]).evaluation), 12);
  });

  it('another word is wrong usage', () => {
    const { status, stderr } = run([
      'train',
      weighted,
      '--target',
      'y',
      '--weight-kind',
      'probability',
      '--out',
      'm.safetensors',
    ]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/--weight-kind.*sampling, count/)]);
  });
});

describe('--firth-errors', () => {
  const firth = (...more: string[]) => {
    const args = ['train', oracle('endometrial.csv'), '--target', 'HG', '--firth', '--inference', '--no-holdout'];
    const { status, stdout, stderr } = run([...args, ...more, '--out', 'f.safetensors']);
    if (status !== 0) throw new Error(stderr);
    return stdout.split('\n').filter((line) => /^ {2}(\(intercept\)|NV|PI|EH) /.test(line));
  };

  it('information is the default; augmented gives other errors of the same estimates', () => {
    const [information, augmented] = [firth('--firth-errors', 'information'), firth('--firth-errors', 'augmented')];
    expect(firth()).toEqual(information);
    const column = (lines: readonly string[], at: number) =>
      lines.map((line) => Number(line.trim().split(/ {2,}/)[at]));
    expect(column(augmented, 1)).toEqual(column(information, 1));
    expect(column(augmented, 2)).not.toEqual(column(information, 2));
    for (const error of [...column(information, 2), ...column(augmented, 2)]) expect(error).toBeGreaterThan(0);
  });

  it('another word is wrong usage', () => {
    const { status, stderr } = run([
      'train',
      oracle('endometrial.csv'),
      '--target',
      'HG',
      '--firth',
      '--firth-errors',
      'robust',
      '--out',
      'f.safetensors',
    ]);
    expect([status, stderr]).toEqual([2, expect.stringMatching(/--firth-errors.*information, augmented/)]);
  });
});

describe('a decimal comma in the target', () => {
  const comma = write('comma.csv', `x;y\n${rows.map((_, i) => `${i};${['0,5', '1,5', '2,5'][i % 3]}`).join('\n')}\n`);

  it.each([
    ['a file', [comma]],
    ['a query', ['--query', `select cast(y as varchar) as y, x from '${comma}'`]],
  ])('of %s is said, with the option that reads it', (_, args) => {
    const { stderr } = run(['train', ...args, '--target', 'y', '--out', 'm.safetensors']);
    expect(stderr).toMatch(
      /note: texts that look like numbers in another notation, read as categories \(--decimal, --thousands\): y \(3 of 3 classes: "0,5", "1,5", "2,5"\)\n/,
    );
    expect(
      json(['train', comma, '--decimal', ',', '--target', 'y', '--no-holdout', '--out', 'm.safetensors']).classes,
    ).toEqual(['0.5', '1.5', '2.5']);
  });
});

describe('score --csv-safe', () => {
  const evil = write(
    'evil.csv',
    `x,y\n${rows.map((_, i) => `${i % 9},${['=1+1', '@sum'][Number(i % 9 > 4)]}`).join('\n')}\n`,
  );

  run(['train', evil, '--target', 'y', '--no-holdout', '--out', 'e.safetensors']);

  it("puts ' before texts that spreadsheets run, and leaves numbers alone", () => {
    const lines = (name: string, ...more: string[]) => {
      expect(run(['score', 'e.safetensors', evil, '--explain', '1', ...more, '--out', name]).status).toBe(0);
      return readFileSync(path(name), 'utf8').trimEnd().split('\n');
    };
    const [plain, safe] = [lines('plain.csv'), lines('safe.csv', '--csv-safe')];
    expect(plain[0]).toBe('row,p_=1+1,p_@sum,label,feature_1,contribution_1');
    expect(safe[0]).toBe(plain[0]);
    const labels = (list: readonly string[]) => new Set(list.slice(1).map((line) => line.split(',')[3]));
    expect([...labels(plain)].some((label) => /^[=@]/.test(label))).toBe(true);
    expect([...labels(safe)].some((label) => /^[=@+-]/.test(label))).toBe(false);
    expect(safe.map((line) => line.replaceAll(",'", ','))).toEqual(plain);
    // negative contributions are numbers
    expect(safe.slice(1).some((line) => /,-\d/.test(line))).toBe(true);
  });

  it('is of CSV and TSV alone, and in help', () => {
    const { status, stderr } = run(['score', 'e.safetensors', evil, '--csv-safe', '--out', 'x.parquet']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^ERR_OUTPUT --csv-safe: expected an --out that ends in/),
    ]);
    expect(run(['score', '--help']).stdout).toMatch(/--csv-safe/);
  });
});
