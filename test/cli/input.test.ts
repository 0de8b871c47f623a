import { mkdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, json, write, path, names } = workspace();

const GOOD = 'age,race,low\n20,white,0\n31,black,1\n24,white,1\n35,other,0\n28,black,0\n22,other,1\n';
write('good.csv', GOOD);
json(['train', 'good.csv', '--target', 'low', '--no-holdout', '--out', 'good.safetensors']);
json(['train', 'good.csv', '--target', 'low', '--no-holdout', '--unseen', 'error', '--out', 'strict.safetensors']);

/** The sentence on standard error of a run that must fail and leave no file behind. */
function failure(args: readonly string[], stdin?: string): string {
  const before = names();
  const { status, stdout, stderr } = run(args, { stdin });
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(names()).toEqual(before);
  const sentences = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('note: '));
  expect(sentences).toHaveLength(1);
  return sentences[0];
}

const train = (data: string, target = 'y', ...more: string[]) =>
  failure(['train', data, '--target', target, '--no-holdout', '--out', 'bad.safetensors', ...more]);
const score = (data: string, model = 'good.safetensors') => failure(['score', model, data, '--out', 'bad.csv']);

describe('train names what is wrong with the data', () => {
  it('a missing file, and a glob without a file', () => {
    expect(train('absent.csv')).toMatch(/^ERR_DATA absent\.csv: expected a file/);
    expect(train('absent*.parquet')).toMatch(/^ERR_DATA absent\*\.parquet: expected a file/);
  });

  it('an empty file, and a header only', () => {
    expect(train(write('empty.csv', ''))).toMatch(/^ERR_DATA empty\.csv: expected rows, got an empty file/);
    expect(train(write('header.csv', 'x,y\n'))).toMatch(/^ERR_DATA header\.csv: expected rows, got none/);
    expect(failure(['train', '-', '--target', 'y', '--out', 'bad.safetensors'], '')).toMatch(
      /^ERR_DATA standard input: expected CSV, got nothing/,
    );
  });

  it('a target with one class, and with more than a hundred', () => {
    expect(train(write('one.csv', 'x,y\n1,0\n2,0\n'))).toMatch(
      /^ERR_TARGET target "y": expected at least two classes, got 1/,
    );
    const many = Array.from({ length: 2000 }, (_, i) => `${i},${i}`).join('\n');
    expect(train(write('many.csv', `x,y\n${many}\n`))).toMatch(
      /^ERR_TARGET target "y": expected at most 100 classes, got more/,
    );
  });

  it('a missing target column, with the nearest name', () => {
    expect(train('good.csv', 'lwo')).toMatch(
      /^ERR_SCHEMA good\.csv: expected target column "lwo".*did you mean "low"\?/,
    );
  });

  it('a target without a value in any row (rows of which some have one: missing.test.ts)', () => {
    expect(train(write('gap.csv', 'x,y\n1,\n2,\n3,\n'))).toMatch(
      /^ERR_SCHEMA gap\.csv, column "y": expected values, got missing cells only/,
    );
  });

  it('a text cell in a numeric column: row and column, in the first part of the file and behind it', () => {
    const rows = (text: number) =>
      Array.from({ length: 30_000 }, (_, i) => `${i === text ? 'abc' : i},${i % 2}`).join('\n');
    const message = (row: number, file = 'early.csv', line = row + 2) =>
      `ERR_RECORD ${file}, line ${line}, row ${row} (from 0), column "x": expected a number, got "abc"`;
    expect(train(write('early.csv', `x,y\n${rows(7)}\n`))).toContain(message(7));
    expect(train(write('late.csv', `x,y\n${rows(25_000)}\n`))).toContain(message(25_000, 'late.csv'));
    expect(train('early.csv', 'y', '--numeric', 'x')).toContain(message(7));
    const lines = '{"x":1,"y":0}\n{"x":"abc","y":1}\n{"x":3,"y":1}\n';
    expect(train(write('mixed.jsonl', lines))).toContain(message(1, 'mixed.jsonl', 2));
  });

  it('text in a column of weights: no advice that is for features', () => {
    expect(train(write('heavy.csv', 'x,w,y\n1,2,0\n2,much,1\n'), 'y', '--weight', 'w')).toMatch(
      /^ERR_RECORD heavy\.csv, line 3, row 1 .*"w": expected a number, got "much"; correct the cell, or name another weight column$/,
    );
    const online = ['train', 'heavy.csv', '--target', 'y', '--weight', 'w', '--online', '--out', 'bad.safetensors'];
    expect(failure(online)).toMatch(
      /^ERR_RECORD heavy\.csv, line 3, row 1 .*"w": .*correct the cell, or name another weight column$/,
    );
  });

  it.each([
    [['--numeric', 'x', '--categorical', 'x'], '--numeric: expected columns that are not --categorical, got "x"'],
    [['--features', 'z', '--categorical', 'x'], '--categorical: expected columns among --features, got "x"'],
    [['--drop', 'x', '--numeric', 'x'], '--numeric: expected columns that are not to --drop, got "x"'],
  ])('words on a column that make one another void: %j', (words, sentence) => {
    write('words.csv', 'x,z,y\n1,2,0\n2,3,1\n3,1,0\n');
    expect(train('words.csv', 'y', ...words)).toContain(`ERR_SCHEMA ${sentence}; `);
    const online = ['train', 'words.csv', '--target', 'y', '--online', '--out', 'bad.safetensors', ...words];
    expect(failure(online)).toContain(`ERR_SCHEMA ${sentence}; `);
  });

  it('NaN and infinite cells: row and column', () => {
    expect(train(write('huge.csv', 'x,y\n1,0\n1e999,1\n3,0\n'))).toMatch(
      /^ERR_RECORD huge\.csv, line 3, row 1 \(from 0\), column "x": expected a finite number, got Infinity/,
    );
    expect(train(write('inf.csv', 'x,y\n1,0\n2,1\n-inf,0\n'))).toMatch(
      /^ERR_RECORD inf\.csv, line 4, row 2 \(from 0\), column "x": expected a number, got "-inf"/,
    );
  });

  it('the row is that of the file, held out or not', () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `${i === 39_000 ? 'inf' : i},${i % 2}`).join('\n');
    const data = write('far.csv', `x,y\n${lines}\n`);
    for (const fraction of ['0.01', '0.99']) {
      const args = ['train', data, '--target', 'y', '--holdout', fraction, '--out', 'bad.safetensors'];
      expect(failure(args)).toMatch(
        /^ERR_RECORD far\.csv, line 39002, row 39000 \(from 0\), column "x": expected a number, got "inf"/,
      );
    }
  });

  it('duplicate column names, of a file and of a query', () => {
    expect(train(write('twice.csv', 'x,x,y\n1,2,0\n'))).toMatch(
      /^ERR_SCHEMA twice\.csv: expected distinct column names, got "x" twice/,
    );
    const query = ['train', '--query', 'select 1 as x, 2 as x, 0 as y', '--target', 'y', '--out', 'bad.safetensors'];
    expect(failure(query)).toMatch(/^ERR_SCHEMA --query: expected distinct column names, got "x" twice/);
  });

  it('rows of unequal length, files that are not what their name says, a folder', () => {
    for (const [row, end, got] of [
      ['2', '\n', 1],
      ['2,b,c', '\n', 3],
      ['2', '\r\n', 1],
    ]) {
      const sentence = `ERR_DATA ragged.csv: cannot be read: line 3: expected 2 cells, got ${got}; correct it and run again`;
      const file = write('ragged.csv', ['x,y', '1,0', row, '3,0', ''].join(String(end)));
      expect(train(file)).toBe(sentence);
      expect(failure(['train', file, '--online', '--target', 'y', '--out', 'bad.safetensors'])).toBe(sentence);
    }
    expect(train(write('fake.parquet', 'hello'))).toBe(
      'ERR_DATA fake.parquet: expected Parquet by its ending, got something else; rename it to end in .csv or .jsonl if it is that, else write it again',
    );
    expect(train(write('broken.jsonl', '{"x":1,"y":0}\n{"x":\n'))).toMatch(
      /^ERR_DATA broken\.jsonl: cannot be read: line \d/,
    );
    mkdirSync(path('folder.csv'));
    expect(train('folder.csv')).toMatch(/^ERR_DATA folder\.csv: expected a file, got a folder/);
    expect(train(write('table.xyz', GOOD))).toMatch(/^ERR_DATA DATA: expected a path that ends in/);
    expect(train('table.arrow')).toMatch(/^ERR_DATA table\.arrow: .*Parquet/);
  });

  it('a date among the features, and a query that is no query', () => {
    expect(train(write('date.csv', 'd,x,y\n2020-01-01,1,0\n2020-01-02,2,1\n'))).toMatch(
      /^ERR_SCHEMA date\.csv, column "d": .*--drop d/,
    );
    expect(failure(['train', '--query', 'selec 1', '--target', 'y', '--out', 'bad.safetensors'])).toMatch(
      /^ERR_DATA --query: .*syntax error/,
    );
  });

  it('a weight below 0: row and column', () => {
    expect(train(write('weight.csv', 'x,w,y\n1,1,0\n2,-1,1\n'), 'y', '--weight', 'w')).toMatch(
      /^ERR_RECORD weight\.csv, line 3, row 1 \(from 0\), column "w": expected a finite number >= 0, got -1/,
    );
  });
});

