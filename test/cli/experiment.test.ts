import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { discoveries } from '../../cli/src/figures/experiment.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { meanDifference, rateDifference } from '../../src/monitor.ts';
import { workspace } from './run.ts';

const { run, write, path } = workspace();
const random = splitmix32(16);
/** 4,000 visits: B buys more, in DE alone; risk foretells half of what is spent */
const visits = Array.from({ length: 4000 }, (_, i) => {
  const variant = random() < 0.5 ? 'A' : 'B';
  const country = ['DE', 'FR'][i % 2];
  const risk = random();
  const bought = random() < 0.1 + 0.3 * risk + (variant === 'B' && country === 'DE' ? 0.2 : 0);
  return {
    user: `u${i}`,
    at: 4000 - i,
    variant,
    country,
    risk,
    bought: bought ? 'yes' : 'no',
    spent: bought ? 10 * risk : 0,
  };
});
const csv = (rows: readonly object[]) =>
  `${Object.keys(rows[0]).join()}\n${rows.map((row) => Object.values(row).join()).join('\n')}\n`;
write('visits.csv', csv(visits));
const SHARES = ['--arm', 'variant', '--control', 'A', '--shares', 'A=0.5,B=0.5'];
const json = (...args: string[]) => {
  const { status, stdout, stderr } = run(['experiment', ...args, '--json']);
  expect(status, stderr).toBe(0);
  return { ...JSON.parse(stdout), stderr };
};

describe('figures', () => {
  test('rates: those of rateDifference over the rows in the order of time', () => {
    const found = json('visits.csv', ...SHARES, '--outcome', 'bought', '--time', 'at');
    const ordered = [...visits].reverse();
    const rates = rateDifference({ share: 0.5 });
    for (let i = 0; i < 4000; i += 20) {
      const stretch = ordered.slice(i, i + 20);
      const counts = (arm: string): [number, number] => {
        const own = stretch.filter(({ variant }) => variant === arm);
        return [own.length, own.filter(({ bought }) => bought === 'yes').length];
      };
      rates.addCounts({ control: counts('A'), treatment: counts('B') });
    }
    const [one] = found.comparisons;
    expect(one).toMatchObject({ arm: 'B', method: 'exact', isRejected: true, p: rates.p, interval: rates.interval });
    expect(one.difference).toBe(rates.difference);
    expect(one.fixed).toEqual(rates.fixed);
    expect(one.curve).toHaveLength(200);
    expect(one.curve.at(-1)).toEqual({ rows: 4000, difference: rates.difference, ...rates.interval });
    expect(found).toMatchObject({ rows: 4000, kind: 'rate', positive: 'yes', control: 'A', duplicates: null });
    expect(found.conclusion).toMatch(/^"B" raises "bought" from [\d.]+ % under "A" to [\d.]+ %\. /);
    // another order of looks, the same end
    const unordered = json('visits.csv', ...SHARES, '--outcome', 'bought');
    expect(unordered.comparisons[0].curve[50]).not.toEqual(one.curve[50]);
    expect(unordered.comparisons[0].interval).toEqual(one.interval);
    expect(unordered.stderr).toContain('rows are looked at in their order in the data');
  });

  test('means with a score: those of meanDifference, and the variance that the score removes', () => {
    const found = json('visits.csv', ...SHARES, '--outcome', 'spent', '--score', 'risk');
    const means = meanDifference();
    for (const { variant, spent, risk } of visits) means.add(variant === 'B', spent, risk);
    const [one] = found.comparisons;
    expect(one.method).toBe('adjusted');
    expect(one.adjusted.removed).toBeCloseTo(means.adjusted!.removed, 9);
    expect(one.difference).toBeCloseTo(means.adjusted!.difference, 9);
    expect(one.p).toBeCloseTo(means.p, 9);
    expect(one.adjusted.stdError).toBeLessThan(one.plain.stdError);
    expect(found.kind).toBe('mean');
  });

  test('groups: DE is told apart, FR is not, q is at least p', () => {
    const { groups } = json('visits.csv', ...SHARES, '--outcome', 'bought', '--by', 'country');
    const of = Object.fromEntries(groups.map((one: { group: string }) => [one.group, one]));
    expect(of.DE).toMatchObject({ isDiscovery: true, rows: 2000 });
    expect(of.FR).toMatchObject({ isDiscovery: false });
    for (const one of groups) expect(one.q).toBeGreaterThanOrEqual(one.p);
  });

  test('Benjamini and Hochberg, worked by hand: m·p/rank, never less than that of a greater p', () => {
    const q = discoveries([{ p: 0.04 }, { p: 0.01 }, { p: 0.03 }, { p: 0.5 }], 0.05).map((one) => [
      one.q,
      one.isDiscovery,
    ]);
    // ranks 3, 1, 2, 4: 0.0533, 0.04, min(0.06, 0.0533), 0.5
    expect(q).toEqual([
      [expect.closeTo(0.16 / 3, 12), false],
      [0.04, true],
      [expect.closeTo(0.16 / 3, 12), false],
      [0.5, false],
    ]);
  });
});

