import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fit as fitTable, loadModel } from '../../src/index.ts';
import { readTable } from '../train/oracles.ts';
import { oracle, workspace } from './run.ts';

const { run, json, write, path } = workspace();
const pima = oracle('pima_train.csv');
const shared = ['--target', 'type', '--l1-ratio', '1'];

describe('path', () => {
  it('every strength with its status and the weights that are not 0: those of the library', () => {
    const { rows, steps, warnings } = json(['path', pima, ...shared, '--count', '7']);
    expect([rows, steps.length, warnings]).toEqual([200, 7, []]);
    expect(steps[0]).toMatchObject({ nonzero: 0, converged: true });
    const { model } = fitTable(readTable('pima_train.csv'), { target: 'type', l1Ratio: 1, lambda: steps[4].lambda });
    const names = model.manifest.schema.features.map(({ name }) => name);
    for (const { feature, value } of steps[4].coefficients) {
      const expected = feature === '(intercept)' ? model.intercept[0] : model.weights[names.indexOf(feature)];
      expect(Math.abs(value - expected)).toBeLessThan(1e-6);
    }
    expect(steps[4].coefficients.length).toBe(1 + steps[4].nonzero);
  });

  it('as a table, with strengths of its own', () => {
    const { status, stdout, stderr } = run(['path', pima, ...shared, '--lambdas', '0.01,0.1']);
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n').filter((line) => /^ {2}0\./.test(line));
    expect(lines.map((line) => line.trim().split(/\s+/)[0])).toEqual(['0.1', '0.01']);
  });

  it.each([
    [['--lambdas', '0.1,-2'], 2, /Expected a finite number > 0, got "-2"/],
    [['--lambdas', '0.1', '--count', '3'], 1, /ERR_RANGE --lambdas: expected neither count/],
    [['--ratio', '2'], 2, /Expected a number between 0 and 1/],
    [['--bounds', 'glu=1'], 2, /Expected NAME=LOWER:UPPER, got "glu=1"/],
    [['--bounds', 'glu=2:inf'], 1, /ERR_RANGE bounds of "glu"/],
    [['--penalty-factors', 'nope=1'], 1, /ERR_SCHEMA --penalty-factors: expected features/],
  ])('%j is refused with one sentence', (more, status, message) => {
    const result = run(['path', pima, ...shared, ...more]);
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(message);
  });
});

describe('cv', () => {
  it('chooses, refits and saves', () => {
    const result = json(['cv', pima, ...shared, '--count', '20', '--rule', '1se', '--out', 'm.safetensors']);
    expect(result).toMatchObject({ model: 'm.safetensors', rows: 200, score: 'logLoss', chosen: result.oneStdError });
    expect(result.steps[result.best].mean).toBe(Math.min(...result.steps.map(({ mean }: { mean: number }) => mean)));
    const model = loadModel(readFileSync(path('m.safetensors')));
    expect(model.manifest.objective.lambda).toBe(result.lambda);
    expect(run(['score', 'm.safetensors', pima, '--out', 's.csv']).status).toBe(0);
  });

  it('the same seed and any number of threads choose the same, to the bit', () => {
    const once = json(['cv', pima, ...shared, '--count', '5', '--seed', '3']);
    expect(json(['cv', pima, ...shared, '--count', '5', '--seed', '3', '--threads', '2'])).toEqual(once);
    expect(json(['cv', pima, ...shared, '--count', '5', '--seed', '4']).steps[2].scores).not.toEqual(
      once.steps[2].scores,
    );
  });

  it('by groups and by time, whose columns are no features', () => {
    const rows = Array.from({ length: 80 }, (_, i) => `${(i * 7) % 11},g${i % 8},${i},${(i * 13) % 3 > 0 ? 1 : 0}`);
    write('visits.csv', `x,customer,day,bought\n${rows.join('\n')}\n`);
    const base = ['cv', 'visits.csv', '--target', 'bought', '--count', '3', '--folds', '4'];
    const features = (result: { coefficients: { feature: string }[] }) =>
      new Set(result.coefficients.map(({ feature }) => feature));
    expect(features(json([...base, '--groups', 'customer', '--drop', 'day']))).toEqual(new Set(['(intercept)', 'x']));
    expect(features(json([...base, '--time', 'day', '--drop', 'customer']))).toEqual(new Set(['(intercept)', 'x']));
    expect(run([...base, '--time', 'day', '--groups', 'customer']).status).toBe(2);
    expect(run([...base, '--groups', 'nobody']).stderr).toMatch(/^ERR_SCHEMA .*group column.*"nobody"/);
  });

  it('a class that a fold lacks is one clear sentence', () => {
    write('rare.csv', `x,y\n${Array.from({ length: 30 }, (_, i) => `${i},${i === 4 ? 'b' : 'a'}`).join('\n')}\n`);
    const { status, stderr } = run(['cv', 'rare.csv', '--target', 'y']);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^ERR_DATA fold \d: expected training rows of every class, got none of "b"; add rows of that class, or leave it out\n$/,
    );
  });
});

describe('train: counts, factors, bounds, several classes, a start', () => {
  it('successes of trials, with held-out rows', () => {
    const result = json([
      ...['train', oracle('menarche.csv'), '--target', 'Menarche', '--trials', 'Total', '--no-penalty'],
      ...['--no-holdout', '--out', 'menarche.safetensors'],
    ]);
    expect(result).toMatchObject({ classes: ['0', '1'], fit: { converged: true } });
    const { coefficients } = json(['inspect', 'menarche.safetensors']);
    expect(coefficients.map(({ value }: { value: number }) => value)).toEqual([
      expect.closeTo(-21.2263949051673, 7),
      expect.closeTo(1.63196834822757, 8),
    ]);
    const held = json([
      ...['train', oracle('menarche.csv'), '--target', 'Menarche', '--trials', 'Total', '--out', 'held.safetensors'],
    ]);
    expect(held.rows).toEqual({ train: 20, holdout: 5 });
    expect(held.holdout.logLoss).toBeGreaterThan(0.05);
    expect(held.holdout.logLoss).toBeLessThan(1);
  });

  it('bounds and factors reach the fit', () => {
    json([
      'train',
      pima,
      '--target',
      'type',
      '--bounds',
      'skin=-inf:0,glu=0:inf',
      '--penalty-factors',
      'ped=0',
      '--out',
      'b.safetensors',
    ]);
    const { coefficients } = json(['inspect', 'b.safetensors']);
    const skin = coefficients.find(({ feature }: { feature: string }) => feature === 'skin');
    expect(skin.value).toBeLessThanOrEqual(0);
  });

  it('a start of the same features ends at the same place, one of others is refused', () => {
    const base = ['train', pima, '--target', 'type', '--solver', 'lbfgs', '--no-holdout'];
    const first = json([...base, '--out', 'first.safetensors']);
    const again = json([...base, '--start', 'first.safetensors', '--out', 'again.safetensors']);
    expect(first.fit.iterations).toBeGreaterThan(0);
    expect(again.fit.iterations).toBe(0);
    const { status, stderr } = run([
      ...base,
      '--drop',
      'age',
      '--start',
      'first.safetensors',
      '--out',
      'no.safetensors',
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/ERR_SCHEMA start: expected a model of the same features/);
  });

  it('one-vs-rest', () => {
    const result = json([
      'train',
      oracle('iris.csv'),
      '--target',
      'Species',
      '--multiclass',
      'ovr',
      '--out',
      'o.safetensors',
    ]);
    expect(result.classes).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(result.holdout.accuracy).toBeGreaterThan(0.8);
  });
});
