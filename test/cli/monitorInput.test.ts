// What is given to `logodds monitor` by mistake is named and counted, and decides nothing silently.
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { fit, loadModel, saveModel } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { withBaseline } from '../../src/monitor.ts';
import { workspace } from './run.ts';

const { run, write, path } = workspace();

const DAY = 86_400_000;
const START = Date.UTC(2026, 8, 1);
const NOW = ['--now', '2026-09-12'];
const random = splitmix32(11);

function rowOf() {
  const age = Math.round(20 + 50 * random());
  const plan = ['free', 'basic', 'pro'][Math.floor(3 * random())];
  const left = random() < 1 / (1 + Math.exp(-(age - 45) / 12)) ? 'yes' : 'no';
  return { inputs: { age, plan }, left };
}
const train = Array.from({ length: 1000 }, () => {
  const { inputs, left } = rowOf();
  return { ...inputs, left };
});
const made = (isPrivate: boolean) => {
  const age = {
    name: 'age',
    kind: 'numeric',
    ...(isPrivate && { private: true as const, missing: 'baseline' as const }),
  } as const;
  const schema = { features: [age, { name: 'plan', kind: 'categorical' } as const] };
  return saveModel(withBaseline(fit(train, { target: 'left', positive: 'yes', schema }).model, train));
};
const bytes = made(false);
const model = loadModel(bytes);
const hidden = loadModel(made(true));

interface Line {
  readonly at: string;
  readonly id: string;
  readonly entity: string;
  readonly [key: string]: unknown;
}
const lines: Line[] = [];
const labels: { readonly id: string; readonly label: string; readonly at: string }[] = [];
for (let day = 0; day < 5; day++)
  for (let i = 0; i < 240; i++) {
    const { inputs, left } = rowOf();
    const { logit, probability, label } = model.score(inputs);
    const at = START + day * DAY + i * 300_000;
    const of = { model: 'churn', version: '1', sha256: model.sha256, route: null };
    const id = `r${day}-${i}`;
    lines.push({ at: new Date(at).toISOString(), id, entity: `c${i % 80}`, ...of, logit, probability, label, inputs });
    labels.push({ id, label: left, at: new Date(at + 3_600_000).toISOString() });
  }
const textOf = (list: readonly unknown[]): string => list.map((one) => `${JSON.stringify(one)}\n`).join('');

interface Found {
  readonly rows: number;
  readonly windows: readonly { readonly from: number; readonly rows: number; readonly performance: object }[];
  readonly notes: readonly { readonly what: string; readonly count?: number }[];
  readonly labels: { readonly join: { readonly conflictingLabels: number; readonly correctedLabels: number } };
  readonly skew: { readonly compared: number };
  readonly freshness: unknown;
  readonly sequences: readonly {
    readonly figure: string;
    readonly count: number;
    readonly course: readonly object[];
  }[];
}
function found(...args: string[]): Found {
  const { status, stdout, stderr } = run(['monitor', ...args, ...NOW, '--json']);
  expect(`${status} ${stderr}`.trim()).toBe('0');
  return JSON.parse(stdout);
}
const noteOf = ({ notes }: Found, text: string): number | undefined =>
  notes.find(({ what }) => what.includes(text))?.count;
const said = (...args: string[]): string => {
  const { status, stderr } = run(['monitor', ...args, ...NOW]);
  expect(status).toBe(1);
  return stderr;
};
const MODEL = ['--model', 'm.safetensors'];

beforeAll(async () => {
  write('m.safetensors', bytes);
  write('all.jsonl', textOf(lines));
  write('labels.jsonl', textOf(labels));
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  const of = `read_json('${path('all.jsonl')}', format = 'newline_delimited', columns = {"at": 'TIMESTAMP', id: 'VARCHAR', entity: 'VARCHAR', model: 'VARCHAR', version: 'VARCHAR', sha256: 'VARCHAR', route: 'VARCHAR', logit: 'DOUBLE', probability: 'DOUBLE', label: 'VARCHAR', inputs: 'VARCHAR'})`;
  await db.run(`copy (from ${of}) to '${path('all.parquet')}' (format parquet)`);
  await db.run(`copy (from ${of} where id < 'r2') to '${path('part-1.parquet')}' (format parquet)`);
  await db.run(`copy (from ${of} where id >= 'r2') to '${path('part-2.parquet')}' (format parquet)`);
  db.closeSync();
});

