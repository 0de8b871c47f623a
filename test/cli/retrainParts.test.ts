import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { objectionsOf } from '../../cli/src/jobs/retrain/bounds.ts';
import { runCommand } from '../../cli/src/jobs/retrain/children.ts';
import { declarationOf, notesOf } from '../../cli/src/jobs/retrain/declaration.ts';
import { historyOf, Journal } from '../../cli/src/jobs/retrain/journal.ts';
import { flagsLike } from '../../cli/src/jobs/retrain/likeChampion.ts';
import { policyOf, retrainSchema } from '../../cli/src/jobs/retrain/policy.ts';
import { writeTrainingSet } from '../../cli/src/jobs/retrain/trainingSet.ts';
import { lookAt, type Sight } from '../../cli/src/jobs/retrain/triggers.ts';
import { fit } from '../../src/index.ts';
import type { OutcomeLabel, Prediction } from '../../src/monitor.ts';
import { DAY, rowsOf } from './retrainCases.ts';
import { MODEL } from './serve.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-test-retrain-'));
afterAll(() => rmSync(folder, { recursive: true }));
const NOW = Date.parse('2026-06-01T00:00:00Z');
const policy = (values: object = {}) => policyOf('test', { name: 'fraud', logs: ['log/*'], ...values }, '/home');

test('a command that takes longer than the policy allows is stopped, and said to be', async () => {
  const { status, said } = await runCommand(['serve', MODEL, '--port', '0', '--no-grpc'], folder, 300);
  expect([status, said.split('\n').at(-1)]).toEqual([
    124,
    'ERR_DATA serve: expected an end within 0.3 s (timeLimit of the policy), got none: it was stopped',
  ]);
  expect([policy().timeLimitMs, policy({ timeLimit: '2h' }).timeLimitMs]).toEqual([DAY, 7_200_000]);
});

