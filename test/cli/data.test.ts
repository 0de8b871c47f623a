import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomHoldout } from '../../cli/src/jobs/holdout.ts';
import { scoreCommand } from '../../cli/src/jobs/score.ts';
import { trainCommand } from '../../cli/src/jobs/train.ts';
import type { SourceOptions } from '../../cli/src/read/source.ts';
import { coefficients as modelCoefficients } from '../../src/index.ts';
import { sweep } from '../full.ts';
import { oracle, workspace } from './run.ts';

const { run, json, write, path } = workspace();
const lbw = readFileSync(oracle('lbw.csv'), 'utf8');
const FIT = ['--target', 'low', '--drop', 'id,bwt,ftv', '--no-holdout'];

const text = (name: string) => readFileSync(path(name), 'utf8');
const coefficients = (model: string) => json(['inspect', model]).coefficients;

/** Scores as rows of cells. */
function scored(args: readonly string[], out: string): string[][] {
  const { status, stderr } = run([...args, '--out', out]);
  if (status !== 0) throw new Error(stderr);
  return text(out)
    .trim()
    .split('\n')
    .map((line) => line.split(','));
}

/** of the CSV file itself */
let expected: { coefficients: unknown; scores: string; metrics: unknown };

beforeAll(async () => {
  json(['train', oracle('lbw.csv'), ...FIT, '--out', 'lbw.safetensors']);
  run(['score', 'lbw.safetensors', oracle('lbw.csv'), '--out', 'expected.csv']);
  expected = {
    coefficients: coefficients('lbw.safetensors'),
    scores: text('expected.csv'),
    metrics: json(['eval', 'lbw.safetensors', oracle('lbw.csv'), '--target', 'low']).metrics,
  };
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`copy (from '${oracle('lbw.csv')}') to '${path('lbw.parquet')}' (format parquet)`);
  await connection.run(`copy (from '${oracle('lbw.csv')}') to '${path('lbw.jsonl')}' (format json)`);
  await connection.run(`copy (from '${oracle('lbw.csv')}') to '${path('lbw.tsv')}' (delimiter '\t')`);
  const [header, ...rows] = lbw.trim().split('\n');
  write('part1.csv', `${[header, ...rows.slice(0, 100)].join('\n')}\n`);
  write('part2.csv', `${[header, ...rows.slice(100)].join('\n')}\n`);
  write('lbw.csv.gz', gzipSync(lbw));
  write('lbw;.csv', lbw.replaceAll(',', ';'));
});

describe('every way in gives the same model and the same scores', () => {
  const WAYS: readonly (readonly [string, readonly string[], string?])[] = [
    ['parquet', ['lbw.parquet']],
    ['json lines', ['lbw.jsonl']],
    ['tsv', ['lbw.tsv']],
    ['gzip', ['lbw.csv.gz']],
    ['semicolons', ['lbw;.csv']],
    ['a glob', ['part*.csv']],
    ['standard input', ['-'], lbw],
    ['a query', ['--query', `from '${oracle('lbw.csv')}'`]],
  ];

  for (const [name, data, stdin] of WAYS)
    it(name, () => {
      const model = `${name.replaceAll(' ', '_')}.safetensors`;
      json(['train', ...data, ...FIT, '--out', model], { stdin });
      expect(coefficients(model)).toEqual(coefficients('lbw.safetensors'));
      run(['score', 'lbw.safetensors', oracle('lbw.csv'), '--out', 'expected.csv']);
      expect(run(['score', 'lbw.safetensors', ...data, '--out', 'scores.csv'], { stdin }).status).toBe(0);
      expect(text('scores.csv')).toBe(expected.scores);
      expect(json(['eval', 'lbw.safetensors', ...data, '--target', 'low'], { stdin }).metrics).toEqual(
        expected.metrics,
      );
    });
});