describe('scores from a day to come', () => {
  const later = Array.from({ length: 70 }, (_, day) => ({
    ...lines[day],
    id: `f${day}`,
    at: new Date(START + (400 + day) * DAY).toISOString(),
  }));

  test('are counted, and push no window out', () => {
    const plain = found('all.jsonl', ...MODEL, '--labels', 'labels.jsonl');
    write('skewed.jsonl', textOf([...later, ...lines]));
    const one = found('skewed.jsonl', ...MODEL, '--labels', 'labels.jsonl');
    expect(one.windows).toEqual(plain.windows);
    expect(noteOf(one, 'rows from after 2026-09-13T00:00:00.000Z: left out')).toBe(70);
  });

  test('are those that `ahead` says', () => {
    write('ahead.yaml', 'ahead: 30d');
    write('week.jsonl', textOf([{ ...lines[0], id: 'f', at: '2026-09-20T00:00:00Z' }, ...lines]));
    expect(noteOf(found('week.jsonl', ...MODEL, '--config', 'ahead.yaml'), 'rows from after')).toBeUndefined();
    expect(noteOf(found('week.jsonl', ...MODEL), 'rows from after')).toBe(1);
  });
});

describe('labels', () => {
  test.each([['all.jsonl'], ['all.parquet']])('a prediction log, %s, is refused as such', (file) => {
    expect(said('all.jsonl', ...MODEL, '--labels', file)).toContain('ERR_SCHEMA --labels');
    expect(said('all.parquet', ...MODEL, '--labels', file)).toContain('got a prediction log');
  });

  test('lines of scores among them are counted', () => {
    write('mixed.jsonl', textOf([...labels, ...lines.slice(0, 7)]));
    const one = found('all.jsonl', ...MODEL, '--labels', 'mixed.jsonl');
    expect(noteOf(one, 'no line of a prediction log')).toBe(7);
  });

  test.each([['all.jsonl'], ['all.parquet']])(
    'of one time that differ are counted in %s, in any order alike',
    (log) => {
      const twice = labels.slice(0, 30).map((one) => ({ ...one, label: one.label === 'yes' ? 'no' : 'yes' }));
      const later = labels.slice(30, 40).map((one) => ({ ...one, label: 'no', at: '2026-09-11T00:00:00Z' }));
      const corrected = labels.slice(30, 40).filter(({ label }) => label === 'yes').length;
      write('tied.jsonl', textOf([...labels, ...twice, ...later]));
      write('turned.jsonl', textOf([...later, ...twice, ...labels].reverse()));
      const one = found(log, ...MODEL, '--labels', 'tied.jsonl');
      const other = found(log, ...MODEL, '--labels', 'turned.jsonl');
      expect(other.windows).toEqual(one.windows);
      expect(noteOf(one, 'different labels from one time')).toBe(30);
      expect(noteOf(one, 'another one before')).toBe(corrected);
      expect(noteOf(one, 'labels that came again')).toBe(40);
      expect(noteOf(other, 'different labels from one time')).toBe(30);
    },
  );

  test.each([['all.jsonl'], ['all.parquet']])('of an entity too, in %s', (log) => {
    const at = '2026-09-03T00:00:00Z';
    write('e.jsonl', textOf(['yes', 'no', 'yes'].map((label) => ({ entity: 'c3', label, at }))));
    const one = found(log, ...MODEL, '--labels', 'e.jsonl');
    expect(noteOf(one, 'different labels from one time')).toBe(1);
    expect(noteOf(one, 'labels that came again')).toBe(2);
  });
});