describe('policies', () => {
  test('the schema of the package is that of the table, and says what the command says', () => {
    expect(JSON.parse(readFileSync('cli/retrain.schema.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(retrainSchema)),
    );
    const isValid = new Ajv2020({ strict: false, validateFormats: false }).compile(retrainSchema);
    for (const [values, good] of [
      [{}, true],
      [{ triggers: { drift: { psi: 0.3 }, schedule: {}, volume: {} }, data: { last: '30d', ripeAfter: '1d' } }, true],
      [{ evaluate: {}, rollout: ['--share', '0.1'], onLabelShift: 'correct' }, true],
      [{ triggers: { drift: { psi: -1 } } }, false],
      [{ trigger: {} }, false],
      [{ onLabelShift: 'ignore' }, false],
      [{ train: '--C 1' }, false],
    ] as const) {
      expect([values, isValid({ name: 'fraud', logs: ['a'], ...values })]).toEqual([values, good]);
      expect(() => {
        policy(values);
        return good;
      }).toSatisfy((read: () => boolean) => {
        try {
          return read() === good;
        } catch {
          return !good;
        }
      });
    }
  });

  test.each([
    [{ name: undefined }, 'name: expected a text, got nothing'],
    [{ triggers: { drfit: {} } }, 'triggers.drfit: expected a trigger that exists, got another; did you mean drift?'],
    [{ train: ['--target=x'] }, 'train: expected flags that the policy does not say itself, got --target'],
    [{ gate: ['--against', 'x'] }, 'gate: expected flags that the policy does not say itself, got --against'],
    [{ data: { last: '1d', ripeAfter: '2d' } }, 'data.ripeAfter: expected less than data.last ("1d"), got "2d"'],
    [{ alias: 'champion' }, 'alias: expected another one than champion'],
    [{ triggers: { drift: { psi: 0.1, release: 0.2 } } }, 'triggers.drift.release: expected at most 0.1'],
    [{ rollout: true }, 'rollout: expected a list of texts'],
  ])('%j is refused by name', (values, sentence) => {
    expect(() => policy(values)).toThrow(sentence);
  });

  test('paths are those of the file', () => {
    expect(policy({ registry: 's3://bucket/x', metrics: 'm.prom' })).toMatchObject({
      ...{ logs: ['/home/log/*'], folder: '/home/retrain', metrics: '/home/m.prom', registry: 's3://bucket/x' },
    });
  });
});

describe('triggers', () => {
  const sight = (change: Partial<Sight> = {}): Sight => ({
    ...{ drift: [], performance: [], since: NOW - 40 * DAY, labels: 10, now: NOW },
    ...change,
  });
  const window = (psi: number, drifted = psi > 0.05) => ({
    features: [
      { feature: 'amount', psi, drifted },
      { feature: 'country', psi: 0.01, drifted: false },
    ],
    score: { psi: 0.02, drifted: false },
  });
  const drift = (windows: Sight['drift'], options: object = {}) =>
    lookAt(policy({ triggers: { drift: options } }).triggers, sight({ drift: windows }))[0];

  test('drift is on in the last two windows, over when both are below the release, else neither', () => {
    expect(drift([window(0.4), window(0.3)])).toMatchObject({ isOn: true, isOver: false, value: 0.3 });
    expect(drift([window(0.05), window(0.4)])).toMatchObject({ isOn: false, isOver: false });
    expect(drift([window(0.05), window(0.4)]).sentence).toMatch(/amount drifted .* in 1 of 2 windows/);
    expect(drift([window(0.4), window(0.15), window(0.15)])).toMatchObject({ isOn: false, isOver: false });
    expect(drift([window(0.05), window(0.02)])).toMatchObject({ isOn: false, isOver: true });
    expect(drift([])).toMatchObject({ isOn: false, isOver: false, value: null });
    expect(drift([window(0.4)])).toMatchObject({ isOn: false, isOver: false });
  });

  test('a PSI without a test that says so is noise; so many features are asked, and scores count where wanted', () => {
    expect(drift([window(0.4, false), window(0.4, false)]).isOn).toBe(false);
    expect(drift([window(0.4), window(0.4)], { features: 2 }).isOn).toBe(false);
    const both = { ...window(0.4), score: { psi: 0.5, drifted: true } };
    expect(drift([both, both], { features: 2 }).isOn).toBe(true);
    expect(drift([both, both], { features: 2, scores: false }).isOn).toBe(false);
  });

  test('performance, calibration, schedule and volume', () => {
    const triggers = policy({
      triggers: { performance: {}, calibration: {}, schedule: { every: '30d' }, volume: { labels: 10 } },
    }).triggers;
    const on = (change: Partial<Sight>) =>
      lookAt(triggers, sight(change)).flatMap((one) => (one.isOn ? [one.trigger] : []));
    const bad = { excess: 0.2, isWorse: true, intercept: -0.5, isOff: true };
    expect(on({ performance: [bad, bad] })).toEqual(['performance', 'calibration', 'schedule', 'volume']);
    expect(on({ performance: [bad, { ...bad, intercept: 0.1 }], labels: 9 })).toEqual(['performance', 'schedule']);
    // what chance explains is no reason
    const chance = { ...bad, isWorse: false, isOff: false };
    expect(on({ performance: [chance, chance], since: NOW, labels: 9 })).toEqual([]);
    expect(on({ since: NOW - 30 * DAY + 1, labels: 9 })).toEqual([]);
    expect(on({ since: null, labels: 0 })).toEqual([]);
  });
});

describe('the journal', () => {
  test('says what began a retraining, and that it may not begin another one before it has ended', () => {
    const path = join(folder, 'journal.jsonl');
    const journal = new Journal(path);
    const looked = (isOver: boolean, by: readonly 'drift'[] = []) => ({
      champion: 1,
      triggers: [{ trigger: 'drift', value: 0.4, isOn: !isOver, isOver, sentence: '' }] as const,
      by,
      decision: '',
    });
    const spent = (champion = 1) => [...historyOf(new Journal(path).entries, champion).spent];
    const run = (outcome: 'named' | 'failed' | 'cut short' | 'gate failed') => {
      journal.append(1, 'looked', NOW, looked(false, ['drift']));
      journal.append(1, 'started', NOW, { champion: 1, by: ['drift'] });
      journal.append(1, 'set', NOW, { rows: 1, newest: new Date(NOW).toISOString() });
      expect(historyOf(journal.entries, 1)).toMatchObject({
        next: 2,
        open: { run: 1, by: ['drift'], set: { rows: 1 } },
      });
      journal.append(1, 'ended', NOW, { outcome, version: 2, why: null });
    };
    // what failed, or was killed, is done again at once
    for (const outcome of ['failed', 'cut short'] as const) {
      run(outcome);
      expect(historyOf(journal.entries, 1)).toMatchObject({ open: null, begun: [], newest: null });
      expect(spent()).toEqual([]);
    }
    // after another gap
    run('gate failed');
    expect(historyOf(journal.entries, 1)).toMatchObject({ open: null, begun: [NOW], newest: NOW });
    expect(spent()).toEqual([]);
    run('named');
    expect(spent()).toEqual(['drift']);
    // another champion has another baseline
    expect(spent(2)).toEqual([]);
    expect(historyOf(journal.entries, 1).open).toBeNull();
    journal.append(2, 'looked', NOW, looked(false));
    expect(spent()).toEqual(['drift']);
    journal.append(3, 'looked', NOW, looked(true));
    expect(spent()).toEqual([]);
    // a line that was cut by a kill is counted, and does not take the next one with it
    writeFileSync(path, `${readFileSync(path, 'utf8')}{"at":"2026-`);
    new Journal(path).append(4, 'started', NOW, { champion: 1, by: ['force'] });
    // and so are lines that somebody has edited: they are not half believed
    const own = '{"at":"2026-06-01T00:00:00Z","run":9,"step":';
    writeFileSync(
      path,
      `${readFileSync(path, 'utf8')}${['null', '[]', '{}', `${own}"looked"}`, `${own}"ended","outcome":3}`, `${own}"strange"}`, `${own}"pushed","version":"2"}`, '{"at":"x","run":1,"step":"set","rows":1}', '{"at":"2026-06-01","run":"1","step":"set","rows":1}'].join('\n')}\n`,
    );
    const read = new Journal(path);
    expect(read.damaged).toBe(10);
    expect(historyOf(read.entries, 1)).toMatchObject({ next: 5, open: { run: 4, set: null }, begun: [NOW, NOW] });
  });
});

