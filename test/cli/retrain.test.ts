import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/index.ts';
import { type LogOptions, type Row, rowsOf, type World, writeLog } from './retrainCases.ts';
import { retraining } from './retrainPlaces.ts';

/*
 * The life of a model that is trained again by itself, from its log to its rollout, by the built command.
 */

const { run, json, write, path, place, model, now, last } = retraining();

const moved = (world: World, seed = 2) => rowsOf(6000, seed, { logOdds: -1.5, ...world });
const RULED = ['--data', 'train.jsonl', '--target', 'fraud', '--rules', 'half.json'];
const ROLLOUT = ['--steps', '0.05,1', '--hold', '1d'];

describe('a retraining', () => {
  test('trains like the champion on logged rows, passes the gate, and begins a rollout; every step is in the journal', () => {
    const { home, go, steps, entries, entry } = place(moved({ amount: 0.6, slope: 0.3 }), {
      bounds: { labelShift: 3 },
      rollout: ROLLOUT,
      metrics: 'retrain.prom',
    });
    const { status, result } = go('--force');
    expect([status, result.why]).toEqual([0, null]);
    expect(result).toMatchObject({ run: 1, champion: 1, by: ['force'], outcome: 'rollout', version: 2, why: null });
    expect(steps()).toEqual([
      'looked',
      'started',
      'set',
      'train',
      'push',
      'pushed',
      'gate',
      'registry',
      'rollout',
      'ended',
    ]);
    const train = entries().find(({ command }) => command?.startsWith('logodds train')).command;
    expect(train).toMatch(/--schema \S+ --C 1 --positive yes --calibrate platt --start \S+$/);
    expect(entry()).toMatchObject({
      aliases: { champion: 1, challenger: 2 },
      versions: [{}, { tags: { retraining: '1' }, gate: { passed: true, against: 1 }, lineage: { parent: 1 } }],
    });
    expect(readFileSync(path(`${home}/retrain.prom`), 'utf8')).toMatch(
      'lr_retrainings_total{model="fraud",outcome="rollout"} 1\n',
    );
    // beside a running rollout none begins by itself
    expect(go('--dry-run').result).toMatchObject({ outcome: null, champion: 1 });
  });

  test('a candidate that is no better than by its gate stays a version that nobody gets', () => {
    const { go, steps, entry } = place(moved({}), { gate: ['--rules', 'gate.json'], rollout: ROLLOUT });
    write(`${last()}/gate.json`, JSON.stringify({ rules: { size: { mostBytes: 10 } } }));
    const { status, result } = go('--force');
    expect([status, result.outcome, result.version]).toEqual([1, 'gate failed', 2]);
    expect(result.why).toMatch(/expected at most 10/);
    expect(steps().slice(-2)).toEqual(['gate', 'ended']);
    expect(entry()).toMatchObject({ aliases: { champion: 1 }, versions: [{}, { gate: { passed: false } }] });
  });

  test('levels that the champion does not have are learnt, without its estimates, and that is said', () => {
    const rows = moved({}).map((row, i) => (i % 5 === 0 ? { ...row, country: 'es' } : row));
    const { go, steps } = place(rows, {});
    const { status, stderr, result } = go('--force');
    expect([status, result.outcome, result.why]).toEqual([0, 'named', null]);
    expect(stderr).toMatch(/note: the rows have other levels than the champion/);
    expect(steps().filter((step) => step === 'train')).toHaveLength(2);
  });

  test('time, labels, and the gap between two', () => {
    const { go, steps, entries } = place(moved({}), {
      triggers: { volume: { labels: 1000 } },
      minGap: '1h',
      watch: { every: '1d' },
    });
    expect(go().result).toMatchObject({ by: ['volume'], outcome: 'named', version: 2 });
    const before = entries().length;
    // the labels are those that the first has had
    expect(go().result).toMatchObject({ outcome: null, triggers: [{ trigger: 'volume', isOn: false }] });
    expect(steps().slice(before)).toEqual(['looked']);
    expect(go('--dry-run').result).toMatchObject({ outcome: null });
    expect(entries()).toHaveLength(before + 1);
  });
});