describe('every way out has the same scores', () => {
  it('csv, tsv and json lines: row, the probability of every class, label', () => {
    const csv = scored(['score', 'lbw.safetensors', oracle('lbw.csv')], 'all.csv');
    expect(csv[0]).toEqual(['row', 'p_0', 'p_1', 'label']);
    expect(csv).toHaveLength(190);
    scored(['score', 'lbw.safetensors', oracle('lbw.csv')], 'all.tsv');
    expect(text('all.tsv').replaceAll('\t', ',')).toBe(text('all.csv'));
    scored(['score', 'lbw.safetensors', oracle('lbw.csv')], 'all.jsonl');
    const lines = text('all.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ row, p_0, p_1, label }) => [String(row), String(p_0), String(p_1), label])).toEqual(
      csv.slice(1),
    );
    for (const { p_0, p_1, label } of lines) {
      expect(p_0 + p_1).toBeCloseTo(1, 15);
      expect(label).toBe(p_1 > 0.5 ? '1' : '0');
    }
  });

  it('parquet', async () => {
    scored(['score', 'lbw.safetensors', oracle('lbw.csv')], 'all.csv');
    expect(run(['score', 'lbw.safetensors', oracle('lbw.csv'), '--out', 'all.parquet']).status).toBe(0);
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create()).connect();
    const reader = await connection.runAndReadAll(`from '${path('all.parquet')}'`);
    expect(reader.columnNames()).toEqual(['row', 'p_0', 'p_1', 'label']);
    expect(reader.columnTypes().map(String)).toEqual(['BIGINT', 'DOUBLE', 'DOUBLE', 'VARCHAR']);
    const cells = reader.getRows().map((row) => row.map(String));
    expect(cells).toEqual(
      text('all.csv')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(',')),
    );
  });

  it('f32 has the shortest digits of 32-bit numbers', () => {
    const double = scored(['score', 'lbw.safetensors', oracle('lbw.csv')], 'all.csv');
    const single = scored(['score', 'lbw.safetensors', oracle('lbw.csv'), '--precision', 'f32'], 'single.csv');
    for (const [at, [, first, second]] of single.entries()) {
      if (at === 0) continue;
      for (const cell of [first, second]) {
        const shorter = Number(cell).toPrecision(cell.replace(/^0\.0*/, '').length - 1);
        expect(Math.fround(Number(shorter))).not.toBe(Math.fround(Number(cell)));
        expect(cell.length).toBeLessThanOrEqual(12);
      }
      // 24-bit sums of nine terms, the largest near 5
      expect(Number(second)).toBeCloseTo(Number(double[at][2]), 5);
    }
  });
});