describe('the training set', () => {
  const score = (id: string, days: number, change: Partial<Prediction> = {}): Prediction => ({
    ...{ at: NOW - days * DAY, id, entity: null, model: 'fraud', version: '1', sha256: 'a'.repeat(64), route: null },
    ...{ logit: 0, probability: 0.5, label: 'no', inputs: { amount: days, country: 'de' } },
    ...change,
  });
  const label = (id: string, text = 'yes', days = 9): OutcomeLabel => ({ id, label: text, at: NOW - days * DAY });
  let count = 0;
  const made = async (predictions: readonly Prediction[], labels: readonly OutcomeLabel[], data: object = {}) => {
    const [train, holdout] = ['train', 'holdout'].map((name) => join(folder, `${name}-${++count}.jsonl`));
    const source = {
      async *predictions() {
        yield predictions;
      },
      async *labels() {
        yield labels;
      },
    };
    const set = await writeTrainingSet(source, {
      ...{ data: policy({ data }).data, name: 'fraud', target: 'fraud', classes: ['no', 'yes'], positive: 'yes' },
      ...{ now: NOW, train, holdout },
    });
    const rows = (path: string) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line));
    return { set, train: rows(train), holdout: rows(holdout) };
  };

  test('has the inputs as they were scored and the last label, the newest rows apart; others are counted by why', async () => {
    const predictions = [
      ...[50, 40, 30, 20].map((days) => score(`r${days}`, days)),
      score('old', 100),
      score('young', 2),
      score('bare', 25, { inputs: null }),
      score('strange', 26),
      score('none', 27),
      score('other', 28, { model: 'credit' }),
      // the same line twice
      score('r40', 40),
    ];
    const labels = ['r50', 'r40', 'r30', 'r20', 'old', 'young', 'bare', 'other'].map((id) => label(id));
    const { set, train, holdout } = await made(predictions, [
      ...labels,
      label('strange', 'maybe'),
      label('r30', 'no', 8),
      label('r50', 'no', 20),
    ]);
    expect(train).toEqual([
      { amount: 50, country: 'de', fraud: 'yes' },
      { amount: 40, country: 'de', fraud: 'yes' },
      { amount: 30, country: 'de', fraud: 'no' },
    ]);
    expect(holdout).toEqual([{ amount: 20, country: 'de', fraud: 'yes' }]);
    expect(set).toMatchObject({
      ...{
        rows: 3,
        holdoutRows: 1,
        classes: { no: 1, yes: 3 },
        ripe: 7,
        unlabelled: 1,
        tooOld: 1,
        unripe: 1,
        others: 1,
      },
      ...{ withoutInputs: 1, strangeLabels: 1, duplicateLabels: 2, correctedLabels: 2, otherLabels: 3, dropped: 0 },
      ...{ oneEntity: null, oneRow: 0.25, isWeighted: false },
    });
  });

  test('an order of arrival, lines twice and a log in pieces change nothing', async () => {
    const predictions = rowsOf(200, 3).map(({ fraud: _, ...inputs }, i) => score(`r${i}`, 60 - i / 5, { inputs }));
    const labels = rowsOf(200, 3).map(({ fraud }, i) => label(`r${i}`, fraud));
    const one = await made(predictions, labels);
    const other = await made([...predictions.slice(100), ...predictions], [...labels].reverse());
    const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();
    expect(sorted(other.train)).toEqual(sorted(one.train));
    expect(sorted(other.holdout)).toEqual(sorted(one.holdout));
    expect(one.set.rows + one.set.holdoutRows).toBe(200);
  });

  test('rows that only some scores have are weighted by inverse propensity where that is asked', async () => {
    const rows = rowsOf(2000, 5).map((row, i) => ({ row, p: (i % 100) / 100 }));
    const predictions = rows.map(({ row: { fraud: _, ...inputs }, p }, i) =>
      score(`r${i}`, 50 - i / 100, { inputs, probability: p, label: p > 0.5 ? 'yes' : 'no' }),
    );
    const labels = rows.flatMap(({ row, p }, i) => (p > 0.5 && i % 3 !== 0 ? [] : [label(`r${i}`, row.fraud)]));
    const plain = await made(predictions, labels, { selection: 'warn' });
    expect(plain.set).toMatchObject({ selection: 'uneven', isWeighted: false });
    const { set, train } = await made(predictions, labels, { selection: 'weigh' });
    expect(set.isWeighted).toBe(true);
    const weights = new Set(train.map((row) => row.logodds_weight.toFixed(1)));
    // below a half every score has a label, above it a third; one bin has both kinds
    expect([...weights].sort()).toEqual(['1.0', '2.5', '3.0']);
  });
});