test('a mismatch of the sample ratio is the conclusion, whatever the difference', () => {
  const found = json('visits.csv', '--arm', 'variant', '--outcome', 'bought', '--shares', 'A=0.6,B=0.4');
  expect(found.sampleRatio.isMismatch).toBe(true);
  expect(found.conclusion).toMatch(/^The arms do not have the rows that their shares say/);
});

test('under a mismatch of the sample ratio no p-value of a comparison is printed, and the reason is', () => {
  const rows = visits.filter((row, i) => row.variant === 'A' || i % 3 > 0);
  write('mismatch.csv', csv(rows));
  const shown = run(['experiment', 'mismatch.csv', ...SHARES, '--outcome', 'bought', '--by', 'country']).stdout;
  expect(shown).toMatch(/sample ratio +MISMATCH \(p [<\d]/);
  expect(shown).toMatch(/\n {2}B +\S+ points .* points +– +–\n/);
  expect(shown).toContain('p –: the arms do not have the rows that their shares say');
  expect(shown).toMatch(/\n {2}DE +B .* points +– +–\n/);
  const plain = run(['experiment', 'visits.csv', ...SHARES, '--outcome', 'bought']).stdout;
  expect(plain).not.toContain('p –:');
});

test('p at any time is the least of all looks of the adjusted difference; where the last look says less, that is told', () => {
  // the arms differ at first, and no longer
  const rows = visits.map((row, i) => ({
    ...row,
    spent: row.risk + (i < 400 && row.variant === 'B' ? 0.3 : 0) + (i % 7),
  }));
  write('faded.csv', csv(rows));
  const args = ['faded.csv', ...SHARES, '--outcome', 'spent', '--score', 'risk'];
  const [one] = json(...args).comparisons;
  const means = meanDifference();
  let least = 1;
  for (const { variant, spent, risk } of rows) {
    means.add(variant === 'B', spent, risk);
    least = Math.min(least, Math.exp(-(means.adjusted?.logE ?? 0)));
  }
  expect(one.p).toBeCloseTo(least, 9);
  expect(one.pNow).toBeCloseTo(Math.min(1, Math.exp(-means.adjusted!.logE)), 9);
  expect(one.p).toBeLessThan(one.pNow);
  expect(run(['experiment', ...args]).stdout).toMatch(
    /p at any time is the least of all looks, .* by this one alone p is [\d.]+ \("B"\)\./,
  );
});

test('keys in two arms are named, counted and left out; keys with several rows are told of', () => {
  const rows = [
    ...visits.slice(0, 1000),
    ...visits.slice(0, 3).map((row) => ({ ...row, variant: row.variant === 'A' ? 'B' : 'A' })),
    visits[9],
  ];
  write('keys.csv', csv(rows));
  const found = json('keys.csv', ...SHARES, '--outcome', 'bought', '--key', 'user');
  expect(found.duplicates).toEqual({ keys: 3, rows: 6, examples: ['u0', 'u1', 'u2'] });
  expect(found.rows).toBe(998);
  expect(found.sampleRatio.counts[0] + found.sampleRatio.counts[1]).toBe(997);
  expect(found.stderr).toContain('KEYS_IN_SEVERAL_ARMS 3 of 1,000 keys are in several arms ("u0", "u1", "u2")');
  expect(found.stderr).toContain('KEYS_REPEATED 1 key has');
});

test('rows without arm, outcome or score are left out and counted', () => {
  const rows = visits.slice(0, 500).map((row, i) => ({
    ...row,
    variant: i === 3 ? '' : row.variant,
    bought: i === 5 ? '' : row.bought,
    risk: i === 7 ? '' : row.risk,
  }));
  write('gaps.csv', csv(rows));
  const found = json('gaps.csv', ...SHARES, '--outcome', 'bought', '--score', 'risk');
  expect(found.rows).toBe(497);
  expect(found.warnings.length).toBeGreaterThan(0);
});

test('three arms: each at alpha over two; a query and JSON lines give the same', () => {
  const rows = visits.slice(0, 1500).map((row, i) => ({ ...row, variant: 'ABC'[i % 3] }));
  write('three.csv', csv(rows));
  writeFileSync(path('three.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const of = (...source: string[]) => {
    const { stderr: _, warnings: __, ...found } = json(...source, '--arm', 'variant', '--outcome', 'bought');
    return found;
  };
  const found = of('three.csv');
  expect(found.comparisons.map(({ arm, alpha }: { arm: string; alpha: number }) => [arm, alpha])).toEqual([
    ['B', 0.025],
    ['C', 0.025],
  ]);
  expect(of('three.jsonl')).toEqual(found);
  expect(of('--query', "select * from 'three.csv'")).toEqual(found);
});

test('Parquet gives what CSV gives, with labels as text, as an enumeration and as truth values, and times as timestamps', async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const copy = (columns: string, name: string, rest = '') =>
    connection.run(
      `copy (select ${columns} from read_csv('${path('visits.csv')}', types = {'bought': 'VARCHAR'}) ${rest}) to '${path(name)}' (format parquet)`,
    );
  await copy('*', 'visits.parquet');
  await copy(
    "\"user\", timestamp '2026-01-01' + to_minutes(\"at\") as \"at\", variant::enum('A', 'B') as variant, country, risk::float as risk, bought = 'yes' as bought, spent",
    'typed.parquet',
  );
  await copy('*', 'part-1.parquet', 'where "at" > 1500');
  await copy('*', 'part-2.parquet', 'where "at" <= 1500');
  connection.closeSync();
  const args = [...SHARES, '--time', 'at', '--key', 'user', '--by', 'country', '--outcome'];
  const of = (file: string, ...more: string[]) => {
    const { stderr: _, warnings, ...found } = json(file, ...args, ...more);
    return found;
  };
  for (const outcome of [['bought'], ['spent', '--score', 'risk']])
    expect(of('visits.parquet', ...outcome)).toEqual(of('visits.csv', ...outcome));
  const { positive, conclusion, ...typed } = of('typed.parquet', 'bought');
  const { positive: _, conclusion: __, ...plain } = of('visits.csv', 'bought');
  expect(positive).toBe('true');
  expect(typed).toEqual(plain);
  expect(of('part-*.parquet', 'bought')).toEqual(of('visits.csv', 'bought'));
});

test('a page without script or address, with every name escaped', () => {
  const rows = visits.map((row) => ({ ...row, country: row.country === 'DE' ? '<script>x</script>' : 'FR' }));
  write('hostile.csv', csv(rows));
  const { status, stdout } = run([
    'experiment',
    'hostile.csv',
    ...SHARES,
    '--outcome',
    'bought',
    '--by',
    'country',
    '--time',
    'at',
    '--report',
    'page.html',
  ]);
  expect(status).toBe(0);
  expect(stdout).toContain('"B" raises "bought"');
  const page = readFileSync(path('page.html'), 'utf8');
  expect(page).not.toContain('<script');
  expect(page).not.toMatch(/(src|href)="(?!#)/);
  expect(page).toContain('&lt;script&gt;');
  expect(page).toContain('<svg id="sequence-0"');
  expect(page).toContain('How to reproduce');
});

test.each([
  [['--outcome', 'bought'], 2, "required option '--arm <col>'"],
  [[...SHARES, '--outcome', 'variant'], 1, 'ERR_SCHEMA --outcome: expected a column beside --arm'],
  [[...SHARES, '--outcome', 'bough'], 1, 'did you mean "bought"'],
  [[...SHARES, '--outcome', 'user'], 1, 'ERR_'],
  [
    ['--arm', 'variant', '--outcome', 'bought', '--control', 'a'],
    1,
    'ERR_RANGE --control: expected an arm of the data, got "a"; did you mean "A"?',
  ],
  [
    ['--arm', 'variant', '--outcome', 'bought', '--shares', 'A=0.5,B=0.6'],
    1,
    'ERR_RANGE --shares: expected a sum of 1',
  ],
  [
    ['--arm', 'variant', '--outcome', 'bought', '--shares', 'A=1'],
    1,
    'ERR_RANGE --shares: expected a share of every arm',
  ],
  [
    ['--arm', 'variant', '--outcome', 'bought', '--shares', 'A=0.5,B=0.3,C=0.2'],
    1,
    'ERR_RANGE --shares: expected arms of the data',
  ],
  [[...SHARES, '--outcome', 'bought', '--positive', 'Yes'], 1, 'ERR_TARGET --positive'],
  [[...SHARES, '--outcome', 'bought', '--by', 'user'], 1, 'ERR_DATA --by: expected at most 200 groups'],
  [[...SHARES, '--outcome', 'bought', '--score', 'country'], 1, 'ERR_'],
  [[...SHARES, '--outcome', 'bought', '--alpha', '2'], 2, 'between 0 and 1'],
])('%j is refused, and no page is left', (args, status, sentence) => {
  const found = run(['experiment', 'visits.csv', ...args, '--report', 'refused.html']);
  expect(found.stderr).toContain(sentence);
  expect(found.status).toBe(status);
  expect(existsSync(path('refused.html'))).toBe(false);
});

test('one arm alone is refused, and rows that do not differ are no error', () => {
  write('one.csv', csv(visits.filter(({ variant }) => variant === 'A').slice(0, 50)));
  expect(run(['experiment', 'one.csv', '--arm', 'variant', '--outcome', 'bought']).stderr).toMatch(/ERR_(DATA|TARGET)/);
  write('same.csv', csv(visits.slice(0, 300).map((row) => ({ ...row, spent: 5 }))));
  const found = json('same.csv', ...SHARES, '--outcome', 'spent', '--score', 'risk');
  expect(found.comparisons[0]).toMatchObject({ difference: null, interval: null, isRejected: false });
  expect(found.conclusion).toMatch(/^No difference/);
});