describe('one category has one name, whatever file it comes from', () => {
  /** A CSV file in which each value occurs equally often and its share of y = 1 grows with its place in the list. */
  const csv = (name: string, values: readonly string[]) => {
    const n = values.length;
    const lines = Array.from(
      { length: n * (n + 2) },
      (_, i) => `${values[i % n]},${Math.floor(i / n) <= i % n ? 1 : 0}`,
    );
    write(name, `g,y\n${lines.join('\n')}\n`);
    return path(name);
  };
  // In this process, for speed; the command does nothing else.
  const fitted = async (data: SourceOptions, categorical?: string[]): Promise<(string | null)[]> => {
    const { model } = await trainCommand({
      ...data,
      target: 'y',
      categorical,
      holdout: false,
      out: path('g.safetensors'),
    });
    const lines = modelCoefficients(model).filter(({ level }) => level !== null);
    return lines.map(({ level }) => level);
  };
  /** the probability of class 1 for one value of g given as SQL */
  const probability = async (sql: string): Promise<number> => {
    await scoreCommand({ model: path('g.safetensors'), query: `select ${sql} as g`, out: path('g.csv') });
    return Number(text('g.csv').split('\n')[1].split(',')[2]);
  };

  it('numbers are sorted as numbers, and 2, 2.0 and "2" are one level', async () => {
    expect(await fitted({ data: csv('n.csv', ['10', '9', '2.0', '2.50']) }, ['g'])).toEqual(['2', '2.5', '9', '10']);
    const two = await probability('2');
    for (const spelled of ['2.0::double', '2::float', '2.00::decimal(9,2)', "'2'", '2::hugeint'])
      expect(await probability(spelled)).toBe(two);
    expect(await probability('2.5::double')).not.toBe(two);
    write('n2.csv', 'g\n2\n2.0\n2.00\n2.5\n02\n');
    const rows = scored(['score', 'g.safetensors', 'n2.csv'], 'n2_scores.csv').slice(1);
    expect(rows.map((row) => Number(row[2]) === two)).toEqual([true, true, true, false, false]);
  });

  it('numbers with an exponent are spelled as JavaScript does', async () => {
    const query = 'select [0.00001, 1e-7, 1e21, 3][1 + i % 4]::double as g, i // 4 <= i % 4 as y from range(24) t(i)';
    expect(await fitted({ query }, ['g'])).toEqual(['1e-7', '0.00001', '3', '1e+21']);
    const different = new Set<number>();
    for (const value of ['1e-7', '0.00001', '3', '1e21', '7']) different.add(await probability(`${value}::double`));
    expect(different.size).toBe(5);
  });

  it('text stays text: leading zeros, Yes and No, quotes', async () => {
    expect(await fitted({ data: csv('zip.csv', ['02139', '2139', '10001']) }, ['g'])).toEqual([
      '02139',
      '2139',
      '10001',
    ]);
    expect(await probability("'02139'")).not.toBe(await probability("'2139'"));
    expect(await fitted({ data: csv('yes.csv', ['Yes', 'No']) })).toEqual(['No', 'Yes']);
    expect(await fitted({ data: csv('quote.csv', ["it's", '"a,b"', 'ä😀']) })).toEqual(['a,b', "it's", 'ä😀']);
  });

  it('booleans are true and false, in every spelling of a CSV file', async () => {
    expect(await fitted({ data: csv('bool.csv', ['True', 'False', 'true', 'FALSE']) })).toEqual(['false', 'true']);
    expect(await probability('true')).toBe(await probability("'True'"));
    expect(await probability('true')).not.toBe(await probability('false'));
  });

  it('a label that CSV must quote is quoted', async () => {
    write('label.csv', 'x,y\n1,"a,b"\n1,"a,b"\n3,"a,b"\n4,c\n5,c\n');
    json(['train', 'label.csv', '--target', 'y', '--no-holdout', '--out', 'label.safetensors']);
    run(['score', 'label.safetensors', 'label.csv', '--out', 'label_scores.csv']);
    expect(text('label_scores.csv').split('\n')[0]).toBe('row,"p_a,b",p_c,label');
    expect(text('label_scores.csv')).toMatch(/^0,[^"]*,"a,b"$/m);
  });

  it('an empty cell is missing, which is not unseen', async () => {
    expect(await fitted({ data: csv('gap.csv', ['a', 'b', '', 'a', '']) })).toEqual(['a', 'b', '(missing)']);
    expect(await probability('null::varchar')).not.toBe(await probability("'z'"));
  });

  it('more than 256 and more than 65536 levels', async () => {
    for (const many of [300, 70_000]) {
      const query = `select 'k' || (i % ${many}) as g, i % 2 as y from range(${2 * many + 1}) t(i)`;
      const { model } = await trainCommand({
        query,
        target: 'y',
        solver: 'lbfgs',
        maxIter: 3,
        holdout: false,
        out: path('many.safetensors'),
      });
      const [feature] = model.manifest.schema.features;
      expect(feature.kind === 'categorical' && feature.levels.length).toBe(many);
      expect(feature.kind === 'categorical' && feature.counts[0]).toBe(3);
    }
  });
});

describe('columns by name', () => {
  it('--features, --drop, and the order of the columns of the file does not matter', () => {
    const fitted = (...flags: string[]) => {
      json(['train', oracle('lbw.csv'), '--target', 'low', '--no-holdout', '--out', 'f.safetensors', ...flags]);
      return new Set(coefficients('f.safetensors').map(({ feature }: { feature: string }) => feature));
    };
    expect(fitted('--features', 'age,race')).toEqual(new Set(['(intercept)', 'age', 'race']));
    expect(fitted('--drop', 'id,bwt,ftv,ptl,ht,ui,smoke,lwt')).toEqual(new Set(['(intercept)', 'age', 'race']));
    const shuffled = `from '${oracle('lbw.csv')}'`.replace('from', 'select ui, race, lwt, ht, ptl, smoke, age from');
    run(['score', 'lbw.safetensors', '--query', shuffled, '--out', 'shuffled.csv']);
    run(['score', 'lbw.safetensors', oracle('lbw.csv'), '--out', 'ordered.csv']);
    expect(text('shuffled.csv')).toBe(text('ordered.csv'));
  });

  it('an offset must be there when scoring, and shifts the logit', () => {
    const rows = `select age, low, 0.5 as o from '${oracle('lbw.csv')}'`;
    json(['train', '--query', rows, '--target', 'low', '--offset', 'o', '--no-holdout', '--out', 'o.safetensors']);
    const { status, stderr } = run(['score', 'o.safetensors', oracle('lbw.csv'), '--out', 'o.csv']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERR_SCHEMA .*"o"/);
    const probability = (o: number) =>
      Number(scored(['score', 'o.safetensors', '--query', `select 30 as age, ${o} as o`], 'o.csv')[1][2]);
    const logit = (p: number) => Math.log(p / (1 - p));
    expect(logit(probability(1.5)) - logit(probability(0.5))).toBeCloseTo(1, 12);
  });
});

describe('held-out rows', () => {
  it('are a fraction of every class, the same ones by the same seed', () => {
    const codes = Uint8Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 1 : 0));
    const held = randomHoldout(codes, 2, 0.2, 1);
    const count = (code: number) => held.reduce((sum, flag, i) => sum + (flag === 1 && codes[i] === code ? 1 : 0), 0);
    expect([count(0), count(1)]).toEqual([180, 20]);
    expect(randomHoldout(codes, 2, 0.2, 1)).toEqual(held);
    expect(randomHoldout(codes, 2, 0.2, 2)).not.toEqual(held);
  });

  it('are equally likely: each row is held out by about the fraction of the seeds', () => {
    const codes = new Uint8Array(20);
    const hits = new Float64Array(20);
    for (let seed = 0; seed < 4000; seed++)
      randomHoldout(codes, 1, 0.25, seed).forEach((flag, i) => {
        hits[i] += flag;
      });
    // 1000 expected per row, standard deviation 27: five of them
    for (const hit of hits) expect(Math.abs(hit - 1000)).toBeLessThan(137);
  });

  it('--holdout-by takes the largest values and keeps equal ones together', () => {
    const rows = (by: string) => {
      const sql = `select i as x, ${by} as t, (i * 7) % 5 > 2 as y from range(100) t(i)`;
      return json(['train', '--query', sql, '--target', 'y', '--holdout-by', 't', '--out', 'h.safetensors']).rows;
    };
    expect(rows('i')).toEqual({ train: 80, holdout: 20 });
    expect(rows("date '2020-01-01' + i::int")).toEqual({ train: 80, holdout: 20 });
    // 30 rows of the largest value, 70 of the other: 30 is nearer to 20 than 100
    expect(rows('case when i < 70 then 1 else 2 end')).toEqual({ train: 70, holdout: 30 });
    // values of 10 rows each but the last of 35
    expect(rows('least(i // 10, 6)')).toEqual({ train: 60, holdout: 40 });
    // numbers are compared as numbers, also when they are read as categories
    write(
      'years.csv',
      `x,y,t\n${Array.from({ length: 100 }, (_, i) => `${i % 7},${i % 3 > 0 ? 1 : 0},${i < 80 ? 9 : 10}`).join('\n')}\n`,
    );
    const years = [
      'train',
      'years.csv',
      '--target',
      'y',
      '--holdout-by',
      't',
      '--features',
      'x,t',
      '--categorical',
      't',
    ];
    expect(json([...years, '--out', 'h.safetensors']).rows).toEqual({ train: 80, holdout: 20 });
    expect(coefficients('h.safetensors').map(({ level }: { level: string }) => level)).toContain('9');
    // missing values are not held out
    expect(rows('case when i < 50 then null else i end')).toEqual({ train: 80, holdout: 20 });
    expect(rows('case when i < 95 then null else i end')).toEqual({ train: 95, holdout: 5 });
  });

  it('--holdout-by a column of one value is an error', () => {
    const sql = 'select i as x, 1 as t, i % 2 as y from range(100) t(i)';
    const { status, stderr } = run([
      'train',
      '--query',
      sql,
      '--target',
      'y',
      '--holdout-by',
      't',
      '--out',
      'h.safetensors',
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERR_DATA --holdout-by t: /);
  });
});

describe('what one block of rows holds says nothing of the next', () => {
  it('a missing cell in the first does not come back later', async () => {
    const rows = 'select case when i >= 20 then i % 2 end as x, i % 3 > 0 as y from range(100) t(i)';
    await trainCommand({ query: rows, target: 'y', holdout: false, out: path('x.safetensors') });
    const query = 'select case when i >= 10000 then i % 2 end as x from range(60000) t(i)';
    await scoreCommand({ model: path('x.safetensors'), query, out: path('x.csv') });
    const lines = text('x.csv').trimEnd().split('\n').slice(1);
    const distinct = (from: number, to: number) => new Set(lines.slice(from, to).map((line) => line.split(',')[1]));
    expect(distinct(0, 10_000).size).toBe(1);
    expect(distinct(10_000, 60_000).size).toBe(2);
    expect(distinct(0, 60_000).size).toBe(3);
  });

  it('fractions may appear late in a column of whole numbers', async () => {
    const of = (last: string) => {
      const lines = Array.from({ length: 30_000 }, (_, i) => `${i},${i % 7 > 2 ? 1 : 0},${i}`).join('\n');
      return write('fractions.csv', `x,y,t\n${lines}\n${last},1,30000.5\n`) && path('fractions.csv');
    };
    const options = { target: 'y', holdoutBy: 't', out: path('x.safetensors') };
    const { model } = await trainCommand({ ...options, data: of('2.5'), holdout: false });
    expect(model.manifest.fit.rows).toBe(30_001);
    const { rows } = await trainCommand({ ...options, data: of('2.5') });
    expect(rows).toEqual({ train: 24_001, holdout: 6000 });
  });

  it('a field of JSON lines may appear late', async () => {
    await trainCommand({
      query: 'select i as x, i % 3 > 0 as y from range(9) t(i)',
      target: 'y',
      holdout: false,
      out: path('x.safetensors'),
    });
    write(
      'late.jsonl',
      Array.from({ length: 40_000 }, (_, i) => (i < 30_000 ? '{"z":1}' : '{"z":1,"x":2}')).join('\n'),
    );
    const { rows } = await scoreCommand({ model: path('x.safetensors'), data: path('late.jsonl'), out: path('x.csv') });
    expect(rows).toBe(40_000);
  });
});

describe('a file larger than memory', () => {
  it('is scored in order, in bounded memory', () => {
    const rows = sweep(300_000, 1_500_000);
    const sql = `select i % 60 as age, i % 90 + 80 as lwt, ['white','black','other'][1 + i % 3] as race, i % 2 as smoke, 0 as ptl, 0 as ht, 0 as ui from range(${rows}) t(i)`;
    const args = ['score', 'lbw.safetensors', '--query', sql, '--out', 'large.csv'];
    // what Linux says of resources counts the process that started this one
    const report = `const { readFileSync } = require('node:fs');
      const high = () => process.platform === 'linux' && /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
      process.on('exit', () => process.stderr.write('peak ' + (high() || process.resourceUsage().maxRSS)));`;
    write('peak.cjs', report);
    const { status, stderr } = run(args, { node: ['--max-old-space-size=64', '--require', path('peak.cjs')] });
    expect(status).toBe(0);
    // in kilobytes; the file alone has more than 60 MB, the columns as doubles 84 MB
    expect(Number(/peak (\d+)/.exec(stderr)![1])).toBeLessThan(300_000);
    const lines = text('large.csv').trimEnd().split('\n');
    expect(lines).toHaveLength(rows + 1);
    expect(lines.every((line, i) => i === 0 || line.startsWith(`${i - 1},`))).toBe(true);
    // the rows repeat after lcm(60, 90, 3, 2) = 180
    expect(lines[181].slice(3)).toBe(lines[1].slice(1));
    expect(lines[rows - 1 - 120].split(',')[1]).toBe(lines[((rows - 2 - 120) % 180) + 1].split(',')[1]);
  });
});