describe('objections', () => {
  const set = {
    ...{
      rows: 2000,
      holdoutRows: 500,
      classes: { no: 2000, yes: 500 },
      newestClasses: { no: 400, yes: 100 },
      oldest: 0,
      newest: 1,
      ripe: 2600,
    },
    ...{ unlabelled: 100, tooOld: 0, unripe: 0, others: 0, withoutInputs: 0, strangeLabels: 0, labels: 2500 },
    ...{
      duplicateLabels: 0,
      correctedLabels: 0,
      earlyLabels: 0,
      otherLabels: 0,
      dropped: 0,
      oneEntity: 0.01,
      oneRow: 0.01,
    },
    ...{ selection: 'none' as const, selectionWarning: null, isWeighted: false },
  };
  const kinds = (change: object, values: object = {}, shares = { no: 0.8, yes: 0.2 }) =>
    objectionsOf({ ...set, ...change }, policy(values), shares).map(({ kind }) => kind);

  test('a set like the baseline has none; each kind of poison is named', () => {
    expect(kinds({})).toEqual([]);
    expect(kinds({ rows: 999 })).toEqual(['rows']);
    expect(kinds({ classes: { no: 2460, yes: 40 } }, { bounds: { labelShift: 9 } })).toEqual(['ofClass']);
    // of the newest rows, as those before are of before the shift; of all where these are few
    expect(kinds({ newestClasses: { no: 250, yes: 250 } })).toEqual(['labelShift']);
    expect(kinds({ newestClasses: { no: 450, yes: 50 } })).toEqual(['labelShift']);
    expect(kinds({ newestClasses: { no: 49, yes: 200 } })).toEqual([]);
    expect(kinds({ newestClasses: { no: 49, yes: 200 }, classes: { no: 1250, yes: 1250 } })).toEqual(['labelShift']);
    expect(kinds({ duplicateLabels: 200 })).toEqual(['duplicates']);
    expect(kinds({ correctedLabels: 200 })).toEqual(['corrections']);
    expect(kinds({ earlyLabels: 100 })).toEqual(['early']);
    expect(kinds({ oneEntity: 0.06 })).toEqual(['oneEntity']);
    expect(kinds({ oneEntity: null })).toEqual([]);
    expect(kinds({ oneRow: 0.2 })).toEqual(['oneRow']);
    expect(kinds({ ripe: 30_000, unlabelled: 27_500 })).toEqual(['unlabelled']);
    expect(kinds({ selection: 'uneven', selectionWarning: 'x' })).toEqual(['selection']);
    expect(kinds({ selection: 'uneven' }, { data: { selection: 'weigh' } })).toEqual([]);
    expect(kinds({ selection: 'absent', selectionWarning: 'x' }, { data: { selection: 'weigh' } })).toEqual([
      'selection',
    ]);
    expect(kinds({ selection: 'absent' }, { data: { selection: 'warn' } })).toEqual([]);
  });

  test('the sentence has the shares, and the bound', () => {
    expect(
      objectionsOf({ ...set, newestClasses: { no: 250, yes: 250 } }, policy(), { no: 0.8, yes: 0.2 })[0].sentence,
    ).toBe(
      '"no" has 50.0 % of the newest rows and had 80.0 % in training, a shift of -1.39 in log-odds; expected at most 0.7 (bounds.labelShift)',
    );
  });
});