describe('private fields', () => {
  const own = lines.map((line) => {
    const { age: __, ...inputs } = line['inputs'] as Record<string, unknown>;
    return { ...line, sha256: hidden.sha256, inputs };
  });
  const args = ['--model', 'p.safetensors', '--labels', 'labels.jsonl'];

  test('that a log has not are named, drift says nothing of them, and no score is computed again without them', () => {
    write('p.safetensors', made(true));
    write('p.jsonl', textOf(own));
    const one = found('p.jsonl', ...args);
    expect(noteOf(one, 'rows without age, which the model calls private')).toBe(lines.length);
    expect(one.skew.compared).toBe(0);
    expect(JSON.stringify(one)).not.toContain('"drifted":true');
  });
});

describe('settings', () => {
  test.each(['', '{}', '# nothing\n', '{"$schema": "monitor.schema.json"}'])(
    'a file without any, %j, is said to be one',
    (text) => {
      write('none.yaml', text);
      expect(found('all.jsonl', ...MODEL, '--config', 'none.yaml').notes.map(({ what }) => what)).toContain(
        '--config none.yaml has no settings: all are the default ones',
      );
    },
  );

  test('what the model refuses is named by the key of the file', () => {
    write('groups.json', '{"groups": "age"}');
    expect(said('all.jsonl', ...MODEL, '--config', 'groups.json')).toContain(
      '--config groups.json, groups: expected a categorical feature (plan), got "age"',
    );
  });
});

describe('files that are not what their names say', () => {
  const text = textOf(lines);
  const wide = Buffer.from(`\ufeff${text}`, 'utf16le');

  test.each<[name: string, content: string | Uint8Array, sentence: string]>([
    ['wide.jsonl', wide, 'got UTF-16 (by its byte order mark); save it as UTF-8'],
    ['text.parquet', text, 'expected Parquet by its ending, got something else; rename it to end in .csv or .jsonl'],
    ['text.jsonl.gz', text, 'expected gzip by its ending, got something else; rename it to end without .gz'],
    ['packed.jsonl', gzipSync(text), 'expected text by its ending, got gzip; rename it to end in .jsonl.gz'],
    ['packed.parquet', gzipSync(text), 'expected Parquet by its ending, got gzip; unpack it first'],
    ['wide.jsonl.gz', gzipSync(wide), 'got UTF-16'],
  ])('%s', (name, content, sentence) => {
    write(name, content);
    expect(said(name, ...MODEL)).toContain(sentence);
  });

  test('Parquet as text, and labels in UTF-16', () => {
    writeFileSync(path('table.jsonl'), readFileSync(path('all.parquet')));
    expect(said('table.jsonl', ...MODEL)).toContain(
      'expected text by its ending, got Parquet; rename it to end in .parquet',
    );
    write('wide.csv', Buffer.from('\ufeffid,label,at\nr0-0,yes,2026-09-02\n', 'utf16le'));
    expect(said('all.parquet', ...MODEL, '--labels', 'wide.csv')).toContain('got UTF-16');
  });

  test('a file under two names is read once', () => {
    symlinkSync(path('all.jsonl'), path('again.jsonl'));
    expect(found('all.jsonl', './all.jsonl', 'again.jsonl', ...MODEL).rows).toBe(lines.length);
  });
});

