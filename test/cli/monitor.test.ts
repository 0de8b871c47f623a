import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { monitorSchema, settingsOf } from '../../cli/src/jobs/monitor/settings.ts';
import { fit, loadModel, saveModel } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { type Prediction, withBaseline } from '../../src/monitor.ts';
import { workspace } from './run.ts';

const { run, write, path } = workspace();

const DAY = 86_400_000;
const START = Date.UTC(2026, 8, 1);
const NOW = ['--now', '2026-12-01'];
const random = splitmix32(5);

interface Row {
  readonly inputs: { readonly income: number | null; readonly age: number; readonly region: string };
  readonly truth: string;
}

/** From day 3 on incomes are higher, from day 5 on more default than before. */
function rowOf(day: number): Row {
  const income = random() < 0.03 ? null : Math.round(20_000 + 40_000 * random() + (day >= 3 ? 20_000 : 0));
  const age = Math.round(20 + 50 * random());
  const region = day === 4 && random() < 0.05 ? 'islands' : ['north', 'south', 'east'][Math.floor(3 * random())];
  const z = (age - 45) / 12 - ((income ?? 40_000) - 40_000) / 15_000 + (day >= 5 ? 1.2 : 0);
  return { inputs: { income, age, region }, truth: random() < 1 / (1 + Math.exp(-z)) ? 'default' : 'paid' };
}

const train = Array.from({ length: 3000 }, () => {
  const { inputs, truth } = rowOf(0);
  return { ...inputs, loan: truth };
});
const bytes = saveModel(withBaseline(fit(train, { target: 'loan', positive: 'default' }).model, train));
const model = loadModel(bytes);

const lines: (Omit<Prediction, 'at'> & { readonly at: string })[] = [];
const labels: {
  readonly id: string;
  readonly entity: string;
  readonly label: string;
  readonly at: string;
  readonly outcomeAt: string;
}[] = [];
for (let day = 0; day < 8; day++)
  for (let i = 0; i < 320; i++) {
    const { inputs, truth } = rowOf(day);
    const { logit, probability, label } = model.score(inputs);
    const time = START + day * DAY + Math.floor((i / 320) * DAY);
    const at = new Date(time).toISOString();
    const entity = `c${i % 160}`;
    const id = `r${day}-${i}`;
    lines.push({
      at,
      id,
      entity,
      model: 'loans',
      version: '3',
      sha256: model.sha256!,
      route: null,
      logit,
      probability,
      label,
      inputs,
    });
    if (random() < 0.9)
      labels.push({
        id,
        entity,
        label: truth,
        at: new Date(time + DAY / 3).toISOString(),
        outcomeAt: new Date(time + 60_000).toISOString(),
      });
  }
const textOf = (list: readonly unknown[]): string => list.map((one) => `${JSON.stringify(one)}\n`).join('');
const byId = labels.map(({ id, label, at }) => ({ id, label, at }));
/** some again, some corrected later */
const corrections = [
  ...byId.slice(0, 50),
  ...byId.slice(100, 150).map((one) => ({ ...one, label: 'paid', at: '2026-10-01T00:00:00Z' })),
];
const shards = Array.from({ length: 16 }, (_, k) => `part-${k}.jsonl${k % 3 === 0 ? '.gz' : ''}`);

type Found = Record<string, never> & {
  readonly windows: readonly {
    readonly features: readonly { labels: unknown }[];
    readonly performance: unknown;
    readonly drift: unknown;
  }[];
  readonly notes: readonly { readonly what: string; readonly count?: number }[];
  readonly changes: readonly { readonly what: string; readonly feature: string | null; readonly since: number }[];
  readonly skew: { readonly compared: number; readonly equal: number };
  readonly labels: { readonly labelled: number };
  readonly rows: number;
  readonly log: {
    readonly origins: readonly { readonly version: string; readonly rows: number; readonly isWatched: boolean }[];
  };
};

function found(...args: string[]): Found {
  const { status, stdout, stderr } = run(['monitor', ...args, '--model', 'm.safetensors', ...NOW, '--json']);
  expect(`${status} ${stderr}`.trim()).toBe('0');
  return JSON.parse(stdout);
}

const noteOf = ({ notes }: Found, text: string): number | undefined =>
  notes.find(({ what }) => what.includes(text))?.count;
