import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { compare, sorted } from '../../cli/src/jobs/tracking/compare.ts';
import { type RunRecord, recordIn, recordText } from '../../cli/src/jobs/tracking/record.ts';
import { masked } from '../../cli/src/jobs/tracking/track.ts';
import { runsPage } from '../../cli/src/report/runsPage.ts';
import { workspace } from './run.ts';

const { run, start, write, path } = workspace();
const rows = Array.from({ length: 80 }, (_, i) => `${(i * 7919) % 13},${'abc'[i % 3]},${(i * 31) % 7 > 2 ? 1 : 0}`);
write('d.csv', `x,zip,y\n${rows.join('\n')}\n`);
const USUAL = { LOGODDS_TRACKING: '', MLFLOW_TRACKING_URI: '', MLFLOW_EXPERIMENT_NAME: '' };

const recordsIn = (folder: string): RunRecord[] =>
  readdirSync(path(folder))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => recordIn(readFileSync(path(join(folder, name)), 'utf8'))!);
const track = (folder: string, ...args: string[]) => run([...args, `--track=${folder}`]);

const record = (more: Partial<RunRecord>): RunRecord => ({
  ...{
    format: 1,
    id: '20261130-000000-00000000',
    name: 'one',
    experiment: 'e',
    command: 'train',
    line: 'logodds train',
  },
  ...{
    status: 'finished',
    started: '2026-11-30T00:00:00.000Z',
    ended: null,
    process: { place: '', pid: 0 },
    versions: {},
  },
  ...{ params: {}, metrics: {}, curves: {}, data: [], model: null, artifacts: [], notes: [], error: null },
  ...more,
});