describe('logs', () => {
  test('as Parquet and as packed lines give the rows of plain lines', async () => {
    const { home, go, entries } = place(moved({}));
    const log = path(`${home}/log/predictions-r.jsonl`);
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const set = () => {
      const {
        at: _,
        run: __,
        ...counts
      } = entries()
        .filter(({ step }) => step === 'set')
        .at(-1);
      return counts;
    };
    go('--force');
    const plain = set();
    expect(plain.rows).toBeGreaterThan(4000);
    const lines = readFileSync(log);
    writeFileSync(`${log}.gz`, gzipSync(lines));
    rmSync(log);
    go('--force');
    expect(set()).toEqual(plain);
    writeFileSync(log, lines);
    await connection.run(
      `copy (select "at"::timestamp as "at", id, entity, model, version, sha256, route, logit, null::varchar as logits, probability, label,
        to_json(inputs)::varchar as inputs from read_json('${log}')) to '${log.replace('.jsonl', '.parquet')}' (format parquet)`,
    );
    rmSync(log);
    rmSync(`${log}.gz`);
    expect(go('--force').result).toMatchObject({ outcome: 'named', why: null });
    expect(set()).toEqual(plain);
  });
});

describe('triggers', () => {
  test('drift of the log begins one, which does not begin another before it has ended', () => {
    const still = place(moved({}), { triggers: { drift: {}, performance: {}, calibration: {} } });
    expect(still.go().result).toMatchObject({ outcome: null, why: 'no trigger speaks' });
    const { go, entries } = place(moved({ amount: 1 }), {
      ...{ triggers: { drift: {} }, minGap: '0s', bounds: { labelShift: 3 }, watch: { every: '5d' } },
    });
    expect(go().result).toMatchObject({ by: ['drift'], outcome: 'named', why: null });
    const [{ triggers }] = entries();
    expect(triggers[0].sentence).toMatch(/^amount, the scores drifted \(PSI at least 0.25\)/);
    expect(go().result).toMatchObject({
      outcome: null,
      triggers: [{ trigger: 'drift', isOn: true }],
      why: 'drift: has begun a retraining before and has not ended since',
    });
  });

  test('probabilities that are wrong on the whole begin one', () => {
    const { go } = place(moved({ logOdds: -0.9 }), {
      triggers: { performance: {}, calibration: {} },
      watch: { every: '5d' },
    });
    expect(go().result).toMatchObject({ by: expect.arrayContaining(['calibration']), outcome: 'named', why: null });
  });
});

describe('a challenger', () => {
  test('is held against the champion again, on rows since it was pushed; one that fails loses its rollout', () => {
    const { home, go, entries, entry } = place(moved({}), {
      ...{ rollout: ROLLOUT, evaluate: { rows: 100 }, data: { ripeAfter: '0s', last: '90d' } },
    });
    expect(go('--force').result).toMatchObject({ outcome: 'rollout', why: null });
    expect(go().stderr).toMatch(/note: version 2 is not evaluated yet: 0 rows with labels since it was pushed, of 100/);
    // of these rows the champion knows more than it can
    const since = rowsOf(400, 5).map(
      (row) => ({ ...row, fraud: model.score(row).probability! > 0.3 ? 'yes' : 'no' }) as Row,
    );
    writeLog(path(`${home}/log`), model, since, { now: Date.now(), from: 0, to: 0, delay: 0, prefix: 'new' });
    write(
      `${home}/gate.json`,
      JSON.stringify({ rules: { logLoss: { margin: 0, judgedBy: 'interval' }, calibrationSlope: { greatest: 1.25 } } }),
    );
    const policy = JSON.parse(readFileSync(path(`${home}/retrain.json`), 'utf8'));
    write(`${home}/retrain.json`, JSON.stringify({ ...policy, gate: ['--rules', 'gate.json'] }));
    const { stderr } = go();
    expect(stderr).toMatch(/note: version 2 no longer passes its gate: /);
    expect(entries().find(({ step }) => step === 'evaluated')).toMatchObject({
      challenger: 2,
      champion: 1,
      passed: false,
    });
    expect(entry()).toMatchObject({ rollout: { outcome: 'aborted' }, versions: [{}, { gate: { passed: false } }] });
  });
});