/** typed logs know that a category is unseen, not which */
const windowsOf = ({ windows }: Found) =>
  windows.map(({ features, ...one }) => ({
    ...one,
    drift: null,
    features: features.map((of) => ({ ...of, labels: null })),
  }));

beforeAll(async () => {
  write('m.safetensors', bytes);
  for (const [k, name] of shards.entries()) {
    const text = textOf(lines.filter((_, i) => i % 16 === k));
    write(name, name.endsWith('.gz') ? gzipSync(text) : text);
  }
  write('all.jsonl', textOf(lines));
  write('labels.jsonl', textOf([...byId, ...corrections]));
  write('entities.jsonl', textOf(labels.map(({ entity, label, at, outcomeAt }) => ({ entity, label, at, outcomeAt }))));
  const instance = await DuckDBInstance.create(':memory:');
  const db = await instance.connect();
  const from = `read_json('${path('all.jsonl')}', format = 'newline_delimited', columns = {"at": 'TIMESTAMP', id: 'VARCHAR', entity: 'VARCHAR', model: 'VARCHAR', version: 'VARCHAR', sha256: 'VARCHAR', route: 'VARCHAR', logit: 'DOUBLE', probability: 'DOUBLE', label: 'VARCHAR', inputs: 'JSON'})`;
  const shape = '{"income": "DOUBLE", "age": "DOUBLE", "region": "VARCHAR"}';
  const write_ = (sql: string, name: string) => db.run(`copy (${sql}) to '${path(name)}' (format parquet)`);
  await write_(`select * replace (cast(inputs as varchar) as inputs) from ${from}`, 'text.parquet');
  await write_(`select * replace (json_transform(inputs, '${shape}') as inputs) from ${from}`, 'struct.parquet');
  const truth = textOf(byId);
  write('truth.jsonl', truth);
  await write_(
    `select p."at" as scored, p.id, p.probability, p.label, p.logit, unnest(json_transform(p.inputs, '${shape}')), t.label as truth from ${from} p left join read_json('${path('truth.jsonl')}') t using (id)`,
    'flat.parquet',
  );
  await write_(
    `select * replace (case when row_number() over () % 500 = 1 then 'nan'::double else age end as age) from read_parquet('${path('flat.parquet')}')`,
    'nan.parquet',
  );
  await db.run(
    `copy (select id, label, "at" from read_json('${path('labels.jsonl')}')) to '${path('labels.csv')}' (header)`,
  );
  db.closeSync();
  instance.closeSync();
});

describe('a log', () => {
  test('says what changed, and since when', () => {
    const { changes, rows, skew, labels: of } = found('all.jsonl', '--labels', 'truth.jsonl');
    expect(rows).toBe(2560);
    expect(changes.find(({ feature }) => feature === 'income')!.since).toBe(START + 3 * DAY);
    expect(changes.find(({ what }) => what === 'calibration')!.since).toBe(START + 5 * DAY);
    expect(skew).toMatchObject({ compared: 2560, equal: 2560 });
    expect(of.labelled).toBe(labels.length);
  });

  test('in sixteen files, packed or not, in any order, gives the same bytes', () => {
    const json = (names: readonly string[]): string => {
      const { status, stdout } = run([
        'monitor',
        ...names,
        '--model',
        'm.safetensors',
        '--labels',
        'labels.jsonl',
        ...NOW,
        '--json',
      ]);
      expect(status).toBe(0);
      return stdout;
    };
    const expected = json(shards);
    expect(json([...shards].reverse())).toBe(expected);
    expect(json([...shards.slice(7), ...shards.slice(0, 7)])).toBe(expected);
    expect(windowsOf(JSON.parse(expected))).toEqual(windowsOf(found('all.jsonl', '--labels', 'labels.jsonl')));
  });

  test.each(['text.parquet', 'struct.parquet'])('%s gives the windows of JSON lines, to the bit', (name) => {
    const lined = found('all.jsonl', '--labels', 'labels.jsonl');
    const typed = found(name, '--labels', 'labels.csv');
    expect(windowsOf(typed)).toEqual(windowsOf(lined));
    expect(typed.skew).toEqual(lined.skew);
    expect(typed.changes).toEqual(lined.changes);
    expect(noteOf(typed, 'labels that came again')).toBe(100);
    expect(noteOf(lined, 'labels that came again')).toBe(100);
    expect(noteOf(typed, 'labels that were another one')).toBe(noteOf(lined, 'labels that were another one'));
  });

  test('labels of entities are those of the last score before the outcome, in both kinds of logs', () => {
    const lined = found('all.jsonl', '--labels', 'entities.jsonl');
    const typed = found('text.parquet', '--labels', 'entities.jsonl');
    expect(lined.labels.labelled).toBe(labels.length);
    expect(windowsOf(typed)).toEqual(windowsOf(lined));
  });

  test('with columns of its own, from a query, with the label in a column', () => {
    write('own.yaml', 'columns: {at: scored}\ngroups: region\nripeAfter: 1h\n');
    const args = ['--target', 'truth', '--config', 'own.yaml'];
    const flat = found('flat.parquet', ...args);
    expect(flat.labels.labelled).toBe(labels.length);
    expect(noteOf(flat, 'without the digest')).toBe(2560);
    const query = found('--query', `from '${path('flat.parquet')}' where region <> 'south'`, ...args);
    expect(query.rows).toBe(lines.filter(({ inputs }) => inputs!['region'] !== 'south').length);
  });
});

