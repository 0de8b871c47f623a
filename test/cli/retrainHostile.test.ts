import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { objectionsOf } from '../../cli/src/jobs/retrain/bounds.ts';
import { logSource } from '../../cli/src/jobs/retrain/logs.ts';
import { policyOf } from '../../cli/src/jobs/retrain/policy.ts';
import { writeTrainingSet } from '../../cli/src/jobs/retrain/trainingSet.ts';
import { LogoddsError } from '../../src/index.ts';
import { DAY } from './retrainCases.ts';

/*
 * Policies, logs and labels that nobody should have written: refused by name, or counted and left out, and the rest goes on.
 */

const folder = mkdtempSync(join(tmpdir(), 'logodds-test-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));
const NOW = Date.parse('2026-06-01T00:00:00Z');
const policy = (values: object = {}) =>
  policyOf('test', { name: 'fraud', logs: ['log/predictions-*'], ...values }, folder);

/** Values of every kind. */
const HOSTILE: readonly unknown[] = [
  ...[
    null,
    true,
    -1,
    0,
    1e308,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    ' ',
    'x\0y',
    '../../../../etc',
    '-1d',
    '1e9d',
  ],
  ...['NaN', [], [null], [1], [''], [[]], {}, { __proto__: null }, { constructor: 1 }, 'a'.repeat(100_000)],
];

describe('policies', () => {
  const keys = [
    ...['name', 'registry', 'logs', 'labels', 'folder', 'keep', 'minGap', 'alias', 'onLabelShift', 'metrics'],
    ...['triggers', 'watch', 'data', 'bounds', 'evaluate', 'train', 'gate', 'rollout'],
  ];
  const inner: readonly (readonly [string, string])[] = [
    ...['psi', 'release', 'features', 'scores', 'windows'].map((key) => ['triggers.drift', key] as const),
    ...['every', 'rows'].flatMap((key) => [['watch', key] as const, ['evaluate', key] as const]),
    ...['last', 'ripeAfter', 'holdout', 'rows', 'ofClass', 'selection'].map((key) => ['data', key] as const),
    ...['labelShift', 'duplicates', 'corrections', 'early', 'oneEntity', 'oneRow', 'unlabelled'].map(
      (key) => ['bounds', key] as const,
    ),
  ];
  const within = (path: string, key: string, value: unknown): object =>
    path
      .split('.')
      .reverse()
      .reduce<object>((held, one) => ({ [one]: held }), { [key]: value });
  /** What is wrong with a policy that was taken: numbers that are none, or texts where there must be some. */
  const wrongIn = (value: unknown, path = ''): string[] =>
    typeof value === 'number' && !Number.isFinite(value)
      ? [`${path} ${value}`]
      : typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, one]) => wrongIn(one, `${path}.${key}`))
        : [];
  const tried = (values: object): void => {
    try {
      const read = policy(values);
      expect([values, wrongIn(read)]).toEqual([values, []]);
      expect(read.minGapMs).toBeGreaterThanOrEqual(0);
    } catch (error) {
      expect([values, error]).toEqual([values, expect.any(LogoddsError)]);
      // one sentence for each fault, of bounded length
      expect((error as LogoddsError).message.length).toBeLessThan(3000);
      expect((error as LogoddsError).message).not.toMatch(/\n/);
    }
  };

  test('any value at any key is taken whole or refused by a sentence of bounded length', () => {
    for (const value of HOSTILE) {
      for (const key of keys) tried({ [key]: value });
      for (const [path, key] of inner) tried(within(path, key, value));
    }
    for (const value of HOSTILE)
      expect(() => policyOf('test', value, folder), JSON.stringify(value)).toThrow(LogoddsError);
  });

  test.each([
    [{ minGap: '-1d' }, /minGap: expected/],
    [{ keep: 1e9 }, /keep: expected/],
    [{ data: { holdout: 1 } }, /data.holdout: expected/],
    [{ data: { rows: Number.NaN } }, /data.rows: expected/],
    [{ alias: 'a/b c' }, /alias: expected/],
    [{ alias: 'x'.repeat(200) }, /alias: expected/],
    [{ name: 'a b' }, /name: expected/],
    [{ name: '../x' }, /name: expected/],
    [{ logs: [] }, /logs: expected/],
    [{ train: ['--registry=x'] }, /train: expected flags that the policy does not say itself, got --registry/],
    [{ bounds: { labelShift: 1e400 } }, /bounds.labelShift: expected/],
  ])('%j is refused by name', (values, sentence) => {
    expect(() => policy(values)).toThrow(sentence);
  });
});