describe('labels that are not believed', () => {
  const refused = (rows: readonly Row[], log: Partial<LogOptions> = {}, policy: object = {}) => {
    const { go, entry, steps } = place(rows, policy, log);
    const { status, result } = go('--force');
    expect([status, result.outcome, result.version]).toEqual([1, 'refused', null]);
    expect(steps()).toEqual(['looked', 'started', 'set', 'refused', 'ended']);
    expect(entry().versions).toHaveLength(1);
    return result.why;
  };

  test('a shift of the classes', () => {
    expect(refused(moved({ logOdds: 0.5 }))).toMatch(/a shift of .* in log-odds; expected at most 0.7/);
  });

  test('labels that come again and again, one entity, one row, too few', () => {
    const { home, go } = place(moved({}));
    const labels = readFileSync(path(`${home}/log/labels-r.jsonl`), 'utf8').split('\n');
    const turned = labels.slice(0, 1000).map((line) => line.replace('"no"', '"yes"'));
    writeFileSync(path(`${home}/log/labels-more.jsonl`), `${turned.join('\n')}\n`);
    expect(go('--force').result.why).toMatch(
      /labels came for a score that had one; expected at most 5.0 % .*labels were another one/,
    );
    expect(refused(moved({}), { entity: (_, i) => (i % 8 === 0 ? 'one' : `e${i}`) })).toMatch(/rows are of one entity/);
    const same = moved({}).map((row, i) => (i % 8 === 0 ? { ...row, amount: 1, country: 'de' } : row));
    expect(refused(same)).toMatch(/rows have the same inputs/);
    expect(refused(moved({}).slice(0, 900))).toMatch(/rows with labels to train on; expected at least 1,000/);
  });

  test('labels of some scores alone', () => {
    expect(refused(moved({}), { isLabelled: (_, probability) => probability < 0.4 })).toMatch(/never have one/);
  });

  test('a shift of the classes is corrected where the policy says so, without training', () => {
    let honest = 0;
    const rows = rowsOf(12_000, 7).filter(({ fraud }) => fraud === 'yes' || honest++ % 4 === 0);
    const { home, go, steps, entries } = place(rows, { onLabelShift: 'correct' });
    const { status, result } = go('--force');
    expect([status, result.outcome, result.version, result.why]).toEqual([0, 'named', 2, null]);
    expect(steps()).toEqual(['looked', 'started', 'set', 'corrected', 'push', 'pushed', 'gate', 'registry', 'ended']);
    const { from, to } = entries().find(({ step }) => step === 'corrected');
    expect(to.yes).toBeGreaterThan(1.8 * from.yes);
    json(['pull', 'models:/fraud@challenger', '--out', 'corrected.safetensors', '--registry', `${home}/registry`]);
    const { calibration } = loadModel(readFileSync(path('corrected.safetensors'))).manifest;
    expect(calibration).toMatchObject({ method: 'platt', prior: [to.no, to.yes] });
  });
});