describe('bad input is named and counted, and the rest goes on', () => {
  test('lines that are cut, broken, of another schema, of another model; files that are cut', () => {
    const other = { ...lines[3], sha256: 'b'.repeat(64), version: '2', route: 'challenger' };
    write(
      'odd.jsonl',
      `${textOf(lines.slice(0, 500))}{"at": "2026-01-01T00:00:00Z"}\noops\n${JSON.stringify(other)}\n{"at":"20`,
    );
    const packed = gzipSync(textOf(lines.slice(500, 1500)));
    write('cut.jsonl.gz', packed.subarray(0, packed.length - 300));
    const one = found('odd.jsonl', 'cut.jsonl.gz');
    expect(noteOf(one, 'that are no JSON')).toBe(1);
    expect(noteOf(one, 'of another schema, id')).toBe(1);
    expect(noteOf(one, 'half a line')).toBe(2);
    expect(noteOf(one, 'of another digest')).toBe(1);
    expect(one.log.origins.map(({ version, isWatched }) => [version, isWatched])).toEqual([
      ['2', false],
      ['3', true],
    ]);
    expect(one.rows).toBeGreaterThan(500);
  });

  test('numbers that are none in Parquet', () => {
    write('scored.yaml', 'columns: {at: scored}');
    const one = found('nan.parquet', '--config', 'scored.yaml');
    expect(noteOf(one, 'cells of age that are NaN or infinite')).toBe(6);
    expect(one.rows).toBe(2560);
  });

  test('rows that cannot be taken, by what is wrong with them', () => {
    const rows = `(select *, row_number() over () as n from '${path('text.parquet')}')`;
    const faulty = `select * exclude (n) replace (case when n % 100 <> 1 then "at" end as "at",
      case n % 100 when 2 then 1.5 when 3 then null when 4 then 'nan'::double else probability end as probability,
      case n % 100 when 5 then 'other' when 6 then null else label end as label) from ${rows}`;
    const one = found('--query', faulty);
    expect([
      noteOf(one, 'rows without a time'),
      noteOf(one, 'rows whose probability is no number from 0 to 1'),
      noteOf(one, 'scores whose label is no class'),
    ]).toEqual([26, 78, 52]);
    expect(one.rows).toBe(2560 - 26 - 78 - 52);
    const kept = found('--query', `select * exclude (n) from ${rows} where n % 100 not between 1 and 6`);
    expect(one.windows).toEqual(kept.windows);
    // one alone is enough
    const last = found(
      '--query',
      `select * exclude (n) replace (case when n < 2560 then label end as label) from ${rows}`,
    );
    expect([last.rows, noteOf(last, 'scores whose label is no class')]).toEqual([2559, 1]);
  });

  test('a time that is none is wrong usage', () => {
    const { status, stderr } = run(['monitor', 'all.jsonl', '--model', 'm.safetensors', '--now', 'later']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('a time such as 2026-01-31T00:00:00Z')]);
  });

  test.each([
    [['all.csv'], 'ERR_DATA'],
    [[], 'expected files or --query, got neither'],
    [['all.jsonl', '--target', 'truth'], 'JSON lines, which have no such column'],
    [['flat.parquet'], 'expected a column "at" with the time of each score'],
    [['text.parquet', '--target', 'truht'], 'expected the column "truht" of --target'],
    [['all.jsonl', '--labels', 'all.jsonl.txt'], 'expected a file, got none of that name'],
    [['all.jsonl', '--labels', 'm.safetensors'], '--labels: expected .jsonl, .csv or .parquet'],
    [['text.parquet', '--labels', 'text.parquet.csv'], 'expected a file'],
  ])('%j', (args, sentence) => {
    write('all.csv', 'a,b\n1,2\n');
    const { status, stderr } = run(['monitor', ...args, '--model', 'm.safetensors']);
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
  });

  test('a file without a byte, and labels of one class or from after now: named and counted, the rest is read', () => {
    write('begun.jsonl', '');
    const late = byId.map((one) => ({ ...one, label: 'paid', at: '2027-01-01T00:00:00Z' }));
    write('late.jsonl', textOf([...byId, ...late.slice(0, 100)]));
    const of = (file: string) => found('all.jsonl', 'begun.jsonl', '--labels', file);
    const [plain, ahead] = [of('labels.jsonl'), of('late.jsonl')];
    expect(noteOf(plain, 'files without a byte: left out')).toBe(1);
    expect(plain.rows).toBe(lines.length);
    // one of a time to come does not stand for what is known now
    expect(noteOf(ahead, 'labels from after now: left out')).toBe(100);
    expect(ahead.labels.labelled).toBe(plain.labels.labelled);
    write('one.jsonl', textOf(byId.map((one) => ({ ...one, label: 'paid' }))));
    expect(noteOf(of('one.jsonl'), 'labels are all of one class')).toBeGreaterThan(0);
    expect(noteOf(plain, 'labels are all of one class')).toBeUndefined();
    const { status, stderr } = run(['monitor', 'begun.jsonl', '--model', 'm.safetensors']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('files without a byte: left out (1)')]);
  });

  test('a log of other models alone is an error that names them', () => {
    write('others.jsonl', textOf(lines.slice(0, 5).map((line) => ({ ...line, sha256: 'c'.repeat(64) }))));
    const { status, stderr } = run(['monitor', 'others.jsonl', '--model', 'm.safetensors']);
    expect(status).toBe(1);
    expect(stderr).toContain('rows of loans 3, cccccccccccc…: of another digest, left out (5)');
  });
});

