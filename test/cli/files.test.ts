import { mkdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { workspace } from './run.ts';

const { run, json, write, path } = workspace();

const inspect = (model: string) => {
  const { coefficients } = json(['inspect', model]);
  return coefficients.map(({ feature, level }: { feature: string; level: string | null }) =>
    level === null ? feature : `${feature}=${level}`,
  );
};
const train = (data: string, ...more: string[]) => {
  const done = run(['train', data, '--target', 'y', '--no-holdout', '--json', '--out', 'm.safetensors', ...more]);
  if (done.status !== 0) return done.stderr.trim().split('\n').at(-1)!;
  return { rows: JSON.parse(done.stdout).rows.train as number, names: inspect('m.safetensors'), notes: done.stderr };
};
const rows = (cells: readonly string[], header = 'x,y') =>
  `${header}\n${cells.map((cell, i) => `${cell},${(i >> 1) & 1}`).join('\n')}\n`;
const numbers = Array.from({ length: 20 }, (_, i) => String(i - 9.5));
const numeric = { rows: 20, names: ['(intercept)', 'x'] };

describe('the file that is named', () => {
  it('a path that exists is that file, whatever its name', () => {
    write('scores[1].csv', rows(numbers));
    write('scores1.csv', rows(numbers.slice(8)));
    expect(train('scores[1].csv')).toMatchObject(numeric);
    expect(train('scores*.csv')).toMatchObject({ rows: 32 });
    write('*.csv', rows(numbers.slice(0, 12)));
    expect(train('*.csv')).toMatchObject({ rows: 12 });
    mkdirSync(path('run=3'));
    write('run=3/t.csv', rows(numbers));
    expect(train('run=3/t.csv')).toMatchObject(numeric);
  });

  it('files of a pattern are matched by the names of their columns', () => {
    mkdirSync(path('g'));
    write('g/a.csv', 'x,z,y\n1.5,n,0\n2.5,s,1\n0.5,n,0\n');
    write('g/b.csv', 'z,x,y\nn,1.75,1\ns,2.75,0\ns,1,1\n');
    expect(train('g/*.csv')).toMatchObject({ rows: 6, names: ['(intercept)', 'x', 'z=n', 'z=s'] });
    write('g/c.csv', 'z,x,w,y\nn,1,2,0\n');
    expect(train('g/*.csv')).toMatch(
      /^ERR_SCHEMA g\/c\.csv: expected the columns of "g\/a\.csv", got a further column "w"/,
    );
  });
});

describe('structure', () => {
  it.each([
    ['a second header', 'x,y\n1,0\n2,1\nx,y\n3,0\n', /line 4: .*the header again/],
    ['another width', 'x,y\n1,0\nx,w,y\n3,1,0\n', /line 3: expected 2 cells, got 3/],
    ['a header one name short', '"x","y"\n"1",0,0\n', /the header has 2 names, line 2 has 3 cells/],
    ['a preamble', 'Report\nx,y\n1,0\n', /line 2: the header has 1 name, line 2 has 2 cells; .*--skip 1/],
    ['NUL', 'x,y\n1,0\na\0b,1\n', /line 3: .*column "x", got a NUL/],
    [
      'Latin-1',
      Buffer.from('x,y\ncaf\xe9,1\n', 'latin1'),
      /line 2: expected UTF-8 in column "x".*"café" if.*--encoding latin1/,
    ],
    ['UTF-16', Buffer.from('\uFEFFx,y\n1,0\n', 'utf16le'), /got UTF-16 .*--encoding utf-16le/],
    ['an open quote', 'x,y\n"1,0\n2,1\n', /line 2: expected a closing quote/],
  ] as const)('%s is refused by its line', (_, content, sentence) => {
    write('bad.csv', content);
    for (const more of [[], ['--online']]) {
      const { status, stderr } = run(['train', 'bad.csv', '--target', 'y', '--out', 'm.safetensors', ...more]);
      expect([status, stderr]).toEqual([1, expect.stringMatching(sentence)]);
    }
  });

  it('line ends of every kind, encodings and marks that are named, a long header', () => {
    const text = rows(numbers);
    expect(train(write('mixed.csv', text.replace('\n', '\r\n').replace('-8.5,0\n', '-8.5,0\r')))).toMatchObject(
      numeric,
    );
    expect(train(write('u.csv', Buffer.from(`\uFEFF${text}`, 'utf16le')), '--encoding', 'utf-16le')).toMatchObject(
      numeric,
    );
    expect(train(write('s.csv', `made in May\n${text}`), '--skip', '1')).toMatchObject(numeric);
    expect(train(write('q.csv', text.replace('\n0.5,', "\n'0.5',")), '--quote', "'")).toMatchObject(numeric);
    expect(train(write('b.jsonl', '\uFEFF{"x":1,"y":0}\n{"x":2,"y":1}\n'))).toMatchObject({ rows: 2 });
    const wide = Array.from({ length: 25_000 }, (_, i) => `gene_number_${i}`);
    write(
      'wide.csv',
      `y,x,${wide.join()}\n${numbers.map((x, i) => `${(i >> 1) & 1},${x}${',0'.repeat(25_000)}`).join('\n')}\n`,
    );
    expect(train('wide.csv', '--features', 'x')).toMatchObject(numeric);
  });

  it('a header without end in a packed file of few bytes, brackets without end', () => {
    write('bomb.csv.gz', gzipSync(Buffer.from('a,'.repeat(2e7))));
    expect(train('bomb.csv.gz')).toMatch(/^ERR_DATA .*line 1: expected a record of at most 2 MB/);
    // the bound holds of every record, whatever piece of the file it comes in
    const long = 'a'.repeat(2_097_152);
    write('long.csv', `x,y\n1,0\n2,1\n${long},1\n`);
    expect(train('long.csv')).toMatch(
      /^ERR_DATA long\.csv: cannot be read: line 4: expected a record of at most 2 MB, got a longer one/,
    );
    write('long.jsonl', `{"x":1,"y":0}\n{"x":"${long}","y":1}\n`);
    expect(train('long.jsonl')).toMatch(
      /^ERR_DATA long\.jsonl: cannot be read: line 2: expected an object of at most 2 MB, got a longer/,
    );
    write('just.csv', `x,y\n${long.slice(10)},0\nb,1\n${long.slice(10)},1\n`);
    expect(train('just.csv')).toMatchObject({ rows: 3 });
    write('deep.jsonl', `{"y":1,"c":${'['.repeat(200_000)}\n`);
    expect(train('deep.jsonl')).toMatch(/^ERR_DATA .*line 1: expected brackets of a depth of at most 200/);
    const dots = '.'.repeat(120_000);
    write('dots.jsonl', `{"y":1,"${dots}a":1,"${dots}a":2}\n`);
    expect(train('dots.jsonl')).toMatch(/^ERR_DATA .{0,400}$/);
  });
});

describe('what a column is, over the whole file', () => {
  it('numbers however late they come, in every spelling of the rule', () => {
    const late = Array.from({ length: 25_000 }, (_, i) => (i < 21_000 ? '' : String((i % 10) / 2)));
    expect(train(write('late.csv', rows(late)))).toMatchObject({ names: ['(intercept)', 'x', 'x=(missing)'] });
    expect(train(write('plus.csv', rows(numbers.map((x) => (x.startsWith('-') ? x : `+${x}`)))))).toMatchObject(
      numeric,
    );
    expect(train(write('json.jsonl', '{"y":0}\n{"y":1}\n{"x":3,"y":1}\n{"x":1,"y":0}\n'))).toMatchObject({
      names: ['(intercept)', 'x', 'x=(missing)'],
    });
    expect(train(write('zip.csv', rows(numbers.map((_, i) => `0${2000 + (i % 3)}`))))).toMatchObject({
      names: ['(intercept)', 'x=02000', 'x=02001', 'x=02002'],
      notes: expect.stringContaining('numbers with leading zeros'),
    });
  });

  it('texts that are missing cells, at any share, with counts', () => {
    const most = write('na.csv', rows(numbers.map((x, i) => (i % 5 === 0 ? x : i % 2 ? 'NA' : '.'))));
    for (const more of [[], ['--memory', '200MB']]) {
      expect(train(most, ...more)).toMatchObject({
        rows: 20,
        names: ['(intercept)', 'x', 'x=(missing)'],
        notes: expect.stringContaining('x (8 × NA + 8 × .)'),
      });
    }
    write('gone.csv', rows(numbers.map((x, i) => (i === 3 ? 'gone' : x))));
    expect(train('gone.csv')).toMatch(
      /^ERR_RECORD gone\.csv, line 5, row 3 \(from 0\), column "x": expected a number, got "gone"/,
    );
    expect(train('gone.csv', '--na', 'gone')).toMatchObject({ names: ['(intercept)', 'x', 'x=(missing)'] });
    expect(train(write('word.csv', rows(numbers.map((_, i) => ['a', 'b', 'NA'][i % 3]))))).toMatchObject({
      notes: expect.stringContaining('levels that look like missing cells'),
    });
  });

  it.each([
    ['1,5', ['--decimal', ',']],
    ['1.234,5', ['--decimal', ',', '--thousands', '.']],
    ['1_000', ['--thousands', '_']],
  ])('%s is refused with the option that reads it', (cell, options) => {
    const text = rows(numbers.map((_, i) => (i % 2 ? cell : String(i)))).replaceAll(/,(?=[01y]\n)/g, ';');
    expect(train(write('other.csv', text))).toMatch(
      new RegExp(`^ERR_RECORD .*got "${cell}"; .*--${options.at(-2)!.slice(2)} `),
    );
    expect(train('other.csv', ...options)).toMatchObject(numeric);
  });

  it.each(['$1,200', '12%'])('%s is refused, and no category', (cell) => {
    expect(train(write('money.csv', rows(numbers.map(() => `"${cell}"`))))).toMatch(
      /^ERR_RECORD money\.csv, line 2, .*got "/,
    );
  });

  it('a string among the numbers of JSON is refused by its line, whatever is said no internal error', () => {
    const lines = ['{"x":1,"y":0}', '{"x":"2","y":1}', '{"x":3,"y":0}', '{"x":4,"y":1}'].join('\n');
    expect(train(write('four.jsonl', lines))).toMatch(/^ERR_RECORD four\.jsonl, line 2, row 1 .*got "2"/);
    expect(train('four.jsonl', '--numeric', 'x')).toMatchObject({ rows: 4, names: ['(intercept)', 'x'] });
    write('nan.jsonl', lines.replace('"2"', 'NaN'));
    expect(train('nan.jsonl')).toMatch(/^ERR_RECORD nan\.jsonl, line 2, .*--na NaN/);
    expect(train('nan.jsonl', '--na', 'NaN')).toMatchObject({ rows: 4 });
  });
});

describe('names', () => {
  it('that differ in case, or have commas and equals signs, can be told apart and named', () => {
    const text = rows(
      numbers.map((x, i) => `${x},${i % 7},${i % 3}`),
      '"price, net",x,X,y',
    );
    write('names.csv', text);
    expect(train('names.csv', '--drop', 'price, net')).toMatchObject({ names: ['(intercept)', 'x', 'X'] });
    expect(train('names.csv', '--drop', '"price, net",X')).toMatchObject(numeric);
    expect(train('names.csv', '--bounds', '"price, net"=0:0.001')).toMatchObject({ rows: 20 });
  });

  it('of classes that differ in case are columns of their own in every output', () => {
    write('cases.csv', `x,y\n${numbers.map((x, i) => `${x},${i % 2 ? 'A' : 'a'}`).join('\n')}\n`);
    run(['train', 'cases.csv', '--target', 'y', '--no-holdout', '--out', 'ab.safetensors']);
    for (const end of ['csv', 'parquet'])
      expect(run(['score', 'ab.safetensors', 'cases.csv', '--out', `ab.${end}`]).status).toBe(0);
    expect(readFileSync(path('ab.csv'), 'utf8')).toMatch(/^row,p_A,p_a,label\n/);
    expect(readFileSync(path('ab.parquet')).toString('latin1')).toMatch(/p_A.*p_a.*label/s);
    expect(readFileSync(path('ab.parquet')).toString('latin1')).not.toContain('p_a_1');
  });
});

describe('order and meaning', () => {
  it('--holdout-by keeps the seconds of times, refuses text, and its column is no feature', () => {
    const times = Array.from(
      { length: 200 },
      (_, i) => `${i % 7},2024-01-01 00:0${Math.floor(i / 60)}:${String(i % 60).padStart(2, '0')}`,
    );
    write('t.csv', rows(times, 'x,t,y'));
    const { rows: split } = json([
      'train',
      't.csv',
      '--target',
      'y',
      '--holdout-by',
      't',
      '--holdout',
      '0.1',
      '--out',
      't.safetensors',
    ]);
    expect(split).toEqual({ train: 180, holdout: 20 });
    expect(inspect('t.safetensors')).toEqual(['(intercept)', 'x']);
    write(
      'months.csv',
      rows(
        times.map((_, i) => `${i % 7},${['Feb', 'Jan'][i % 2]}-2018`),
        'x,t,y',
      ),
    );
    expect(run(['train', 'months.csv', '--target', 'y', '--holdout-by', 't', '--out', 't.safetensors']).stderr).toMatch(
      /ERR_RECORD months\.csv, line 2, .*column "t": expected a number, or a date as in ISO 8601.*got "Feb-2018"/,
    );
  });

  it('1 and 0 meet true and false', () => {
    const flags = (yes: string, no: string) => rows(numbers.map((_, i) => (i % 3 ? yes : no)));
    write('bool.csv', flags('true', 'false'));
    train('bool.csv');
    const scores = (name: string, yes: string, no: string) => {
      const done = run(['score', 'm.safetensors', write(name, flags(yes, no)), '--out', 'out.csv']);
      return [readFileSync(path('out.csv'), 'utf8'), done.stderr];
    };
    const [own] = scores('same.csv', 'true', 'false');
    for (const [yes, no] of [
      ['1', '0'],
      ['yes', 'no'],
    ]) {
      const [other, said] = scores('other.csv', yes, no);
      expect(other).toBe(own);
      expect(said).toContain('cells read as the label with the same meaning');
    }
  });

  it('--online: classes may be named that the first rows lack', () => {
    write(
      'rare.csv',
      `x,y\n${Array.from({ length: 120 }, (_, i) => `${i % 9},${i > 60 && i % 4 === 0 ? 1 : 0}`).join('\n')}\n`,
    );
    const args = ['train', 'rare.csv', '--target', 'y', '--online', '--warmup', '40', '--out', 'r.safetensors'];
    expect(run(args).stderr).toMatch(/^ERR_TARGET/m);
    expect(json([...args, '--classes', '0,1']).classes).toEqual(['0', '1']);
  });
});
