import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { oracle, workspace } from './run.ts';

const { run, json, path } = workspace();
const TRAIN = ['train', oracle('lbw.csv'), '--target', 'low', '--drop', 'id,bwt,ftv'];

describe('usage', () => {
  it('--version prints the version of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../cli/package.json', import.meta.url), 'utf8'));
    expect(run(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([[[]], [['train']], [['score']]])('--help of %j has examples', (command) => {
    const { status, stdout } = run([...command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}(cat .*\| )?logodds /);
  });

  it.each([
    ['no command', [], /Usage: logodds/],
    ['an unknown command', ['trian'], /Did you mean train\?/],
    ['an unknown option', [...TRAIN, '--out', 'm', '--solvr', 'newton'], /Did you mean --solver\?/],
    ['a target not named', ['train', 'x.csv', '--out', 'm'], /required option '--target/],
    ['a choice that does not exist', [...TRAIN, '--out', 'm', '--solver', 'sgd'], /auto, newton, newton-cg, lbfgs, cd/],
    ['a fraction above 1', [...TRAIN, '--out', 'm', '--holdout', '2'], /between 0 and 1, got "2"/],
    ['a number that is none', [...TRAIN, '--out', 'm', '--C', 'x'], /finite number > 0, got "x"/],
    ['looks without a pause', ['retrain', '--policy', 'p.json', '--every', '0s'], /Expected 1s or more, got "0s"/],
    ['two penalties', [...TRAIN, '--out', 'm', '--C', '1', '--lambda', '1'], /cannot be used with/],
    ['a penalty and none', [...TRAIN, '--out', 'm', '--C', '1', '--no-penalty'], /cannot be used with/],
    ['L1 and none', [...TRAIN, '--out', 'm', '--l1-ratio', '1', '--no-penalty'], /cannot be used with/],
    ['factors and none', [...TRAIN, '--out', 'm', '--penalty-factors', 'a=2', '--no-penalty'], /cannot be used with/],
    ['factors and Firth', [...TRAIN, '--out', 'm', '--penalty-factors', 'a=2', '--firth'], /cannot be used with/],
    ['bounds and Firth', [...TRAIN, '--out', 'm', '--bounds', 'a=0:1', '--firth'], /cannot be used with/],
    ['neither DATA nor --query', ['train', '--target', 'y', '--out', 'm'], /name DATA, or give a --query/],
    ['DATA and --query', [...TRAIN, '--out', 'm', '--query', 'select 1'], /not both/],
    [
      'rows to hold out and none',
      [...TRAIN, '--out', 'm', '--holdout-by', 'age', '--no-holdout'],
      /'--holdout-by' does not go with --no-holdout/,
    ],
    [
      'rows to hold out and all rows',
      [...TRAIN, '--out', 'm', '--no-holdout', '--holdout', '0.2'],
      /'--holdout <fraction>' cannot be used with option '--no-holdout'/,
    ],
    [
      'a watch and none',
      ['serve', 'm.safetensors', '--watch', '--no-watch'],
      /'--watch' cannot be used with option '--no-watch'/,
    ],
    [
      'a seed of folds by time',
      ['cv', 'x.csv', '--target', 'y', '--time', 't', '--seed', '3'],
      /'--seed <n>' cannot be used with option '--time/,
    ],
  ])('%s is wrong usage: status 2', (_, args, message) => {
    const { status, stdout, stderr } = run(args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });
});

const trained = json([...TRAIN, '--out', 'lbw.safetensors']);

describe('--json prints the object of the contract and nothing else', () => {
  it('train', () => {
    const result = trained;
    expect(Object.keys(result)).toEqual([
      ...[
        'model',
        'classes',
        'rows',
        'fit',
        'holdout',
        'holdoutShares',
        'evaluation',
        'defaulted',
        'unseen',
        'calibration',
        'decision',
        'warnings',
      ],
    ]);
    expect(result.model).toBe('lbw.safetensors');
    expect(result.classes).toEqual(['0', '1']);
    // stratified: a fifth of each class
    expect(result.rows).toEqual({ train: 151, holdout: 38 });
    expect(Object.keys(result.fit)).toEqual([
      'converged',
      'reason',
      'iterations',
      'gradNorm',
      'objective',
      'logLik',
      'seconds',
    ]);
    expect(Object.keys(result.holdout)).toEqual(['logLoss', 'auc', 'brier', 'ece', 'accuracy']);
  });

  it('the figures that the text shows are beside those of the contract', () => {
    const result = json([...TRAIN, '--costs', 'FP=1,FN=4', '--out', 'costs.safetensors']);
    const { evaluation, holdout } = result;
    expect(evaluation.auc.value).toBeCloseTo(holdout.auc, 12);
    expect(evaluation.auc.low).toBeLessThan(holdout.auc);
    expect(Object.keys(evaluation.calibration)).toEqual(['predicted', 'observed', 'intercept', 'slope']);
    expect(evaluation.ks).toBeGreaterThan(0);
    expect(evaluation.averagePrecision).toBeGreaterThan(0);
    expect(evaluation.classes[0].bins.length).toBe(10);
    const [[tn, fp], [fn, tp]] = evaluation.confusion.weight;
    expect(tn + fp + fn + tp).toBe(38);
    expect(evaluation.confusion.classes).toEqual(['0', '1']);
    // by hand: held out, with costs FP=1, FN=4
    expect(evaluation.cost.decided).toBeCloseTo((fp + 4 * fn) / 38, 12);
    expect(evaluation.cost.everybody).toBeCloseTo((tn + fp) / 38, 12);
    expect(evaluation.cost.nobody).toBeCloseTo((4 * (fn + tp)) / 38, 12);
    const text = run([...TRAIN, '--costs', 'FP=1,FN=4', '--out', 'costs.safetensors']).stdout;
    expect(text).toMatch(/mean cost +[\d.]+ {3}\([\d.]+ flagging nobody, [\d.]+ flagging everybody\)/);
    expect(text).toMatch(/calibration +predicted [\d.]+ % on average, observed [\d.]+ %; intercept -?[\d.]+/);
    // the costs travel with the model
    const judged = json(['eval', 'costs.safetensors', oracle('lbw.csv')]).evaluation;
    const [[, wrong], [missed]] = judged.confusion.weight;
    expect(judged.cost.decided).toBeCloseTo((wrong + 4 * missed) / 189, 12);
    expect(json(['eval', 'lbw.safetensors', oracle('lbw.csv')]).evaluation.cost).toBe(null);
  });

  it('calibration in the large: the intercept makes the mean probability the share', () => {
    const { calibration } = json(['eval', 'lbw.safetensors', oracle('lbw.csv')]).evaluation;
    run(['score', 'lbw.safetensors', oracle('lbw.csv'), '--out', 'large.jsonl']);
    const shifted = readFileSync(path('large.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)['p_1'])
      .map((p) => 1 / (1 + ((1 - p) / p) * Math.exp(-calibration.intercept.value)));
    expect(shifted.reduce((sum, p) => sum + p, 0) / 189).toBeCloseTo(calibration.observed, 9);
    expect(calibration.observed).toBeCloseTo(59 / 189, 12);
    // its standard error is that of an intercept with the logits as offset
    const information = shifted.reduce((sum, p) => sum + p * (1 - p), 0);
    const { low, high } = calibration.intercept;
    expect((high - low) / 2).toBeCloseTo(1.959963984540054 / Math.sqrt(information), 8);
  });

  it('eval, of the same rows the same metrics as by hand', () => {
    const { metrics } = json(['eval', 'lbw.safetensors', oracle('lbw.csv'), '--target', 'low']);
    expect(Object.keys(metrics)).toEqual(['logLoss', 'auc', 'brier', 'ece', 'accuracy']);
    run(['score', 'lbw.safetensors', oracle('lbw.csv'), '--out', 'lbw.jsonl']);
    const scores = readFileSync(path('lbw.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const labels = readFileSync(oracle('lbw.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(',')[1]);
    const mean = (of: (score: Record<string, number>, label: string) => number) =>
      scores.reduce((sum, score, i) => sum + of(score, labels[i]), 0) / labels.length;
    expect(metrics.logLoss).toBeCloseTo(
      mean((score, label) => -Math.log(score[`p_${label}`])),
      12,
    );
    expect(metrics.brier).toBeCloseTo(
      mean((score, label) => (score['p_1'] - Number(label)) ** 2),
      12,
    );
    expect(metrics.accuracy).toBeCloseTo(
      mean((score, label) => (String(score['label']) === label ? 1 : 0)),
      12,
    );
  });

  it('inspect', () => {
    const result = json(['inspect', 'lbw.safetensors']);
    expect(Object.keys(result)).toEqual([
      'format',
      'sha256',
      'classes',
      'positive',
      'objective',
      'coefficients',
      'fit',
      'inference',
      'calibration',
      'decision',
      'features',
      'baseline',
    ]);
    expect(Object.keys(result.objective)).toEqual(['lambda', 'l1Ratio', 'C', 'firth']);
    expect(result.objective.C).toBe(1);
    expect(result.sha256).toMatch(/^[0-9a-f]{64}$/);
    const [intercept] = result.coefficients;
    expect(intercept.feature).toBe('(intercept)');
    expect(Object.keys(intercept)).toEqual([
      'class',
      'feature',
      'level',
      'value',
      'stdError',
      'z',
      'p',
      'ciLow',
      'ciHigh',
      'oddsRatio',
    ]);
    expect(intercept.stdError).toBeNull();
  });

  it('warnings are in the object and on standard error, each with its code', () => {
    const query = 'select i as x, 2 * i as twice, i % 3 = 0 as y from range(100) t(i)';
    const args = ['train', '--query', query, '--target', 'y', '--no-penalty', '--out', 'twice.safetensors', '--json'];
    const { status, stdout, stderr } = run(args);
    expect(status).toBe(0);
    const { warnings } = JSON.parse(stdout);
    expect(warnings.map((warning: { code: string }) => warning.code)).toContain('RANK_DEFICIENT');
    expect(stderr).toMatch(/^warning: RANK_DEFICIENT /m);
  });

  it('no bar is drawn in a pipe', () => {
    expect(run([...TRAIN, '--out', 'again.safetensors']).stderr).toMatch(/^note: LOW_EVENTS [^\n]*\n$/);
  });
});

describe('for people', () => {
  let stdout = '';
  beforeAll(() => {
    const fit = ['--no-penalty', '--inference', '--holdout', '0.2', '--reference', 'race=white'];
    stdout = run([...TRAIN, ...fit, '--out', 'r.safetensors']).stdout;
  });

  it('train says what was fitted, how well, and what to do next', () => {
    expect(stdout).toMatch(/^low ~ age \+ lwt \+ race \+ smoke \+ ptl \+ ht \+ ui\n/);
    expect(stdout).toMatch(/151 fitted, 38 held out \(at random\)/);
    expect(stdout).toMatch(/newton, converged in \d+ iterations/);
    expect(stdout).toMatch(/held out +log loss 0\.\d+ {3}AUC 0\.\d+/);
    expect(stdout).toMatch(/race = black +\d/);
    expect(stdout).toMatch(/logodds score r\.safetensors/);
  });

  it('inspect shows the coefficients', () => {
    expect(run(['inspect', 'r.safetensors']).stdout).toMatch(/\(intercept\) +-?\d/);
  });
});