test('the terminal and the page begin with what changed; the page has no script and no address', () => {
  const { status, stdout } = run([
    'monitor',
    'all.jsonl',
    '--model',
    'm.safetensors',
    '--labels',
    'truth.jsonl',
    ...NOW,
    '--report',
    'w.html',
  ]);
  expect(status).toBe(0);
  expect(stdout).toMatch(/What changed\n(?: {2}since .*\n)* {2}since 2026-09-04 {2}income drifted/);
  const page = readFileSync(path('w.html'), 'utf8');
  expect(page).toContain('What changed, and since when');
  expect(page).toContain('Drift by feature and window');
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  expect(page.indexOf('id="changes"')).toBeLessThan(page.indexOf('id="performance"'));
});

describe('settings', () => {
  test('the schema of the package is that of the table, and says what the command says', () => {
    expect(JSON.parse(readFileSync('cli/monitor.schema.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(monitorSchema)),
    );
    const isValid = new Ajv2020({ strict: false, validateFormats: false }).compile(monitorSchema);
    for (const [values, fits] of [
      [{}, true],
      [{ window: '6h', costs: { fp: 1, fn: 5 }, columns: { at: 'time' } }, true],
      [{ windowRows: 1000, rescore: false }, true],
      [{ window: 'a day' }, false],
      [{ costs: { fp: 1 } }, false],
      [{ columns: { time: 'at' } }, false],
      [{ keep: 0 }, false],
    ] as const) {
      let isTaken = true;
      try {
        settingsOf('test', values);
      } catch {
        isTaken = false;
      }
      expect([values, isTaken, isValid(values)]).toEqual([values, fits, fits]);
    }
  });

  test('what is wrong is named, all of it', () => {
    expect(() => settingsOf('--config m.yaml', { leest: 3, alpha: 2 })).toThrow(
      /leest.*did you mean least.*1 more: alpha/,
    );
  });
});