describe('score names what is wrong with the data', () => {
  it('columns of training that are absent', () => {
    expect(score(write('absent1.csv', 'age,rase\n20,white\n'))).toMatch(
      /^ERR_SCHEMA absent1\.csv: expected column "race" of the model.*did you mean "rase"\?/,
    );
    expect(score(write('absent2.csv', 'weight\n20\n'))).toMatch(
      /^ERR_SCHEMA absent2\.csv: expected columns "age", "race" of the model/,
    );
  });

  it('extra columns are ignored and said once', () => {
    write('extra.csv', 'id,age,note,race\n1,20,x,white\n');
    const { status, stderr } = run(['score', 'good.safetensors', 'extra.csv', '--out', 'extra_scores.csv']);
    expect(status).toBe(0);
    expect(stderr).toBe('note: ignored 2 columns the model does not use: id, note\n');
  });

  it('an unseen category takes its own slot, or is an error that names feature and value', () => {
    write('unseen.csv', 'age,race\n20,white\n30,green\n');
    expect(run(['score', 'good.safetensors', 'unseen.csv', '--out', 'unseen_scores.csv']).status).toBe(0);
    expect(score('unseen.csv', 'strict.safetensors')).toMatch(
      /^ERR_RECORD unseen\.csv, line 3, row 1 \(from 0\), column "race": .*got "green"/,
    );
  });

  it('text, NaN and infinite cells in a numeric column: row and column', () => {
    expect(score(write('text.csv', 'age,race\n20,white\nold,black\n'))).toMatch(
      /^ERR_RECORD text\.csv, line 3, row 1 \(from 0\), column "age": expected a number, got "old"/,
    );
    expect(score(write('inf2.csv', 'age,race\n20,white\ninf,black\n'))).toMatch(
      /^ERR_RECORD inf2\.csv, line 3, row 1 \(from 0\), column "age": expected a number, got "inf"/,
    );
    const typed = [
      'score',
      'good.safetensors',
      '--query',
      "select 'twenty' as age, 'white' as race",
      '--out',
      'bad.csv',
    ];
    expect(failure(typed)).toMatch(/^ERR_SCHEMA --query, column "age": expected numbers .*got VARCHAR/);
  });

  it('in a later block, the row of the file', () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `${i === 39_000 ? 'inf' : 30},white`).join('\n');
    expect(score(write('far2.csv', `age,race\n${lines}\n`))).toMatch(
      /^ERR_RECORD far2\.csv, line 39002, row 39000 \(from 0\), column "age": .*"inf"/,
    );
  });

  it('a missing file, an empty file, a header only', () => {
    expect(score('absent.csv')).toMatch(/^ERR_DATA absent\.csv/);
    expect(score('empty.csv')).toMatch(/^ERR_DATA empty\.csv/);
    expect(score(write('header2.csv', 'age,race\n'))).toMatch(/^ERR_DATA header2\.csv: expected rows, got none/);
  });

  it('eval: a class the model does not know, a missing target column', () => {
    write('class.csv', 'age,race,low\n20,white,0\n30,black,2\n');
    expect(failure(['eval', 'good.safetensors', 'class.csv', '--target', 'low'])).toMatch(
      /^ERR_RECORD class\.csv, line 3, row 1 \(from 0\), column "low": .*got "2"/,
    );
    expect(failure(['eval', 'good.safetensors', 'good.csv', '--target', 'lo'])).toMatch(
      /^ERR_SCHEMA good\.csv: .*"lo".*did you mean "low"/,
    );
  });
});