describe('--track', () => {
  it('keeps parameters, metrics, digests, report and model of train, in files that cat can read', () => {
    const { status, stderr } = track(
      't',
      'train',
      'd.csv',
      '--target',
      'y',
      '--C',
      '0.5',
      '--no-standardize',
      '--out',
      'm.st',
    );
    expect([status, stderr]).toEqual([0, expect.stringMatching(/note: tracked as \d{8}-\d{6}-[0-9a-f]{8} in t\n$/)]);
    const [kept] = recordsIn('t');
    expect(kept).toMatchObject({
      ...{ status: 'finished', experiment: 'logodds', name: 'train d.csv', command: 'train', error: null },
      params: { target: 'y', C: '0.5', 'no-standardize': 'true', 'fit.C': '0.5', sample: 'held-out', seed: '1' },
      metrics: { logLoss: expect.any(Number), auc: expect.any(Number), 'fit.converged': 1 },
      data: [
        { name: 'd.csv', sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: readFileSync(path('d.csv')).length },
      ],
      artifacts: ['evaluation.json', 'report.html', 'model.safetensors'],
    });
    const file = (name: string) => readFileSync(path(`t/${kept!.id}/${name}`));
    expect(file('model.safetensors')).toEqual(readFileSync(path('m.st')));
    expect(file('report.html').toString()).toContain('Logistic regression report');
    expect(JSON.parse(file('evaluation.json').toString()).rows).toBe(16);
    expect(readdirSync(path('t')).every((name) => name.startsWith(kept!.id))).toBe(true);
  });

  it('keeps curves of path and cv by step, and what eval has found', () => {
    expect(track('c', 'path', 'd.csv', '--target', 'y', '--count', '7').status).toBe(0);
    expect(track('c', 'cv', 'd.csv', '--target', 'y', '--count', '6').status).toBe(0);
    expect(track('c', 'eval', 'm.st', 'd.csv', '--run-name', 'all rows', '--experiment', 'e2').status).toBe(0);
    const [by, cv, evaluated] = ['path', 'cv', 'eval'].map(
      (name) => recordsIn('c').find(({ command }) => command === name)!,
    );
    expect(by.curves['path.lambda']).toHaveLength(7);
    expect(cv.curves['cv.logLoss']!.length).toBeGreaterThanOrEqual(6);
    expect(cv.metrics['logLoss']).toBe(cv.curves['cv.logLoss']![cv.metrics['chosen']!]);
    expect(evaluated).toMatchObject({ name: 'all rows', experiment: 'e2', params: { sample: 'given', rows: '80' } });
  });

  it('keeps the objective and the norm of the gradient by iteration', () => {
    const { curves, steps, metrics } = recordsIn('t')[0]!;
    const [objective, gradient] = ['fit.objective.byIteration', 'fit.gradNorm.byIteration'].map(
      (name) => curves[name]!,
    );
    expect(objective.length).toBeGreaterThan(2);
    expect(gradient).toHaveLength(objective.length);
    expect(steps!['fit.gradNorm.byIteration']).toEqual(objective.map((_, k) => k + 1));
    expect(objective.at(-1)).toBeLessThan(objective[0]!);
    expect(objective.at(-1)).toBeCloseTo(metrics['fit.objective']!, 9);
    expect(gradient.at(-1)).toBe(metrics['fit.gradNorm']);
  });

  it('keeps the progressive log loss of train --online by rows learnt, also while it goes on; blocks do not matter', async () => {
    const many = Array.from(
      { length: 1000 },
      (_, i) => `${(i * 7919) % 13},${'abc'[i % 3]},${(i * 31) % 7 > 2 ? 1 : 0}`,
    );
    write('many.csv', `x,zip,y\n${many.join('\n')}\n`);
    const online = ['--online', '--target', 'y', '--warmup', '200', '--checkpoint-every', '300', '--track=o'];
    const out = (name: string) => ['--out', `${name}.st`, '--checkpoint', `${name}.ckpt`];
    const whole = run(['train', 'many.csv', ...online, ...out('whole'), '--l1', '0.2']);
    expect([whole.status, whole.stderr]).toEqual([0, expect.stringContaining('tracked as')]);
    const [kept] = recordsIn('o');
    expect(kept).toMatchObject({
      status: 'finished',
      params: { online: 'true', l1: '0.2', warmup: '200', sample: 'progressive', 'rows.train': '1000' },
      steps: { 'online.logLoss': [128, 256, 384, 512, 640, 768, 896, 1000] },
      artifacts: ['model.safetensors'],
    });
    expect(kept!.curves['online.logLoss']!.at(-1)).toBe(kept!.metrics['logLoss']);
    expect(readFileSync(path(`o/${kept!.id}/model.safetensors`))).toEqual(readFileSync(path('whole.st')));
    // tracking changes nothing of the result
    run(['train', 'many.csv', ...online.slice(0, -1), ...out('plain-online'), '--l1', '0.2']);
    expect(readFileSync(path('plain-online.st'))).toEqual(readFileSync(path('whole.st')));
    const child = start(['train', '-', ...online.slice(0, -1), '--track=going', ...out('going')], USUAL);
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const going = () => (existsSync(path('going')) ? recordsIn('going')[0] : undefined);
    child.stdin.write(`x,zip,y\n${many.slice(0, 700).join('\n')}\n`);
    for (let tries = 0; tries < 2000 && !going()?.steps; tries++) await setTimeout(10);
    expect(going()).toMatchObject({
      status: 'running',
      steps: { 'online.logLoss': expect.arrayContaining([128, 256]) },
    });
    child.stdin.end(`${many.slice(700).join('\n')}\n`);
    expect(await ended).toBe(0);
    expect(going()!.steps).toEqual(kept!.steps);
  });

  it('changes nothing of the result', () => {
    run(['train', 'd.csv', '--target', 'y', '--C', '0.5', '--no-standardize', '--out', 'plain.st']);
    expect(readFileSync(path('plain.st'))).toEqual(readFileSync(path('m.st')));
  });

  it('says of a run that failed that it did, and why, without values of the data', () => {
    const { status } = track('f', 'train', 'd.csv', '--target', 'z');
    expect(status).toBe(1);
    expect(recordsIn('f')[0]).toMatchObject({ status: 'failed', error: expect.stringContaining('"z"') });
  });

  it('says of a run that was killed that it is unfinished', async () => {
    const child = start(['train', '-', '--target', 'y', '--track=k'], USUAL);
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.stdin.write('x,zip,y\n');
    for (let tries = 0; tries < 2000 && !(existsSync(path('k')) && recordsIn('k').length > 0); tries++)
      await setTimeout(10);
    expect(run(['runs', 'k', '--json']).stdout).toContain('"status":"running"');
    child.kill('SIGKILL');
    await ended;
    expect(run(['runs', 'k', '--json']).stdout).toContain('"status":"unfinished"');
    expect(run(['runs', 'k']).stdout).toContain('unfinished');
  });

  it('loses none of two runs at once in one folder', async () => {
    const runs = [1, 2, 3].map((seed) =>
      start(['train', 'd.csv', '--target', 'y', '--seed', String(seed), '--track=two'], USUAL),
    );
    expect(await Promise.all(runs.map((child) => new Promise((resolve) => child.on('exit', resolve))))).toEqual([
      0, 0, 0,
    ]);
    expect(
      recordsIn('two')
        .map(({ params, status }) => `${params['seed']} ${status}`)
        .sort(),
    ).toEqual(['1 finished', '2 finished', '3 finished']);
  });

  it('writes the model when the server cannot be reached, keeps the run in ./runs, says so, and ends with 3', () => {
    const env = { ...USUAL, MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0', MLFLOW_TRACKING_TOKEN: 'token-of-ann' };
    const { status, stderr, stdout } = run(
      ['train', 'd.csv', '--target', 'y', '--out', 'u.st', '--json', '--track', 'http://127.0.0.1:9'],
      { env },
    );
    expect(status).toBe(3);
    expect(stderr).toMatch(/note: tracking: http:\/\/127\.0\.0\.1:9: expected an MLflow server, got no answer/);
    expect(stderr).toMatch(/ERR_TRACKING tracking: .*; the run itself is done, and kept in runs\/.*\.json\n$/);
    expect(JSON.parse(stdout).model).toBe('u.st');
    expect(existsSync(path('u.st'))).toBe(true);
    const [kept] = recordsIn('runs');
    expect(kept).toMatchObject({ status: 'finished', notes: [expect.stringMatching(/^not kept by http/)] });
    expect(stderr + JSON.stringify(kept)).not.toContain('token-of-ann');
  });

  it.each([
    ['d.csv', 'got a file (d.csv); write --track behind DATA'],
    ['sqlite:///x.db', 'got another address (sqlite:///x.db)'],
    ['http://ann:hunter2@127.0.0.1:9', 'without a password'],
  ])('is refused before the work: %s', (place, sentence) => {
    const { status, stderr } = track(place, 'train', 'd.csv', '--target', 'y', '--out', 'never.st');
    expect([status, existsSync(path('never.st'))]).toEqual([1, false]);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('hunter2');
  });

  it('takes its place from the environment, and --experiment only beside it', () => {
    expect(
      run(['train', 'd.csv', '--target', 'y', '--track'], { env: { ...USUAL, LOGODDS_TRACKING: 'env' } }).status,
    ).toBe(0);
    expect(recordsIn('env')).toHaveLength(1);
    const { status, stderr } = run(['train', 'd.csv', '--target', 'y', '--experiment', 'e'], { env: USUAL });
    expect([status, stderr]).toEqual([2, expect.stringContaining("option '--experiment' needs --track")]);
  });

  it('masks secrets in everything that is stored', () => {
    const query = "select * from 'd.csv' where 'https://h/?token=hunter2' <> 'password=hunter2'";
    const { status } = track('s', 'train', '--query', query, '--target', 'y', '--run-name', 'token=hunter2');
    expect(status).toBe(0);
    const all = readdirSync(path('s'), { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    expect(all.length).toBeGreaterThan(2);
    for (const { parentPath, name } of all)
      expect(readFileSync(join(parentPath, name), 'latin1')).not.toContain('hunter2');
  });

  it('masks values of private columns, and withholds the page that tells them', () => {
    run(['schema', 'd.csv', '--target', 'y', '--out', 'plain.json']);
    const schema = JSON.parse(readFileSync(path('plain.json'), 'utf8'));
    const features = schema.features.map((one: { name: string }) =>
      one.name === 'zip' ? { ...one, private: true } : one,
    );
    write('private.json', JSON.stringify({ ...schema, features }));
    const args = [
      'train',
      'd.csv',
      '--target',
      'y',
      '--schema',
      'private.json',
      '--no-penalty',
      '--coding',
      'treatment',
    ];
    const { status, stderr } = track('p', ...args, '--reference', 'zip=b');
    expect([status, stderr]).toEqual([0, expect.stringContaining('the report page is not kept')]);
    const [kept] = recordsIn('p');
    expect(kept!.params['reference']).toBe('zip=***');
    expect(kept!.line).toContain('zip=***');
    expect(kept!.artifacts).toEqual(['evaluation.json', 'model.safetensors']);
    // who asks for the page has it
    expect(track('p2', ...args, '--report', 'asked.html').status).toBe(0);
    expect(recordsIn('p2')[0]!.artifacts).toContain('report.html');
  });
});

it.each([
  ['zip=80331,race=white', ['zip'], 'zip=***,race=white'],
  ['unzip=1', ['zip'], 'unzip=1'],
  ["'a.b=c d'", ['a.b'], "'a.b=*** d'"],
  ['größe=3', ['größe'], 'größe=***'],
])('%s with private columns', (text, hidden, told) => {
  expect(masked(text, hidden)).toBe(told);
});

describe('a record', () => {
  it('keeps numbers that JSON does not have', () => {
    const one = record({
      metrics: { a: Number.NaN, b: Number.POSITIVE_INFINITY },
      curves: { c: [1, Number.NaN, Number.NEGATIVE_INFINITY] },
    });
    expect(recordIn(recordText(one))).toEqual(one);
    expect(JSON.parse(recordText(one)).metrics).toEqual({ a: 'NaN', b: 'Infinity' });
  });

  it.each(['', '{', 'null', '[]', '{"format":2,"id":"x"}', '{"format":1}'])('is none: %s', (text) => {
    expect(recordIn(text)).toBeNull();
  });
});

describe('a comparison', () => {
  const runs = [
    record({ id: 'a', metrics: { auc: 0.8, logLoss: 0.4 }, params: { C: '1', drop: 'id', sample: 'held-out' } }),
    record({ id: 'b', metrics: { auc: 0.7, logLoss: 0.3 }, params: { C: '2', drop: 'id', sample: 'held-out' } }),
    record({ id: 'c', metrics: { auc: Number.NaN }, params: { C: '2', drop: 'id', sample: 'held-out' } }),
    record({ id: 'd', metrics: { auc: 0.99 }, status: 'unfinished', params: { C: '2', drop: 'id' } }),
    record({ id: 'e', metrics: { auc: 0.95 }, params: { C: '2', drop: 'id', sample: 'given' } }),
  ];

  it('names the best finished run of each metric among rows of one kind, and what differs', () => {
    const { best, differing, common, cautions } = compare(runs);
    expect([...best].map(([metric, { id }]) => `${metric} ${id}`)).toEqual(['logLoss b', 'auc a']);
    expect(differing).toEqual(['C', 'sample']);
    expect(common).toEqual([['drop', 'id']]);
    expect(cautions).toEqual([expect.stringContaining('rows of several kinds')]);
  });

  it('sorts the best first, and NaN last', () => {
    expect(sorted(runs, 'auc').map(({ id }) => id)).toEqual(['d', 'e', 'a', 'b', 'c']);
    expect(
      sorted(runs, 'logLoss')
        .map(({ id }) => id)
        .slice(0, 2),
    ).toEqual(['b', 'a']);
  });

  it('makes a page without scripts, whose names cannot become markup', async () => {
    const hostile = '"><script>alert(1)</script><b x="';
    const page = await runsPage({
      place: hostile,
      total: 2,
      comparison: compare([
        record({
          name: hostile,
          params: { [hostile]: hostile },
          metrics: { auc: 0.5 },
          curves: { [hostile]: [3, 2, Number.NaN], flat: [1, 1] },
          line: hostile,
          notes: [hostile],
          error: hostile,
        }),
        record({ id: 'b', experiment: hostile, metrics: { auc: 0.6 } }),
      ]),
    });
    expect(page).not.toMatch(/<script|<b /);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain('class="best">0.6<');
    expect(page.match(/<figure/g)).toHaveLength(2);
    expect(page).toContain('Left out: 1 value that is not finite.');
  });
});

describe('logodds runs', () => {
  it('shows a table, a run by a part of its id, and names what it leaves out', () => {
    mkdirSync(path('t/extra'), { recursive: true });
    writeFileSync(path('t/20260101-000000-00000000.json'), '{"torn');
    const table = run(['runs', 't']);
    expect(table.status).toBe(0);
    expect(table.stderr).toMatch(
      /note: t\/20260101-000000-00000000\.json: expected a run, got something else; it is left out/,
    );
    const [kept] = recordsIn('t').filter(Boolean);
    expect(table.stdout).toContain(kept!.id);
    const shown = run(['runs', 'show', kept!.id.slice(-8), '--from', 't']);
    expect(shown.stdout).toMatch(/C {2,}0\.5/);
    expect(run(['runs', 't', '--report', 'runs.html']).status).toBe(0);
    const page = readFileSync(path('runs.html'), 'utf8');
    expect(page).toContain('Comparison of runs');
    expect(page).toContain('fit.gradNorm.byIteration');
  });

  it.each([
    [['runs', 'nowhere'], /nowhere: expected a folder of runs, got none/],
    [['runs', 't', '--sort', 'nope'], /--sort: expected a metric of the runs \(.*auc.*\), got nope/],
    [['runs', 't', '--experiment', 'nope'], /expected runs of the experiment nope, got none/],
    [['runs', 'show'], /expected the id of a run, got none/],
    [['runs', 'show', 'zzzz', '--from', 't'], /expected the id of one run, or a part of it, got zzzz/],
    [['runs', 't', 'more'], /expected one place, got more \(more\)/],
  ])('%j is refused', (args, sentence) => {
    const { status, stderr } = run(args);
    expect([status, stderr]).toEqual([1, expect.stringMatching(sentence)]);
  });
});