describe('logs and labels', () => {
  const sha256 = 'a'.repeat(64);
  const score = (id: string, days: number, change: object = {}) => ({
    ...{ at: new Date(NOW - days * DAY).toISOString(), id, entity: null, model: 'fraud', version: '1', sha256 },
    ...{ route: null, logit: 0, probability: 0.5, label: 'no', inputs: { amount: days } },
    ...change,
  });
  const label = (id: unknown, days = 9, change: object = {}) => ({
    ...{ id, label: 'yes', at: new Date(NOW - days * DAY).toISOString() },
    ...change,
  });
  let count = 0;
  const made = async (scores: readonly unknown[], labels: readonly unknown[], end = '\n', values: object = {}) => {
    const place = join(folder, `log-${++count}`);
    mkdirSync(place);
    const text = (lines: readonly unknown[]) =>
      lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n') + end;
    writeFileSync(join(place, 'predictions-1.jsonl'), text(scores));
    writeFileSync(join(place, 'labels-1.jsonl'), text(labels));
    const read = policy({ logs: [join(place, 'predictions-*')], ...values });
    const said: string[] = [];
    const [train, holdout] = ['train', 'holdout'].map((name) => join(place, `${name}.jsonl`));
    const set = await writeTrainingSet(
      logSource(read, NOW, (message) => said.push(message)),
      {
        ...{ data: read.data, name: 'fraud', target: 'fraud', classes: ['no', 'yes'], positive: 'yes' },
        ...{ now: NOW, train, holdout },
      },
    );
    const rows = [train, holdout].flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
    return { set, rows: rows.map((row) => JSON.parse(row)), said, policy: read };
  };
  const four = [50, 40, 30, 20].map((days) => score(`r${days}`, days));
  const their = [50, 40, 30, 20].map((days) => label(`r${days}`));

  test('half a line, no JSON, another schema, numbers that are none: each is said with its count, the others are read', async () => {
    const { set, rows, said } = await made(
      [
        ...four,
        'no json',
        'null',
        '[]',
        score('n', 20, { probability: null }),
        score('o', 20, { probability: 1.5 }),
        '{"at":"2026-05-01T00:00:00Z","id":"p","model":"fraud","version":"1","sha256":"x"}',
        score('q', 20, { at: 'yesterday' }),
        score('r', 20, { inputs: [1] }),
        JSON.stringify(score('half', 20)).slice(0, 60),
      ],
      [
        ...their,
        label({ $ne: null }),
        label(['r50']),
        label(7),
        label('', 9),
        label('r50', 9, { label: {} }),
        '{"id":"r4',
      ],
      '',
    );
    expect([set.rows + set.holdoutRows, rows.length]).toEqual([4, 4]);
    expect(said).toEqual(
      expect.arrayContaining([
        'half a line at the end of a file: left out (1)',
        'lines that are no JSON: left out (1)',
        'lines of another schema, probability: expected a number from 0 to 1: left out (2)',
        'label lines of another schema, id: expected a text, or null: left out (3)',
        'half a label line at the end of a file: left out (1)',
      ]),
    );
  });

  test('duplicates, times to come and labels of nobody are counted and bring no row', async () => {
    const { set, rows, said } = await made(
      [...four, ...four, score('future', -3), score('other', 20, { model: 'else' })],
      [...their, ...their, label('nobody'), label('future'), label('r50', -400), label('r40', 60)],
    );
    expect(rows).toHaveLength(4);
    expect(set).toMatchObject({ duplicateLabels: expect.any(Number), otherLabels: 2, others: 1 });
    expect(set.duplicateLabels).toBeGreaterThanOrEqual(4);
    expect(said).toEqual(
      expect.arrayContaining(['scores from after now: left out (1)', 'labels from after now: left out (1)']),
    );
  });

  test('an empty log, and labels of one class, are objections and no crash', async () => {
    const empty = await made([], [], '');
    expect(empty.rows).toEqual([]);
    expect(empty.said).toEqual(['files without a byte: left out (1)']);
    expect(objectionsOf(empty.set, empty.policy, { no: 0.5, yes: 0.5 }).map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['rows', 'ofClass']),
    );
    const one = await made(four, their, '\n', { data: { rows: 2 } });
    const sentences = objectionsOf(one.set, one.policy, { no: 0.5, yes: 0.5 }).map(({ sentence }) => sentence);
    expect(sentences).toEqual(expect.arrayContaining([expect.stringMatching(/0 rows are "no"; expected at least/)]));
    expect(sentences.join()).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('inputs that hide the target, the weight or the prototype do not become them', async () => {
    const hidden = JSON.stringify(score('r50', 50)).replace(
      '"inputs":{',
      '"inputs":{"fraud":"no","logodds_weight":1e9,"__proto__":{"x":1},',
    );
    const { rows } = await made([hidden, ...four.slice(1)], their);
    const [row] = rows.filter(({ amount }) => amount === 50);
    expect(row).toMatchObject({ amount: 50, fraud: 'yes' });
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});