describe('what is in the way', () => {
  test('no champion, no log, a policy that is none: one sentence, and nothing begins', () => {
    const { home, file } = place(moved({}).slice(0, 10));
    json(['registry', 'alias', 'fraud', '1', 'champion', '--remove', '--registry', `${home}/registry`]);
    expect(run(['retrain', '--policy', file, '--force'])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^ERR_REGISTRY fraud: expected a champion in .*, got none; logodds registry alias/),
    });
    const other = place(moved({}).slice(0, 10), { logs: ['none/predictions-*'] }).go('--force');
    expect([other.status, other.stderr]).toEqual([
      1,
      expect.stringMatching(/^ERR_DATA .*none\/predictions-\*: expected a file, got none of that name/),
    ]);
  });

  test('a policy that cannot be used is wrong usage: status 2', () => {
    write('half.json', '{"name": ');
    write('strange.json', '{"name": "fraud", "logs": ["a"], "trigger": {}}');
    const flagged = (flags: object) => JSON.stringify({ name: 'fraud', logs: ['a'], ...flags });
    write('train.json', flagged({ train: ['--calibrat', 'platt'] }));
    write('value.json', flagged({ train: ['--C', 'much'] }));
    write('rollout.json', flagged({ rollout: ['--steps', '0.5,nine'] }));
    write('gate.json', flagged({ gate: ['--rule', 'x.json'], rollout: ['--share', '2'] }));
    for (const [file, sentence] of [
      [
        'train.json',
        /train: expected flags of logodds train, got unknown option '--calibrat' \(Did you mean --calibrate\?\)/,
      ],
      ['value.json', /train: expected flags of logodds train, got option '--C <\w+>' argument 'much' is invalid/],
      ['rollout.json', /rollout: expected flags of logodds rollout start, got option '--steps/],
      ['gate.json', /gate: expected flags of logodds gate, got unknown option '--rule'.*and 1 more: rollout: /],
    ] as const)
      expect(run(['retrain', '--policy', file, '--dry-run'])).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(sentence),
      });
    for (const [file, sentence] of [
      ['none.json', /^ERR_DATA --policy none.json: expected a policy, got an error/],
      ['half.json', /^ERR_DATA --policy half.json: expected JSON, got an error in line 1/],
      ['strange.json', /^ERR_RANGE --policy strange.json: trigger: expected an option that exists/],
    ] as const)
      expect(run(['retrain', '--policy', file])).toMatchObject({ status: 2, stderr: expect.stringMatching(sentence) });
    for (const [args, flag] of [
      [['slo', 'export', '--out', 'slo', '--config', 'strange.json'], '--config'],
      [['monitor', 'none.jsonl', '--model', 'champion.safetensors', '--config', 'half.json'], '--config'],
      [['gate', 'champion.safetensors', '--against', 'plain.safetensors', ...RULED], '--rules'],
    ] as const)
      expect(run([...args])).toMatchObject({ status: 2, stderr: expect.stringMatching(`ERR_\\w+ ${flag} `) });
  });

  test('a registry that is gone is said', () => {
    const { home, go } = place(moved({}).slice(0, 10));
    rmSync(path(`${home}/registry`), { recursive: true });
    const { status, stderr } = go();
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(
        /note: registry .*registry: there is no such folder.*\n.*ERR_REGISTRY fraud: expected a champion/s,
      ),
    ]);
    expect(existsSync(path(`${home}/registry`))).toBe(false);
    expect(run(['registry', 'list', '--registry', 'gone']).stderr).toMatch(
      /^note: registry gone: there is no such folder/,
    );
  });

  test('one that fails after its push names the version, and what to do', () => {
    const { go, entries, entry } = place(moved({}), {
      rollout: ['--kind', 'ab', '--share', '0.1', '--arm', 'b=99:0.2'],
    });
    const { status, stderr } = go('--force');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /logodds rollout: .*\. Version 2 of fraud is pushed: logodds registry show fraud --registry \S+ says what its gate said and who gets it; logodds registry alias fraud 2 challenger --registry \S+ goes on where the gate has passed, logodds registry retire fraud 2 --registry \S+ takes it out/,
    );
    expect(entries().at(-1)).toMatchObject({ step: 'ended', outcome: 'failed', version: 2 });
    expect(entry().aliases).toEqual({ champion: 1, challenger: 2 });
  });

  test('times in the journal are those of --now', () => {
    const { go, entries } = place(moved({}), {}, { now: Date.parse('2025-03-01T00:00:00Z') });
    expect(go('--force', '--now', '2025-03-01T00:00:00Z').result).toMatchObject({ outcome: 'named' });
    const days = new Set(entries().map(({ at }) => at.slice(0, 10)));
    expect([...days]).toEqual(['2025-03-01']);
    // a second one by the same clock waits for the gap
    expect(go('--now', '2025-03-01T06:00:00Z').result).toMatchObject({ run: 2, outcome: null });
  });

  test('a champion of curves, bins, hashes and target encoding needs no schema', () => {
    const features = [
      { name: 'amount', kind: 'numeric', spline: 4, low: -4, high: 4 },
      { name: 'bins', column: 'amount', kind: 'numeric', bins: 4 },
      { name: 'country', kind: 'categorical', encoding: 'hash', buckets: 8 },
      { name: 'where', column: 'country', kind: 'categorical', encoding: 'target' },
    ];
    write('rich.json', JSON.stringify({ features }));
    json(['train', 'train.jsonl', '--target', 'fraud', '--schema', 'rich.json', '--out', 'rich.safetensors']);
    const rich = loadModel(readFileSync(path('rich.safetensors')));
    const { home, go, entry } = place(moved({}), {});
    json(['push', 'rich.safetensors', '--name', 'fraud', '--alias', 'champion', '--registry', `${home}/registry`]);
    writeLog(path(`${home}/log`), rich, moved({}), { now });
    const { stderr, result } = go('--force');
    expect(result).toMatchObject({ champion: 2, outcome: 'named', version: 3, why: null });
    expect(stderr).toMatch(/note: schema: as in the champion: knots of amount, .*, edges of bins; name a --schema/);
    expect(stderr).toMatch(/note: schema: not in the model file, so taken: smooth auto and folds 5 of where; name/);
    expect(entry().aliases).toEqual({ champion: 2, challenger: 3 });
  });

  test('a champion with private features, which are in no log, is not trained again', () => {
    const { home, go } = place(moved({}).slice(0, 10));
    const schema = { features: [{ name: 'amount', kind: 'numeric', private: true }], others: 'infer' };
    write('private.json', JSON.stringify(schema));
    json(['train', 'train.jsonl', '--target', 'fraud', '--schema', 'private.json', '--out', 'private.safetensors']);
    json(['push', 'private.safetensors', '--name', 'fraud', '--alias', 'champion', '--registry', `${home}/registry`]);
    const { status, stderr } = go('--force');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^ERR_SCHEMA fraud: .* in no log: amount; train it with/),
    ]);
  });

  test('a run that was killed is said, and the next begins anew', () => {
    const { home, go } = place(moved({}));
    const journal = path(`${home}/retrain/journal.jsonl`);
    expect(existsSync(journal)).toBe(false);
    // who only looks leaves nothing
    expect(go('--dry-run').status).toBe(0);
    expect(existsSync(path(`${home}/retrain`))).toBe(false);
    mkdirSync(dirname(journal));
    const at = new Date(now).toISOString();
    writeFileSync(
      journal,
      `{"at":"${at}","run":1,"step":"started","champion":1,"by":["force"]}\n{"at":"${at}","run":1,"step":"pushed","version":7}\n{"at":"${at}","ru`,
    );
    const { stderr, result } = go('--force');
    expect(stderr).toMatch(
      /note: run 1 was cut short before its end, and is not taken up: version 7 is not in the registry\n/,
    );
    expect(result).toMatchObject({ run: 2, outcome: 'named', why: null });
    const ended = readFileSync(journal, 'utf8')
      .split('\n')
      .find((line) => line.includes('cut short'))!;
    expect(JSON.parse(ended)).toMatchObject({ run: 1, outcome: 'cut short', version: null });
  });

  test('files of few runs are kept', () => {
    const { home, go } = place(moved({}), { keep: 1 });
    go('--force');
    go('--force');
    expect(readdirSync(path(`${home}/retrain`)).sort()).toEqual(['journal.jsonl', 'run-2']);
  });
});