describe('what the report has beside', () => {
  const timed = lines.map((line, i) => ({
    ...line,
    inputs: {
      ...(line['inputs'] as object),
      age_at: new Date(Date.parse(line.at) - (i % 10 === 0 ? 3 * DAY : 60_000)).toISOString(),
    },
  }));

  test.each([
    ['inputs as text', 'inputs'],
    [
      'inputs as a struct',
      'json_transform(inputs, \'{"age": "DOUBLE", "plan": "VARCHAR", "age_at": "TIMESTAMP"}\') as inputs',
    ],
    ['a column', "inputs, (inputs->>'age_at')::timestamp as age_at"],
  ])('the age of values when they were scored, with %s as in JSON lines', async (_, select) => {
    write('timed.jsonl', textOf(timed));
    write('times.yaml', 'eventTimes: {age: age_at}\nmaxAge: 2d\n');
    const db = await (await DuckDBInstance.create(':memory:')).connect();
    await db.run(
      `copy (select * exclude (inputs), ${select} from read_json('${path('timed.jsonl')}', columns = {"at": 'TIMESTAMP', id: 'VARCHAR', sha256: 'VARCHAR', logit: 'DOUBLE', probability: 'DOUBLE', label: 'VARCHAR', inputs: 'VARCHAR'})) to '${path('timed.parquet')}' (format parquet)`,
    );
    db.closeSync();
    const lined = found('timed.jsonl', ...MODEL, '--config', 'times.yaml');
    const expected = {
      feature: 'age',
      count: 1200,
      medianMs: 60_000,
      p95Ms: 4 * DAY,
      stale: 120,
      fromFuture: 0,
      untimed: 0,
    };
    expect(lined.freshness).toEqual([expected]);
    expect(noteOf(lined, 'values of age that were older')).toBe(120);
    expect(found('timed.parquet', ...MODEL, '--config', 'times.yaml').freshness).toEqual([expected]);
    write('untimed.yaml', 'eventTimes: {age: when}');
    expect(noteOf(found('timed.jsonl', ...MODEL, '--config', 'untimed.yaml'), 'rows without the time of age')).toBe(
      1200,
    );
    write('unknown.yaml', 'eventTimes: {aeg: age_at}');
    expect(said('timed.jsonl', ...MODEL, '--config', 'unknown.yaml')).toContain(
      '--config unknown.yaml, eventTimes: expected features',
    );
  });

  test('confidence sequences, in JSON and on the page', () => {
    const { sequences } = found('all.jsonl', ...MODEL, '--labels', 'labels.jsonl', '--report', 'page.html');
    expect(sequences.map(({ figure, count, course }) => [figure, count > 0, course.length])).toEqual(
      ['logLoss', 'brier', 'calibration', 'precision', 'recall', 'fpr'].map((figure) => [figure, true, 5]),
    );
    const page = readFileSync(path('page.html'), 'utf8');
    expect(page).toContain('Valid when looked at all the time');
    expect(page).toContain('Observed − predicted so far');
  });
});

describe('windows by rows', () => {
  const windows = (...args: string[]) =>
    found(...args, ...MODEL, '--labels', 'labels.jsonl', '--config', 'rows.json').windows;

  test('go on over several files in the order of their names, as over one file', () => {
    write('rows.json', '{"windowRows": 250, "least": 50}');
    const [a, b, c] = [lines.slice(0, 333), lines.slice(333, 700), lines.slice(700)];
    write('a.jsonl', textOf(a));
    write('b.jsonl.gz', gzipSync(textOf(b)));
    write('c.jsonl', textOf(c));
    const whole = windows('all.jsonl');
    expect(whole.map(({ rows }) => rows)).toEqual([250, 250, 250, 250, 200]);
    expect(windows('c.jsonl', 'b.jsonl.gz', 'a.jsonl')).toEqual(whole);
    // the same rows, whose labels are joined by DuckDB
    const measured = (of: Found['windows']) => of.map(({ from, rows, performance }) => ({ from, rows, performance }));
    expect(measured(windows('all.parquet'))).toEqual(measured(whole));
    expect(measured(windows('part-2.parquet', 'part-1.parquet'))).toEqual(measured(whole));
  });

  test('of files whose times overlap are said to be so', () => {
    write('x.jsonl', textOf(lines.filter((_, i) => i % 2 === 0)));
    write('y.jsonl', textOf(lines.filter((_, i) => i % 2 === 1)));
    const one = found('x.jsonl', 'y.jsonl', ...MODEL, '--config', 'rows.json');
    expect(noteOf(one, 'begin before the one before ends')).toBe(2);
  });
});