describe('like the champion', () => {
  const rows = rowsOf(400, 9);
  /** The same rows with more columns, for each kind of feature. */
  const rich = rows.map((row, i) => ({
    ...row,
    when: new Date(Date.UTC(2026, 0, 1) + i * 7e6).toISOString(),
    city: `c${(i * 7) % 31}`,
    words: ['late night', 'early morning', 'night shift again'][i % 3],
    tags: ['a,b', 'b', 'c,a', 'd'][(i * 5) % 4],
    share: ((i * 37) % 101) / 100,
    gap: i % 9 === 0 ? null : (i * 13) % 50,
  }));
  const amount = { name: 'amount', kind: 'numeric' } as const;
  const bins = { ...amount, name: 'bins', column: 'amount', bins: 4 } as const;
  const country = { name: 'country', kind: 'categorical' } as const;
  const city = { name: 'city', kind: 'categorical' } as const;
  test.each<[string, readonly object[], object?]>([
    ['nothing declared', []],
    ['treatment', [], { coding: 'treatment' }],
    ['a spline', [{ ...amount, spline: 4 }]],
    ['a spline of a transformed number', [{ ...amount, low: 0.01, transform: 'box-cox', spline: 3, range: 'slot' }]],
    ['robust scaling', [{ ...amount, scaling: 'robust', low: -3, high: 3 }]],
    ['no scaling', [{ ...amount, scaling: 'none' }]],
    ['a logit', [{ name: 'share', kind: 'numeric', transform: 'logit', low: 0.01, high: 0.99 }]],
    ['gaps by the median', [{ name: 'gap', kind: 'numeric', impute: 'median', missing: 'baseline' }]],
    ['gaps with a slot', [{ name: 'gap', kind: 'numeric', transform: 'sqrt' }]],
    ['bins', [bins]],
    ['bins of treatment', [{ ...bins, range: 'slot' }], { coding: 'treatment' }],
    ['rare levels', [{ ...city, minCount: 13 }]],
    ['the most frequent levels', [{ ...city, maxLevels: 7 }]],
    ['target encoding', [{ ...city, encoding: 'target' }]],
    ['hashes', [{ ...city, encoding: 'hash', buckets: 16 }]],
    ['dates', [{ name: 'when', kind: 'date', parts: ['month', 'epochDays', 'hour'] }]],
    ['a cross', [country, bins, { kind: 'cross', of: ['country', 'bins'] }]],
    ['a cross of rare levels', [country, bins, { kind: 'cross', of: ['country', 'bins'], minCount: 30 }]],
    ['a cross in buckets', [country, city, { kind: 'cross', name: 'both', of: ['country', 'city'], buckets: 32 }]],
    ['text', [{ name: 'words', kind: 'text', buckets: 8, scaling: 'standard' }]],
    ['tags', [{ name: 'tags', kind: 'tags' }]],
    ['tags in buckets', [{ name: 'tags', kind: 'tags', buckets: 4 }]],
  ])('a declaration of its schema gives the same model from the same rows: %s', (_, features, options = {}) => {
    const schema = features.length > 0 ? { schema: { features: features as never, others: 'drop' as const } } : {};
    const table = features.length > 0 ? rich : rows;
    const first = fit(table, { target: 'fraud', ...schema, ...options }).model;
    const { declaration, flags } = declarationOf(first.manifest.schema, first.manifest.fit.rows);
    expect(flags).toEqual(
      features.length > 0 && JSON.stringify(features).includes('bins')
        ? ['--coding', (options as { coding?: string }).coding ?? 'onehot']
        : [],
    );
    const again = fit(table, { target: 'fraud', schema: declaration, ...options }).model;
    expect(again.manifest.schema).toEqual(first.manifest.schema);
    expect([...again.weights]).toEqual([...first.weights]);
  });

  test('what the model file does not say is taken, and said by name; so is what later rows do not change', () => {
    const of = (features: readonly object[]) => {
      const { model } = fit(rich, { target: 'fraud', schema: { features: features as never } });
      return notesOf(declarationOf(model.manifest.schema, 400));
    };
    expect(of([{ ...amount, transform: 'yeo-johnson', spline: 4 }, bins])).toEqual([
      'as in the champion: knots of amount, lambda of amount, the value for missing cells of amount, edges of bins; name a --schema in the policy to choose anew',
    ]);
    expect(
      of([
        { ...city, minCount: 13 },
        { ...country, encoding: 'target' },
      ]),
    ).toEqual([
      expect.stringMatching(
        /^not in the model file, so taken: maxLevels \d+ of city \(as many levels as it has\); smooth auto and folds 5 of country; name/,
      ),
    ]);
    expect(of([country])).toEqual([]);
  });

  test('reference levels of bins and crosses are flags', () => {
    const references = { bins: '[0, 1]' };
    const { model } = fit(rich, {
      ...{ target: 'fraud', coding: 'treatment', references },
      schema: { features: [{ name: 'bins', column: 'share', kind: 'numeric', bins: [-1, 0, 1] }] },
    });
    expect(declarationOf(model.manifest.schema, 400).flags).toEqual([
      ...['--coding', 'treatment', '--reference', '"bins"="[0, 1]"'],
    ]);
  });

  test('flags of the policy stand for those of the champion', () => {
    const { model } = fit(rows, {
      target: 'fraud',
      penalty: { C: 0.5 },
      calibrate: 'platt',
      decide: { by: 'cost', costs: { fp: 1, fn: 5 } },
    });
    expect(flagsLike(model, [])).toEqual([
      ...['--C', '0.5', '--positive', 'yes', '--calibrate', 'platt', '--costs', 'FP=1,FN=5,TP=0,TN=0'],
    ]);
    expect(flagsLike(model, ['--lambda=0.1', '--calibrate', 'none', '--threshold', '0.3'])).toEqual([
      '--positive',
      'yes',
    ]);
    for (const [decide, flags] of [
      [{ by: 'fbeta', beta: 2 }, ['--maximize', 'f2']],
      [{ by: 'recall', precision: 0.3 }, ['--min-precision', '0.3']],
      [{ by: 'precision', recall: 0.6 }, ['--min-recall', '0.6']],
      [{ by: 'budget', share: 0.05 }, ['--budget', '5%']],
      [{ threshold: 0.3 }, ['--threshold', '0.3']],
    ] as const)
      expect(flagsLike(fit(rows, { target: 'fraud', decide }).model, []).slice(-2)).toEqual(flags);
    expect(flagsLike(fit(rows, { target: 'fraud', penalty: 'none' }).model, [])).toEqual([
      '--no-penalty',
      '--positive',
      'yes',
    ]);
  });
});