describe('a model file that is not whole is refused', () => {
  const bytes = readFileSync(path('good.safetensors'));
  const inspect = (name: string, content: Uint8Array) => failure(['inspect', write(name, content)]);

  it('missing, not a model, truncated', () => {
    expect(failure(['inspect', 'absent.safetensors'])).toMatch(/^ERR_DATA absent\.safetensors/);
    expect(failure(['inspect', oracle('lbw.csv')])).toMatch(/^ERR_FORMAT .*lbw\.csv/);
    expect(inspect('short.safetensors', bytes.subarray(0, bytes.length - 1))).toMatch(/^ERR_FORMAT short\.safetensors/);
    expect(inspect('none.safetensors', new Uint8Array())).toMatch(/^ERR_FORMAT none\.safetensors/);
  });

  it('altered in one bit, and of a newer format', () => {
    const altered = Uint8Array.from(bytes);
    altered[altered.length - 3] ^= 1;
    expect(inspect('altered.safetensors', altered)).toMatch(/^ERR_FORMAT altered\.safetensors/);
    const newer = Buffer.from(bytes.toString('latin1').replace(/format(\\*":)1/, 'format$12'), 'latin1');
    expect(newer.equals(bytes)).toBe(false);
    expect(inspect('newer.safetensors', newer)).toMatch(/^ERR_FORMAT newer\.safetensors: .*format/);
    expect(score('good.csv', 'altered.safetensors')).toMatch(/^ERR_FORMAT altered\.safetensors/);
  });
});