describe('labels in CSV', () => {
  const rows = labels.map(({ id, label, at }) => `${id},${label},${at}`);
  const table = (own: readonly string[], head = 'id,label,at'): string => `${head}\n${own.join('\n')}\n`;
  const performances = ({ windows }: Found) => windows.map(({ performance }) => performance);
  const without = (...places: number[]) => rows.filter((_, k) => !places.includes(k));

  test.each([['all.jsonl'], ['all.parquet']])(
    'of %s: a line that is none is left out by its number, and no other with it',
    (log) => {
      const bad = rows.map((row, k) =>
        k === 4 ? `"${row}` : k === 9 ? `${row},x,y` : k === 19 ? 'r0-19' : k === 29 ? `"r0-29"x,yes,2026-09-01` : row,
      );
      write('bad.csv', table(bad));
      write('good.csv', table(without(4, 9, 19, 29)));
      const one = found(log, ...MODEL, '--labels', 'bad.csv');
      expect(performances(one)).toEqual(performances(found(log, ...MODEL, '--labels', 'good.csv')));
      expect(noteOf(one, 'expected quotes in pairs: left out (line 6 of bad.csv)')).toBe(1);
      expect(noteOf(one, 'expected 3 cells, got 5: left out (line 11 of bad.csv)')).toBe(1);
      expect(noteOf(one, 'expected 3 cells, got 1: left out (line 21 of bad.csv)')).toBe(1);
      expect(noteOf(one, 'expected a separator behind a quoted cell: left out (line 31 of bad.csv)')).toBe(1);
    },
  );

  test('cells that are none are named by their lines', () => {
    write('cells.csv', table(rows.map((row, k) => (k % 100 === 7 ? `${row.split(',')[0]},yes,soon` : row))));
    const one = found('all.parquet', ...MODEL, '--labels', 'cells.csv');
    expect(noteOf(one, 'at: expected a time: left out (lines 9, 109, 209, 309, 409 and 7 more of cells.csv)')).toBe(12);
  });

  test('with quotes, line breaks in cells, other separators and a mark at the beginning are the same labels', () => {
    const plain = performances(found('all.parquet', ...MODEL, '--labels', 'labels.jsonl'));
    const noted = labels.map(({ id, label, at }) => `"${id}";"said ""no""\nthen; more";${label};${at}`);
    write('noted.csv', `\ufeff${table(noted, 'id;note;label;at').replaceAll('\n', '\r\n')}`);
    write('tabs.tsv', table(rows).replaceAll(',', '\t'));
    write('packed.csv.gz', gzipSync(table(rows)));
    for (const file of ['noted.csv', 'tabs.tsv', 'packed.csv.gz'])
      expect(performances(found('all.parquet', ...MODEL, '--labels', file))).toEqual(plain);
  });

  test('other columns are refused by name', () => {
    write('other.csv', 'key;truth\nr0-0;yes\n');
    expect(said('all.jsonl', ...MODEL, '--labels', 'other.csv')).toContain(
      'ERR_SCHEMA --labels other.csv: expected columns label, at and id or entity, got "key", "truth"; rename them',
    );
    write('twice.csv', 'id,label,at,label\nr0-0,yes,2026-09-01,no\n');
    expect(said('all.jsonl', ...MODEL, '--labels', 'twice.csv')).toContain('expected each column once');
  });
});

describe('what is said of a log', () => {
  test('line breaks of its texts do not break notes', () => {
    write('broken.jsonl', textOf([...lines, { ...lines[0], id: 'b', model: 'a\nb\u2028c', sha256: '0'.repeat(64) }]));
    const { stdout } = run(['monitor', 'broken.jsonl', ...MODEL, ...NOW]);
    expect(stdout).toContain('rows of a\\nb\\nc 1, 000000000000…: of another digest, left out (1)');
  });

  test.each(['all.jsonl', 'all.parquet'])('labels of no score of %s are not called none', (log) => {
    write('strange.jsonl', textOf(labels.map((one) => ({ ...one, id: `x${one.id}` }))));
    const whats = found(log, ...MODEL, '--labels', 'strange.jsonl').notes.map(({ what }) => what);
    expect(whats).toContain('no label is of a score of the log: performance is estimated from the scores alone');
    expect(whats.join('\n')).not.toContain('no labels');
  });

  test('where no row is left, why it is and what to do', () => {
    const late = lines.map((line) => ({ ...line, at: '2027-01-01T00:00:00Z' }));
    write('late.jsonl', textOf(late));
    expect(said('late.jsonl', ...MODEL)).toContain('correct the clock or --now');
    write('others.jsonl', textOf(lines.map((line) => ({ ...line, sha256: '0'.repeat(64) }))));
    expect(said('others.jsonl', ...MODEL)).toContain('give the model that scored them');
    write('no.jsonl', 'not JSON\n');
    expect(said('no.jsonl', ...MODEL)).toContain('give a prediction log of serve --log');
  });

  test('a torn Parquet file is named', () => {
    const whole = readFileSync(path('all.parquet'));
    writeFileSync(path('torn.parquet'), whole.subarray(0, whole.length - 500));
    for (const args of [[], ['--labels', 'labels.jsonl']]) {
      const sentence = said('torn.parquet', ...MODEL, ...args);
      expect(sentence).toContain('ERR_DATA torn.parquet: ');
      expect(sentence).not.toContain('--query');
    }
  });
});

describe('labels in another spelling of the classes', () => {
  const truth = (i: number): boolean => (i * 7) % 3 === 0;
  const of = (classes: readonly [string, string]) => {
    const records = Array.from({ length: 300 }, (_, i) => ({ x: (i * 37) % 101, y: classes[Number(truth(i))] }));
    const made = loadModel(saveModel(withBaseline(fit(records, { target: 'y', positive: classes[1] }).model, records)));
    const scored = records.slice(0, 100).map(({ x }, i) => ({
      ...{ at: new Date(START + i * 60_000).toISOString(), id: `r${i}`, entity: null, model: 'm', version: '1' },
      ...{ sha256: made.sha256, route: null, ...made.score({ x }), inputs: { x } },
    }));
    return { made, scored };
  };

  test.each<[classes: [string, string]]>([[['0', '1']], [['false', 'true']]])(
    '%j: one rule in all formats',
    async (classes) => {
      const { made, scored } = of(classes);
      write('truth.safetensors', saveModel(made));
      write('truth.jsonl', textOf(scored));
      const db = await (await DuckDBInstance.create(':memory:')).connect();
      await db.run(
        `copy (from read_json('${path('truth.jsonl')}', columns = {"at": 'TIMESTAMP', id: 'VARCHAR', sha256: 'VARCHAR', logit: 'DOUBLE', probability: 'DOUBLE', label: 'VARCHAR', inputs: 'VARCHAR'})) to '${path('truth.parquet')}' (format parquet)`,
      );
      for (const [type, value] of [
        ['BOOLEAN', truth],
        ['INTEGER', (i: number) => Number(truth(i))],
        ['DOUBLE', (i: number) => Number(truth(i))],
        ['VARCHAR', (i: number) => (truth(i) ? 'True' : 'False')],
      ] as const) {
        write('given.jsonl', textOf(scored.map(({ id, at }, i) => ({ id, at, label: value(i) }))));
        await db.run(
          `copy (from read_json('${path('given.jsonl')}', columns = {id: 'VARCHAR', "at": 'TIMESTAMP', label: '${type}'})) to '${path('given.parquet')}' (format parquet)`,
        );
        for (const log of ['truth.jsonl', 'truth.parquet'])
          for (const given of ['given.jsonl', 'given.parquet']) {
            const one = found(log, '--model', 'truth.safetensors', '--labels', given) as unknown as {
              readonly labels: { readonly labelled: number };
            };
            expect([type, log, given, one.labels.labelled]).toEqual([type, log, given, 100]);
          }
      }
      db.closeSync();
      write('odd.jsonl', textOf(scored.map(({ id, at }) => ({ id, at, label: 'perhaps' }))));
      for (const log of ['truth.jsonl', 'truth.parquet'])
        expect(
          noteOf(found(log, '--model', 'truth.safetensors', '--labels', 'odd.jsonl'), 'labels that are none of'),
        ).toBe(100);
    },
  );
});
